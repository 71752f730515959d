"""C1 to C6: calls from everywhere, at every moment."""

from __future__ import annotations

import asyncio
import gc
import itertools
import random
import signal
import sys
import threading
from typing import Any

import hardwork
import pytest
from acts import die, log_quickly
from helpers import double, identity, log, own_pid, poll, read_lines
from leaks import is_alive

inherited: Any = None


def submit_to_own_pool() -> Any:
    return inherited.submit(double, 1).result()


def test_C1_a_task_submits_to_its_own_pool(lab: Any) -> None:
    """A clear error: a pool that a worker has inherited is its parent's, and none can be sent to a worker."""
    global inherited
    face = lab()
    if face.kind == "executor":
        inherited = face.pool  # before the first use: the workers are forked with it
        error = face.submit(submit_to_own_pool).error()
        inherited = None
        assert isinstance(error, RuntimeError)
        assert "fork" in str(error)
    else:
        error = face.submit(identity, face.pool).error()
        assert isinstance(error, NotImplementedError)
        assert "pool objects cannot be passed" in str(error)
    face.innocents(20)


def test_C2_callbacks_that_misbehave(lab: Any) -> None:
    """One raises, one submits, one blocks for a while, one ends the pool: nothing dies."""
    face = lab()
    said: list[Any] = []
    gate = threading.Event()

    def raises(_: Any) -> None:
        said.append("raises")
        raise ValueError("a callback")

    def submits(_: Any) -> None:
        said.append("submits")
        call = face.submit(double, 4)
        said.append(call)

    def blocks(_: Any) -> None:
        gate.wait(0.2)
        said.append("blocks")

    for callback in (raises, submits, blocks):
        if face.kind == "executor":
            face.pool.submit(double, 1).add_done_callback(callback)
        else:
            # As the original's, whose thread of results would end at an exception: ours does not raise.
            face.pool.apply_async(double, (1,), callback=callback if callback is not raises else said.append)
    poll(lambda: "blocks" in said and "submits" in said)
    poll(lambda: any(not isinstance(one, (str, int)) for one in said))
    call = next(one for one in said if not isinstance(one, (str, int)))
    assert call.value() == 8
    face.innocents(20)
    face.verify()
    face.broken = True
    ended = threading.Event()

    def ends(_: Any) -> None:
        face.pool.shutdown(wait=False) if face.kind == "executor" else face.pool.close()
        ended.set()

    if face.kind == "executor":
        face.pool.submit(double, 1).add_done_callback(ends)
    else:
        face.pool.apply_async(double, (1,), callback=ends)
    assert ended.wait(60)


def test_C3_cancelled_at_every_moment(lab: Any) -> None:
    """A hundred thousand times, with eight threads that consume: what was cancelled never runs."""
    if lab.kind == "pool":
        pytest.skip("an AsyncResult cannot be cancelled")
    face = lab()
    dice = random.Random(7)
    cancelled: set[int] = set()
    futures: list[Any] = []
    count = 100_000
    fresh = threading.Condition()

    def consume() -> None:
        position = 0
        while position < count:
            with fresh:
                fresh.wait_for(lambda position=position: len(futures) > position)
            future = futures[position]
            position += 1
            if not future.cancelled():
                try:
                    assert future.result() == position - 1
                except BaseException as error:
                    assert type(error).__name__ == "CancelledError"  # noqa: PT017

    consumers = [threading.Thread(target=consume) for _ in range(8)]
    for thread in consumers:
        thread.start()
    for number in range(count):
        with fresh:
            futures.append(face.pool.submit(log_quickly, face.log, number))
            fresh.notify_all()
        if dice.random() < 0.5:
            victim = number - dice.choice([0, 0, 1, 3, 20])
            if victim >= 0 and futures[victim].cancel():
                cancelled.add(victim)
    for thread in consumers:
        thread.join()
    ran = [int(line) for line in read_lines(face.log)]
    assert len(ran) == len(set(ran))
    assert set(ran) == set(range(count)) - cancelled
    assert cancelled


def test_C2_a_callback_that_raises(lab: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """It is reported where the standard library reports it, and the thread that calls callbacks goes on."""
    face = lab()
    unraisable: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda told: unraisable.append(type(told.exc_value)))

    def raises(_: Any) -> None:
        raise LookupError("a callback")

    for _ in range(3):
        if face.kind == "executor":
            face.pool.submit(double, 1).add_done_callback(raises)
        else:
            face.pool.apply_async(double, (1,), callback=raises)
    face.innocents(20)
    face.verify()
    if face.kind == "executor":
        poll(lambda: sum("exception calling callback" in record.message for record in caplog.records) == 3)
    else:
        poll(lambda: unraisable == [LookupError] * 3)
    monkeypatch.undo()


@pytest.mark.parametrize("how", ["wait", "no wait", "twice", "callback", "two threads", "during respawn", "cancel"])
def test_C4_shutdown(lab: Any, how: str, tmp_path: Any) -> None:
    """It ends, as the standard library's; what was not cancelled has run once."""
    face = lab()
    face.broken = True
    path = str(tmp_path / "ran")
    executor = face.kind == "executor"

    def end(wait: bool = True, **more: Any) -> None:
        if executor:
            face.pool.shutdown(wait=wait, **more)
        else:
            face.pool.close()
            if wait:
                face.pool.join()

    calls = [face.submit(log, path, number) for number in range(200)]
    if how == "during respawn":
        lost = [face.submit(die, signal.SIGKILL) for _ in range(4)]
        end()
        assert all(isinstance(call.error(), hardwork.WorkerDied) for call in lost)
    elif how == "callback":
        done = threading.Event()

        def callback(_: Any) -> None:
            end(wait=False)
            done.set()

        if executor:
            face.pool.submit(double, 1).add_done_callback(callback)
        else:
            face.pool.apply_async(double, (1,), callback=callback)
        assert done.wait(60)
    elif how == "two threads":
        threads = [threading.Thread(target=end) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    elif how == "cancel":
        if not executor:
            pytest.skip("a Pool is closed or terminated")
        end(cancel_futures=True)
        ran = {int(line) for line in read_lines(path)}
        assert {number for number, call in enumerate(calls) if not call.handle.cancelled()} == ran
        return
    else:
        end(wait=how != "no wait")
        if how == "twice":
            end()
    assert [call.value() for call in calls] == list(range(200))
    assert sorted(int(line) for line in read_lines(path)) == list(range(200))
    end()


def test_C5_from_64_threads(lab: Any) -> None:
    """No deadlock, and every result to who asked."""
    face = lab()
    wrong: list[Any] = []

    def ask(first: int) -> None:
        for number in range(first, first + 50):
            value = face.call(double, number)
            if value != 2 * number:
                wrong.append((number, value))

    threads = [threading.Thread(target=ask, args=(1000 * i,)) for i in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_C5_from_asyncio(lab: Any) -> None:
    """run_in_executor, for an executor; a Pool's callback into the loop."""
    face = lab()

    async def main() -> list[int]:
        loop = asyncio.get_running_loop()
        if face.kind == "executor":
            return list(await asyncio.gather(*[loop.run_in_executor(face.pool, double, n) for n in range(500)]))
        futures = [loop.create_future() for _ in range(500)]
        for number, future in enumerate(futures):
            face.pool.apply_async(
                double, (number,), callback=lambda value, f=future: loop.call_soon_threadsafe(f.set_result, value)
            )
        return list(await asyncio.gather(*futures))

    assert asyncio.run(main()) == [2 * number for number in range(500)]


def test_C5_from_a_signal_handler_and_from_del(lab: Any) -> None:
    """In the midst of a submit of the same thread. (In the midst of the very first one: a clear error.)"""
    face = lab()
    face.warm()
    calls: list[tuple[int, Any]] = []
    numbers = itertools.count()

    def ask() -> None:
        # A handler may come in the midst of another's: each has a number of its own.
        number = next(numbers)
        calls.append((number, face.submit(double, number)))

    def handler(*_: Any) -> None:
        ask()

    class Asks:
        def __del__(self) -> None:
            ask()

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
    try:
        for number in range(3000):
            assert face.call(double, number) == 2 * number
            if number % 100 == 0:
                Asks()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert len(calls) >= 30
    assert sorted(number for number, _ in calls) == list(range(len(calls)))
    assert [call.value() for _, call in calls] == [2 * number for number, _ in calls]


@pytest.mark.filterwarnings("ignore:unclosed.*:ResourceWarning")
@pytest.mark.parametrize("how", ["dropped", "in a cycle"])
def test_C6_dropped_without_shutdown(lab: Any, how: str) -> None:
    """Its workers are gone."""
    pool = hardwork.ProcessPoolExecutor(2) if lab.kind == "executor" else hardwork.Pool(2)
    pids = [pool.submit(own_pid).result() if lab.kind == "executor" else pool.apply(own_pid)]
    if how == "in a cycle":
        pool.itself = pool  # type: ignore[union-attr]
    del pool
    gc.collect()
    poll(lambda: not any(is_alive(pid) for pid in pids))


EXIT = """
import multiprocessing, sys
sys.path[:0] = {path!r}
import hardwork
from helpers import own_pid
fork = multiprocessing.get_context("fork")
pool = hardwork.ProcessPoolExecutor(2, fork) if {kind!r} == "executor" else hardwork.Pool(2, context=fork)
print(pool.submit(own_pid).result() if {kind!r} == "executor" else pool.apply(own_pid))
"""


def test_C6_at_interpreter_exit(lab: Any, run_script: Any) -> None:
    """The program ends with its own exit code, and the workers with it."""
    import sys

    ran = run_script(EXIT.format(path=sys.path, kind=lab.kind))
    assert ran.returncode == 0
    pid = int(ran.stdout)
    poll(lambda: not is_alive(pid))
