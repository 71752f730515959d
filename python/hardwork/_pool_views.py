"""What clients of `multiprocessing.pool.Pool` look at inside of it."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hardwork import _engine


class PendingResults(Mapping[int, Any]):
    """`Pool._cache`: the results that are not there yet, by their numbers; as of now, not a copy.

    Its length counts all work that is not done, also that of which nobody has kept the result.

    Args:
        pool: The pool.
    """

    def __init__(self, pool: _engine.PoolCore) -> None:
        self._pool = weakref.ref(pool)

    def _pending(self) -> dict[int, Any]:
        pool = self._pool()
        return {} if pool is None else {result._job: result for result in pool._core_results()}

    def __getitem__(self, number: int) -> Any:
        return self._pending()[number]

    def __iter__(self) -> Iterator[int]:
        return iter(self._pending())

    def __len__(self) -> int:
        pool = self._pool()
        return 0 if pool is None else pool._core_outstanding()

    def __repr__(self) -> str:
        return repr(self._pending())
