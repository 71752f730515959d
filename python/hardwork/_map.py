"""`map` through single futures, as the standard library does it: with a buffer, or where `submit` was replaced."""

from __future__ import annotations

import itertools
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import Any, TypeVar

_T = TypeVar("_T")


def map_by_submit(
    executor: Executor,
    fn: Callable[..., _T],
    iterables: tuple[Iterable[Any], ...],
    deadline: float | None,
    buffersize: int | None,
) -> Iterator[_T]:
    """Submits a task for each item, and yields results in order.

    Args:
        executor: Where to submit; not kept alive by the iterator.
        fn: What to call.
        iterables: Its arguments.
        deadline: When the last result must be there, in seconds of time.monotonic(); None for no limit.
        buffersize: How many tasks are submitted ahead; None for all at the call.

    Returns:
        An iterator over the results. When it ends early, tasks that have not started are cancelled.
    """
    inputs = zip(*iterables)  # noqa: B905  # the shortest ends it, as in the standard library
    futures = deque(executor.submit(fn, *args) for args in itertools.islice(inputs, buffersize))
    refill = inputs if buffersize is not None else None
    return _results(futures, weakref.ref(executor), fn, refill, deadline)


def _results(
    futures: deque[Future[_T]],
    executor_ref: weakref.ref[Executor],
    fn: Callable[..., _T],
    inputs: Iterator[tuple[Any, ...]] | None,
    deadline: float | None,
) -> Iterator[_T]:
    try:
        while futures:
            if inputs is not None:
                executor = executor_ref()
                args = next(inputs, None) if executor is not None else None
                if executor is not None and args is not None:
                    futures.append(executor.submit(fn, *args))
                del executor, args
            yield _result_or_cancel(futures.popleft(), deadline)
    finally:
        while futures:
            futures.popleft().cancel()


def _result_or_cancel(future: Future[_T], deadline: float | None) -> _T:
    try:
        try:
            return future.result(None if deadline is None else deadline - time.monotonic())
        finally:
            future.cancel()  # does nothing to one that is done
    finally:
        del future  # breaks a cycle with the exception's traceback
