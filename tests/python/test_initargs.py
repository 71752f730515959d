"""Things that may be given to a process only while it is born, in initargs, under each start method."""

from __future__ import annotations

import os
from multiprocessing import shared_memory
from typing import Any

from helpers import poll

given: tuple[Any, ...] = ()


def take(*args: Any) -> None:
    global given
    given = args


def make(executor_class: Any, context: Any, *args: Any, workers: int = 2) -> Any:
    return executor_class(workers, mp_context=context, initializer=take, initargs=args)


def add_many(count: int) -> None:
    lock, value = given
    for _ in range(count):
        with lock:
            value.value += 1


def test_lock_and_value(executor_class: Any, context: Any) -> None:
    value = context.Value("q", 0, lock=False)
    with make(executor_class, context, context.Lock(), value) as pool:
        list(pool.map(add_many, [200] * 10))
    assert value.value == 2000


def wait_for_event(_: int) -> bool:
    arrived, go = given
    arrived.set()
    return bool(go.wait(100))


def test_events_in_both_directions(executor_class: Any, context: Any) -> None:
    arrived, go = context.Event(), context.Event()
    with make(executor_class, context, arrived, go) as pool:
        future = pool.submit(wait_for_event, 0)
        assert arrived.wait(100)
        assert not future.done()
        go.set()
        assert future.result() is True


def answer(_: int) -> None:
    questions, answers = given
    answers.put((os.getpid(), questions.get() * 2))


def test_queues(executor_class: Any, context: Any) -> None:
    questions, answers = context.Queue(), context.Queue()
    with make(executor_class, context, questions, answers) as pool:
        futures = [pool.submit(answer, number) for number in range(10)]
        for number in range(10):
            questions.put(number)
        replies = [answers.get(timeout=100) for _ in range(10)]
        assert all(future.exception() is None for future in futures)
    assert sorted(value for _, value in replies) == [2 * number for number in range(10)]
    assert os.getpid() not in {pid for pid, _ in replies}
    for queue in (questions, answers):
        queue.close()
        queue.join_thread()


def echo(_: int) -> None:
    (connection,) = given
    connection.send(connection.recv().upper())


def test_a_connection(executor_class: Any, context: Any) -> None:
    ours, theirs = context.Pipe()
    with make(executor_class, context, theirs, workers=1) as pool:
        future = pool.submit(echo, 0)
        ours.send("text")
        assert ours.poll(100)
        assert ours.recv() == "TEXT"
        future.result()
    ours.close()
    theirs.close()


def meet(_: int) -> int:
    (barrier,) = given
    barrier.wait(100)
    return os.getpid()


def test_a_barrier_of_as_many_tasks_as_workers(executor_class: Any, context: Any) -> None:
    with make(executor_class, context, context.Barrier(3), workers=3) as pool:
        futures = [pool.submit(meet, number) for number in range(3)]
        assert len({future.result() for future in futures}) == 3


def write_at(index: int) -> None:
    (block,) = given
    block.buf[index] = index


def test_shared_memory(executor_class: Any, context: Any) -> None:
    block = shared_memory.SharedMemory(create=True, size=16)
    try:
        with make(executor_class, context, block) as pool:
            list(pool.map(write_at, range(16)))
        assert bytes(block.buf[:16]) == bytes(range(16))
    finally:
        block.close()
        block.unlink()


def count_up(_: int) -> None:
    (array,) = given
    with array.get_lock():
        array[0] += 1


def test_a_synchronised_array(executor_class: Any, context: Any) -> None:
    array = context.Array("i", [0])
    with make(executor_class, context, array) as pool:
        list(pool.map(count_up, range(100)))
        poll(lambda: array[0] == 100)
