"""`python -m hardwork run`: a program as it is, with hardwork's pools in the place of the standard ones."""

from __future__ import annotations

import importlib.machinery
import io
import os
import runpy
import sys
import types
from collections.abc import Callable
from typing import Any

from hardwork._install import install

USAGE = """\
usage: python -m hardwork run SCRIPT [ARGUMENT ...]
       python -m hardwork run -m MODULE [ARGUMENT ...]
       python -m hardwork run -c CODE [ARGUMENT ...]
       python -m hardwork run - [ARGUMENT ...]

Runs a Python program as `python` would, with hardwork's classes in the place of
concurrent.futures.ProcessPoolExecutor and multiprocessing.Pool. `-` reads it from the standard input.
"""


def run(arguments: list[str]) -> int:
    """Runs a program in this interpreter, as its `__main__`.

    Args:
        arguments: What stands behind ``run`` on the command line.

    Returns:
        An exit code: 0, or 2 for a command line that says nothing to run.

    Raises:
        BaseException: What the program did not handle, `SystemExit` included; the interpreter reports it as the
            program's own, without the frames of this module.
    """
    if arguments[:1] in (["-h"], ["--help"]):
        print(USAGE, end="")
        return 0
    if not arguments or (arguments[0] in ("-m", "-c") and len(arguments) < 2):
        print(USAGE, end="", file=sys.stderr)
        return 2
    install()
    first, *rest = arguments
    if first == "-m":
        sys.argv = [first, *rest[1:]]  # its first is replaced by the module's file
        _shown_as_its_own(lambda: runpy.run_module(rest[0], run_name="__main__", alter_sys=True))
    elif first == "-c":
        _run_text(rest[0], "<string>", ["-c", *rest[1:]], "")
    elif first == "-":
        _run_text(sys.stdin.read(), "<stdin>", arguments, "")
    elif os.path.isfile(first) and not _is_archive(first):
        _run_file(first, arguments)
    else:
        # A folder or an archive with a __main__.py; or nothing, about which runpy says the right thing.
        sys.argv = arguments
        _shown_as_its_own(lambda: runpy.run_path(first, run_name="__main__"))
    return 0


def _is_archive(path: str) -> bool:
    import zipfile

    return zipfile.is_zipfile(path)


def _run_file(path: str, arguments: list[str]) -> None:
    if path.endswith(".pyc"):
        sys.argv = arguments
        _shown_as_its_own(lambda: runpy.run_path(path, run_name="__main__"))
        return
    with io.open_code(os.path.abspath(path)) as file:
        source = file.read()
    _run_text(source, path, arguments, os.path.dirname(os.path.abspath(path)), path)


def _run_text(source: str | bytes, shown: str, argv: list[str], folder: str, path: str | None = None) -> None:
    # A module of its own, which stays: pools, threads and atexit functions may still use it when the text has ended.
    module: Any = types.ModuleType("__main__")
    if path is not None:
        module.__file__ = os.path.abspath(path)
        module.__cached__ = None
        module.__loader__ = importlib.machinery.SourceFileLoader("__main__", path)
    module.__builtins__ = __builtins__
    sys.modules["__main__"] = module
    sys.argv = argv
    if not sys.flags.safe_path:
        sys.path[0] = folder
    _shown_as_its_own(lambda: exec(compile(source, shown, "exec", dont_inherit=True), module.__dict__))


def _shown_as_its_own(program: Callable[[], object]) -> None:
    """Runs it; what it raises is shown as it would be without us."""
    try:
        program()
    except SystemExit:
        raise
    except BaseException:
        report = sys.excepthook  # perhaps the program's own

        def report_stripped(kind: type[BaseException], error: BaseException, traceback: Any) -> None:
            error.__traceback__ = traceback = _behind_ours(traceback)
            report(kind, error, traceback)

        sys.excepthook = report_stripped
        raise


def _behind_ours(traceback: Any) -> Any:
    """Skips the frames that led to the program; all of them for an error of the compiler, which has none."""
    ours = (__file__, runpy.__file__)
    own_main = os.path.join(os.path.dirname(__file__), "__main__.py")
    while traceback is not None:
        name = traceback.tb_frame.f_code.co_filename
        if name not in (*ours, own_main) and not name.startswith("<frozen runpy"):
            return traceback
        traceback = traceback.tb_next
    return None
