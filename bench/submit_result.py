"""submit of 200,000 f(int), then every result()."""

from __future__ import annotations

from typing import Any

from bench._harness import OURS, STANDARD, Line, Settings, alternate, check, faster, seconds_of, warm_executor
from bench._work import trivial

TARGET = 150


def per_task(kind: Any, count: int) -> float:
    with warm_executor(kind) as executor:

        def work() -> None:
            futures = [executor.submit(trivial, number) for number in range(count)]
            check([future.result() for future in futures], range(1, count + 1))

        return seconds_of(work) / count


def run(settings: Settings) -> list[Line]:
    ours, reference = settings.size(200_000), settings.reference_size(200_000, 10)
    samples = alternate(settings.rounds(5), lambda: per_task(OURS, ours), lambda: per_task(STANDARD, reference))
    note = "" if ours == reference else f"reference: {reference:_} tasks, cost per task compared"
    what = f"submit {ours:_} tasks, then every result"
    return [faster("submit_result", what, *samples, "ProcessPoolExecutor", TARGET, note)]
