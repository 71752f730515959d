"""Both faces in every way that a program can be run: the same program must say the same in each.

See programs/both_faces.py. Each run takes all start methods that make sense there.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import START_METHODS, script_environment

PROGRAMS = Path(__file__).parent / "programs"
PROGRAM = PROGRAMS / "both_faces.py"
ANSWERS = [8, 999000, 11, [12, 13], (5,), 18]
SAID = [f"{method} {ANSWERS} {ANSWERS}" for method in START_METHODS]

Run = Callable[..., list[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the interpreter, which must end well and, if `quiet`, without a word on standard error."""

    def call(*arguments: str, text: str | None = None, folder: Path = PROGRAMS, quiet: bool = True) -> list[str]:
        # IPython, Jupyter and pytest keep what they like under HOME.
        homes = dict.fromkeys(["HOME", "IPYTHONDIR", "JUPYTER_RUNTIME_DIR"], str(tmp_path))
        environment = {**script_environment(), **homes}
        done = subprocess.run(
            [sys.executable, *arguments],
            capture_output=True,
            text=True,
            check=False,
            input=text,
            cwd=folder,
            env=environment,
            timeout=110,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert not (quiet and done.stderr), done.stderr
        return done.stdout.splitlines()

    return call


def need(module: str) -> None:
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed (the extra 'environments')")


def test_a_file(run: Run) -> None:
    assert run(str(PROGRAM), *START_METHODS) == SAID


def test_a_module(run: Run) -> None:
    assert run("-m", "both_faces", *START_METHODS) == SAID


def test_a_text(run: Run) -> None:
    assert run("-c", PROGRAM.read_text(), *START_METHODS) == SAID


def test_standard_input(run: Run) -> None:
    assert run("-", *START_METHODS, text=PROGRAM.read_text()) == SAID


def test_an_interactive_prompt(run: Run) -> None:
    # Line by line, as from a keyboard: blocks end with an empty line, and none may be within.
    lines = [line for line in PROGRAM.read_text().split('"""', 2)[2].splitlines() if line]
    text = "\n".join("\n" + line if line[0] not in " )" and not line.startswith("except") else line for line in lines)
    text = f"import sys\nsys.ps1 = sys.ps2 = ''\nsys.argv[1:] = {START_METHODS}\n{text}\n\n"
    environment = {**script_environment(), "PYTHON_BASIC_REPL": "1", "PYTHON_HISTORY": os.devnull}
    done = subprocess.run(
        [sys.executable, "-q", "-i"], input=text, capture_output=True, text=True, env=environment, timeout=110
    )
    assert done.stdout.splitlines() == SAID, done.stderr


def test_a_frozen_program(run: Run) -> None:
    # As what makes programs of one file says it: the executable is no interpreter, and so only a fork is like it.
    text = PROGRAM.read_text()
    assert run("-c", f"import sys\nsys.frozen = True\nsys.executable = sys.argv[0]\n{text}", "fork") == SAID[:1]
    assert run("-c", f"import sys\nsys.frozen = True\nsys.executable = None\n{text}", "fork") == SAID[:1]


@pytest.mark.parametrize("how", [["both_faces.py"], ["-m", "both_faces"]], ids=["file", "module"])
def test_under_a_profiler(run: Run, how: list[str]) -> None:
    said = run("-m", "cProfile", *how, *START_METHODS)
    assert said[:3] == SAID
    assert "function calls" in said[3]


@pytest.mark.parametrize("how", ["file", "text", "magic"])
def test_in_ipython(run: Run, how: str) -> None:
    need("IPython")
    # Its history would be a thread and a file; fork warns of threads since Python 3.12.
    ipython = ["-m", "IPython", "--no-banner", "--HistoryManager.enabled=False"]
    if how == "file":
        said = run(*ipython, str(PROGRAM), "--", *START_METHODS)
    elif how == "text":
        said = run(*ipython, "-c", PROGRAM.read_text().replace("sys.argv[1:]", repr(START_METHODS)))
    else:
        said = run(*ipython, "-c", f"%run both_faces.py {' '.join(START_METHODS)}")
    assert said == SAID


def test_in_a_notebook(run: Run) -> None:
    need("nbclient")
    need("ipykernel")
    definitions, _ = PROGRAM.read_text().split('if __name__ == "__main__":')
    cells = [
        definitions,
        *(f"use_both({method!r})" for method in START_METHODS),
        # What a notebook is for: things change while the pool lives.
        "executor = hardwork.ProcessPoolExecutor(1); pool = hardwork.Pool(1)",
        "print(executor.submit(double, 4).result(), pool.apply(double, (4,)))",
        "factor = 3\ndef double(number):\n    return factor * number",
        "print(executor.submit(double, 4).result(), pool.apply(double, (4,)))",
        "factor = 5",
        "print(executor.submit(double, 4).result(), pool.apply(double, (4,)))",
        "executor.shutdown(); pool.terminate()",
    ]
    assert run("run_notebook.py", text=json.dumps(cells), quiet=False) == [*SAID, "8 8", "12 12", "20 20"]


def test_in_workers_of_xdist(run: Run, tmp_path: Path) -> None:
    need("xdist")
    (tmp_path / "test_both.py").write_text((PROGRAMS / "under_pytest.py").read_text())
    said = run("-m", "pytest", "-n", "2", "-q", "-p", "no:cacheprovider", "test_both.py", folder=tmp_path)
    assert said[-1].startswith("12 passed")
