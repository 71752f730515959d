"""Functions as bytes, from every kind of __main__; workers are played by plain subprocesses."""

from __future__ import annotations

import functools
import importlib.util
import math
import operator
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hardwork import _pickling
from pickling_process import PRELUDE, run


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


@pytest.mark.skipif(importlib.util.find_spec("numpy") is None, reason="needs numpy")
def test_ufuncs_by_reference() -> None:
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
    # Up to 3.13 sys.modules["__main__"] is the profiler here. Later it is the script, which a worker imports or has.
    script = tmp_path / "script.py"
    script.write_text(
        PRELUDE
        + BODY
        + "if p.main_by_reference() and p.loads(p.dumps_function(task)) is task: sys.exit(print('as without it'))\n"
        + "out = in_worker((task, 1), (initialize, 2), (task, 1), (make, 3), (fail, 4))\n"
        + "print(out[:3], type(out[3]) is Thing, type(out[4]) is Error)\n"
    )
    command = [sys.executable, "-m", "cProfile", "-o", str(tmp_path / "profile"), str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    expected = "as without it" if sys.version_info >= (3, 14) else "[(None, 1), None, (2, 1)] True True"
    assert done.stdout.strip() == expected, done.stderr


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
