"""The application forks while a pool lives: the child has no pool, and the parent notices nothing."""

from __future__ import annotations

import os
import threading
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from helpers import Gate, double, wait_at


def in_child(function: Callable[[], object]) -> int:
    """Runs it in a forked child, which leaves without any clean-up; returns the child's exit code."""
    pid = os.fork()
    if pid == 0:
        try:
            function()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def expect_runtime_error(call: Callable[[], object]) -> None:
    with pytest.raises(RuntimeError):
        call()


def test_submit_in_the_child_raises(pool: Any) -> None:
    assert pool.submit(double, 1).result() == 2
    assert in_child(lambda: expect_runtime_error(lambda: pool.submit(double, 1))) == 0
    assert in_child(lambda: expect_runtime_error(lambda: pool.map(double, [1]))) == 0
    assert pool.submit(double, 2).result() == 4


def test_shutdown_in_the_child_touches_nothing(pool: Any, gate: Gate) -> None:
    running = pool.submit(wait_at, gate, "value")
    gate.wait_for(1)
    assert in_child(pool.shutdown) == 0
    assert in_child(lambda: pool.shutdown(wait=False, cancel_futures=True)) == 0
    assert not running.done()
    gate.open()
    assert running.result() == "value"
    assert pool.submit(double, 2).result() == 4


def test_done_futures_can_be_read_in_the_child(pool: Any) -> None:
    future = pool.submit(double, 2)
    future.result()

    def check() -> None:
        assert future.result() == 4

    assert in_child(check) == 0


def test_pending_futures_do_not_hang_in_the_child(pool: Any, gate: Gate) -> None:
    future = pool.submit(wait_at, gate, "value")
    gate.wait_for(1)

    def check() -> None:
        with pytest.raises((RuntimeError, TimeoutError)):
            future.result(timeout=5)

    assert in_child(check) == 0
    gate.open()
    assert future.result() == "value"


def test_a_new_pool_in_the_child(pool: Any, hardwork_class: Any) -> None:
    assert pool.submit(double, 1).result() == 2

    def work() -> None:
        with hardwork_class(1) as own:
            assert own.submit(double, 21).result() == 42

    assert in_child(work) == 0
    assert pool.submit(double, 2).result() == 4


def test_under_load_and_in_other_threads(pool: Any) -> None:
    results: list[list[int]] = []

    def work() -> None:
        for _ in range(20):
            futures = [pool.submit(double, number) for number in range(200)]
            results.append([future.result() for future in futures])

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    codes = [in_child(lambda: None) for _ in range(20)]
    for thread in threads:
        thread.join()
    assert codes == [0] * 20
    assert results == [[2 * number for number in range(200)]] * 40


EXIT = """
import os, sys, warnings

warnings.simplefilter("ignore", DeprecationWarning)  # of fork, since 3.12
import hardwork
from helpers import Gate, double, wait_at

if __name__ == "__main__":
    with hardwork.ProcessPoolExecutor(2) as pool, Gate(sys.argv[1]) as gate:
        running = pool.submit(wait_at, gate, "value")
        gate.wait_for(1)
        if os.fork() == 0:
            sys.exit(7)  # with all exit handlers
        assert os.waitstatus_to_exitcode(os.wait()[1]) == 7
        gate.open()  # the child's way out of the block has done so already
        assert running.result() == "value"
        assert pool.submit(double, 4).result() == 8
    print("fine")
"""


def test_the_childs_ordinary_exit_touches_nothing(run_script: Any, tmp_path: Any) -> None:
    ended = run_script(EXIT, str(tmp_path))
    assert ended.stdout == "fine\n", ended.stdout + ended.stderr
    assert ended.stderr == ""
