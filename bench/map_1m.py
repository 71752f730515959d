"""list(executor.map(f, range(1_000_000))) with a trivial f, against Pool.map and a serial loop."""

from __future__ import annotations

import time

from bench._harness import FORK, OURS, WORKERS, Line, Settings, alternate, check, faster, warm_executor
from bench._work import trivial

TARGET = 1.5


def ours(count: int) -> float:
    with warm_executor(OURS) as executor:
        start = time.perf_counter()
        results = list(executor.map(trivial, range(count)))
        seconds = time.perf_counter() - start
    check(results, range(1, count + 1))
    return seconds / count


def pool(count: int) -> float:
    with FORK.Pool(WORKERS) as pool:
        pool.map(trivial, range(100))
        start = time.perf_counter()
        results = pool.map(trivial, range(count))
        seconds = time.perf_counter() - start
    check(results, range(1, count + 1))
    return seconds / count


def serial(count: int) -> float:
    start = time.perf_counter()
    results = list(map(trivial, range(count)))
    seconds = time.perf_counter() - start
    check(results, range(1, count + 1))
    return seconds / count


def run(settings: Settings) -> list[Line]:
    count = settings.size(1_000_000)
    own, of_pool, of_loop = alternate(
        settings.rounds(7), lambda: ours(count), lambda: pool(count), lambda: serial(count)
    )
    what = f"list(executor.map(f, range({count:_})))"
    return [
        faster("map_1m", what, own, of_pool, "Pool.map", TARGET),
        faster("map_1m", what, own, of_loop, "serial loop", note="f does nothing: no pool need win here"),
    ]
