"""Memory of a pending future or AsyncResult, as growth of the process: the object, its task's input, everything."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys

from bench._harness import Line, Settings

TARGET = 160

# In a process of its own: what other workloads have freed would be taken first, and not be seen.
PROGRAM = """
import concurrent.futures, contextlib, json, multiprocessing, sys, time
import hardwork
from bench._work import trivial

def resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))

def block():
    event.wait()

def fill(submit, futures, start, stop):
    for index in range(start, stop):
        futures[index] = submit(trivial, index)

count = int(sys.argv[3])
context = multiprocessing.get_context("fork")
event = context.Event()
with contextlib.ExitStack() as stack:
    if sys.argv[2] == "executor":
        kind = {"hardwork": hardwork, "standard": concurrent.futures}[sys.argv[1]].ProcessPoolExecutor
        executor = stack.enter_context(kind(1, mp_context=context))
        submit, outcome = executor.submit, "result"
    else:
        pool = hardwork.Pool(1, context=context) if sys.argv[1] == "hardwork" else context.Pool(1)
        apply_async = stack.enter_context(pool).apply_async
        submit, outcome = lambda function, *arguments: apply_async(function, arguments), "get"
    # The first fill what is there anyway, however many are pending: rings, and the interpreter's arenas.
    first = count // 10
    futures = [None] * (first + count)
    blocker = submit(block)
    fill(submit, futures, 0, first)
    time.sleep(0.1)
    before = resident()
    fill(submit, futures, first, first + count)
    time.sleep(0.1)
    grown = resident() - before
    event.set()
    assert [getattr(future, outcome)() for future in futures] == list(range(1, first + count + 1))
print(json.dumps(grown / count))
"""


def bytes_each(whose: str, face: str, count: int) -> float:
    command = [sys.executable, "-c", PROGRAM, whose, face, str(count)]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return float(json.loads(ended.stdout))


def measure(settings: Settings, face: str, what: str, reference: str, target: float | None) -> Line:
    ours, sample = settings.size(500_000), settings.reference_size(500_000, 20)
    own = [bytes_each("hardwork", face, ours) for _ in range(settings.rounds(3))]
    theirs = [bytes_each("standard", face, sample) for _ in range(settings.rounds(3))]
    detail = f"best {min(own):.0f}; {reference} {statistics.median(theirs):.0f}, best {min(theirs):.0f}"
    note = f"growth of the process by {ours:_} pending tasks; reference: {sample:_}"
    numbers = {"ours": own, "reference": theirs}
    return Line("future_memory", what, statistics.median(own), "bytes", target, False, detail, note, numbers=numbers)


def run(settings: Settings) -> list[Line]:
    return [
        measure(settings, "executor", "a pending future", "ProcessPoolExecutor", TARGET),
        measure(settings, "pool", "a pending AsyncResult", "Pool", None),
    ]
