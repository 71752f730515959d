"""The laboratory of the fault tests, and the record of their results that docs/faults.md is made from."""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers import poll
from lab import FACES, Lab

_results: dict[str, str] = {}


@pytest.fixture(params=FACES)
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lab]:
    """Pools of either class; what they promise is verified after the test, unless it failed already."""
    lab = Lab(request.param, tmp_path)
    yield lab
    report = getattr(request.node, "call_report", None)
    lab.finish(verify=report is None or report.passed)


@pytest.fixture(autouse=True)
def quiet_crashes() -> Iterator[None]:
    """Workers that are killed by SIGSEGV on purpose print no tracebacks. The watchdog's stays."""
    was_enabled = faulthandler.is_enabled()
    faulthandler.disable()
    yield
    if was_enabled:
        faulthandler.enable(file=sys.__stderr__)


@pytest.fixture
def cgroup() -> Iterator[Callable[..., Path]]:
    """Makes memory control groups with a limit in bytes, where root may."""
    root = Path("/sys/fs/cgroup/memory")
    second = not root.exists()
    if second:
        root = Path("/sys/fs/cgroup")
    made: list[Path] = []

    def make(limit: int) -> Path:
        folder = root / f"hardwork-{os.getpid()}-{len(made)}"
        try:
            folder.mkdir()
            made.append(folder)
            (folder / ("memory.max" if second else "memory.limit_in_bytes")).write_text(str(limit))
        except OSError as error:
            pytest.skip(f"no memory control group of our own can be made here: {error}")
        return folder

    yield make
    for folder in made:
        # What ended in it is in it until it has been reaped.
        poll(lambda folder=folder: not (folder / "cgroup.procs").read_text())
        poll(lambda folder=folder: removed(folder))


def removed(folder: Path) -> bool:
    """Whether the control group could be removed: the kernel needs a moment after the last process."""
    with contextlib.suppress(OSError):
        folder.rmdir()
    return not folder.exists()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Iterator[Any]:
    report = yield
    if report.when == "call":
        item.call_report = report  # type: ignore[attr-defined]
    path, _, test = item.nodeid.partition("::")  # parameters may have slashes in them
    name = f"{Path(path).name}::{test}"
    if report.failed:
        _results[name] = "failed"
    elif report.skipped:
        _results[name] = "skipped"
    elif report.when == "call":
        _results.setdefault(name, "passed")
    return report


def pytest_sessionfinish() -> None:
    """Where HARDWORK_FAULT_RESULTS names a folder, it gets one file an interpreter."""
    folder = os.environ.get("HARDWORK_FAULT_RESULTS")
    if folder and _results:
        Path(folder).mkdir(parents=True, exist_ok=True)
        version = ".".join(platform.python_version_tuple()[:2])
        Path(folder, f"python-{version}.json").write_text(json.dumps(_results, indent=1, sort_keys=True))
