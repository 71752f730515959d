"""map and starmap of a Pool, chunks left alone: a range, a list of ints, strings, pairs; and a hundred items only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench._harness import Line, Settings
from bench._pools import against_pool
from bench._work import trivial


def length(text: str) -> int:
    return len(text)


def total(left: int, right: int) -> int:
    return left + right


def hundreds(pool: Any, count: int) -> Sequence[int]:
    return [sum(pool.map(trivial, range(100))) for _ in range(count)]


def run(settings: Settings) -> list[Line]:
    size = settings.size
    ints = list(range(size(1_000_000)))
    texts = [f"item number {number}" for number in range(size(300_000))]
    pairs = [(number, 1) for number in range(size(200_000))]

    def line(what: str, work: Any, expected: Any, count: int, target: float, **more: Any) -> Line:
        return against_pool(settings, "pool_map", what, work, expected, count, target, **more)

    def plus_one(count: int) -> range:
        return range(1, count + 1)

    return [
        line("map of range({count})", lambda pool, n: pool.map(trivial, range(n)), plus_one, 1_000_000, 1.5),
        line("map of {count} ints in a list", lambda pool, n: pool.map(trivial, ints), plus_one, 1_000_000, 1.5),
        line(
            "map of {count} strings",
            lambda pool, n: pool.map(length, texts),
            lambda n: [len(text) for text in texts],
            300_000,
            1.5,
        ),
        line("starmap of {count} pairs", lambda pool, n: pool.starmap(total, pairs), plus_one, 200_000, 1.5),
        line("map of 100 items, {count} times", hundreds, lambda n: [5050] * n, 1000, 15, share=2),
    ]
