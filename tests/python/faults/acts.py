"""Objects and functions that act in a chosen phase of a task."""

from __future__ import annotations

import ctypes
import itertools
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any, NoReturn

from helpers import PATIENCE, append_line

PHASES = ("DECODE", "RUN", "ENCODE")


class ActsWhenRebuilt:
    """An argument: its unpickling calls act(*args) in the worker (DECODE)."""

    def __init__(self, act: Callable[..., Any], *args: Any) -> None:
        self.act = act
        self.args = args

    def __reduce__(self) -> Any:
        return self.act, self.args


class ActsWhenPickled:
    """A result: its pickling calls act(*args) in the worker (ENCODE)."""

    def __init__(self, act: Callable[..., Any], *args: Any) -> None:
        self.act = act
        self.args = args

    def __reduce__(self) -> Any:
        return str, (self.act(*self.args),)


def act_in(phase: str, face: Any, act: Callable[..., Any], *args: Any, **limits: Any) -> Any:
    """Submits a call that acts in that phase of it."""
    if phase == "DECODE":
        return face.submit(len, ActsWhenRebuilt(act, *args), **limits)
    if phase == "RUN":
        return face.submit(act, *args, **limits)
    return face.submit(ActsWhenPickled, act, *args, **limits)


def die(number: int) -> NoReturn:
    signal.signal(number, signal.SIG_DFL) if number not in (signal.SIGKILL, signal.SIGSTOP) else None
    os.kill(os.getpid(), number)
    time.sleep(PATIENCE)
    raise AssertionError("not reached")


def leave(code: int) -> NoReturn:
    os._exit(code)


def leave_as_c_does(code: int) -> None:
    ctypes.CDLL(None).exit(code)


def throw(kind: type[BaseException], *args: Any) -> NoReturn:
    raise kind(*args)


def freeze(_: Any = None) -> str:
    os.kill(os.getpid(), signal.SIGSTOP)
    return "thawed"


def hold_the_gil() -> int:
    """Counts in C for ever: no other thread of the interpreter runs, and no signal handler written in Python."""
    return sum(itertools.repeat(1))


def ignore_signals_and_wait(gate: Any) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    append_line(gate._entered, os.getpid())
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            time.sleep(0.05)
        except BaseException:
            continue


def die_soon(milliseconds: float, number: int = signal.SIGKILL) -> str:
    """Answers, and dies a moment later."""

    def later() -> None:
        time.sleep(milliseconds / 1000)
        os.kill(os.getpid(), number)

    threading.Thread(target=later, daemon=True).start()
    return "answered"


log_file = -1


def log_quickly(path: str, number: int) -> int:
    """As `helpers.log`, for very many: the file stays open."""
    global log_file
    if log_file < 0:
        log_file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(log_file, b"%d\n" % number)
    return number
