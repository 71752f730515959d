"""Functions as bytes that travel once, and how to notice that such bytes are stale."""

from __future__ import annotations

import copyreg
import functools
import sys
import types
from collections.abc import Hashable, Iterator
from typing import Any

from hardwork._picklers import CACHED_FUNCTION, REFUSALS, main_by_reference, pickle_by_value, pickle_plainly, resolves

_BY_NAME = (types.FunctionType, type, CACHED_FUNCTION)
_DESCRIPTORS = (types.MethodDescriptorType, types.WrapperDescriptorType, types.ClassMethodDescriptorType)


def _is_stateless(fn: Any) -> bool:
    """Tell whether the callable is a function in the wide sense, and not an object with a state of its own."""
    if isinstance(fn, _BY_NAME):
        return True
    if isinstance(fn, types.BuiltinFunctionType):
        # len has a module here, dict.fromkeys a class, [].append a list.
        return isinstance(fn.__self__, types.ModuleType | type)
    if isinstance(fn, _DESCRIPTORS):
        return True
    # Callable objects that are pickled by their name alone, such as numpy's ufuncs.
    reducer = copyreg.dispatch_table.get(type(fn))
    if reducer is None:
        return False
    try:
        return isinstance(reducer(fn), str)
    except Exception:
        return False


def _goes_by_value(fn: Any, start_method: str | None) -> bool:
    if not isinstance(fn, _BY_NAME):
        return False
    module = fn.__module__
    if module == "__main__" and not main_by_reference(start_method):
        return True
    if not resolves(fn):
        return True
    if "cloudpickle" not in sys.modules:
        return False
    from ._by_value import registered_by_value

    return registered_by_value(module)


def dumps_function(fn: Any, *, start_method: str | None = None) -> bytes | None:
    """Return bytes that stand for the function in every worker, for as long as its fingerprint stays the same.

    None for callables with state (bound methods, partials, instances): the state may be another at the next call, so
    they travel with each call like an argument.
    """
    if not _is_stateless(fn):
        return None
    if not _goes_by_value(fn, start_method):
        return pickle_plainly(fn)
    try:
        return pickle_by_value(fn, None, main_by_reference(start_method))
    except Exception as by_value_error:
        # What pickle says is what people know and search for. And if it does take the function, that is a chance.
        try:
            return pickle_plainly(fn)
        except REFUSALS as refusal:
            raise refusal from by_value_error


@functools.lru_cache(maxsize=1024)
def _names(code: types.CodeType) -> tuple[str, ...]:
    """Return all names that the code may look up in its globals; attributes' names are among them, harmlessly."""
    names = dict.fromkeys(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names.update(dict.fromkeys(_names(constant)))
    return tuple(names)


class Fingerprint:
    """Objects that a function depends on, compared by identity.

    It holds them, because the address of one that is gone could be that of the next.
    """

    __slots__ = ("_hash", "_parts")

    def __init__(self, parts: list[object]) -> None:
        self._parts = parts
        self._hash = hash(tuple(map(id, parts)))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Fingerprint):
            return NotImplemented
        mine, theirs = self._parts, other._parts
        return len(mine) == len(theirs) and all(a is b for a, b in zip(mine, theirs, strict=True))


_ABSENT = object()


def _dependencies(fn: types.FunctionType, by_reference: bool) -> Iterator[object]:
    """Yield what is copied when the function is sent."""
    from ._by_value import carries_globals

    yield fn.__code__
    # The tuple and the dict that hold the defaults can be replaced or, the dict, changed.
    yield from fn.__defaults__ or ()
    yield _ABSENT
    for name, default in (fn.__kwdefaults__ or {}).items():
        yield name  # interned, as all names in code
        yield default
    for cell in fn.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not filled yet
            yield _ABSENT
    if not carries_globals(fn, by_reference):
        return
    namespace = fn.__globals__
    for name in _names(fn.__code__):
        yield namespace.get(name, _ABSENT)


def function_fingerprint(fn: Any, *, start_method: str | None = None) -> Hashable | None:
    """Return what changes when the bytes of a by-value function are stale; None if it is by reference, for good.

    Identities only: a list that a function uses and that somebody appends to does not show. Following every object
    would cost as much as pickling it anew for each call, and a function of a module does not see such changes either.
    """
    if not _is_stateless(fn) or not _goes_by_value(fn, start_method):
        return None
    by_reference = main_by_reference(start_method)
    parts: list[object] = []
    seen: set[int] = set()
    pending: list[Any] = [fn]
    while pending:
        item = pending.pop()
        parts.append(item)
        if id(item) in seen:
            continue
        # Functions and classes that go along by value bring what they depend on.
        if isinstance(item, types.FunctionType):
            seen.add(id(item))
            if item is fn or _goes_by_value(item, start_method):
                pending.extend(_dependencies(item, by_reference))
        elif isinstance(item, type):
            seen.add(id(item))
            if _goes_by_value(item, start_method):
                # Getters of slots and of __dict__ are made with the class and go with it.
                pending.extend(value for value in vars(item).values() if not isinstance(value, str | None))
                pending.extend(item.__bases__)
        elif isinstance(item, staticmethod | classmethod):
            pending.append(item.__func__)
        elif isinstance(item, property):
            pending.extend((item.fget, item.fset, item.fdel))
        elif isinstance(item, CACHED_FUNCTION):
            seen.add(id(item))
            if _goes_by_value(item, start_method):
                pending.append(item.__wrapped__)
    return Fingerprint(parts)
