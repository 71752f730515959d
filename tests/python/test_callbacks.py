"""add_done_callback: when, in which order, and what a bad one does."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future
from typing import Any

import pytest
from helpers import Gate, divide_by, double, identity, poll, wait_at


def test_called_with_the_done_future(executor: Any) -> None:
    seen: list[Any] = []
    done = threading.Event()

    def callback(future: Future[int]) -> None:
        seen.append((future, future.done(), future.result()))
        done.set()

    future = executor.submit(double, 4)
    future.add_done_callback(callback)
    assert done.wait(60)
    assert seen == [(future, True, 8)]


def test_the_argument_may_be_named(executor: Any) -> None:
    done = threading.Event()
    executor.submit(double, 4).add_done_callback(fn=lambda future: done.set())
    assert done.wait(60)


def test_wrong_arguments(executor: Any) -> None:
    future = executor.submit(double, 4)
    with pytest.raises(TypeError):
        future.add_done_callback()
    with pytest.raises(TypeError):
        future.add_done_callback(print, print)
    with pytest.raises(TypeError):
        future.add_done_callback(callback=print)


def test_called_though_nobody_waits(executor: Any, gate: Gate) -> None:
    seen: list[Any] = []
    futures = [executor.submit(wait_at, gate, number) for number in range(5)]
    for future in futures:
        future.add_done_callback(lambda future: seen.append(future.result()))
    assert seen == []
    gate.open()
    poll(lambda: len(seen) == 5)
    assert sorted(seen) == [0, 1, 2, 3, 4]


def test_order_of_registration(executor: Any, gate: Gate) -> None:
    seen: list[int] = []
    future = executor.submit(wait_at, gate)
    for number in range(10):
        future.add_done_callback(lambda _, number=number: seen.append(number))
    gate.open()
    future.result()
    poll(lambda: len(seen) == 10)
    assert seen == list(range(10))


def test_on_a_done_future_it_is_called_at_once_here(executor: Any) -> None:
    future = executor.submit(double, 1)
    future.result()
    seen: list[int] = []
    future.add_done_callback(lambda _: seen.append(threading.get_ident()))
    assert seen == [threading.get_ident()]


def test_for_failed_and_for_cancelled_futures(executor: Any, gate: Gate) -> None:
    seen: list[Any] = []
    failing = executor.submit(divide_by, 0)
    failing.add_done_callback(lambda future: seen.append(type(future.exception())))
    poll(lambda: seen)
    assert seen == [ZeroDivisionError]
    futures = [executor.submit(wait_at, gate) for _ in range(20)]
    futures[-1].add_done_callback(lambda future: seen.append(future.cancelled()))
    assert futures[-1].cancel()
    assert seen[1:] == [True]


def test_one_that_raises_is_logged_and_the_next_is_called(executor: Any, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[int] = []
    future = executor.submit(double, 1)
    future.result()
    with caplog.at_level(logging.ERROR, "concurrent.futures"):
        future.add_done_callback(lambda _: 1 / 0)
        future.add_done_callback(lambda _: seen.append(1))
    assert seen == [1]
    assert "exception calling callback" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_one_that_raises_before_the_end(executor: Any, gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[int] = []
    future = executor.submit(wait_at, gate)
    future.add_done_callback(lambda _: 1 / 0)
    future.add_done_callback(lambda _: seen.append(1))
    with caplog.at_level(logging.ERROR, "concurrent.futures"):
        gate.open()
        poll(lambda: seen)
    assert "ZeroDivisionError" in caplog.text
    assert executor.submit(double, 2).result() == 4


def test_one_that_submits(executor: Any) -> None:
    seen: list[int] = []

    def again(future: Future[int]) -> None:
        value = future.result()
        seen.append(value)
        if value < 1000:
            executor.submit(double, value).add_done_callback(again)

    executor.submit(double, 1).add_done_callback(again)
    poll(lambda: seen and seen[-1] >= 1000)
    assert seen == [2**power for power in range(1, 11)]


def test_each_is_called_exactly_once_also_when_results_are_awaited(executor: Any) -> None:
    seen: list[int] = []
    futures = [executor.submit(double, number) for number in range(500)]
    for number, future in enumerate(futures):
        future.add_done_callback(lambda _, number=number: seen.append(number))
    for future in futures:
        future.result()
    poll(lambda: len(seen) == 500)
    assert sorted(seen) == list(range(500))


def test_a_callback_may_shut_the_pool_down(executor_class: Any) -> None:
    pool = executor_class(1)
    ended = threading.Event()

    def close(_: Any) -> None:
        pool.shutdown(wait=False)
        ended.set()

    pool.submit(double, 1).add_done_callback(close)
    assert ended.wait(60)
    with pytest.raises(RuntimeError):
        pool.submit(double, 1)
    pool.shutdown()


def test_callbacks_have_been_called_when_result_returns(executor: Any) -> None:
    called: list[int] = []
    futures = []
    for number in range(300):
        future = executor.submit(identity, number)
        future.add_done_callback(lambda _, number=number: called.append(number))
        futures.append(future)
    # The original has nothing in between either, though it promises nothing: a bar that is closed now has counted all.
    assert [future.result() for future in futures] == list(range(300))
    poll(lambda: len(called) == 300)


def test_a_callback_may_wait_for_what_the_caller_holds(executor: Any) -> None:
    held = threading.Lock()
    entered: list[int] = []

    def callback(_: Any) -> None:
        with held:
            entered.append(1)

    with held:
        future = executor.submit(identity, 1)
        future.add_done_callback(callback)
        assert future.result() == 1  # comes back, though the callback cannot
        assert entered == []
    poll(lambda: entered == [1])


def test_a_callback_may_ask_for_other_results(executor: Any) -> None:
    first, second = executor.submit(identity, 1), executor.submit(identity, 2)
    got: list[int] = []
    second.add_done_callback(lambda future: got.append(future.result()))
    first.add_done_callback(lambda future: got.append(future.result() + 10))
    assert [first.result(), second.result()] == [1, 2]
    poll(lambda: sorted(got) == [2, 11])


def test_a_callback_cannot_wait_for_the_end_of_its_pool(executor: Any) -> None:
    raised: list[BaseException] = []

    def callback(_: Any) -> None:
        try:
            executor.shutdown(wait=True)
        except RuntimeError as error:
            raised.append(error)

    executor.submit(identity, 1).add_done_callback(callback)
    poll(lambda: len(raised) == 1)
