"""joblib with our backend against loky, and scikit-learn through it."""

from __future__ import annotations

from typing import Any

import hardwork
import numpy as np
import pytest
from client_functions import die_at, fail_at, square

joblib = pytest.importorskip("joblib")

import hardwork.joblib  # noqa: E402  # registers the backend

BACKENDS = ["loky", "hardwork"]


def both(job: Any, **options: Any) -> tuple[Any, Any]:
    results = []
    for backend in BACKENDS:
        with joblib.parallel_config(backend=backend, n_jobs=2, **options):
            results.append(job())
    return results[0], results[1]


def test_small_calls() -> None:
    def job() -> Any:
        return joblib.Parallel()(joblib.delayed(square)(number) for number in range(2000))

    original, ours = both(job)
    assert original == ours == [number * number for number in range(2000)]


def test_functions_without_a_name_and_arrays() -> None:
    def job() -> Any:
        return joblib.Parallel()(
            joblib.delayed(lambda array, by: (array * by).sum())(np.ones(10_000), i) for i in range(9)
        )

    original, ours = both(job)
    assert original == ours == [10_000.0 * i for i in range(9)]


@pytest.mark.parametrize("kind", ["generator", "generator_unordered"])
def test_generators(kind: str) -> None:
    def job() -> Any:
        return sorted(joblib.Parallel(return_as=kind)(joblib.delayed(square)(number) for number in range(50)))

    original, ours = both(job)
    assert original == ours


def test_nested() -> None:
    def inner(count: int) -> Any:
        return joblib.Parallel(n_jobs=2)(joblib.delayed(square)(number) for number in range(count))

    def job() -> Any:
        return joblib.Parallel()(joblib.delayed(inner)(count) for count in range(4))

    original, ours = both(job)
    assert original == ours


def test_workers_stay() -> None:
    import os

    with joblib.parallel_config(backend="hardwork", n_jobs=2):
        first = set(joblib.Parallel(batch_size=1)(joblib.delayed(os.getpid)() for _ in range(50)))
        second = set(joblib.Parallel(batch_size=1)(joblib.delayed(os.getpid)() for _ in range(50)))
        with joblib.Parallel() as parallel:
            third = set(parallel(joblib.delayed(os.getpid)() for _ in range(50)))
    assert len(first | second | third) <= 2


def test_an_exception_is_the_calls_own() -> None:
    def job() -> Any:
        with pytest.raises(ValueError, match="fifty"):
            joblib.Parallel()(joblib.delayed(fail_at)(number) for number in range(200))
        return joblib.Parallel()(joblib.delayed(square)(number) for number in range(3))

    original, ours = both(job)
    assert original == ours == [0, 1, 4]


def test_a_dead_worker_is_an_error_and_the_next_call_works() -> None:
    with joblib.parallel_config(backend="hardwork", n_jobs=2):
        with pytest.raises(hardwork.WorkerDied, match="exited with code 3"):
            joblib.Parallel()(joblib.delayed(die_at)(number) for number in range(20))
        assert joblib.Parallel()(joblib.delayed(square)(number) for number in range(3)) == [0, 1, 4]


def test_the_number_of_jobs() -> None:
    for n_jobs in (-1, -2, 1, 3):
        with joblib.parallel_config(backend="hardwork", n_jobs=n_jobs):
            expected = n_jobs if n_jobs > 0 else max(hardwork.cpu_count() + 1 + n_jobs, 1)
            assert joblib.effective_n_jobs(n_jobs) == expected
    with joblib.parallel_config(backend="hardwork", n_jobs=0), pytest.raises(ValueError, match="n_jobs == 0"):
        joblib.Parallel()(joblib.delayed(square)(number) for number in range(3))


def test_threads_in_workers() -> None:
    import os

    def job() -> Any:
        return joblib.Parallel()(joblib.delayed(os.getenv)("OMP_NUM_THREADS") for _ in range(4))

    original, ours = both(job, inner_max_num_threads=3)
    assert original == ours == ["3"] * 4


def test_grid_search_and_cross_validation() -> None:
    selection = pytest.importorskip("sklearn.model_selection")
    from sklearn.datasets import make_classification
    from sklearn.tree import DecisionTreeClassifier

    features, target = make_classification(200, random_state=0)

    def job() -> Any:
        tree = DecisionTreeClassifier(random_state=0)
        search = selection.GridSearchCV(tree, {"max_depth": [1, 2, 4]}, cv=3).fit(features, target)
        scores = selection.cross_val_score(tree, features, target, cv=4)
        return search.best_params_, search.cv_results_["mean_test_score"].tolist(), scores.tolist()

    original, ours = both(job)
    assert original == ours
