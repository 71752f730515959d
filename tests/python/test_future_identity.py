"""A future is what the standard library's is, for everything that looks at it."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from concurrent.futures import Future, InvalidStateError
from typing import Any

import pytest
from helpers import Gate, divide_by, double, wait_at


def test_isinstance(executor: Any) -> None:
    future = executor.submit(double, 1)
    assert isinstance(future, Future)
    assert issubclass(type(future), Future)


def test_equality_and_hash_are_by_identity(executor: Any) -> None:
    first, second = executor.submit(double, 1), executor.submit(double, 1)
    assert first == first
    assert first != second
    assert len({first, second, first}) == 2


def test_weak_references(executor: Any) -> None:
    future = executor.submit(double, 1)
    future.result()
    reference = weakref.ref(future)
    assert reference() is future
    del future
    gc.collect()
    assert reference() is None


def test_weak_keys(executor: Any) -> None:
    names = weakref.WeakKeyDictionary({executor.submit(double, 1): "gone"})
    kept = executor.submit(double, 2)
    names[kept] = "kept"
    executor.shutdown()
    gc.collect()
    assert list(names.values()) == ["kept"]


def test_attributes_of_ones_own(executor: Any) -> None:
    future = executor.submit(double, 4)
    future.label = "mine"
    assert future.label == "mine"
    assert vars(future)["label"] == "mine"
    assert future.result() == 8
    assert future.label == "mine"
    del future.label
    with pytest.raises(AttributeError):
        _ = future.label


def test_a_cycle_through_an_attribute_is_collected(executor: Any) -> None:
    class Witness:
        pass

    future = executor.submit(double, 4)
    future.result()
    witness = Witness()
    witness.future = future  # type: ignore[attr-defined]
    future.witness = witness
    reference = weakref.ref(witness)
    del future, witness
    gc.collect()
    assert reference() is None


def test_a_cycle_through_its_result_is_collected(executor: Any) -> None:
    future = executor.submit(list, [1])
    future.result().append(future)
    reference = weakref.ref(future)
    del future
    gc.collect()
    assert reference() is None


def test_pickling_and_copying_raise(executor: Any) -> None:
    future = executor.submit(double, 1)
    with pytest.raises(TypeError):
        pickle.dumps(future)
    with pytest.raises(TypeError):
        copy.deepcopy(future)


def test_repr_follows_the_state(executor: Any, gate: Gate) -> None:
    futures = [executor.submit(wait_at, gate) for _ in range(20)]
    assert "state=pending" in repr(futures[-1])
    futures[-1].cancel()
    assert "state=cancelled" in repr(futures[-1])
    gate.open()
    futures[0].result()
    assert "state=finished returned NoneType" in repr(futures[0])
    failing = executor.submit(divide_by, 0)
    failing.exception()
    assert "state=finished raised ZeroDivisionError" in repr(failing)
    assert repr(failing).startswith("<")
    assert "Future at 0x" in repr(failing)


def test_setting_a_result_by_hand_afterwards(executor: Any) -> None:
    future = executor.submit(double, 1)
    future.result()
    with pytest.raises(InvalidStateError):
        future.set_result(5)
    with pytest.raises(InvalidStateError):
        future.set_exception(ValueError())
    assert future.result() == 2


def test_generic_alias() -> None:
    from helpers import class_of

    with class_of("hardwork")(1) as pool:
        kind = type(pool.submit(double, 1))
    assert kind[int] is not None  # type: ignore[index]


def test_the_parts_that_others_read(executor: Any) -> None:
    # asyncio, joblib and dask look at these.
    future = executor.submit(double, 4)
    with future._condition:
        assert future._state in {"PENDING", "RUNNING", "FINISHED"}
    assert future.result() == 8
    assert future._state == "FINISHED"
    assert future._result == 8
    assert future._exception is None
    assert future._waiters == []
