"""Wrong arguments: the exception type of the standard library, at the call, with the value named."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from typing import Any

import pytest
from helpers import double

FORK = multiprocessing.get_context("fork")
SPAWN = multiprocessing.get_context("spawn")

CONSTRUCTOR = {
    "no workers": ({"max_workers": 0}, ValueError, "0"),
    "negative workers": ({"max_workers": -1}, ValueError, "-1"),
    "fractions of workers": ({"max_workers": 1.5}, TypeError, "1.5"),
    "workers as text": ({"max_workers": "4"}, TypeError, "4"),
    "initializer that cannot be called": ({"initializer": 5}, TypeError, "5"),
    "tasks per child with fork": ({"mp_context": FORK, "max_tasks_per_child": 1}, ValueError, "fork"),
    "no tasks per child": ({"mp_context": SPAWN, "max_tasks_per_child": 0}, ValueError, "0"),
    "negative tasks per child": ({"mp_context": SPAWN, "max_tasks_per_child": -3}, ValueError, "-3"),
    "fractions of tasks per child": ({"mp_context": SPAWN, "max_tasks_per_child": 2.5}, TypeError, "2.5"),
    "unknown option": ({"workers": 2}, TypeError, "workers"),
}


@pytest.mark.parametrize("case", CONSTRUCTOR)
def test_constructor(executor_class: Any, case: str) -> None:
    options, error, _ = CONSTRUCTOR[case]
    with pytest.raises(error):
        executor_class(**options)


@pytest.mark.parametrize("case", CONSTRUCTOR)
def test_constructor_names_the_value(hardwork_class: Any, case: str) -> None:
    options, error, text = CONSTRUCTOR[case]
    with pytest.raises(error, match=text):
        hardwork_class(**options)


MAP: dict[str, tuple[Callable[[Any], Any], type[Exception]]] = {
    "no chunksize": (lambda pool: pool.map(double, [1], chunksize=0), ValueError),
    "negative chunksize": (lambda pool: pool.map(double, [1], chunksize=-2), ValueError),
    "chunksize as text": (lambda pool: pool.map(double, [1], chunksize="2"), TypeError),
    "chunksize as a list": (lambda pool: pool.map(double, [1], chunksize=[2]), TypeError),
    "iterable that is none": (lambda pool: pool.map(double, 1), TypeError),
    "unknown option": (lambda pool: pool.map(double, [1], chunk=2), TypeError),
    "no function": (lambda pool: pool.map(), TypeError),
}


@pytest.mark.parametrize("case", MAP)
def test_map(executor: Any, case: str) -> None:
    call, error = MAP[case]
    with pytest.raises(error):
        call(executor)
    assert list(executor.map(double, [1])) == [2]


@pytest.mark.parametrize("value", [0, -1])
def test_chunksize_names_the_value(pool: Any, value: int) -> None:
    with pytest.raises(ValueError, match=str(value)):
        pool.map(double, [1], chunksize=value)


def test_chunksize_in_fractions_names_the_value(pool: Any) -> None:
    with pytest.raises(TypeError, match=r"chunksize must be an integer >= 1 or None, not 1\.5"):
        pool.map(double, [1], chunksize=1.5)


@pytest.mark.parametrize("value", [5, None, "double"], ids=repr)
def test_what_cannot_be_called(executor: Any, value: Any) -> None:
    with pytest.raises(TypeError):
        executor.submit(value, 1).result()
    with pytest.raises(TypeError):
        list(executor.map(value, [1]))
    assert executor.submit(double, 1).result() == 2


@pytest.mark.parametrize("value", [0, -1])
def test_buffersize_too_small(pool: Any, value: int) -> None:
    with pytest.raises(ValueError, match=str(value)):
        pool.map(double, [1], buffersize=value)


@pytest.mark.parametrize("value", [1.5, "2"])
def test_buffersize_of_a_wrong_type(pool: Any, value: Any) -> None:
    with pytest.raises(TypeError, match=str(value)):
        pool.map(double, [1], buffersize=value)


def test_a_map_of_something_that_cannot_be_called(executor: Any) -> None:
    with pytest.raises(TypeError):
        list(executor.map(5, [1]))
    assert executor.submit(double, 1).result() == 2


def test_a_failed_constructor_leaves_nothing_behind(hardwork_class: Any) -> None:
    # What it leaves is found by the audit; __del__ of a half-made object must not complain either.
    for _ in range(20):
        with pytest.raises(ValueError):
            hardwork_class(0)


def test_true_is_one_worker(executor_class: Any) -> None:
    with executor_class(True) as pool:
        assert pool.submit(double, 1).result() == 2
