"""That CPython's tests really meet the classes they are meant to test, and that the list of differences is true."""

from __future__ import annotations

import concurrent.futures
import sys

import adopt
import pytest

SCRIPT = """
import concurrent.futures, multiprocessing
if __name__ == "__main__":
    print(concurrent.futures.ProcessPoolExecutor.__module__)
    with multiprocessing.Pool(1) as pool:
        print(type(pool).__module__)
"""


@pytest.fixture
def package(request: pytest.FixtureRequest) -> str:
    """What the modules of all classes under test begin with."""
    return "concurrent" if request.config.getoption("reference") else "hardwork"


def test_the_reference_does_not_know_us(request: pytest.FixtureRequest) -> None:
    assert request.config.getoption("reference") == ("hardwork" not in sys.modules)


def test_executors(package: str) -> None:
    test_executor = pytest.importorskip("test_executor")
    cases = [value for value in vars(test_executor).values() if adopt.is_test_case(value)]
    executors = {case.executor_type for case in cases if hasattr(case, "executor_type")}
    assert executors == {concurrent.futures.ProcessPoolExecutor}
    assert executors.pop().__module__.startswith(package)
    modules = {case.__module__ for case in cases}
    assert modules == set(adopt.EXECUTOR_MODULES)
    contexts = {case.ctx for case in cases if hasattr(case, "ctx")}
    assert contexts == {"fork", "forkserver", "spawn"}


def test_futures(package: str) -> None:
    try:
        util = adopt.import_tests("test.test_concurrent_futures.util")
    except adopt.NotShippedError as reason:
        pytest.skip(str(reason))
    assert type(util.PENDING_FUTURE).__module__.startswith(package)
    assert concurrent.futures.Future.__module__.startswith("concurrent")
