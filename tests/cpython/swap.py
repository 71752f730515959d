"""Puts hardwork's classes where CPython's tests look for the standard library's, in this process and in its scripts.

For the pools that is `hardwork.install()`. `hardwork` is imported in the functions, since a reference run shall not.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import functools
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import _base
from pathlib import Path
from typing import Any

import adopt


def swap() -> None:
    """Does all of it.

    Raises:
        NotShippedError: This interpreter comes without CPython's tests.
    """
    import hardwork

    hardwork.install()
    adopt.import_tests("test.support")
    _swap_in_scripts()
    with _future_swapped():
        for name in adopt.EXECUTOR_MODULES:
            adopt.import_tests(name)


@contextlib.contextmanager
def _future_swapped() -> Iterator[None]:
    """Has what is imported meanwhile find `hardwork.Future` under the original's name.

    Only meanwhile: other executors of the standard library go on making the original.
    """
    import hardwork

    original = _base.Future
    for module in (concurrent.futures, _base):
        module.Future = hardwork.Future
    try:
        yield
    finally:
        for module in (concurrent.futures, _base):
            module.Future = original


def _swap_in_scripts() -> None:
    """Has the programs that tests run by `test.support.script_helper` begin with `install()`.

    They are run with `python -I`, where neither this process's patches nor PYTHONPATH arrive.
    """
    from test.support import script_helper

    first_line = f"import sys; sys.path[:] = {sys.path!r}; import hardwork; hardwork.install(); del sys, hardwork\n"
    script_helper.run_python_until_end = _beginning_with(first_line, script_helper.run_python_until_end)


def _beginning_with(first_line: str, run: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(run)
    def run_prepared(*arguments: str, **variables: Any) -> Any:
        *options, program = arguments
        if options[-1:] == ["-c"]:
            return run(*options, first_line + program, **variables)
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder, Path(program).name)
            copy.write_text(first_line + Path(program).read_text())
            return run(*options, str(copy), **variables)

    return run_prepared
