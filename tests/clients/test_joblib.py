"""joblib with our backend against loky: what comes out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from client_functions import square
from helpers import Gate, wait_at
from joblib import Parallel, delayed
from joblib_pair import both, ours


@pytest.mark.parametrize("batch_size", ["auto", 1, 7])
@pytest.mark.parametrize("pre_dispatch", ["2 * n_jobs", "all", 3])
def test_small_calls(batch_size: Any, pre_dispatch: Any) -> None:
    def job() -> Any:
        parallel = Parallel(batch_size=batch_size, pre_dispatch=pre_dispatch)
        return parallel(delayed(square)(number) for number in range(500))

    original, own = both(job)
    assert original == own == [number * number for number in range(500)]


def test_functions_without_a_name_and_arrays() -> None:
    def job() -> Any:
        return Parallel()(delayed(lambda array, by: array * by)(np.arange(100_000.0), i) for i in range(6))

    for results in both(job):
        assert all(np.array_equal(result, np.arange(100_000.0) * i) for i, result in enumerate(results))


def test_each_call_has_arrays_of_its_own() -> None:
    def change(array: Any) -> float:
        array += 1.0
        return float(array.sum())

    array = np.zeros(300_000)  # loky makes a read-only file of one of this size
    with ours():
        assert Parallel()(delayed(change)(array) for _ in range(4)) == [300_000.0] * 4
    assert not array.any()


def test_functions_keep_the_state_of_their_call() -> None:
    # Batches are pickled when they are sent, functions among them: none may be taken for an earlier one.
    def job() -> Any:
        calls = []
        for by in range(40):

            def multiply(number: int, by: int = by) -> int:
                return number * by

            calls.append(delayed(multiply)(10))
        return Parallel()(calls)

    original, own = both(job)
    assert original == own == [10 * by for by in range(40)]


@pytest.mark.parametrize("kind", ["generator", "generator_unordered"])
def test_generators(kind: str) -> None:
    def job() -> Any:
        results = list(Parallel(return_as=kind)(delayed(square)(number) for number in range(50)))
        return results if kind == "generator" else sorted(results)

    original, own = both(job)
    assert original == own == [number * number for number in range(50)]


def test_what_is_done_first_comes_first(tmp_path: Path) -> None:
    with Gate(tmp_path) as gate, ours():
        calls = [delayed(wait_at)(gate, "late"), delayed(square)(3)]
        results = Parallel(return_as="generator_unordered", batch_size=1)(calls)
        assert next(results) == 9
        gate.open()
        assert list(results) == ["late"]


@pytest.mark.parametrize("backend", ["loky", "hardwork"])
def test_input_is_taken_as_it_is_needed(backend: str, tmp_path: Path) -> None:
    taken = []

    def calls(gate: Gate) -> Any:
        for number in range(30):
            taken.append(number)
            yield delayed(wait_at)(gate, number)

    with Gate(tmp_path) as gate:
        parallel = Parallel(2, backend=backend, return_as="generator", batch_size=1, pre_dispatch=4)
        results = parallel(calls(gate))
        gate.wait_for(2)
        assert len(taken) == 4
        gate.open()
        assert list(results) == list(range(30)) == taken


def test_nested() -> None:
    def inner(count: int, backend: str | None) -> Any:
        return Parallel(n_jobs=2, backend=backend)(delayed(square)(number) for number in range(count))

    def job() -> Any:
        return Parallel()(delayed(inner)(count, None) for count in range(4))

    original, own = both(job)
    assert original == own
    with ours():
        assert Parallel()(delayed(inner)(count, "hardwork") for count in range(4)) == own


def test_a_block_of_calls() -> None:
    def job() -> Any:
        with Parallel() as parallel:
            return [parallel(delayed(square)(number) for number in range(start, start + 5)) for start in range(20)]

    original, own = both(job)
    assert original == own


SCRIPT = """
import sys
from joblib import Parallel, delayed
import hardwork.joblib

class Point:
    def __init__(self, x): self.x = x

class Refused(Exception):
    pass

factor = 3
print("runs")

def shift(point):
    if point.x == 5:
        raise Refused("five")
    return Point(point.x * factor)

moved = Parallel(n_jobs=2, backend=sys.argv[1])(delayed(shift)(Point(x)) for x in range(5))
print([point.x for point in moved], all(type(point) is Point for point in moved))
try:
    Parallel(n_jobs=2, backend=sys.argv[1])(delayed(shift)(Point(x)) for x in range(8))
except Refused as error:
    print("refused", error)
"""


@pytest.mark.parametrize("how", ["file", "input"])
@pytest.mark.parametrize("backend", ["loky", "hardwork"])
def test_a_script_without_a_guard(backend: str, how: str, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, str(script) if how == "file" else "-", backend]
    ended = subprocess.run(
        command, input=SCRIPT, capture_output=True, text=True, check=False, timeout=100, env=dict(os.environ)
    )
    assert ended.stdout.splitlines() == ["runs", "[0, 3, 6, 9, 12] True", "refused five"], ended.stderr
