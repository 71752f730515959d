"""`max_memory_per_worker` of both classes."""

import os
import time

import pytest
from hardwork import Pool, ProcessPoolExecutor, WorkerMemoryExceeded

LIMIT = 300_000_000
kept = []


def pid():
    return os.getpid()


def keep(size):
    kept.append(b"x" * size)
    return os.getpid()


def grow(heed):
    taken = []
    while True:
        try:
            while True:
                taken.append(b"x" * 10_000_000)
                time.sleep(0.002)
        except WorkerMemoryExceeded:
            if heed:
                raise


def make(face, limit=LIMIT):
    if face == "executor":
        return ProcessPoolExecutor(1, max_memory_per_worker=limit)
    return Pool(1, max_memory_per_worker=limit)


@pytest.fixture(params=["executor", "pool"])
def face(request):
    return request.param


def call(pool, fn, *args):
    return pool.apply(fn, args) if isinstance(pool, Pool) else pool.submit(fn, *args).result()


def test_one_that_keeps_too_much_is_replaced_after_its_task(face):
    with make(face) as pool:
        first = call(pool, pid)
        assert call(pool, pid) == first
        assert call(pool, keep, LIMIT) == first
        assert call(pool, pid) != first
        assert pool.stats().workers_retired == 1
        assert pool.stats().workers_died == {}


@pytest.mark.parametrize("heed", [True, False])
def test_a_task_with_twice_as_much_is_stopped(face, heed):
    with make(face) as pool:
        with pytest.raises(WorkerMemoryExceeded) as raised:
            call(pool, grow, heed)
        assert isinstance(raised.value, MemoryError)
        assert ("was killed" in str(raised.value)) is not heed
        assert isinstance(call(pool, pid), int)
        stats = pool.stats()
        assert stats.failed == 1
        assert stats.workers_died == ({} if heed else {"memory limit": 1})


def test_a_map_goes_on_in_others(face):
    with make(face) as pool:
        sizes = [0] * 50 + [LIMIT] + [0] * 50
        pids = list(pool.map(keep, sizes))
        assert len(pids) == 101
        assert len(set(pids)) >= 2


@pytest.mark.parametrize(
    ("given", "size"),
    [(1000, 1000), ("500", 500), ("500B", 500), ("2 kB", 2000), ("2KiB", 2048), ("1.5 MB", 1_500_000), ("1g", 10**9)],
)
def test_sizes(given, size):
    with ProcessPoolExecutor(1, max_memory_per_worker=given) as executor:
        assert executor._max_memory == size


@pytest.mark.parametrize("given", ["", "much", "5 XB", "-5", "1e9", "0", 0, -1, 2**62])
def test_sizes_that_are_none(face, given):
    with pytest.raises(ValueError, match="max_memory_per_worker must be"):
        make(face, given)


@pytest.mark.parametrize("given", [1.5, [], b"5"])
def test_types_that_are_none(face, given):
    with pytest.raises(TypeError, match="max_memory_per_worker must be"):
        make(face, given)
