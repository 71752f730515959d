"""joblib's Parallel of 10,000 small calls: our backend, loky's, and what joblib itself needs for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench._harness import WORKERS, Line, Settings, alternate, check, faster, seconds_of
from bench._work import trivial

TARGET = 5
NAME = "joblib_small_calls"


def run(settings: Settings) -> list[Line]:
    try:
        import joblib
    except ImportError:
        return [Line(NAME, "joblib is not installed", 0.0, "x", failed="pip install joblib")]
    import hardwork.joblib  # registers the backend

    count = settings.size(10_000)

    def parallel(backend: str, **options: Any) -> Callable[[], float]:
        def contestant() -> float:
            results: list[int] = []
            with joblib.parallel_config(backend=backend, n_jobs=WORKERS):
                calls = (joblib.delayed(trivial)(number) for number in range(count))
                seconds = seconds_of(lambda: results.extend(joblib.Parallel(**options)(calls)))
            check(results, range(1, count + 1))
            return seconds / count

        contestant()  # both backends keep their workers from call to call
        return contestant

    def only_made() -> float:
        return seconds_of(lambda: [joblib.delayed(trivial)(number) for number in range(count)]) / count

    def against_loky(how: str, target: float | None, rounds: int, **options: Any) -> list[Line]:
        contestants = [parallel(backend, **options) for backend in ("hardwork", "loky")]
        ours, loky, made = alternate(settings.rounds(rounds), *contestants, only_made)
        what = f"joblib.Parallel{how} of {count:_} small calls"
        floor = faster(NAME, what, ours, made, "joblib.delayed alone", note="the floor: nothing is run there")
        return [faster(NAME, what, ours, loky, "loky", target), *([floor] if target is not None else [])]

    lines = [
        *against_loky("", TARGET, 9),
        *against_loky("(batch_size=1)", None, 3, batch_size=1),
        *against_loky("(pre_dispatch='all')", None, 3, pre_dispatch="all"),
    ]
    hardwork.joblib.shutdown()
    return lines
