"""Runs a test with the standard library's classes, to tell a failure of ours from one of the machine."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest


def passes(item: pytest.Item) -> bool:
    """Runs a test again, in a process of its own that knows nothing of ours.

    Args:
        item: The test.

    Returns:
        Whether it passes, or skips itself. A hang is ended by the watchdog of that process, and is a failure.
    """
    return _passes(item.nodeid, item.config.rootpath)


@functools.cache
def _passes(nodeid: str, folder: Path) -> bool:
    command = [sys.executable, "-m", "pytest", "--reference", "-q", "-p", "no:cacheprovider", nodeid]
    nowhere = subprocess.DEVNULL
    ran = subprocess.Popen(command, cwd=folder, stdin=nowhere, stdout=nowhere, stderr=nowhere, start_new_session=True)
    code = ran.wait()
    # What the watchdog ends leaves its children behind.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(ran.pid, signal.SIGKILL)
    return code == 0
