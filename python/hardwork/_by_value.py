"""Objects that pickle refuses, by value: cloudpickle, with care for the namespaces that functions live in.

Left alone, cloudpickle gives every function that it rebuilds a namespace of its own, filled with copies. Then an
initializer's `global state` and the task that reads it see two different `state`. Here a rebuilt function lives in the
worker's module of the same name: an importable module is imported and nothing is copied; for a `__main__` that workers
cannot import, the globals that the function uses travel along and are put into the worker's `__main__`.
"""

from __future__ import annotations

import functools
import os
import pickle
import sys
import types
from collections.abc import Callable
from typing import Any

import cloudpickle
from cloudpickle import cloudpickle as _internals

from hardwork._namespaces import namespace, was_initialized
from hardwork._picklers import CACHED_FUNCTION, resolves

# The classes that cloudpickle knows by an id that is the same in all processes. Private, so their absence is survived.
_tracked_by_class: Any = getattr(_internals, "_DYNAMIC_CLASS_TRACKER_BY_CLASS", {})
_tracked_by_id: Any = getattr(_internals, "_DYNAMIC_CLASS_TRACKER_BY_ID", {})

# In the process that pickles: the object that each global of __main__ was last sent as, and how often it has changed.
# This keeps the object alive until the name is sent again: a few globals, and an address alone could be another's.
_sent: dict[str, tuple[object, int]] = {}
# In the process that unpickles: which change of which process's global was put into __main__ here.
_applied: dict[tuple[int, str], int] = {}


def registered_by_value(module_name: str) -> bool:
    """Tell whether the user asked cloudpickle to send this module, or a package around it, by value."""
    registry = cloudpickle.list_registry_pickle_by_value()
    while registry and module_name:
        if module_name in registry:
            return True
        module_name = module_name.rpartition(".")[0]
    return False


def home_of(function: types.FunctionType) -> str | None:
    """Return the name of the module that the function will find its globals in; None: they go with it as copies."""
    name = function.__globals__.get("__name__")
    if not isinstance(name, str):
        return None
    if name == "__main__":
        return name
    module = sys.modules.get(name)
    if module is None or vars(module) is not function.__globals__ or getattr(module, "__spec__", None) is None:
        return None  # made at run time: nobody else can import it
    return None if registered_by_value(name) else name


def carries_globals(function: types.FunctionType, main_by_reference: bool) -> bool:
    """Tell whether the values of globals travel with the function."""
    home = home_of(function)
    if home != "__main__":
        return home is None
    # Under `python -m cProfile` (3.11) the script's namespace is not that of sys.modules["__main__"].
    return not main_by_reference or function.__globals__ is not vars(sys.modules["__main__"])


class _Namespace(dict[str, Any]):
    """Stands for a module's namespace in a pickle. Not empty, so that cloudpickle does not add to it."""

    def __init__(self, module_name: str) -> None:
        super().__init__(__name__=module_name)

    def __reduce__(self) -> tuple[Any, ...]:
        return namespace, (self["__name__"],)


def _versions(found: dict[str, Any]) -> dict[str, tuple[int, Any]]:
    """Give each global a number that grows when the name is bound to another object."""
    result = {}
    for name, value in found.items():
        last, version = _sent.get(name, (None, 0))
        if version == 0 or last is not value:
            version += 1
            _sent[name] = value, version
        result[name] = version, value
    return result


def _restore_function(function: Any, state: tuple[Any, ...]) -> None:
    setter, original, globals_, sender = state
    setter(function, original)
    if sender == os.getpid():
        return  # here __main__ is the original, and may have moved on
    for name, (version, value) in globals_.items():
        # What the worker itself did to a global (an initializer, typically) stands until the sender rebinds it.
        known = _applied.get((sender, name), 0)
        if version > known:
            _applied[sender, name] = version
            if known or not was_initialized(name):
                function.__globals__[name] = value


def _restore_cached(function: Any, parameters: dict[str, Any]) -> Any:
    return functools.lru_cache(**parameters)(function)


class ByValuePickler(cloudpickle.Pickler):  # type: ignore[misc]  # has no annotations
    """cloudpickle's, with the user's reducers for multiprocessing and with namespaces kept."""

    def __init__(
        self,
        file: Any,
        buffer_callback: Callable[[pickle.PickleBuffer], Any] | None,
        reducers: dict[Any, Any],
        main_by_reference: bool,
    ) -> None:
        # Before the base class is initialised, which is when it looks at the table.
        self.dispatch_table = {**cloudpickle.Pickler.dispatch_table, **reducers}
        super().__init__(file, protocol=5, buffer_callback=buffer_callback)
        self._main_by_reference = main_by_reference

    def reducer_override(self, obj: Any) -> Any:
        """See the base class. Called for everything that is not of a basic type."""
        if (
            self._main_by_reference
            and isinstance(obj, type | types.FunctionType)
            and obj.__module__ == "__main__"
            and resolves(obj)
        ):
            return NotImplemented  # cloudpickle would always copy what is of __main__
        if type(obj) is CACHED_FUNCTION and (
            not resolves(obj) or (obj.__module__ == "__main__" and not self._main_by_reference)
        ):
            return _restore_cached, (obj.__wrapped__, obj.cache_parameters())
        return super().reducer_override(obj)

    def _dynamic_function_reduce(self, func: types.FunctionType) -> Any:
        home = home_of(func)
        if home is None:
            return super()._dynamic_function_reduce(func)
        self.globals_ref.setdefault(id(func.__globals__), _Namespace(home))
        make, arguments, state, _, _, setter = super()._dynamic_function_reduce(func)
        slots = state[1]
        carried = slots["__globals__"] if carries_globals(func, self._main_by_reference) else {}
        slots["__globals__"] = {}
        return make, arguments, (setter, state, _versions(carried), os.getpid()), None, None, _restore_function


def _tracked_class(tracker_id: str) -> type:
    found = _tracked_by_id.get(tracker_id)
    if found is None:
        raise pickle.UnpicklingError("the class of this object no longer exists in the process that sent it")
    return found  # type: ignore[no-any-return]


class ReturningPickler(pickle.Pickler):
    """For a worker: sends classes that came to it by value back as references to the originals.

    Without it an instance of a class of a notebook could travel to a worker, and an exception be raised there, but
    neither could come back.
    """

    def reducer_override(self, obj: Any) -> Any:
        """See the base class. Called for everything that is not of a basic type."""
        # A name in __main__ that leads to the class here need not do so there: under a profiler, for one.
        if isinstance(obj, type) and obj in _tracked_by_class and (obj.__module__ == "__main__" or not resolves(obj)):
            return _tracked_class, (_tracked_by_class[obj],)
        return NotImplemented
