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
from leaks import is_alive, memory_files

FRESH = ["forkserver", "spawn"]  # where workers are no forks of this process
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


@pytest.mark.parametrize("method", FRESH)
def test_W01_all_killed_while_idle_with_fresh_workers(lab: Any, method: str) -> None:
    """The same with the other start methods."""
    face = lab(method=method)
    victims = face.warm()
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    poll(lambda: not any(is_alive(pid) for pid in victims))
    face.innocents(50)


@pytest.mark.parametrize(("number", "method"), [*((n, "fork") for n in DEADLY), *((DEADLY[0], m) for m in FRESH)])
def test_W02_killed_with_tasks_not_started(lab: Any, gate: Any, number: signal.Signals, method: str) -> None:
    """What the worker had been given and not started runs once, in another."""
    face = lab(method=method)
    for _ in range(2):
        face.expect_death(face.submit(wait_at, gate), signal=number)
    running = gate.wait_for(2)
    face.innocents(200)
    for pid in running:
        os.kill(pid, number)


@pytest.mark.parametrize(("number", "method"), [*((n, "fork") for n in DEADLY), *((DEADLY[0], m) for m in FRESH)])
def test_W03_killed_while_decoding(lab: Any, number: signal.Signals, method: str) -> None:
    """That future only: WorkerDied in phase DECODE."""
    face = lab(method=method)
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


@pytest.mark.parametrize("method", ["fork", *FRESH])
def test_W04_killed_and_run_again(lab: Any, tmp_path: Any, method: str) -> None:
    """One with retries is run again as often as they say, and no more; the counts are exact."""
    face = lab(method=method)
    face.innocents(20)
    path = str(tmp_path / "runs")
    face.expect(face.submit(die_twice, path, retries=2), 3)
    face.innocents(20)
    face.verify()
    assert len(read_lines(path)) == 3
    stats = face.pool.stats()
    assert (stats.retried, stats.failed, sum(stats.workers_died.values())) == (2, 0, 2)
    face.expect_death(face.submit(die, signal.SIGKILL, retries=1), signal=signal.SIGKILL)
    face.verify()
    stats = face.pool.stats()
    assert (stats.retried, stats.failed, sum(stats.workers_died.values())) == (3, 1, 4)


def die_twice(path: str) -> int:
    append_line(path, os.getpid())
    runs = len(read_lines(path))
    if runs < 3:
        die_by_signal()
    return runs


@pytest.mark.parametrize(("number", "method"), [*((n, "fork") for n in DEADLY), *((DEADLY[0], m) for m in FRESH)])
def test_W05_killed_while_encoding(lab: Any, number: signal.Signals, method: str) -> None:
    """That future only; the error says that it ran and its result is lost."""
    face = lab(method=method)
    face.innocents(20)
    call = face.expect_death(act_in("ENCODE", face, die, number), signal=number, phase="ENCODE")
    assert "ran, result lost" in str(call.error())
    face.innocents(20)


@pytest.mark.parametrize(
    ("milliseconds", "number"),
    [*((pause, signal.SIGKILL) for pause in (0, 5, 20, 60)), *((20, number) for number in DEADLY[1:])],
)
def test_W06_killed_during_a_large_result(lab: Any, tmp_path: Any, milliseconds: int, number: signal.Signals) -> None:
    """A result that is half there is never decoded: either it is whole, or it is WorkerDied; its memory comes back."""
    face = lab()
    face.warm()
    path = tmp_path / "begun"
    call = face.submit(large, str(path))
    poll(lambda: read_lines(path))
    time.sleep(milliseconds / 1000)
    pid = int(read_lines(path)[0])
    (other,) = [one for one in face.pids() if one != pid]
    lane = memory_files(pid) - memory_files(other)  # without the inputs, which are for all
    assert len(lane) == 1
    os.kill(pid, number)
    error = call.error()
    if error is None:
        assert call.value() == bytes(300_000_000)
    else:
        check_death(error, signal=number, phase=("RUN", "ENCODE", "PUBLISH"))
    poll(lambda: not is_alive(pid))
    face.innocents(20)
    if error is not None:
        # Its lane, and with it what was written of the result, is nobody's any more.
        poll(lambda: not memory_files(os.getpid()) & lane)


def large(path: str) -> bytes:
    append_line(path, os.getpid())
    return bytes(300_000_000)


@pytest.mark.parametrize("size", [10, 10_000_000])
@pytest.mark.parametrize("number", DEADLY)
def test_W07_killed_after_publishing(lab: Any, size: int, number: signal.Signals) -> None:
    """The result stands, also a large one that lies in the dead worker's memory."""
    face = lab(workers=1)
    pid = face.call(own_pid)
    call = face.submit(answer_and_die, size, number)
    poll(lambda: not is_alive(pid))
    assert call.value() == bytes(size)


def answer_and_die(size: int, number: int) -> bytes:
    die_soon(300, number)
    return bytes(size)


@pytest.mark.parametrize("number", DEADLY)
def test_W08_dies_in_del(lab: Any, number: signal.Signals) -> None:
    """Earlier results stand; the task whose object it was may be lost."""
    face = lab(workers=1)
    face.innocents(20)
    call = face.submit(drop, number)
    check_death(call.error(), signal=number, phase=("RUN", "ENCODE"))
    face.innocents(20)


class DiesWhenDropped:
    def __init__(self, number: int) -> None:
        self.number = number

    def __del__(self) -> None:
        os.kill(os.getpid(), self.number)


def drop(number: int) -> str:
    DiesWhenDropped(number)
    return "dropped"


@pytest.mark.parametrize(("number", "method"), [*((n, "fork") for n in DEADLY), *((DEADLY[0], m) for m in FRESH)])
def test_W08_dies_in_atexit(lab: Any, number: signal.Signals, method: str) -> None:
    """All results stand, and the pool ends."""
    face = lab(method=method)
    for call in [face.submit(die_at_exit, number) for _ in range(4)]:
        face.expect(call, "registered")
    face.innocents(20)


def die_at_exit(number: int) -> str:
    atexit.register(os.kill, os.getpid(), number)
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


@pytest.mark.parametrize("method", FRESH)
@pytest.mark.parametrize("phase", PHASES)
def test_W09_exits_with_fresh_workers(lab: Any, phase: str, method: str) -> None:
    """The same with the other start methods."""
    face = lab(method=method)
    face.innocents(20)
    face.expect_death(act_in(phase, face, leave, 3), exitcode=3, phase=phase)
    face.innocents(20)
