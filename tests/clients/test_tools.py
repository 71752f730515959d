"""tqdm's process_map, black, and helpers in the manner of pandas' that make a Pool of their own."""

from __future__ import annotations

import concurrent.futures
import io
import multiprocessing
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import hardwork
import pandas
import pytest
from client_functions import set_scale, square, summarize
from tqdm.contrib.concurrent import process_map


@pytest.mark.parametrize("options", [{}, {"chunksize": 1}, {"chunksize": 7}], ids=str)
def test_tqdm(monkeypatch: pytest.MonkeyPatch, options: dict[str, int]) -> None:
    def job() -> Any:
        said = io.StringIO()
        results = process_map(square, range(40), max_workers=2, file=said, mininterval=0, miniters=1, **options)
        return results, [int(count) for count in re.findall(r"(\d+)/40", said.getvalue())]

    original = job()
    made = []

    class Noted(hardwork.ProcessPoolExecutor):
        def _start(self) -> None:
            made.append(self._max_workers)
            super()._start()

    monkeypatch.setattr(concurrent.futures, "ProcessPoolExecutor", Noted)
    for results, counts in (original, job()):
        assert results == [number * number for number in range(40)]
        assert counts == sorted(counts)
    # The bar went through every number on its way. It counts submits: with chunks that is the original's chunks.
    assert set(counts) == set(range(41))
    assert (set(original[1]) == set(counts)) is (options.get("chunksize", 1) == 1)
    assert made == [2]


# Runs black as it is, and notes each start of an executor of ours.
WITNESS = """
import os, runpy
import hardwork

start = hardwork.ProcessPoolExecutor._start

def noted(executor):
    with open(os.environ["NOTE"], "a") as file:
        file.write("started\\n")
    start(executor)

hardwork.ProcessPoolExecutor._start = noted
runpy.run_module("black", run_name="__main__", alter_sys=True)
"""


def test_black(tmp_path: Path) -> None:
    (tmp_path / "witness.py").write_text(WITNESS)
    ways = {
        "original": ["-m", "black"],
        "ours": ["-m", "hardwork", "run", "-m", "black"],
        "witness": ["-m", "hardwork", "run", str(tmp_path / "witness.py")],
        "witness of nothing": [str(tmp_path / "witness.py")],
    }
    outcomes = []
    for name, way in ways.items():
        folder = tmp_path / name
        folder.mkdir()
        for number in range(6):
            (folder / f"file{number}.py").write_text(f"x = {{  'a':{number} }}\ndef f( a ):\n  return   a\n")
        # Several files: black then formats them in processes.
        done = subprocess.run(
            [sys.executable, *way, "--workers", "2", str(folder)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "NOTE": str(tmp_path / f"{name}.note")},
            timeout=100,
        )
        assert done.returncode == 0, done.stderr
        assert "6 files reformatted" in done.stderr
        outcomes.append([(folder / f"file{number}.py").read_text() for number in range(6)])
    assert outcomes == outcomes[:1] * len(ways)
    assert (tmp_path / "witness.note").read_text() == "started\n"
    assert not (tmp_path / "witness of nothing.note").exists()


def test_a_helper_of_pandas_kind(with_install: Any) -> None:
    frame = pandas.DataFrame({"key": [number % 7 for number in range(500)], "value": range(500)})

    def parallel_apply(scale: int) -> Any:
        # As such helpers do: a pool with an initializer, groups through imap.
        groups = [group for _, group in frame.groupby("key")]
        with multiprocessing.Pool(2, set_scale, (scale,)) as pool:
            return pandas.DataFrame(pool.imap(summarize, groups))

    original, ours = with_install(lambda: parallel_apply(3))
    pandas.testing.assert_frame_equal(original, ours)
