"""map, starmap, imap and imap_unordered of a Pool: the original and ours."""

from __future__ import annotations

import itertools
import multiprocessing
import multiprocessing.pool
import os
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import hardwork
import pytest
from helpers import Gate, append_line, divide_by, identity, poll, read_lines, wait_at

DONE = object()


def square(number: Any) -> Any:
    return number * number


def total(*numbers: int) -> int:
    return sum(numbers)


def note(path: str, number: int) -> int:
    append_line(path, number)
    if number == 3:
        raise KeyError(number)
    return number


def note_pair(pair: tuple[str, int]) -> int:
    return note(*pair)


def note_or_die(path: str, number: int) -> int:
    if number == 3:
        os._exit(5)
    time.sleep(0.001)
    append_line(path, number)
    return number


def note_or_die_of(pair: tuple[str, int]) -> int:
    return note_or_die(*pair)


def die_at_three(number: int) -> int:
    if number == 3:
        os._exit(5)
    return number


def everything(iterator: Any) -> list[Any]:
    """All results, exceptions in their places."""
    found: list[Any] = []
    while True:
        try:
            found.append(next(iterator))
        except StopIteration:
            return found
        except Exception as error:
            found.append(type(error))


@pytest.mark.parametrize(
    "items",
    [
        range(1000),
        range(10, -10, -3),
        range(0),
        range(1),
        range(2**63, 2**63 + 5),
        range(-(2**63), 2**63, 2**62),
        range(2**63 - 1, -(2**63), -(2**63)),
        [],
        [3],
        list("abc") * 50,
        tuple(range(100)),
        {1: 2, 3: 4},
        "text",
        b"bytes",
    ],
    ids=repr,
)
def test_map_of_containers(any_pool: Any, items: Any) -> None:
    assert any_pool.map(identity, items) == list(items)
    assert list(any_pool.imap(identity, items)) == list(items)
    assert sorted(any_pool.imap_unordered(identity, items)) == sorted(items)
    assert any_pool.map_async(identity, items).get() == list(items)


def test_map_of_iterators(any_pool: Any) -> None:
    assert any_pool.map(square, (number for number in range(100))) == [square(number) for number in range(100)]
    assert any_pool.map(square, iter([1, 2])) == [1, 4]
    assert any_pool.starmap(total, (range(size) for size in range(20))) == [sum(range(size)) for size in range(20)]


@pytest.mark.parametrize("chunksize", [1, 3, 1000])
def test_chunksize(any_pool: Any, chunksize: int) -> None:
    assert any_pool.map(square, range(50), chunksize) == [square(number) for number in range(50)]
    assert list(any_pool.imap(square, range(50), chunksize)) == [square(number) for number in range(50)]
    assert sorted(any_pool.imap_unordered(square, range(50), chunksize)) == [square(number) for number in range(50)]


def test_starmap(any_pool: Any) -> None:
    assert any_pool.starmap(total, [(1, 2), [3, 4, 5], range(3), ()]) == [3, 12, 3, 0]
    assert any_pool.starmap_async(total, [(1, 2)]).get() == [3]
    with pytest.raises(TypeError):
        any_pool.starmap(total, [(1,), 5])


def test_arrays(any_pool: Any) -> None:
    numpy = pytest.importorskip("numpy")
    results = any_pool.map(square, numpy.arange(300_000).reshape(3, 100_000))
    assert [int(row.sum()) for row in results] == [
        int((row * row).sum()) for row in numpy.arange(300_000).reshape(3, 100_000)
    ]


def test_a_map_raises_after_all_items_were_worked_on(any_pool: Any, tmp_path: Any) -> None:
    path = str(tmp_path / "noted")
    with pytest.raises(KeyError) as caught:
        any_pool.map(note_pair, [(path, number) for number in range(30)], 1)
    assert type(caught.value.__cause__) is multiprocessing.pool.RemoteTraceback
    assert sorted(map(int, read_lines(path))) == list(range(30))


def test_map_async_callbacks(any_pool: Any) -> None:
    good: list[Any] = []
    bad: list[BaseException] = []
    assert any_pool.map_async(square, range(5), callback=good.append).get() == [0, 1, 4, 9, 16]
    assert good == [[0, 1, 4, 9, 16]]
    result = any_pool.map_async(divide_by, [1, 0, 2], callback=good.append, error_callback=bad.append)
    with pytest.raises(ZeroDivisionError):
        result.get()
    assert len(good) == 1
    assert [type(error) for error in bad] == [ZeroDivisionError]
    assert any_pool.map_async(square, [], callback=good.append).get() == []


def test_map_async_waiting(any_pool: Any, gate: Gate) -> None:
    result = any_pool.starmap_async(wait_at, [(gate, number) for number in range(2)])
    assert not result.ready()
    with pytest.raises(multiprocessing.TimeoutError):
        result.get(0.01)
    gate.open()
    assert result.get() == [0, 1]
    assert result.successful()


def test_imap_goes_on_after_an_exception(any_pool: Any) -> None:
    assert everything(any_pool.imap(divide_by, [1, 0, 2])) == [100.0, ZeroDivisionError, 50.0]
    found = everything(any_pool.imap_unordered(divide_by, [1, 0, 2]))
    assert sorted(map(str, found)) == sorted(map(str, [100.0, ZeroDivisionError, 50.0]))


def fails_after(count: int) -> Iterator[int]:
    yield from range(count)
    raise LookupError("the iterable's own")


@pytest.mark.parametrize("count", [0, 1, 100])
def test_an_iterable_that_raises(any_pool: Any, count: int) -> None:
    assert everything(any_pool.imap(identity, fails_after(count))) == [*range(count), LookupError]
    found = everything(any_pool.imap_unordered(identity, fails_after(count)))
    assert LookupError in found
    assert sorted(value for value in found if value is not LookupError) == list(range(count))
    with pytest.raises(LookupError):
        any_pool.map(identity, fails_after(count))


def test_an_iterable_that_raises_within_a_chunk(any_pool: Any) -> None:
    assert everything(any_pool.imap(identity, fails_after(7), 2)) == [*range(6), LookupError]
    assert everything(any_pool.imap(identity, fails_after(3), 4)) == [LookupError]
    if not isinstance(any_pool, hardwork.Pool):
        return  # out of order, the original loses the results that come after the exception
    found = everything(any_pool.imap_unordered(identity, fails_after(7), 2))
    assert LookupError in found
    assert sorted(value for value in found if value is not LookupError) == list(range(6))


def test_a_chunk_of_all_there_is(any_pool: Any) -> None:
    assert list(any_pool.imap(identity, iter(range(5)), sys.maxsize)) == list(range(5))


def test_imap_items_that_cannot_be_pickled(any_pool: Any) -> None:
    assert everything(any_pool.imap(identity, [1, threading.Lock(), 2])) == [1, TypeError, 2]


def test_imap_next_with_a_timeout(any_pool: Any, gate: Gate) -> None:
    results = any_pool.imap(lambda_free_wait, [(gate, 1)])
    with pytest.raises(multiprocessing.TimeoutError):
        results.next(timeout=0.01)
    gate.open()
    assert results.next(100) == 1
    with pytest.raises(StopIteration):
        results.next()
    assert iter(results) is results


def lambda_free_wait(pair: tuple[Gate, int]) -> int:
    value: int = wait_at(*pair)
    return value


def test_imap_of_what_never_ends(any_pool: Any) -> None:
    results = any_pool.imap(square, itertools.count())
    assert [next(results) for _ in range(5)] == [0, 1, 4, 9, 16]


def test_imap_of_a_source_that_waits_for_results(any_pool: Any) -> None:
    got: list[int] = []

    def source() -> Iterator[int]:
        for number in range(20):
            yield number
            if number % 5 == 4:
                poll(lambda least=number: len(got) > least)

    results = any_pool.imap(identity, source())
    got.extend(results)
    assert got == list(range(20))


def test_imap_of_a_source_that_waits_for_what_items_do(any_pool: Any, tmp_path: Any) -> None:
    path = str(tmp_path / "noted")
    going_on = threading.Event()

    def source() -> Iterator[Any]:
        yield path, 1
        yield path, 2
        poll(lambda: os.path.exists(path) and len(read_lines(path)) == 2)  # nobody reads results meanwhile
        going_on.set()
        yield path, 4

    results = any_pool.imap(note_pair, source())
    assert going_on.wait(60)
    assert list(results) == [1, 2, 4]


def test_imap_that_nobody_reads_is_worked_on(pool_class: Any, tmp_path: Any) -> None:
    path = str(tmp_path / "noted")
    pool = pool_class(2)
    pool.imap(note_pair, ((path, number) for number in range(20)))
    pool.imap_unordered(note_pair, [(path, number) for number in range(20, 40)])
    pool.close()
    pool.join()
    assert sorted(map(int, read_lines(path))) == list(range(40))


def test_imap_unordered_gives_what_is_there(any_pool: Any, gate: Gate) -> None:
    results = any_pool.imap_unordered(wait_for_some, [(gate, 0), (None, 1), (None, 2)])
    assert sorted([next(results), next(results)]) == [1, 2]
    gate.open()
    assert next(results) == 0


def wait_for_some(pair: tuple[Gate | None, int]) -> int:
    gate, number = pair
    if gate is not None:
        wait_at(gate)
    return number


# --- ours alone ---


def test_an_endless_map_does_not_hold_up_others(own_pool: Any) -> None:
    endless = own_pool.imap(square, itertools.count())
    assert next(endless) == 0
    assert list(own_pool.imap(square, iter(range(5)))) == [0, 1, 4, 9, 16]
    assert own_pool.apply(square, (3,)) == 9
    assert next(endless) == 1


def test_the_input_runs_ahead_of_the_workers_by_so_much(own_pool: Any, gate: Gate) -> None:
    taken = 0

    def source() -> Iterator[tuple[Gate, bytes]]:
        nonlocal taken
        while True:
            taken += 1
            yield gate, bytes(1_000_000)

    results = own_pool.imap(wait_and_measure, source())
    gate.wait_for(2)
    poll(lambda: taken >= 50)
    time.sleep(0.3)
    assert taken < 100  # 64 MB, and what is being worked on
    gate.open()
    for _ in range(5):
        assert next(results) == 1_000_000


def wait_and_measure(item: tuple[Gate, bytes]) -> int:
    return len(wait_at(item[0], item[1]))


@pytest.mark.parametrize("ordered", [True, False])
def test_buffersize(own_pool: Any, ordered: bool) -> None:
    taken = 0

    def source() -> Iterator[int]:
        nonlocal taken
        for number in range(100):
            taken += 1
            yield number

    start = own_pool.imap if ordered else own_pool.imap_unordered
    results = start(identity, source(), buffersize=7)
    poll(lambda: taken == 7)
    time.sleep(0.05)
    assert taken == 7
    first = next(results)
    poll(lambda: taken == 8)
    assert sorted([first, *results]) == list(range(100))
    assert list(own_pool.imap(identity, range(50), buffersize=3)) == list(range(50))


def test_a_dead_worker_costs_one_item(own_pool: Any) -> None:
    assert everything(own_pool.imap(die_at_three, range(10))) == [0, 1, 2, hardwork.WorkerDied, *range(4, 10)]
    found = everything(own_pool.imap_unordered(die_at_three, range(10)))
    assert hardwork.WorkerDied in found
    assert len(found) == 10
    result = own_pool.map_async(die_at_three, range(10))
    with pytest.raises(hardwork.WorkerDied, match="exited with code 5"):
        result.get()
    assert own_pool.map(identity, range(10)) == list(range(10))


@pytest.mark.parametrize("method", ["map", "starmap"])
def test_a_map_with_a_dead_item_raises_when_all_others_are_done(own_pool: Any, tmp_path: Any, method: str) -> None:
    path = str(tmp_path / "noted")
    func = note_or_die if method == "starmap" else note_or_die_of
    with pytest.raises(hardwork.WorkerDied) as caught:
        getattr(own_pool, method)(func, [(path, number) for number in range(200)])
    assert sorted(map(int, read_lines(path))) == [number for number in range(200) if number != 3]
    assert caught.value.exitcode == 5


@pytest.mark.parametrize("method", ["map", "imap", "imap_unordered", "map_async"])
def test_bad_input_is_named(own_pool: Any, method: str) -> None:
    call = getattr(own_pool, method)
    with pytest.raises(TypeError, match="func must be a callable, not 5"):
        call(5, [1])
    with pytest.raises(TypeError, match="not iterable"):
        call(identity, 5)
    with pytest.raises(ValueError, match="chunksize must be >= 1, not 0"):
        call(identity, [1], 0)
    with pytest.raises(TypeError, match="chunksize must be an integer"):
        call(identity, [1], "a")
    assert own_pool.apply(identity, (1,)) == 1


def test_a_bad_buffersize_is_named(own_pool: Any) -> None:
    with pytest.raises(ValueError, match="buffersize must be None or > 0, not 0"):
        own_pool.imap(identity, [1], buffersize=0)
    with pytest.raises(TypeError, match="buffersize must be an integer or None"):
        own_pool.imap(identity, [1], buffersize="x")


def test_how_many_items_are_left(own_pool: Any, gate: Gate) -> None:
    result = own_pool.starmap_async(wait_at, [(gate, 1), (gate, 2), (gate, 3)])
    assert result._number_left == 3
    gate.open()
    result.get()
    assert result._number_left == 0


# The original loses its way here: its next() raises TimeoutError when another thread was faster.
def test_threads_share_an_iterator(own_pool: Any) -> None:
    results = own_pool.imap_unordered(identity, range(2000))
    taken: list[list[int]] = [[], [], []]

    def read(own: list[int]) -> None:
        own.extend(results)

    threads = [threading.Thread(target=read, args=(own,)) for own in taken]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(itertools.chain(*taken)) == list(range(2000))
