"""Exceptions as bytes: with the worker's traceback, and whatever their class does to pickle."""

from __future__ import annotations

import contextlib
import pickle
import traceback
from concurrent.futures.process import _RemoteTraceback  # what users see there
from typing import Any

from hardwork._picklers import pickle_back

_Description = tuple[str, str, str, bytes | None]


def _message(exc: BaseException) -> str:
    try:
        return "".join([str(exc)])  # of exact type, which str() does not promise
    except Exception:
        return f"<str() of {type(exc).__name__} failed>"


def _text(exc: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(type(exc), exc, exc.__traceback__))
    except Exception:  # a class whose attributes raise
        return f"{''.join(traceback.format_tb(exc.__traceback__))}{type(exc).__name__}: {_message(exc)}\n"


def _survives(data: bytes, kind: type) -> bool:
    """Try in the worker what the parent will do: many classes pickle well and then cannot be made again."""
    try:
        return type(pickle.loads(data)) is kind
    except Exception:
        return False


def _travels(value: object) -> bool:
    try:
        pickle.loads(pickle_back(value))
    except Exception:
        return False
    return True


def _built_in_base(kind: type[BaseException]) -> Any:
    return next(base for base in kind.__mro__ if base.__module__ == "builtins")


def _rebuild_without_init(kind: type[BaseException], args: tuple[Any, ...], state: Any) -> BaseException:
    base = _built_in_base(kind)
    exc: BaseException = base.__new__(kind, *args)
    base.__init__(exc, *args)  # OSError, among others, is not complete before
    if state:
        base.__setstate__(exc, state)
    return exc


class _Rebuilt:
    """Pickles as a call of _rebuild_without_init."""

    def __init__(self, *arguments: Any) -> None:
        self._arguments = arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild_without_init, self._arguments


def _pickled(exc: BaseException) -> bytes | None:
    """Return a pickle of the exception that is known to load; None if there is none."""
    kind = type(exc)
    with contextlib.suppress(Exception):
        data = pickle_back(exc)
        if _survives(data, kind):
            return data
    # Its own way does not work (an __init__ with other arguments than `args`, an attribute that cannot be pickled):
    # the built-in base knows how to save the rest, and the class's own code is left out.
    with contextlib.suppress(Exception):
        reduced = _built_in_base(kind).__reduce__(exc)
        args = tuple(arg if _travels(arg) else _shown(arg) for arg in reduced[1])
        state = reduced[2] if len(reduced) > 2 and isinstance(reduced[2], dict) else {}
        data = pickle_back(_Rebuilt(kind, args, {name: value for name, value in state.items() if _travels(value)}))
        if _survives(data, kind):
            return data
    return None


def _shown(value: object) -> str:
    try:
        return repr(value)
    except Exception:
        return f"<repr() of {type(value).__name__} failed>"


def encode_exception(exc: BaseException) -> bytes:
    """Return bytes for decode_exception. Never raises an Exception, whatever the exception is.

    Takes the traceback off it: frames hold all that the task had, and the worker lives on.
    """
    kind = type(exc)
    text = _text(exc)  # with its notes, causes and contexts: none of these but the notes travels as an object
    exc.__traceback__ = None
    description: _Description = (f"{kind.__module__}.{kind.__qualname__}", _message(exc), text, _pickled(exc))
    return pickle.dumps(description, 5)


def decode_exception(data: bytes, remote: Any = _RemoteTraceback) -> BaseException:
    """Return the exception, caused by the text of its traceback as in the standard library.

    Where its own type cannot be had it is a hardwork.RemoteError with the type's name. remote makes a cause of the
    text: multiprocessing.pool has a class of its own for that.
    """
    type_name, message, text, pickled = pickle.loads(data)
    exc: BaseException | None = None
    if pickled is not None:
        with contextlib.suppress(Exception):  # it did load in the worker; this process may lack what that has
            loaded = pickle.loads(pickled)
            exc = loaded if isinstance(loaded, BaseException) else None
    if exc is None:
        from hardwork.errors import RemoteError

        exc = RemoteError(type_name, message, text)
    exc.__cause__ = remote(f'\n"""\n{text}"""')
    return exc
