"""The parent is killed: its workers go, also the busy ones, and nothing remains of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from helpers import START_METHODS, Gate, poll, script_environment
from leaks import descendants, wait_until_gone

SCRIPT = """
import multiprocessing, os, sys, time
import hardwork
from helpers import Gate, wait_at, spin, own_pid

if __name__ == "__main__":
    folder, method, what = sys.argv[1:]
    pool = hardwork.ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method))
    if what == "idle":
        for _ in range(20):
            pool.submit(own_pid).result()
        tasks = []
    elif what == "busy":
        tasks = [pool.submit(wait_at, Gate(folder)) for _ in range(200)]
    else:
        tasks = [pool.submit(spin, Gate(folder)) for _ in range(2)]
    print("ready", flush=True)
    time.sleep(100)
"""


def start(tmp_path: Path, method: str, what: str) -> subprocess.Popen[str]:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    process = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path), method, what],
        stdout=subprocess.PIPE,
        text=True,
        env=script_environment(),
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def end(process: subprocess.Popen[Any], number: signal.Signals) -> None:
    os.kill(process.pid, number)
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


@pytest.mark.parametrize("method", START_METHODS)
@pytest.mark.parametrize("what", ["idle", "busy"])
def test_killed(tmp_path: Path, method: str, what: str) -> None:
    process = start(tmp_path, method, what)
    if what == "busy":
        Gate(tmp_path).wait_for(2)
    family = descendants(process.pid)
    assert len(family) >= 2
    end(process, signal.SIGKILL)
    assert wait_until_gone(family) == []


def test_killed_while_tasks_compute(tmp_path: Path) -> None:
    process = start(tmp_path, "fork", "spin")
    Gate(tmp_path).wait_for(2)
    family = descendants(process.pid)
    end(process, signal.SIGKILL)
    assert wait_until_gone(family) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGABRT])
def test_ended_by_other_signals(tmp_path: Path, number: signal.Signals) -> None:
    process = start(tmp_path, "fork", "busy")
    Gate(tmp_path).wait_for(2)
    family = descendants(process.pid)
    end(process, number)
    assert wait_until_gone(family) == []


def test_killed_while_workers_are_being_born(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import hardwork, time\n"
        "from helpers import double\n"
        "if __name__ == '__main__':\n"
        "    while True:\n"
        "        pool = hardwork.ProcessPoolExecutor(4)\n"
        "        pool.submit(double, 1)\n"
        "        pool.shutdown(wait=False)\n"
    )
    seen: set[int] = set()
    for _ in range(3):
        process = subprocess.Popen([sys.executable, str(script)], env=script_environment(), start_new_session=True)
        family: set[int] = set()
        poll(lambda process=process, family=family: family.update(descendants(process.pid)) or len(family) > 3)
        family |= descendants(process.pid)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        seen |= family
    assert wait_until_gone(seen) == []
