"""K1 to K3, T1: Ctrl-C, signals, the interpreter's exit, the clock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from acts import die
from helpers import double, poll, read_lines, sleep, start_until_ready
from lab import check_death
from leaks import descendants, wait_until_gone

SCRIPT = """
import concurrent.futures, multiprocessing, os, sys, threading, time
sys.path[:0] = {path!r}
import hardwork
from helpers import Gate, append_line, double, wait_at

kind, folder, where, method = sys.argv[1:]
context = multiprocessing.get_context(method)

def make():
    return hardwork.ProcessPoolExecutor(2, context) if kind == "executor" else hardwork.Pool(2, context=context)

def wait_and_say(gate):
    wait_at(gate)
    append_line(folder + "/waited", os.getpid())

def ready():
    append_line(folder + "/ready", os.getpid())

def construct_for_ever():
    while True:
        pool = make()
        pool.shutdown(cancel_futures=True) if kind == "executor" else pool.terminate()

def work(pool):
    # More than there are workers: some of it has not started when the interrupt comes.
    ask = pool.submit if kind == "executor" else lambda fn, *args: pool.apply_async(fn, args)
    read = lambda task: task.result() if kind == "executor" else task.get()
    assert read(ask(double, 1)) == 2
    if where != "submit":
        tasks = [ask(wait_and_say, gate) for _ in range(6)]
        gate.wait_for(2)
    ready()
    if where == "submit":
        while True:
            read(ask(double, 1))
    elif where in ("result", "uncaught"):
        read(tasks[0])
    elif where == "map":
        list(pool.map(wait_and_say, [gate] * 5))
    elif where == "as_completed":
        list(concurrent.futures.as_completed(tasks) if kind == "executor" else pool.imap_unordered(wait_at, [gate] * 5))
    elif where == "shutdown":
        pool.shutdown() if kind == "executor" else (pool.close(), pool.join())

if __name__ == "__main__":
    gate = Gate(folder)
    caught = 0
    if where in ("exit", "uncaught"):
        pool = make()
        work(pool)
    else:
        try:
            if where == "construction":
                ready()
                construct_for_ever()
            with make() as pool:  # without more work, this waits for all that there is
                work(pool)
        except KeyboardInterrupt:
            caught += 1
        if where == "construction":
            with make() as pool:
                assert (pool.submit(double, 1).result() if kind == "executor" else pool.apply(double, (1,))) == 2
        print("caught", caught)
"""

WHERE = ["construction", "submit", "result", "map", "as_completed", "shutdown", "with", "exit", "uncaught"]


def interrupted(folder: Path, kind: str, where: str, method: str) -> tuple[int, str, str]:
    """Sends a program what a terminal's Ctrl-C sends; its exit code and what it has said. Nothing of it is left."""
    process = start_until_ready(folder, SCRIPT.format(path=sys.path), kind, str(folder), where, method)
    time.sleep(0.2)  # so that it is where it says; if not, the test proves less but does not fail
    family = descendants(process.pid)
    os.killpg(process.pid, signal.SIGINT)  # everybody gets it
    sent = 1
    while True:
        try:
            out, error = process.communicate(timeout=10 if where == "construction" else None)
            break
        except subprocess.TimeoutExpired:
            # CPython prints and forgets an interrupt that comes within a destructor or a callback of a weak reference,
            # and a program that does nothing but make and drop pools has many of both.
            os.killpg(process.pid, signal.SIGINT)
            sent += 1
    assert wait_until_gone(family) == []
    if where == "construction":
        assert (
            error.count("Traceback") == error.count("Exception ignored") == error.count("KeyboardInterrupt") == sent - 1
        )
        error = ""
    # Nobody has waited for the work: neither for what ran nor for what had not started. (Workers get the interrupt too.
    # It ends the task that each is at, and they may begin another.)
    assert read_lines(folder / "waited") == []
    assert len(read_lines(folder / "gate-entered")) <= 4
    return process.returncode, out, error


@pytest.mark.parametrize("where", WHERE)
def test_K1_interrupt(lab: Any, tmp_path: Any, where: str) -> None:
    """One KeyboardInterrupt, no noise from workers, nothing is waited for, and nothing left."""
    check_interrupt(lab.kind, where, interrupted(tmp_path, lab.kind, where, "fork"))


@pytest.mark.parametrize("where", ["result", "with", "exit"])
@pytest.mark.parametrize("method", ["forkserver", "spawn"])
def test_K1_interrupt_with_fresh_workers(lab: Any, tmp_path: Any, where: str, method: str) -> None:
    """The same with the other start methods."""
    check_interrupt(lab.kind, where, interrupted(tmp_path, lab.kind, where, method))


def check_interrupt(kind: str, where: str, ended: tuple[int, str, str]) -> None:
    code, out, error = ended
    if where == "uncaught":
        assert (code, out) == (-signal.SIGINT, "")
        assert error.count("Traceback") == error.count("KeyboardInterrupt") == 1
    elif where == "exit" and kind == "executor":
        # As a thread that is waited for there: the interpreter says in a few lines that it was interrupted.
        assert (code, out) == (0, "")
        assert error.startswith("Exception ignored")
        assert error.count("Traceback") == error.count("KeyboardInterrupt") == 1
    elif where in ("exit", "with") and kind == "pool":
        # It ends at once by itself.
        assert out == ("" if where == "exit" else "caught 0\n")
        assert error == ""
    else:
        assert (code, out, error) == (0, "caught 1\n", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGCHLD])
def test_K2_the_applications_handlers_stay(lab: Any, number: signal.Signals) -> None:
    """Theirs stay, and are called."""
    seen: list[int] = []

    def handler(arrived: int, _: Any) -> None:
        seen.append(arrived)

    before = signal.signal(number, handler)
    try:
        face = lab()
        face.innocents(20)
        face.expect_death(face.submit(die, signal.SIGKILL), signal=signal.SIGKILL)
        face.innocents(20)
        face.verify()
        assert signal.getsignal(number) is handler
        count = len(seen)
        os.kill(os.getpid(), number)
        poll(lambda: len(seen) > count)
    finally:
        signal.signal(number, before)


def test_K2_sigchld_is_ignored(lab: Any) -> None:
    """The kernel keeps no exit status of our children then; workers are not ours but the template's."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        face = lab()
        face.innocents(20)
        check_death(face.submit(die, signal.SIGKILL).error())
        face.innocents(20)
        face.verify()
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_K2_somebody_else_reaps_all_children(lab: Any) -> None:
    """A status that was taken away reads "unknown", and nothing else is lost."""
    face = lab(method="spawn")
    for _ in range(3):
        call = face.submit(die, signal.SIGKILL)
        deadline = time.monotonic() + 60
        while not call.done() and time.monotonic() < deadline:
            try:
                os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                time.sleep(0.001)
        error = call.error()
        check_death(error)
        assert error.signal in (None, signal.SIGKILL)
        face.innocents(10)


AT_EXIT = """
import multiprocessing, os, sys, threading
sys.path[:0] = {path!r}
import hardwork
from helpers import double, log

def submitter():
    while True:
        try:
            task = ask(double, 1)
        except (RuntimeError, ValueError):
            return

if __name__ == "__main__":
    context = multiprocessing.get_context({method!r})
    pool = hardwork.ProcessPoolExecutor(2, context) if {kind!r} == "executor" else hardwork.Pool(2, context=context)
    ask = pool.submit if {kind!r} == "executor" else lambda fn, *args: pool.apply_async(fn, args)
    tasks = [ask(log, {log!r}, number) for number in range(200)]
    if {threads}:
        threading.Thread(target=submitter, daemon=True).start()
    sys.exit(5)
"""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("method", "threads"), [("fork", False), ("fork", True), ("forkserver", False), ("spawn", False)]
)
def test_K3_interpreter_exit_with_work_pending(
    lab: Any, run_script: Any, tmp_path: Any, method: str, threads: bool
) -> None:
    """As the standard library: an executor's work is done first, a Pool's is dropped; the exit code is kept."""
    path = str(tmp_path / "ran")
    ran = run_script(AT_EXIT.format(path=sys.path, kind=lab.kind, log=path, threads=threads, method=method))
    assert ran.returncode == 5, ran.stderr
    lines = [int(line) for line in read_lines(path)]
    assert len(lines) == len(set(lines))
    if lab.kind == "executor":
        assert sorted(lines) == list(range(200))


def test_T1_the_wall_clock_jumps(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing fires early or late: what measures time reads the monotonic clock only."""
    face = lab()
    call = face.submit(sleep, 0.4, "slept", timeout=60)
    offset = 3600.0
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + offset)
    assert call.value() == "slept"
    offset = -3600.0
    started = time.monotonic()
    error = face.submit(sleep, 60, timeout=0.3).error()
    assert type(error).__name__ == "TaskTimeout"
    assert time.monotonic() - started >= 0.3
    assert face.call(double, 4) == 8
    root = Path(__file__).parents[3]
    for folder in ("src", "include", "python/src"):
        for source in (root / folder).rglob("*.?pp"):
            text = source.read_text()
            for clock in ("CLOCK_REALTIME", "system_clock", "gettimeofday", "FUTEX_CLOCK_REALTIME"):
                assert clock not in text, f"{source.name} reads the wall clock"
    for source in (root / "python/hardwork").glob("*.py"):
        for clock in ("time.time(", "datetime.now", "time_ns("):
            assert clock not in source.read_text().replace("monotonic_ns(", ""), f"{source.name} reads the wall clock"
