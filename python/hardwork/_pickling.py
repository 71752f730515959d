"""How what the binding's own codec does not take becomes bytes, and comes back."""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from typing import Any

from hardwork._exceptions import decode_exception, encode_exception
from hardwork._functions import dumps_function, function_fingerprint
from hardwork._picklers import REFUSALS, collector, main_by_reference, pickle_back, pickle_by_value, pickle_plainly

__all__ = [
    "decode_exception",
    "dumps",
    "dumps_function",
    "dumps_result",
    "encode_exception",
    "function_fingerprint",
    "loads",
    "main_by_reference",
]


def dumps(obj: object, *, start_method: str | None = None) -> tuple[bytes, list[pickle.PickleBuffer]]:
    """Pickle what goes to a worker: by reference where it can be, by value where pickle refuses."""
    buffers: list[pickle.PickleBuffer] = []
    refusal: Exception | None = None
    try:
        data = pickle_plainly(obj, collector(buffers))
        # Every global is named in full in a pickle. Bytes that are there for another reason do no harm.
        if b"__main__" not in data or main_by_reference(start_method):
            return data, buffers
    except REFUSALS as error:
        refusal = error
    again: list[pickle.PickleBuffer] = []
    try:
        return pickle_by_value(obj, collector(again), main_by_reference(start_method)), again
    except Exception as error:
        if refusal is None:
            return data, buffers
        if str(error) != str(refusal):
            refusal.add_note(f"cloudpickle says: {type(error).__name__}: {error}")
    # Outside the handler, so that nothing of the second attempt shows in the first one's traceback.
    try:
        raise refusal
    finally:
        refusal = None  # it refers to this frame


def dumps_result(obj: object) -> tuple[bytes, list[pickle.PickleBuffer]]:
    """Pickle what comes back from a worker. A result that pickle refuses is an error, as in the standard library."""
    buffers: list[pickle.PickleBuffer] = []
    try:
        return pickle_back(obj, buffers), buffers
    except Exception as error:
        # The error's own text seldom says what was being pickled ("cannot pickle '_thread.lock' object").
        error.add_note(f"the task ended, but its result of type {type(obj).__qualname__} cannot be pickled")
        raise


def loads(data: Any, buffers: Iterable[Any] = ()) -> Any:
    """Return the object of `dumps` or `dumps_result`; the data may be any buffer."""
    return pickle.loads(data, buffers=buffers)
