"""wait, as_completed and timeouts."""

from __future__ import annotations

import concurrent.futures
from concurrent.futures import ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION, as_completed, wait
from typing import Any

import pytest
from helpers import Gate, divide_by, double, poll, wait_at


def test_result_times_out_and_the_task_goes_on(executor: Any, gate: Gate) -> None:
    future = executor.submit(wait_at, gate, 5)
    with pytest.raises(concurrent.futures.TimeoutError):
        future.result(timeout=0.05)
    with pytest.raises(TimeoutError):
        future.exception(timeout=0.05)
    gate.open()
    assert future.result(timeout=60) == 5


@pytest.mark.parametrize("timeout", [0, 0.0, -1, 1e-9])
def test_result_with_no_time_at_all(executor: Any, gate: Gate, timeout: float) -> None:
    future = executor.submit(wait_at, gate)
    with pytest.raises(TimeoutError):
        future.result(timeout=timeout)


def test_result_of_a_done_future_needs_no_time(executor: Any) -> None:
    future = executor.submit(double, 1)
    future.result()
    assert future.result(timeout=0) == 2
    assert future.exception(timeout=0) is None


def test_wait_all(executor: Any) -> None:
    futures = [executor.submit(double, number) for number in range(100)]
    done, not_done = wait(futures, return_when=ALL_COMPLETED)
    assert done == set(futures)
    assert not_done == set()


def test_wait_first_completed(executor: Any, gate: Gate) -> None:
    slow = executor.submit(wait_at, gate)
    gate.wait_for(1)
    quick = executor.submit(double, 2)
    done, not_done = wait([slow, quick], return_when=FIRST_COMPLETED)
    assert done == {quick}
    assert not_done == {slow}


def test_wait_first_exception(executor: Any, gate: Gate) -> None:
    slow = executor.submit(wait_at, gate)
    gate.wait_for(1)
    good = executor.submit(double, 2)
    bad = executor.submit(divide_by, 0)
    done, not_done = wait([slow, good, bad], return_when=FIRST_EXCEPTION)
    assert bad in done
    assert slow in not_done


def test_wait_times_out(executor: Any, gate: Gate) -> None:
    slow = executor.submit(wait_at, gate)
    gate.wait_for(1)
    quick = executor.submit(double, 2)
    poll(quick.done)
    done, not_done = wait([slow, quick], timeout=0.05)
    assert (done, not_done) == ({quick}, {slow})


def test_as_completed_yields_each_once(executor: Any) -> None:
    futures = [executor.submit(double, number) for number in range(300)]
    yielded = list(as_completed(futures))
    assert len(yielded) == 300
    assert set(yielded) == set(futures)


def test_as_completed_yields_what_is_ready_before_what_is_not(executor: Any, gate: Gate) -> None:
    slow = executor.submit(wait_at, gate)
    gate.wait_for(1)
    quick = [executor.submit(double, number) for number in range(10)]
    completed = as_completed([slow, *quick])
    assert {next(completed) for _ in quick} == set(quick)
    gate.open()
    assert next(completed) is slow


def test_as_completed_times_out(executor: Any, gate: Gate) -> None:
    slow = executor.submit(wait_at, gate)
    quick = executor.submit(double, 1)
    completed = as_completed([slow, quick], timeout=3)
    assert next(completed) is quick
    with pytest.raises(TimeoutError, match=r"1 \(of 2\) futures unfinished"):
        next(completed)


def test_cancelled_futures_count_as_completed(executor: Any, gate: Gate) -> None:
    futures = [executor.submit(wait_at, gate) for _ in range(20)]
    assert futures[-1].cancel()
    gate.open()  # the standard library tells those who wait only when the task's turn comes
    done, _ = wait(futures[-1:])
    assert done == {futures[-1]}
    assert list(as_completed(futures[-1:])) == [futures[-1]]


def test_futures_of_two_pools_together(executor_class: Any) -> None:
    with executor_class(1) as first, executor_class(1) as second:
        futures = [pool.submit(double, number) for number in range(50) for pool in (first, second)]
        assert sum(future.result() for future in as_completed(futures)) == 4 * sum(range(50))


def test_futures_of_threads_and_processes_together(executor: Any) -> None:
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        futures = [pool.submit(double, number) for number in range(20) for pool in (threads, executor)]
        done, not_done = wait(futures)
    assert (len(done), len(not_done)) == (40, 0)
