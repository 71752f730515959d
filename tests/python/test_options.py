"""Tasks with limits: a time limit, and running again after a worker's death; and tasks that are stopped by hand."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import hardwork
import pytest
from hardwork import TaskStopped, TaskTimeout
from helpers import (
    Gate,
    add,
    append_line,
    deaf,
    die_by_signal,
    double,
    identity,
    own_pid,
    poll,
    read_lines,
    spin,
    wait_at,
)


@pytest.fixture(params=["executor", "pool"])
def face(request: pytest.FixtureRequest, context: Any) -> Iterator[Any]:
    """A function that makes a view with the given options, whose `call` gives a result that can be waited for."""
    if request.param == "executor":
        with hardwork.ProcessPoolExecutor(2, context) as executor:
            yield lambda **options: Executor(executor.options(**options))
    else:
        with hardwork.Pool(2, context=context) as pool:
            yield lambda **options: Pool(pool.options(**options))


class Executor:
    def __init__(self, view: Any) -> None:
        self.map = view.map
        self._view = view

    def call(self, function: Any, *args: Any) -> Any:
        return self._view.submit(function, *args).result()


class Pool:
    def __init__(self, view: Any) -> None:
        self.map = view.imap
        self._view = view

    def call(self, function: Any, *args: Any) -> Any:
        return self._view.apply(function, args)


def clean_up(path: str) -> None:
    """Sleeps for ever, and says how it ended."""
    try:
        while True:
            time.sleep(1000)
    finally:
        append_line(path, "cleaned up")


def die_until(path: str, times: int) -> int:
    append_line(path, "run")
    if len(read_lines(path)) <= times:
        os.kill(os.getpid(), signal.SIGKILL)
    return len(read_lines(path))


def test_a_task_in_time(face: Any) -> None:
    view = face(timeout=100)
    assert view.call(double, 4) == 8
    assert list(view.map(double, range(1000))) == list(range(0, 2000, 2))
    assert list(view.map(double, [1, 2, 3])) == [2, 4, 6]


def test_a_task_that_sleeps_too_long(face: Any, tmp_path: Any) -> None:
    path = str(tmp_path / "log")
    with pytest.raises(TaskTimeout, match="longer than its time limit") as caught:
        face(timeout=0.1, grace=100).call(clean_up, path)
    assert isinstance(caught.value, TimeoutError)
    assert read_lines(path) == ["cleaned up"]


def test_a_task_that_computes_too_long(face: Any, gate: Gate) -> None:
    view = face(timeout=0.1, grace=100)
    with pytest.raises(TaskTimeout):
        view.call(spin, gate)
    assert view.call(double, 4) == 8
    (pid,) = gate.entered()
    assert os.path.exists(f"/proc/{pid}")  # nobody was killed


def test_a_task_that_does_not_heed(face: Any, gate: Gate) -> None:
    view = face(timeout=0.05, grace=0.05)
    with pytest.raises(TaskTimeout, match=r"worker \d+ was killed in phase RUN"):
        view.call(deaf, gate)
    pid = gate.entered()[0]
    poll(lambda: not os.path.exists(f"/proc/{pid}"))
    assert view.call(double, 4) == 8


def test_a_stopped_process(face: Any) -> None:
    view = face(timeout=0.05, grace=0.05)
    with pytest.raises(TaskTimeout):
        view.call(die_by_signal, signal.SIGSTOP)
    assert view.call(double, 4) == 8


def test_items_of_a_map(face: Any, gate: Gate) -> None:
    results = face(timeout=0.2, grace=100).map(work_or_spin, [(gate, 1), (gate, 0), (gate, 2)])
    assert next(results) == 1
    with pytest.raises(TaskTimeout):
        next(results)


def work_or_spin(item: tuple[Gate, int]) -> int:
    gate, number = item
    if number == 0:
        spin(gate)
    return number


def test_the_time_is_that_of_the_task_alone() -> None:
    with hardwork.ProcessPoolExecutor(1) as executor:
        executor.submit(time.sleep, 0.5)
        assert executor.options(timeout=0.3).submit(add, 1, 2).result() == 3


def test_running_again(face: Any, tmp_path: Any) -> None:
    assert face(retries=2).call(die_until, tmp_path / "a", 2) == 3
    with pytest.raises(hardwork.WorkerDied):
        face(retries=1).call(die_until, tmp_path / "b", 2)
    assert len(read_lines(tmp_path / "b")) == 2
    with pytest.raises(hardwork.WorkerDied):
        face().call(die_until, tmp_path / "c", 1)
    assert len(read_lines(tmp_path / "c")) == 1


def test_an_item_runs_again(face: Any, tmp_path: Any) -> None:
    items = [(tmp_path / str(number), number % 3) for number in range(9)]
    assert list(face(retries=2).map(die_until_pair, items)) == [number % 3 + 1 for number in range(9)]


def die_until_pair(pair: tuple[str, int]) -> int:
    return die_until(*pair)


def test_an_exception_is_no_reason_to_run_again(face: Any, tmp_path: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        face(retries=5).call(note_and_fail, tmp_path / "log")
    assert len(read_lines(tmp_path / "log")) == 1


def note_and_fail(path: str) -> float:
    append_line(path, "run")
    return 1 / 0


# --- Future.stop ---


def test_stop_of_a_waiting_task(gate: Gate) -> None:
    with hardwork.ProcessPoolExecutor(1) as executor:
        running = executor.submit(wait_at, gate)
        gate.wait_for(1)
        waiting = executor.submit(double, 1)
        assert waiting.stop() is True
        assert waiting.cancelled()
        gate.open()
        running.result()
        assert running.stop() is False


def test_stop_of_a_running_task(pool: Any, tmp_path: Any) -> None:
    path = str(tmp_path / "log")
    future = pool.submit(clean_up, path)
    poll(future.running)
    called: list[Any] = []
    future.add_done_callback(called.append)
    assert future.stop() is True
    with pytest.raises(TaskStopped, match="was stopped"):
        future.result()
    assert read_lines(path) == ["cleaned up"]
    poll(lambda: called == [future])
    assert not future.cancelled()


def test_stop_of_a_task_that_does_not_heed(pool: Any, gate: Gate) -> None:
    future = pool.options(grace=0.05).submit(deaf, gate)
    gate.wait_for(1)
    assert future.stop()
    with pytest.raises(TaskStopped, match=r"did not end by itself: worker \d+ was killed"):
        future.result()
    assert pool.submit(double, 4).result() == 8


# --- views ---


def test_a_view_is_an_executor() -> None:
    async def main(view: Any) -> int:
        value: int = await asyncio.get_running_loop().run_in_executor(view, double, 21)
        return value

    with hardwork.ProcessPoolExecutor(1) as executor:
        view = executor.options(timeout=10)
        assert isinstance(view, concurrent.futures.Executor)
        assert isinstance(view.submit(double, 1), hardwork.Future)
        assert asyncio.run(main(view)) == 42
        assert list(view.map(add, [1, 2], [3, 4])) == [4, 6]
        assert list(view.map(double, range(10), buffersize=2)) == list(range(0, 20, 2))
        assert view.submit(own_pid).result() == executor.submit(own_pid).result()  # the same worker


def test_a_pools_view() -> None:
    with hardwork.Pool(1) as pool:
        view = pool.options(timeout=10)
        assert view.apply_async(add, (1, 2)).get() == 3
        assert view.map(double, [1, 2]) == [2, 4]
        assert view.map_async(double, range(3)).get() == [0, 2, 4]
        assert view.starmap(add, [(1, 2), (3, 4)]) == [3, 7]
        assert view.starmap_async(add, [(1, 2)]).get() == [3]
        assert list(view.imap(double, iter([1, 2]))) == [2, 4]
        assert sorted(view.imap_unordered(double, range(3))) == [0, 2, 4]


def test_many_views_one_after_another() -> None:
    with hardwork.ProcessPoolExecutor(1) as executor:
        for number in range(70_000):
            view = executor.options(timeout=1000 + number)
            if number % 1000 == 0:
                assert view.submit(identity, number).result() == number


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"timeout": 0}, ValueError, "timeout must be greater than 0.*not 0"),
        ({"timeout": -1.5}, ValueError, "not -1.5"),
        ({"timeout": float("nan")}, ValueError, "not nan"),
        ({"timeout": float("inf")}, ValueError, "not inf"),
        ({"timeout": "1"}, TypeError, "timeout must be a number of seconds or None, not '1'"),
        ({"timeout": True}, TypeError, "not True"),
        ({"retries": -1}, ValueError, "retries must be 0 or more, not -1"),
        ({"retries": 1.5}, TypeError, "retries must be an integer"),
        ({"grace": -1}, ValueError, "grace must be 0 or more"),
        ({"grace": None}, TypeError, "grace must be a number"),
        ({"priority": 1}, TypeError, "there is no option 'priority'; there are: timeout, retries, grace"),
    ],
)
def test_bad_options_are_named(options: Any, error: type[Exception], message: str) -> None:
    with hardwork.ProcessPoolExecutor(1) as executor, hardwork.Pool(1) as pool:
        for each in (executor, pool):
            with pytest.raises(error, match=message):
                each.options(**options)
