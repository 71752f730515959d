"""map(buffersize=): inputs are taken as results are."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from helpers import add, divide_by, double, sleep


def test_an_infinite_iterable(pool: Any) -> None:
    results = pool.map(double, itertools.count(), buffersize=10)
    assert [next(results) for _ in range(1000)] == [2 * number for number in range(1000)]


@pytest.mark.parametrize("buffersize", [1, 2, 7, 1000])
def test_no_more_is_taken_than_was_said(pool: Any, buffersize: int) -> None:
    taken = 0

    def inputs() -> Iterator[int]:
        nonlocal taken
        while True:
            taken += 1
            yield taken

    results = pool.map(double, inputs(), buffersize=buffersize)
    assert taken == buffersize
    for given in range(1, 200):
        assert next(results) == 2 * given
        assert taken <= given + buffersize
    results.close()


@pytest.mark.parametrize("buffersize", [1, 5, 100, 10**9])
def test_finite_inputs(pool: Any, buffersize: int) -> None:
    assert list(pool.map(double, range(50), buffersize=buffersize)) == [2 * number for number in range(50)]
    assert list(pool.map(double, [], buffersize=buffersize)) == []
    assert list(pool.map(add, range(20), itertools.count(), buffersize=buffersize)) == [2 * n for n in range(20)]


def test_in_order(pool: Any) -> None:
    results = pool.map(sleep, [0.1] + [0.0] * 30, range(31), buffersize=8)
    assert list(results) == list(range(31))


def test_an_exception_at_its_item(pool: Any) -> None:
    results = pool.map(divide_by, itertools.chain([4, 5, 0], itertools.repeat(10)), buffersize=2)
    assert (next(results), next(results)) == (25, 20)
    with pytest.raises(ZeroDivisionError):
        next(results)
    with pytest.raises(StopIteration):
        next(results)


def test_an_exception_of_the_iterable(pool: Any) -> None:
    def inputs() -> Iterator[int]:
        yield from range(5)
        raise LookupError("from the iterable")

    results = pool.map(double, inputs(), buffersize=2)
    with pytest.raises(LookupError, match="from the iterable"):
        list(results)
    assert pool.submit(double, 1).result() == 2


def test_after_shutdown_no_more_is_taken(hardwork_class: Any) -> None:
    pool = hardwork_class(1)
    results = pool.map(double, itertools.count(), buffersize=3)
    assert next(results) == 0
    pool.shutdown()
    with pytest.raises(RuntimeError):
        list(results)


def test_with_a_chunksize(pool: Any) -> None:
    assert list(pool.map(double, range(50), chunksize=4, buffersize=3)) == [2 * number for number in range(50)]
