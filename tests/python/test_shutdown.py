"""shutdown: what it waits for, what it cancels, and what comes after it."""

from __future__ import annotations

import threading
from concurrent.futures import CancelledError, ThreadPoolExecutor
from os import getpid
from typing import Any

import pytest
from helpers import Gate, double, log, poll, read_lines, wait_at
from leaks import descendants, wait_until_gone


def test_waits_for_all_that_was_submitted(executor_class: Any, tmp_path: Any) -> None:
    path = str(tmp_path / "log")
    pool = executor_class(2)
    futures = [pool.submit(log, path, number) for number in range(200)]
    pool.shutdown()
    assert all(future.done() for future in futures)
    assert len(read_lines(path)) == 200


def test_the_context_manager_waits(executor_class: Any) -> None:
    with executor_class(2) as pool:
        assert pool.__enter__() is pool
        futures = [pool.submit(double, number) for number in range(200)]
    assert all(future.done() for future in futures)
    assert [future.result() for future in futures] == [2 * number for number in range(200)]


def test_the_context_manager_does_not_swallow_exceptions(executor_class: Any) -> None:
    pool = executor_class(1)
    future = pool.submit(double, 1)
    with pytest.raises(LookupError), pool:
        raise LookupError
    assert future.result() == 2


def test_without_wait_it_returns_and_the_work_goes_on(executor_class: Any, tmp_path: Any) -> None:
    with Gate(tmp_path) as gate:
        pool = executor_class(1)
        futures = [pool.submit(wait_at, gate, number) for number in range(5)]
        pool.shutdown(wait=False)
        assert not futures[-1].done()
        gate.open()
        assert [future.result() for future in futures] == list(range(5))
    pool.shutdown()


def test_cancel_futures(executor_class: Any, tmp_path: Any) -> None:
    with Gate(tmp_path) as gate:
        pool = executor_class(2)
        running = [pool.submit(wait_at, gate, number) for number in range(2)]
        gate.wait_for(2)
        waiting = [pool.submit(double, number) for number in range(100)]
        thread = threading.Thread(target=pool.shutdown, kwargs={"cancel_futures": True})
        thread.start()
        poll(waiting[-1].cancelled)
        assert thread.is_alive()
        gate.open()
        thread.join()
    assert [future.result() for future in running] == [0, 1]
    # The standard library has sent some ahead, which it lets run.
    cancelled = [future for future in waiting if future.cancelled()]
    assert len(cancelled) >= 90
    assert all(future.done() for future in waiting)
    with pytest.raises(CancelledError):
        cancelled[0].result()


def test_submit_and_map_afterwards(executor_class: Any) -> None:
    pool = executor_class(1)
    assert pool.submit(double, 1).result() == 2
    pool.shutdown()
    with pytest.raises(RuntimeError, match="shutdown"):
        pool.submit(double, 1)
    with pytest.raises(RuntimeError, match="shutdown"):
        pool.map(double, [1])
    with pytest.raises(RuntimeError, match="shutdown"):
        pool.submit(double, 1)


def test_twice(executor_class: Any) -> None:
    pool = executor_class(1)
    assert pool.submit(double, 1).result() == 2
    pool.shutdown()
    pool.shutdown()
    pool.shutdown(wait=False, cancel_futures=True)


def test_never_used(executor_class: Any) -> None:
    executor_class(2).shutdown()
    with executor_class(2):
        pass


def test_from_two_threads_at_once(hardwork_class: Any, tmp_path: Any) -> None:
    # The standard library's closes a descriptor twice now and then.
    with Gate(tmp_path) as gate, ThreadPoolExecutor(2) as threads:
        pool = hardwork_class(1)
        future = pool.submit(wait_at, gate, 1)
        endings = [threads.submit(pool.shutdown) for _ in range(2)]
        gate.open()
        assert [ending.result() for ending in endings] == [None, None]
    assert future.done()
    assert future.result() == 1


def test_results_can_be_asked_for_afterwards(executor_class: Any) -> None:
    with executor_class(2) as pool:
        small = [pool.submit(double, number) for number in range(100)]
        large = pool.submit(bytes, 5_000_000)
    assert [future.result() for future in small] == [2 * number for number in range(100)]
    assert large.result() == bytes(5_000_000)


def test_the_workers_are_gone_afterwards(executor_class: Any) -> None:
    with executor_class(2) as pool:
        pids = set(pool.map(pid_after_a_moment, range(20)))
        assert pids <= descendants(getpid())
    assert wait_until_gone(pids) == []


def pid_after_a_moment(_: int) -> int:
    threading.Event().wait(0.01)
    return getpid()


def test_many_pools_one_after_another(executor_class: Any) -> None:
    for number in range(20):
        with executor_class(2) as pool:
            assert pool.submit(double, number).result() == 2 * number


def test_several_pools_side_by_side(executor_class: Any) -> None:
    pools = [executor_class(1) for _ in range(4)]
    futures = [pool.submit(double, number) for number in range(20) for pool in pools]
    assert [future.result() for future in futures] == [2 * number for number in range(20) for _ in pools]
    for pool in pools:
        pool.shutdown()


def test_a_callback_sees_the_last_result(executor_class: Any) -> None:
    seen: list[int] = []
    with executor_class(2) as pool:
        for number in range(50):
            pool.submit(double, number).add_done_callback(lambda future: seen.append(future.result()))
    poll(lambda: len(seen) == 50)
    assert sorted(seen) == [2 * number for number in range(50)]
