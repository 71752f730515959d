"""list(executor.map(f, range(100_000))) as a user writes it: without a chunksize."""

from __future__ import annotations

from typing import Any

from bench._harness import OURS, STANDARD, Line, Settings, alternate, check, faster, seconds_of, warm_executor
from bench._work import trivial

TARGET = 500


def per_item(kind: Any, count: int) -> float:
    results: list[int] = []
    with warm_executor(kind) as executor:
        seconds = seconds_of(lambda: results.extend(executor.map(trivial, range(count))))
    check(results, range(1, count + 1))
    return seconds / count


def run(settings: Settings) -> list[Line]:
    ours, reference = settings.size(100_000), settings.reference_size(100_000, 5)
    samples = alternate(settings.rounds(5), lambda: per_item(OURS, ours), lambda: per_item(STANDARD, reference))
    note = "" if ours == reference else f"reference: {reference:_} items, cost per item compared"
    what = f"list(executor.map(f, range({ours:_})))"
    return [faster("executor_map_100k", what, *samples, "ProcessPoolExecutor", TARGET, note)]
