"""The child's side of birth: a template process, and a worker up to the point where the engine takes over.

A worker lives inside `Process._bootstrap`, as a worker of the standard pool does: that gives it `current_process()`,
`parent_process()`, the authkey, a closed stdin, finalizers and flushed streams, on each version in that version's way.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import itertools
import os
import select
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import resource_tracker, util
from typing import Any, NoReturn, Protocol

from hardwork import _engine, _namespaces

# A template is nobody's business: what is sent to the whole process group or control group (Ctrl-C, a service
# manager's SIGTERM) is for the parent and the workers, and the parent's Python handlers, which a forked template has
# too, must not run in it. Blocking leaves handlers alone, so that a worker only needs the old mask. Not blocked: job
# control, and what the kernel raises for the process's own faults.
_LEFT_ALONE = {
    signal.SIGKILL, signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGCONT,
    signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT, signal.SIGTRAP, signal.SIGSYS,
}  # fmt: skip
TEMPLATE_BLOCKS = frozenset(set(signal.valid_signals()) - _LEFT_ALONE)


class Preparation(Protocol):
    """What makes a worker ready for tasks."""

    def prepare(self) -> None:
        """Makes `__main__` what multiprocessing says it is in a child."""

    def load(self) -> tuple[Callable[..., object] | None, tuple[Any, ...]]:
        """Returns the initializer and its arguments. Called once in each worker."""

    def around(self, initializer: Callable[..., object]) -> contextlib.AbstractContextManager[None]:
        """Returns what the initializer is called within."""


# At this a worker raises in the task that it is running, if that is to stop. One that nobody uses: the last ones are
# for whoever wants just any.
STOP_SIGNAL = signal.SIGRTMAX - 3


# Seconds from the SIGTERM that ends the workers of a pool to the SIGKILL for those that do not heed it.
GRACE = 0.5


@dataclass(frozen=True, slots=True)
class Face:
    """Whose worker it is, as far as a task can see it.

    Attributes:
        daemonic: Whether it is a daemonic process of multiprocessing: tasks then cannot start processes by that.
        name: What stands for "Process" in its name.
        wraps_refusals: Whether a result that cannot be pickled is reported as a `MaybeEncodingError`.
        has_main: Whether a fresh interpreter imports the program's main file, as multiprocessing's do.
        logs_initializer: Whether an initializer that raises is logged in the worker, under `concurrent.futures`.
    """

    daemonic: bool
    name: str
    wraps_refusals: bool
    has_main: bool = True
    logs_initializer: bool = True


EXECUTOR = Face(daemonic=False, name="Process", wraps_refusals=False)
CLEAN_EXECUTOR = Face(daemonic=False, name="Process", wraps_refusals=False, has_main=False)
POOL = Face(daemonic=True, name="PoolWorker", wraps_refusals=True, logs_initializer=False)


@dataclass(slots=True)
class Plan:
    """What a worker needs to know, however it is born.

    Attributes:
        process: A Process object of the parent's context, made in the parent; each worker becomes it, with its own
            number.
        mask: The signals that the thread which started the pool had blocked; a worker has the same.
        preparation: Called in the worker, where an error can be reported.
    """

    process: Any
    mask: list[int]
    preparation: Preparation


class Live:
    """The preparation of a forked worker: it has everything already.

    Args:
        initializer: The initializer, or None.
        initargs: Its arguments.
    """

    def __init__(self, initializer: Callable[..., object] | None, initargs: tuple[Any, ...]) -> None:
        self._call = initializer, initargs

    def prepare(self) -> None:
        """Does nothing: `__main__` is the parent's."""

    def load(self) -> tuple[Callable[..., object] | None, tuple[Any, ...]]:
        """Returns the inherited objects themselves."""
        return self._call

    def around(self, initializer: Callable[..., object]) -> contextlib.AbstractContextManager[None]:
        """Returns what watches over the globals of `__main__`."""
        return _namespaces.initializing(initializer)


def fork_process(*, quiet: bool) -> int:
    """Forks as multiprocessing does.

    Args:
        quiet: Without the DeprecationWarning of Python 3.12 and later about other threads: for forks that the
            standard pool would not make, so that its user would not be warned either.

    Returns:
        The child's process id, 0 in the child.

    Raises:
        OSError: The system refused.
    """
    # Since 3.14.4 a child of a bare fork() gets a resource tracker of its own; multiprocessing's share the parent's.
    intent: Any = getattr(resource_tracker, "_fork_intent", None)
    if intent is not None:
        intent.preserve_fd = True
    try:
        if not quiet or sys.version_info < (3, 12):
            return os.fork()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return os.fork()
    finally:
        if intent is not None:
            intent.preserve_fd = False


def run_template(plan: Plan, channel_fd: int, first: int) -> NoReturn:
    """Lives the life of a template process, and in each process forked from it that of a worker. Ends the process.

    Args:
        plan: What workers need.
        channel_fd: The template's end of the channel to the supervisor.
        first: The number of the first worker; later ones count on.
    """
    code = 1
    try:
        numbers = itertools.count(first)
        number = next(numbers)
        with contextlib.suppress(ValueError):
            signal.set_wakeup_fd(-1)  # a forked template's is the parent's event loop

        def fork() -> int:
            nonlocal number
            pid = fork_process(quiet=True)
            if pid:
                number = next(numbers)
            return pid

        def worker_main(lane_fd: int, input_fd: int, parent_fd: int, program_fd: int) -> int:
            return _live_forked(plan, number, lane_fd, input_fd, parent_fd, program_fd)

        # What is here now stays: out of the collector's reach its pages are not written to by each worker's
        # collections, and remain shared between all of them. No collect() before: that would write to all of them.
        gc.freeze()
        code = _engine.serve_template(channel_fd, fork, worker_main)
    finally:
        # Never on to the code that forked us; never its atexit functions, nor a second flush of its buffers.
        os._exit(code)


def _live_forked(plan: Plan, number: int, lane_fd: int, input_fd: int, parent_fd: int, program_fd: int) -> int:
    # As multiprocessing does since 3.13 (before, only its own finalizers ran): the worker's atexit functions, and not
    # those that it inherited.
    atexit._clear()
    atexit.register(util._exit_function)  # type: ignore[attr-defined]
    try:
        return live(plan, number, lane_fd, input_fd, parent_fd, program_fd)
    finally:
        atexit._run_exitfuncs()
        util._flush_std_streams()  # type: ignore[attr-defined]


def live(plan: Plan, number: int, lane_fd: int, input_fd: int, parent_fd: int, program_fd: int) -> int:
    """Lives the life of a worker.

    Args:
        plan: What it needs.
        number: Its number among the parent's processes, for its name and identity.
        lane_fd: The memory it shares with the parent.
        input_fd: The parent's input arena.
        parent_fd: A pidfd of the parent, also the sentinel of `parent_process()`.
        program_fd: A pipe that hangs up when the parent executes another program; -1 where a template sees to that.

    Returns:
        The exit code.
    """
    process = plan.process
    process._identity = (*process._identity[:-1], number)
    kind = type(process).__name__.replace("Process", process._hardwork_face.name)
    process._name = f"{kind}-{':'.join(map(str, process._identity))}"
    process._target, process._args, process._kwargs = _work, (plan, lane_fd, input_fd, parent_fd, program_fd), {}
    code: int = process._bootstrap(parent_sentinel=parent_fd)
    return code


def _work(plan: Plan, lane_fd: int, input_fd: int, parent_fd: int, program_fd: int) -> None:
    _watch_forks()
    signal.signal(STOP_SIGNAL, _engine.raise_if_stopped)
    code = _engine.run_worker(lane_fd, input_fd, parent_fd, program_fd, lambda: _initialize(plan))
    with contextlib.suppress(ValueError, KeyboardInterrupt):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends anyway, and without a traceback on the terminal
    if code:
        raise SystemExit(code)


def _initialize(plan: Plan) -> Callable[[BaseException, object], BaseException] | None:
    # Until here a Ctrl-C had no place to go. One that waited meant the parent, which got it too.
    with contextlib.suppress(KeyboardInterrupt):
        signal.pthread_sigmask(signal.SIG_SETMASK, plan.mask)
    plan.preparation.prepare()
    initializer, initargs = plan.preparation.load()
    if initializer is not None:
        try:
            with plan.preparation.around(initializer):
                initializer(*initargs)
        except BaseException:
            if plan.process._hardwork_face.logs_initializer:
                from concurrent.futures._base import LOGGER

                LOGGER.critical("Exception in initializer:", exc_info=True)
                # The worker's end, which is near, comes before the parent hears of it: what went into a queue has
                # arrived when the pool says that it is broken.
                util._exit_function()  # type: ignore[attr-defined]
            raise
    if not plan.process._hardwork_face.wraps_refusals:
        return None
    import multiprocessing.pool

    encoding_error: Any = multiprocessing.pool.MaybeEncodingError  # type: ignore[attr-defined]
    return lambda refusal, result: encoding_error(refusal, result)


_forks_watched = False


def _watch_forks() -> None:
    """Takes the worker's watching thread out of the way when a task forks. Once: a task's children inherit it."""
    global _forks_watched
    if not _forks_watched:
        _forks_watched = True
        os.register_at_fork(before=_engine.pause_parent_watch, after_in_parent=_engine.resume_parent_watch)


def template_main(seed_fd: int, prepared_at: int, tracker_fd: int, number: int, channel_fd: int) -> NoReturn:
    """The program of a clean template (start method forkserver).

    Args:
        seed_fd: What the parent wrote for its children: see _seed.Seed.
        prepared_at: Where in it the seed's description begins.
        tracker_fd: The pipe to the parent's resource tracker.
        number: The number of the first worker.
        channel_fd: The template's end of the channel to the supervisor.
    """
    from hardwork import _grown

    grown = _grown.open_seed(seed_fd, prepared_at, tracker_fd, (channel_fd,))
    with parent_watched(grown.process._parent_pid):
        grown.preload()
    util._flush_std_streams()  # type: ignore[attr-defined]  # or each worker prints it again
    run_template(Plan(grown.process, grown.mask, grown), channel_fd, number)


def spawned_main(
    seed_fd: int,
    prepared_at: int,
    tracker_fd: int,
    number: int,
    lane_fd: int,
    input_fd: int,
    parent_fd: int,
    program_fd: int,
) -> NoReturn:
    """The program of a worker of its own (start method spawn).

    Args:
        seed_fd: What the parent wrote for its children: see _seed.Seed.
        prepared_at: Where in it the seed's description begins.
        tracker_fd: The pipe to the parent's resource tracker.
        number: The worker's number.
        lane_fd: The memory it shares with the parent.
        input_fd: The parent's input arena.
        parent_fd: A pidfd of the parent.
        program_fd: A pipe that hangs up when the parent executes another program.
    """
    from hardwork import _grown

    grown = _grown.open_seed(seed_fd, prepared_at, tracker_fd, (lane_fd, input_fd, parent_fd, program_fd))
    grown.begin()
    sys.exit(live(Plan(grown.process, grown.mask, grown), number, lane_fd, input_fd, parent_fd, program_fd))


@contextlib.contextmanager
def parent_watched(pid: int) -> Iterator[None]:
    """Ends this process when the parent ends, for the time that Python code of the user runs in a template.

    The thread is gone afterwards: a template forks from a single thread.

    Args:
        pid: The parent's process id.
    """
    try:
        parent = os.pidfd_open(pid)
    except ProcessLookupError:
        os._exit(1)
    if os.getppid() != pid:  # it ended before there was anything to watch, and the number is another's
        os._exit(1)
    done, stop = os.pipe()
    thread = threading.Thread(target=_watch, args=(parent, done), daemon=True)
    thread.start()
    try:
        yield
    finally:
        os.close(stop)
        thread.join()
        os.close(parent)
        os.close(done)


def _watch(parent: int, done: int) -> None:
    poll = select.poll()
    poll.register(parent, select.POLLIN)
    poll.register(done, select.POLLIN)
    if any(fd == parent for fd, _ in poll.poll()):
        os._exit(1)
