"""An iterator of results that nobody asks any more: what has not started is cancelled."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest
from helpers import Gate, divide_by, double, log, read_lines, wait_at


def gate_then_log(gate: Gate, path: str, value: int) -> int:
    """Leaves a line when it runs, after a wait at the gate if the value is 0."""
    if value == 0:
        wait_at(gate)
    return int(log(path, value))


@pytest.mark.parametrize("how", ["close", "drop"])
def test_abandoned_after_its_first_item(executor: Any, gate: Gate, tmp_path: Any, how: str) -> None:
    path = str(tmp_path / "log")
    # All but the first wait: whichever items the two workers got, they are held before they can run through the rest.
    results = executor.map(gate_then_log, [gate] * 4000, [path] * 4000, [-1] + [0] * 3999)
    assert next(results) == -1
    gate.wait_for(2)
    if how == "close":
        results.close()
    else:
        del results
        gc.collect()
    gate.open()
    assert executor.submit(double, 1).result() == 2
    executor.shutdown()
    # What was on its way to a worker may have run: not much, and certainly not all.
    assert len(read_lines(path)) < 1000


def test_one_item_that_fails_cancels_the_rest(executor: Any, gate: Gate, tmp_path: Any) -> None:
    path = str(tmp_path / "log")
    results = executor.map(fail_or_gate_then_log, [gate] * 4000, [path] * 4000, range(4000))
    with pytest.raises(ZeroDivisionError):
        next(results)
    gate.open()
    executor.shutdown()
    assert len(read_lines(path)) < 1000


def fail_or_gate_then_log(gate: Gate, path: str, value: int) -> Any:
    if value == 0:
        gate.wait_for(1)
        return divide_by(0)
    wait_at(gate)
    return log(path, value)


def test_a_timeout_cancels_the_rest(executor: Any, gate: Gate, tmp_path: Any) -> None:
    path = str(tmp_path / "log")
    blockers = [executor.submit(wait_at, gate) for _ in range(2)]
    gate.wait_for(2)
    results = executor.map(log, [path] * 2000, range(2000), timeout=0.1)
    with pytest.raises(TimeoutError):
        next(results)
    gate.open()
    assert all(blocker.result() is None for blocker in blockers)
    executor.shutdown()
    assert len(read_lines(path)) < 1000


def test_the_pool_lives_after_many_abandoned_maps(executor: Any) -> None:
    for _ in range(50):
        results = executor.map(double, range(200))
        assert next(results) == 0
        del results
    assert list(executor.map(double, range(100))) == [2 * number for number in range(100)]


def test_an_iterator_may_outlive_the_shutdown(executor_class: Callable[..., Any]) -> None:
    with executor_class(2) as pool:
        results = pool.map(double, range(500))
    assert list(results) == [2 * number for number in range(500)]
