"""Futures and results have memory of their own kind: it is reused, goes back, and the collector knows what is in it."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import hardwork
import pytest
from helpers import class_of, double, script_environment

MANY = 150_000


@pytest.fixture(params=["executor", "pool"])
def call(request: pytest.FixtureRequest) -> Iterator[Callable[[int], Any]]:
    """A call that gives a future, or a result."""
    if request.param == "executor":
        with class_of("hardwork")(2) as executor:
            yield lambda number: executor.submit(double, number)
    else:
        with hardwork.Pool(2) as pool:
            yield lambda number: pool.apply_async(double, (number,))


def value_of(result: Any) -> Any:
    return result.result() if hasattr(result, "result") else result.get()


def resident() -> int:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096


def test_most_of_it_goes_back(call: Callable[[int], Any]) -> None:
    kept = [call(number) for number in range(3 * MANY)]
    assert sum(map(value_of, kept)) == 3 * MANY * (3 * MANY - 1)
    full = resident()
    del kept
    gc.collect()
    assert full - resident() > 3 * MANY * 32  # of 100 each; 24 MB stay for the next ones


PROGRAM_THAT_ENDS_ITS_POOL = """
import gc, hardwork
def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096
if __name__ == "__main__":
    executor = hardwork.ProcessPoolExecutor(2)
    kept = [executor.submit(abs, -number) for number in range(100_000)]
    for future in kept:
        future.result()
    del future, kept
    gc.collect()
    full = resident()
    executor.shutdown()
    del executor
    gc.collect()
    print(full - resident() > 100_000 * 96)
"""


def test_all_of_it_goes_back_when_the_pool_has_gone() -> None:
    command = [sys.executable, "-c", PROGRAM_THAT_ENDS_ITS_POOL]
    ended = subprocess.run(command, env=script_environment(), capture_output=True, text=True, check=False)
    assert (ended.stdout, ended.stderr) == ("True\n", "")


def test_it_is_used_again(call: Callable[[int], Any]) -> None:
    kept = [call(number) for number in range(MANY)]
    kept_values = [value_of(result) for result in kept]
    full = resident()
    for offset in range(4):
        # Holes everywhere, and no region that is free.
        for at in range(offset, MANY, 4):
            kept[at] = None
        for at in range(offset, MANY, 4):
            kept[at] = call(at)
    grown = resident() - full
    assert [value_of(result) for result in kept] == kept_values
    assert grown < MANY * 32


def test_a_new_one_has_nothing_of_the_old(call: Callable[[int], Any]) -> None:
    for number in range(200):
        result = call(number)
        assert not hasattr(result, "label")
        result.label = number
        assert weakref.getweakrefcount(result) == 0
        reference = weakref.ref(result)
        assert value_of(result) == 2 * number
        del result
        assert reference() is None


def test_cycles_are_collected(call: Callable[[int], Any]) -> None:
    gc.collect()
    references = []
    for number in range(1000):
        result = call(number)
        result.itself = [result]
        references.append(weakref.ref(result))
    value_of(result)
    del result
    gc.collect()
    assert {reference() for reference in references} == {None}


def test_one_that_is_looked_at_is_tracked(call: Callable[[int], Any]) -> None:
    result = call(1)
    assert not gc.is_tracked(result)
    result.label = "mine"
    assert gc.is_tracked(result)
    assert any(known is result for known in gc.get_objects())
    value_of(result)


PROGRAM = """
import hardwork, multiprocessing
if __name__ == "__main__":
    context = multiprocessing.get_context("fork")
    with hardwork.ProcessPoolExecutor(2, context) as executor, hardwork.Pool(2, context=context) as pool:
        for _ in range(2):
            futures = [executor.submit(abs, -number) for number in range(30_000)]
            results = [pool.apply_async(abs, (-number,)) for number in range(30_000)]
            print(sum(future.result() for future in futures) == sum(result.get() for result in results))
            futures[7].label = results[7].label = [futures, results]
            del futures, results
"""


@pytest.mark.parametrize("allocator", ["malloc", "pymalloc", "debug"])
def test_beside_any_allocator_of_the_interpreter(allocator: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=script_environment() | {"PYTHONMALLOC": allocator},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.stdout, ended.stderr, ended.returncode) == ("True\nTrue\n", "", 0)
