"""S1 to S9: values that do not travel, or hardly."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from acts import throw
from hardwork import RemoteError
from helpers import double, identity, poll


class Unpicklable:
    """Its pickling fails as told."""

    def __init__(self, kind: type[BaseException]) -> None:
        self.kind = kind

    def __reduce__(self) -> Any:
        raise self.kind("at pickling")


class Unloadable:
    """Its unpickling fails."""

    def __reduce__(self) -> Any:
        return throw, (ValueError, "at unpickling")


def test_S1_argument_that_cannot_be_pickled(lab: Any) -> None:
    """That future fails, and its batch-mates run."""
    face = lab()
    face.innocents(50)
    calls = [face.submit(identity, threading.Lock()) for _ in range(3)]
    face.innocents(50)
    for call in calls:
        assert type(call.error()) is TypeError
        assert "lock" in str(call.error())


@pytest.mark.parametrize("kind", [ValueError, SystemExit, KeyboardInterrupt])
def test_S2_pickling_that_raises(lab: Any, kind: type[BaseException]) -> None:
    """The same; what is no Exception is raised where it was, at the call."""
    face = lab()
    face.innocents(20)
    try:
        error = face.submit(identity, Unpicklable(kind)).error()
    except BaseException as raised:
        error = raised
    assert type(error) is kind
    assert error.args == ("at pickling",)
    face.innocents(20)


class Slow:
    def __reduce__(self) -> Any:
        time.sleep(0.3)
        return str, ("slow",)


def test_S2_slow_pickling_holds_up_nobody(lab: Any) -> None:
    """Other threads' calls come and go meanwhile."""
    face = lab()
    face.warm()
    thread = threading.Thread(target=lambda: face.expect(face.submit(identity, Slow()), "slow"))
    thread.start()
    done = 0
    while thread.is_alive():
        assert face.call(double, done) == 2 * done
        done += 1
    thread.join()
    assert done > 10


def test_S2_pickling_that_changes_what_is_pickled(lab: Any) -> None:
    """One consistent state arrives, or an error; never a crash."""
    face = lab()
    for _ in range(20):
        victim: list[Any] = [1, 2, 3]
        victim.insert(1, Mutating(victim))
        value = face.submit(identity, victim)
        assert value.error() is None or isinstance(value.error(), Exception)
    face.innocents(20)


class Mutating:
    def __init__(self, victim: list[Any]) -> None:
        self.victim = victim

    def __reduce__(self) -> Any:
        del self.victim[2:]
        return str, ("mutated",)


def test_S3_argument_that_does_not_unpickle(lab: Any) -> None:
    """That exception comes to its future; the worker lives."""
    face = lab(workers=1)
    face.innocents(20)
    call = face.submit(identity, Unloadable())
    error = call.error()
    assert type(error) is ValueError
    assert error.args == ("at unpickling",)
    face.innocents(20)


def test_S4_result_that_cannot_be_pickled(lab: Any) -> None:
    """An error that names the type."""
    face = lab()
    call = face.submit(threading.Lock)
    face.innocents(20)
    assert "lock" in str(call.error())


def test_S5_result_that_does_not_unpickle(lab: Any) -> None:
    """That future only; raised by result()."""
    face = lab()
    face.innocents(20)
    call = face.submit(Unloadable)
    error = call.error()
    assert type(error) is ValueError
    assert error.args == ("at unpickling",)
    face.innocents(20)


class TwoArgumentsError(Exception):
    """Does not unpickle: __init__ takes what args do not hold."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first + second)


class HoldsError(Exception):
    """Has something that does not pickle."""


def raise_two() -> None:
    raise TwoArgumentsError("a", "b")


def raise_holding() -> None:
    error = HoldsError("with a lock")
    error.lock = threading.Lock()  # type: ignore[attr-defined]
    raise error


def raise_with_cause() -> None:
    try:
        raise KeyError("cause")
    except KeyError as cause:
        error = ValueError("effect")
        error.add_note("a note")
        raise error from cause


def raise_group() -> None:
    raise ExceptionGroup("several", [ValueError("one"), TypeError("two")])


def test_S6_exceptions_that_do_not_travel(lab: Any) -> None:
    """Their own type where possible, else an error with type name, text and traceback."""
    face = lab()
    for function, name, text in ((raise_two, "TwoArgumentsError", "ab"), (raise_holding, "HoldsError", "with a lock")):
        error = face.submit(function).error()
        assert type(error).__name__ == name or isinstance(error, RemoteError)
        assert name in repr(error) or name in str(error)
        assert text in str(error)
        assert function.__name__ in str(error.__cause__) or function.__name__ in str(error)
    error = face.submit(raise_with_cause).error()
    assert type(error) is ValueError
    assert error.args == ("effect",)
    assert error.__notes__ == ["a note"]
    assert "cause" in str(error.__cause__)
    error = face.submit(raise_group).error()
    assert type(error) is ExceptionGroup
    assert [type(one) for one in error.exceptions] == [ValueError, TypeError]
    face.innocents(20)


RING = 32 * 1024  # a result up to this travels in the ring


@pytest.mark.parametrize("size", [0, 1, RING - 40, *range(RING - 12, RING + 3), 10 * RING, 256 * 1024])
def test_S7_results_around_the_rings_sizes(lab: Any, size: int) -> None:
    """The right bytes."""
    face = lab()
    for _ in range(10):
        face.expect(face.submit(bytes_of, size), bytes_of(size))


def bytes_of(size: int) -> bytes:
    return bytes(i % 251 for i in range(251)) * (size // 251) + bytes(size % 251)


def memory_available() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


def test_S8_more_than_two_gigabytes(lab: Any) -> None:
    """2 GiB and 5 bytes there, and back: right, to the last byte."""
    if memory_available() < 12 << 30:
        pytest.skip("needs 12 GB of free memory")
    face = lab(workers=1)
    data = np.zeros((2 << 30) + 5, dtype=np.uint8)
    data[0], data[-1] = 1, 2
    back = face.call(plus_one, data)
    assert (back.shape, back[0], back[1], back[-1]) == (data.shape, 2, 1, 3)
    del back


def test_S8_no_more_than_one_extra_copy(lab: Any) -> None:
    """On each side, and each way: what is sent is copied once into shared memory, and once out of it."""
    face = lab(workers=1)
    size = 200 << 20
    slack = 60 << 20
    data = np.zeros(size, dtype=np.uint8) + np.uint8(1)
    there, here = face.call(peak_begins), peak_begins()
    # Not by way of a callback, whose thread may decode the same result in the same moment.
    executor = face.kind == "executor"
    back = face.pool.submit(plus_one, data).result() if executor else face.pool.apply(plus_one, (data,))
    # The result is the program's own; beside it the argument's copy and the result's lie in shared memory.
    assert peak() - here <= 3 * size + slack
    # The argument, the result, and both copies.
    assert face.call(peak) - there <= 4 * size + slack
    assert back[0] == 2
    del back


def peak_begins() -> int:
    Path("/proc/self/clear_refs").write_text("5")
    return peak()


def peak() -> int:
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) * 1024


def plus_one(data: Any) -> Any:
    return data + np.uint8(1)


ARRAYS = {
    "not contiguous": np.arange(200_000, dtype=float).reshape(400, 500)[::2, ::3],
    "Fortran": np.asfortranarray(np.arange(100_000).reshape(100, 1000)),
    "0-d": np.array(7.5),
    "object": np.array([{"a": 1}, None, "text"], dtype=object),
    "empty": np.empty((0, 5)),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_S8_arrays_of_all_kinds(lab: Any, name: str) -> None:
    """Right, also where they are not contiguous, read-only, 0-d or of objects."""
    face = lab()
    array = ARRAYS[name].copy(order="K")
    array.flags.writeable = False
    back = face.call(identity, array)
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert np.array_equal(back, array)


def test_S9_a_million_tiny_tasks(lab: Any) -> None:
    """Bounded memory, and every result in its place: a map, and a million of single calls."""
    face = lab()
    count = 1_000_000
    before = peak_begins()
    results = face.map(double, range(count))
    assert all(value == 2 * number for number, value in enumerate(results))
    assert peak() - before < 200 * count
    before = peak_begins()
    if face.kind == "executor":
        calls = [face.pool.submit(double, number) for number in range(count)]
        assert all(call.result() == 2 * number for number, call in enumerate(calls))
    else:
        calls = [face.pool.apply_async(double, (number,)) for number in range(count)]
        assert all(call.get() == 2 * number for number, call in enumerate(calls))
    # The future, its result and its place in the list; the standard library has some 2 KB for each.
    assert peak() - before < 600 * count
    assert face.pool.stats().done >= 2 * count


def test_S9_infinite_input(lab: Any) -> None:
    """With buffersize only so many are taken ahead."""
    face = lab()
    taken = 0

    def numbers() -> Iterator[int]:
        nonlocal taken
        while True:
            taken += 1
            yield taken

    if face.kind == "executor":
        results = face.pool.map(double, numbers(), buffersize=100)
    else:
        results = face.pool.imap(double, numbers(), buffersize=100)
    assert [next(results) for _ in range(1000)] == [2 * number for number in range(1, 1001)]
    poll(lambda: 1000 <= taken <= 1101)
    face.endless = True


def test_S9_input_that_raises_in_the_middle(lab: Any) -> None:
    """The error in its place: at the call for an executor, as for the standard one; at item k of an imap."""
    face = lab()

    def numbers() -> Iterator[int]:
        yield from range(1000)
        raise LookupError("no more")

    if face.kind == "executor":
        with pytest.raises(LookupError):
            face.pool.map(double, numbers())
    else:
        results = face.pool.imap(double, numbers())
        assert [next(results) for _ in range(1000)] == [2 * number for number in range(1000)]
        with pytest.raises(LookupError):
            next(results)
    face.innocents(20)
