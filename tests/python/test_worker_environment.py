"""What a task finds in its worker: multiprocessing's own idea of it, exit handlers, proxies, pools of its own."""

from __future__ import annotations

import atexit
import multiprocessing
import multiprocessing.util
import os
import re
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from helpers import append_line, double, identity, read_lines


def describe_process(_: int) -> dict[str, Any]:
    process = multiprocessing.current_process()
    parent = multiprocessing.parent_process()
    assert parent is not None
    return {
        "name": process.name,
        "daemon": process.daemon,
        "authkey": bytes(process.authkey),
        "pid": (process.pid, process.ident, os.getpid()),
        "parent": parent.pid,
        "parent alive": parent.is_alive(),
        "children": multiprocessing.active_children(),
        "start method": multiprocessing.get_start_method(allow_none=True),
        "thread": threading.current_thread() is threading.main_thread(),
        "main": sys.modules["__main__"].__name__,
        "standard input": sys.stdin.read() if sys.stdin is not None else "",
    }


def test_multiprocessing_knows_where_it_is(executor_class: Any, context: Any) -> None:
    with executor_class(2, mp_context=context) as pool:
        seen = pool.submit(describe_process, 0).result()
    kind = {"fork": "Fork", "forkserver": "ForkServer", "spawn": "Spawn"}[context.get_start_method()]
    assert re.fullmatch(rf"{kind}Process-\d+(:\d+)*", seen["name"])
    assert seen["daemon"] is False
    assert seen["authkey"] == bytes(multiprocessing.current_process().authkey)
    assert len(set(seen["pid"])) == 1
    assert seen["parent"] == os.getpid()
    assert seen["parent alive"] is True
    assert seen["children"] == []
    assert seen["thread"] is True
    assert seen["standard input"] == ""
    if context.get_start_method() != "fork":
        assert seen["start method"] == context.get_start_method()


def own_name(_: int) -> str:
    threading.Event().wait(0.02)
    return multiprocessing.current_process().name


def test_each_worker_has_a_name_of_its_own(executor_class: Any) -> None:
    with executor_class(3) as pool:
        pairs = {(name, pid) for name, pid in pool.map(name_and_pid, range(60))}
    assert len({name for name, _ in pairs}) == len({pid for _, pid in pairs}) == len(pairs)


def name_and_pid(number: int) -> tuple[str, int]:
    return own_name(number), os.getpid()


def register_endings(path: str) -> None:
    atexit.register(append_line, path, "atexit")
    multiprocessing.util.Finalize(None, append_line, args=(path, "finalize"), exitpriority=1)


def test_exit_handlers_run_in_workers(executor_class: Any, context: Any, tmp_path: Any) -> None:
    path = str(tmp_path / "log")
    with executor_class(1, mp_context=context) as pool:
        pool.submit(register_endings, path).result()
    lines = read_lines(path)
    assert lines.count("finalize") == 1
    # Interpreters differ in whether a forked child of multiprocessing runs them.
    assert lines.count("atexit") == 1 or executor_class is ProcessPoolExecutor


def append_and_sum(numbers: Any, number: int) -> int:
    numbers.append(number)
    return sum(numbers)


def test_manager_proxies_as_arguments(executor_class: Any, context: Any) -> None:
    with context.Manager() as manager:
        numbers = manager.list([1])
        with executor_class(1, mp_context=context) as pool:
            assert pool.submit(append_and_sum, numbers, 10).result() == 11
            assert list(pool.map(append_and_sum, [numbers] * 2, [100, 1000])) == [111, 1111]
        assert list(numbers) == [1, 10, 100, 1000]


def double_in_a_pool_of_its_own(which: str, number: int) -> int:
    from helpers import class_of

    with class_of(which)(1, mp_context=multiprocessing.get_context("fork")) as pool:
        return int(pool.submit(double, number).result())


def test_a_pool_inside_a_worker(executor_class: Any) -> None:
    which = "standard" if executor_class is ProcessPoolExecutor else "hardwork"
    with executor_class(2, mp_context=multiprocessing.get_context("fork")) as pool:
        futures = [pool.submit(double_in_a_pool_of_its_own, which, number) for number in range(4)]
        assert [future.result() for future in futures] == [0, 2, 4, 6]


def test_pools_first_used_in_a_thread(executor_class: Any) -> None:
    results: list[int] = []

    def work() -> None:
        with executor_class(1) as pool:
            results.extend(pool.map(double, range(10)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert results == [2 * number for number in range(10)]


def test_a_pool_outlives_the_thread_that_first_used_it(executor: Any) -> None:
    thread = threading.Thread(target=lambda: executor.submit(identity, 1).result())
    thread.start()
    thread.join()
    assert executor.submit(double, 1).result() == 2
    assert list(executor.map(double, range(100))) == [2 * number for number in range(100)]
