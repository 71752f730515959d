"""Views on a pool whose tasks have limits of their own: what `options` returns."""

from __future__ import annotations

import concurrent.futures
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from hardwork import _limits, _map

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
        _limits.check_function(fn)
        _limits.check_chunksize(chunksize)
        _limits.check_buffersize(buffersize)
        deadline = None if timeout is None else timeout + time.monotonic()
        if buffersize is not None:
            return _map.map_by_submit(self, fn, iterables, deadline, buffersize)
        return self._executor._start_map(fn, iterables, deadline, self._limits)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Shuts the whole pool down.

        Args:
            wait: As for the executor.
            cancel_futures: As for the executor.
        """
        self._executor.shutdown(wait, cancel_futures=cancel_futures)


class LimitedPool:
    """The methods of a Pool that take work, with limits for each call and each item of a map.

    Args:
        pool: Whose workers they are.
        limits: The limits.
    """

    def __init__(self, pool: Pool, limits: _engine.Limits) -> None:
        self._pool = pool
        self._limits = limits
        self.apply_async = limits.apply_async

    def apply(self, func: Callable[..., _T], args: Iterable[Any] = (), kwds: Mapping[str, Any] = {}) -> _T:
        """Does as the pool's.

        Args:
            func: What to call.
            args: Its arguments.
            kwds: Its arguments by name.

        Returns:
            What it returned.
        """
        return self.apply_async(func, args, kwds).get()

    def map(self, func: Callable[[Any], _T], iterable: Iterable[Any], chunksize: int | None = None) -> list[_T]:
        """Does as the pool's.

        Args:
            func: What to call.
            iterable: The items.
            chunksize: As for the pool.

        Returns:
            The results in the order of the items.
        """
        return self.map_async(func, iterable, chunksize).get()

    def map_async(
        self,
        func: Callable[[Any], _T],
        iterable: Iterable[Any],
        chunksize: int | None = None,
        callback: Callable[[list[_T]], object] | None = None,
        error_callback: Callable[[BaseException], object] | None = None,
    ) -> _engine.AsyncResult[list[_T]]:
        """Does as the pool's.

        Args:
            func: What to call.
            iterable: The items.
            chunksize: As for the pool.
            callback: Called with the results.
            error_callback: Called with the exception instead.

        Returns:
            The result to come.
        """
        return self._pool._start_map(func, iterable, False, chunksize, callback, error_callback, self._limits)

    def starmap(
        self, func: Callable[..., _T], iterable: Iterable[Iterable[Any]], chunksize: int | None = None
    ) -> list[_T]:
        """Does as the pool's.

        Args:
            func: What to call.
            iterable: The items, each an iterable of arguments.
            chunksize: As for the pool.

        Returns:
            The results in the order of the items.
        """
        return self.starmap_async(func, iterable, chunksize).get()

    def starmap_async(
        self,
        func: Callable[..., _T],
        iterable: Iterable[Iterable[Any]],
        chunksize: int | None = None,
        callback: Callable[[list[_T]], object] | None = None,
        error_callback: Callable[[BaseException], object] | None = None,
    ) -> _engine.AsyncResult[list[_T]]:
        """Does as the pool's.

        Args:
            func: What to call.
            iterable: The items, each an iterable of arguments.
            chunksize: As for the pool.
            callback: Called with the results.
            error_callback: Called with the exception instead.

        Returns:
            The result to come.
        """
        return self._pool._start_map(func, iterable, True, chunksize, callback, error_callback, self._limits)

    def imap(
        self,
        func: Callable[[Any], _T],
        iterable: Iterable[Any],
        chunksize: int | None = 1,
        *,
        buffersize: int | None = None,
    ) -> _engine.IMapIterator[_T]:
        """Does as the pool's.

        Args:
            func: What to call.
            iterable: The items; may be endless.
            chunksize: As for the pool.
            buffersize: As for the pool.

        Returns:
            An iterator over the results in the order of the items.
        """
        return self._pool._start_imap(func, iterable, chunksize, True, buffersize, self._limits)

    def imap_unordered(
        self,
        func: Callable[[Any], _T],
        iterable: Iterable[Any],
        chunksize: int | None = 1,
        *,
        buffersize: int | None = None,
    ) -> _engine.IMapIterator[_T]:
        """Does as the pool's.

        Args:
            func: What to call.
            iterable: The items; may be endless.
            chunksize: As for the pool.
            buffersize: As for the pool.

        Returns:
            An iterator over the results as they come.
        """
        return self._pool._start_imap(func, iterable, chunksize, False, buffersize, self._limits)
