"""What the codec does not take: pickles, functions, exceptions. Other processes are played by plain subprocesses."""

from __future__ import annotations

import copyreg
import functools
import math
import operator
import os
import pickle
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from concurrent.futures.process import _RemoteTraceback
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

import pytest
from hardwork import _pickling
from hardwork.errors import RemoteError

PRELUDE = """
import os, pickle, sys
from hardwork import _pickling as p
import multiprocessing
def in_worker(*calls):
    # A worker without this __main__: runs functions by their bytes, in order; returns the results through pickles.
    import subprocess
    code = '''
import sys, pickle
from hardwork import _pickling as p
out = []
for function, arguments, buffers in pickle.load(sys.stdin.buffer):
    try:
        out.append((True, p.dumps_result(p.loads(function)(*p.loads(arguments, buffers)))[0]))
    except BaseException as error:
        out.append((False, p.encode_exception(error)))
pickle.dump(out, sys.stdout.buffer)
'''
    items = []
    for function, *arguments in calls:
        data, buffers = p.dumps(tuple(arguments))
        items.append((p.dumps_function(function), data, [bytes(b) for b in buffers]))
    done = subprocess.run([sys.executable, "-c", code], input=pickle.dumps(items), stdout=subprocess.PIPE, check=True)
    return [p.loads(data) if good else p.decode_exception(data) for good, data in pickle.loads(done.stdout)]
"""


def run(source: str, *, how: str = "-c", tmp_path: Path | None = None, flags: tuple[str, ...] = ()) -> str:
    """Run the source as another interpreter's __main__; it ends with a print."""
    source = PRELUDE + textwrap.dedent(source)
    text = None
    command = [sys.executable, *flags]
    if how == "-c":
        command += ["-c", source]
    elif how == "stdin":
        text = source
    else:
        assert tmp_path is not None
        script = tmp_path / "script.py"
        script.write_text(source)
        command.append(str(script))
    done = subprocess.run(command, input=text or "", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


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
    assert "cloudpickle says: TypeError" in caught.value.__notes__[0]
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


# Functions


@pytest.mark.parametrize(
    "fn",
    [double, Point, len, math.sqrt, str.upper, dict.fromkeys, operator.add, remembered, Point.method, ValueError, int],
)
def test_functions_by_reference(fn: Callable[..., Any]) -> None:
    data = _pickling.dumps_function(fn)
    assert data is not None
    assert pickle.loads(data) == fn
    assert len(data) < 150
    assert _pickling.function_fingerprint(fn) is None


@pytest.mark.parametrize("fn", [Point(1), Point(1).method, functools.partial(double, 1), [].append, "a".join])
def test_callables_with_state_travel_each_time(fn: Callable[..., Any]) -> None:
    assert _pickling.dumps_function(fn) is None
    assert _pickling.function_fingerprint(fn) is None


def test_ufuncs_by_reference() -> None:
    pytest.importorskip("numpy")
    printed = run("import numpy; print(p.loads(p.dumps_function(numpy.sin)) is numpy.sin)")  # it leaves threads
    assert printed == "True"


def test_functions_by_value() -> None:
    seven = 7
    data = _pickling.dumps_function(lambda x: x + seven)
    assert data is not None
    assert pickle.loads(data)(1) == 8


def test_an_unpicklable_closure_gives_pickles_error() -> None:
    lock = threading.Lock()
    with pytest.raises((AttributeError, pickle.PicklingError), match="lambda"):
        _pickling.dumps_function(lambda: lock)


def test_a_lambda_of_a_module_uses_that_modules_globals(monkeypatch: pytest.MonkeyPatch) -> None:
    data = _pickling.dumps_function(lambda: STATE)
    assert data is not None
    copy = pickle.loads(data)
    monkeypatch.setitem(globals(), "STATE", "changed")
    assert copy() == "changed"


def test_fingerprints_change_with_what_is_copied() -> None:
    def make() -> Any:
        cell = 1000

        def fn(x: int = 2000, *, y: int = 3000) -> int:
            return x + y + cell

        def set_cell(value: int) -> None:
            nonlocal cell
            cell = value

        return fn, set_cell

    fn, set_cell = make()
    seen = [_pickling.function_fingerprint(fn)]
    assert seen[0] is not None
    assert seen[0] == _pickling.function_fingerprint(fn)
    assert hash(seen[0]) == hash(_pickling.function_fingerprint(fn))
    for change in (
        lambda: set_cell(-1),
        lambda: setattr(fn, "__defaults__", (-2,)),
        lambda: fn.__kwdefaults__.update(y=-3),
        lambda: setattr(fn, "__code__", make()[0].__code__.replace(co_name="other")),
    ):
        change()
        now = _pickling.function_fingerprint(fn)
        assert now is not None
        assert now not in seen
        assert now == _pickling.function_fingerprint(fn)
        seen.append(now)
    assert seen[0] != "something else"


def test_fingerprints_of_made_up_namespaces() -> None:
    source = "X = 1000\ndef f(): return g() + X\ndef g(): return Y\nY = 2000\nclass C:\n  def m(self): return f()\n"
    for name in ("f", "C"):
        namespace: dict[str, Any] = {"__name__": "made_up"}
        exec(source, namespace)
        seen = [_pickling.function_fingerprint(namespace[name])]
        for change in ("X = 1001", "Y = 2001", "def g(): return X", "unrelated = 1"):
            exec(change, namespace)
            now = _pickling.function_fingerprint(namespace[name])
            assert (now in seen) == (change == "unrelated = 1"), (name, change)
            seen.append(now)


# __main__, as it can be


BODY = """
STATE = None
class Error(Exception): pass
class Thing:
    def __init__(self, x): self.x = x
def helper(): return STATE
def initialize(value):
    global STATE
    STATE = value
def task(x): return helper(), x
def fail(x): raise Error(x)
def make(x): return Thing(x)
"""


@pytest.mark.parametrize(("how", "flags"), [("-c", ()), ("stdin", ()), ("file", ("-i",))])
def test_a_main_that_workers_cannot_import(how: str, flags: tuple[str, ...], tmp_path: Path) -> None:
    printed = run(
        BODY
        + """
results = in_worker((initialize, 5), (task, 1), (lambda: STATE,), (make, 3), (fail, 4), (lambda t: t.x, Thing(6)))
print(results[:3], type(results[3]) is Thing, results[3].x, type(results[4]) is Error, results[4].args, results[5])
""",
        how=how,
        flags=flags,
        tmp_path=tmp_path,
    )
    assert printed == "[None, (5, 1), 5] True 3 True (4,) 6"


def test_globals_are_sent_again_when_they_are_bound_anew() -> None:
    printed = run(
        BODY
        + """
first = p.dumps_function(task); before = p.function_fingerprint(task)
assert p.function_fingerprint(task) == before
STATE = "newer"
assert p.function_fingerprint(task) != before
print(in_worker((initialize, 5), (task, 1)), in_worker((task, 1)))
"""
    )
    assert printed == "[None, (5, 1)] [('newer', 1)]"


def test_under_a_profiler(tmp_path: Path) -> None:
    # sys.modules["__main__"] may be the profiler here, and the script's functions are of nobody's module.
    script = tmp_path / "script.py"
    script.write_text(
        PRELUDE
        + BODY
        + "out = in_worker((task, 1), (initialize, 2), (task, 1), (make, 3), (fail, 4))\n"
        + "print(out[:3], type(out[3]) is Thing, type(out[4]) is Error)\n"
    )
    command = [sys.executable, "-m", "cProfile", "-o", str(tmp_path / "profile"), str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[(None, 1), None, (2, 1)] True True", done.stderr


def test_an_importable_main_goes_by_reference(tmp_path: Path) -> None:
    printed = run(
        BODY
        + """
assert p.main_by_reference() and p.function_fingerprint(task) is None
assert p.dumps_function(task) == pickle.dumps(task, 5)
function, thing = p.loads(p.dumps((lambda: STATE, Thing))[0])
STATE = "seen"
print(function(), thing is Thing, b"helper" in p.dumps_function(lambda: helper()))
""",
        how="file",
        tmp_path=tmp_path,
    )
    assert printed == "seen True True"


def test_fork_has_every_main_but_an_interactive_one() -> None:
    assert run("print(p.main_by_reference(), p.main_by_reference('fork'))") == "False True"
    assert run("sys.ps1 = '>>> '; print(p.main_by_reference(), p.main_by_reference('fork'))") == "False False"


def test_a_cached_function_of_a_notebook() -> None:
    printed = run(
        """
        import functools
        @functools.lru_cache(maxsize=7)
        def slow(x): return x + 1
        before = p.function_fingerprint(slow)
        assert before is not None and before == p.function_fingerprint(slow)
        print(in_worker((slow, 1), (lambda x: slow(x), 2)))
        """
    )
    assert printed == "[2, 3]"


# Exceptions


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
