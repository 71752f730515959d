"""Pool.apply and apply_async, and what their results can be asked: the original and ours."""

from __future__ import annotations

import gc
import multiprocessing
import multiprocessing.pool
import os
import pickle
import signal
import threading
import time
import weakref
from typing import Any

import hardwork
import pytest
from helpers import Gate, divide_by, identity, poll, wait_at


def add(left: Any, right: Any = 10, *, more: Any = 0) -> Any:
    return left + right + more


def die(how: int) -> None:
    if how:
        os.kill(os.getpid(), how)
    os._exit(3)


def leave() -> None:
    raise SystemExit(4)


def make_lock() -> Any:
    return threading.Lock()


def test_apply(any_pool: Any) -> None:
    assert any_pool.apply(add, (1,)) == 11
    assert any_pool.apply(add, [1, 2]) == 3
    assert any_pool.apply(add, (1,), {"right": 2, "more": 3}) == 6
    assert any_pool.apply(add, args=(1, 2), kwds={}) == 3
    assert any_pool.apply(add, range(2)) == 1
    with pytest.raises(TypeError):
        any_pool.apply(add)


def test_apply_async(any_pool: Any) -> None:
    results = [any_pool.apply_async(add, (number,), {"more": 1}) for number in range(500)]
    assert [result.get() for result in results] == [number + 11 for number in range(500)]
    assert all(result.ready() and result.successful() for result in results)
    assert isinstance(results[0], multiprocessing.pool.AsyncResult)


def test_exceptions(any_pool: Any) -> None:
    result = any_pool.apply_async(divide_by, (0,))
    with pytest.raises(ZeroDivisionError) as caught:
        result.get()
    assert type(caught.value.__cause__) is multiprocessing.pool.RemoteTraceback
    assert "divide_by" in str(caught.value.__cause__)
    assert not result.successful()
    with pytest.raises(ZeroDivisionError):
        result.get()  # again
    assert any_pool.apply(identity, (1,)) == 1


def test_what_cannot_be_pickled(any_pool: Any) -> None:
    result = any_pool.apply_async(identity, (threading.Lock(),))
    with pytest.raises(TypeError, match="pickle"):
        result.get()
    with pytest.raises(multiprocessing.pool.MaybeEncodingError, match="lock"):
        any_pool.apply(make_lock)
    assert any_pool.apply(identity, (1,)) == 1


def test_waiting(any_pool: Any, gate: Gate) -> None:
    result = any_pool.apply_async(wait_at, (gate, 5))
    assert not result.ready()
    with pytest.raises(ValueError, match="not ready"):
        result.successful()
    for timeout in (0, 0.01, -1):
        with pytest.raises(multiprocessing.TimeoutError):
            result.get(timeout)
        assert result.wait(timeout) is None
    with pytest.raises(multiprocessing.TimeoutError):
        result.get(timeout=0.01)
    gate.open()
    result.wait()
    assert result.ready()
    assert result.get(0) == 5
    assert result.get(None) == 5


def test_callbacks_have_returned_when_get_returns(any_pool: Any) -> None:
    for number in range(50):
        seen: list[Any] = []

        def callback(value: Any, seen: list[Any] = seen) -> None:
            time.sleep(0.0005)
            seen.append(value)

        result = any_pool.apply_async(identity, (number,), callback=callback)
        if number % 3 == 0:
            result.wait()
        elif number % 3 == 1:
            poll(result.ready)
        assert result.get() == number
        assert seen == [number]


def test_error_callbacks(any_pool: Any) -> None:
    good: list[Any] = []
    bad: list[BaseException] = []
    result = any_pool.apply_async(divide_by, (0,), {}, good.append, bad.append)
    with pytest.raises(ZeroDivisionError):
        result.get()
    assert good == []
    assert [type(error) for error in bad] == [ZeroDivisionError]
    refused = any_pool.apply_async(identity, (threading.Lock(),), error_callback=bad.append)
    with pytest.raises(TypeError):
        refused.get()
    assert len(bad) == 2


def test_a_callback_may_hand_in_more(any_pool: Any) -> None:
    results: list[Any] = []
    first = any_pool.apply_async(
        identity, (1,), callback=lambda value: results.append(any_pool.apply_async(identity, (value + 1,)))
    )
    first.get()
    assert results[0].get() == 2


def test_a_callback_that_nobody_waits_for(any_pool: Any) -> None:
    seen: list[int] = []
    for number in range(20):
        any_pool.apply_async(identity, (number,), callback=seen.append)
    poll(lambda: len(seen) == 20)
    assert sorted(seen) == list(range(20))


def test_a_callback_may_terminate_the_pool(pool_class: Any) -> None:
    pool = pool_class(2)
    pool.apply_async(time.sleep, (100,))
    pool.apply_async(identity, (1,), callback=lambda _: pool.terminate())
    poll(lambda: pool._state == "TERMINATE")
    pool.join()


def test_several_threads_get_one_result(any_pool: Any, gate: Gate) -> None:
    result = any_pool.apply_async(wait_at, (gate, 7))
    got: list[int] = []
    threads = [threading.Thread(target=lambda: got.append(result.get())) for _ in range(4)]
    for thread in threads:
        thread.start()
    gate.open()
    for thread in threads:
        thread.join()
    assert got == [7] * 4


def test_results_are_objects_like_others(any_pool: Any) -> None:
    result = any_pool.apply_async(identity, (1,))
    result.note = "mine"
    assert result.note == "mine"
    reference = weakref.ref(result)
    result.get()
    with pytest.raises((TypeError, NotImplementedError)):  # the latter: the original's has not let go of its pool yet
        pickle.dumps(result)
    del result
    poll(lambda: gc.collect() >= 0 and reference() is None)


# --- ours alone ---


@pytest.mark.parametrize("how", [0, signal.SIGKILL, signal.SIGSEGV])
def test_a_dead_worker_costs_its_call(own_pool: Any, how: int) -> None:
    before = [own_pool.apply_async(identity, (number,)) for number in range(20)]
    lost = own_pool.apply_async(die, (how,))
    after = [own_pool.apply_async(identity, (number,)) for number in range(20)]
    with pytest.raises(hardwork.WorkerDied) as caught:
        lost.get()
    assert caught.value.signal == (how or None)
    assert [result.get() for result in before + after] == 2 * list(range(20))
    poll(lambda: len(own_pool._pool) == 2)  # its replacement


def test_an_exit_of_a_task_is_its_result(own_pool: Any) -> None:
    with pytest.raises(SystemExit) as caught:
        own_pool.apply(leave)
    assert caught.value.code == 4
    assert own_pool.apply(identity, (1,)) == 1


def test_functions_without_a_name(own_pool: Any) -> None:
    factor = 3
    assert own_pool.apply(lambda number: factor * number, (4,)) == 12


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_callback_that_raises_is_reported_and_no_more(own_pool: Any) -> None:
    def callback(_: Any) -> None:
        raise ValueError("from the callback")

    assert own_pool.apply_async(identity, (1,), callback=callback).get() == 1
    assert own_pool.apply_async(identity, (2,), callback=lambda value: None).get() == 2


def test_bad_arguments_are_named(own_pool: Any) -> None:
    with pytest.raises(TypeError, match="callback must be a callable or None, not 5"):
        own_pool.apply_async(identity, (1,), callback=5)
    with pytest.raises(TypeError, match="unexpected keyword argument 'calback'"):
        own_pool.apply_async(identity, (1,), calback=print)
    with pytest.raises(TypeError, match="multiple values for argument 'args'"):
        own_pool.apply_async(identity, (1,), args=(2,))
    with pytest.raises(TypeError, match="func"):
        own_pool.apply_async()
    with pytest.raises(TypeError, match="args must be an iterable of arguments, not 5"):
        own_pool.apply_async(identity, 5).get()
    with pytest.raises(TypeError, match="kwds must be a mapping of arguments by name, not 5"):
        own_pool.apply_async(identity, (1,), 5).get()
    with pytest.raises(TypeError, match="an item of starmap must be an iterable of arguments, not 5"):
        own_pool.starmap(identity, [5])


def test_what_is_pending_can_be_looked_at(own_pool: Any, gate: Gate) -> None:
    assert len(own_pool._cache) == 0
    results = [own_pool.apply_async(wait_at, (gate, number)) for number in range(5)]
    assert len(own_pool._cache) == 5
    assert list(own_pool._cache) == [result._job for result in results]
    assert own_pool._cache[results[2]._job] is results[2]
    gate.open()
    for result in results:
        result.get()
    assert not own_pool._cache
    assert list(own_pool._cache) == []


def test_results_in_a_cycle_are_collected(own_pool: Any) -> None:
    result = own_pool.apply_async(identity, (1,), callback=lambda value: None)
    result.get()
    result.self = result
    reference = weakref.ref(result)
    del result
    poll(lambda: gc.collect() >= 0 and reference() is None)
