"""Values of sizes around every limit on the way, and far beyond them."""

from __future__ import annotations

import array
import contextlib
import hashlib
import os
import pickle
from typing import Any

import hardwork
import numpy as np
import pytest
from helpers import identity

# Around what fits into a record itself, into a page, into 16 bits of length, and into a ring.
SIZES = [0, 1, 7, 8, 9, 23, 24, 25, 40, 41, 63, 64, 65, 4095, 4096, 4097, 65535, 65536, 65537, 1 << 20, 5 << 20]


def bytes_of(size: int) -> bytes:
    return (bytes(range(256)) * (size // 256 + 1))[:size]


@pytest.mark.parametrize("size", SIZES)
def test_bytes(pool: Any, size: int) -> None:
    data = bytes_of(size)
    assert pool.submit(bytes_of, size).result() == data
    assert pool.submit(identity, data).result() == data
    assert pool.submit(len, data).result() == size


@pytest.mark.parametrize("size", SIZES)
def test_text(pool: Any, size: int) -> None:
    for character in ("a", "ä", "☃", "\U0001f600"):
        assert pool.submit(identity, character * size).result() == character * size


@pytest.mark.parametrize("size", SIZES[:-2])
def test_lists(pool: Any, size: int) -> None:
    assert pool.submit(identity, list(range(size))).result() == list(range(size))


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview], ids=lambda kind: kind.__name__)
def test_20_megabytes(pool: Any, kind: Any) -> None:
    data = bytes_of(20_000_000)
    digest = hashlib.sha256(data).digest()
    if kind is not memoryview:
        back = pool.submit(identity, kind(data)).result()
        assert type(back) is kind
        assert hashlib.sha256(back).digest() == digest
    else:
        # pickle refuses views; as an argument one travels by value, as a result it is refused.
        assert pool.submit(len, memoryview(data)).result() == len(data)
        with pytest.raises(TypeError, match="memoryview"):
            pool.submit(memoryview, data).result()


def test_a_mutable_result_is_writable(pool: Any) -> None:
    back = pool.submit(bytearray, 3_000_000).result()
    back[0] = 255
    back.append(1)
    assert (back[0], len(back)) == (255, 3_000_001)


def test_a_mutable_argument_is_writable_in_the_worker(pool: Any) -> None:
    def fill(data: bytearray, numbers: Any) -> tuple[int, int]:
        data[:] = b"\1" * len(data)
        numbers += 1
        return sum(data), int(numbers.sum())

    data, numbers = bytearray(1_000_000), np.zeros(1_000_000, dtype=np.int64)
    assert pool.submit(fill, data, numbers).result() == (1_000_000, 1_000_000)
    assert sum(data) == 0
    assert numbers.sum() == 0


def test_a_50_megabyte_array_there_and_back(pool: Any) -> None:
    numbers = np.arange(6_250_000, dtype=np.float64)
    back = pool.submit(identity, numbers).result()
    assert back.dtype == numbers.dtype
    assert np.array_equal(back, numbers)
    back[0] = -1.0
    assert (back[0], numbers[0]) == (-1.0, 0.0)


ARRAYS = {
    "zero-dimensional": np.array(5.0),
    "empty": np.zeros((0, 3)),
    "fortran order": np.asfortranarray(np.arange(300_000).reshape(3, 100_000)),
    "not contiguous": np.arange(600_000)[::2],
    "negative strides": np.arange(300_000)[::-1],
    "structured": np.zeros(50_000, dtype=[("a", "i4"), ("b", "f8")]),
    "other byte order": np.arange(300_000, dtype=">i4"),
    "objects": np.array([1, "a", None, [2]], dtype=object),
    "text": np.array(["ä", "bc"] * 100_000),
    "booleans": np.arange(300_000) % 3 == 0,
    "dates": np.arange("2000-01-01", "2020-01-01", dtype="datetime64[D]"),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_of_all_kinds(pool: Any, name: str) -> None:
    numbers = ARRAYS[name]
    back = pool.submit(identity, numbers).result()
    assert (back.dtype, back.shape) == (numbers.dtype, numbers.shape)
    assert np.array_equal(back, numbers)
    assert pool.submit(lambda given: (given.shape, str(given.dtype)), numbers).result() == (
        numbers.shape,
        str(numbers.dtype),
    )


def test_a_read_only_array_stays_one(pool: Any) -> None:
    numbers = np.arange(300_000)
    numbers.flags.writeable = False
    there, back = pool.submit(lambda given: (given.flags.writeable, given), numbers).result()
    assert there is back.flags.writeable is pickled_flag(numbers)


def pickled_flag(numbers: Any) -> bool:
    """What pickle 5 with out-of-band buffers makes of it, which NumPy decides."""
    buffers: list[pickle.PickleBuffer] = []
    text = pickle.dumps(numbers, protocol=5, buffer_callback=buffers.append)
    return bool(pickle.loads(text, buffers=[buffer.raw() for buffer in buffers]).flags.writeable)


def test_several_large_values_at_once(pool: Any) -> None:
    arrays = [np.full(500_000, number, dtype=np.int64) for number in range(20)]
    futures = [pool.submit(identity, numbers) for numbers in arrays]
    for number, future in enumerate(futures):
        back = future.result()
        assert back[0] == back[-1] == number


def test_results_that_are_kept_stay_as_they_are(pool: Any) -> None:
    # Their memory must not be used again for others while they are alive.
    kept = [pool.submit(np.full, 200_000, number).result() for number in range(30)]
    for number in range(30):
        assert pool.submit(np.full, 200_000, -number).result()[0] == -number
    assert all((numbers == number).all() for number, numbers in enumerate(kept))


def test_results_outlive_the_pool(hardwork_class: Any) -> None:
    with hardwork_class(1) as pool:
        numbers = pool.submit(np.arange, 1_000_000).result()
        text = pool.submit(bytes_of, 3_000_000).result()
    assert numbers.sum() == 999_999 * 500_000
    assert text == bytes_of(3_000_000)


def test_a_map_of_large_and_small_items(pool: Any) -> None:
    items = [bytes_of(size) for size in (1, 3_000_000, 10, 70_000, 0, 1_000_000) * 5]
    assert list(pool.map(identity, items)) == items


def test_a_map_whose_results_are_large(pool: Any) -> None:
    for number, back in enumerate(pool.map(lambda number: np.full(100_000, number), range(60))):
        assert back[0] == back[-1] == number


def test_other_buffers(pool: Any) -> None:
    numbers = array.array("d", [1.5]) * 300_000
    assert pool.submit(identity, numbers).result() == numbers


@pytest.mark.parametrize("kind", ["executor", "pool"])
def test_a_value_is_not_kept_twice(kind: str) -> None:
    data = bytes(2_000_000)
    if kind == "executor":
        with hardwork.ProcessPoolExecutor(2) as executor:
            futures = [executor.submit(identity, data) for _ in range(6)]
            assert [future.result() for future in futures] == [data] * 6
    else:
        with hardwork.Pool(2) as pool:
            results = [pool.apply_async(identity, (data,)) for _ in range(6)]
            assert [result.get() for result in results] == [data] * 6
            pool.close()
            pool.join()
    # Whoever has the futures has the values. The memory of the workers, where the bytes had come, is gone.
    assert lanes_here() == 0


def lanes_here() -> int:
    links = []
    for entry in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            links.append(os.readlink(f"/proc/self/fd/{entry}"))
    return sum("hardwork-lane" in link for link in links)
