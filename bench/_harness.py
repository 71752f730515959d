"""What workloads share: settings, alternating measurement, and the lines that they return."""

from __future__ import annotations

import concurrent.futures
import gc
import multiprocessing
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import hardwork

# All figures are for this number of workers and this start method, unless a workload says otherwise.
WORKERS = 2
FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Settings:
    """How thorough a run is.

    Args:
        quick: A tenth of the work and few rounds, to see that everything runs; the figures mean little.
        whole: The reference does as much work as hardwork, however long that takes.
    """

    quick: bool = False
    whole: bool = False

    def rounds(self, count: int) -> int:
        return 2 if self.quick else count

    def size(self, count: int) -> int:
        return max(count // 10, 1) if self.quick else count

    def reference_size(self, count: int, share: int) -> int:
        """A share of the work, where the reference would take minutes; costs are compared per task then."""
        return self.size(count) if self.whole else max(self.size(count) // share, 1)


@dataclass
class Line:
    """One line of the table.

    Args:
        workload: The file's name.
        what: What was measured.
        value: The figure that the target is about.
        kind: "x" for times faster than the reference, "of ideal", "bytes", or "x spread" for largest to smallest.
        target: What was aimed at; None for a figure without a target.
        at_least: Whether more is better.
        detail: The measurements behind the figure.
        note: What one must know to judge it, such as that the reference did less work.
        failed: The error, if it could not be measured.
    """

    workload: str
    what: str
    value: float
    kind: str
    target: float | None = None
    at_least: bool = True
    detail: str = ""
    note: str = ""
    failed: str = ""
    numbers: dict[str, Any] = field(default_factory=dict)

    @property
    def met(self) -> bool | None:
        if self.failed:
            return False
        if self.target is None:
            return None
        return self.value >= self.target if self.at_least else self.value <= self.target


@dataclass
class Samples:
    """Seconds per unit of work, one for each round."""

    seconds: list[float] = field(default_factory=list)

    @property
    def best(self) -> float:
        return min(self.seconds)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def alternate(rounds: int, *contestants: Callable[[], float]) -> list[Samples]:
    """Lets each contestant do its work in turn, again and again: what disturbs the machine disturbs all of them.

    Args:
        rounds: How often each one runs.
        contestants: Each does its work once and returns seconds per unit of it.

    Returns:
        The samples of each.
    """
    samples = [Samples() for _ in contestants]
    for turn in range(rounds):
        print(
            f"    round {turn + 1} of {rounds}", end="\r" if sys.stderr.isatty() else "\n", file=sys.stderr, flush=True
        )
        for contestant, own in zip(contestants, samples, strict=True):
            gc.collect()
            own.seconds.append(contestant())
    return samples


def seconds_of(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def time_text(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def faster(
    workload: str,
    what: str,
    ours: Samples,
    reference: Samples,
    name: str,
    target: float | None = None,
    note: str = "",
) -> Line:
    """The line for "times faster than". The target is held against the medians; the best is shown beside it.

    Args:
        workload: The file's name.
        what: What was done.
        ours: Seconds per unit of hardwork.
        reference: The same of the reference.
        name: The reference's name.
        target: How many times faster it should be.
        note: What one must know.

    Returns:
        The line.
    """
    detail = (
        f"{time_text(ours.median)}, best {time_text(ours.best)}; "
        f"{name} {time_text(reference.median)}, best {time_text(reference.best)}"
    )
    numbers = {"ours": ours.seconds, "reference": reference.seconds, "best": reference.best / ours.best}
    return Line(
        workload,
        f"{what}, against {name}",
        reference.median / ours.median,
        "x",
        target,
        True,
        detail,
        note,
        "",
        numbers,
    )


@contextmanager
def warm_executor(
    kind: type[concurrent.futures.ProcessPoolExecutor], workers: int = WORKERS
) -> Iterator[concurrent.futures.ProcessPoolExecutor]:
    """An executor whose workers have been born and have worked: for figures that are not about the start."""
    with kind(workers, mp_context=FORK) as executor:
        list(executor.map(_warm_up, range(4 * workers)))
        yield executor


def _warm_up(number: int) -> int:
    time.sleep(0.002)
    return number


OURS: type[concurrent.futures.ProcessPoolExecutor] = hardwork.ProcessPoolExecutor
STANDARD = concurrent.futures.ProcessPoolExecutor


def check(results: Sequence[Any], expected: Sequence[Any]) -> None:
    """Nobody is fast by being wrong."""
    if list(results) != list(expected):
        raise AssertionError("the results are not those expected")
