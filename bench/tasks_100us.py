"""5,000 submitted tasks of 100 us: how near to work divided by workers."""

from __future__ import annotations

import time
from typing import Any

from bench._harness import OURS, STANDARD, WORKERS, Line, Samples, Settings, alternate, check, time_text, warm_executor
from bench._work import ideal_seconds, turn, turns

TARGET = 0.85


def by_executor(kind: Any, items: list[int]) -> float:
    with warm_executor(kind) as executor:
        start = time.perf_counter()
        futures = [executor.submit(turn, item) for item in items]
        results = [future.result() for future in futures]
        seconds = time.perf_counter() - start
    check(results, items)
    return seconds


def run(settings: Settings) -> list[Line]:
    items = [turns(100e-6)] * settings.size(5000)
    own, of_executor, ideal = alternate(
        settings.rounds(7),
        lambda: by_executor(OURS, items),
        lambda: by_executor(STANDARD, items),
        lambda: ideal_seconds(items, WORKERS),
    )

    def line(who: str, samples: Samples, target: float | None) -> Line:
        what = f"{len(items):_} submitted tasks of 100 us: {who}"
        detail = f"{time_text(samples.median)}, best {time_text(samples.best)}; ideal {time_text(ideal.median)}"
        numbers = {"seconds": samples.seconds, "ideal": ideal.seconds}
        share = ideal.median / samples.median
        return Line("tasks_100us", what, share, "of ideal", target, True, detail, numbers=numbers)

    return [line("hardwork", own, TARGET), line("ProcessPoolExecutor", of_executor, None)]
