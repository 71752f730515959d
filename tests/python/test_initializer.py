"""The initializer: once in each worker, before its first task, and what happens when it fails."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
from concurrent.futures.process import BrokenProcessPool
from logging.handlers import QueueHandler
from typing import Any

import pytest
from helpers import append_line, double, read_lines

state: list[Any] = []


def remember(*args: Any) -> None:
    state.append((os.getpid(), args))


def recall(_: int) -> list[Any]:
    return [os.getpid(), *state]


def test_runs_once_in_each_worker_before_its_tasks(executor_class: Any, context: Any) -> None:
    with executor_class(2, mp_context=context, initializer=remember, initargs=(1, "two")) as pool:
        for pid, *rest in pool.map(recall, range(50)):
            assert rest == [(pid, (1, "two"))]
    assert state == []


def test_all_positional(executor_class: Any) -> None:
    with executor_class(1, multiprocessing.get_context(), remember, (3,)) as pool:
        assert pool.submit(recall, 0).result()[1][1] == (3,)


def test_a_closure_needs_no_pickling_under_fork(executor_class: Any) -> None:
    captured: list[int] = []
    context = multiprocessing.get_context("fork")
    with executor_class(1, mp_context=context, initializer=lambda one: captured.append(one), initargs=(1,)) as pool:
        assert pool.submit(double, 2).result() == 4
    assert captured == []


def fail(path: str) -> None:
    append_line(path, os.getpid())
    raise LookupError("the initializer's own text")


def test_one_that_fails_breaks_the_pool_and_no_task_runs(executor_class: Any, tmp_path: Any) -> None:
    tasks = str(tmp_path / "tasks")
    births = str(tmp_path / "births")
    with executor_class(2, initializer=fail, initargs=(births,)) as pool:
        futures = []
        with contextlib.suppress(BrokenProcessPool):  # that submit may say so already depends on who is quicker
            futures = [pool.submit(append_line, tasks, 1)]
            futures += [pool.submit(append_line, tasks, number) for number in range(10)]
        assert futures
        for future in futures:
            with pytest.raises(BrokenProcessPool):
                future.result()
        with pytest.raises(BrokenProcessPool):
            pool.submit(double, 1).result()
        with pytest.raises(BrokenProcessPool):
            list(pool.map(double, range(10)))
    assert read_lines(tasks) == []
    # Not born again and again to fail again and again.
    assert len(read_lines(births)) < 50


def leave() -> None:
    os._exit(7)


def test_one_that_ends_its_process(executor_class: Any) -> None:
    with executor_class(1, initializer=leave) as pool:
        with pytest.raises(BrokenProcessPool):
            pool.submit(double, 1).result()


def test_initargs_that_do_not_fit(executor_class: Any) -> None:
    with executor_class(1, initializer=double, initargs=(1, 2, 3)) as pool:
        with pytest.raises(BrokenProcessPool):
            pool.submit(double, 1).result()


def log_and_fail(messages: Any) -> None:
    logger = logging.getLogger("concurrent.futures")
    logger.addHandler(QueueHandler(messages))
    logger.propagate = False
    raise LookupError("the initializer's own text")


def test_what_it_raised_is_logged_in_the_worker(executor_class: Any, context: Any) -> None:
    messages = context.Queue()
    with executor_class(1, mp_context=context, initializer=log_and_fail, initargs=(messages,)) as pool:
        with pytest.raises(BrokenProcessPool):
            pool.submit(double, 1).result()
        # It has come before the pool says that it is broken.
        record = messages.get_nowait()
    assert record.levelno == logging.CRITICAL
    assert "LookupError: the initializer's own text" in record.getMessage()
    messages.close()
    messages.join_thread()
