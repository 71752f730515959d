"""Cost per task, from few tasks to a million and from 2 workers to 32: largest to smallest."""

from __future__ import annotations

import gc
import time
from typing import Any

from bench._harness import OURS, Line, Samples, Settings, alternate, check, time_text, warm_executor
from bench._work import trivial

COUNT_TARGET = 1.3
WORKERS_TARGET = 2.0
COUNTS = [1000, 10_000, 100_000, 1_000_000]
WORKERS = [2, 4, 8, 16, 32]
# Few tasks are over so soon that one disturbance would decide: so many are measured in each round at least.
TASKS_A_SAMPLE = 100_000


def submits(executor: Any, count: int) -> float:
    start = time.perf_counter()
    futures = [executor.submit(trivial, number) for number in range(count)]
    results = [future.result() for future in futures]
    seconds = time.perf_counter() - start
    check(results, range(1, count + 1))
    return seconds


def maps(executor: Any, count: int) -> float:
    start = time.perf_counter()
    results = list(executor.map(trivial, range(count)))
    seconds = time.perf_counter() - start
    check(results, range(1, count + 1))
    return seconds


def per_task(how: Any, count: int, workers: int) -> float:
    repeats = max(TASKS_A_SAMPLE // count, 1)
    with warm_executor(OURS, workers) as executor:
        how(executor, count)
        gc.collect()
        return sum(how(executor, count) for _ in range(repeats)) / repeats / count


def line(what: str, names: list[str], samples: list[Samples], target: float | None) -> Line:
    costs = [own.median for own in samples]
    detail = ", ".join(f"{name}: {time_text(cost)}" for name, cost in zip(names, costs, strict=True))
    numbers = {name: own.seconds for name, own in zip(names, samples, strict=True)}
    return Line("flat_cost", what, max(costs) / min(costs), "x spread", target, False, detail, numbers=numbers)


def over_counts(settings: Settings, name: str, how: Any, target: float | None) -> Line:
    counts = COUNTS[:3] if settings.quick else COUNTS
    samples = alternate(settings.rounds(5), *(lambda count=count: per_task(how, count, 2) for count in counts))
    what = f"{name}, {counts[0]:_} to {counts[-1]:_} tasks"
    return line(what, [f"{count:_}" for count in counts], samples, target)


def over_workers(settings: Settings, name: str, how: Any) -> Line:
    count = settings.size(200_000)
    samples = alternate(
        settings.rounds(5), *(lambda workers=workers: per_task(how, count, workers) for workers in WORKERS)
    )
    return line(f"{name}, 2 to 32 workers", [f"{workers} workers" for workers in WORKERS], samples, WORKERS_TARGET)


def run(settings: Settings) -> list[Line]:
    return [
        over_counts(settings, "submit and result", submits, COUNT_TARGET),
        # A map of a thousand is mostly its own start and end, so it has no target.
        over_counts(settings, "map", maps, None),
        over_workers(settings, "submit and result", submits),
        over_workers(settings, "map", maps),
    ]
