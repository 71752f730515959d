"""cancel(), running() and done(): of what waits, runs and has ended."""

from __future__ import annotations

import concurrent.futures
from typing import Any

import pytest
from helpers import Gate, double, log, poll, read_lines, wait_at


def test_a_waiting_task_can_be_cancelled_and_never_runs(executor: Any, gate: Gate, tmp_path: Any) -> None:
    path = str(tmp_path / "log")
    blockers = [executor.submit(wait_at, gate) for _ in range(2)]
    gate.wait_for(2)
    # More than the standard library sends ahead, which cannot be cancelled any more.
    waiting = [executor.submit(log, path, number) for number in range(20)]
    cancelled = [number for number, future in enumerate(waiting) if future.cancel()]
    assert len(cancelled) >= 17
    gate.open()
    concurrent.futures.wait([*blockers, *waiting])
    assert {int(line) for line in read_lines(path)} == set(range(20)) - set(cancelled)


def test_state_of_a_cancelled_future(executor: Any, gate: Gate) -> None:
    futures = [executor.submit(wait_at, gate) for _ in range(20)]
    last = futures[-1]
    assert last.cancel()
    assert last.cancel()
    assert (last.cancelled(), last.done(), last.running()) == (True, True, False)
    with pytest.raises(concurrent.futures.CancelledError):
        last.result()
    with pytest.raises(concurrent.futures.CancelledError):
        last.exception()


def test_a_running_task_cannot_be_cancelled(executor: Any, gate: Gate) -> None:
    future = executor.submit(wait_at, gate, "value")
    gate.wait_for(1)
    poll(future.running)
    assert not future.cancel()
    assert (future.cancelled(), future.done()) == (False, False)
    gate.open()
    assert future.result() == "value"


def test_an_ended_task_cannot_be_cancelled(executor: Any) -> None:
    future = executor.submit(double, 1)
    assert future.result() == 2
    assert not future.cancel()
    assert (future.cancelled(), future.running(), future.done()) == (False, False, True)


def test_done_becomes_true_though_nobody_asks_for_the_result(executor: Any) -> None:
    future = executor.submit(double, 1)
    poll(future.done)
    assert future.result(timeout=0) == 2


def test_waiting_tasks_are_neither_running_nor_done(executor: Any, gate: Gate) -> None:
    futures = [executor.submit(wait_at, gate) for _ in range(20)]
    gate.wait_for(2)
    assert not futures[-1].running()
    assert not futures[-1].done()


def test_those_not_cancelled_are_not_disturbed(executor: Any, gate: Gate) -> None:
    blockers = [executor.submit(wait_at, gate) for _ in range(2)]
    futures = [executor.submit(double, number) for number in range(2000)]
    cancelled = {number for number in range(0, 2000, 3) if futures[number].cancel()}
    assert cancelled
    gate.open()
    for number, future in enumerate(futures):
        if number in cancelled:
            assert future.cancelled()
        else:
            assert future.result() == 2 * number
    assert all(blocker.result() is None for blocker in blockers)


def test_whether_cancelled_or_run_is_never_both(executor: Any, tmp_path: Any) -> None:
    path = str(tmp_path / "log")
    cancelled = set()
    for number in range(2000):
        if executor.submit(log, path, number).cancel():
            cancelled.add(number)
    executor.shutdown()
    assert sorted(map(int, read_lines(path))) == sorted(set(range(2000)) - cancelled)
