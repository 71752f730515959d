"""One submit(f, x).result() after another."""

from __future__ import annotations

from typing import Any

from bench._harness import OURS, STANDARD, Line, Settings, alternate, check, faster, seconds_of, warm_executor
from bench._work import trivial

TARGET = 80


def per_trip(kind: Any, count: int) -> float:
    with warm_executor(kind) as executor:

        def work() -> None:
            check([executor.submit(trivial, number).result() for number in range(count)], range(1, count + 1))

        return seconds_of(work) / count


def run(settings: Settings) -> list[Line]:
    ours, reference = settings.size(50_000), settings.reference_size(50_000, 10)
    samples = alternate(settings.rounds(5), lambda: per_trip(OURS, ours), lambda: per_trip(STANDARD, reference))
    note = "" if ours == reference else f"reference: {reference:_} trips, cost per trip compared"
    return [faster("round_trip", "submit(f, x).result()", *samples, "ProcessPoolExecutor", TARGET, note)]
