"""Real clients, unchanged: each does its job with the original and with ours, and comes to the same results.

They need packages that the other tests do without (the extra `clients`): `make test-clients`.
"""

from __future__ import annotations

import concurrent.futures
import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import hardwork
import pytest


@contextmanager
def _pool(ours: bool, start_method: str) -> Iterator[Any]:
    context = multiprocessing.get_context(start_method)
    with hardwork.Pool(2, context=context) if ours else context.Pool(2) as pool:
        yield pool


@contextmanager
def _executor(ours: bool, start_method: str) -> Iterator[Any]:
    kind = hardwork.ProcessPoolExecutor if ours else concurrent.futures.ProcessPoolExecutor
    with kind(2, mp_context=multiprocessing.get_context(start_method)) as executor:
        yield executor


@pytest.fixture(params=["fork", "forkserver", "spawn"])
def start_method(request: pytest.FixtureRequest) -> str:
    """For one client of each face; the others do with fork."""
    return str(request.param)


@pytest.fixture
def with_pools() -> Callable[..., tuple[Any, Any]]:
    """Does a job with multiprocessing's Pool and with ours; returns both results."""

    def do(job: Callable[[Any], Any], start_method: str = "fork") -> tuple[Any, Any]:
        results = []
        for ours in (False, True):
            with _pool(ours, start_method) as pool:
                results.append(job(pool))
        return results[0], results[1]

    return do


@pytest.fixture
def with_executors() -> Callable[..., tuple[Any, Any]]:
    """The same with concurrent.futures' executor and ours."""

    def do(job: Callable[[Any], Any], start_method: str = "fork") -> tuple[Any, Any]:
        results = []
        for ours in (False, True):
            with _executor(ours, start_method) as executor:
                results.append(job(executor))
        return results[0], results[1]

    return do


@pytest.fixture
def with_install() -> Iterator[Callable[[Callable[[], Any]], tuple[Any, Any]]]:
    """The same for jobs that make pools of their own: as they are, and after `hardwork.install()`."""

    def do(job: Callable[[], Any]) -> tuple[Any, Any]:
        original = job()
        hardwork.install()
        return original, job()

    yield do
    hardwork.uninstall()
