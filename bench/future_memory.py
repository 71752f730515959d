"""Memory of a pending future, as growth of the process: the future, its task's input, everything."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys

from bench._harness import Line, Settings

TARGET = 160

# In a process of its own: what other workloads have freed would be taken first, and not be seen.
PROGRAM = """
import concurrent.futures, json, multiprocessing, sys, time
import hardwork
from bench._work import trivial

def resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))

def block():
    event.wait()

def fill(executor, futures, start, stop):
    for index in range(start, stop):
        futures[index] = executor.submit(trivial, index)

kind = {"hardwork": hardwork, "standard": concurrent.futures}[sys.argv[1]].ProcessPoolExecutor
count = int(sys.argv[2])
context = multiprocessing.get_context("fork")
event = context.Event()
with kind(1, mp_context=context) as executor:
    # The first fill what is there anyway, however many are pending: rings, and the interpreter's arenas.
    first = count // 10
    futures = [None] * (first + count)
    blocker = executor.submit(block)
    fill(executor, futures, 0, first)
    time.sleep(0.1)
    before = resident()
    fill(executor, futures, first, first + count)
    time.sleep(0.1)
    grown = resident() - before
    event.set()
    assert [future.result() for future in futures] == list(range(1, first + count + 1))
print(json.dumps(grown / count))
"""


def bytes_each(kind: str, count: int) -> float:
    command = [sys.executable, "-c", PROGRAM, kind, str(count)]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return float(json.loads(ended.stdout))


def run(settings: Settings) -> list[Line]:
    ours, reference = settings.size(500_000), settings.reference_size(500_000, 20)
    own = [bytes_each("hardwork", ours) for _ in range(settings.rounds(3))]
    theirs = [bytes_each("standard", reference) for _ in range(settings.rounds(3))]
    detail = f"best {min(own):.0f}; ProcessPoolExecutor {statistics.median(theirs):.0f}, best {min(theirs):.0f}"
    note = f"growth of the process by {ours:_} pending tasks; reference: {reference:_}"
    numbers = {"ours": own, "reference": theirs}
    value = statistics.median(own)
    return [Line("future_memory", "a pending future", value, "bytes", TARGET, False, detail, note, numbers=numbers)]
