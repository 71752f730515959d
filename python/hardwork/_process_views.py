"""`executor._processes` and `pool._pool`: a dictionary and a list that always show the workers as of now."""

from __future__ import annotations

import functools
from collections.abc import Callable, ItemsView, Iterator, KeysView, ValuesView
from typing import Any, TypeVar

from hardwork._processes import WorkerProcess, WorkerTable

_C = TypeVar("_C", bound=type)

# What reads each of them. What changes them is left alone, and lasts until the next look.
_DICT_READS = ["__contains__", "__eq__", "__getitem__", "__iter__", "__len__", "__ne__", "__or__", "__repr__"]
_DICT_READS += ["__reversed__", "__ror__", "copy", "get"]
_LIST_READS = ["__add__", "__contains__", "__eq__", "__getitem__", "__iter__", "__len__", "__mul__", "__ne__"]
_LIST_READS += ["__repr__", "__reversed__", "__rmul__", "copy", "count", "index"]


def _reading_now(base: type, names: list[str]) -> Callable[[_C], _C]:
    """Makes a class whose methods of these names do what those of `base` do, with the workers as of now."""

    def method(name: str) -> Callable[..., Any]:
        @functools.wraps(getattr(base, name))
        def read(self: Any, *arguments: Any) -> Any:
            return getattr(self._look(), name)(*arguments)

        return read

    def add(cls: _C) -> _C:
        for name in names:
            setattr(cls, name, method(name))
        return cls

    return add


class _Values(ValuesView[WorkerProcess]):
    def __init__(self, workers: WorkersById) -> None:
        self._workers = workers
        super().__init__(workers)

    def __iter__(self) -> Iterator[WorkerProcess]:
        return iter(self._workers._look().values())


class _Items(ItemsView[int, WorkerProcess]):
    def __init__(self, workers: WorkersById) -> None:
        self._workers = workers
        super().__init__(workers)

    def __iter__(self) -> Iterator[tuple[int, WorkerProcess]]:
        return iter(self._workers._look().items())


@_reading_now(dict, _DICT_READS)
class WorkersById(dict[int, WorkerProcess]):
    """An executor's workers by process id. Iterating goes through those of when it began.

    Args:
        table: Who they are.
    """

    def __init__(self, table: WorkerTable) -> None:
        self._table = table

    def _look(self) -> dict[int, WorkerProcess]:
        now = self._table.shown()
        # For what reads a dictionary past its methods. Never empty in between: another thread may look.
        self.update(now)
        for pid in [pid for pid in dict.keys(self) if pid not in now]:
            self.pop(pid, None)
        return now

    def keys(self) -> Any:
        """Shows the process ids.

        Returns:
            A view, as of any dictionary.
        """
        return KeysView(self)

    def values(self) -> Any:
        """Shows the workers.

        Returns:
            A view, as of any dictionary.
        """
        return _Values(self)

    def items(self) -> Any:
        """Shows both.

        Returns:
            A view, as of any dictionary.
        """
        return _Items(self)

    def __reduce_ex__(self, _: Any) -> Any:
        return dict, (self._look(),)


@_reading_now(list, _LIST_READS)
class WorkersInOrder(list[WorkerProcess]):
    """A Pool's workers. Iterating goes through those of when it began.

    Args:
        table: Who they are.
    """

    def __init__(self, table: WorkerTable) -> None:
        self._table = table

    def _look(self) -> list[WorkerProcess]:
        now = list(self._table.shown().values())
        self[:] = now
        return now

    def __reduce_ex__(self, _: Any) -> Any:
        return list, (self._look(),)
