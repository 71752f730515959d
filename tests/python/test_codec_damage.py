"""The binding's own codec on bytes that no encoder wrote, and on what must not leak."""

from __future__ import annotations

import gc
import random
import sys
from typing import Any

import pytest
from hardwork import _engine

encode = _engine._codec_encode
decode = _engine._codec_decode
decode_args = _engine._codec_decode_args

SAMPLES = [
    [1, 300, 70_000, 1 << 40, 1 << 80, 1.5, 2j, "short", "é", b"abc", None],
    ["a long text of some length", "a long text of some length é", b"some bytes, more than sixteen"] * 2,
    {"a": (1, 2), "b": {3, 4}, (5, 6): frozenset({"x" * 20}), "c": bytearray(b"xyz")},
    [(i, f"number {i:010}") for i in range(40)],
    ["€" * 40, "😀" * 40, "😀"],
]


@pytest.mark.parametrize("sample", SAMPLES)
def test_truncated_records(sample: Any) -> None:
    data = encode(sample)
    for size in range(len(data)):
        with pytest.raises(ValueError, match=r"^hardwork: damaged record$"):
            decode(data[:size])


@pytest.mark.parametrize("sample", SAMPLES)
def test_damaged_records(sample: Any) -> None:
    generator = random.Random(0)
    data = encode(sample)
    for _ in range(5_000):
        damaged = bytearray(data)
        for _ in range(generator.randint(1, 4)):
            damaged[generator.randrange(len(damaged))] = generator.choice((0, 1, 255, generator.randrange(256)))
        try:
            repr(decode(bytes(damaged)))
        except ValueError as error:
            assert str(error).startswith("hardwork: ")  # noqa: PT017
        try:
            decode_args(b"\x02" + damaged)
        except ValueError as error:
            assert str(error).startswith("hardwork: ")  # noqa: PT017


def test_noise() -> None:
    generator = random.Random(1)
    for _ in range(30_000):
        noise = bytes(generator.choices(range(32), k=generator.randint(1, 12))) + generator.randbytes(8)
        try:
            repr(decode(noise))
        except ValueError as error:
            assert str(error).startswith("hardwork: ")  # noqa: PT017


def test_nothing_leaks() -> None:
    objects = [object(), "a text that is long enough", b"bytes that are long enough", 1 << 70, 2.5]

    def exercise() -> None:
        for sample in SAMPLES:
            data = encode(sample)
            decode(data)
            for size in range(0, len(data), 7):
                with pytest.raises(ValueError):
                    decode(data[:size])
                with pytest.raises(ValueError):
                    decode_args(b"\x03\x31" + data[:size])
        encode(objects)
        encode([objects[1:], {objects[1]: objects[2]}, {objects[1], (objects[2], 1)}])

    exercise()
    counts = [sys.getrefcount(item) for item in objects]
    gc.collect()
    before = sys.getallocatedblocks()
    for _ in range(20):
        exercise()
    gc.collect()
    assert abs(sys.getallocatedblocks() - before) < 200
    assert [sys.getrefcount(item) for item in objects] == counts


def test_a_finalizer_that_empties_what_is_being_encoded() -> None:
    """Up to CPython 3.11 the collector can run while a set is walked."""

    class Trap:
        def __del__(self) -> None:
            victim.clear()

    thresholds = gc.get_threshold()
    for count in range(40):
        victim: list[Any] = [[{1, 2, (3, 4)}, "x"] for _ in range(40)]
        trap = Trap()
        trap.__dict__["self"] = trap
        del trap
        gc.set_threshold(count + 1)
        try:
            data = encode(victim)
        finally:
            gc.set_threshold(*thresholds)
        assert data is None or len(decode(data)) in {0, 40}
        gc.collect()
