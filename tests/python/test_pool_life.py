"""The life of a Pool: made, closed, terminated, dropped; its workers, and who they think they are."""

from __future__ import annotations

import multiprocessing
import multiprocessing.pool
import os
import pickle
import signal
import time
import warnings
from collections.abc import Callable
from typing import Any

import hardwork
import pytest
from helpers import Gate, identity, poll, wait_at


def whoami() -> tuple[str, bool, int]:
    process = multiprocessing.current_process()
    return process.name, process.daemon, os.getpid()


def pid_of(_: Any) -> int:
    return os.getpid()


def ignore_sigterm(gate: Gate) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    wait_at(gate)


_started = None


def remember(value: Any) -> None:
    global _started
    _started = value


def remembered() -> Any:
    return _started[0]  # type: ignore[index]  # the lock beside it stays where it is


def fail() -> None:
    raise ValueError("the initializer's own")


def nested() -> int:
    with multiprocessing.get_context("fork").Pool(1) as pool:
        value: int = pool.apply(identity, (5,))
        return value


def nested_of_ours() -> int:
    with hardwork.Pool(1) as pool:
        value: int = pool.apply(identity, (5,))
        return value


def test_close_and_join(pool_class: Any) -> None:
    pool = pool_class(2)
    results = [pool.apply_async(identity, (number,)) for number in range(100)]
    with pytest.raises(ValueError, match="still running"):
        pool.join()
    pool.close()
    pool.join()
    pool.join()
    assert [result.get() for result in results] == list(range(100))
    with pytest.raises(ValueError, match="Pool not running"), pool:
        pass


def test_terminate_ends_what_runs(pool_class: Any) -> None:
    pool = pool_class(2)
    pool.apply_async(time.sleep, (1000,))
    pool.terminate()
    pool.join()
    pool.terminate()
    pool.close()
    assert pool._state == "TERMINATE"


def test_as_a_context_manager_it_terminates(pool_class: Any) -> None:
    with pool_class(1) as pool:
        assert pool._state == "RUN"
        pool.apply_async(time.sleep, (1000,))
    assert pool._state == "TERMINATE"


def test_what_it_is_and_says(pool_class: Any) -> None:
    with pool_class(3) as pool:
        assert isinstance(pool, multiprocessing.pool.Pool)
        assert pool._processes == 3
        assert len(pool._pool) == 3
        assert all(process.pid for process in pool._pool)
        assert "state=RUN pool_size=3" in repr(pool)
        with pytest.raises(NotImplementedError):
            pickle.dumps(pool)


def test_an_unclosed_one_warns(pool_class: Any) -> None:
    pool = pool_class(1)
    with pytest.warns(ResourceWarning, match="unclosed running multiprocessing pool"):
        pool.__del__()
    pool.terminate()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pool.__del__()


def test_initializer(pool_class: Any, context: Any) -> None:
    lock = context.Lock()
    with pool_class(1, remember, ((1, lock),), context=context) as pool:
        assert pool.apply(remembered) == 1


def test_maxtasksperchild(pool_class: Any) -> None:
    with pool_class(1, maxtasksperchild=2) as pool:
        pids = [pool.apply(pid_of, (0,)) for _ in range(6)]
    assert len(set(pids)) == 3
    assert pids[0] == pids[1] != pids[2] == pids[3]


def test_a_fresh_process_for_each_item(pool_class: Any) -> None:
    with pool_class(2, maxtasksperchild=1) as pool:
        assert len(set(pool.map(pid_of, range(10), chunksize=1))) == 10
        assert len(set(pool.imap(pid_of, range(10)))) == 10
        # A chunk is a task.
        assert len(set(pool.map(pid_of, range(10), chunksize=5))) == 2


def test_a_worker_is_a_daemonic_process_with_a_name(pool_class: Any) -> None:
    with pool_class(1, context=multiprocessing.get_context("fork")) as pool:
        name, daemonic, pid = pool.apply(whoami)
        assert name.startswith("ForkPoolWorker-")
        assert daemonic
        assert pid in [process.pid for process in pool._pool]
        with pytest.raises(AssertionError, match="daemonic processes are not allowed to have children"):
            pool.apply(nested)


class NotDaemonic(multiprocessing.get_context("fork").Process):  # type: ignore[name-defined,misc]
    @property
    def daemon(self) -> bool:
        return False

    @daemon.setter
    def daemon(self, value: bool) -> None:
        pass


class NestingContext(type(multiprocessing.get_context("fork"))):  # type: ignore[misc]
    Process = NotDaemonic


def test_the_way_to_nest_pools(pool_class: Any) -> None:
    with pool_class(1, context=NestingContext()) as pool:
        assert pool.apply(whoami)[1] is False
        assert pool.apply(nested) == 5


def test_methods_may_be_overridden(pool_class: Any) -> None:
    class Counting(pool_class):  # type: ignore[misc,valid-type]
        def apply_async(self, *args: Any, **kwds: Any) -> Any:
            self.count = getattr(self, "count", 0) + 1
            return super().apply_async(*args, **kwds)

    with Counting(1) as pool:
        assert pool.apply(identity, (3,)) == 3
        assert pool.count == 1


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"processes": 0}, ValueError),
        ({"processes": -1}, ValueError),
        ({"processes": "2"}, TypeError),
        ({"initializer": 5}, TypeError),
        ({"maxtasksperchild": 0}, ValueError),
        ({"maxtasksperchild": "x"}, ValueError),
    ],
    ids=str,
)
def test_bad_parameters(pool_class: Any, arguments: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        pool_class(**arguments)


END_OF_PROGRAM = """
import sys, time
from {module} import Pool
from helpers import identity
if __name__ == "__main__":
    pool = Pool(2)
    pool.apply_async(time.sleep, (1000,))
    print(pool.apply(identity, (1,)))
"""


@pytest.mark.parametrize("module", ["multiprocessing", "hardwork"])
def test_the_end_of_a_program_terminates_it(run_script: Callable[..., Any], module: str) -> None:
    done = run_script(END_OF_PROGRAM.format(module=module))
    assert done.stdout == "1\n"
    assert done.returncode == 0, done.stderr


# --- ours alone ---


def test_messages_name_what_was_wrong() -> None:
    with pytest.raises(ValueError, match="Number of processes must be at least 1, not 0"):
        hardwork.Pool(0)
    with pytest.raises(TypeError, match=r"processes must be a positive integer or None, not 1\.5"):
        hardwork.Pool(1.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="maxtasksperchild must be a positive int or None, not -1"):
        hardwork.Pool(1, maxtasksperchild=-1)


def test_results_of_a_terminated_pool_end(gate: Gate) -> None:
    told: list[Any] = []
    pool = hardwork.Pool(1)
    running = pool.apply_async(wait_at, (gate,), callback=told.append, error_callback=told.append)
    gate.wait_for(1)
    waiting = pool.apply_async(identity, (1,), error_callback=told.append)
    mapped = pool.map_async(identity, range(10), error_callback=told.append)
    iterated = pool.imap(identity, iter(range(10)))
    pool.terminate()
    for result in (running, waiting, mapped):
        with pytest.raises(hardwork.PoolTerminated):
            result.get()
    with pytest.raises(hardwork.PoolTerminated):
        next(iterated)
    with pytest.raises(StopIteration):
        next(iterated)
    assert told == []


def test_a_worker_that_ignores_sigterm_is_killed(gate: Gate) -> None:
    pool = hardwork.Pool(1)
    pool.apply_async(ignore_sigterm, (gate,))
    gate.wait_for(1)
    pool.terminate()
    assert [worker.exitcode for worker in pool._pool] == [-signal.SIGKILL]


def test_an_initializer_that_raises_breaks_it() -> None:
    with hardwork.Pool(1, fail) as pool, pytest.raises(hardwork.BrokenProcessPool) as caught:
        pool.apply(identity, (1,))
    assert "the initializer's own" in str(caught.value.__cause__)


def test_a_dropped_pool_finishes_what_it_has(gate: Gate) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        pool = hardwork.Pool(1)
        results = [pool.apply_async(wait_at, (gate, number)) for number in range(3)]
        del pool
    gate.open()
    assert [result.get() for result in results] == [0, 1, 2]


def test_pools_within_pools() -> None:
    with hardwork.Pool(1) as pool:
        assert pool.apply(nested_of_ours) == 5


def test_a_fork_cannot_use_it() -> None:
    with hardwork.Pool(1) as pool:
        read, write = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                pool.apply(identity, (1,))
            except RuntimeError as error:
                os.write(write, str(error).encode())
            finally:
                os._exit(0)
        os.waitpid(pid, 0)
        assert b"a fork of it" in os.read(read, 1000)
        os.close(read)
        os.close(write)
        assert pool.apply(identity, (2,)) == 2


def test_results_are_let_go() -> None:
    with hardwork.Pool(1) as pool:
        for _ in range(3):
            assert len(pool.map(bytes, [100_000] * 50)) == 50
        poll(lambda: not pool._cache)
