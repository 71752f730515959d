"""emcee, dynesty and schwimmbad: samplers that take a pool with a `map`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from client_functions import cube_to_plane, log_normal, square


def test_emcee(with_pools: Any) -> None:
    emcee = pytest.importorskip("emcee")
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
    dynesty = pytest.importorskip("dynesty")

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


def test_schwimmbad_itself() -> None:
    schwimmbad = pytest.importorskip("schwimmbad")
    import hardwork

    def job() -> Any:
        with schwimmbad.MultiPool(processes=2) as pool:
            return list(pool.map(square, range(20)))

    original = job()
    hardwork.install()
    try:
        assert job() == original
    finally:
        hardwork.uninstall()
