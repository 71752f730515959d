"""What is one object before the journey is one object after it."""

from __future__ import annotations

from typing import Any

import pytest
from helpers import identity


def same_twice(first: object, second: object) -> bool:
    return first is second


def keyword_is_first(first: object, *, key: object) -> bool:
    return first is key


def inner_same(pair: Any) -> bool:
    return pair[0] is pair[1]


def twice(value: Any) -> tuple[Any, Any]:
    return value, value


class Thing:
    pass


SHARED = [[], [1, 2], {}, {"a": 1}, set(), {1}, bytearray(b"x"), Thing()]


@pytest.mark.parametrize("value", SHARED, ids=lambda value: repr(value)[:20])
def test_one_argument_given_twice(pool: Any, value: Any) -> None:
    assert pool.submit(same_twice, value, value).result() is True
    assert pool.submit(keyword_is_first, value, key=value).result() is True


@pytest.mark.parametrize("value", SHARED, ids=lambda value: repr(value)[:20])
def test_one_object_twice_in_an_argument(pool: Any, value: Any) -> None:
    assert pool.submit(inner_same, [value, value]).result() is True
    assert pool.submit(inner_same, (value, value)).result() is True


@pytest.mark.parametrize("value", SHARED, ids=lambda value: repr(value)[:20])
def test_one_object_twice_in_a_result(pool: Any, value: Any) -> None:
    first, second = pool.submit(twice, value).result()
    assert first is second
    assert type(first) is type(value)


@pytest.mark.parametrize("kind", [list, dict], ids=["list", "dict"])
def test_equal_objects_stay_two(pool: Any, kind: Any) -> None:
    assert pool.submit(same_twice, kind(), kind()).result() is False
    first, second = pool.submit(identity, [kind(), kind()]).result()
    assert first is not second


def test_a_list_that_holds_itself(pool: Any) -> None:
    loop: list[Any] = [1]
    loop.append(loop)
    back = pool.submit(identity, loop).result()
    assert back[0] == 1
    assert back[1] is back


def test_a_dictionary_that_holds_itself(pool: Any) -> None:
    loop: dict[str, Any] = {}
    loop["self"] = loop
    back = pool.submit(identity, loop).result()
    assert back["self"] is back


def test_a_tuple_in_a_cycle(pool: Any) -> None:
    inner: list[Any] = []
    outer = (inner,)
    inner.append(outer)
    back = pool.submit(identity, outer).result()
    assert back[0][0] is back


def test_deep_nesting(pool: Any) -> None:
    deep: list[Any] = []
    for _ in range(200):
        deep = [deep]
    assert pool.submit(identity, deep).result() == deep


def test_the_function_sees_the_same_list_through_both_arguments(pool: Any) -> None:
    def append_through_the_first(first: list[int], second: list[int]) -> list[int]:
        first.append(1)
        return second

    numbers = [0]
    assert pool.submit(append_through_the_first, numbers, numbers).result() == [0, 1]


def test_in_items_of_a_map(pool: Any) -> None:
    shared = [1]
    pairs = [(shared, shared)] * 50 + [([1], [1])] * 50
    assert list(pool.map(inner_same, pairs)) == [True] * 50 + [False] * 50


def test_singletons(pool: Any) -> None:
    values = [None, True, False, ..., NotImplemented]
    assert all(back is value for back, value in zip(pool.submit(identity, values).result(), values, strict=True))
