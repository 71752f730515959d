"""3,000 items, every 97th 200 times as long: how near to work divided by workers."""

from __future__ import annotations

import time
from typing import Any

from bench._harness import (
    OURS,
    STANDARD,
    WORKERS,
    Line,
    Samples,
    Settings,
    alternate,
    check,
    time_text,
    warm_executor,
)
from bench._pools import warm_pool
from bench._work import ideal_seconds, skewed, turn

TARGET = 0.90


def by_executor(kind: Any, items: list[int]) -> float:
    with warm_executor(kind) as executor:
        start = time.perf_counter()
        results = list(executor.map(turn, items))
        seconds = time.perf_counter() - start
    check(results, items)
    return seconds


def by_pool(ours: bool, items: list[int]) -> float:
    with warm_pool(ours) as pool:
        start = time.perf_counter()
        results = pool.map(turn, items)
        seconds = time.perf_counter() - start
    check(results, items)
    return seconds


def run(settings: Settings) -> list[Line]:
    items = skewed(settings.size(3000), 100e-6)
    own, own_pool, of_pool, of_executor, ideal = alternate(
        settings.rounds(7),
        lambda: by_executor(OURS, items),
        lambda: by_pool(True, items),
        lambda: by_pool(False, items),
        lambda: by_executor(STANDARD, items),
        lambda: ideal_seconds(items, WORKERS),
    )

    def line(who: str, samples: Samples, target: float | None) -> Line:
        what = f"{len(items):_} items, every 97th 200 times as long: {who}"
        detail = f"{time_text(samples.median)}, best {time_text(samples.best)}; ideal {time_text(ideal.median)}"
        numbers = {"seconds": samples.seconds, "ideal": ideal.seconds}
        return Line("skewed", what, ideal.median / samples.median, "of ideal", target, True, detail, numbers=numbers)

    return [
        line("hardwork map", own, TARGET),
        line("hardwork.Pool map", own_pool, TARGET),
        line("Pool.map", of_pool, None),
        line("ProcessPoolExecutor.map", of_executor, None),
    ]
