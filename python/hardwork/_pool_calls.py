"""The ways to give a Pool work: those of the pool itself, and of a view on it. What they stand on is at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from hardwork import _engine

_T = TypeVar("_T")


class PoolCalls:
    """`apply`, `map`, `starmap`, `imap` and their like, in terms of the three methods at the end."""

    def apply(self, func: Callable[..., _T], args: Iterable[Any] = (), kwds: Mapping[str, Any] = {}) -> _T:
        """Calls func in a worker, and waits for it.

        Args:
            func: What to call.
            args: Its arguments.
            kwds: Its arguments by name.

        Returns:
            What it returned.

        Raises:
            ValueError: The pool is not running.
            WorkerDied: The worker died while it ran the call.
            Exception: What func raised.
        """
        return self.apply_async(func, args, kwds).get()

    def map(self, func: Callable[[Any], _T], iterable: Iterable[Any], chunksize: int | None = None) -> list[_T]:
        """Calls func with each item, side by side.

        Items travel in batches whose size is found by measuring; every item that has not started can still move to
        another worker. All items are worked on, also if one fails.

        Args:
            func: What to call.
            iterable: The items. All are taken at once.
            chunksize: How many items make one task for maxtasksperchild. Otherwise accepted, a hint. Default: the pool
                decides; with maxtasksperchild, a quarter of each worker's share.

        Returns:
            The results in the order of the items.

        Raises:
            ValueError: The pool is not running, or chunksize is less than 1.
            TypeError: iterable or chunksize has the wrong type.
            WorkerDied: A worker died while it ran an item, after all others have been worked on.
            Exception: What func raised, for the first item for which it did, after all have been worked on.
        """
        return self._start_map(func, iterable, False, chunksize, None, None).get()

    def map_async(
        self,
        func: Callable[[Any], _T],
        iterable: Iterable[Any],
        chunksize: int | None = None,
        callback: Callable[[list[_T]], object] | None = None,
        error_callback: Callable[[BaseException], object] | None = None,
    ) -> _engine.AsyncResult[list[_T]]:
        """Does as `map`, without waiting.

        Args:
            func: What to call.
            iterable: The items.
            chunksize: As for `map`.
            callback: Called with the list of results, in a thread of the pool. Default: nothing is.
            error_callback: Called with the exception instead, if there was one. Default: nothing is.

        Returns:
            The result to come.
        """
        return self._start_map(func, iterable, False, chunksize, callback, error_callback)

    def starmap(
        self, func: Callable[..., _T], iterable: Iterable[Iterable[Any]], chunksize: int | None = None
    ) -> list[_T]:
        """Does as `map`, with items that are iterables of arguments: ``func(*item)``.

        Args:
            func: What to call.
            iterable: The items.
            chunksize: As for `map`.

        Returns:
            The results in the order of the items.
        """
        return self._start_map(func, iterable, True, chunksize, None, None).get()

    def starmap_async(
        self,
        func: Callable[..., _T],
        iterable: Iterable[Iterable[Any]],
        chunksize: int | None = None,
        callback: Callable[[list[_T]], object] | None = None,
        error_callback: Callable[[BaseException], object] | None = None,
    ) -> _engine.AsyncResult[list[_T]]:
        """Does as `starmap`, without waiting.

        Args:
            func: What to call.
            iterable: The items.
            chunksize: As for `map`.
            callback: As for `map_async`.
            error_callback: As for `map_async`.

        Returns:
            The result to come.
        """
        return self._start_map(func, iterable, True, chunksize, callback, error_callback)

    def imap(
        self,
        func: Callable[[Any], _T],
        iterable: Iterable[Any],
        chunksize: int | None = 1,
        *,
        buffersize: int | None = None,
    ) -> _engine.IMapIterator[_T]:
        """Calls func with each item, and yields results in the order of the items, as they come.

        Items are taken from the iterable as workers come to need them (by a thread, if iterating may run code of the
        user's), some thousands ahead at most. An exception that the iterable itself raises comes in its place.

        Args:
            func: What to call.
            iterable: The items; may be endless.
            chunksize: How many items make one task for maxtasksperchild. Otherwise accepted, a hint. Default: 1.
            buffersize: How many items may be under way whose results have not been taken. Default: no limit.

        Returns:
            An iterator, with a method ``next(timeout=None)`` that raises `multiprocessing.TimeoutError`. After an
            item's exception it goes on with the next item.

        Raises:
            ValueError: The pool is not running; chunksize or buffersize is less than 1.
            TypeError: func, iterable, chunksize or buffersize has the wrong type.
        """
        return self._start_imap(func, iterable, chunksize, True, buffersize)

    def imap_unordered(
        self,
        func: Callable[[Any], _T],
        iterable: Iterable[Any],
        chunksize: int | None = 1,
        *,
        buffersize: int | None = None,
    ) -> _engine.IMapIterator[_T]:
        """Does as `imap`, with results in any order: those that are there first come first.

        Args:
            func: What to call.
            iterable: The items.
            chunksize: As for `imap`.
            buffersize: As for `imap`.

        Returns:
            An iterator, as that of `imap`.
        """
        return self._start_imap(func, iterable, chunksize, False, buffersize)

    if TYPE_CHECKING:

        def apply_async(
            self,
            func: Callable[..., _T],
            args: Iterable[Any] = (),
            kwds: Mapping[str, Any] = {},
            callback: Callable[[_T], object] | None = None,
            error_callback: Callable[[BaseException], object] | None = None,
        ) -> _engine.AsyncResult[_T]: ...
        def _start_map(
            self,
            func: Callable[..., Any],
            iterable: Iterable[Any],
            star: bool,
            chunksize: int | None,
            callback: Any,
            error_callback: Any,
        ) -> _engine.AsyncResult[list[Any]]: ...
        def _start_imap(
            self,
            func: Callable[..., _T],
            iterable: Iterable[Any],
            chunksize: int | None,
            ordered: bool,
            buffersize: int | None,
        ) -> _engine.IMapIterator[_T]: ...
