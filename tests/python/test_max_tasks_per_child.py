"""Workers that retire after a number of tasks."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from typing import Any

import pytest
from helpers import double, log, own_pid, read_lines


@pytest.fixture(params=["forkserver", "spawn"])
def clean_context(request: pytest.FixtureRequest) -> Any:
    return multiprocessing.get_context(request.param)


def test_no_worker_runs_more(executor_class: Any, clean_context: Any) -> None:
    with executor_class(1, mp_context=clean_context, max_tasks_per_child=3) as pool:
        pids = Counter(pool.submit(own_pid).result() for _ in range(9))
    assert sorted(pids.values()) == [3, 3, 3]


def test_nothing_is_lost_or_done_twice_with_a_backlog(hardwork_class: Any, tmp_path: Any) -> None:
    # The standard library's hangs here (python/cpython issue 115634).
    path = str(tmp_path / "log")
    context = multiprocessing.get_context("forkserver")
    with hardwork_class(2, mp_context=context, max_tasks_per_child=7) as pool:
        futures = [pool.submit(log, path, number) for number in range(60)]
        assert [future.result() for future in futures] == list(range(60))
    assert sorted(map(int, read_lines(path))) == list(range(60))


def test_map(hardwork_class: Any) -> None:
    context = multiprocessing.get_context("forkserver")
    with hardwork_class(2, mp_context=context, max_tasks_per_child=10) as pool:
        assert list(pool.map(double, range(100))) == [2 * number for number in range(100)]


def test_the_default_start_method_fits(executor_class: Any) -> None:
    # Not fork: the standard library takes spawn then, whatever the default is.
    with executor_class(1, max_tasks_per_child=2) as pool:
        pids = [pool.submit(own_pid).result() for _ in range(4)]
    assert pids[0] == pids[1] != pids[2] == pids[3]


def test_initargs_reach_the_later_ones(executor_class: Any, clean_context: Any) -> None:
    lock = clean_context.Lock()
    with executor_class(1, mp_context=clean_context, max_tasks_per_child=1, initializer=take, initargs=(lock,)) as pool:
        pids = [pool.submit(pid_with_lock).result() for _ in range(3)]
    assert len(set(pids)) == 3


taken: Any = None


def take(lock: Any) -> None:
    global taken
    taken = lock


def pid_with_lock() -> int:
    with taken:
        return own_pid()
