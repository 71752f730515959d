"""joblib with our backend against loky: what goes wrong, and that the next call works."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hardwork
import pytest
from client_functions import Unsendable, die_at, fail_at, square
from helpers import Gate, own_pid, poll, wait_at
from joblib import Parallel, delayed
from joblib_pair import both, ours
from leaks import is_alive

SQUARES = [0, 1, 4]


def squares() -> Any:
    return Parallel()(delayed(square)(number) for number in range(3))


def test_an_exception_is_the_calls_own() -> None:
    def job() -> Any:
        with pytest.raises(ValueError, match="fifty") as caught:
            Parallel()(delayed(fail_at)(number) for number in range(200))
        assert "fail_at" in str(caught.value.__cause__)  # where it was raised, over there
        return squares()

    original, own = both(job)
    assert original == own == SQUARES


def test_an_exception_of_the_input() -> None:
    def calls() -> Iterator[Any]:
        for number in range(40):
            yield delayed(square)(number)
        raise LookupError("no more")

    def job() -> Any:
        with pytest.raises(LookupError, match="no more"):
            Parallel(batch_size=1)(calls())
        return squares()

    original, own = both(job)
    assert original == own == SQUARES


@pytest.mark.parametrize("position", [0, 40])
def test_a_call_that_cannot_be_sent(position: int) -> None:
    # The first batches are sent by the caller, later ones by a thread of the pool, where an exception would be lost.
    def job() -> Any:
        calls = [delayed(square)(number) for number in range(60)]
        calls[position] = delayed(square)(Unsendable())
        with pytest.raises(Exception, match=r"(?i)pickle|not to be sent"):
            Parallel(batch_size=1)(calls)
        return squares()

    original, own = both(job)
    assert original == own == SQUARES


def test_a_result_that_cannot_be_sent() -> None:
    def job() -> Any:
        with pytest.raises(TypeError, match="cannot pickle"):
            Parallel()(delayed(threading.Lock)() for _ in range(20))
        return squares()

    original, own = both(job)
    assert original == own == SQUARES


def test_a_dead_worker() -> None:
    with ours():
        with pytest.raises(hardwork.WorkerDied, match="exited with code 3"):
            Parallel()(delayed(die_at)(number) for number in range(20))
        assert squares() == SQUARES
        with Parallel() as parallel:
            with pytest.raises(hardwork.WorkerDied):
                parallel(delayed(die_at)(number) for number in range(20))
            assert parallel(delayed(square)(number) for number in range(3)) == SQUARES


def test_timeout(tmp_path: Path) -> None:
    def job() -> Any:
        with Gate(tmp_path) as gate, pytest.raises(multiprocessing.TimeoutError):
            Parallel(timeout=0.2)(delayed(wait_at)(gate) for _ in range(4))
        (tmp_path / "gate-opened").unlink()
        return squares()

    original, own = both(job)
    assert original == own == SQUARES


def test_what_runs_when_a_call_fails_is_ended(tmp_path: Path) -> None:
    gate = Gate(tmp_path)  # never opened

    def fail_when_the_other_runs() -> None:
        gate.wait_for(1)
        raise ValueError("now")

    with ours():
        with pytest.raises(ValueError, match="now"):
            Parallel(batch_size=1)([delayed(wait_at)(gate), delayed(fail_when_the_other_runs)()])
        [pid] = gate.entered()
        poll(lambda: not is_alive(pid))
        assert squares() == SQUARES


def test_a_failed_call_leaves_nothing_to_the_next(tmp_path: Path) -> None:
    # joblib cuts two batches at a time here: the sixth is cut and not sent when the second fails. loky makes the next
    # call return it.
    gate = Gate(tmp_path)  # never opened

    def fail_when_others_are_sent() -> None:
        gate.wait_for(1)
        raise ValueError("now")

    with ours(), Parallel(batch_size=1) as parallel:
        with pytest.raises(ValueError, match="now"):
            parallel(
                delayed(fail_when_others_are_sent)() if n == 1 else delayed(wait_at)(gate) if n else delayed(square)(0)
                for n in range(20)
            )
        assert parallel(delayed(square)(number) for number in range(3)) == SQUARES


def test_workers_survive_an_exception() -> None:
    with ours(), Parallel(batch_size=1) as parallel:
        before = set(parallel(delayed(own_pid)() for _ in range(50)))
        with pytest.raises(ValueError, match="fifty"):
            parallel(delayed(fail_at)(number) for number in range(200))
        after = set(parallel(delayed(own_pid)() for _ in range(50)))
    assert len(before | after) <= 2


@pytest.mark.filterwarnings("ignore:.*tasks.*:UserWarning")  # joblib's, about exactly this
def test_a_generator_that_is_dropped(tmp_path: Path) -> None:
    def job() -> Any:
        with Gate(tmp_path) as gate:
            results = Parallel(return_as="generator", batch_size=1)(
                delayed(square)(n) if n < 3 else delayed(wait_at)(gate) for n in range(1000)
            )
            first = next(results)
            del results
        (tmp_path / "gate-opened").unlink()
        return first, squares()

    original, own = both(job)
    assert original == own == (0, SQUARES)
