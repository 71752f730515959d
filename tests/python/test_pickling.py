"""Pickles of what the codec does not take."""

from __future__ import annotations

import copyreg
import functools
import os
import pickle
import threading
from multiprocessing.reduction import ForkingPickler
from typing import Any

import pytest
from hardwork import _pickling
from pickling_process import run


def through(obj: Any) -> Any:
    data, buffers = _pickling.dumps(obj)
    return _pickling.loads(data, buffers)


class Point:
    def __init__(self, x: int) -> None:
        self.x = x

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Point) and other.x == self.x

    __hash__ = None  # type: ignore[assignment]

    def method(self) -> int:
        return self.x

    def __call__(self) -> int:
        return self.x


def double(x: int) -> int:
    return 2 * x


@functools.lru_cache
def remembered(x: int) -> int:
    return x


STATE = "module"


# dumps, loads


def test_round_trip() -> None:
    for obj in (1, [Point(3)], {"a": Point, "b": double}, os.stat_result(range(10))):
        assert through(obj) == obj


def test_only_large_buffers_stay_out_of_band() -> None:
    small, large = bytearray(4095), bytearray(4096)
    data, buffers = _pickling.dumps([pickle.PickleBuffer(small), pickle.PickleBuffer(large), pickle.PickleBuffer(b"r")])
    assert [buffer.raw().nbytes for buffer in buffers] == [4096]
    assert _pickling.loads(data, buffers) == [small, large, b"r"]
    data, buffers = _pickling.dumps_result(pickle.PickleBuffer(large))
    assert len(buffers) == 1
    assert len(data) < 100
    # The attempt that fails leaves nothing behind.
    data, buffers = _pickling.dumps([pickle.PickleBuffer(large), lambda: 1])
    assert len(buffers) == 1
    assert _pickling.loads(data, buffers)[1]() == 1


def test_a_buffer_with_gaps_is_refused_by_pickle() -> None:
    with pytest.raises(pickle.PicklingError, match="contiguous"):
        _pickling.dumps(pickle.PickleBuffer(memoryview(bytes(20_000))[::2]))


def test_connections() -> None:
    # In a process of its own: the helper thread behind this stays until its end.
    printed = run(
        """
        a, b = multiprocessing.Pipe()
        sent = []
        for payload in (a, [a], [a, lambda: 1]):
            data, buffers = p.dumps(payload)
            loaded = p.loads(data, buffers)
            with loaded[0] if isinstance(loaded, list) else loaded as copy:
                copy.send("through a copy")
            sent.append(b.recv())
        print(sent == ["through a copy"] * 3)
        """
    )
    assert printed == "True"


def test_registered_reducers() -> None:
    class Odd:
        def __reduce__(self) -> Any:
            raise TypeError("cannot pickle this")

    try:
        ForkingPickler.register(Odd, lambda odd: (str, ("multiprocessing",)))
        assert through(Odd()) == "multiprocessing"
        assert through([Odd(), lambda: 1])[0] == "multiprocessing"
        del ForkingPickler._extra_reducers[Odd]
        copyreg.pickle(Odd, lambda odd: (str, ("copyreg",)))  # type: ignore[arg-type, return-value]
        assert through(Odd()) == "copyreg"
        assert through([Odd(), lambda: 1])[0] == "copyreg"
    finally:
        ForkingPickler._extra_reducers.pop(Odd, None)
        copyreg.dispatch_table.pop(Odd, None)


def test_what_pickle_refuses_goes_by_value() -> None:
    offset = 5

    class Local:
        value = 7

    assert through([lambda x: x + offset])[0](1) == 6
    assert through(Local()).value == 7
    assert through(Local) is Local


def test_the_first_error_is_raised() -> None:
    with pytest.raises(TypeError, match=r"^cannot pickle '_thread.lock' object$"):
        _pickling.dumps(threading.Lock())
    with pytest.raises((AttributeError, pickle.PicklingError), match="lambda") as caught:
        _pickling.dumps([lambda: 1, threading.Lock()])
    assert "cloudpickle says: TypeError" in caught.value.__notes__[-1]
    assert caught.value.__context__ is None


def test_the_users_own_errors_pass() -> None:
    class Broken:
        def __reduce__(self) -> Any:
            raise ZeroDivisionError("mine")

    for dumps in (_pickling.dumps, _pickling.dumps_result):
        with pytest.raises(ZeroDivisionError, match="mine"):
            dumps(Broken())


def test_results_do_not_go_by_value() -> None:
    data, buffers = _pickling.dumps_result(Point(4))
    assert _pickling.loads(data, buffers) == Point(4)
    through(lambda: 1)  # cloudpickle is there
    with pytest.raises((AttributeError, pickle.PicklingError), match="lambda"):
        _pickling.dumps_result(lambda: 1)
