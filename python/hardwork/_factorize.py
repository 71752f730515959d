"""The job of the question this project started from, and each way to do it: for `python -m hardwork demo`.

The demo runs each way in a fresh interpreter, as a program of its own: ``python -c "from hardwork import _factorize;
_factorize.main()" WAY WORKERS STOP STEP``. So no way profits from, or pays for, what another has left in memory.
"""

from __future__ import annotations

import concurrent.futures
import hashlib
import json
import multiprocessing
import sys
import time
from array import array
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any

START = 100


def factorize_naive(number: int) -> list[int]:
    """Finds prime factors by trial division: by 2, then by every odd number.

    Args:
        number: At least 2.

    Returns:
        The prime factors, ascending, each as often as it divides.
    """
    factors = []
    while number % 2 == 0:
        factors.append(2)
        number //= 2
    divisor = 3
    while divisor * divisor <= number:
        if number % divisor:
            divisor += 2
        else:
            factors.append(divisor)
            number //= divisor
    if number > 1:
        factors.append(number)
    return factors


def numbers(stop: int, step: int = 1) -> Sequence[int]:
    """The inputs: all from 100 up to stop, or a fair sample.

    Args:
        stop: The first number that is not among them.
        step: One out of how many.

    Returns:
        A range, or a list for a sample.
    """
    if step == 1:
        return range(START, stop)
    # One out of each `step`, at another place each time. A plain stride of 20 would take multiples of 20 only, which
    # are quickly done, and flatter whoever is measured on them.
    sample = (START + step * block + 7 * block % step for block in range((stop - START) // step))
    return list(sample)


def serial(function: Callable[[int], list[int]], items: Sequence[int], workers: int) -> list[list[int]]:
    """A loop in this process."""
    return [function(item) for item in items]


def pool_map(function: Callable[[int], list[int]], items: Sequence[int], workers: int) -> list[list[int]]:
    """The standard library's Pool."""
    with multiprocessing.Pool(workers) as pool:
        return pool.map(function, items)


def executor_map(function: Callable[[int], list[int]], items: Sequence[int], workers: int) -> list[list[int]]:
    """The standard library's executor as the asker wrote it: without a chunksize."""
    with concurrent.futures.ProcessPoolExecutor(workers) as executor:
        return list(executor.map(function, items))


def hardwork_map(function: Callable[[int], list[int]], items: Sequence[int], workers: int) -> list[list[int]]:
    """The same lines with hardwork's executor."""
    import hardwork

    with hardwork.ProcessPoolExecutor(workers) as executor:
        return list(executor.map(function, items))


WAYS: dict[str, Callable[[Callable[[int], list[int]], Sequence[int], int], list[list[int]]]] = {
    "serial": serial,
    "pool_map": pool_map,
    "executor_map": executor_map,
    "hardwork_map": hardwork_map,
}


def digest(results: Iterable[list[int]]) -> str:
    """Names a list of results: two are equal if and only if their names are."""
    results = list(results)
    named = hashlib.sha256(array("H", map(len, results)).tobytes())
    named.update(array("Q", chain.from_iterable(results)).tobytes())
    return named.hexdigest()


def checksum(results: Iterable[list[int]]) -> int:
    """What examples/factorize.cpp prints, to compare with results in the other language."""
    return sum(sum(factors) * len(factors) for factors in results) % 2**64


def measure(way: str, workers: int, stop: int, step: int) -> dict[str, Any]:
    """Does the job in one way, from making the pool until it is gone.

    Args:
        way: A key of WAYS.
        workers: How many processes.
        stop: End of the range.
        step: One number out of how many.

    Returns:
        Seconds, how many items, and what identifies the results.
    """
    items = numbers(stop, step)
    start = time.perf_counter()
    results = WAYS[way](factorize_naive, items, workers)
    seconds = time.perf_counter() - start
    found = {"seconds": seconds, "items": len(items), "digest": digest(results), "checksum": checksum(results)}
    if way == "serial":
        # So that what was measured on a sample can be compared as well.
        found["samples"] = {str(each): digest(sample_of(results, stop, each)) for each in (20,)}
    return found


def sample_of(results: list[list[int]], stop: int, step: int) -> list[list[int]]:
    return [results[number - START] for number in numbers(stop, step)]


def main() -> None:
    """Prints the measurement as one line of JSON."""
    way, workers, stop, step = sys.argv[1:]
    print(json.dumps(measure(way, int(workers), int(stop), int(step))), flush=True)
