"""M1 to M4: a worker writes what it should not, where it should not, when it should not."""

from __future__ import annotations

import ctypes
import errno
import os
import random
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from acts import freeze
from hardwork import TaskTimeout, WorkerDied
from helpers import own_pid


def mappings(name: str) -> Iterator[tuple[int, int, str]]:
    """Begin, end and rights of where a memory of that name is mapped in this process."""
    with open("/proc/self/maps") as file:
        for line in file:
            if name in line:
                where, rights = line.split()[:2]
                begin, _, end = where.partition("-")
                yield int(begin, 16), int(end, 16), rights


def scribble(seed: int) -> str:
    """Changes bytes of its own lane at random, in the first pages: states, tails and descriptors."""
    dice = random.Random(seed)
    begin, end, _ = next(mapping for mapping in mappings("hardwork-lane") if "w" in mapping[2])
    for _ in range(dice.choice([1, 3, 30, 300])):
        at = begin + dice.randrange(min(end - begin, dice.choice([256, 4096, 65536, 400_000])))
        ctypes.memmove(at, bytes([dice.randrange(256)]), 1)
    return "scribbled"


@pytest.mark.parametrize("seed", range(30))
def test_M1_hostile_bytes_in_its_lane(lab: Any, seed: int) -> None:
    """At most that worker's tasks are lost; the parent and all others go on. (fuzz/lane.cpp tries far more.)"""
    face = lab()
    quick = {"timeout": 3, "grace": 0.1}  # a worker that waits for ever at its own broken ring is one more way to hang
    call = face.submit(scribble, seed, **quick)
    others = [face.submit(own_pid, **quick) for _ in range(30)]
    error = call.error()
    assert error is None or isinstance(error, (WorkerDied, TaskTimeout, Exception))
    lost = 0
    for other in others:
        error = other.error()
        lost += error is not None
    assert lost <= 30
    # Whatever became of that worker, the other one works, and a replacement does.
    for pid in face.pids():
        os.kill(pid, signal.SIGKILL)
    face.innocents(20)


def look_around() -> tuple[int, list[str], list[str]]:
    lanes = sorted({os.stat(f"/proc/self/fd/{fd}").st_ino for fd in open_lanes()})
    inputs = [rights for _, _, rights in mappings("hardwork-input")]
    return len(lanes), inputs, [rights for _, _, rights in mappings("hardwork-lane")]


def open_lanes() -> list[str]:
    found = []
    for fd in os.listdir("/proc/self/fd"):
        try:
            if "hardwork-lane" in os.readlink(f"/proc/self/fd/{fd}"):
                found.append(fd)
        except OSError:
            continue
    return found


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_M2_reaches_no_other_workers_memory(lab: Any, method: str) -> None:
    """It has one lane, its own; inputs it can only read."""
    face = lab(workers=3, method=method)
    data = bytes(1_000_000)
    for _ in range(10):
        face.call(len, data)
        lanes, inputs, own = face.call(look_around)
        assert lanes == 1
        assert own
        assert all("w" not in rights for rights in inputs)


def shrink(fd_name: str) -> int:
    """Tries to truncate its lane; gives the errno."""
    for fd in open_lanes():
        try:
            os.ftruncate(int(fd), 0)
        except OSError as error:
            return error.errno or 0
    return 0


def test_M3_truncates_its_memory(lab: Any) -> None:
    """EPERM: the memory is sealed."""
    face = lab()
    assert face.call(shrink, "lane") == errno.EPERM
    face.innocents(20)


def test_M4_late_store_of_one_declared_dead(lab: Any) -> None:
    """It goes to memory that nobody reads: a stopped worker is killed before its memory is used again."""
    face = lab()
    calls = [face.submit(freeze, timeout=0.2, grace=0.05) for _ in range(4)]
    face.innocents(50)
    for call in calls:
        assert type(call.error()) is TaskTimeout
    face.innocents(50)
