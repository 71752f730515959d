"""Views on a pool whose tasks have limits of their own: what `options` returns."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from hardwork._pool_calls import PoolCalls

if TYPE_CHECKING:
    from hardwork import _engine
    from hardwork.executor import ProcessPoolExecutor
    from hardwork.pool import Pool

_T = TypeVar("_T")


class LimitedExecutor(concurrent.futures.Executor):
    """An executor that gives its tasks to another one's workers, with limits.

    Args:
        executor: Whose workers they are.
        limits: The limits.
    """

    def __init__(self, executor: ProcessPoolExecutor, limits: _engine.Limits) -> None:
        self._executor = executor
        self._limits = limits
        # Straight to the C function: what a limit costs is not to be a Python call.
        self.submit = limits.submit  # type: ignore[method-assign]

    def map(
        self,
        fn: Callable[..., _T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int | None = None,
        buffersize: int | None = None,
    ) -> Iterator[_T]:
        """Does as the executor's `map`; the limits are for each item.

        Args:
            fn: What to call.
            *iterables: The arguments; the shortest ends it.
            timeout: Seconds from this call until the last result must have been taken. Default: no limit.
            chunksize: Accepted for compatibility, a hint.
            buffersize: How many items may be under way whose results have not been taken. Default: all.

        Returns:
            An iterator over the results, in the order of the input.
        """
        return self._executor._start_map(self, fn, iterables, timeout, chunksize, buffersize)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Shuts the whole pool down.

        Args:
            wait: As for the executor.
            cancel_futures: As for the executor.
        """
        self._executor.shutdown(wait, cancel_futures=cancel_futures)


class LimitedPool(PoolCalls):
    """The methods of a Pool that take work, with limits for each call and each item of a map.

    Args:
        pool: Whose workers they are.
        limits: The limits.
    """

    def __init__(self, pool: Pool, limits: _engine.Limits) -> None:
        self._pool = pool
        self._limits = limits
        self.apply_async = limits.apply_async  # type: ignore[method-assign]

    def _start_map(self, *work: Any) -> _engine.AsyncResult[list[Any]]:
        return self._pool._start_map(*work, limits=self._limits)

    def _start_imap(self, *work: Any) -> _engine.IMapIterator[Any]:
        return self._pool._start_imap(*work, limits=self._limits)
