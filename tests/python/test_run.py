"""`python -m hardwork run`: a program that is not changed, and sees nothing of us but the pools."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers import script_environment

PROGRAM = """
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor


def double(number):
    return 2 * number


if __name__ == "__main__":
    print(sys.argv[1:], __name__, double.__module__)
    with ProcessPoolExecutor(2) as executor:
        print(type(executor).__module__, list(executor.map(double, range(3))))
    for method in ("fork", "forkserver", "spawn"):
        with multiprocessing.get_context(method).Pool(1) as pool:
            print(type(pool).__module__, pool.map(double, range(3)))
"""
# As people write it: nothing in it knows of us.
QUESTION = """
from concurrent.futures import ProcessPoolExecutor


def factorize(n):
    factors = []
    p = 2
    while p * p <= n:
        if n % p:
            p += 1
        else:
            factors.append(p)
            n //= p
    return factors + [n] if n > 1 else factors


if __name__ == "__main__":
    nums = range(100, 1000)
    resultdict = {}
    with ProcessPoolExecutor(max_workers=2) as executor:
        for num, factors in zip(nums, executor.map(factorize, nums)):
            resultdict[num] = factors
    print(resultdict)
"""
# Functions of a `__main__` that has no file travel by value, so all start methods do here too.
SAID = ["hardwork.executor [0, 2, 4]", *["hardwork.pool [0, 2, 4]"] * 3]

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def call(
        *arguments: str, text: str | None = None, before: tuple[str, ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *before, "-m", "hardwork", "run", *arguments],
            capture_output=True,
            text=True,
            check=False,
            input=text,
            cwd=tmp_path,
            env=script_environment(),
            timeout=110,
        )

    return call


@pytest.fixture
def program(tmp_path: Path) -> str:
    (tmp_path / "program.py").write_text(PROGRAM)
    return "program.py"


def lines(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_a_file(run: Run, program: str) -> None:
    assert lines(run(program, "a", "-b")) == ["['a', '-b'] __main__ __main__", *SAID]


def test_a_module(run: Run, program: str) -> None:
    assert lines(run("-m", "program", "a", "-m")) == ["['a', '-m'] __main__ __main__", *SAID]


def test_a_text(run: Run) -> None:
    assert lines(run("-c", PROGRAM, "a")) == ["['a'] __main__ __main__", *SAID]


def test_standard_input(run: Run) -> None:
    assert lines(run("-", "a", text=PROGRAM)) == ["['a'] __main__ __main__", *SAID]


def test_a_folder(run: Run, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "__main__.py").write_text(
        "import sys, multiprocessing\nprint(sys.argv, multiprocessing.pool)"
    )
    assert lines(run("folder", "x"))[0].startswith("['folder', 'x'] <module 'multiprocessing.pool'")


def test_a_profiled_program(run: Run, program: str) -> None:
    within = run("-m", "cProfile", program, "a")
    around = run(program, "a", before=("-m", "cProfile"))
    for done in (within, around):
        said = lines(done)
        assert said[:5] == ["['a'] __main__ __main__", *SAID]
        assert any("function calls" in line for line in said[5:])


@pytest.mark.parametrize("how", ["file", "standard input", "profiled", "profiled around"])
def test_it_says_what_the_program_says_and_nothing_else(run: Run, tmp_path: Path, how: str) -> None:
    (tmp_path / "question.py").write_text(QUESTION)
    plain = subprocess.run(
        [sys.executable, "question.py"], capture_output=True, text=True, check=True, cwd=tmp_path, timeout=110
    )
    assert plain.stdout.startswith("{100: [2, 2, 5, 5], 101: [101], ")
    if how == "file":
        done = run("question.py")
    elif how == "standard input":
        done = run("-", text=QUESTION)
    elif how == "profiled":
        done = run("-m", "cProfile", "-o", "profile", "question.py")
    else:
        done = run("question.py", before=("-m", "cProfile", "-o", "profile"))
    assert (done.returncode, done.stdout, done.stderr) == (0, plain.stdout, plain.stderr)
    assert ("profiled" in how) == (tmp_path / "profile").exists()


@pytest.mark.parametrize(("ending", "code"), [("sys.exit(3)", 3), ("sys.exit()", 0), ("sys.exit('why')", 1), ("", 0)])
def test_exit_codes(run: Run, ending: str, code: int) -> None:
    assert run("-c", f"import sys\n{ending}").returncode == code


def test_a_traceback_is_the_programs_own(run: Run, tmp_path: Path) -> None:
    (tmp_path / "fails.py").write_text("def fail():\n    raise ValueError('here')\n\nfail()\n")
    done = run("fails.py")
    plain = subprocess.run(
        [sys.executable, "fails.py"], capture_output=True, text=True, check=False, cwd=tmp_path, timeout=60
    )
    assert done.returncode == plain.returncode == 1
    own = done.stderr.splitlines()
    assert own[0] == "Traceback (most recent call last):"
    assert own[-1] == "ValueError: here"
    assert not any("hardwork" in line or "runpy" in line for line in own)
    assert len(own) == len(plain.stderr.splitlines())


def test_a_syntax_error_is_shown_alone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text("def (:\n")
    done = run("wrong.py")
    assert done.returncode == 1
    assert "SyntaxError" in done.stderr
    assert "hardwork" not in done.stderr


def test_an_interrupt_ends_it_as_ever(run: Run) -> None:
    done = run("-c", "raise KeyboardInterrupt")
    assert done.returncode in (-signal.SIGINT, 128 + signal.SIGINT)
    assert "_run.py" not in done.stderr


def test_its_folder_is_where_it_imports_from(run: Run, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "neighbour.py").write_text("name = 'found'")
    (tmp_path / "sub" / "program.py").write_text("import sys, neighbour\nprint(neighbour.name, sys.path[0], __file__)")
    folder = os.path.realpath(tmp_path / "sub")
    assert lines(run(os.path.join("sub", "program.py"))) == [f"found {folder} {os.path.join(folder, 'program.py')}"]


@pytest.mark.parametrize("arguments", [[], ["-m"], ["-c"]])
def test_nothing_to_run(run: Run, arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: python -m hardwork run")
