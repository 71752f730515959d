"""Who runs when: tasks that wait on each other meet, and none waits while a worker is idle."""

from __future__ import annotations

import multiprocessing
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from helpers import Gate, append_line, double, own_pid, poll, read_lines, sleep, wait_at


def meet(folder: str, number: int, count: int) -> int:
    """Returns when so many have come: a barrier of files."""
    path = f"{folder}/meeting"
    append_line(path, number)
    poll(lambda: len(read_lines(path)) >= count)
    return number


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_as_many_tasks_as_workers_meet(executor_class: Any, tmp_path: Any, workers: int) -> None:
    with executor_class(workers) as pool:
        futures = [pool.submit(meet, str(tmp_path), number, workers) for number in range(workers)]
        assert [future.result() for future in futures] == list(range(workers))


def test_as_many_items_as_workers_meet(executor_class: Any, tmp_path: Any) -> None:
    with executor_class(4) as pool:
        assert list(pool.map(meet, [str(tmp_path)] * 4, range(4), [4] * 4)) == [0, 1, 2, 3]


def test_they_meet_also_after_the_pool_has_learned_that_tasks_are_short(executor_class: Any, tmp_path: Any) -> None:
    with executor_class(3) as pool:
        assert list(pool.map(double, range(5000))) == [2 * number for number in range(5000)]
        futures = [pool.submit(double, number) for number in range(2000)]
        assert futures[-1].result() == 3998
        futures = [pool.submit(meet, str(tmp_path), number, 3) for number in range(3)]
        assert [future.result() for future in futures] == [0, 1, 2]


def test_a_map_of_short_items_with_a_meeting_in_it(executor_class: Any, tmp_path: Any) -> None:
    with executor_class(2) as pool:
        results = pool.map(meet_if_late, [str(tmp_path)] * 1000, range(1000))
        assert list(results) == list(range(1000))


def meet_if_late(folder: str, number: int) -> int:
    return meet(folder, number, 2) if number in (500, 501) else number


def test_a_short_task_does_not_wait_behind_a_long_one(executor: Any, gate: Gate) -> None:
    slow = executor.submit(wait_at, gate, "slow")
    gate.wait_for(1)
    assert [executor.submit(double, number).result() for number in range(200)] == [2 * n for n in range(200)]
    assert [future.result() for future in [executor.submit(double, n) for n in range(200)]] == [
        2 * n for n in range(200)
    ]
    assert not slow.done()


def test_a_map_does_not_wait_behind_a_long_task(executor: Any, gate: Gate) -> None:
    slow = executor.submit(wait_at, gate, "slow")
    gate.wait_for(1)
    assert list(executor.map(double, range(1000))) == [2 * number for number in range(1000)]
    assert not slow.done()


def test_tasks_sent_along_with_a_long_one_are_given_to_the_idle_worker(executor: Any, gate: Gate) -> None:
    # All submitted before anything has run: nobody can know yet which of them is long.
    futures = [executor.submit(double, number) for number in range(100)]
    slow = executor.submit(wait_at, gate, "slow")
    more = [executor.submit(double, number) for number in range(100)]
    for number in range(100):
        assert futures[number].result() == more[number].result() == 2 * number
    assert not slow.done()


def test_only_the_items_behind_a_long_one_wait_for_it(executor: Any, gate: Gate, tmp_path: Any) -> None:
    # Nobody can iterate beyond the first item, but the others must have run.
    path = str(tmp_path / "log")
    results = executor.map(wait_or_log, [gate] * 300, [path] * 300, range(300))
    poll(lambda: len(read_lines(path)) == 299)
    gate.open()
    assert list(results) == list(range(300))


def wait_or_log(gate: Gate, path: str, number: int) -> int:
    if number == 0:
        wait_at(gate)
    else:
        append_line(path, number)
    return number


def test_all_workers_are_used(executor_class: Any) -> None:
    with executor_class(4) as pool:
        pids = {future.result() for future in [pool.submit(sleep_then_pid, 0.05) for _ in range(16)]}
    assert len(pids) == 4


def sleep_then_pid(seconds: float) -> int:
    sleep(seconds)
    return own_pid()


def test_no_more_workers_than_asked_for(executor_class: Any) -> None:
    with executor_class(2) as pool:
        assert len(set(pool.map(own_pid, range(2000)))) <= 2


def test_submitting_from_many_threads(executor: Any) -> None:
    def work(number: int) -> list[int]:
        futures = [executor.submit(double, number * 1000 + offset) for offset in range(50)]
        return [future.result() for future in futures]

    with ThreadPoolExecutor(16) as threads:
        for number, values in enumerate(threads.map(work, range(16))):
            assert values == [2 * (number * 1000 + offset) for offset in range(50)]


def test_results_asked_for_by_many_threads(executor: Any) -> None:
    futures = [executor.submit(double, number) for number in range(500)]
    seen: list[list[int]] = [[] for _ in range(8)]
    threads = [
        threading.Thread(target=lambda own=own: own.extend(future.result() for future in futures)) for own in seen
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [[2 * number for number in range(500)]] * 8


def test_a_queue_between_tasks(executor_class: Any) -> None:
    # A consumer submitted before its producer: they must run at the same time.
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    with executor_class(2, mp_context=context, initializer=set_queue, initargs=(queue,)) as pool:
        consumer = pool.submit(take_from_queue)
        producer = pool.submit(put_in_queue, 17)
        assert consumer.result() == 17
        assert producer.result() is None
    queue.close()


the_queue: Any = None


def set_queue(queue: Any) -> None:
    global the_queue
    the_queue = queue


def take_from_queue() -> Any:
    return the_queue.get()


def put_in_queue(value: Any) -> None:
    the_queue.put(value)
