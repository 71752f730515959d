"""Dask's local scheduler and adaptive's runner."""

from __future__ import annotations

from typing import Any

import adaptive
import dask
from client_functions import peak
from dask import array


def test_dask_with_an_executor(with_executors: Any) -> None:
    def job(executor: Any) -> Any:
        with dask.config.set(scheduler="processes", pool=executor):
            numbers = array.arange(10_000, chunks=500)
            return float((numbers**2).sum().compute())

    original, ours = with_executors(job)
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


def test_adaptive(with_executors: Any) -> None:
    def job(executor: Any) -> Any:
        learner = adaptive.Learner1D(peak, bounds=(-1, 1))
        adaptive.BlockingRunner(learner, npoints_goal=40, executor=executor)
        assert all(learner.data[x] == peak(x) for x in learner.data)
        return len(learner.data) >= 40

    original, ours = with_executors(job)
    assert original
    assert ours
