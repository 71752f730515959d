"""Our default, on both faces, against the best chunksize that a user could have found by trying, also on Pool.map."""

from __future__ import annotations

import time
from collections.abc import Callable

from bench._harness import OURS, Line, Samples, Settings, alternate, check, time_text, warm_executor
from bench._pools import warm_pool
from bench._work import skewed, turn, turns

TARGET = 1.10
CHUNKSIZES = [1, 3, 10, 30, 100, 300, 1000, 3000, 10_000]
# After one trial of each, so many go into the rounds: the others are far behind.
FINALISTS = 3


def by_hardwork(items: list[int], chunksize: int | None) -> float:
    with warm_executor(OURS) as executor:
        start = time.perf_counter()
        results = list(executor.map(turn, items, chunksize=chunksize))
        seconds = time.perf_counter() - start
    check(results, items)
    return seconds


def by_pool(ours: bool, items: list[int], chunksize: int | None) -> float:
    with warm_pool(ours) as pool:
        start = time.perf_counter()
        results = pool.map(turn, items, chunksize)
        seconds = time.perf_counter() - start
    check(results, items)
    return seconds


def sweep(settings: Settings, name: str, items: list[int]) -> list[Line]:
    trials: dict[str, Callable[[], float]] = {}
    for chunksize in CHUNKSIZES:
        if chunksize <= len(items):
            trials[f"hardwork chunksize={chunksize}"] = lambda chunksize=chunksize: by_hardwork(items, chunksize)
            trials[f"Pool.map chunksize={chunksize}"] = lambda chunksize=chunksize: by_pool(False, items, chunksize)
    first = {label: trial() for label, trial in trials.items()}
    finalists = sorted(first, key=first.__getitem__)[:FINALISTS]
    of_executor, of_pool, *others = alternate(
        settings.rounds(7),
        lambda: by_hardwork(items, None),
        lambda: by_pool(True, items, None),
        *(trials[label] for label in finalists),
    )
    label, best = min(zip(finalists, others, strict=True), key=lambda pair: pair[1].median)

    def line(who: str, default: Samples) -> Line:
        return Line(
            "chunk_sweep",
            f"{name}: {who} default to best chunksize",
            default.median / best.median,
            "x spread",
            TARGET,
            False,
            f"default {time_text(default.median)}; best: {label} {time_text(best.median)}",
            numbers={"first": first, "default": default.seconds, "best": best_of(best)},
        )

    return [line("executor's", of_executor), line("hardwork.Pool's", of_pool)]


def best_of(samples: Samples) -> list[float]:
    return samples.seconds


def run(settings: Settings) -> list[Line]:
    return [
        *sweep(settings, "1 us", [turns(1e-6)] * settings.size(200_000)),
        *sweep(settings, "100 us", [turns(100e-6)] * settings.size(10_000)),
        *sweep(settings, "10 ms", [turns(10e-3)] * settings.size(200)),
        *sweep(settings, "skewed", skewed(settings.size(6000), 50e-6)),
    ]
