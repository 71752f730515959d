"""How much memory waits take."""

from __future__ import annotations

from typing import Any

# Measured from outside, as resident memory: the futures, the ledger, the lists they stand in, all of it.
PENDING = """
import sys
import hardwork
from helpers import Gate, double, wait_at
from leaks import resident_bytes

def fill(pool, futures, start, stop):
    for index in range(start, stop):
        futures[index] = pool.submit(double, index)

if __name__ == "__main__":
    with hardwork.ProcessPoolExecutor(1) as pool, Gate(sys.argv[1]) as gate:
        first, count = 20_000, 1_000_000  # memory comes 2 MB at a time
        futures = [None] * (first + count)
        blocker = pool.submit(wait_at, gate)
        gate.wait_for(1)
        # The first fill what is there anyway, however many are pending: rings, and the interpreter's arenas.
        fill(pool, futures, 0, first)
        before = resident_bytes()
        fill(pool, futures, first, first + count)
        grown = resident_bytes() - before
        gate.open()
        assert [future.result() for future in futures] == [2 * number for number in range(first + count)]
    print(grown / count)
"""


def test_a_pending_future(run_script: Any, tmp_path: Any) -> None:
    ended = run_script(PENDING, str(tmp_path))
    assert ended.returncode == 0, ended.stderr
    assert float(ended.stdout) <= 160


REPEATED = """
import gc
import hardwork
from helpers import double, identity
from leaks import resident_bytes

def round():
    for _ in range(20):
        assert [future.result() for future in [pool.submit(double, number) for number in range(1000)]][-1] == 1998
        assert sum(pool.map(double, range(5000))) == 24995000
        assert len(pool.submit(identity, bytes(1_000_000)).result()) == 1_000_000
        assert pool.submit(identity, [[], {}]).result() == [[], {}]
        assert isinstance(pool.submit(int, "no number").exception(), ValueError)

if __name__ == "__main__":
    with hardwork.ProcessPoolExecutor(2) as pool:
        round()
        round()
        gc.collect()
        before = resident_bytes()
        for _ in range(5):
            round()
        gc.collect()
        print(resident_bytes() - before)
"""


def test_work_that_is_done_takes_none(run_script: Any) -> None:
    ended = run_script(REPEATED)
    assert ended.returncode == 0, ended.stderr
    # A leak of 20 bytes a task would be 12 MB here.
    assert int(ended.stdout) < 8_000_000


POOLS = """
import gc
import hardwork
from helpers import double
from leaks import resident_bytes

def round(count):
    for _ in range(count):
        with hardwork.ProcessPoolExecutor(1) as pool:
            assert pool.submit(double, 1).result() == 2

if __name__ == "__main__":
    round(20)
    gc.collect()
    before = resident_bytes()
    round(60)
    gc.collect()
    print((resident_bytes() - before) / 60)
"""


def test_pools_that_are_gone_take_none(run_script: Any) -> None:
    ended = run_script(POOLS)
    assert ended.returncode == 0, ended.stderr
    assert float(ended.stdout) < 50_000


INHERITED = """
import multiprocessing
import os
import hardwork
from helpers import identity

def shared_bytes():
    total = 0
    for fd in os.listdir("/proc/self/fd"):
        try:
            if "memfd:" in os.readlink(f"/proc/self/fd/{fd}"):
                total += os.stat(f"/proc/self/fd/{fd}").st_blocks * 512
        except OSError:  # of the listing itself
            pass
    return total

if __name__ == "__main__":
    fork = multiprocessing.get_context("fork")
    data = bytes(50_000_000)
    first = hardwork.ProcessPoolExecutor(1, mp_context=fork)
    assert len(first.submit(identity, data).result()) == len(data)
    with hardwork.ProcessPoolExecutor(1, mp_context=fork) as second:
        before = second.submit(shared_bytes).result()
        first.shutdown()
        print(before, second.submit(shared_bytes).result())
"""


def test_a_pool_that_is_gone_leaves_none_with_the_workers_of_another(run_script: Any) -> None:
    # A forked worker inherits the descriptors of all that was open, and those of another pool's memory with them.
    ended = run_script(INHERITED)
    assert ended.returncode == 0, ended.stderr
    before, after = (int(word) for word in ended.stdout.split())
    assert before > 90_000_000  # or this test would see nothing
    assert after < 10_000_000
