"""Workers as clients of the standard classes look at them: objects like processes, in both faces."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import select
import signal
from collections.abc import Iterator
from typing import Any

import hardwork
import pytest
from helpers import identity, poll


def executor_of_two() -> hardwork.ProcessPoolExecutor:
    """Started by fork, which is what starts all workers at once: other methods start them when tasks need them."""
    executor = hardwork.ProcessPoolExecutor(2, multiprocessing.get_context("fork"))
    executor.submit(identity, 1).result()
    return executor


@pytest.fixture(params=["executor", "pool"])
def workers(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A living pool of two; and a function that gives its workers."""
    if request.param == "executor":
        with executor_of_two() as executor:
            yield lambda: list((executor._processes or {}).values())
    else:
        with hardwork.Pool(2) as pool:
            yield lambda: pool._pool
        del pool  # its list has its last workers, and they keep their descriptors


def test_they_look_like_processes(workers: Any) -> None:
    found = workers()
    assert len(found) == 2
    for worker in found:
        assert worker.pid == worker.ident
        assert worker.is_alive()
        assert worker.exitcode is None
        assert str(worker.pid) in worker.name
        assert select.select([worker.sentinel], [], [], 0)[0] == []
        assert "started" in repr(worker)
    assert found == workers()  # the same objects again


def test_a_killed_one_says_by_what(workers: Any) -> None:
    worker = workers()[0]
    worker.kill()
    worker.join()
    assert not worker.is_alive()
    assert worker.exitcode == -signal.SIGKILL
    assert select.select([worker.sentinel], [], [], 0)[0] == [worker.sentinel]
    poll(lambda: len(workers()) == 2)
    assert worker not in workers()
    other = workers()[1]
    other.terminate()
    other.join()
    assert other.exitcode == -signal.SIGTERM


def test_join_with_a_timeout_comes_back(workers: Any) -> None:
    worker = workers()[0]
    worker.join(0.01)
    assert worker.is_alive()


def test_exit_codes_after_the_end() -> None:
    executor = executor_of_two()
    held = list(executor._processes.values())
    assert executor.submit(os.getpid).result() in executor._processes
    with contextlib.suppress(hardwork.WorkerDied):
        executor.submit(os._exit, 7).result()
    poll(lambda: any(not worker.is_alive() for worker in held))
    executor.shutdown()
    assert sorted(worker.exitcode for worker in held) == [0, 7]
    assert executor._processes is None


def test_exit_codes_of_a_pool_that_is_gone() -> None:
    pool = hardwork.Pool(1)
    (worker,) = pool._pool
    pool.close()
    pool.join()
    del pool
    assert worker.exitcode in (0, 255)  # 255 is multiprocessing's word for: nobody knows
    worker.terminate()  # nobody is there to get it


@pytest.mark.parametrize("kind", ["executor", "pool"])
def test_active_children_lists_them(kind: str) -> None:
    before = {child.pid for child in multiprocessing.active_children()}
    if kind == "executor":
        pool: Any = executor_of_two()
        mine = set(pool._processes)
    else:
        pool = hardwork.Pool(2)
        mine = {worker.pid for worker in pool._pool}
    assert len(mine) == 2
    assert {child.pid for child in multiprocessing.active_children()} == before | mine
    other = multiprocessing.get_context("fork").Process(target=identity, args=(1,))
    other.start()
    assert other in multiprocessing.active_children() or not other.is_alive()
    other.join()
    if kind == "executor":
        pool.shutdown()
    else:
        pool.terminate()
    assert {child.pid for child in multiprocessing.active_children()} == before


def _children_seen() -> int:
    return len(multiprocessing.active_children())


def test_a_workers_own_children_are_its_own() -> None:
    with hardwork.Pool(2) as pool:
        assert pool.apply(_children_seen) == 0


def _fails() -> None:
    raise ValueError("on purpose")


def test_broken_says_so() -> None:
    executor = hardwork.ProcessPoolExecutor(1, initializer=_fails)
    assert executor._broken is False
    with pytest.raises(hardwork.BrokenProcessPool):
        executor.submit(identity, 1).result()
    assert "no task can be run" in str(executor._broken)
    executor.shutdown()


def test_a_view_that_is_held_keeps_no_descriptor_of_who_has_ended() -> None:
    def pidfds() -> int:
        links = [os.path.realpath(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")]
        return sum("pidfd" in link for link in links)

    before = pidfds()
    pool = hardwork.Pool(2)
    view = pool._pool
    os.kill(view[0].pid, signal.SIGKILL)
    with pytest.raises(hardwork.WorkerDied):
        pool.map(die_of_kill, range(2))
    pool.terminate()
    assert pidfds() == before
    assert len(view) == 2


def die_of_kill(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)
