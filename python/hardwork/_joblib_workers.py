"""The joblib backend's workers: an executor for each call of Parallel, kept for the next one when the call is over.

A call has its executor for itself. So one that fails may kill what it has running, and one that asks for another number
of workers may get them, whatever other calls are under way.
"""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hardwork import _engine
from hardwork._joblib_task import limit_threads
from hardwork._worker import CLEAN_EXECUTOR
from hardwork.executor import ProcessPoolExecutor

# Seconds that the running tasks of a failed call have to end by themselves. New workers would have to import everything
# again, which takes longer.
_GRACE = 0.1


class _Executor(ProcessPoolExecutor):
    _face = CLEAN_EXECUTOR


@dataclass(frozen=True)
class Wanted:
    """What workers a call needs; those of one call fit another that wants the same.

    Args:
        workers: How many.
        environment: Their environment variables, where these differ from ours.
        idle_seconds: How long they stay when nobody needs them.
    """

    workers: int
    environment: Mapping[str, str]
    idle_seconds: float


class Lease:
    """An executor for one call of Parallel, or for a block of calls. Nothing is started before the first task.

    Args:
        wanted: What it shall be like.
    """

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._executor: _Executor | None = None
        self._pending: set[concurrent.futures.Future[Any]] = set()
        # Tasks are submitted by the caller's thread and by the pool's own, for callbacks of joblib.
        self._lock = threading.Lock()
        self._released = False

    def submit(self, callback: Callable[[Any], Any] | None, fn: Callable[..., Any], *args: Any) -> _engine.Future[Any]:
        """Starts a task.

        Args:
            callback: Called with the future when it is done. `abort` waits for it too.
            fn: What to call.
            *args: Its arguments.

        Returns:
            The future.

        Raises:
            RuntimeError: The lease is over.
        """
        with self._lock:
            if self._released:
                raise RuntimeError("this call of Parallel has ended")
            if self._executor is None:
                self._executor = _take(self._wanted)
            future = self._executor.submit(fn, *args)
            self._pending.add(future)
        if callback is not None:
            future.add_done_callback(callback)
        future.add_done_callback(self._pending.discard)
        return future

    def abort(self) -> None:
        """Ends all tasks that are not done: cancels those that have not begun, and soon kills the others' workers."""
        running = [future for future in list(self._pending) if not future.cancel()]
        # Without the lock: callbacks, which may want it, come before a future counts as done.
        late = concurrent.futures.wait(running, _GRACE).not_done
        with self._lock:
            executor = self._executor
            if executor is not None and (late or executor._broken):
                self._executor = None
                executor.kill_workers()

    def release(self) -> None:
        """Ends the lease. The workers stay for the next one."""
        if self._pending:
            self.abort()
        with self._lock:
            self._released = True
            executor, self._executor = self._executor, None
        if executor is not None:
            _put_back(executor, self._wanted)


@dataclass
class _Idle:
    executor: _Executor
    wanted: Wanted
    timer: threading.Timer


_idle: _Idle | None = None
_idle_lock = threading.Lock()


def _take(wanted: Wanted) -> _Executor:
    """Returns the idle executor, or a new one."""
    idle = _exchange(None)
    if idle is not None:
        if idle.wanted == wanted and not idle.executor._broken:
            return idle.executor
        idle.executor.shutdown(wait=False)
    # Forks of clean interpreters: OpenMP's threads do not survive a fork of a process that has used them.
    context = multiprocessing.get_context("forkserver")
    return _Executor(wanted.workers, context, limit_threads, (dict(wanted.environment),))


def _put_back(executor: _Executor, wanted: Wanted) -> None:
    timer = threading.Timer(wanted.idle_seconds, lambda: end_idle(executor))
    timer.daemon = True
    before = _exchange(_Idle(executor, wanted, timer))
    timer.start()
    if before is not None:
        before.executor.shutdown(wait=False)


def _exchange(new: _Idle | None) -> _Idle | None:
    global _idle
    with _idle_lock:
        before, _idle = _idle, new
    if before is not None:
        before.timer.cancel()
    return before


def end_idle(executor: ProcessPoolExecutor | None = None) -> None:
    """Ends the workers that nobody uses, and waits until they have ended.

    Args:
        executor: Only if these are they. Default: whatever they are.
    """
    global _idle
    with _idle_lock:
        if _idle is None or (executor is not None and _idle.executor is not executor):
            return
        idle, _idle = _idle, None
    idle.timer.cancel()
    idle.executor.shutdown()


def _forget() -> None:
    """In a fork of this process: the workers are the parent's."""
    global _idle, _idle_lock
    _idle, _idle_lock = None, threading.Lock()


os.register_at_fork(after_in_child=_forget)
