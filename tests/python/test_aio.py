"""`hardwork.aio`: what is cancelled in asyncio is stopped in the worker."""

import asyncio
import gc
import itertools
import os
import subprocess
import sys
import time

import hardwork.aio
import pytest
from hardwork import ProcessPoolExecutor, TaskStopped, TaskTimeout, WorkerDied
from helpers import poll
from leaks import is_alive


def double(n):
    return 2 * n


def add(a, b=0):
    return a + b


def fail(n):
    if n == 5:
        raise ValueError(n)
    return n


def die():
    os._exit(3)


def note_and_spin(path, n):
    """Spins for ever; says in a file that it began, and that it was stopped."""
    _note(path, f"begun {n}")
    try:
        while True:
            pass
    except TaskStopped:
        _note(path, f"stopped {n}")
        raise


def _note(path, text):
    with open(path, "a") as file:
        file.write(text + "\n")


async def noted(path, text):
    while not (path.exists() and text in path.read_text().splitlines()):
        await asyncio.sleep(0.005)


@pytest.fixture
def executor():
    with ProcessPoolExecutor(2) as made:
        yield made


def test_it_is_imported_when_it_is_used():
    code = "import sys, hardwork; assert 'asyncio' not in sys.modules; print(hardwork.aio.run.__module__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "hardwork.aio\n"


def test_a_call(executor):
    async def main():
        assert await hardwork.aio.run(executor, double, 4) == 8
        assert await hardwork.aio.run(executor, add, 1, b=2) == 3
        assert await asyncio.gather(*(hardwork.aio.run(executor, double, n) for n in range(200))) == [
            2 * n for n in range(200)
        ]

    asyncio.run(main())


def test_what_it_raises(executor):
    async def main():
        with pytest.raises(ValueError, match="5"):
            await hardwork.aio.run(executor, fail, 5)
        with pytest.raises(WorkerDied):
            await hardwork.aio.run(executor, die)
        assert await hardwork.aio.run(executor, double, 1) == 2

    asyncio.run(main())


def test_a_cancelled_call_is_stopped_in_its_worker(executor, tmp_path):
    path = tmp_path / "notes"

    async def main():
        task = asyncio.create_task(hardwork.aio.run(executor, note_and_spin, path, 1))
        await noted(path, "begun 1")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await noted(path, "stopped 1")
        assert await hardwork.aio.run(executor, double, 1) == 2

    asyncio.run(main())


def note_and_be_deaf(path):
    """Catches what it is told, and goes on."""
    _note(path, f"pid {os.getpid()}")
    while True:
        try:
            time.sleep(100)
        except TaskStopped:
            _note(path, "told")


def test_a_cancelled_call_that_does_not_heed_loses_its_worker(executor, tmp_path):
    path = tmp_path / "notes"

    async def main():
        task = asyncio.ensure_future(hardwork.aio.run(executor.options(grace=0.1), note_and_be_deaf, path))
        while not path.exists() or not path.read_text().endswith("\n"):
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await noted(path, "told")
        pid = int(path.read_text().split()[1])
        while is_alive(pid):
            await asyncio.sleep(0.005)
        assert await hardwork.aio.run(executor, double, 4) == 8

    asyncio.run(main())
    poll(lambda: executor.stats().workers_died == {"stopped": 1})  # it knows a moment after the kernel


def test_asyncio_timeout(executor, tmp_path):
    path = tmp_path / "notes"

    async def main():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await hardwork.aio.run(executor, note_and_spin, path, 1)
        if path.exists():  # it may not even have begun
            await noted(path, "stopped 1")

    asyncio.run(main())


def test_what_had_not_started_never_runs(tmp_path):
    path = tmp_path / "notes"

    async def main(executor):
        tasks = [asyncio.create_task(hardwork.aio.run(executor, note_and_spin, path, n)) for n in range(10)]
        await noted(path, "begun 0")
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in results)
        await noted(path, "stopped 0")
        assert await hardwork.aio.run(executor, double, 1) == 2

    with ProcessPoolExecutor(1) as executor:
        asyncio.run(main(executor))
    assert path.read_text().splitlines() == ["begun 0", "stopped 0"]


def test_limits(executor):
    view = executor.options(timeout=0.05)

    async def main():
        with pytest.raises(TaskTimeout):
            await hardwork.aio.run(view, time.sleep, 60)
        assert [x async for x in hardwork.aio.map(view, double, range(10))] == list(range(0, 20, 2))

    asyncio.run(main())


def test_a_map(executor):
    async def main():
        assert [x async for x in hardwork.aio.map(executor, double, range(5000))] == list(range(0, 10000, 2))
        assert [x async for x in hardwork.aio.map(executor, add, [1, 2], [3, 4, 5])] == [4, 6]
        assert [x async for x in hardwork.aio.map(executor, double, [])] == []
        first = []
        async for x in hardwork.aio.map(executor, double, itertools.count(), buffersize=10):
            first.append(x)
            if len(first) == 50:
                break
        assert first == list(range(0, 100, 2))

    asyncio.run(main())


def test_an_item_that_raises_ends_the_map(executor):
    async def main():
        results = hardwork.aio.map(executor, fail, range(10))
        assert [await anext(results) for _ in range(5)] == [0, 1, 2, 3, 4]
        with pytest.raises(ValueError, match="5"):
            await anext(results)
        with pytest.raises(StopAsyncIteration):
            await anext(results)

    asyncio.run(main())


def test_input_is_taken_as_results_are(executor):
    taken = itertools.count()

    async def main():
        results = hardwork.aio.map(executor, double, taken, buffersize=4)
        assert next(taken) == 0
        assert [await anext(results) for _ in range(3)] == [2, 4, 6]
        await results.aclose()

    asyncio.run(main())
    assert next(taken) < 12


@pytest.mark.parametrize("how", ["cancel", "close", "drop", "leave"])
def test_a_map_that_is_left_is_stopped(executor, tmp_path, how):
    path = tmp_path / "notes"

    async def iterate():
        results = hardwork.aio.map(executor, note_and_spin, [path] * 50, range(50))
        async for _ in results:
            pass

    async def leave():
        async with hardwork.aio.map(executor, note_and_spin, [path] * 50, range(50)) as results:
            waiting = asyncio.ensure_future(anext(results))
            await noted(path, "begun 0")
        waiting.cancel()

    async def main():
        if how == "cancel":
            task = asyncio.create_task(iterate())
            await noted(path, "begun 0")
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        elif how == "leave":
            await leave()
        else:
            results = hardwork.aio.map(executor, note_and_spin, [path] * 50, range(50))
            results._begin_more()
            await noted(path, "begun 0")
            if how == "close":
                await results.aclose()
            else:
                del results
                gc.collect()
        await noted(path, "stopped 0")
        assert await hardwork.aio.run(executor, double, 1) == 2

    asyncio.run(main())
    executor.shutdown()
    begun = [line for line in path.read_text().splitlines() if line.startswith("begun")]
    assert len(begun) <= 4  # two workers, and what they may have begun before they heard


def test_the_loop_has_its_turn(executor):
    async def main():
        ticks = 0

        async def tick():
            nonlocal ticks
            while True:
                await asyncio.sleep(0)
                ticks += 1

        ticker = asyncio.create_task(tick())
        async for _ in hardwork.aio.map(executor, double, range(20_000)):
            pass
        ticker.cancel()
        assert ticks > 2

    asyncio.run(main())


@pytest.mark.parametrize("call", [hardwork.aio.run, hardwork.aio.map])
def test_other_executors_are_refused(call):
    async def main():
        with pytest.raises(TypeError, match=r"executor must be a hardwork\.ProcessPoolExecutor.* not int"):
            await call(5, double, [1])

    asyncio.run(main())


def test_bad_input(executor):
    with pytest.raises(TypeError, match="fn must be a callable"):
        hardwork.aio.map(executor, 5, [])
    with pytest.raises(ValueError, match="buffersize must be"):
        hardwork.aio.map(executor, double, [], buffersize=0)
