"""Functions that no import finds: lambdas, closures, and those of a __main__ that cannot be imported."""

from __future__ import annotations

import functools
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from helpers import START_METHODS, script_environment


def test_lambdas(pool: Any) -> None:
    assert pool.submit(lambda: 5).result() == 5
    assert list(pool.map(lambda number: number + 1, range(100))) == list(range(1, 101))


def test_closures(pool: Any) -> None:
    def multiplier(factor: int) -> Callable[[int], int]:
        return lambda number: number * factor

    assert pool.submit(multiplier(3), 5).result() == 15
    assert [pool.submit(multiplier(factor), 5).result() for factor in range(20)] == [5 * factor for factor in range(20)]


def test_local_functions_and_classes(pool: Any) -> None:
    class Point:
        def __init__(self, x: int) -> None:
            self.x = x

    def shift(point: Point, by: int) -> Point:
        return Point(point.x + by)

    moved = pool.submit(shift, Point(1), 10).result()
    assert type(moved) is Point
    assert moved.x == 11


def test_a_local_recursive_function(pool: Any) -> None:
    def factorial(number: int) -> int:
        return 1 if number < 2 else number * factorial(number - 1)

    assert pool.submit(factorial, 10).result() == 3628800


def test_partials_of_lambdas(pool: Any) -> None:
    assert pool.submit(functools.partial(lambda first, second: first - second, 10), 3).result() == 7


def test_exceptions_in_a_lambda(pool: Any) -> None:
    error = pool.submit(lambda: 1 / 0).exception()
    assert isinstance(error, ZeroDivisionError)
    assert "<lambda>" in str(error.__cause__)


def test_lambdas_as_arguments_and_results(pool: Any) -> None:
    assert pool.submit(lambda function: function(4), lambda number: number * 2).result() == 8
    # As a result it is refused, as in the standard library: the caller wants to know.
    with pytest.raises((AttributeError, pickle.PicklingError), match="lambda"):
        pool.submit(lambda: lambda: 17).result()


def test_a_closure_is_sent_as_it_is_at_each_call(pool: Any) -> None:
    count = 0

    def get() -> int:
        return count

    first = pool.submit(get).result()
    count = 5
    assert (first, pool.submit(get).result()) == (0, 5)


MAIN = """
import multiprocessing, sys
import hardwork

FACTOR = 3

def triple(number):
    return number * FACTOR

class Box:
    def __init__(self, value):
        self.value = value
    def __eq__(self, other):
        return type(other) is type(self) and other.value == self.value

def boxed(number):
    return Box(number)

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    with hardwork.ProcessPoolExecutor(2, mp_context=context) as pool:
        assert list(pool.map(triple, range(100))) == [3 * number for number in range(100)]
        assert pool.submit(triple, 5).result() == 15
        assert pool.submit(boxed, 5).result() == Box(5)
        assert pool.submit(lambda: FACTOR).result() == 3
    print("fine")
"""


def expect_fine(ended: Any) -> None:
    assert ended.stdout == "fine\n", ended.stdout + ended.stderr
    assert ended.stderr == ""
    assert ended.returncode == 0


@pytest.mark.parametrize("method", START_METHODS)
@pytest.mark.parametrize("how", ["file", "command", "stdin"])
def test_functions_of_main(run_script: Any, how: str, method: str) -> None:
    expect_fine(run_script(MAIN, method, how=how))


@pytest.mark.parametrize("method", START_METHODS)
def test_functions_of_main_under_a_profiler(run_script: Any, method: str, tmp_path: Any) -> None:
    # There __main__ is cProfile's own module, and the script's names are nowhere to be imported from.
    profile = str(tmp_path / "profile")
    expect_fine(run_script(MAIN, method, options=("-m", "cProfile", "-o", profile)))


@pytest.mark.parametrize("method", START_METHODS)
def test_functions_of_main_under_dash_m(method: str, tmp_path: Any) -> None:
    (tmp_path / "a_main_module.py").write_text(MAIN)
    ended = subprocess.run(
        [sys.executable, "-m", "a_main_module", method],
        cwd=tmp_path,
        env=script_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    expect_fine(ended)
