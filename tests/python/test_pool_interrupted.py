"""A Pool that something comes between: a signal, an input that ends in its middle, the end of the pool in use."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import hardwork
import pytest
from helpers import Gate, append_line, identity, read_lines, wait_at


class Interruption(BaseException):
    """What a signal's handler raises."""


@pytest.fixture
def interruptible() -> Iterator[None]:
    def handler(number: int, frame: object) -> None:
        raise Interruption

    before = signal.signal(signal.SIGUSR1, handler)
    yield
    signal.signal(signal.SIGUSR1, before)


def interrupt_at(item: tuple[int, int, Gate]) -> int:
    """The parent is interrupted in the middle, and the last item waits until it has found that out."""
    number, parent, gate = item
    if number == 500:
        os.kill(parent, signal.SIGUSR1)
    if number == 999:
        wait_at(gate)
    return number


@pytest.mark.parametrize("method", ["map", "imap", "imap_unordered"])
def test_a_signal_while_results_come(own_pool: Any, gate: Gate, method: str, interruptible: None) -> None:
    items = [(number, os.getpid(), gate) for number in range(1000)]
    with pytest.raises(Interruption):
        list(getattr(own_pool, method)(interrupt_at, items, chunksize=1))
    gate.open()
    assert own_pool.map(identity, range(100)) == list(range(100))


def test_a_signal_while_an_executors_results_come(pool: Any, gate: Gate, interruptible: None) -> None:
    items = [(number, os.getpid(), gate) for number in range(1000)]
    with pytest.raises(Interruption):
        list(pool.map(interrupt_at, items))
    gate.open()
    assert pool.submit(identity, 1).result() == 1


@pytest.mark.parametrize("method", ["imap", "imap_unordered"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit, Interruption])
def test_an_input_that_ends_its_thread(own_pool: Any, method: str, error: type[BaseException]) -> None:
    # The original's thread dies of it, and whoever reads waits for ever.
    def source() -> Iterator[int]:
        yield from range(10)
        raise error("the input's own")

    results = getattr(own_pool, method)(identity, source())
    assert sorted(next(results) for _ in range(10)) == list(range(10))
    with pytest.raises(error, match="the input's own"):
        next(results)
    assert list(results) == []
    assert own_pool.apply(identity, (1,)) == 1


class EndsThePool:
    """Travels as nothing; where it is encoded, the pool is ended first."""

    def __init__(self, end: Callable[[], None]) -> None:
        self.end = end

    def __reduce__(self) -> Any:
        self.end()
        return str, ()


@pytest.mark.parametrize("call", ["apply_async", "map_async", "starmap_async", "map", "apply"])
def test_a_pool_that_is_terminated_while_input_is_encoded(own_pool: Any, call: str) -> None:
    end = EndsThePool(own_pool.terminate)
    arguments = {"apply_async": ((end,),), "apply": ((end,),), "starmap_async": ([(end,)],)}.get(call, ([end],))
    with pytest.raises((hardwork.PoolTerminated, ValueError)):
        getattr(own_pool, call)(identity, *arguments).get()


@pytest.mark.parametrize("kind", [list, iter])
def test_a_pool_that_is_terminated_while_imap_takes_its_input(own_pool: Any, kind: Any) -> None:
    results = own_pool.imap(identity, kind([1, EndsThePool(own_pool.terminate), 3]))
    with pytest.raises(hardwork.PoolTerminated):
        list(results)


def closing(pool: Any) -> Iterator[int]:
    yield 1
    pool.close()
    yield 2


def test_a_pool_that_is_closed_while_the_input_is_taken(own_pool: Any) -> None:
    with pytest.raises(ValueError, match="Pool not running"):
        own_pool.map(identity, closing(own_pool))


def test_rows_stay_whole_however_slowly_they_come(tmp_path: Any) -> None:
    # A worker's life is one chunk, so that the pids say what a chunk was.
    path = tmp_path / "log"

    def slow() -> Iterator[int]:
        for number in range(12):
            append_line(path, number)
            yield number

    with hardwork.Pool(2, maxtasksperchild=1) as pool:
        pids = list(pool.imap(pid_of, slow(), chunksize=3))
    assert [len(set(pids[first : first + 3])) for first in range(0, 12, 3)] == [1, 1, 1, 1]
    assert len(set(pids)) == 4
    assert len(read_lines(path)) == 12


def pid_of(_: object) -> int:
    return os.getpid()
