"""`executor._processes` and `pool._pool`: the same dictionary and list all the time, and true at any time."""

from __future__ import annotations

import copy
import multiprocessing
import os
import select
import signal
from typing import Any

import hardwork
import pytest
from helpers import identity, own_pid, poll

FORK = multiprocessing.get_context("fork")


def is_over(worker: Any) -> bool:
    return select.select([worker.sentinel], [], [], 0)[0] == [worker.sentinel]


def test_a_dictionary_that_is_held(executor_class: Any) -> None:
    executor = executor_class(2, FORK)
    view = executor._processes
    assert isinstance(view, dict)
    assert view == {}
    assert not view
    assert executor.submit(identity, 1).result() == 1
    assert executor._processes is view
    assert len(view) == 2
    workers = list(view.values())
    assert all(pid in view and view[pid] is view.get(pid) for pid in view)
    assert {**view} == dict(view) == view == dict(view.items()) == view.copy()
    assert list(view) == list(view.keys()) == [worker.pid for worker in workers]
    assert executor.submit(own_pid).result() in view
    assert repr(workers[0]) in repr(view)
    executor.shutdown()
    assert executor._processes is None
    assert list(view.values()) == workers
    assert [worker.exitcode for worker in workers] == [0, 0]


def test_a_dictionary_that_is_held_from_before_and_read_after(executor_class: Any) -> None:
    executor = executor_class(2, FORK)
    view = executor._processes
    pid = executor.submit(own_pid).result()
    executor.shutdown(wait=False)
    poll(lambda: [worker.exitcode for worker in view.values()] == [0, 0])
    assert pid in view
    assert all(is_over(worker) for worker in view.values())
    executor.shutdown()


def test_a_dictionary_while_workers_are_replaced(executor_class: Any) -> None:
    with executor_class(1, multiprocessing.get_context("forkserver"), max_tasks_per_child=1) as executor:
        view = executor._processes
        before = executor.submit(own_pid).result()
        poll(lambda: before not in view)
        after = executor.submit(own_pid).result()
        assert after != before
        poll(lambda: after not in view)


def test_a_list_that_is_held(pool_class: Any) -> None:
    pool = pool_class(2)
    view = pool._pool
    assert isinstance(view, list)
    workers = list(view)
    assert pool._pool is view
    assert len(view) == 2
    assert workers == view == [*view] == view[:] == view.copy() == copy.copy(view)
    assert view[0] is workers[0]
    assert view.index(workers[1]) == 1
    assert pool.apply(own_pid) in [worker.pid for worker in view]
    pool.close()
    pool.join()
    assert list(view) == list(pool._pool) == workers
    assert [worker.exitcode for worker in view] == [0, 0]
    assert all(is_over(worker) and not worker.is_alive() for worker in view)
    assert "state=CLOSE pool_size=2" in repr(pool)


def test_a_list_of_a_terminated_pool(pool_class: Any) -> None:
    pool = pool_class(2)
    view, workers = pool._pool, list(pool._pool)
    assert pool.apply(identity, (1,)) == 1
    pool.terminate()
    pool.join()
    assert list(view) == workers
    assert not any(worker.is_alive() for worker in view)
    assert all(worker.exitcode in (0, -signal.SIGTERM) for worker in view)
    assert "state=TERMINATE pool_size=2" in repr(pool)


def test_a_list_that_is_looked_at_only_in_the_end(pool_class: Any) -> None:
    pool = pool_class(2)
    pids = set(pool.map(own_pid, range(100)))
    pool.close()
    pool.join()
    assert pids <= {worker.pid for worker in pool._pool}
    assert [worker.exitcode for worker in pool._pool] == [0, 0]
    poll(lambda: all(is_over(worker) for worker in pool._pool))


def test_a_list_while_workers_are_replaced(pool_class: Any) -> None:
    with pool_class(1, maxtasksperchild=1) as pool:
        view = pool._pool
        (before,) = view
        assert pool.apply(own_pid) == before.pid
        poll(lambda: before not in view and len(view) == 1)
        assert before.exitcode == 0
        assert view[0].pid != before.pid


def test_a_worker_that_was_let_go(pool_class: Any) -> None:
    pool = pool_class(1)
    (worker,) = pool._pool
    with pytest.raises(ValueError, match="Cannot close a process while it is still running"):
        worker.close()
    pool.close()
    pool.join()
    pool.terminate()  # the original would look at its workers in the end
    worker.close()
    worker.close()
    for attribute in ("pid", "ident", "sentinel", "exitcode"):
        with pytest.raises(ValueError, match="process object is closed"):
            getattr(worker, attribute)
    for method in (worker.is_alive, worker.join, worker.terminate, worker.kill):
        with pytest.raises(ValueError, match="process object is closed"):
            method()
    assert "closed" in repr(worker)


# --- ours alone ---


def test_views_held_across_a_death() -> None:
    with hardwork.ProcessPoolExecutor(2, FORK) as executor:
        executor.submit(identity, 1).result()
        view = executor._processes
        assert view is not None
        victim, other = view.values()
        values = view.values()
        victim.kill()
        poll(lambda: victim.pid not in view and len(view) == 2)
        assert executor._processes is view
        assert victim not in values
        assert other in values
        assert len(values) == 2
        assert victim.exitcode == -signal.SIGKILL
        assert is_over(victim)
    assert victim.exitcode == -signal.SIGKILL
    assert is_over(victim)
    assert "stopped exitcode=-SIGKILL" in repr(victim)
    with hardwork.Pool(2) as pool:
        seen = pool._pool
        victim, other = seen
        os.kill(victim.pid, signal.SIGKILL)
        poll(lambda: victim not in seen and len(seen) == 2)
        assert pool._pool is seen
        assert other in seen
        assert victim.exitcode == -signal.SIGKILL


def test_views_survive_their_pool() -> None:
    pool = hardwork.Pool(2)
    view, pids = pool._pool, [worker.pid for worker in pool._pool]
    pool.close()
    pool.join()
    del pool
    assert [worker.pid for worker in view] == pids
    assert [worker.exitcode for worker in view] == [0, 0]
    assert all(is_over(worker) for worker in view)


def test_a_loop_over_a_view_may_look_at_it() -> None:
    with hardwork.ProcessPoolExecutor(2, FORK) as executor:
        executor.submit(identity, 1).result()
        view = executor._processes
        assert view is not None
        for pid, worker in view.items():
            worker.kill()
            poll(lambda pid=pid: pid not in view)  # type: ignore[misc]
        assert len(view) == 2
