"""Exceptions as bytes, also of classes that pickle badly."""

from __future__ import annotations

import threading
from concurrent.futures.process import _RemoteTraceback
from typing import Any

import pytest
from hardwork import _pickling
from hardwork.errors import RemoteError


class TwoArguments(Exception):  # noqa: N818
    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code


class KeywordOnly(OSError):  # noqa: N818
    def __init__(self, *, path: str) -> None:
        super().__init__(2, "no such thing", path)


class HoldsALock(RuntimeError):  # noqa: N818
    def __init__(self, text: str) -> None:
        super().__init__(text, threading.Lock())
        self.lock = threading.Lock()
        self.text = text


class Hostile(Exception):  # noqa: N818
    def __reduce__(self) -> Any:
        raise RuntimeError("no")

    def __str__(self) -> str:
        raise RuntimeError("no text either")


class LoadsAsSomethingElse(Exception):  # noqa: N818
    def __reduce__(self) -> Any:
        return str, ("not an exception",)


def raised(exc: BaseException) -> BaseException:
    try:
        try:
            raise KeyError("the cause")
        except KeyError as cause:
            raise exc from cause
    except BaseException as caught:
        return caught


def travelled(exc: BaseException) -> BaseException:
    return _pickling.decode_exception(_pickling.encode_exception(raised(exc)))


def remote_text(exc: BaseException) -> str:
    assert type(exc.__cause__) is _RemoteTraceback
    return str(exc.__cause__)


@pytest.mark.parametrize(
    "exc",
    [
        ValueError("x"),
        KeyError(1),
        OSError(2, "no", "file"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
        SystemExit(3),
        KeyboardInterrupt(),
        ImportError("m", name="n", path="p"),
    ],
)
def test_exceptions_as_in_the_standard_library(exc: BaseException) -> None:
    exc.add_note("a note")
    result = travelled(exc)
    assert type(result) is type(exc)
    assert result.args == exc.args
    assert str(result) == str(exc)
    assert result.__notes__ == ["a note"]
    text = remote_text(result)
    assert text.startswith('\n"""\nTraceback')
    assert text.endswith('"""')
    for part in ("the cause", "in raised", "a note"):
        assert part in text
    assert exc.__traceback__ is None


def test_an_init_with_other_arguments_than_args() -> None:
    result = travelled(TwoArguments(404, "not found"))
    assert type(result) is TwoArguments
    assert str(result) == "404: not found"
    assert result.code == 404
    result = travelled(KeywordOnly(path="/x"))
    assert type(result) is KeywordOnly
    assert (result.errno, result.filename) == (2, "/x")
    assert "KeywordOnly" in remote_text(result)


def test_parts_that_cannot_be_pickled_are_left_out() -> None:
    result = travelled(HoldsALock("why"))
    assert type(result) is HoldsALock
    assert result.text == "why"
    assert result.args[0] == "why"
    assert "lock" in result.args[1]
    assert not hasattr(result, "lock")


def test_groups() -> None:
    result = travelled(ExceptionGroup("several", [ValueError(1), TwoArguments(1, "a")]))
    assert "TwoArguments" in remote_text(result)


def test_hostile_exceptions() -> None:
    result = travelled(Hostile("kept"))
    assert type(result) is Hostile
    assert result.args == ("kept",)
    result = travelled(LoadsAsSomethingElse("kept"))
    assert type(result) is LoadsAsSomethingElse
    assert result.args == ("kept",)


def test_a_class_that_nobody_can_import() -> None:
    class Local(Exception):  # noqa: N818
        pass

    result = travelled(Local("text"))
    assert type(result) is RemoteError
    assert "Local" in str(result)
    assert "text" in remote_text(result)


def test_an_exception_that_loads_only_in_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    data = _pickling.encode_exception(raised(TwoArguments(1, "b")))
    monkeypatch.delitem(globals(), "TwoArguments")
    result = _pickling.decode_exception(data)
    assert type(result) is RemoteError
    assert "1: b" in str(result)
    assert "in raised" in remote_text(result)
