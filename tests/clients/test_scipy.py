"""SciPy's `workers=`, which takes anything like `map`."""

from __future__ import annotations

from typing import Any

import numpy as np
from client_functions import rosenbrock, valley, wave
from scipy import integrate, optimize


def test_differential_evolution(with_pools: Any) -> None:
    def job(pool: Any) -> Any:
        found = optimize.differential_evolution(
            rosenbrock, [(-2, 2)] * 3, workers=pool.map, updating="deferred", seed=1, maxiter=30, polish=False
        )
        return found.x.tolist(), found.fun, found.nfev

    original, ours = with_pools(job)
    assert original == ours


def test_differential_evolution_with_an_executors_map(with_executors: Any) -> None:
    def job(executor: Any) -> Any:
        found = optimize.differential_evolution(
            rosenbrock, [(-2, 2)] * 2, workers=executor.map, updating="deferred", seed=2, maxiter=5, polish=False
        )
        return found.x.tolist()

    original, ours = with_executors(job)
    assert original == ours


def test_brute(with_pools: Any, start_method: str) -> None:
    def job(pool: Any) -> Any:
        return optimize.brute(valley, ((-4, 4), (-4, 4)), Ns=15, workers=pool.map, finish=None).tolist()

    original, ours = with_pools(job, start_method)
    assert original == ours


def test_quad_vec(with_pools: Any) -> None:
    def job(pool: Any) -> Any:
        return integrate.quad_vec(wave, 0, 10, workers=pool.map)

    original, ours = with_pools(job)
    assert np.allclose(original, ours, rtol=0, atol=0)
