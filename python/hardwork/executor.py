"""The executor: `concurrent.futures.ProcessPoolExecutor` over the engine."""

from __future__ import annotations

import concurrent.futures.process
import contextlib
import os
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Literal, TypeVar

from hardwork import _birth, _children, _engine, _limits, _map
from hardwork._limited import LimitedExecutor
from hardwork._process_views import WorkersById
from hardwork._processes import WorkerProcess, WorkerTable
from hardwork._stats import PoolStats
from hardwork._worker import EXECUTOR, GRACE, STOP_SIGNAL

_T = TypeVar("_T")

_INT64 = range(-(2**63), 2**63)

_executors: weakref.WeakSet[ProcessPoolExecutor] = weakref.WeakSet()
_interpreter_ends = False


class ProcessPoolExecutor(_engine.ExecutorCore, concurrent.futures.process.ProcessPoolExecutor):
    """Runs calls in worker processes; a drop-in for the standard library's class, and an instance of it.

    Nothing is started before the first task. With the start method ``fork`` all workers are then forked from one
    template, itself a fork of this process, with this process's memory. With ``forkserver`` the template is a clean
    interpreter, and with ``spawn`` each worker is one; these two start workers as tasks need them. A worker that dies
    costs the task it was running (`hardwork.WorkerDied`) and is replaced.

    As a context manager the executor waits for all tasks at the end. One that is dropped finishes what was submitted,
    and so does the end of the interpreter. A Ctrl-C ends all that: when a KeyboardInterrupt passes through the
    ``with``, interrupts the wait, or ends the program, the workers are ended as by `terminate_workers`. In a forked
    child of the process that started it, it cannot be used.

    Args:
        max_workers: How many worker processes. Default: the CPUs that this process may really use, by its affinity and
            by the quota of its control group (`hardwork.cpu_count`).
        mp_context: A multiprocessing context: ``multiprocessing.get_context("forkserver")``. Default: the
            interpreter's own (``fork`` before Python 3.14, ``forkserver`` since), but ``spawn`` if max_tasks_per_child
            is given.
        initializer: Called in each worker before its first task. If it raises, the pool is broken: no task runs, and
            each future raises `BrokenProcessPool` with that exception as its cause. Default: nothing is called.
        initargs: The initializer's arguments. They may hold locks, events, queues, barriers, connections and shared
            memory of multiprocessing. Except with ``fork`` they are pickled once, at the first submit, and the
            descriptors in them stay open until the pool is shut down, for workers that replace others. Default: ().
        max_tasks_per_child: After how many tasks a worker is replaced; not with ``fork``. Default: never.
        max_memory_per_worker: Bytes of resident memory, or text such as ``"500MB"`` or ``"2GiB"``. A worker that has
            more after a task is replaced; a task during which it has more than twice as much is stopped with
            `WorkerMemoryExceeded`. What a forked worker shares with its parent counts too. Default: no limit.

    Raises:
        TypeError: A parameter has the wrong type.
        ValueError: max_workers or max_tasks_per_child is less than 1, max_tasks_per_child is given with ``fork``, or
            max_memory_per_worker cannot be read.
    """

    # What clients of the standard class read, and what nothing here ever fills.
    _executor_manager_thread: Any = None
    _executor_manager_thread_wakeup: Any = None
    _call_queue: Any = None
    _result_queue: Any = None
    _cancel_pending_futures = False

    _face = EXECUTOR
    _force_shutting_down = False

    def __init__(
        self,
        max_workers: int | None = None,
        mp_context: Any = None,
        initializer: Callable[..., object] | None = None,
        initargs: Iterable[Any] = (),
        *,
        max_tasks_per_child: int | None = None,
        max_memory_per_worker: int | str | None = None,
    ) -> None:
        # Not the standard class's: that one makes queues, locks and pipes, which nobody would use.
        self._max_workers = _limits.check_workers(max_workers)
        self._mp_context: Any
        self._mp_context, method = _limits.check_context(mp_context, max_tasks_per_child)
        self._initializer: Any
        self._initargs: tuple[Any, ...]
        self._initializer, self._initargs = _limits.check_initializer(initializer, initargs)
        self._tasks_per_worker = _limits.check_tasks_per_child(max_tasks_per_child, method)
        self._max_tasks_per_child = max_tasks_per_child
        self._max_memory = _limits.check_memory(max_memory_per_worker)
        self._safe_to_dynamically_spawn_children = method != "fork"
        self._shutdown_thread = False
        self._shutdown_lock: Any = threading.RLock()  # a signal's handler may submit, or shut down
        self._pid = 0  # of the process that started the engine
        self._source: Any = None
        kind = getattr(self._mp_context.Process, "__name__", "Process")  # a test's stand-in may have none
        self._table: WorkerTable | None = WorkerTable(self, kind, EXECUTOR.daemonic)
        self._workers: WorkersById | None = WorkersById(self._table)
        _executors.add(self)

    def _start(self) -> None:
        """Starts the engine; called by `submit` and `map` when there is none yet.

        Raises:
            RuntimeError: The executor was shut down, the interpreter ends, or this is a fork of the process that
                started it.
            OSError: The system refused something; the message names it.
            Exception: What pickle raises for an initializer or arguments that it refuses.
        """
        self._check_process()
        with self._shutdown_lock:
            if self._core_started():
                return
            if self._shutdown_thread:
                raise RuntimeError("cannot schedule new futures after shutdown")
            if _interpreter_ends:
                raise RuntimeError("cannot schedule new futures after interpreter shutdown")
            if self._pid:
                raise RuntimeError("the pool is being started by this very thread, which was interrupted at it")
            # Before the engine, so that a fork made on the way knows that this pool is not its own.
            self._pid = os.getpid()
            source = None
            try:
                source = _birth.make_source(
                    self._mp_context, self._max_workers, self._face, self._initializer, self._initargs
                )
                on_demand = self._safe_to_dynamically_spawn_children
                self._core_start(
                    source,
                    self._max_workers,
                    self._tasks_per_worker,
                    on_demand,
                    on_demand,
                    False,
                    STOP_SIGNAL,
                    self._max_memory,
                )
            except BaseException:
                self._pid = 0
                if source is not None:
                    source.close()
                    if source.interrupted is not None:
                        raise source.interrupted from None
                raise
            self._source = source
            _children.watch(self)
            if source.interrupted is not None:
                interrupted, source.interrupted = source.interrupted, None
                raise interrupted

    def _check_process(self) -> None:
        if self._pid and self._pid != os.getpid():
            raise RuntimeError(
                f"this pool was started by process {self._pid} and cannot be used in process {os.getpid()}, "
                "a fork of it: make a pool there"
            )

    def map(
        self,
        fn: Callable[..., _T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int | None = None,
        buffersize: int | None = None,
    ) -> Iterator[_T]:
        """Calls fn with the items of the iterables, side by side, as the built-in map does one after another.

        Items travel in batches whose size is found by measuring; every item that has not started can still move to
        another worker. A single ``range`` travels as numbers, not item by item. All input is taken at the call, unless
        buffersize is given, and all calls are made even if nobody iterates. An iterator that is dropped or closed
        early cancels what has not started. If `submit` was replaced, on the instance or in a subclass, each item goes
        through it.

        Args:
            fn: What to call, with as many arguments as there are iterables.
            *iterables: The arguments; the shortest ends it.
            timeout: Seconds from this call until the last result must have been taken. Default: no limit.
            chunksize: Accepted for compatibility, a hint. Default: the pool decides.
            buffersize: How many items may be under way whose results have not been taken; for long or endless
                iterables. Default: all.

        Returns:
            An iterator over the results, in the order of the input.

        Raises:
            TypeError: fn is not callable; chunksize or buffersize is not an integer.
            ValueError: chunksize or buffersize is less than 1.
            RuntimeError: The executor was shut down.
            TimeoutError: By the iterator, when the time is over.
            Exception: By the iterator, in its place, what fn raised for an item; the iterator ends with it.
        """
        return self._start_map(None, fn, iterables, timeout, chunksize, buffersize)

    def _start_map(
        self,
        view: LimitedExecutor | None,
        fn: Callable[..., _T],
        iterables: tuple[Iterable[Any], ...],
        timeout: float | None,
        chunksize: int | None,
        buffersize: int | None,
    ) -> Iterator[_T]:
        _limits.check_function(fn)
        _limits.check_chunksize(chunksize)
        _limits.check_buffersize(buffersize)
        deadline = None if timeout is None else timeout + time.monotonic()
        replaced = "submit" in self.__dict__ or type(self).submit is not _engine.ExecutorCore.submit
        if buffersize is not None or (replaced and view is None):
            return _map.map_by_submit(self if view is None else view, fn, iterables, deadline, buffersize)
        limits = None if view is None else view._limits
        if len(iterables) == 1 and type(numbers := iterables[0]) is range:
            if not numbers:
                return iter(())
            count = (numbers[-1] - numbers[0]) // numbers.step + 1  # len() refuses what is too long
            if all(number in _INT64 for number in (numbers[0], numbers[-1], numbers.step, count)):
                self._ensure_started()
                return _with_deadline(self._core_map_range(fn, numbers[0], numbers.step, count, limits), deadline)
        single = len(iterables) == 1
        source: Iterable[Any] = iterables[0] if single else zip(*iterables)  # noqa: B905  # the shortest ends it
        # A list is encoded before anybody can change it; to copy it would write to each item, for its reference count.
        items = source if type(source) is list else list(source)
        if not items:
            return iter(())
        self._ensure_started()
        return _with_deadline(self._core_map_items(fn, items, single, limits), deadline)

    def options(
        self, *, timeout: float | None = None, retries: int = 0, grace: float = 0.5, **unknown: Any
    ) -> LimitedExecutor:
        """Makes a view on this pool whose tasks have limits of their own.

        Args:
            timeout: Seconds that a task may run, from when a worker starts it. Then `TaskTimeout` is raised in it.
                Default: no limit.
            retries: How many times it is run again after its worker died under it; for tasks that may be run twice.
                Never after an exception or a timeout. Default: 0.
            grace: Seconds that it has to end when it was told to; then its worker is killed. Default: 0.5.
            **unknown: There are no others.

        Returns:
            An executor whose `submit` and `map` use this pool's workers.

        Raises:
            TypeError: A value has the wrong type, or there is no such option.
            ValueError: A value is out of range.
        """
        _limits.check_unknown(unknown)
        return LimitedExecutor(self, _engine.Limits(self, *_limits.check_limits(timeout, retries, grace)))

    def stats(self) -> PoolStats:
        """Counts what this pool has done so far.

        Returns:
            The counts since the first task: all zero before it, and still there after `shutdown`.
        """
        return PoolStats._of(self._core_stats())

    def _ensure_started(self) -> None:
        self._check_process()
        if not self._core_started():
            self._start()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Takes no more tasks, and ends the workers when the tasks are done. May be called again.

        A Ctrl-C that interrupts the wait ends the wait: what has not started is cancelled, and the workers are ended as
        by `terminate_workers`.

        Args:
            wait: Whether to return only when all tasks are done and all workers have ended. Default: True.
            cancel_futures: Whether to cancel the tasks that have not started. Default: False.
        """
        if self._pid and self._pid != os.getpid():
            return  # a fork's copy: the pool belongs to the other process
        try:
            with self._shutdown_lock:
                self._shutdown_thread = True
            if self._core_started():
                if self._table is not None:
                    self._table.ends(len(self._core_workers()))
                self._core_shutdown(
                    wait, _engine.SHUTDOWN_CANCEL_WAITING if cancel_futures else _engine.SHUTDOWN_FINISH
                )
        except KeyboardInterrupt:
            if wait:
                self._end_now()
            raise
        if wait:
            self._release()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Literal[False]:
        try:
            # Who has pressed Ctrl-C wants the prompt back, and not the rest of the work.
            if kind is not None and issubclass(kind, KeyboardInterrupt):
                self._end_now()
            self.shutdown(wait=True)
        except KeyboardInterrupt:
            self._end_now()
            raise
        return False

    def _end_now(self) -> None:
        if self._core_started():
            self._shutdown_thread = True
            self._core_end_now(_engine.SHUTDOWN_CANCEL, GRACE)

    def _release(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            source.close()
        table, self._table, self._workers = self._table, None, None
        if table is not None:
            table.has_ended()

    def terminate_workers(self) -> None:
        """Sends SIGTERM to all workers, and shuts down without waiting. What has not started is cancelled.

        Workers that live half a second later are killed.
        """
        self._force_shutdown(operation="terminate")

    def kill_workers(self) -> None:
        """Sends SIGKILL to all workers, and shuts down without waiting. What has not started is cancelled."""
        self._force_shutdown(operation="kill")

    def _force_shutdown(self, operation: str) -> None:
        # The original's name: its own tests, and subclasses, put something in its place.
        if operation not in ("terminate", "kill"):
            raise ValueError(f"Unsupported operation: {operation!r}")
        # First the shutdown, so that nobody is replaced.
        self.shutdown(wait=False, cancel_futures=True)
        if self._core_started():
            self._core_shutdown(False, _engine.SHUTDOWN_CANCEL)
        for worker in self._living_workers():
            getattr(worker, operation)()
        if self._core_started():
            self._core_end_workers(_engine.SHUTDOWN_CANCEL, GRACE if operation == "terminate" else 0.0)

    @property
    def _processes(self) -> dict[int, WorkerProcess] | None:  # type: ignore[override]  # an attribute there
        """The workers by process id as of now, whenever it is looked at; None after shutdown: as the standard's."""
        return None if self._shutdown_thread else self._workers

    def _living_workers(self) -> Iterable[WorkerProcess]:
        table = self._table
        return () if table is None else table.living().values()

    @property
    def _broken(self) -> Any:  # type: ignore[override]  # an attribute there
        """False, or why no task can be run any more."""
        if not self._core_broken():
            return False
        return "the workers of this pool could not be started; no task can be run any more"


def _with_deadline(results: _engine.MapIterator[_T], deadline: float | None) -> Iterator[_T]:
    if deadline is not None:
        results.set_timeout(max(0.0, deadline - time.monotonic()))
    return results


def _python_exit() -> None:
    """Waits for the work of all pools that this process started, before its threads are joined."""
    global _interpreter_ends
    _interpreter_ends = True
    try:
        if _ends_by_interrupt():
            _engine.end_all_now(GRACE)
        for executor in list(_executors):
            if executor._pid == os.getpid():
                executor.shutdown()
        _engine.wait_all_stopped()  # also pools whose executor was dropped with work pending
    except BaseException as error:
        # Interrupted. It does not wait any longer, but not one engine's thread may outlive the interpreter.
        while True:
            with contextlib.suppress(KeyboardInterrupt):
                _engine.end_all_now(GRACE)
                break
        raise error.with_traceback(None) from None  # threading prints it, in a few lines


def _ends_by_interrupt() -> bool:
    """Whether the program ends with the traceback of a KeyboardInterrupt: who pressed Ctrl-C waits for the prompt."""
    kind = getattr(sys, "last_type", None)
    # At an interactive prompt it is that of some earlier line.
    interactive = hasattr(sys, "ps1") or bool(sys.flags.interactive)
    return isinstance(kind, type) and issubclass(kind, KeyboardInterrupt) and not interactive


def _after_fork_in_child() -> None:
    """Frees the locks that other threads of the parent held; pools that were not started can be used here."""
    for executor in list(_executors):
        executor._shutdown_lock = threading.RLock()


# As the standard module does, and for its reason: atexit comes after threads were joined, which is too late.
threading._register_atexit(_python_exit)  # type: ignore[attr-defined]
os.register_at_fork(after_in_child=_after_fork_in_child)
