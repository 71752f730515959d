"""Both faces where a program may put them: in a daemonic process, in a thread, in one of our own workers."""

from __future__ import annotations

import asyncio
import multiprocessing
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import hardwork
import pytest
from helpers import START_METHODS, append_line, double, read_lines

FACES = ["executor", "pool"]


def by_executor(context: Any, function: Callable[..., Any], *args: Any) -> Any:
    with hardwork.ProcessPoolExecutor(1, context) as executor:
        return executor.submit(function, *args).result()


def by_pool(context: Any, function: Callable[..., Any], *args: Any) -> Any:
    with hardwork.Pool(1, context=context) as pool:
        return pool.apply(function, args)


def use(face: str, method: str, function: Callable[..., Any], *args: Any) -> Any:
    context = multiprocessing.get_context(method)
    return (by_executor if face == "executor" else by_pool)(context, function, *args)


@pytest.mark.parametrize("inner", FACES)
@pytest.mark.parametrize("outer", FACES)
@pytest.mark.parametrize("method", START_METHODS)
def test_in_a_worker_of_ours(outer: str, inner: str, method: str) -> None:
    # multiprocessing forbids a worker of its Pool, which is daemonic, to have children.
    assert use(outer, method, use, inner, method, double, 21) == 42


def test_three_deep() -> None:
    assert use("pool", "fork", use, "executor", "fork", use, "pool", "fork", double, 4) == 8


def use_and_log(path: str, face: str, method: str) -> None:
    append_line(path, use(face, method, double, 21))


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("inner", START_METHODS)
@pytest.mark.parametrize("outer", ["fork", "spawn"])
def test_in_a_daemonic_process(outer: str, inner: str, face: str, tmp_path: Any) -> None:
    path = str(tmp_path / "log")
    context: Any = multiprocessing.get_context(outer)
    process = context.Process(target=use_and_log, args=(path, face, inner), daemon=True)
    process.start()
    process.join()
    assert process.exitcode == 0
    assert read_lines(path) == ["42"]
    process.close()


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("method", START_METHODS)
def test_in_a_thread(face: str, method: str) -> None:
    results: list[int] = []
    thread = threading.Thread(target=lambda: results.append(use(face, method, double, 21)))
    thread.start()
    thread.join()
    assert results == [42]


@pytest.mark.parametrize("face", FACES)
def test_in_many_threads_at_once(face: str) -> None:
    results: list[int] = []

    def work(number: int) -> None:
        results.append(use(face, "fork", double, number))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == list(range(0, 16, 2))


@pytest.fixture
def submit() -> Iterator[Callable[[int], Future[int]]]:
    """A Pool in an asyncio program: its callbacks, which run in a thread, set futures."""
    with hardwork.Pool(2) as pool:

        def call(number: int) -> Future[int]:
            future: Future[int] = Future()
            pool.apply_async(double, (number,), callback=future.set_result, error_callback=future.set_exception)
            return future

        yield call


def test_a_pool_beside_an_event_loop(submit: Callable[[int], Future[int]]) -> None:
    async def main() -> list[int]:
        return list(await asyncio.gather(*(asyncio.wrap_future(submit(number)) for number in range(100))))

    assert asyncio.run(main()) == list(range(0, 200, 2))
