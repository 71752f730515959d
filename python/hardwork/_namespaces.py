"""In a worker: the namespaces that functions which come by value live in, and what its initializer did to them."""

from __future__ import annotations

import contextlib
import functools
import importlib
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

from hardwork._picklers import is_interactive

# The namespace that `__main__` means in this process, where that is not the one of sys.modules["__main__"].
_main: dict[str, Any] | None = None
# Globals of `__main__` that the initializer has bound.
_initialized: set[str] = set()


def namespace(module_name: str) -> dict[str, Any]:
    """Finds the globals of a module's functions.

    Args:
        module_name: The module; imported if need be.

    Returns:
        The namespace itself.
    """
    if module_name == "__main__" and _main is not None:
        return _main
    module = importlib.import_module(module_name)
    if module.__name__ == "__mp_main__":
        return _imported_main(module)
    return vars(module)


def _imported_main(module: types.ModuleType) -> dict[str, Any]:
    # multiprocessing runs the script with runpy, and fills the module with a copy of what that gives back: the script's
    # functions still have the original, and there is no other way to it.
    for thing in vars(module).values():
        for function in vars(thing).values() if isinstance(thing, type) else (thing,):
            if isinstance(function, types.FunctionType):
                found: dict[str, Any] = function.__globals__
                if found.get("__name__") == module.__name__:
                    return found
    return vars(module)


def was_initialized(name: str) -> bool:
    """Tells whether this worker's initializer has bound a global of `__main__`.

    Args:
        name: The global's name.

    Returns:
        True if it has.
    """
    return name in _initialized


@contextlib.contextmanager
def initializing(initializer: Callable[..., object]) -> Iterator[None]:
    """Surrounds the initializer of a forked worker, and remembers what it does to the globals of `__main__`.

    It is the parent's own function and has the globals that were there at the fork. Functions that come by value later
    bring the parent's values of globals along, and these must not replace what the initializer has set.

    Args:
        initializer: The initializer.
    """
    global _main
    globals_ = getattr(_function(initializer), "__globals__", {})
    script_is_main = globals_.get("__name__") != "__main__" or globals_ is vars(sys.modules["__main__"])
    if not script_is_main:
        _main = globals_  # under a profiler, which is __main__ itself
    if script_is_main and not is_interactive():
        yield  # functions of __main__ go by reference
        return
    space = namespace("__main__")
    before = dict(space)
    yield
    _initialized.update(name for name, value in space.items() if name not in before or before[name] is not value)


def _function(thing: Any) -> Any:
    while isinstance(thing, functools.partial | types.MethodType):
        thing = thing.func if isinstance(thing, functools.partial) else thing.__func__
    return thing
