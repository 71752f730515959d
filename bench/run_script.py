"""The question's script as its asker wrote it, run by `python` and by `python -m hardwork run`, from start to end."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench._harness import WORKERS, Line, Settings, alternate, faster

TARGET = 25

# The executor and the loop are the asker's, to the letter; the last line shows what came out.
SCRIPT = """
import sys
from concurrent.futures import ProcessPoolExecutor


def factorize_naive(n):
    if n < 2:
        return []
    factors = []
    p = 2
    while True:
        if n == 1:
            return factors
        r = n % p
        if r == 0:
            factors.append(p)
            n = n // p
        elif p * p >= n:
            factors.append(n)
            return factors
        elif p > 2:
            p += 2
        else:
            p += 1


def pool_factorizer_map(nums, nprocs):
    resultdict = {}
    with ProcessPoolExecutor(max_workers=nprocs) as executor:
        for num, factors in zip(nums, executor.map(factorize_naive, nums)):
            resultdict[num] = factors
    return resultdict


if __name__ == "__main__":
    found = pool_factorizer_map(range(100, int(sys.argv[1])), int(sys.argv[2]))
    print(len(found), hash(tuple(map(tuple, found.values()))))
"""


def seconds_of(script: Path, stop: int, said: set[tuple[str, str]], *by: str) -> float:
    start = time.perf_counter()
    command = [sys.executable, *by, str(script), str(stop), str(WORKERS)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - start
    said.add((ended.stdout, ended.stderr))
    if len(said) > 1 or ended.stderr:
        raise AssertionError(f"not the same was said: {said}")
    return seconds


def run(settings: Settings) -> list[Line]:
    """The whole for both: what is to be compared is how long somebody waits for the program."""
    stop = 1_000_000 if settings.whole else settings.size(200_000)
    said: set[tuple[str, str]] = set()
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "script.py")
        script.write_text(SCRIPT)
        own, plain = alternate(
            settings.rounds(1 if settings.whole else 3),
            lambda: seconds_of(script, stop, said, "-m", "hardwork", "run"),
            lambda: seconds_of(script, stop, said),
        )
    what = f"the question's script, unchanged, with range(100, {stop:_}): python -m hardwork run"
    return [faster("run_script", what, own, plain, "python", TARGET)]
