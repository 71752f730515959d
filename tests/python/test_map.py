"""Executor.map: order, laziness of the results, eagerness of the work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from helpers import Gate, add, describe_call, divide_by, double, identity, log, log_and_sleep, poll, read_lines, wait_at


def test_over_a_range(executor: Any) -> None:
    assert list(executor.map(double, range(1000))) == [2 * number for number in range(1000)]


@pytest.mark.parametrize("inputs", [range(0), range(5, -7, -3), range(2**70, 2**70 + 3), range(-3, 3)], ids=repr)
def test_over_ranges_of_all_kinds(executor: Any, inputs: range) -> None:
    assert list(executor.map(identity, inputs)) == list(inputs)


@pytest.mark.parametrize("kind", [list, tuple, iter, dict.fromkeys], ids=["list", "tuple", "iterator", "dictionary"])
def test_over_other_iterables(executor: Any, kind: Any) -> None:
    assert list(executor.map(double, kind(range(100)))) == [2 * number for number in range(100)]


def test_over_text_and_bytes(executor: Any) -> None:
    assert list(executor.map(identity, "häß")) == ["h", "ä", "ß"]
    assert list(executor.map(identity, b"\0\xff")) == [0, 255]


def test_over_nothing(executor: Any) -> None:
    assert list(executor.map(double, [])) == []


def test_several_iterables_end_with_the_shortest(executor: Any) -> None:
    assert list(executor.map(add, range(10), [100, 200, 300])) == [100, 201, 302]
    assert list(executor.map(add, range(10), [])) == []
    assert list(executor.map(describe_call, "ab", range(2), [None, 1.5])) == [
        (("a", 0, None), {}),
        (("b", 1, 1.5), {}),
    ]


def test_without_any_iterable(executor: Any) -> None:
    # zip() of nothing yields nothing: that is what the standard library does with it.
    assert list(executor.map(double)) == []


def test_items_may_be_of_any_kind(executor: Any) -> None:
    items = [None, 1, "a", [1, [2]], {"a": (1, 2)}, 2.5, b"x", 10**30, double]
    assert list(executor.map(identity, items)) == items


def test_in_order_whatever_ends_first(executor: Any, tmp_path: Any) -> None:
    path = str(tmp_path / "log")
    results = list(executor.map(log_and_sleep, [path] * 20, range(20), [0.1] + [0.0] * 19))
    assert results == list(range(20))


def test_returns_an_iterator(executor: Any) -> None:
    results = executor.map(double, range(3))
    assert iter(results) is results
    assert (next(results), next(results), next(results)) == (0, 2, 4)
    for _ in range(2):
        with pytest.raises(StopIteration):
            next(results)


def test_inputs_are_consumed_at_the_call(executor: Any) -> None:
    taken: list[int] = []

    def inputs() -> Iterator[int]:
        for number in range(50):
            taken.append(number)
            yield number

    results = executor.map(double, inputs())
    assert taken == list(range(50))
    assert list(results) == [2 * number for number in range(50)]


def test_changing_the_list_afterwards_changes_nothing(executor: Any, gate: Gate) -> None:
    blockers = [executor.submit(wait_at, gate) for _ in range(2)]
    inputs = list(range(200))
    results = executor.map(double, inputs)
    inputs.clear()
    gate.open()
    assert list(results) == [2 * number for number in range(200)]
    assert all(blocker.result() is None for blocker in blockers)


def test_everything_runs_though_nobody_iterates(executor: Any, tmp_path: Any) -> None:
    path = str(tmp_path / "log")
    results = executor.map(log, [path] * 100, range(100))
    poll(lambda: len(read_lines(path)) == 100)
    assert sorted(map(int, read_lines(path))) == list(range(100))
    assert list(results) == list(range(100))


def test_an_exception_comes_at_its_item_then_the_iterator_ends(executor: Any) -> None:
    results = executor.map(divide_by, [4, 5, 0, 10])
    assert (next(results), next(results)) == (25, 20)
    with pytest.raises(ZeroDivisionError) as caught:
        next(results)
    assert "divide_by" in str(caught.value.__cause__)
    with pytest.raises(StopIteration):
        next(results)
    assert executor.submit(double, 1).result() == 2


def test_an_exception_of_the_iterable_is_raised_at_the_call(executor: Any) -> None:
    def inputs() -> Iterator[int]:
        yield 1
        raise LookupError("from the iterable")

    with pytest.raises(LookupError, match="from the iterable"):
        executor.map(double, inputs())
    assert executor.submit(double, 1).result() == 2


def test_something_that_cannot_be_iterated(executor: Any) -> None:
    with pytest.raises(TypeError):
        executor.map(double, 5)


def test_two_maps_interleaved(executor: Any) -> None:
    first = executor.map(double, range(500))
    second = executor.map(identity, range(500))
    assert [(one, two) for one, two in zip(first, second, strict=True)] == [(2 * n, n) for n in range(500)]


def test_maps_and_submits_interleaved(executor: Any) -> None:
    results = executor.map(double, range(1000))
    futures = [executor.submit(identity, number) for number in range(100)]
    assert [future.result() for future in futures] == list(range(100))
    assert list(results) == [2 * number for number in range(1000)]


@pytest.mark.parametrize("chunksize", [1, 2, 7, 100, 5000])
def test_chunksize_changes_nothing_that_is_seen(executor: Any, chunksize: int) -> None:
    assert list(executor.map(double, range(1000), chunksize=chunksize)) == [2 * number for number in range(1000)]


def test_an_item_that_fails_with_a_chunksize(executor: Any) -> None:
    results = executor.map(divide_by, [4, 5, 0, 10, 20], chunksize=2)
    assert (next(results), next(results)) == (25, 20)
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_timeout(executor: Any, gate: Gate) -> None:
    results = executor.map(wait_at, [gate] * 3, range(3), timeout=0.2)
    with pytest.raises(TimeoutError):
        next(results)
    gate.open()
    assert executor.submit(double, 1).result() == 2


def test_timeout_that_is_long_enough(executor: Any) -> None:
    assert list(executor.map(double, range(100), timeout=100)) == [2 * number for number in range(100)]
