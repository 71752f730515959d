"""CPython's test of a Pool in a child process, which does not look at how the child ended, and so could not fail."""

from __future__ import annotations

import functools
import multiprocessing
import multiprocessing.pool
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

TESTS = "test._test_multiprocessing"

_inherited: Any = None  # what a forked child finds in the place of the test's function


def look_at(case: Any) -> None:
    """Has the test's child leave a note at its end, and the test fail without it.

    Args:
        case: The class of the test, of one start method.
    """
    test = case.test_pool_in_process

    @functools.wraps(test)
    def test_pool_in_process(self: unittest.TestCase) -> None:
        global _inherited
        _inherited = sys.modules[TESTS].pool_in_process  # type: ignore[attr-defined]
        with tempfile.TemporaryDirectory() as folder:
            note = Path(folder, "note")
            do = functools.partial(in_child, "hardwork" in sys.modules, note)
            with mock.patch.object(sys.modules[TESTS], "pool_in_process", do):
                test(self)
            assert note.read_text() == multiprocessing.pool.Pool.__module__

    case.test_pool_in_process = test_pool_in_process


def in_child(ours: bool, note: Path) -> None:
    """Does in the child what the test wants done there, with ours also where the child begins afresh.

    Args:
        ours: Whether ours is under test, and not the reference.
        note: A file to leave the name of the module in from which the pool came.
    """
    if ours:
        import hardwork

        hardwork.install()
    from test import _test_multiprocessing as tests

    made = []

    def make(*arguments: Any, **more: Any) -> Any:
        made.append(multiprocessing.get_context().Pool(*arguments, **more))
        return made[0]

    with mock.patch.object(multiprocessing, "Pool", make):
        (_inherited or tests.pool_in_process)()
    note.write_text(type(made[0]).__module__)
