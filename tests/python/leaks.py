"""What a process holds, as /proc tells it: for the audit that every test of hardwork ends with.

Nothing here asks the code under test. Whatever it made must be gone again, also what it has forgotten.
"""

from __future__ import annotations

import gc
import os
import re
import time
from dataclasses import dataclass, field
from multiprocessing import forkserver, resource_tracker
from pathlib import Path

# Generous: the audit only waits this long if something is still there, and machines that run tests are busy.
SETTLE_SECONDS = 20.0
# What the allocator keeps, and modules that a test was the first to import.
RESIDENT_TOLERANCE = 150_000_000


@dataclass
class Holdings:
    """Everything that a test could leave behind."""

    processes: dict[int, str] = field(default_factory=dict)
    descriptors: dict[int, str] = field(default_factory=dict)
    threads: set[int] = field(default_factory=set)
    shared_memory: set[str] = field(default_factory=set)
    mapped: set[int] = field(default_factory=set)  # memfds of the engine, by inode
    resident: int = 0

    def beyond(self, before: Holdings) -> list[str]:
        """What is here and was not before, one line each."""
        lines = [f"process {pid}: {what}" for pid, what in self.processes.items() if pid not in before.processes]
        lines += [
            f"descriptor {fd}: {link}" for fd, link in self.descriptors.items() if before.descriptors.get(fd) != link
        ]
        # Threads are compared by number: an idle one of somebody else's may have been replaced by another.
        if len(self.threads) > len(before.threads):
            lines.append(f"threads: {len(self.threads)}, before {len(before.threads)}")
        lines += [f"/dev/shm/{name}" for name in sorted(self.shared_memory - before.shared_memory)]
        lines += [f"memory of the engine, inode {inode}" for inode in sorted(self.mapped - before.mapped)]
        if self.resident > before.resident + RESIDENT_TOLERANCE:
            lines.append(f"memory: {self.resident} bytes resident, before {before.resident}")
        return lines


def take_stock() -> Holdings:
    return Holdings(
        _processes(), _descriptors(), _threads(), _shared_memory(), memory_files(os.getpid()), resident_bytes()
    )


def wait_for_no_leaks(before: Holdings) -> list[str]:
    """What is left when it stops changing: empty if all is well. Polls, since ends of processes take their time."""
    deadline = time.monotonic() + SETTLE_SECONDS
    pause = 0.001
    while True:
        gc.collect()
        left = take_stock().beyond(before)
        left = [line for line in left if not (line.startswith("/dev/shm/") and _is_somebody_elses(line))]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(pause)
        pause = min(2 * pause, 0.02)


def process_table() -> dict[int, tuple[int, int, str]]:
    """Of every process: its parent, its process group, and a line that says what it is."""
    return {pid: (parent, group, _what(pid, state)) for pid, (parent, group, state) in _family_table().items()}


def _family_table() -> dict[int, tuple[int, int, str]]:
    """Of every process: its parent, its process group, and its state. One read each: every test asks."""
    table = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        # The name stands in parentheses and may hold anything, also parentheses.
        rest = _read(f"/proc/{entry}/stat").rpartition(b")")[2].split(None, 3)
        if len(rest) == 4:  # else it has ended in the meantime
            table[int(entry)] = (int(rest[1]), int(rest[2]), rest[0].decode())
    return table


def _what(pid: int, state: str) -> str:
    name = _read(f"/proc/{pid}/comm").decode(errors="replace").strip()
    command = _read(f"/proc/{pid}/cmdline").replace(b"\0", b" ").decode(errors="replace")
    return f"{state} ({name}) {command}".strip()


def _read(path: str) -> bytes:
    """What a small file of /proc says; nothing if its process has ended."""
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return b""
    try:
        return os.read(file, 65536)
    except OSError:
        return b""
    finally:
        os.close(file)


def descendants(root: int) -> set[int]:
    return _descendants(root, _family_table())


def _descendants(root: int, table: dict[int, tuple[int, int, str]]) -> set[int]:
    children: dict[int, list[int]] = {}
    for pid, (parent, _, _) in table.items():
        children.setdefault(parent, []).append(pid)
    found: set[int] = set()
    frontier = [root]
    while frontier:
        for child in children.get(frontier.pop(), ()):
            if child not in found:
                found.add(child)
                frontier.append(child)
    return found


def is_alive(pid: int) -> bool:
    """A zombie is not: it has ended, only its status has not been asked for."""
    stat = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split(None, 1)
    return bool(stat) and stat[0] not in (b"Z", b"X")


def wait_until_gone(pids: list[int] | set[int], seconds: float = 60.0) -> list[int]:
    """Those of the processes that are still alive at the deadline."""
    deadline = time.monotonic() + seconds
    while alive := [pid for pid in pids if is_alive(pid)]:
        if time.monotonic() > deadline:
            return alive
        time.sleep(0.01)
    return []


def resident_bytes() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("no VmRSS in /proc/self/status")


def memory_files(pid: int) -> set[int]:
    """The inodes of hardwork's memfds that a process has open or mapped: as long as anybody has, their pages live."""
    found = set()
    try:
        for fd in Path("/proc", str(pid), "fd").iterdir():
            if "memfd:hardwork" in os.readlink(fd):
                found.add(fd.stat().st_ino)
        for line in Path("/proc", str(pid), "maps").read_text().splitlines():
            if "memfd:hardwork" in line:
                found.add(int(line.split()[4]))
    except OSError:
        pass  # it is ending
    return found


def _standard_helpers() -> tuple[set[int], set[int]]:
    """Processes and descriptors that multiprocessing keeps for the life of the process, whoever first needed them."""
    tracker = resource_tracker._resource_tracker
    server = forkserver._forkserver
    pids = (getattr(tracker, "_pid", None), getattr(server, "_forkserver_pid", None))
    fds = (getattr(tracker, "_fd", None), getattr(server, "_forkserver_alive_fd", None))
    return {pid for pid in pids if pid is not None}, {fd for fd in fds if fd is not None}


def _processes() -> dict[int, str]:
    table = _family_table()
    ours = _descendants(os.getpid(), table)
    # A worker that outlived the process it was born from belongs to nobody any more, but is still in our group. One
    # that has ended waits for init, which takes its time in some containers.
    group = os.getpgrp()
    orphans = {pid for pid, (parent, its, state) in table.items() if its == group and parent == 1 and state != "Z"}
    orphans.discard(os.getpid())
    keepers = _standard_helpers()[0]
    return {pid: _what(pid, table[pid][2]) for pid in (ours | orphans) - keepers if pid in table}


def _descriptors() -> dict[int, str]:
    keepers = _standard_helpers()[1]
    found = {}
    for entry in os.listdir("/proc/self/fd"):
        fd = int(entry)
        if fd in keepers:
            continue
        try:
            link = os.readlink(f"/proc/self/fd/{fd}")
        except OSError:
            continue  # the one that listed the folder
        # The arenas that multiprocessing.Value and Array live in are kept for the next ones.
        if f"/pym-{os.getpid()}-" not in link:
            found[fd] = link
    return found


def _threads() -> set[int]:
    return {int(entry) for entry in os.listdir("/proc/self/task")}


def _shared_memory() -> set[str]:
    try:
        return set(os.listdir("/dev/shm"))
    except OSError:
        return set()


def _is_somebody_elses(path: str) -> bool:
    """Whether a process outside of our tree has this entry open or mapped: other programs use /dev/shm as well."""
    ours = descendants(os.getpid()) | {os.getpid()}
    others = process_table().keys() - ours
    if any(int(number) in others for number in re.findall(r"\d+", path)):
        return True  # it is named after one
    for pid in others:
        try:
            if path in Path("/proc", str(pid), "maps").read_text():
                return True
            if any(os.readlink(fd) == path for fd in Path("/proc", str(pid), "fd").iterdir()):
                return True
        except OSError:
            continue
    return False
