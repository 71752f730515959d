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

CONTEXT = multiprocessing.get_context("fork")


@contextmanager
def _pool(ours: bool) -> Iterator[Any]:
    with hardwork.Pool(2, context=CONTEXT) if ours else CONTEXT.Pool(2) as pool:
        yield pool


@contextmanager
def _executor(ours: bool) -> Iterator[Any]:
    kind = hardwork.ProcessPoolExecutor if ours else concurrent.futures.ProcessPoolExecutor
    with kind(2, mp_context=CONTEXT) as executor:
        yield executor


@pytest.fixture
def with_pools() -> Callable[[Callable[[Any], Any]], tuple[Any, Any]]:
    """Does a job with multiprocessing's Pool and with ours; returns both results."""

    def do(job: Callable[[Any], Any]) -> tuple[Any, Any]:
        results = []
        for ours in (False, True):
            with _pool(ours) as pool:
                results.append(job(pool))
        return results[0], results[1]

    return do


@pytest.fixture
def with_executors() -> Callable[[Callable[[Any], Any]], tuple[Any, Any]]:
    """The same with concurrent.futures' executor and ours."""

    def do(job: Callable[[Any], Any]) -> tuple[Any, Any]:
        results = []
        for ours in (False, True):
            with _executor(ours) as executor:
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
