"""joblib's Parallel of 10,000 small calls: our backend against loky; and what joblib itself needs to make the calls."""

from __future__ import annotations

import time

from bench._harness import WORKERS, Line, Settings, alternate, check, faster
from bench._work import trivial

TARGET = 5


def run(settings: Settings) -> list[Line]:
    try:
        import joblib
    except ImportError:
        return [Line("joblib_small_calls", "joblib is not installed", 0.0, "x", failed="pip install joblib")]
    import hardwork.joblib  # noqa: F401  # registers the backend

    count = settings.size(10_000)

    def parallel(backend: str) -> float:
        with joblib.parallel_config(backend=backend, n_jobs=WORKERS):
            start = time.perf_counter()
            results = joblib.Parallel()(joblib.delayed(trivial)(number) for number in range(count))
            seconds = time.perf_counter() - start
        check(results, range(1, count + 1))
        return seconds / count

    def only_made() -> float:
        start = time.perf_counter()
        calls = [joblib.delayed(trivial)(number) for number in range(count)]
        return (time.perf_counter() - start) / len(calls)

    for backend in ("hardwork", "loky"):
        parallel(backend)  # both keep their workers from call to call
    ours, loky, made = alternate(settings.rounds(9), lambda: parallel("hardwork"), lambda: parallel("loky"), only_made)
    what = f"joblib.Parallel of {count:_} small calls"
    return [
        faster("joblib_small_calls", what, ours, loky, "loky", TARGET),
        faster("joblib_small_calls", what, ours, made, "joblib.delayed alone", note="the floor: nothing is run there"),
    ]
