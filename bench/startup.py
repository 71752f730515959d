"""From making a pool of two until both workers have given a result, under each start method."""

from __future__ import annotations

import multiprocessing
import os
import time
from typing import Any

from bench._harness import OURS, STANDARD, WORKERS, Line, Settings, alternate, faster


def nap(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


def until_both_worked(kind: Any, method: str) -> float:
    context = multiprocessing.get_context(method)
    start = time.perf_counter()
    with kind(WORKERS, mp_context=context) as executor:
        # Long enough that one worker cannot take both, however late the other is; taken off again below.
        seconds = 0.3
        futures = [executor.submit(nap, seconds) for _ in range(WORKERS)]
        pids = {future.result() for future in futures}
        passed = time.perf_counter() - start
    if len(pids) != WORKERS:
        raise AssertionError("one worker did both")
    return passed - seconds


def run(settings: Settings) -> list[Line]:
    lines = []
    for method in ("fork", "forkserver", "spawn"):
        samples = alternate(
            settings.rounds(9),
            lambda method=method: until_both_worked(OURS, method),
            lambda method=method: until_both_worked(STANDARD, method),
        )
        note = "the standard library's fork server keeps running between pools" if method == "forkserver" else ""
        lines.append(
            faster("startup", f"first results of 2 workers, {method}", *samples, "ProcessPoolExecutor", note=note)
        )
    return lines
