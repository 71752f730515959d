"""What a pool has done so far, in numbers."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Any

# As hardwork::DeathCause in include/hardwork/stats.hpp.
_CAUSES = ("unknown", "exit", "signal", "out of memory", "time limit", "stopped", "memory limit", "invalid record")


@dataclass(frozen=True, slots=True)
class PoolStats:
    """The counts of a pool. An item of a map is a task.

    ``submitted`` is ``done + failed + cancelled`` and the tasks that are not over yet.

    Attributes:
        submitted: Tasks that the pool took.
        done: Those that returned a value.
        failed: Those that raised, were stopped, or were lost with their worker.
        cancelled: Those that were cancelled before they started, or dropped at the pool's end.
        retried: Runs that were begun anew because the worker had died (``retries`` of `options`).
        requeued: Tasks that a worker had been given and had not started when it died; others ran them.
        workers_alive: Worker processes that live now.
        workers_born: Those that were ever started.
        workers_retired: Those that ended as they were told: at the limit of tasks or memory, or at the pool's end.
        workers_died: How many ended otherwise, by cause: ``"SIGKILL"``, ``"exit 3"``, ``"out of memory"``,
            ``"time limit"``, ``"stopped"``, ``"memory limit"``, ``"invalid record"``, ``"unknown"``.
        workers_restarted: Workers asked for in the place of one that had ended.
        bytes_sent: Bytes of inputs and functions.
        bytes_received: Bytes of results, with what they travel in.
    """

    submitted: int
    done: int
    failed: int
    cancelled: int
    retried: int
    requeued: int
    workers_alive: int
    workers_born: int
    workers_retired: int
    workers_died: dict[str, int]
    workers_restarted: int
    bytes_sent: int
    bytes_received: int

    @classmethod
    def _of(cls, counts: dict[str, Any]) -> PoolStats:
        died: dict[str, int] = {}
        for cause, value, count in counts.pop("workers_died"):
            name = _name(cause, value)
            died[name] = died.get(name, 0) + count
        return cls(workers_died=died, **counts)


def _name(cause: int, value: int) -> str:
    name = _CAUSES[cause]
    if name == "exit":
        return f"exit {value}"
    if name != "signal":
        return name
    try:
        return signal.Signals(value).name
    except ValueError:
        return f"signal {value}"
