"""Work in a pool, awaited: what is cancelled on this side is stopped on the other.

`asyncio.wrap_future` and `loop.run_in_executor` work with the pools of this package as with others, but when an asyncio
task is cancelled they leave what runs in the worker alone. Here it is stopped, as `Future.stop` does it.

Example:
    >>> async with asyncio.timeout(2):
    ...     answer = await hardwork.aio.run(executor, solve, problem)
    >>> async for answer in hardwork.aio.map(executor, solve, problems):
    ...     print(answer)
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Generic, TypeVar

from hardwork import _engine, _limits
from hardwork._limited import LimitedExecutor
from hardwork.executor import ProcessPoolExecutor

__all__ = ["AsyncMap", "map", "run"]

_T = TypeVar("_T")

# Seconds of results in a row, without a wait between them, after which the event loop gets its turn.
_TURN = 0.005
_AHEAD = 1000


async def run(
    executor: ProcessPoolExecutor | LimitedExecutor, fn: Callable[..., _T], /, *args: Any, **kwargs: Any
) -> _T:
    """Calls a function in a worker, and waits for its result.

    If the waiting task is cancelled, also by `asyncio.timeout`, the call is stopped: it never starts, or `TaskStopped`
    is raised in it, or its worker is killed after the grace. That is not waited for.

    Args:
        executor: Whose workers; or what its `options` returned, for a limit of time, retries, or another grace.
        fn: What to call.
        *args: Its arguments.
        **kwargs: Its keyword arguments.

    Returns:
        What it returned.

    Raises:
        TypeError: The executor is none of this package's.
        RuntimeError: The executor was shut down.
        Exception: What the call raised, or how it was lost.
    """
    _check_executor(executor)
    future: Any = executor.submit(fn, *args, **kwargs)
    try:
        await _done(future)
    except BaseException:
        future.stop()
        raise
    return future.result()  # type: ignore[no-any-return]  # what fn returned


def map(
    executor: ProcessPoolExecutor | LimitedExecutor,
    fn: Callable[..., _T],
    /,
    *iterables: Iterable[Any],
    buffersize: int | None = None,
) -> AsyncMap[_T]:
    """Calls a function with the items of the iterables, side by side, for ``async for``.

    Input is taken as results are, so that it may be endless. If the task that iterates is cancelled, or the iterator is
    dropped or closed, everything that was begun is stopped.

    Args:
        executor: Whose workers; or what its `options` returned: the limits are for each item.
        fn: What to call, with as many arguments as there are iterables.
        *iterables: The arguments; the shortest ends it.
        buffersize: How many items may be under way whose results have not been taken. Default: 1000.

    Returns:
        An asynchronous iterator over the results, in the order of the input.

    Raises:
        TypeError: The executor is none of this package's, fn is not callable, or buffersize is not an integer.
        ValueError: buffersize is less than 1.
        Exception: By the iterator, in its place, what fn raised for an item; the iterator ends with it.
    """
    _check_executor(executor)
    _limits.check_function(fn)
    _limits.check_buffersize(buffersize)
    return AsyncMap(executor, fn, zip(*iterables), _AHEAD if buffersize is None else buffersize)  # noqa: B905  # see *iterables


class AsyncMap(Generic[_T]):
    """The results of `map`. An ``async with`` around it stops at its end what is left.

    Args:
        executor: Whose workers.
        fn: What to call.
        calls: The arguments of each call.
        ahead: How many items may be under way.
    """

    def __init__(
        self,
        executor: ProcessPoolExecutor | LimitedExecutor,
        fn: Callable[..., _T],
        calls: Iterator[tuple[Any, ...]],
        ahead: int,
    ) -> None:
        self._executor = executor
        self._fn = fn
        self._calls: Iterator[tuple[Any, ...]] | None = calls
        self._ahead = ahead
        self._futures: collections.deque[_engine.Future[_T]] = collections.deque()
        self._turn_began = 0.0

    def __aiter__(self) -> AsyncMap[_T]:
        return self

    async def __anext__(self) -> _T:
        try:
            # Topped up only when half of it is used: taking input is cheaper in a row.
            if len(self._futures) <= self._ahead // 2:
                self._begin_more()
            if not self._futures:
                raise StopAsyncIteration
            head = self._futures[0]
            if not head.done():
                await _done(head)
                self._turn_began = time.monotonic()
            elif time.monotonic() - self._turn_began > _TURN:
                await asyncio.sleep(0)
                self._turn_began = time.monotonic()
            value = head.result()
            self._futures.popleft()
            return value
        except BaseException:
            self._stop()
            raise

    def _begin_more(self) -> None:
        if self._calls is None:
            return
        for args in itertools.islice(self._calls, self._ahead - len(self._futures)):
            self._futures.append(self._executor.submit(self._fn, *args))  # type: ignore[arg-type]  # ours

    def _stop(self) -> None:
        self._calls = None
        while self._futures:
            self._futures.popleft().stop()

    async def aclose(self) -> None:
        """Stops what is left; there are no more results."""
        self._stop()

    async def __aenter__(self) -> AsyncMap[_T]:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop()

    def __del__(self) -> None:
        if hasattr(self, "_futures"):
            self._stop()


def _check_executor(executor: object) -> None:
    if not isinstance(executor, (ProcessPoolExecutor, LimitedExecutor)):
        raise TypeError(
            "executor must be a hardwork.ProcessPoolExecutor, or what its options() returned, "
            f"not {type(executor).__name__}"
        )


async def _done(future: Any) -> None:
    """Waits until a pool's future is done, however that is."""
    loop = asyncio.get_running_loop()
    waiter = loop.create_future()

    def wake() -> None:
        if not waiter.done():
            waiter.set_result(None)

    def tell(_: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(wake)

    future.add_done_callback(tell)
    await waiter
