"""Fixtures shared by all tests of behaviour.

Tests that take `executor_class` run twice: on the standard library's executor, which proves the test right, and on
hardwork's, which must pass the same. Tests that need hardwork alone import it from `hardwork`.

The watchdog is pytest's own (faulthandler_timeout in pyproject.toml): no test asserts an upper time. Shortly before it,
watchdog.py shows the stacks of all processes.
"""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import multiprocessing.pool
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import leaks
import pytest
import watchdog
from helpers import START_METHODS, Gate, class_of, script_environment


def pytest_configure(config: pytest.Config) -> None:
    watchdog.begin(tempfile.mkdtemp(prefix="hardwork-stacks-"))
    watchdog.register()
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell that runs us in the background has it so, and what we start would inherit it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.addinivalue_line("markers", "keeps(reason): the test leaves something on purpose; the leak audit is off")


@pytest.fixture(params=["standard", "hardwork"])
def executor_class(request: pytest.FixtureRequest) -> type[concurrent.futures.ProcessPoolExecutor]:
    return class_of(request.param)


@pytest.fixture
def hardwork_class() -> type[concurrent.futures.ProcessPoolExecutor]:
    return class_of("hardwork")


@pytest.fixture
def executor(executor_class: Any) -> Iterator[Any]:
    """Two workers, everything else left alone."""
    with executor_class(2) as pool:
        yield pool


@pytest.fixture
def pool() -> Iterator[Any]:
    """hardwork's executor with two workers."""
    with class_of("hardwork")(2) as pool:
        yield pool


def pool_class_of(name: str) -> Callable[..., Any]:
    if name == "standard":
        return multiprocessing.pool.Pool
    import hardwork

    return hardwork.Pool


@pytest.fixture(params=["standard", "hardwork"])
def pool_class(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """multiprocessing's Pool, and ours."""
    return pool_class_of(request.param)


@pytest.fixture
def any_pool(pool_class: Any) -> Iterator[Any]:
    """A Pool of two workers, of either kind."""
    with pool_class(2) as pool:
        yield pool


@pytest.fixture
def own_pool() -> Iterator[Any]:
    """hardwork's Pool with two workers."""
    with pool_class_of("hardwork")(2) as pool:
        yield pool


@pytest.fixture(params=START_METHODS)
def context(request: pytest.FixtureRequest) -> Any:
    return multiprocessing.get_context(request.param)


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    """Ask for it after the executor: then it is opened before the executor waits for its tasks."""
    with Gate(tmp_path) as gate:
        yield gate


@pytest.fixture
def run_script(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs a text as a program of its own, in a session of its own, with the test folder importable."""

    def run(text: str, *arguments: str, options: tuple[str, ...] = (), how: str = "file", **more: Any) -> Any:
        if how == "file":
            path = tmp_path / "script.py"
            path.write_text(text)
            command = [sys.executable, *options, str(path), *arguments]
        elif how == "command":
            command = [sys.executable, *options, "-c", text, *arguments]
        else:
            command = [sys.executable, *options, "-", *arguments]
            more["input"] = text
        return subprocess.run(
            command, capture_output=True, text=True, check=False, env=script_environment(), timeout=110, **more
        )

    return run


@pytest.fixture(autouse=True)
def heartbeat() -> None:
    """Says to the watchdog that a test begins."""
    watchdog.beat(os.environ[watchdog.VARIABLE])


@pytest.fixture(autouse=True)
def leak_audit(request: pytest.FixtureRequest) -> Iterator[None]:
    """After the test: no child, descriptor, thread or /dev/shm entry that was not there before it.

    Automatic, so set up before and torn down after every other fixture. The standard executor is not audited: it
    keeps helpers on purpose.
    """
    parameters = getattr(request.node, "callspec", None)
    chosen = {} if parameters is None else parameters.params
    standard = "standard" in (chosen.get("executor_class"), chosen.get("pool_class"))
    if standard or request.node.get_closest_marker("keeps"):
        yield
        return
    before = leaks.take_stock()
    yield
    left = leaks.wait_for_no_leaks(before)
    assert not left, "left behind:\n" + "\n".join(left)
