"""Dask's local scheduler and adaptive's runner."""

from __future__ import annotations

import asyncio
from typing import Any

import adaptive
import dask
from client_functions import peak
from dask import array


def test_dask_with_an_executor(with_executors: Any, start_method: str) -> None:
    def job(executor: Any) -> Any:
        with dask.config.set(scheduler="processes", pool=executor):
            numbers = array.arange(10_000, chunks=500)
            return float((numbers**2).sum().compute())

    original, ours = with_executors(job, start_method)
    assert original == ours == float(sum(number**2 for number in range(10_000)))


def test_dask_with_a_pool(with_pools: Any) -> None:
    @dask.delayed
    def add(left: int, right: int) -> int:
        return left + right

    def job(pool: Any) -> Any:
        with dask.config.set(scheduler="processes", pool=pool):
            return add(add(1, 2), add(3, 4)).compute()

    original, ours = with_pools(job)
    assert original == ours == 10


# With one call at a time the next point depends on nothing but the results.
def test_adaptive(with_executors: Any) -> None:
    def job(executor: Any) -> Any:
        learner = adaptive.Learner1D(peak, bounds=(-1, 1))
        adaptive.BlockingRunner(learner, npoints_goal=40, executor=executor, ntasks=1)
        return learner.data

    original, ours = with_executors(job)
    assert original == ours
    assert len(ours) >= 40
    assert all(value == peak(x) for x, value in ours.items())


def test_adaptive_in_an_event_loop(with_executors: Any) -> None:
    async def learn(executor: Any, tasks: int) -> Any:
        learner = adaptive.Learner1D(peak, bounds=(-1, 1))
        await adaptive.Runner(learner, npoints_goal=40, executor=executor, ntasks=tasks).task
        return learner.data

    original, ours = with_executors(lambda executor: asyncio.run(learn(executor, 1)))
    assert original == ours
    for data in with_executors(lambda executor: asyncio.run(learn(executor, 4))):
        assert len(data) >= 40
        assert all(value == peak(x) for x, value in data.items())
