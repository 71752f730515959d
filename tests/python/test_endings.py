"""Endings without a shutdown: dropped, in a cycle, at interpreter exit, by an interrupt."""

from __future__ import annotations

import gc
import os
import signal
import time
import weakref
from typing import Any

import pytest
from helpers import START_METHODS, double, log, own_pid, poll, read_lines, start_until_ready
from leaks import wait_until_gone


def test_dropped(hardwork_class: Any) -> None:
    pool = hardwork_class(2)
    pid = pool.submit(own_pid).result()
    reference = weakref.ref(pool)
    del pool
    gc.collect()
    assert reference() is None
    assert wait_until_gone([pid]) == []


def test_dropped_in_a_cycle(hardwork_class: Any) -> None:
    pool = hardwork_class(2)
    pid = pool.submit(own_pid).result()
    pool.itself = pool
    del pool
    gc.collect()
    assert wait_until_gone([pid]) == []


def test_dropped_with_work_pending_runs_it(executor_class: Any, tmp_path: Any) -> None:
    # As the standard library: whoever holds the futures gets their results.
    path = str(tmp_path / "log")
    pool = executor_class(2)
    futures = [pool.submit(log, path, number) for number in range(100)]
    del pool
    gc.collect()
    assert [future.result() for future in futures] == list(range(100))
    poll(lambda: len(read_lines(path)) == 100)


PENDING = """
import multiprocessing, sys
from {module} import ProcessPoolExecutor
from helpers import log

if __name__ == "__main__":
    path, method = sys.argv[1:]
    pool = ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method))
    futures = [pool.submit(log, path, number) for number in range(100)]
    print("main ends", flush=True)
    sys.exit(5)
"""


@pytest.mark.parametrize("module", ["concurrent.futures", "hardwork"])
@pytest.mark.parametrize("method", START_METHODS)
def test_interpreter_exit_with_work_pending_runs_it(run_script: Any, tmp_path: Any, module: str, method: str) -> None:
    path = str(tmp_path / "log")
    ended = run_script(PENDING.format(module=module), path, method)
    assert (ended.returncode, ended.stdout) == (5, "main ends\n"), ended.stderr
    assert ended.stderr == ""
    assert sorted(map(int, read_lines(path))) == list(range(100))


ENDS = {
    "with futures never looked at": "[pool.submit(double, number) for number in range(1000)]",
    "with a map half read": "results = pool.map(double, range(100_000)); next(results)",
    "after an exception": "pool.submit(double, 1); 1 / 0",
    "with a callback": "pool.submit(double, 1).add_done_callback(print)",
    "never used": "pass",
    "after a death": "print(pool.submit(die_by_exit).exception())",
    "after shutdown without waiting": "pool.submit(sleep, 0.2); pool.shutdown(wait=False)",
}


@pytest.mark.parametrize("how", ENDS)
def test_interpreter_exit(run_script: Any, how: str) -> None:
    ended = run_script(
        "import hardwork\nfrom helpers import double, die_by_exit, sleep\n"
        f"if __name__ == '__main__':\n    pool = hardwork.ProcessPoolExecutor(2)\n    {ENDS[how]}\n"
    )
    if "exception" in how:
        assert ended.returncode == 1
        assert ended.stderr.count("Traceback") == 1
    else:
        assert ended.returncode == 0
        assert ended.stderr == ""


INTERRUPT = """
import sys
import hardwork
from helpers import Gate, append_line, double, sleep, wait_at

if __name__ == "__main__":
    folder, where = sys.argv[1:]
    gate = Gate(folder)  # which nobody opens
    caught = 0
    try:
        with hardwork.ProcessPoolExecutor(2) as pool:
            pool.submit(double, 1).result()
            task = pool.submit(wait_at, gate)
            gate.wait_for(1)
            append_line(folder + "/ready", "")
            if where == "result":
                task.result()
            elif where == "result with a timeout":
                task.result(timeout=90)
            elif where == "map":
                list(pool.map(wait_at, [gate] * 5))
            elif where == "submit":
                while True:
                    pool.submit(double, 1).result()
            else:
                import concurrent.futures
                concurrent.futures.wait([task])
    except KeyboardInterrupt:
        caught += 1
    print("caught", caught)
"""


@pytest.mark.parametrize("where", ["result", "result with a timeout", "map", "submit", "wait"])
@pytest.mark.parametrize("whom", ["parent", "all"])
def test_an_interrupt_is_raised_once(tmp_path: Any, where: str, whom: str) -> None:
    process = start_until_ready(tmp_path, INTERRUPT, str(tmp_path), where)
    time.sleep(0.2)  # so that it is where it says; if not, the test proves less but does not fail
    # A terminal's Ctrl-C reaches the whole group.
    if whom == "parent":
        os.kill(process.pid, signal.SIGINT)
    else:
        os.killpg(process.pid, signal.SIGINT)
    out, error = process.communicate()
    assert (out, error) == ("caught 1\n", "")
    assert process.returncode == 0


def test_waiting_results_do_not_keep_the_pool_alive(hardwork_class: Any) -> None:
    pool = hardwork_class(1)
    future = pool.submit(double, 4)
    pid = pool.submit(own_pid).result()
    del pool
    gc.collect()
    assert wait_until_gone([pid]) == []
    assert future.result() == 8
