"""The ways to pickle: plainly, by value, and back from a worker; and which of them `__main__` needs."""

from __future__ import annotations

import builtins
import copyreg
import functools
import io
import os
import pickle
import sys
from collections.abc import Callable
from multiprocessing.reduction import ForkingPickler
from typing import Any

BufferCallback = Callable[[pickle.PickleBuffer], Any]

# Below this a copy into the pickle costs less than a record of its own.
_OUT_OF_BAND = 4096

CACHED_FUNCTION: Any = type(functools.lru_cache(lambda: None))

# What pickle raises for objects that it does not take; which one depends on the version and on the object.
REFUSALS = (pickle.PicklingError, AttributeError, TypeError)


def reducers() -> dict[Any, Any]:
    """Return all registered reducers. Read anew each time, since registering is possible at any time."""
    # What users register with multiprocessing goes before copyreg, as in ForkingPickler itself.
    return {**copyreg.dispatch_table, **ForkingPickler._extra_reducers}  # type: ignore[attr-defined]


def resolves(thing: Any) -> bool:
    """Tell whether the module and the qualified name that a function or class has lead to it."""
    found: Any = sys.modules.get(thing.__module__)
    try:
        for part in thing.__qualname__.split("."):
            found = getattr(found, part)
    except Exception:  # a module's own __getattr__ may raise anything
        return False
    return found is thing


def collector(buffers: list[pickle.PickleBuffer]) -> BufferCallback:
    """Return a callback that puts the large buffers into the list. True is its word for "into the pickle"."""

    def keep_in_band(buffer: pickle.PickleBuffer) -> bool:
        with memoryview(buffer) as view:
            # One with gaps has no raw bytes; pickle says so itself.
            if view.nbytes < _OUT_OF_BAND or not view.contiguous:
                return True
        buffers.append(buffer)
        return False

    return keep_in_band


def pickle_plainly(obj: object, callback: BufferCallback | None = None) -> bytes:
    """Pickle as multiprocessing does, with protocol 5."""
    # ForkingPickler itself does not take a buffer callback.
    file = io.BytesIO()
    pickler = pickle.Pickler(file, 5, buffer_callback=callback)
    pickler.dispatch_table = reducers()
    pickler.dump(obj)
    return file.getvalue()


def pickle_by_value(obj: object, callback: BufferCallback | None, main_by_reference: bool) -> bytes:
    """Pickle with cloudpickle."""
    from ._by_value import ByValuePickler  # cloudpickle is imported only by those who need it

    file = io.BytesIO()
    ByValuePickler(file, callback, reducers(), main_by_reference).dump(obj)
    return file.getvalue()


def pickle_back(obj: object, buffers: list[pickle.PickleBuffer] | None = None) -> bytes:
    """Pickle a result: plainly, but classes that came by value go back as references to the originals.

    Large buffers go into the list, if there is one.
    """
    callback = None if buffers is None else collector(buffers)
    by_value_known = "cloudpickle" in sys.modules  # else no class came by value
    refusal: Exception | None = None
    try:
        data = pickle_plainly(obj, callback)
        if not by_value_known or b"__main__" not in data:
            return data
    except REFUSALS as error:
        if not by_value_known:
            raise
        refusal = error
    from ._by_value import ReturningPickler

    if buffers is not None:
        buffers.clear()
    file = io.BytesIO()
    pickler = ReturningPickler(file, 5, buffer_callback=callback)
    pickler.dispatch_table = reducers()
    try:
        pickler.dump(obj)
    except Exception:
        if refusal is None:
            raise
        raise refusal from None
    return file.getvalue()


@functools.lru_cache(maxsize=8)
def _is_file(path: str) -> bool:
    return os.path.isfile(path)


def is_interactive() -> bool:
    """Tell whether `__main__` still grows: a prompt, `python -i`, IPython, a notebook."""
    return hasattr(sys, "ps1") or bool(sys.flags.interactive) or hasattr(builtins, "__IPYTHON__")


def main_by_reference(start_method: str | None = None) -> bool:
    """Tell whether a worker finds in its `__main__` what is in this process's.

    A forked worker does, having been one with this process, but not what was defined after that: so never in
    interactive sessions. Others do if multiprocessing can import the script; it does not even try for a package's
    `__main__` (see multiprocessing.spawn), and it fails for `-c` and standard input, which are no files.
    """
    if is_interactive():
        return False
    if start_method == "fork":
        return True
    main = sys.modules.get("__main__")
    spec_name = getattr(getattr(main, "__spec__", None), "name", None)
    if spec_name is not None:
        return spec_name != "__main__" and not spec_name.endswith(".__main__")
    path = getattr(main, "__file__", None)
    return isinstance(path, str) and _is_file(path)
