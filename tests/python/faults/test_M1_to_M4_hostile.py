"""M1 to M4: a worker writes what it should not, where it should not, when it should not."""

from __future__ import annotations

import ctypes
import errno
import os
import random
import signal
import struct
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hardwork import TaskTimeout, WorkerDied, _engine
from helpers import PATIENCE, append_line, double, poll, read_lines, wait_at
from leaks import is_alive, wait_until_gone


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


def scribble_and_say(seed: int, path: str) -> str:
    append_line(path, os.getpid())
    return scribble(seed)


@pytest.mark.parametrize("seed", range(30))
def test_M1_hostile_bytes_in_its_lane(lab: Any, gate: Any, tmp_path: Any, seed: int) -> None:
    """What others are running is not touched, and the pool goes on. (fuzz/lane.cpp tries far more.)"""
    face = lab(workers=3)
    others = [face.expect(face.submit(wait_at, gate, number), number) for number in range(2)]
    gate.wait_for(2)
    # A worker that waits for ever at its own broken ring is one more way to hang: hence the limit.
    call = face.submit(scribble_and_say, seed, str(tmp_path / "pid"), timeout=3, grace=0.1)
    error = call.error()
    (hostile,) = {int(line) for line in read_lines(tmp_path / "pid")}
    if isinstance(error, WorkerDied):
        assert error.pid == hostile
        poll(lambda: hostile not in face.pids())
    else:
        # Its result came all the same, or what it had made of it, or the limit.
        assert error is None or isinstance(error, Exception)
    assert not any(other.done() for other in others)
    gate.open()
    assert [other.value() for other in others] == [0, 1]
    # It may have been damaged without having noticed yet.
    if is_alive(hostile):
        os.kill(hostile, signal.SIGKILL)
    face.innocents(20)


# Where src/shm/lane.hpp has these. The first case below finds out if that has changed.
GENERATION, REQUEST_TAIL, REQUEST_HEAD, RESULT_TAIL, POSITION = 12, 64, 128, 136, 144
REQUESTS, REQUEST_SLOTS, REQUEST_SIZE = 4096, 1024, 64
RING_SIZE = 256 * 1024
RECORD = struct.Struct("<IBBBBIIQ")
FIELDS = ("length", "kind", "outcome", "in_arena", "generation", "index", "nanoseconds", "task")


def forge(path: str, changes: dict[str, int], words: dict[int, int]) -> None:
    """Publishes a result of its own task by hand: the right one, but for what is to be changed; and then waits."""
    append_line(path, os.getpid())
    lane = [(begin, end - begin) for begin, end, rights in mappings("hardwork-lane") if "w" in rights]
    control = next(begin for begin, _ in lane if ctypes.string_at(begin, 4) == b"work")
    ring = min(begin for begin, size in lane if size == RING_SIZE)  # it is mapped twice in a row

    def word(at: int, kind: Any = ctypes.c_uint32) -> Any:
        return kind.from_address(control + at)

    slot = control + REQUESTS + word(POSITION).value % REQUEST_SLOTS * REQUEST_SIZE
    task = ctypes.c_uint64.from_address(slot + 8).value
    payload = b"C" + _engine._codec_encode(7)
    if "extent" in changes:
        payload = struct.pack("<QQ", changes["extent"], 4096)
    right = {
        "length": len(payload), "kind": 1, "outcome": 0, "in_arena": 0,
        "generation": word(GENERATION).value & 0xFF, "index": 0, "nanoseconds": 0, "task": task,
    }  # fmt: skip
    record = right | changes | {"task": task + changes.get("task", 0)}
    if "generation" in changes:
        record["generation"] = (right["generation"] + 1) & 0xFF
    tail = word(RESULT_TAIL, ctypes.c_uint64)
    data = RECORD.pack(*(record[name] for name in FIELDS)) + payload.ljust(-(-len(payload) // 8) * 8, b"\0")
    ctypes.memmove(ring + tail.value % RING_SIZE, data, len(data))
    tail.value += len(data)
    for at, value in words.items():
        kind = ctypes.c_uint64 if at == RESULT_TAIL else ctypes.c_uint32
        word(at, kind).value += value
    time.sleep(PATIENCE)


FORGED = {
    "length, beyond what is there": ({"length": 4096}, {}),
    "length, beyond the ring": ({"length": 2**32 - 1}, {}),
    "length, beyond what travels in a ring": ({"length": 200_000}, {RESULT_TAIL: 200_000 - 8}),
    "kind, none": ({"kind": 0}, {}),
    "kind, unknown": ({"kind": 255}, {}),
    "kind, an item": ({"kind": 2}, {}),
    "kind, ready again": ({"kind": 3}, {}),
    "kind, not ready": ({"kind": 4}, {}),
    "kind, the item after none": ({"kind": 5}, {}),
    "outcome": ({"outcome": 9}, {}),
    "in_arena, unknown": ({"in_arena": 2}, {}),
    "in_arena, no extent": ({"in_arena": 1}, {}),
    "in_arena, an extent beyond the arena": ({"in_arena": 1, "length": 16, "extent": 2**50}, {}),
    "generation": ({"generation": 0}, {}),
    "task, another": ({"task": 1}, {}),
    "task, none": ({"task": 2**40}, {}),
    "tail, in the middle": ({}, {RESULT_TAIL: 4}),
    "tail, beyond the ring": ({}, {RESULT_TAIL: 2 * RING_SIZE}),
    "tail, back": ({}, {RESULT_TAIL: -512}),
    "requests, more than there are": ({}, {REQUEST_HEAD: 5000}),
    "requests, one whose result is not there": ({"kind": 0}, {REQUEST_HEAD: 1}),
}


def hostile(face: Any, path: Any, changes: dict[str, int], words: dict[int, int]) -> tuple[Any, int]:
    """The call of a worker that has forged, and its pid."""
    face.warm()
    call = face.submit(forge, str(path), changes, words)
    poll(lambda: read_lines(path) or call.done())
    return call, int(read_lines(path)[0])


def test_M1_a_record_that_is_right(lab: Any, tmp_path: Any) -> None:
    """What the other cases change is the result, if nothing is changed."""
    face = lab()
    call, pid = hostile(face, tmp_path / "forged", {}, {})
    poll(lambda: face.submit(double, 1) and call.done())  # not waited for: they go to one that seems to be idle, too
    assert call.value() == 7
    os.kill(pid, signal.SIGKILL)  # it would sleep for long


@pytest.mark.parametrize("case", FORGED)
def test_M1_one_field_of_a_record(lab: Any, gate: Any, tmp_path: Any, case: str) -> None:
    """It is refused: that worker is ended and replaced, the error says why, and others are not touched."""
    face = lab(workers=3)
    other = face.expect(face.submit(wait_at, gate, "other"), "other")
    gate.wait_for(1)
    call, pid = hostile(face, tmp_path / "forged", *FORGED[case])
    poll(lambda: face.call(double, 1) == 2 and call.done())  # who works with the others reads all lanes
    error = call.error()
    assert type(error) is WorkerDied
    assert error.pid == pid
    assert "invalid record" in str(error)
    assert not other.done()
    gate.open()
    poll(lambda: not is_alive(pid))
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


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("how", ["killed", "stopped, and over its time limit"])
def test_M4_late_store_of_one_declared_dead(lab: Any, tmp_path: Any, how: str) -> None:
    """It goes to memory that nobody reads: a fork of that worker still has its lane, and fills it with nonsense."""
    face = lab()
    path, go = tmp_path / "child", tmp_path / "go"
    limits = {} if how == "killed" else {"timeout": 0.3, "grace": 0.05}
    call = face.submit(leave_one_with_the_lane, str(path), str(go), how == "killed", **limits)
    assert type(call.error()) is (WorkerDied if how == "killed" else TaskTimeout)
    face.innocents(20)  # by the other worker, and the one in its place
    go.touch()
    while "done" not in read_lines(path):
        face.innocents(20)
    child = int(read_lines(path)[0])
    face.innocents(50)
    os.kill(child, signal.SIGKILL)
    assert wait_until_gone([child]) == []


def leave_one_with_the_lane(path: str, go: str, die: bool) -> None:
    child = os.fork()
    if child:
        append_line(path, child)
        os.kill(os.getpid(), signal.SIGKILL if die else signal.SIGSTOP)
        time.sleep(PATIENCE)
    deadline = time.monotonic() + PATIENCE
    while not os.path.exists(go) and time.monotonic() < deadline:
        time.sleep(0.001)
    for begin, end, rights in list(mappings("hardwork-lane")):
        if "w" in rights:
            ctypes.memset(begin, 0xFF, end - begin)
    append_line(path, "done")
    time.sleep(PATIENCE)
    os._exit(0)
