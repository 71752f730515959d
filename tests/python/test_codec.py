"""The binding's own codec, through the functions that the extension module has for tests."""

from __future__ import annotations

import collections
import gc
import math
import random
import struct
from typing import Any

import pytest
from hardwork import _engine

encode = _engine._codec_encode
decode = _engine._codec_decode
encode_args = _engine._codec_encode_args
decode_args = _engine._codec_decode_args


def back(value: Any) -> Any:
    data = encode(value)
    assert data is not None, value
    return decode(data)


def same(a: Any, b: Any) -> bool:
    """Equal, and of equal types all the way down; NaN is NaN and -0.0 is not 0.0."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return struct.pack("d", a) == struct.pack("d", b)
    if isinstance(a, complex):
        return same(a.real, b.real) and same(a.imag, b.imag)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return same(list(a.items()), list(b.items()))
    return bool(a == b)


INTS = sorted(
    {s * (1 << n) + d for n in (0, 3, 4, 7, 8, 15, 16, 29, 30, 31, 32, 59, 60, 62, 63, 64, 65, 127, 128, 1000)
     for s in (-1, 1) for d in (-1, 0, 1)} | set(range(-300, 300))
)  # fmt: skip


@pytest.mark.parametrize("value", [None, True, False, 0.0, -0.0, 1.5, math.inf, -math.inf, math.nan, 1 - 2.5j])
def test_scalars(value: Any) -> None:
    assert same(back(value), value)


def test_ints_of_all_sizes() -> None:
    for value in INTS:
        assert same(back(value), value)
    assert back(7**30_000) == 7**30_000
    assert len(encode(5)) == 1
    assert len(encode(1000)) == 3


@pytest.mark.parametrize("length", [0, 1, 2, 15, 16, 17, 255, 256, 300, 4095, 4096, 70_000])
@pytest.mark.parametrize("char", ["a", "\0", "\xe9", "\x80", "€", "\ud800", "😀", "\U0010ffff"])
def test_strings(char: str, length: int) -> None:
    for value in (char * length, "x" + char * length, char * length + "ü"):
        assert same(back(value), value)
        assert same(back(["ab", value, 1]), ["ab", value, 1])  # at an odd address


@pytest.mark.parametrize("length", [0, 1, 15, 16, 255, 256, 5000, 3_000_000])
def test_bytes(length: int) -> None:
    value = random.Random(length).randbytes(length)
    assert same(back(value), value)
    assert same(back(bytearray(value)), bytearray(value))


@pytest.mark.parametrize(
    "value",
    [
        [],
        (),
        {},
        set(),
        frozenset(),
        [1, 2.5, "three", b"four", None, True, 5 + 6j],
        (1, (2, 3), [4], {5: 6}, {7}, frozenset({8})),
        {"b": 1, "a": [1, 2], (1, 2): "x", None: {}, 1.5: (), frozenset({1}): set()},
        {1, "two", b"three", (4, 5), frozenset({6}), None, 1.5},
        [[[[]]]],
        [[[()]]],
        list(range(-1000, 1000)),
        list(range(254)),
        list(range(255)),
        list(range(256)),
        [(i, str(i)) for i in range(1000)],
        [{"name": f"somebody's name {i}", "tags": [i]} for i in range(1000)],
        {(i, i + 1) for i in range(1000)},
        [bytearray(b"x"), bytearray(b"x")],
    ],
)
def test_containers(value: Any) -> None:
    assert same(back(value), value)


def test_a_million_ints() -> None:
    value = list(range(1_000_000))
    assert back(value) == value


class Int(int):
    pass


class Str(str):
    pass


class List(list[Any]):
    pass


@pytest.mark.parametrize(
    "value",
    [
        object(),
        Int(1),
        Str("a"),
        List(),
        collections.OrderedDict(),
        collections.namedtuple("P", "x")(1),
        range(3),
        memoryview(b"abc"),
        len,
        int,
        ...,
        NotImplemented,
        [1, [2, object()]],
        {1: Str("a")},
        {Int(1): 1},
        {Int(1)},
    ],
)
def test_everything_else_is_left_to_pickle(value: Any) -> None:
    assert encode(value) is None
    assert encode_args(1, value) is None


def test_depth() -> None:
    assert back([[[[1]]]]) == [[[[1]]]]
    assert encode([[[[[1]]]]]) is None
    assert encode([[[[bytearray()]]]]) is None


def test_a_container_that_occurs_twice_is_left_to_pickle() -> None:
    for shared in ([], {}, set(), bytearray(), (1, []), frozenset({1})):
        assert encode([shared, shared]) is None
        assert encode({1: shared, 2: (shared,)}) is None
        assert encode_args(shared, shared) is None
        assert encode_args(shared, [shared]) is None
        assert encode_args([shared], 1, {2: shared}) is None
    cycle: list[Any] = []
    cycle.append(cycle)
    assert encode(cycle) is None
    inner: list[Any] = []
    inner.append([inner])
    assert encode([inner]) is None


def test_one_variable_passed_twice() -> None:
    def call() -> Any:
        local = [1, 2]
        return encode_args(local, local)  # CPython 3.14 lends both, and counts one reference

    assert call() is None


def test_empty_tuples_are_one_object_anyway() -> None:
    assert back([(), (), [()]]) == [(), (), [()]]


def test_held_containers_are_searched_up_to_a_limit() -> None:
    held = [[i] for i in range(15)]
    assert back(held) == held
    held += [[0], [1]]
    alias = list(held)
    assert encode(held) is None  # 17 that somebody else refers to
    del alias
    assert back(held) == held


@pytest.mark.parametrize(
    "make", [lambda n: f"{n:020}", lambda n: f"é{n:020}", lambda n: b"%020d" % n, lambda n: "€" * 5000]
)
def test_a_long_text_stays_one_object(make: Any) -> None:
    text = make(1)
    result = back([text, 1, {"k": text}, (text,)])
    assert result == [text, 1, {"k": text}, (text,)]
    assert result[0] is result[2]["k"] is result[3][0]
    first, second = decode_args(encode_args(text, [text]))
    assert first is second[0]


def test_many_long_texts() -> None:
    texts = [f"text number {i:010}" for i in range(100)]
    value = [random.Random(1).choice(texts) for _ in range(5000)]
    assert back(value) == value


def test_huge_texts_are_not_multiplied() -> None:
    texts = [str(i) * 10_000 for i in range(16)]
    value = texts * 50
    data = encode(value)
    assert len(data) < 600_000
    result = decode(data)
    assert result == value
    assert all(a is b for a, b in zip(result[:16], result[16:32], strict=True))
    assert encode([str(i) * 10_000 for i in range(17)]) is None


def test_arguments() -> None:
    for args in ((), (1,), (1, "a", [2]), tuple(range(300))):
        assert same(decode_args(encode_args(*args)), args)
    with pytest.raises(ValueError, match="damaged"):
        decode_args(encode_args(1, 2, 3), 2)
    assert decode_args(encode_args(1, 2, 3), 3) == (1, 2, 3)


def test_the_collector_sees_what_it_has_to_see() -> None:
    assert not gc.is_tracked(back((1, "a", (2.5, None))))
    assert gc.is_tracked(back((1, [])))
    assert gc.is_tracked(back((1, ([],))))
    assert gc.is_tracked(back((1, {})))
    assert gc.is_tracked(back([1]))
