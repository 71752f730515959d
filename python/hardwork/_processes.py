"""The workers of a pool as its clients look at them: objects like those of `multiprocessing`."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hardwork import _engine

# What multiprocessing says for a process whose exit status it cannot learn (popen_forkserver).
_UNKNOWN_EXIT = 255
# Seconds from a worker's end until its exit status must have come, from the template that has reaped it.
_STATUS_PATIENCE = 1.0
# Seconds within which workers that are being born must be there.
_BIRTH_PATIENCE = 5.0
# As multiprocessing writes them.
_EXIT_NAMES = {-number: f"-{number.name}" for number in signal.Signals}


class WorkerProcess:
    """A worker, with the attributes of a `multiprocessing` process that clients use.

    The engine starts, watches and reaps the process; this only looks at it.

    Args:
        pid: The process id of a worker of the pool.
        name: Its name.
        daemon: Whether it is daemonic, as multiprocessing has it.
        pool: Whose worker it is; not kept alive.
        ended: Whether it has ended, so that its number may be another's by now. Default: False.
    """

    def __init__(
        self, pid: int, name: str, daemon: bool, pool: weakref.ref[_engine.Core], *, ended: bool = False
    ) -> None:
        self.name = name
        self.daemon = daemon
        self._pid = pid
        self._parent = os.getpid()
        self._pool = pool
        self._exitcode: int | None = None
        self._closed = False
        self._handed_out = False  # the descriptor, which then stays as it is
        self._pidfd = -1
        if not ended:
            with contextlib.suppress(OSError):  # ended meanwhile; or no descriptor is left: nothing can be said of it
                self._pidfd = os.pidfd_open(pid)
        self._ended_before = self._pidfd < 0

    def _check_closed(self) -> None:
        if self._closed:
            raise ValueError("process object is closed")

    @property
    def pid(self) -> int:
        """The process id."""
        self._check_closed()
        return self._pid

    ident = pid

    @property
    def sentinel(self) -> int:
        """A descriptor that becomes readable when the worker has ended, and stays open as long as this object."""
        self._check_closed()
        self._handed_out = True
        if self._pidfd < 0:
            self._pidfd, other_end = os.pipe()  # one whose other end is closed is readable
            os.close(other_end)
        return self._pidfd

    @property
    def exitcode(self) -> int | None:
        """None while the worker lives; then its exit code, or the negative number of the signal that ended it.

        255 where nobody knows, as in multiprocessing: the pool is gone, or the process that reaps workers was lost.
        """
        self._check_closed()
        if self._exitcode is None and self._ended(0.0):
            self._exitcode = self._learn_exitcode()
        return self._exitcode

    def _learn_exitcode(self) -> int:
        deadline = time.monotonic() + _STATUS_PATIENCE
        while True:
            pool = self._pool()
            if pool is None:
                return _UNKNOWN_EXIT
            code = pool._core_exit_status(self._pid)
            if code is not None:
                return code
            if time.monotonic() > deadline:
                return _UNKNOWN_EXIT
            del pool
            time.sleep(0.001)

    def is_alive(self) -> bool:
        """Tells whether the worker lives.

        Returns:
            True if it does.
        """
        self._check_closed()
        return not self._ended(0.0)

    def join(self, timeout: float | None = None) -> None:
        """Waits until the worker has ended.

        Args:
            timeout: Seconds to wait at most; None for no limit.
        """
        self._check_closed()
        self._ended(timeout)

    def terminate(self) -> None:
        """Sends SIGTERM. The pool replaces the worker."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """Sends SIGKILL. The pool replaces the worker."""
        self._send(signal.SIGKILL)

    def close(self) -> None:
        """Lets go of a process that has ended; the object cannot be used any more.

        Raises:
            ValueError: The worker lives.
        """
        if not self._closed and not self._ended(0.0):
            raise ValueError(
                "Cannot close a process while it is still running. You should first call join() or terminate()."
            )
        self._closed = True
        self._let_go()

    def _has_ended(self, exitcode: int | None) -> None:
        self._ended_before = True
        if self._exitcode is None:
            self._exitcode = exitcode
        if not self._handed_out:
            self._let_go()

    def _let_go(self) -> None:
        fd, self._pidfd = self._pidfd, -1
        if fd >= 0:
            os.close(fd)

    @property
    def _popen(self) -> WorkerProcess:
        # multiprocessing asks the Popen of each of its children whether that has ended.
        return self

    def poll(self) -> int | None:
        """As a `Popen` of multiprocessing.

        Returns:
            The exit code, None while the worker lives.
        """
        return self.exitcode

    def _send(self, number: int) -> None:
        self._check_closed()
        if not self._ended_before:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, number)

    def _ended(self, timeout: float | None) -> bool:
        fd = self._pidfd
        if self._ended_before or self._exitcode is not None or fd < 0:
            return True
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        return bool(poll.poll(None if timeout is None else max(0.0, timeout) * 1000))

    def __repr__(self) -> str:
        if self._closed:
            return f"<{type(self).__name__} name={self.name!r} closed>"
        code = self.exitcode
        state = "started" if code is None else f"stopped exitcode={_EXIT_NAMES.get(code, code)}"
        daemon = " daemon" if self.daemon else ""
        return f"<{type(self).__name__} name={self.name!r} pid={self._pid} parent={self._parent} {state}{daemon}>"

    def __del__(self) -> None:
        self._let_go()


class WorkerTable:
    """Keeps one `WorkerProcess` for each worker, so that clients can compare them.

    Args:
        pool: Whose workers they are; not kept alive.
        kind: What their names begin with.
        daemon: Whether they are daemonic.
    """

    def __init__(self, pool: _engine.Core, kind: str, daemon: bool) -> None:
        self._pool = weakref.ref(pool)
        self._kind = kind
        self._daemon = daemon
        self._known: dict[int, WorkerProcess] = {}
        self._last = 0  # of a pool that ends: how many workers it had
        self._shown = False

    def living(self) -> dict[int, WorkerProcess]:
        """Says who works now. Waits for workers that are being born, whose process ids are not known yet.

        Returns:
            A dictionary of one's own, from process ids to workers.
        """
        pids = self._living_pids()
        found = self._look(pids)
        return {pid: found[pid] for pid in pids if pid in found}

    def shown(self) -> dict[int, WorkerProcess]:
        """Says whom clients see: who works now, and of a pool that ends also its last workers.

        Returns:
            A dictionary of one's own, from process ids to workers.
        """
        self._shown = True
        return dict(self._known if self._pool() is None else self._look(self._living_pids()))

    def _living_pids(self) -> list[int]:
        deadline = time.monotonic() + _BIRTH_PATIENCE
        while True:
            pool = self._pool()
            workers: list[tuple[int, bool]] = [] if pool is None else pool._core_workers()
            if self._last or all(known for _, known in workers) or time.monotonic() > deadline:
                return [pid for pid, known in workers if known]
            del pool
            time.sleep(0.0005)

    def _look(self, living: list[int]) -> dict[int, WorkerProcess]:
        pool = self._pool()
        if pool is None:
            return {}
        old = self._known
        now = {pid: self._living_one(pool, pid, old.get(pid)) for pid in living}
        last: dict[int, WorkerProcess] = {}
        for pid in pool._core_ended_workers() if self._last else ():
            if len(now) + len(last) >= self._last:
                break
            if pid not in now:
                last[pid] = old.get(pid) or WorkerProcess(pid, self._name(pid), self._daemon, self._pool, ended=True)
        found = {**last, **now}
        for pid, process in old.items():
            if found.get(pid) is not process:
                process._has_ended(pool._core_exit_status(pid))  # a view may hold it until the next look
        self._known = {pid: found[pid] for pid in [*(pid for pid in old if pid in found), *found]}
        return self._known

    def _living_one(self, pool: _engine.Core, pid: int, before: WorkerProcess | None) -> WorkerProcess:
        # One that has ended, of which the pool does not know yet, is the same; else it is another with its number.
        if before is not None and (not before._ended(0.0) or pool._core_exit_status(pid) is None):
            return before
        return WorkerProcess(pid, self._name(pid), self._daemon, self._pool)

    def _name(self, pid: int) -> str:
        return f"{self._kind}[{pid}]"

    def ends(self, last: int) -> None:
        """Takes note that the pool ends: from now on its last workers are shown also when they have ended.

        Args:
            last: How many it has.
        """
        self._last = self._last or last

    def has_ended(self) -> None:
        """Looks a last time, for those who hold a view or a worker: the pool has ended. Closes what nobody has seen."""
        pool = self._pool()
        if pool is None:
            return
        if self._shown:
            self.shown()
        for pid, process in self._known.items():
            process._has_ended(pool._core_exit_status(pid))
