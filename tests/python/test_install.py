"""`install()` and `uninstall()`: ours under the standard library's names."""

from __future__ import annotations

import concurrent.futures
import concurrent.futures.process
import multiprocessing
import multiprocessing.pool
from collections.abc import Callable, Iterator
from typing import Any

import hardwork
import pytest
from helpers import identity

STANDARD = concurrent.futures.ProcessPoolExecutor
POOL = multiprocessing.pool.Pool


@pytest.fixture
def installed() -> Iterator[None]:
    hardwork.install()
    yield
    hardwork.uninstall()
    assert concurrent.futures.ProcessPoolExecutor is STANDARD
    assert multiprocessing.pool.Pool is POOL


def test_all_names_make_ours(installed: None) -> None:
    assert concurrent.futures.ProcessPoolExecutor is hardwork.ProcessPoolExecutor
    assert concurrent.futures.process.ProcessPoolExecutor is hardwork.ProcessPoolExecutor
    assert multiprocessing.pool.Pool is hardwork.Pool
    with multiprocessing.Pool(1) as pool:
        assert type(pool) is hardwork.Pool
        assert pool.map(identity, [1, 2]) == [1, 2]


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_contexts_make_ours(installed: None, method: str) -> None:
    with multiprocessing.get_context(method).Pool(1) as pool:
        assert type(pool) is hardwork.Pool
        assert pool._ctx.get_start_method() == method
        assert pool.apply(identity, (3,)) == 3


def test_ours_are_still_instances_of_the_originals(installed: None) -> None:
    with concurrent.futures.ProcessPoolExecutor(1) as executor:
        assert isinstance(executor, STANDARD)
    with multiprocessing.Pool(1) as pool:
        assert isinstance(pool, POOL)


MANAGER = """
import sys
import multiprocessing
import multiprocessing.pool
import hardwork

def kind():
    from multiprocessing.managers import SyncManager
    return SyncManager._registry["Pool"][0]

if __name__ == "__main__":
    standard = multiprocessing.pool.Pool
    if sys.argv[1] == "before":
        assert kind() is standard
    hardwork.install()
    hardwork.install()
    assert kind() is hardwork.Pool
    for method in ("fork", "spawn"):
        with multiprocessing.get_context(method).Manager() as manager:
            with manager.Pool(1) as pool:
                print(pool.map(abs, [-1, 2]), pool.apply_async(abs, (-3,)).get())
                print(str(pool).split()[0])
    hardwork.uninstall()
    assert kind() is standard
    hardwork.uninstall()
    assert kind() is standard
"""


@pytest.mark.parametrize("imported", ["before", "after"])
def test_pools_of_managers(run_script: Callable[..., Any], imported: str) -> None:
    done = run_script(MANAGER, imported)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["[1, 2] 3", "<hardwork.pool.Pool"] * 2


def test_thread_pools_are_left_alone(installed: None) -> None:
    with multiprocessing.pool.ThreadPool(2) as pool:
        assert not isinstance(pool, hardwork.Pool)
        assert pool.map(identity, range(10)) == list(range(10))
        assert sorted(pool.imap_unordered(identity, range(10), chunksize=3)) == list(range(10))
        assert pool.apply_async(identity, (4,)).get() == 4
        pool.close()
        pool.join()
    with concurrent.futures.ThreadPoolExecutor(1) as executor:
        assert executor.submit(identity, 5).result() == 5


def test_both_may_be_called_again() -> None:
    hardwork.install()
    hardwork.install()
    hardwork.uninstall()
    assert concurrent.futures.ProcessPoolExecutor is STANDARD
    assert multiprocessing.pool.Pool is POOL
    hardwork.uninstall()
    assert multiprocessing.pool.Pool is POOL


def test_what_somebody_else_has_put_there_stays() -> None:
    hardwork.install()
    other = type("Other", (), {})
    try:
        multiprocessing.pool.Pool = other  # type: ignore[misc,assignment]
        hardwork.uninstall()
        assert multiprocessing.pool.Pool is other  # type: ignore[comparison-overlap]
    finally:
        multiprocessing.pool.Pool = POOL  # type: ignore[misc]
    assert concurrent.futures.ProcessPoolExecutor is STANDARD
