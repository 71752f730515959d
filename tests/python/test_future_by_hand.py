"""What others than the pool do to a future: its inner methods, its lists, classes derived from it."""

from __future__ import annotations

import concurrent.futures
import logging
from concurrent.futures import CancelledError, InvalidStateError
from typing import Any

import hardwork
import pytest
from helpers import Gate, double, poll, wait_at


@pytest.fixture(params=["standard", "hardwork"])
def future_class(request: pytest.FixtureRequest) -> Any:
    return concurrent.futures.Future if request.param == "standard" else hardwork.Future


def last_of_many(executor: Any, gate: Gate) -> Any:
    """One that waits behind others: also the original's manager does not come to it."""
    futures = [executor.submit(wait_at, gate, number) for number in range(20)]
    gate.wait_for(1)
    return futures[-1]


def test_one_made_by_hand(future_class: Any) -> None:
    future = future_class()
    called: list[Any] = []
    future.add_done_callback(called.append)
    assert future._done_callbacks == [called.append]
    assert future._state == "PENDING"
    assert future.set_running_or_notify_cancel() is True
    assert future.running()
    assert not future.cancel()
    future.set_result(5)
    assert future.result() == 5
    assert called == [future]
    with pytest.raises(InvalidStateError):
        future.set_exception(ValueError())


def test_one_made_by_hand_and_cancelled(future_class: Any, caplog: pytest.LogCaptureFixture) -> None:
    future = future_class()
    called: list[Any] = []
    future.add_done_callback(called.append)
    assert future.cancel()
    assert called == [future]
    assert future._state == "CANCELLED"
    assert future.set_running_or_notify_cancel() is False
    assert future._state == "CANCELLED_AND_NOTIFIED"
    with caplog.at_level(logging.CRITICAL, "concurrent.futures"), pytest.raises(RuntimeError):
        future.set_running_or_notify_cancel()
    with pytest.raises(CancelledError):
        future.result()


def test_a_class_derived_from_it(future_class: Any) -> None:
    class Progress(future_class):  # type: ignore[misc]
        def __init__(self, total: int) -> None:
            super().__init__()
            self.total = total

        def set_result(self, result: Any) -> None:
            super().set_result([self.total, result])

    future = Progress(7)
    done: list[Any] = []
    future.add_done_callback(lambda each: done.append(each.result()))
    future.set_result(1)
    assert future.result(timeout=0) == [7, 1]
    assert done == [[7, 1]]
    assert concurrent.futures.wait([future]).done == {future}
    assert "state=finished returned list" in repr(future)
    failed = Progress(0)
    failed.set_exception(KeyError("x"))
    assert isinstance(failed.exception(), KeyError)


def test_a_cancelled_one(executor: Any, gate: Gate) -> None:
    future = last_of_many(executor, gate)
    called: list[Any] = []
    future.add_done_callback(called.append)
    assert future.cancel()
    assert future.cancel()
    assert called == [future]
    assert future._state in ("CANCELLED", "CANCELLED_AND_NOTIFIED")
    gate.open()
    assert concurrent.futures.wait([future]).done == {future}
    assert list(concurrent.futures.as_completed([future])) == [future]
    assert future._state == "CANCELLED_AND_NOTIFIED"
    assert called == [future]
    with pytest.raises(InvalidStateError):
        future.set_result(1)


def test_the_list_of_callbacks(executor: Any, gate: Gate) -> None:
    future = last_of_many(executor, gate)
    called: list[Any] = []

    def first(done: Any) -> None:
        called.append((1, done.result()))

    def second(done: Any) -> None:
        called.append((2, done.result()))

    future.add_done_callback(first)
    future.add_done_callback(second)
    assert future._done_callbacks == [first, second]
    future._done_callbacks.remove(first)
    gate.open()
    assert future.result() == 19
    poll(lambda: called == [(2, 19)])


# --- ours alone: the original's manager thread does not survive it ---


@pytest.mark.parametrize("looked_at", [False, True])
def test_an_outcome_set_by_hand_stands(pool: Any, gate: Gate, looked_at: bool) -> None:
    futures = [pool.submit(wait_at, gate, number) for number in range(20)]
    called: list[Any] = []
    for future in futures:
        if looked_at:
            assert future._waiters == []
        future.add_done_callback(called.append)
    by_hand, failed = futures[10], futures[-1]
    by_hand.set_result("mine")
    failed.set_exception(KeyError("mine"))
    assert called == [by_hand, failed]
    assert by_hand.done()
    assert by_hand.result() == "mine"
    assert concurrent.futures.wait(futures, timeout=0).done == {by_hand, failed}
    with pytest.raises(InvalidStateError):
        by_hand.set_result("another's")
    gate.open()
    assert concurrent.futures.wait(futures).not_done == set()
    assert by_hand.result() == "mine"
    with pytest.raises(KeyError, match="mine"):
        failed.result()
    assert futures[11].result() == 11
    poll(lambda: len(called) >= 20)
    assert pool.submit(double, 2).result() == 4
    assert sorted(map(id, called)) == sorted(map(id, futures))  # each once


def test_a_cancelled_one_is_not_to_be_run(pool: Any, gate: Gate) -> None:
    future = last_of_many(pool, gate)
    assert future.cancel()
    # The original says this until its manager comes to it, and is then done for `wait` too: ours is at once.
    assert future.set_running_or_notify_cancel() is False
    assert future.set_running_or_notify_cancel() is False
    assert concurrent.futures.wait([future], timeout=0).done == {future}


def test_one_set_running_by_hand_still_ends(pool: Any, gate: Gate) -> None:
    future = last_of_many(pool, gate)
    assert future.set_running_or_notify_cancel() is True
    assert future.running()
    assert not future.cancel()
    gate.open()
    assert future.result() == 19
