"""W1 to W9: a worker dies, in every phase and in every way."""

from __future__ import annotations

import atexit
import os
import signal
import time
from typing import Any

import pytest
from acts import PHASES, act_in, die, die_soon, leave, leave_as_c_does
from helpers import append_line, die_by_signal, own_pid, poll, read_lines, wait_at
from lab import check_death
from leaks import is_alive

DEADLY = [signal.SIGKILL, signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGTERM]


@pytest.mark.parametrize("number", DEADLY)
@pytest.mark.parametrize("whom", ["one", "all"])
def test_W01_killed_while_idle(lab: Any, number: signal.Signals, whom: str) -> None:
    """No future fails, and the worker is replaced."""
    face = lab()
    victims = face.warm()[: 1 if whom == "one" else None]
    for pid in victims:
        os.kill(pid, number)
    poll(lambda: not any(is_alive(pid) for pid in victims))
    face.innocents(50)


def test_W02_killed_with_tasks_not_started(lab: Any, gate: Any) -> None:
    """What the worker had been given and not started runs once, in another."""
    face = lab()
    for _ in range(2):
        face.expect_death(face.submit(wait_at, gate), signal=signal.SIGKILL)
    running = gate.wait_for(2)
    face.innocents(200)
    for pid in running:
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("number", DEADLY)
def test_W03_killed_while_decoding(lab: Any, number: signal.Signals) -> None:
    """That future only: WorkerDied in phase DECODE."""
    face = lab()
    face.innocents(20)
    face.expect_death(act_in("DECODE", face, die, number), signal=number, phase="DECODE")
    face.innocents(20)


@pytest.mark.parametrize("number", DEADLY)
@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_W04_killed_while_running(lab: Any, number: signal.Signals, method: str) -> None:
    """That future only: WorkerDied in phase RUN."""
    face = lab(method=method)
    face.innocents(20)
    face.expect_death(face.submit(die, number), signal=number)
    face.innocents(20)


def test_W04_killed_while_running_an_item_of_a_map(lab: Any) -> None:
    """That item only; the others of the map are executed once."""
    face = lab()
    results = iter(face.map(die_at_7, [(face.log, number) for number in range(100)]))
    assert [next(results) for _ in range(7)] == list(range(7))
    with pytest.raises(Exception) as caught:
        next(results)
    check_death(caught.value, signal=signal.SIGKILL)
    if face.kind == "pool":
        assert list(results) == list(range(8, 100))
        assert sorted(int(line) for line in read_lines(face.log)) == list(range(100))


def die_at_7(item: tuple[str, int]) -> int:
    append_line(*item)
    if item[1] == 7:
        die_by_signal()
    return item[1]


@pytest.mark.parametrize("number", DEADLY)
def test_W05_killed_while_encoding(lab: Any, number: signal.Signals) -> None:
    """That future only; the error says that it ran and its result is lost."""
    face = lab()
    face.innocents(20)
    call = face.expect_death(act_in("ENCODE", face, die, number), signal=number, phase="ENCODE")
    assert "ran, result lost" in str(call.error())
    face.innocents(20)


@pytest.mark.parametrize("milliseconds", [0, 5, 20, 60])
def test_W06_killed_during_a_large_result(lab: Any, tmp_path: Any, milliseconds: int) -> None:
    """A result that is half there is never decoded: either it is whole, or it is WorkerDied; its memory comes back."""
    face = lab()
    face.warm()
    path = tmp_path / "begun"
    call = face.submit(large, str(path))
    poll(lambda: read_lines(path))
    time.sleep(milliseconds / 1000)
    os.kill(int(read_lines(path)[0]), signal.SIGKILL)
    error = call.error()
    if error is None:
        assert call.value() == bytes(300_000_000)
    else:
        check_death(error, signal=signal.SIGKILL, phase=("RUN", "ENCODE", "PUBLISH"))
    face.innocents(20)


def large(path: str) -> bytes:
    append_line(path, os.getpid())
    return bytes(300_000_000)


@pytest.mark.parametrize("size", [10, 10_000_000])
def test_W07_killed_after_publishing(lab: Any, size: int) -> None:
    """The result stands, also a large one that lies in the dead worker's memory."""
    face = lab(workers=1)
    pid = face.call(own_pid)
    call = face.submit(answer_and_die, size)
    poll(lambda: not is_alive(pid))
    assert call.value() == bytes(size)


def answer_and_die(size: int) -> bytes:
    die_soon(300)
    return bytes(size)


def test_W08_dies_in_del(lab: Any) -> None:
    """Earlier results stand; the task whose object it was may be lost."""
    face = lab(workers=1)
    face.innocents(20)
    call = face.submit(drop, signal.SIGKILL)
    check_death(call.error(), signal=signal.SIGKILL, phase=("RUN", "ENCODE"))
    face.innocents(20)


class DiesWhenDropped:
    def __init__(self, number: int) -> None:
        self.number = number

    def __del__(self) -> None:
        os.kill(os.getpid(), self.number)


def drop(number: int) -> str:
    DiesWhenDropped(number)
    return "dropped"


def test_W08_dies_in_atexit(lab: Any) -> None:
    """All results stand, and the pool ends."""
    face = lab()
    for call in [face.submit(die_at_exit) for _ in range(4)]:
        face.expect(call, "registered")
    face.innocents(20)


def die_at_exit() -> str:
    atexit.register(os.kill, os.getpid(), signal.SIGKILL)
    return "registered"


@pytest.mark.parametrize("how", [leave, leave_as_c_does])
@pytest.mark.parametrize("code", [0, 3])
@pytest.mark.parametrize("phase", PHASES)
def test_W09_exits(lab: Any, phase: str, code: int, how: Any) -> None:
    """As a crash, with the exit code in the error."""
    face = lab()
    face.innocents(20)
    face.expect_death(act_in(phase, face, how, code), exitcode=code, phase=phase)
    face.innocents(20)
