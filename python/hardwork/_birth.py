"""The parent's side of birth: one source of workers for each start method of multiprocessing.

The engine asks a source for a template process (fork, forkserver), from which it has workers forked by itself, or for
each worker (spawn). It may ask again at any time, from the thread of its supervisor, when one has ended.
"""

from __future__ import annotations

import contextlib
import errno
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from multiprocessing import process as mp_process
from multiprocessing import spawn, util
from typing import Any

from hardwork import _worker
from hardwork._worker import Face


class _Source:
    """What the three have in common.

    Args:
        context: The multiprocessing context.
        workers: How many workers the pool has.
        face: Whose workers they are.

    Attributes:
        uses_template: Whether the engine asks for a template, or for each worker.
        daemonic: Whether the workers are daemonic processes.
        interrupted: What a signal's handler raised while a process was started; None if nothing did.
    """

    uses_template = True

    def __init__(self, context: Any, workers: int, face: Face) -> None:
        self._workers = workers
        # A context's Process may have a mind of its own about this: a Pool that may be nested is made in that way.
        self._pattern = context.Process(daemon=face.daemonic)
        self._pattern._hardwork_face = face
        self.daemonic: bool = self._pattern.daemon
        self._mask = [int(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, ())]
        self.interrupted: BaseException | None = None
        self._first: int | None = self._pattern._identity[-1]  # the number that the pattern itself was given

    def _next_number(self, count: int) -> int:
        """Takes numbers for processes, as the constructor of each Process does.

        A template gives them out: to its first workers those that are taken here, to replacements the following ones
        (their names may then be those of a later pool's workers; nothing depends on them).

        Args:
            count: How many.

        Returns:
            The first.
        """
        counter: Iterator[int] = mp_process._process_counter  # type: ignore[attr-defined]
        first = next(counter) if self._first is None else self._first
        self._first = None
        for _ in range(count - 1):
            next(counter)
        return first

    def _launch(self, start: Callable[[], int]) -> int:
        """Starts a process with the signals blocked that must not meet it before it is ready (see _worker).

        The engine, which calls us, knows no exceptions but OSError. Others are kept in `interrupted`, for the caller
        of `submit`: a Ctrl-C that waited until the process was there, or a warning that is an error.
        """
        pid = 0
        try:
            with _blocked(_worker.TEMPLATE_BLOCKS):
                pid = start()
        except OSError:
            raise
        except BaseException as error:
            self.interrupted = error
            if not pid:
                raise OSError(errno.ECANCELED, f"{type(error).__name__}: {error}") from error
        return pid

    def start_template(self, channel_fd: int) -> int:
        """Starts a template process.

        Args:
            channel_fd: The template's end of its channel to the supervisor; stays the caller's.

        Returns:
            Its process id.

        Raises:
            OSError: The system refused.
        """
        raise NotImplementedError

    def start_worker(self, lane_fd: int, input_fd: int, parent_fd: int, program_fd: int) -> int:
        """Starts a worker of its own.

        Args:
            lane_fd: The memory that it shares with the parent; all four stay the caller's.
            input_fd: The parent's input arena.
            parent_fd: A pidfd of the parent.
            program_fd: A pipe that hangs up when the parent executes another program.

        Returns:
            Its process id.

        Raises:
            OSError: The system refused.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Lets go of what was kept for later births. No worker can be born after that."""


class ForkSource(_Source):
    """Workers that have the parent's memory: the template is forked from the parent, once.

    Args:
        context: The multiprocessing context.
        workers: How many workers the pool has.
        face: Whose workers they are.
        initializer: The initializer, or None.
        initargs: Its arguments; inherited, not pickled.
    """

    def __init__(
        self,
        context: Any,
        workers: int,
        face: Face,
        initializer: Callable[..., object] | None,
        initargs: tuple[Any, ...],
    ) -> None:
        super().__init__(context, workers, face)
        self._plan = _worker.Plan(self._pattern, self._mask, _worker.Live(initializer, initargs))
        self._again = False

    def start_template(self, channel_fd: int) -> int:
        first = self._next_number(self._workers)
        util._flush_std_streams()  # type: ignore[attr-defined]  # or the workers print it again
        # The first fork is the user's own doing: Python warns of other threads, as it does with the standard pool.
        # A later one happens in the supervisor's thread, because a template was lost.
        again, self._again = self._again, True

        def fork() -> int:
            pid = _worker.fork_process(quiet=again)
            if pid == 0:
                _worker.run_template(self._plan, channel_fd, first)
            return pid

        return self._launch(fork)


class _FreshSource(_Source):
    """Workers that begin as fresh interpreters.

    Args:
        context: The multiprocessing context.
        workers: How many workers the pool has.
        face: Whose workers they are.
        initializer: The initializer, or None.
        initargs: Its arguments. Both are pickled here, once.

    Raises:
        RuntimeError: There is no interpreter that could be started; or see _seed.Seed.
        Exception: What pickle raises for an initializer or arguments that it refuses.
    """

    def __init__(
        self,
        context: Any,
        workers: int,
        face: Face,
        initializer: Callable[..., object] | None,
        initargs: tuple[Any, ...],
    ) -> None:
        from hardwork._seed import Seed

        method = context.get_start_method()
        self._executable: Any = spawn.get_executable()
        if getattr(sys, "frozen", False) or not self._executable:
            raise RuntimeError(
                f"the start method {method!r} needs a Python interpreter to start, and this is a frozen or embedded "
                "one; use multiprocessing.get_context('fork'), or multiprocessing.set_executable()"
            )
        super().__init__(context, workers, face)
        # A semaphore's name lives as long as the object in the parent.
        self._call = initializer, initargs
        self._seed = Seed(self._pattern, self._mask, method, initializer, initargs)

    def _start(self, entry: str, number: int, fds: Iterable[int]) -> int:
        source, passed = self._seed.program(entry, number, fds)
        flags: list[str] = util._args_from_interpreter_flags()  # type: ignore[attr-defined]
        command = [self._executable, *flags, "-c", source]
        return self._launch(lambda: util.spawnv_passfds(self._executable, command, passed))

    def close(self) -> None:
        self._seed.close()


class ForkServerSource(_FreshSource):
    """Workers forked from a clean template, which has imported `__main__` as multiprocessing's fork server does."""

    def start_template(self, channel_fd: int) -> int:
        return self._start("template_main", self._next_number(self._workers), [channel_fd])


class SpawnSource(_FreshSource):
    """Workers that are each a fresh interpreter of its own."""

    uses_template = False

    def start_worker(self, lane_fd: int, input_fd: int, parent_fd: int, program_fd: int) -> int:
        return self._start("spawned_main", self._next_number(1), [lane_fd, input_fd, parent_fd, program_fd])


_SOURCES: dict[str, type[ForkSource | _FreshSource]] = {
    "fork": ForkSource,
    "forkserver": ForkServerSource,
    "spawn": SpawnSource,
}


def make_source(
    context: Any, workers: int, face: Face, initializer: Callable[..., object] | None, initargs: tuple[Any, ...]
) -> ForkSource | _FreshSource:
    """Makes the source for a context's start method.

    Args:
        context: The multiprocessing context.
        workers: How many workers the pool has.
        face: Whose workers they are.
        initializer: The initializer, or None.
        initargs: Its arguments.

    Returns:
        The source.

    Raises:
        RuntimeError: Workers cannot be started from here; the message says why.
        Exception: What pickle raises for an initializer or arguments that it refuses (not with fork).
    """
    return _SOURCES[context.get_start_method()](context, workers, face, initializer, initargs)


@contextlib.contextmanager
def _blocked(signals: frozenset[int]) -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
