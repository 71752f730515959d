"""tqdm's process_map, black, and helpers in the manner of pandas' that make a Pool of their own."""

from __future__ import annotations

import concurrent.futures
import io
import multiprocessing
import subprocess
import sys
from pathlib import Path
from typing import Any

import hardwork
import pandas
import pytest
from client_functions import set_scale, square, summarize
from tqdm.contrib.concurrent import process_map


def test_tqdm(monkeypatch: pytest.MonkeyPatch) -> None:
    def job() -> Any:
        said = io.StringIO()
        results = process_map(square, range(40), max_workers=2, chunksize=1, file=said, mininterval=0)
        return results, "40/40" in said.getvalue()

    original = job()
    monkeypatch.setattr(concurrent.futures, "ProcessPoolExecutor", hardwork.ProcessPoolExecutor)
    assert job() == original == ([number * number for number in range(40)], True)


def test_black(tmp_path: Path) -> None:
    outcomes = []
    for how in ([], ["-m", "hardwork", "run"]):
        folder = tmp_path / ("ours" if how else "original")
        folder.mkdir()
        for number in range(6):
            (folder / f"file{number}.py").write_text(f"x = {{  'a':{number} }}\ndef f( a ):\n  return   a\n")
        # Several files: black then formats them in processes.
        done = subprocess.run(
            [sys.executable, *how, "-m", "black", "--workers", "2", str(folder)],
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )
        assert done.returncode == 0, done.stderr
        assert "6 files reformatted" in done.stderr
        outcomes.append([(folder / f"file{number}.py").read_text() for number in range(6)])
    assert outcomes[0] == outcomes[1]


def test_a_helper_of_pandas_kind(with_install: Any) -> None:
    frame = pandas.DataFrame({"key": [number % 7 for number in range(500)], "value": range(500)})

    def parallel_apply(scale: int) -> Any:
        # As such helpers do: a pool with an initializer, groups through imap.
        groups = [group for _, group in frame.groupby("key")]
        with multiprocessing.Pool(2, set_scale, (scale,)) as pool:
            return pandas.DataFrame(pool.imap(summarize, groups))

    original, ours = with_install(lambda: parallel_apply(3))
    pandas.testing.assert_frame_equal(original, ours)
