"""What an executor refuses at the call, and the errors that a pool raises."""

from __future__ import annotations

import multiprocessing
import pickle
import sys
import types
from typing import Any

import pytest
from hardwork import BrokenProcessPool, ProcessPoolExecutor, RemoteError, WorkerDied, _limits
from hardwork.errors import worker_died


@pytest.mark.parametrize(
    ("parameters", "error", "says"),
    [
        ({"max_workers": 0}, ValueError, r"max_workers must be greater than 0, not 0"),
        ({"max_workers": -3}, ValueError, r"max_workers must be greater than 0, not -3"),
        ({"max_workers": 2.0}, TypeError, r"max_workers must be a positive integer or None, not 2\.0 \(float\)"),
        ({"max_workers": "4"}, TypeError, r"max_workers must be a positive integer or None, not '4' \(str\)"),
        ({"mp_context": "fork"}, TypeError, r"mp_context must be a multiprocessing context .*, not 'fork' \(str\)"),
        ({"initializer": 5}, TypeError, r"initializer must be a callable or None, not 5 \(int\)"),
        ({"initargs": 5}, TypeError, r"initargs must be a tuple of arguments, not 5 \(int\)"),
        (
            {"max_tasks_per_child": 1.5},
            TypeError,
            r"max_tasks_per_child must be an integer or None, not 1\.5 \(float\)",
        ),
        ({"max_tasks_per_child": 0}, ValueError, r"max_tasks_per_child must be >= 1, not 0"),
        (
            {"max_tasks_per_child": 3, "mp_context": multiprocessing.get_context("fork")},
            ValueError,
            r"max_tasks_per_child=3 is incompatible with the 'fork' multiprocessing start method",
        ),
    ],
)
def test_constructor_names_the_wrong_value(parameters: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        ProcessPoolExecutor(**parameters)


@pytest.mark.parametrize(
    ("parameters", "error", "says"),
    [
        ({"chunksize": 0}, ValueError, r"chunksize must be >= 1, not 0"),
        ({"chunksize": "x"}, TypeError, r"chunksize must be an integer >= 1 or None, not 'x' \(str\)"),
        ({"buffersize": 0}, ValueError, r"buffersize must be None or > 0, not 0"),
        ({"buffersize": "1"}, TypeError, r"buffersize must be an integer or None, not '1' \(str\)"),
    ],
)
def test_map_names_the_wrong_value(parameters: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        ProcessPoolExecutor(1).map(abs, [1], **parameters)


def test_map_refuses_what_cannot_be_called() -> None:
    with pytest.raises(TypeError, match=r"fn must be a callable, not 5 \(int\)"):
        ProcessPoolExecutor(1).map(5, [1])  # type: ignore[arg-type]


def test_constructor_starts_nothing_and_looks_like_the_standard_one() -> None:
    executor = ProcessPoolExecutor()
    assert executor._max_workers == _limits.cpu_count() >= 1
    assert executor._mp_context is multiprocessing.get_context()
    assert executor._processes == {}
    executor.shutdown()
    executor.shutdown()
    assert executor._processes is None
    for call in (lambda: executor.submit(abs, 1), lambda: executor.map(abs, [1]), lambda: executor.map(abs, range(1))):
        with pytest.raises(RuntimeError, match="cannot schedule new futures after shutdown"):
            call()
    assert list(executor.map(abs, [])) == []  # as the standard one: nothing to submit


def test_max_tasks_per_child_alone_means_spawn() -> None:
    assert ProcessPoolExecutor(1, max_tasks_per_child=2)._mp_context.get_start_method() == "spawn"


@pytest.mark.parametrize(
    ("module", "attribute", "value", "says"),
    [
        (sys, "platform", "darwin", "hardwork needs Linux, not darwin"),
        (sys, "maxsize", 2**31 - 1, "hardwork needs a 64-bit Python"),
        (sys, "abiflags", "t", "a free-threaded build"),
        (sys, "implementation", types.SimpleNamespace(name="pypy"), "hardwork needs CPython, not pypy"),
    ],
)
def test_platform(monkeypatch: pytest.MonkeyPatch, module: Any, attribute: str, value: object, says: str) -> None:
    _limits.check_platform()
    with monkeypatch.context() as patch:
        patch.setattr(module, attribute, value)
        with pytest.raises(ImportError, match=says):
            _limits.check_platform()


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            WorkerDied(4711, 9, None, "RUN", 12),
            "worker 4711 was killed by SIGKILL (9) in phase RUN while running task 12",
        ),
        (
            WorkerDied(7, None, 3, "PUBLISH", 2),
            "worker 7 exited with code 3 in phase PUBLISH while publishing the result of task 2 (ran, result lost)",
        ),
        (WorkerDied(phase="ENCODE"), "a worker ended (exit status unknown) in phase ENCODE (ran, result lost)"),
        (WorkerDied(1, 36, hint="a hint"), "worker 1 was killed by SIGRTMIN+2 (36) in phase RUN: a hint"),
        (RemoteError("module.Name", "text", "Traceback ..."), "module.Name: text"),
    ],
)
def test_errors_say_what_happened_and_survive_pickle(error: Exception, text: str) -> None:
    error.add_note("a note")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error) == text
    assert vars(again) == vars(error)


def test_worker_died_is_a_broken_process_pool() -> None:
    error = worker_died(5, 11, None, "DECODE", 0, True, False)
    assert isinstance(error, BrokenProcessPool)
    assert (error.pid, error.signal, error.exitcode, error.phase, error.task) == (5, 11, None, "DECODE", None)
    assert "invalid record" in str(error)
