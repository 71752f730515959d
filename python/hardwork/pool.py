"""The pool: `multiprocessing.pool.Pool` over the engine."""

from __future__ import annotations

import multiprocessing.pool
import os
import signal
import warnings
from collections.abc import Callable, Iterable
from multiprocessing import util
from typing import Any, TypeVar

from hardwork import _birth, _children, _engine, _limits, _pool_input
from hardwork._limited import LimitedPool
from hardwork._pool_calls import PoolCalls
from hardwork._pool_views import PendingResults
from hardwork._process_views import WorkersInOrder
from hardwork._processes import WorkerProcess, WorkerTable
from hardwork._stats import PoolStats
from hardwork._worker import GRACE, POOL, STOP_SIGNAL

_T = TypeVar("_T")

INIT, RUN, CLOSE, TERMINATE = "INIT", "RUN", "CLOSE", "TERMINATE"

_ends_with = 0  # the process whose end terminates its pools


_Original = multiprocessing.pool.Pool


class Pool(_engine.PoolCore, PoolCalls, _Original):  # type: ignore[misc]  # one class for both kinds of results
    """Runs calls in worker processes; a drop-in for `multiprocessing.Pool`, and an instance of it.

    All workers are started at once: with ``fork`` from one template, itself a fork of this process with this process's
    memory; with ``forkserver`` from a clean interpreter; with ``spawn`` each is one. A worker that dies costs the call
    it was running, whose result raises `hardwork.WorkerDied`, and is replaced.

    As a context manager the pool is terminated at the end, and so it is at the end of the interpreter. One that is
    dropped finishes what it was given. In a forked child of the process that made it, it cannot be used.

    Args:
        processes: How many worker processes. Default: the CPUs that this process may really use, by its affinity and
            by the quota of its control group (`hardwork.cpu_count`).
        initializer: Called in each worker before its first call. If it raises, the pool is broken: no call is made, and
            each result raises `BrokenProcessPool` with that exception as its cause. Default: nothing is called.
        initargs: The initializer's arguments. They may hold locks, events, queues, barriers, connections and shared
            memory of multiprocessing. Default: ().
        maxtasksperchild: After how many tasks a worker is replaced. A task is a call, or of a map a chunk of items, as
            in the standard library. Default: never.
        context: A multiprocessing context. Default: the interpreter's own.
        max_memory_per_worker: Bytes of resident memory, or text such as ``"500MB"`` or ``"2GiB"``. A worker that has
            more after a task is replaced; a task during which it has more than twice as much is stopped with
            `WorkerMemoryExceeded`. What a forked worker shares with its parent counts too. Default: no limit.

    Raises:
        TypeError: A parameter has the wrong type.
        ValueError: processes or maxtasksperchild is less than 1, or max_memory_per_worker cannot be read.
        OSError: The system refused something; the message names it.
    """

    _state = INIT
    _pid = 0

    def __init__(
        self,
        processes: int | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: Iterable[Any] = (),
        maxtasksperchild: int | None = None,
        context: Any = None,
        *,
        max_memory_per_worker: int | str | None = None,
    ) -> None:
        if not isinstance(self, Pool):
            # multiprocessing's ThreadPool calls its base by the name that hardwork.install() has given to this class.
            _Original.__init__(self, processes, initializer, initargs, maxtasksperchild, context)
            return
        # Not the original's: that one makes queues and threads, which nobody would use.
        self._processes: int = _limits.check_processes(processes)
        self._maxtasksperchild: Any = _limits.check_maxtasksperchild(maxtasksperchild)
        self._max_memory = _limits.check_memory(max_memory_per_worker)
        self._initializer: Any
        self._initargs: Any
        self._initializer, self._initargs = _limits.check_initializer(initializer, initargs)
        self._ctx: Any
        self._ctx, method = _limits.check_context(context, None, "context")
        self._by_name = method != "fork"
        self._source: Any = None
        name = self._ctx.Process.__name__.replace("Process", POOL.name)
        self._table = WorkerTable(self, name, POOL.daemonic)
        self._pool: Any = WorkersInOrder(self._table)
        self._cache: Any = PendingResults(self)
        self._start()

    def _start(self) -> None:
        self._pid = os.getpid()
        source = _birth.make_source(self._ctx, self._processes, POOL, self._initializer, self._initargs)
        try:
            tasks = self._maxtasksperchild or 0
            self._core_start(source, self._processes, tasks, False, self._by_name, True, STOP_SIGNAL, self._max_memory)
        except BaseException:
            source.close()
            if source.interrupted is not None:
                raise source.interrupted from None
            raise
        self._source = source
        self._state = RUN
        _terminate_at_exit()
        _children.watch(self)
        if source.interrupted is not None:
            interrupted, source.interrupted = source.interrupted, None
            self.terminate()
            raise interrupted

    def __del__(self, _warn: Any = warnings.warn, _run: str = RUN, _getpid: Any = os.getpid) -> None:
        if self._state == _run and self._pid == _getpid():
            _warn(f"unclosed running multiprocessing pool {self!r}", ResourceWarning, source=self)

    def _check_running(self) -> None:
        if self._state != RUN:
            raise ValueError("Pool not running")
        if self._pid != os.getpid():
            raise RuntimeError(
                f"this pool was made by process {self._pid} and cannot be used in process {os.getpid()}, a fork of it: "
                "make a pool there"
            )

    def _start_map(
        self,
        func: Callable[..., Any],
        iterable: Iterable[Any],
        star: bool,
        chunksize: int | None,
        callback: Any,
        error_callback: Any,
        *,
        limits: _engine.Limits | None = None,
    ) -> _engine.AsyncResult[list[Any]]:
        self._check_running()
        _limits.check_function(func, "func")
        _limits.check_chunksize(chunksize)
        numbers = None if star else _pool_input.as_range(iterable)
        if numbers is not None:
            chunk = self._chunk(numbers[2], chunksize)
            return self._core_map_range(func, *numbers, chunk, callback, error_callback, limits)
        items = iterable if type(iterable) is list else list(iterable)
        chunk = self._chunk(len(items), chunksize)
        return self._core_map_items(func, items, star, chunk, callback, error_callback, limits)

    def _chunk(self, length: int, chunksize: int | None) -> int:
        """Says how many items a worker may have in a row, 0 for as many as is good."""
        if self._maxtasksperchild is None:
            return 0
        return min(chunksize if chunksize is not None else -(-length // (4 * self._processes)), 2**31)

    def _start_imap(
        self,
        func: Callable[..., _T],
        iterable: Iterable[Any],
        chunksize: int | None,
        ordered: bool,
        buffersize: int | None,
        *,
        limits: _engine.Limits | None = None,
    ) -> _engine.IMapIterator[_T]:
        self._check_running()
        _limits.check_function(func, "func")
        _limits.check_chunksize(chunksize)
        _limits.check_buffersize(buffersize)
        chunksize = 1 if chunksize is None else chunksize
        results = self._core_imap(func, self._chunk(0, chunksize), ordered, self._processes, limits)
        _pool_input.feed(results, iterable, chunksize, buffersize)
        return results

    def options(
        self, *, timeout: float | None = None, retries: int = 0, grace: float = 0.5, **unknown: Any
    ) -> LimitedPool:
        """Makes a view on this pool whose calls have limits of their own.

        Args:
            timeout: Seconds that a call, or an item of a map, may run, from when a worker starts it. Then `TaskTimeout`
                is raised in it. Default: no limit.
            retries: How many times it is run again after its worker died under it; for calls that may be run twice.
                Never after an exception or a timeout. Default: 0.
            grace: Seconds that it has to end when it was told to; then its worker is killed. Default: 0.5.
            **unknown: There are no others.

        Returns:
            An object with this pool's methods for work.

        Raises:
            TypeError: A value has the wrong type, or there is no such option.
            ValueError: A value is out of range.
        """
        _limits.check_unknown(unknown)
        return LimitedPool(self, _engine.Limits(self, *_limits.check_limits(timeout, retries, grace)))

    def stats(self) -> PoolStats:
        """Counts what this pool has done so far.

        Returns:
            The counts since it was made; still there after it has ended.
        """
        return PoolStats._of(self._core_stats())

    def close(self) -> None:
        """Takes no more work; the workers end when all that was given is done."""
        if self._state == RUN:
            self._state = CLOSE
            self._table.ends(self._processes)
            if self._pid == os.getpid():
                self._core_shutdown(False, _engine.SHUTDOWN_FINISH)

    def terminate(self) -> None:
        """Ends the workers at once, also those that are at work, and waits until they have ended.

        Results that are not in raise `hardwork.PoolTerminated`. A worker that does not heed SIGTERM is killed after
        half a second.
        """
        self.terminate_workers()
        if self._pid == os.getpid() and self._core_started():
            self._wait_stopped()

    def terminate_workers(self) -> None:
        """As `terminate`, without waiting."""
        self._end_workers(signal.SIGTERM, GRACE)

    def kill_workers(self) -> None:
        """Sends SIGKILL to all workers, and does not wait. Results that are not in raise `hardwork.PoolTerminated`."""
        self._end_workers(signal.SIGKILL, 0.0)

    def _end_workers(self, number: int, grace: float) -> None:
        self._state = TERMINATE
        self._table.ends(self._processes)
        if self._pid == os.getpid() and self._core_started():
            self._core_end_workers(_engine.SHUTDOWN_TERMINATE, grace)  # first, so that nobody is replaced
            self._core_signal_workers(number)

    def join(self) -> None:
        """Waits until the workers have ended. A Ctrl-C that interrupts the wait terminates the pool.

        Raises:
            ValueError: Neither `close` nor `terminate` was called.
        """
        if self._state == RUN:
            raise ValueError("Pool is still running")
        if self._state not in (CLOSE, TERMINATE):
            raise ValueError("In unknown state")
        if self._pid == os.getpid():
            self._wait_stopped()

    def _wait_stopped(self) -> None:
        if self._core_announces():
            return  # a callback: the thread that runs it is the one that ends the pool
        try:
            self._core_wait_stopped(None)
        except KeyboardInterrupt:
            self._state = TERMINATE
            self._core_end_now(_engine.SHUTDOWN_TERMINATE, GRACE)
            raise
        source, self._source = self._source, None
        if source is not None:
            source.close()
        self._table.has_ended()

    def _living_workers(self) -> Iterable[WorkerProcess]:
        return self._table.living().values()

    def _repopulate_pool(self) -> None:
        """Does nothing: the engine replaces workers itself."""


def _terminate_at_exit() -> None:
    """Sees to it that this process ends its pools when it ends, as the original does."""
    global _ends_with
    if _ends_with != os.getpid():
        _ends_with = os.getpid()
        util.Finalize(None, _engine.terminate_pools, exitpriority=15)
