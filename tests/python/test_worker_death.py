"""A worker dies: the task it was running is lost, and nothing else."""

from __future__ import annotations

import os
import pickle
import signal
import threading
from collections import Counter
from concurrent.futures import wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import pytest
from hardwork import WorkerDied
from helpers import (
    Gate,
    append_line,
    die_by_exit,
    die_by_signal,
    double,
    log_then_maybe_die,
    own_pid,
    poll,
    read_lines,
    sleep,
    wait_at,
)
from leaks import is_alive


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT, signal.SIGTERM])
def test_by_a_signal(pool: Any, number: signal.Signals) -> None:
    error = pool.submit(die_by_signal, number).exception()
    assert type(error) is WorkerDied
    assert isinstance(error, BrokenProcessPool)
    assert error.signal == number
    assert error.exitcode is None
    assert isinstance(error.pid, int)
    assert error.pid != os.getpid()
    assert error.phase == "RUN"
    assert isinstance(error.task, int)
    assert str(error.pid) in str(error)
    assert number.name in str(error)
    assert pool.submit(double, 4).result() == 8


@pytest.mark.parametrize("code", [0, 3, 255])
def test_by_exit(pool: Any, code: int) -> None:
    error = pool.submit(die_by_exit, code).exception()
    assert type(error) is WorkerDied
    assert error.exitcode == code
    assert error.signal is None
    assert error.phase == "RUN"
    assert f"{error.pid} terminated abruptly with exit code {code}" in str(error.__cause__)
    assert pool.submit(double, 4).result() == 8


def test_under_each_start_method(hardwork_class: Any, context: Any) -> None:
    with hardwork_class(1, mp_context=context) as pool:
        error = pool.submit(die_by_exit, 3).exception()
        assert type(error) is WorkerDied
        assert error.exitcode == 3
        assert pool.submit(double, 4).result() == 8


def test_in_the_middle_of_a_thousand_tasks(pool: Any, tmp_path: Any) -> None:
    path = str(tmp_path / "log")
    futures = [pool.submit(log_then_maybe_die, path, number, 500) for number in range(1000)]
    wait(futures)
    failed = [number for number, future in enumerate(futures) if future.exception() is not None]
    assert failed == [500]
    assert type(futures[500].exception()) is WorkerDied
    assert [future.result() for number, future in enumerate(futures) if number != 500] == [
        number for number in range(1000) if number != 500
    ]
    assert Counter(read_lines(path)) == Counter(str(number) for number in range(1000))
    assert pool.submit(double, 4).result() == 8


def test_killed_from_outside_in_the_middle_of_a_thousand_tasks(pool: Any, tmp_path: Any) -> None:
    path = str(tmp_path / "log")
    futures = [pool.submit(log_pid_and_sleep, path, number) for number in range(1000)]
    poll(lambda: len(read_lines(path)) > 100)
    victim = int(read_lines(path)[-1].split()[0])
    os.kill(victim, signal.SIGKILL)
    errors = {number: error for number, future in enumerate(futures) if (error := future.exception()) is not None}
    executions = Counter(int(line.split()[1]) for line in read_lines(path))
    assert len(errors) <= 1  # none if it died between two tasks
    assert all(error.pid == victim and error.signal == signal.SIGKILL for error in errors.values())
    assert max(executions.values()) == 1
    assert set(range(1000)) - set(executions) <= set(errors)


def log_pid_and_sleep(path: str, number: int) -> None:
    append_line(path, f"{os.getpid()} {number}")
    sleep(0.001)


def test_during_a_map(pool: Any, tmp_path: Any) -> None:
    path = str(tmp_path / "log")
    results = pool.map(log_then_maybe_die, [path] * 300, range(300), [100] * 300)
    assert [next(results) for _ in range(100)] == list(range(100))
    with pytest.raises(WorkerDied):
        next(results)
    assert max(Counter(read_lines(path)).values()) == 1
    assert list(pool.map(double, range(100))) == [2 * number for number in range(100)]


def test_during_a_map_over_a_range(pool: Any) -> None:
    results = pool.map(die_at_500, range(1000))
    assert [next(results) for _ in range(500)] == list(range(500))
    with pytest.raises(WorkerDied):
        next(results)
    assert list(pool.map(double, range(100))) == [2 * number for number in range(100)]


def die_at_500(number: int) -> int:
    if number == 500:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_idle_workers_are_replaced(pool: Any) -> None:
    for _ in range(3):
        victims = {pool.submit(own_pid).result() for _ in range(10)}
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        # Whether they are noticed before or after the next call: no future fails.
        assert [pool.submit(double, number).result() for number in range(20)] == [2 * n for n in range(20)]
        poll(lambda victims=victims: not any(is_alive(pid) for pid in victims))


def test_those_who_wait_behind_the_victim_run(pool: Any, gate: Gate, tmp_path: Any) -> None:
    path = str(tmp_path / "log")
    running = [pool.submit(wait_at, gate, number) for number in range(2)]
    victim = gate.wait_for(2)[0]
    waiting = [pool.submit(log_then_maybe_die, path, number, -1) for number in range(200)]
    os.kill(victim, signal.SIGKILL)
    assert [future.result() for future in waiting] == list(range(200))
    assert Counter(read_lines(path)) == Counter(map(str, range(200)))
    gate.open()
    errors = [future.exception() for future in running]
    assert sum(error is not None for error in errors) == 1
    assert [error.pid for error in errors if error is not None] == [victim]


def test_many_deaths(pool: Any) -> None:
    futures = [pool.submit(die_by_exit if number % 2 else double, number) for number in range(60)]
    for number, future in enumerate(futures):
        if number % 2:
            assert type(future.exception()) is WorkerDied
            assert future.exception().exitcode == number
        else:
            assert future.result() == 2 * number


def test_callbacks_are_called(pool: Any) -> None:
    seen: list[Any] = []
    done = threading.Event()

    def callback(future: Any) -> None:
        seen.append(type(future.exception()))
        done.set()

    pool.submit(die_by_signal).add_done_callback(callback)
    assert done.wait(100)
    assert seen == [WorkerDied]


def test_the_replacement_is_initialised(hardwork_class: Any, context: Any) -> None:
    lock = context.Lock()
    with hardwork_class(1, mp_context=context, initializer=take, initargs=(lock,)) as pool:
        first = pool.submit(pid_with_lock).result()
        assert type(pool.submit(die_by_signal).exception()) is WorkerDied
        assert pool.submit(pid_with_lock).result() != first


def test_signals_to_the_whole_group_leave_the_template_alone(hardwork_class: Any, context: Any) -> None:
    # A terminal's Ctrl-C or hang-up, a service manager's SIGTERM: the parent and the workers have to do with them.
    if context.get_start_method() == "spawn":
        pytest.skip("no template: each worker is the parent's own child")
    with hardwork_class(1, mp_context=context) as pool:
        template = pool.submit(os.getppid).result()
        assert template != os.getpid()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
            os.kill(template, number)
        assert type(pool.submit(die_by_signal).exception()) is WorkerDied
        assert pool.submit(os.getppid).result() == template


taken: Any = None


def take(lock: Any) -> None:
    global taken
    taken = lock


def pid_with_lock() -> int:
    with taken:
        return own_pid()


def test_the_error_can_be_pickled(pool: Any) -> None:
    error = pool.submit(die_by_exit, 9).exception()
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), copy.pid, copy.exitcode, copy.signal) == (WorkerDied, error.pid, 9, None)
    assert str(copy) == str(error)


def test_shutdown_after_a_death(hardwork_class: Any) -> None:
    with hardwork_class(2) as pool:
        futures = [pool.submit(die_by_exit) for _ in range(4)]
    assert all(type(future.exception()) is WorkerDied for future in futures)
