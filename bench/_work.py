"""What the tasks do: fixed amounts of work, so that it shows when workers have to share their CPUs with the parent."""

from __future__ import annotations

import functools
import multiprocessing
import time
from collections.abc import Sequence


def trivial(number: int) -> int:
    return number + 1


def turn(iterations: int) -> int:
    """Turns a loop so many times; a duration would pass also while the process is not running."""
    for _ in range(iterations):
        pass
    return iterations


@functools.cache
def turns_per_second() -> float:
    """How often the loop turns in a second, at its quickest."""
    iterations = 200_000
    best = float("inf")
    for _ in range(20):
        start = time.perf_counter()
        turn(iterations)
        best = min(best, time.perf_counter() - start)
    return iterations / best


def turns(seconds: float) -> int:
    return max(int(turns_per_second() * seconds), 1)


def ideal_seconds(items: Sequence[int], workers: int) -> float:
    """Work divided by workers, on this machine as it is: plain processes, each with an equal share, at the same time.

    Not the serial time divided by the workers: two CPUs that share a core are not twice as fast as one.

    Args:
        items: What the tasks turn.
        workers: How many processes.

    Returns:
        Seconds from a common start until the last has ended.
    """
    # Each turns through items of its share of the work; a single item may be split, which no pool can do.
    shares = [[item // workers for item in items] for _ in range(workers)]
    context = multiprocessing.get_context("fork")
    ready, go, done = context.Semaphore(0), context.Event(), context.Semaphore(0)

    def work(share: list[int]) -> None:
        ready.release()
        go.wait()
        for iterations in share:
            turn(iterations)
        done.release()

    processes = [context.Process(target=work, args=(share,)) for share in shares]
    for process in processes:
        process.start()
    for _ in processes:
        ready.acquire()
    start = time.perf_counter()
    go.set()
    for _ in processes:
        done.acquire()
    seconds = time.perf_counter() - start
    for process in processes:
        process.join()
    return seconds


def skewed(count: int, seconds: float) -> list[int]:
    """Every 97th item takes 200 times as long as the others."""
    short = turns(seconds)
    return [short * 200 if index % 97 == 96 else short for index in range(count)]
