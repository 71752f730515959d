"""What the workloads of Pool share: a warm pool of either kind."""

from __future__ import annotations

import multiprocessing.pool
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import hardwork

from bench._harness import FORK, WORKERS, Line, Settings, alternate, check, faster, seconds_of


def _warm_up(number: int) -> int:
    time.sleep(0.002)
    return number


@contextmanager
def warm_pool(ours: bool) -> Iterator[multiprocessing.pool.Pool]:
    """A pool whose workers have worked."""
    with hardwork.Pool(WORKERS, context=FORK) if ours else FORK.Pool(WORKERS) as pool:
        pool.map(_warm_up, range(4 * WORKERS))
        yield pool


def against_pool(
    settings: Settings,
    workload: str,
    what: str,
    work: Callable[[Any, int], Sequence[Any]],
    expected: Callable[[int], Sequence[Any]],
    count: int,
    target: float,
    share: int = 1,
    rounds: int = 5,
) -> Line:
    """One line: the same calls on both pools.

    Args:
        settings: How thorough.
        workload: The file's name.
        what: What is done, with ``{count}`` in it.
        work: Does it on a pool, with so many units; returns the results.
        expected: What these must be.
        count: How many units.
        target: How many times faster it should be.
        share: The reference does one part in so many, where it would take minutes.
        rounds: How often.

    Returns:
        The line.
    """
    own, reference = settings.size(count), settings.reference_size(count, share)

    def per_unit(ours: bool, units: int) -> float:
        results: list[Any] = []
        with warm_pool(ours) as pool:
            seconds = seconds_of(lambda: results.append(work(pool, units)))
        check(results[0], expected(units))
        return seconds / units

    samples = alternate(settings.rounds(rounds), lambda: per_unit(True, own), lambda: per_unit(False, reference))
    note = "" if own == reference else f"reference: {reference:_}, cost per unit compared"
    return faster(workload, what.format(count=f"{own:_}"), *samples, "Pool", target, note)
