#!/usr/bin/env python3
"""Writes the inputs that fuzzing begins with, where they are made of structs: fuzz/corpus/control_messages and lane.

Run it again when src/zygote/protocol.cpp, src/shm/record.hpp or the script that fuzz/lane.cpp reads change.
"""

import struct
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).resolve().parent.parent / "fuzz" / "corpus"
MAGIC = 0x48575A31
UNKNOWN, EXITED, SIGNALED = range(3)
PARENT, CHILD = 0, 1

# Kind, sender and descriptors of each message; then what it has in it.
KINDS: dict[str, tuple[int, int, int, dict[str, Any]]] = {
    "hello_to_template": (1, PARENT, 2, {"ticket": 77, "lane": 5, "number": 1}),
    "hello_of_template": (1, CHILD, 0, {"number": 1}),
    "birth": (2, PARENT, 1, {"ticket": 3, "lane": 1025}),
    "birth_without_descriptor": (2, PARENT, 0, {"ticket": 3, "lane": 1025}),
    "kill": (3, PARENT, 0, {"ticket": 3}),
    "stop": (4, PARENT, 0, {}),
    "born": (5, CHILD, 1, {"ticket": 3, "lane": 1025, "pid": 4711}),
    "born_without_descriptor": (5, CHILD, 0, {"ticket": 3, "lane": 1025, "pid": 4711}),
    "birth_failed": (6, CHILD, 0, {"ticket": 3, "lane": 1025, "number": 11}),
    "died_exited": (7, CHILD, 0, {"ticket": 3, "lane": 1025, "pid": 4711, "status": (EXITED, 3)}),
    "died_signaled": (7, CHILD, 0, {"ticket": 3, "lane": 1025, "pid": 4711, "status": (SIGNALED, 9)}),
    "died_unknown": (7, CHILD, 0, {"ticket": 3, "lane": 1025, "pid": 4711}),
}


def message(
    kind: int,
    sender: int,
    fds: int,
    ticket: int = 0,
    lane: int = 0,
    pid: int = 0,
    number: int = 0,
    status: tuple[int, int] = (UNKNOWN, 0),
) -> bytes:
    """As zygote::encode writes it, behind the byte in which the fuzzer says who sends it and with what."""
    return bytes([sender | fds << 1]) + struct.pack("<IIQIiiIiI", MAGIC, kind, ticket, lane, pid, number, *status, 0)


# The steps of fuzz/lane.cpp. Its pool has told the worker of a function (position 0) and given it a task (1) and a map
# of six items (2); two more tasks follow when it has polled (3 and 4).
POLL, ADVANCE, DIE = b"\x06", b"\x05", b"\x09"
LENGTH, OUTCOME, INDEX, ARENA, TASK, UNCLAIMED, NEXT_ITEM = (1 << bit for bit in range(7))


def answer(position: int, change: int = 0, fields: bytes = b"") -> bytes:
    return bytes([1, position, change]) + fields + struct.pack("<Q", 42)


def cancel(task: int) -> bytes:
    return bytes([7, task])


def claim(position: int) -> bytes:
    return bytes([8, position])


TASK_DONE = ADVANCE + answer(1) + ADVANCE
ITEM = answer(2)
LANES = {
    "all_in_order": TASK_DONE + ITEM * 6 + ADVANCE + POLL + answer(3) + ADVANCE + answer(4) + ADVANCE + POLL,
    "read_one_by_one": TASK_DONE + POLL + (ITEM + POLL) * 6 + ADVANCE + answer(3) + POLL,
    "next_items": TASK_DONE + ITEM + answer(2, NEXT_ITEM) * 5 + POLL,
    "exceptions": answer(1, OUTCOME, b"\x01") + answer(2, OUTCOME, b"\x02") + POLL,
    "dies_in_a_task": ADVANCE + claim(1) + DIE + ADVANCE + answer(1) + ADVANCE + ITEM * 6 + POLL,
    "dies_in_an_item": TASK_DONE + ITEM * 2 + claim(2) + DIE + ADVANCE + answer(1) * 6 + ITEM * 6 + POLL,
    "goes_on_after_a_bad_item": TASK_DONE
    + ITEM
    + answer(2, OUTCOME, b"\xc8")
    + ITEM * 3
    + DIE
    + answer(1) * 6
    + ITEM * 6,
    "goes_on_after_a_bad_task": ADVANCE
    + answer(1, OUTCOME, b"\xc8")
    + ADVANCE
    + ITEM * 3
    + DIE
    + answer(1) * 6
    + ITEM * 6,
    "item_out_of_turn": TASK_DONE + answer(2, INDEX, b"\x03") + POLL + ITEM + DIE + answer(1) * 6,
    "not_claimed": answer(1, UNCLAIMED) + answer(2, UNCLAIMED) + POLL,
    "somebody_elses": answer(1, TASK, b"\x63\0\0\0") + POLL,
    "in_the_arena": answer(1, ARENA, b"\x01") + POLL,
    "too_long": answer(1, LENGTH, b"\xff\xff") + POLL,
    "cancelled": cancel(0) + answer(1) + cancel(2) + POLL + answer(3) + POLL,
}


def main() -> None:
    """Writes all of them."""
    for folder, files in (
        (
            "control_messages",
            {name: message(kind, sender, fds, **more) for name, (kind, sender, fds, more) in KINDS.items()},
        ),
        ("lane", LANES),
    ):
        for name, content in files.items():
            (CORPUS / folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
