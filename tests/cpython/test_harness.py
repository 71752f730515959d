"""That CPython's tests meet the classes that they are meant to test, and that the list of differences is true."""

from __future__ import annotations

import concurrent.futures
import importlib
import sys
from multiprocessing import managers
from pathlib import Path
from types import ModuleType

import adopt
import pytest
from known_differences import KNOWN_DIFFERENCES

START_METHODS = {"fork", "forkserver", "spawn"}
MODULES = ["test_executor", *(f"test_pool_{method}" for method in sorted(START_METHODS))]
POOL_CLASSES = {
    "TestPoolNotLeakOnFailure",
    "WithManagerTestPool",
    "WithProcessesTestPool",
    "WithProcessesTestPoolWorkerErrors",
    "WithProcessesTestPoolWorkerLifetime",
}

SCRIPT = """
import concurrent.futures, multiprocessing
print(concurrent.futures.ProcessPoolExecutor.__module__)
if __name__ == "__main__":
    with multiprocessing.Pool(1) as pool:
        print(type(pool).__module__)
"""


def module(name: str) -> ModuleType:
    """Imports a module of tests, CPython's or the one that has adopted them; skips if there is none."""
    try:
        return adopt.import_tests(name) if name.startswith("test.") else importlib.import_module(name)
    except adopt.NotShippedError as reason:
        pytest.skip(str(reason))


@pytest.fixture
def original(request: pytest.FixtureRequest) -> bool:
    """Whether the standard library's classes are under test."""
    return bool(request.config.getoption("reference"))


def check(names: list[str], original: bool) -> None:
    """Looks at the modules of classes under test."""
    assert names
    assert [name.startswith("hardwork.") for name in names] == [not original] * len(names), names


def test_the_reference_does_not_know_ours(original: bool) -> None:
    assert ("hardwork" in sys.modules) is not original


def test_executors(original: bool) -> None:
    cases = [case for case in vars(module("test_executor")).values() if adopt.is_test_case(case)]
    assert {case.__module__ for case in cases} == set(adopt.EXECUTOR_MODULES)
    assert {case.ctx for case in cases if hasattr(case, "ctx")} == START_METHODS
    check([case.executor_type.__module__ for case in cases if hasattr(case, "executor_type")], original)


def test_futures(original: bool) -> None:
    util = module("test.test_concurrent_futures.util")
    check([type(util.PENDING_FUTURE).__module__], original)
    check([concurrent.futures.Future.__module__], original=True)  # what others make is left alone


@pytest.mark.parametrize("name", MODULES[1:])
def test_pools(name: str, original: bool) -> None:
    classes = vars(module(name))
    assert classes.keys() >= POOL_CLASSES
    with classes["WithProcessesTestPool"].Pool(1) as pool:
        check([type(pool).__module__], original)


def test_pools_of_managers(original: bool) -> None:
    registry = managers.SyncManager._registry  # type: ignore[attr-defined]
    check([registry["Pool"][0].__module__], original)


@pytest.mark.parametrize("how", ["command", "file"])
def test_scripts(how: str, tmp_path: Path, original: bool) -> None:
    helper = module("test.support.script_helper")
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    arguments = ["-c", SCRIPT] if how == "command" else [str(path)]
    _, out, err = helper.assert_python_ok(*arguments)
    assert not err
    check(out.decode().split(), original)
    assert path.read_text() == SCRIPT


def test_differences_exist() -> None:
    names = set()
    for name in MODULES:
        for case in vars(module(name)).values():
            if adopt.is_test_case(case):
                names |= {adopt.defining_name(case, test) for test in adopt.tests_of(case)}
    known = {name for name, difference in KNOWN_DIFFERENCES.items() if sys.version_info[:3] >= difference.since}
    assert not known - names, "no such tests: take them off the list, or mend their names"
