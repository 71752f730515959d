"""emcee, dynesty and schwimmbad: samplers that take a pool with a `map`."""

from __future__ import annotations

import importlib
from typing import Any

import dynesty
import dynesty.pool
import emcee
import hardwork
import multiprocess.pool
import numpy as np
import pytest
import schwimmbad.multiprocessing
from client_functions import cube_to_plane, log_normal, square


def test_emcee(with_pools: Any) -> None:
    start = np.random.default_rng(0).normal(size=(8, 2))

    def job(pool: Any) -> Any:
        np.random.seed(1)  # what emcee draws from
        sampler = emcee.EnsembleSampler(8, 2, log_normal, pool=pool)
        sampler.random_state = np.random.RandomState(3).get_state()
        sampler.run_mcmc(start, 30)
        return sampler.get_chain().tolist()

    original, ours = with_pools(job)
    assert original == ours


def test_dynesty(with_pools: Any) -> None:
    def job(pool: Any) -> Any:
        sampler = dynesty.NestedSampler(
            log_normal, cube_to_plane, 2, nlive=30, pool=pool, queue_size=2, rstate=np.random.default_rng(5)
        )
        sampler.run_nested(maxiter=60, print_progress=False)
        return sampler.results.logz[-1]

    original, ours = with_pools(job)
    assert original == ours


def test_schwimmbad_style(with_pools: Any) -> None:
    # What such code does with any pool: a map with a size that it works out from the number of processes.
    def job(pool: Any) -> Any:
        tasks = list(range(37))
        chunk = max(1, len(tasks) // (4 * pool._processes))
        return pool.map(square, tasks, chunksize=chunk), pool._processes

    original, ours = with_pools(job)
    assert original == ours


def test_schwimmbads_own_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    # A subclass of a copy of the standard class, in the package multiprocess. Here its base is ours.
    def job() -> Any:
        done: list[Any] = []
        with schwimmbad.multiprocessing.MultiPool(2) as pool:
            return pool.map(square, range(20), callback=done.append), done, pool.size, isinstance(pool, hardwork.Pool)

    original = job()
    with monkeypatch.context() as patch:
        patch.setattr(multiprocess.pool, "Pool", hardwork.Pool)
        importlib.reload(schwimmbad.multiprocessing)
        ours = job()
    importlib.reload(schwimmbad.multiprocessing)
    assert original[:3] == ours[:3]
    assert (original[3], ours[3]) == (False, True)


def test_dynestys_own_pool(with_install: Any) -> None:
    # It keeps the likelihood in its workers, by an initializer, and sends points only.
    def job() -> Any:
        with dynesty.pool.Pool(2, log_normal, cube_to_plane) as pool:
            sampler = dynesty.NestedSampler(
                pool.loglike, pool.prior_transform, 2, nlive=30, pool=pool, rstate=np.random.default_rng(5)
            )
            sampler.run_nested(maxiter=60, print_progress=False)
            return type(pool.pool), sampler.results.logz[-1]

    original, ours = with_install(job)
    assert original[1] == ours[1]
    assert ours[0] is hardwork.Pool is not original[0]
