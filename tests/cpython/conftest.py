"""Runs CPython's own tests with our classes in the places of the originals.

    python -m pytest tests/cpython                  ours
    python -m pytest tests/cpython --reference      the standard library, in the same harness

A test that fails with ours is at once run again with the standard library. If it fails there too, it is the machine's
failure: such a test is skipped, and says so. (To run all tests twice would tell the same, in twice the time, since they
mostly sleep.)
"""

from __future__ import annotations

import contextlib
import gc
import unittest
from collections.abc import Generator, Iterator
from typing import Any

import adopt
import pytest
import reference
import swap
from known_differences import KNOWN_DIFFERENCES

_failed = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--reference", action="store_true", help="run the standard library's classes instead of ours")


def pytest_configure(config: pytest.Config) -> None:
    unittest.TestCase.subTest = _plain_sub_test  # type: ignore[method-assign, assignment]
    if not config.getoption("reference"):
        with contextlib.suppress(adopt.NotShippedError):  # each module of tests says so itself
            swap.swap()


@contextlib.contextmanager
def _plain_sub_test(_: unittest.TestCase, message: object = None, **parameters: Any) -> Iterator[None]:
    """Stands in for TestCase.subTest: the first that fails is the test's failure, so that each test has one outcome."""
    try:
        yield
    except Exception as error:
        error.add_note(f"in the subtest {message or ''} {parameters or ''}")
        raise


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    items[:] = [item for item in items if not _is_adopted(item) or adopt.is_ours(item.cls, item.name)]
    if config.getoption("reference"):
        return
    for item in items:
        difference = KNOWN_DIFFERENCES.get(_name(item))
        if difference:
            how = {"raises": difference.raises} if difference.raises else {"run": False}
            item.add_marker(pytest.mark.xfail(reason=difference.reason, strict=True, **how))


def _is_adopted(item: pytest.Item) -> bool:
    return isinstance(item, pytest.Function) and adopt.is_test_case(item.cls)


def _name(item: pytest.Item) -> str:
    return adopt.defining_name(item.cls, item.name) if _is_adopted(item) else ""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None]:
    """Fails a test that leaves processes or threads: CPython's helpers note it, and its own CI fails then too."""
    yield
    failed = item.stash.get(_failed, False)
    if failed:
        gc.collect()  # the traceback's variables: a pool that the test did not come to shut down
    if _is_adopted(item):
        from test import support

        altered, support.environment_altered = support.environment_altered, False
        # One that did not come to its end, as those of the known differences do not, has its failure already.
        assert failed or not altered, "the test left something behind: see the warnings that it printed"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    report = yield
    if _is_adopted(item) and call.excinfo:
        item.stash[_failed] = True
        difference = None if item.config.getoption("reference") else KNOWN_DIFFERENCES.get(_name(item))
        if difference and call.when == "teardown" and type(call.excinfo.value) is difference.cleanup:
            report.outcome = "skipped"
            report.wasxfail = difference.reason
        elif report.failed and not item.config.getoption("reference") and not reference.passes(item):
            path, line, _ = item.location
            report.outcome = "skipped"
            reason = f"the machine: the standard library fails it too. With ours: {call.excinfo.value!r}"
            report.longrepr = path, line or 0, reason
    return report
