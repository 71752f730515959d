"""Functions that tests send to workers, and what they meet at.

In a module of their own, so that a worker of every start method can import them without importing a test.
"""

from __future__ import annotations

import concurrent.futures
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

import watchdog

watchdog.register()

# Tasks give up waiting on their own: then nothing remains of a test that was killed.
PATIENCE = 100.0

START_METHODS = ["fork", "forkserver", "spawn"]


class Gate:
    """Tasks enter and wait until it is opened. Made of files: any process can use it, also one that dies in it."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = str(folder)

    def __enter__(self) -> Gate:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.open()

    @property
    def _opened(self) -> str:
        return os.path.join(self.folder, "gate-opened")

    @property
    def _entered(self) -> str:
        return os.path.join(self.folder, "gate-entered")

    def open(self) -> None:
        Path(self._opened).touch()

    def entered(self) -> list[int]:
        """The pids of those who have entered."""
        return [int(line) for line in read_lines(self._entered)]

    def wait_for(self, count: int) -> list[int]:
        """Returns when so many have entered."""
        poll(lambda: len(self.entered()) >= count)
        return self.entered()


def poll(condition: Any, seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"still not so after {seconds} s: {condition}")
        time.sleep(0.003)


def wait_at(gate: Gate, value: Any = None) -> Any:
    append_line(gate._entered, os.getpid())
    deadline = time.monotonic() + PATIENCE
    while not os.path.exists(gate._opened) and time.monotonic() < deadline:
        time.sleep(0.002)
    return value


def append_line(path: str | Path, text: object) -> None:
    """One write to a file opened for appending: lines of several processes do not mix."""
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(fd, f"{text}\n".encode())
    finally:
        os.close(fd)


def read_lines(path: str | Path) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except FileNotFoundError:
        return []


def class_of(name: str) -> type[concurrent.futures.ProcessPoolExecutor]:
    if name == "standard":
        return concurrent.futures.ProcessPoolExecutor
    import hardwork  # here, so that the standard half can run without it

    return hardwork.ProcessPoolExecutor


def script_environment() -> dict[str, str]:
    """For programs of their own: they can import what tests can."""
    folder = str(Path(__file__).parent)
    path = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([folder, path] if path else [folder])}


def start_until_ready(folder: Path, text: str, *arguments: str) -> subprocess.Popen[str]:
    """Starts a text as a program in a session of its own; returns when it has left a line in the folder's `ready`."""
    script = folder / "script.py"
    script.write_text(text)
    process = subprocess.Popen(
        [sys.executable, str(script), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=script_environment(),
        start_new_session=True,
    )
    poll(lambda: read_lines(folder / "ready"))
    return process


# Tasks.


def identity(value: Any) -> Any:
    return value


def double(number: int) -> int:
    return number * 2


def add(first: int, second: int) -> int:
    return first + second


def describe_call(*args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return args, kwargs


def own_pid(_: Any = None) -> int:
    return os.getpid()


def sleep(seconds: float, value: Any = None) -> Any:
    time.sleep(seconds)
    return value


def log(path: str, value: Any) -> Any:
    """Leaves a line for each execution: what ran twice or never can be counted."""
    append_line(path, value)
    return value


def log_and_sleep(path: str, value: Any, seconds: float) -> Any:
    append_line(path, value)
    time.sleep(seconds)
    return value


def divide_by(number: int) -> float:
    return 100 / number


def raise_it(error: BaseException) -> NoReturn:
    raise error


def raise_from_deep(text: str) -> NoReturn:
    def a_function_with_a_telling_name() -> NoReturn:
        raise ValueError(text)

    a_function_with_a_telling_name()
    raise AssertionError("not reached")


def die_by_signal(number: int = signal.SIGKILL) -> NoReturn:
    os.kill(os.getpid(), number)
    time.sleep(PATIENCE)
    raise AssertionError("not reached")


def die_by_exit(code: int = 3) -> NoReturn:
    os._exit(code)


def log_then_maybe_die(path: str, value: int, fatal: int) -> int:
    append_line(path, value)
    if value == fatal:
        os.kill(os.getpid(), signal.SIGKILL)
    return value


def spin(gate: Gate) -> None:
    """Computes without ever letting go, until it is killed."""
    append_line(gate._entered, os.getpid())
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        pass


def deaf(gate: Gate) -> None:
    """Catches what it is told."""
    while True:
        try:
            spin(gate)
        except Exception:
            append_line(gate._entered, os.getpid())
