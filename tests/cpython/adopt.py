"""Takes the tests of process pools out of the interpreter's own `test` package, for pytest to collect.

CPython's modules are imported as they are, after the swap, so that their classes are made with ours. What a test sends
to a worker is found there under its own name, also by a worker that begins afresh.
"""

from __future__ import annotations

import importlib
import inspect
import sys
import unittest
from concurrent import futures
from types import ModuleType
from typing import Any

import in_process

EXECUTOR_MODULES = [
    f"test.test_concurrent_futures.test_{name}"
    for name in ("as_completed", "deadlock", "future", "init", "process_pool", "shutdown", "wait")
]


class NotShippedError(Exception):
    """This interpreter comes without the tests; the message is a reason to skip them."""


def import_tests(name: str) -> ModuleType:
    """Imports a module of CPython's tests.

    Args:
        name: Its name.

    Returns:
        The module.

    Raises:
        NotShippedError: There is none.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if missing.partition(".")[0] != "test":
            raise
        version = ".".join(map(str, sys.version_info[:3]))
        raise NotShippedError(f"this CPython {version} comes without {missing}") from error


def adopt_executor_tests(namespace: dict[str, Any]) -> None:
    """Puts the test classes of `concurrent.futures` into a module.

    Args:
        namespace: The globals of that module.

    Raises:
        NotShippedError: There are none.
    """
    modules = [import_tests(name) for name in EXECUTOR_MODULES]
    for module in modules:
        for name, case in inspect.getmembers(module, is_test_case):
            if case.__module__ == module.__name__:
                assert name not in namespace, f"two modules have a {name}"
                namespace[name] = case
    _keep_ours(namespace)
    # It is the same one in all of them. pytest does not call what it registers for the end.
    namespace["setUpModule"] = modules[0].setUpModule
    namespace["tearDownModule"] = unittest.doModuleCleanups


def adopt_pool_tests(namespace: dict[str, Any], start_method: str) -> None:
    """Puts the test classes of `multiprocessing` into a module, as CPython does for each start method.

    Args:
        namespace: The globals of that module.
        start_method: What they are run with.

    Raises:
        NotShippedError: There are none.
    """
    import_tests("test._test_multiprocessing").install_tests_in_module_dict(namespace, start_method)
    _keep_ours(namespace)
    in_process.look_at(namespace["TestStdinBadfiledescriptor"])


def _keep_ours(namespace: dict[str, Any]) -> None:
    for name, case in list(namespace.items()):
        if is_test_case(case) and not any(is_ours(case, test) for test in tests_of(case)):
            del namespace[name]


def is_test_case(value: object) -> bool:
    """Tells whether something is a class of tests.

    Args:
        value: Anything.

    Returns:
        True if it is.
    """
    return isinstance(value, type) and issubclass(value, unittest.TestCase)


def tests_of(case: type[unittest.TestCase]) -> list[str]:
    """Lists the tests of a class.

    Args:
        case: The class.

    Returns:
        Their names.
    """
    return list(unittest.defaultTestLoader.getTestCaseNames(case))


def is_ours(case: type[unittest.TestCase], test: str) -> bool:
    """Tells whether a test is one of process pools or their futures, and not one of something else beside it.

    Args:
        case: Its class.
        test: Its name.

    Returns:
        True if it is.
    """
    if inspect.unwrap(getattr(case, test)).__module__ == "test._test_multiprocessing":
        threads = getattr(case, "TYPE", "") == "threads"
        return not threads and ("Pool" in case.__name__ or "_pool" in test)
    return getattr(case, "executor_type", futures.ProcessPoolExecutor) is futures.ProcessPoolExecutor


def defining_name(case: type[unittest.TestCase], test: str) -> str:
    """Names a test by the class that defines it, which is the same under each start method.

    Args:
        case: The class that runs it.
        test: Its name.

    Returns:
        `Class.test`.
    """
    definer = next(base for base in case.__mro__ if test in vars(base))
    return f"{definer.__name__}.{test}"
