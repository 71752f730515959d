"""The question's job: naive factorisation of range(100, 1_000_000), from making the pool until it is gone."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from hardwork._factorize import digest, factorize_naive, numbers

from bench._harness import FORK, OURS, STANDARD, WORKERS, Line, Settings, alternate, faster

POOL_TARGET = 1.25
EXECUTOR_TARGET = 25


def by_executor(kind: Any, items: Sequence[int], expected: str) -> float:
    start = time.perf_counter()
    with kind(WORKERS, mp_context=FORK) as executor:
        results = list(executor.map(factorize_naive, items))
    return finish(start, results, items, expected)


def by_pool(items: Sequence[int], expected: str) -> float:
    start = time.perf_counter()
    with FORK.Pool(WORKERS) as pool:
        results = pool.map(factorize_naive, items)
    return finish(start, results, items, expected)


def finish(start: float, results: list[list[int]], items: Sequence[int], expected: str) -> float:
    seconds = time.perf_counter() - start
    if digest(results) != expected:
        raise AssertionError("the factors are not those of the serial loop")
    return seconds / len(items)


def run(settings: Settings) -> list[Line]:
    stop = settings.size(1_000_000)
    items = numbers(stop)
    sample = items if settings.whole else numbers(stop, 20)
    # As text only: lists of a million lists in the parent would slow down whoever forks it and collects garbage in it.
    expected = digest([factorize_naive(number) for number in items])
    expected_sample = digest([factorize_naive(number) for number in sample])
    own, of_pool, of_executor = alternate(
        settings.rounds(3),
        lambda: by_executor(OURS, items, expected),
        lambda: by_pool(items, expected),
        lambda: by_executor(STANDARD, sample, expected_sample),
    )
    note = "" if sample is items else f"reference: every 20th number ({len(sample):_}), cost per number compared"
    what = f"factorise range(100, {stop:_}), cost per number"
    return [
        faster("question_job", what, own, of_pool, "Pool.map", POOL_TARGET),
        faster("question_job", what, own, of_executor, "ProcessPoolExecutor.map", EXECUTOR_TARGET, note),
    ]
