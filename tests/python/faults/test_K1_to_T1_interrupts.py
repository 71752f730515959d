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
import concurrent.futures, os, sys, threading, time
sys.path[:0] = {path!r}
import hardwork
from helpers import Gate, append_line, double, wait_at

kind, folder, where = sys.argv[1:]

def slow_start():
    time.sleep(5)

def make(**more):
    return hardwork.ProcessPoolExecutor(2, **more) if kind == "executor" else hardwork.Pool(2, **more)

def ready():
    append_line(folder + "/ready", os.getpid())

if __name__ == "__main__":
    gate = Gate(folder)
    caught = 0
    if where == "construction":
        ready()
        try:
            while True:
                pool = make()
                pool.shutdown(cancel_futures=True) if kind == "executor" else pool.terminate()
        except KeyboardInterrupt:
            caught += 1
        pool = make()
    else:
        pool = make()
        ask = pool.submit if kind == "executor" else lambda fn, *args: pool.apply_async(fn, args)
        read = lambda task: task.result() if kind == "executor" else task.get()
        assert read(ask(double, 1)) == 2
        if where != "submit":
            task = ask(wait_at, gate)
            gate.wait_for(1)
        ready()
        try:
            if where == "submit":
                while True:
                    read(ask(double, 1))
            elif where == "result":
                read(task)
            elif where == "map":
                list(pool.map(wait_at, [gate] * 5))
            elif where == "as_completed":
                if kind == "executor":
                    list(concurrent.futures.as_completed([task]))
                else:
                    list(pool.imap_unordered(wait_at, [gate] * 5))
            elif where == "shutdown":
                pool.shutdown() if kind == "executor" else (pool.close(), pool.join())
        except KeyboardInterrupt:
            caught += 1
    gate.open()
    pool.shutdown() if kind == "executor" else pool.terminate()
    print("caught", caught)
"""


@pytest.mark.parametrize("where", ["construction", "submit", "result", "map", "as_completed", "shutdown"])
def test_K1_interrupt(lab: Any, tmp_path: Any, where: str) -> None:
    """One KeyboardInterrupt, no noise from workers, and nothing left."""
    process = start_until_ready(tmp_path, SCRIPT.format(path=sys.path), lab.kind, str(tmp_path), where)
    time.sleep(0.2)  # so that it is where it says; if not, the test proves less but does not fail
    family = descendants(process.pid)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: everybody gets it
    while True:
        try:
            out, error = process.communicate(timeout=10 if where == "construction" else None)
            break
        except subprocess.TimeoutExpired:
            # CPython prints and forgets an interrupt that comes within a destructor or a callback of a weak reference,
            # and a program that does nothing but make and drop pools has many of both.
            os.killpg(process.pid, signal.SIGINT)
    assert (out, process.returncode) == ("caught 1\n", 0)
    assert "hardwork" not in error
    assert where == "construction" or error == ""
    assert wait_until_gone(family) == []


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
fork = multiprocessing.get_context("fork")
pool = hardwork.ProcessPoolExecutor(2, fork) if {kind!r} == "executor" else hardwork.Pool(2, context=fork)
ask = pool.submit if {kind!r} == "executor" else lambda fn, *args: pool.apply_async(fn, args)
tasks = [ask(log, {log!r}, number) for number in range(200)]

def submitter():
    while True:
        try:
            task = ask(double, 1)
        except (RuntimeError, ValueError):
            return

if {threads}:
    threading.Thread(target=submitter, daemon=True).start()
sys.exit(5)
"""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("threads", [False, True])
def test_K3_interpreter_exit_with_work_pending(lab: Any, run_script: Any, tmp_path: Any, threads: bool) -> None:
    """As the standard library: an executor's work is done first, a Pool's is dropped; the exit code is kept."""
    path = str(tmp_path / "ran")
    ran = run_script(AT_EXIT.format(path=sys.path, kind=lab.kind, log=path, threads=threads))
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
    sources = Path(__file__).parents[3] / "src"
    for source in sources.rglob("*.?pp"):
        text = source.read_text()
        for clock in ("CLOCK_REALTIME", "system_clock", "gettimeofday", "FUTEX_CLOCK_REALTIME"):
            assert clock not in text, f"{source.name} reads the wall clock"
