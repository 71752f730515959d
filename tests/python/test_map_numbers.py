"""Maps over numbers, which travel in a form of their own: what comes to the function is what was in the list."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest
from helpers import double

BIG = 2**63


class Number(int):
    """An int with a type of its own."""


INPUTS: dict[str, list[Any]] = {
    "ints": list(range(-5000, 5000)),
    "borders": [0, -1, 255, 256, 2**30 - 1, 2**30, -(2**30), 2**31, 2**32, BIG - 1, -BIG],
    "beyond 64 bits": [1, 2, BIG, 3, -BIG - 1, 2**200],
    "floats": [0.5 * i for i in range(5000)],
    "odd floats": [0.0, -0.0, math.inf, -math.inf, 5e-324, 1.7976931348623157e308],
    "ints, then floats": [*range(3000), *(float(i) for i in range(3000))],
    "floats, then ints": [1.5, 2.5, 3, 4],
    "bools among ints": [1, True, 0, False, 2],
    "None in the end": [*range(2000), None],
    "text in the middle": [*range(5000), "text", *range(5000)],
    "by turns": [1, 1.0, "1", None, b"1", (1,)] * 500,
    "another type": [1, Number(2), 3],
    "one": [7],
}


def describe(value: Any) -> tuple[str, Any]:
    return type(value).__name__, struct.pack("<d", value) if isinstance(value, float) else value


@pytest.mark.parametrize("name", INPUTS)
def test_arrive_as_they_are(executor: Any, name: str) -> None:
    assert list(executor.map(describe, INPUTS[name])) == [describe(value) for value in INPUTS[name]]


@pytest.mark.parametrize("name", INPUTS)
def test_of_a_pool(any_pool: Any, name: str) -> None:
    expected = [describe(value) for value in INPUTS[name]]
    assert any_pool.map(describe, INPUTS[name]) == expected
    assert list(any_pool.imap(describe, iter(INPUTS[name]))) == expected


def test_not_a_number_keeps_its_bits(executor: Any) -> None:
    payload = struct.unpack("<d", struct.pack("<Q", 0x7FF8000000000123))[0]
    assert list(executor.map(describe, [math.nan, payload])) == [describe(math.nan), describe(payload)]


def test_a_list_that_changes_after_the_call(executor: Any) -> None:
    numbers = list(range(10_000))
    results = executor.map(double, numbers)
    numbers[:] = [0]
    assert list(results) == [2 * number for number in range(10_000)]


def test_one_that_cannot_travel_among_numbers(own_pool: Any) -> None:
    inputs = [*range(1000), open, *range(1000)]  # a builtin travels by name
    assert len(own_pool.map(describe, inputs)) == 2001
    inputs[1000] = (i for i in range(3))
    with pytest.raises(TypeError, match="generator"):
        own_pool.map(describe, inputs)
    assert own_pool.map(double, [1, 2]) == [2, 4]


def test_rows_of_a_pool_stay_whole(own_pool: Any) -> None:
    assert own_pool.map(double, list(range(10_007)), chunksize=13) == [2 * number for number in range(10_007)]
