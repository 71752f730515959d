"""What goes wrong in a pool, as exceptions: `WorkerDied` for a lost worker, `RemoteError` for what could not travel."""

from __future__ import annotations

import signal as _signal
from concurrent.futures.process import BrokenProcessPool, _RemoteTraceback
from multiprocessing import ProcessError
from typing import Any

__all__ = [
    "BrokenProcessPool",
    "PoolTerminated",
    "RemoteError",
    "TaskStopped",
    "TaskTimeout",
    "WorkerDied",
    "WorkerMemoryExceeded",
]

# What the worker was doing with the task when it ended, for the message. Phases as in include/hardwork/error.hpp.
_DOING = {
    "INIT": "before starting task {task}, while loading its function",
    "CLAIM": "before starting task {task}",
    "DECODE": "while decoding the input of task {task}",
    "RUN": "while running task {task}",
    "ENCODE": "while encoding the result of task {task} (ran, result lost)",
    "PUBLISH": "while publishing the result of task {task} (ran, result lost)",
}
_RESULT_LOST = ("ENCODE", "PUBLISH")
# Who waits for a task that was killed waits for its message too: the enumeration's own way to a name is long.
_SIGNAL_NAMES = {member.value: member.name for member in _signal.Signals}


def signal_name(number: int) -> str:
    """Names a signal as a person would look it up.

    Args:
        number: The signal's number.

    Returns:
        ``SIGKILL (9)``, ``SIGRTMIN+2 (36)``, or ``signal 99`` where the number has no name.
    """
    if number in _SIGNAL_NAMES:
        return f"{_SIGNAL_NAMES[number]} ({number})"
    if _signal.SIGRTMIN < number < _signal.SIGRTMAX:
        return f"SIGRTMIN+{number - _signal.SIGRTMIN} ({number})"
    return f"signal {number}"


class WorkerDied(BrokenProcessPool):
    """The worker process that held a task ended before the task's result was in.

    Only that task is lost: the pool replaces the worker and goes on. It is a
    `concurrent.futures.process.BrokenProcessPool`, so that `except` clauses written for the standard pool catch it.

    Args:
        pid: The worker's process id; None if it is not known.
        signal: The number of the signal that killed it; None if it was none, or is not known.
        exitcode: What it passed to ``exit``; None if a signal killed it, or it is not known.
        phase: What it was doing: SPAWN, INIT, IDLE, CLAIM, DECODE, RUN, ENCODE or PUBLISH. In ENCODE and PUBLISH the
            task's function had run to its end, and only its result was lost.
        task: The pool's number of the task; None if the worker held none.
        hint: One more sentence about the cause ("the kernel's OOM killer chose it"); None if there is nothing to add.
    """

    pid: int | None
    signal: int | None
    exitcode: int | None
    phase: str
    task: int | None
    hint: str | None

    def __init__(
        self,
        pid: int | None = None,
        signal: int | None = None,
        exitcode: int | None = None,
        phase: str = "RUN",
        task: int | None = None,
        hint: str | None = None,
    ) -> None:
        self.pid = pid
        self.signal = signal
        self.exitcode = exitcode
        self.phase = phase
        self.task = task
        self.hint = hint
        super().__init__(self._message())

    def _message(self) -> str:
        who = "a worker" if self.pid is None else f"worker {self.pid}"
        if self.signal is not None:
            how = f"was killed by {signal_name(self.signal)}"
        elif self.exitcode is not None:
            how = f"exited with code {self.exitcode}"
        else:
            how = "ended (exit status unknown)"
        text = f"{who} {how} in phase {self.phase}"
        if self.task is not None and self.phase in _DOING:
            text += " " + _DOING[self.phase].format(task=self.task)
        elif self.phase in _RESULT_LOST:
            text += " (ran, result lost)"
        return text if self.hint is None else f"{text}: {self.hint}"

    def __reduce__(self) -> tuple[Any, ...]:
        fields = (self.pid, self.signal, self.exitcode, self.phase, self.task, self.hint)
        return type(self), fields, self.__dict__  # the dictionary carries notes and what a user attached


def worker_died(
    pid: int, signal: int | None, exitcode: int | None, phase: str, task: int, refused_record: bool, out_of_memory: bool
) -> WorkerDied:
    """Makes the error of a task from what the engine knows about its worker's end. Called by the C extension.

    Args:
        pid: The worker's process id, 0 if it was never known.
        signal: The signal that killed it, or None.
        exitcode: Its exit code, or None.
        phase: What it was doing.
        task: The number of the task it held, 0 for none.
        refused_record: Whether the pool itself ended it, because it had written a record that cannot be.
        out_of_memory: Whether the out-of-memory killer has been at work just then.

    Returns:
        The exception.
    """
    hint = None
    if refused_record:
        hint = "the pool ended it, because it had overwritten its shared memory with an invalid record"
    elif out_of_memory:
        hint = "the kernel's out-of-memory killer chose it (the counter of its control group has moved)"
    error = WorkerDied(pid or None, signal, exitcode, phase, task or None, hint)
    code = exitcode if signal is None else -signal
    if pid and code is not None:
        # As the original has it since 3.15.
        text: Any = f"\n'''\nProcess {pid} terminated abruptly with exit code {code}'''"
        error.__cause__ = _RemoteTraceback(text)
    return error


class PoolTerminated(ProcessError):  # noqa: N818  # a state of affairs, like WorkerDied
    """The `Pool` was terminated before the call's result was in; with the original, `get` would wait for ever."""

    def __init__(self, message: str = "the pool was terminated before the result was in") -> None:
        super().__init__(message)


class TaskTimeout(TimeoutError):  # noqa: N818  # named like its base, and like asyncio's
    """A task ran longer than the ``timeout`` of its options.

    Raised in the task, where it can be caught and what is open be closed, and from there by its future. A task that
    goes on regardless loses its worker after the grace: then the message names the worker.
    """


class TaskStopped(Exception):  # noqa: N818  # a state of affairs, like CancelledError
    """A task was stopped while it ran, by `Future.stop`. Raised in the task, and from there by its future."""


class WorkerMemoryExceeded(MemoryError):  # noqa: N818  # named like its base
    """The worker had more than twice ``max_memory_per_worker`` while it ran the task.

    Raised in the task, which can let go of something and end, and from there by its future. A task that goes on
    regardless loses its worker: then the message names the worker.
    """


_WHY = {
    TaskTimeout: "ran longer than its time limit",
    TaskStopped: "was stopped",
    WorkerMemoryExceeded: "took more than twice max_memory_per_worker",
}


def ended_by_force(kind: type[Exception], pid: int, phase: str, task: int) -> Exception:
    """Makes the error of a task that did not stop, so that its worker was killed. Called by the C extension.

    Args:
        kind: Why it should stop.
        pid: The worker's process id.
        phase: What it was doing.
        task: The number of the task.

    Returns:
        The exception.
    """
    doing = _DOING.get(phase, "with task {task}").format(task=task)
    return kind(f"the task {_WHY[kind]} and did not end by itself: worker {pid} was killed in phase {phase} {doing}")


class RemoteError(Exception):
    """An exception of a task that could not come back as itself, for example because it does not unpickle.

    Args:
        type_name: The full name of its type ("package.module.Error").
        message: Its text.
        traceback: The traceback of the worker as text, also shown as this exception's cause; "" if there is none.
    """

    type_name: str
    message: str
    traceback: str

    def __init__(self, type_name: str, message: str, traceback: str = "") -> None:
        super().__init__(type_name, message, traceback)
        self.type_name = type_name
        self.message = message
        self.traceback = traceback
        if traceback:
            self.__cause__ = _RemoteTraceback(f'\n"""\n{traceback}"""')  # type: ignore[arg-type]  # it takes text

    def __str__(self) -> str:
        return f"{self.type_name}: {self.message}" if self.message else self.type_name
