"""The workers of a pool as its clients look at them: objects like those of `multiprocessing`."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hardwork import _engine

# What multiprocessing says for a process whose exit status it cannot learn (popen_forkserver).
_UNKNOWN_EXIT = 255
# Seconds from a worker's end until its exit status must have come, from the template that has reaped it.
_STATUS_PATIENCE = 1.0
# Seconds within which workers that are being born must be there.
_BIRTH_PATIENCE = 5.0


class WorkerProcess:
    """A worker, with the attributes of a `multiprocessing` process that clients use.

    The engine starts, watches and reaps the process; this only looks at it.

    Args:
        pid: The process id of a living worker.
        name: Its name.
        daemon: Whether it is daemonic, as multiprocessing has it.
        pool: Whose worker it is; not kept alive.
    """

    def __init__(self, pid: int, name: str, daemon: bool, pool: weakref.ref[_engine.Core]) -> None:
        self.pid = pid
        self.name = name
        self.daemon = daemon
        self._pool = pool
        self._exitcode: int | None = None
        try:
            self._pidfd = os.pidfd_open(pid)
        except OSError:  # ended meanwhile; or no descriptor is left, and then nothing can be said of it
            self._pidfd = -1

    @property
    def ident(self) -> int:
        """The process id."""
        return self.pid

    @property
    def sentinel(self) -> int:
        """A descriptor that becomes readable when the worker has ended.

        Raises:
            ValueError: The pool was shut down, or the worker had ended before it was looked at.
        """
        if self._pidfd < 0:
            raise ValueError("process object is closed")
        return self._pidfd

    @property
    def exitcode(self) -> int | None:
        """None while the worker lives; then its exit code, or the negative number of the signal that ended it.

        255 where nobody knows, as in multiprocessing: the pool is gone, or the process that reaps workers was lost.
        """
        if self._exitcode is None and not self.is_alive():
            self._exitcode = self._learn_exitcode()
        return self._exitcode

    def _learn_exitcode(self) -> int:
        deadline = time.monotonic() + _STATUS_PATIENCE
        while True:
            pool = self._pool()
            if pool is None:
                return _UNKNOWN_EXIT
            code = pool._core_exit_status(self.pid)
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
        return not self._ended(0.0)

    def join(self, timeout: float | None = None) -> None:
        """Waits until the worker has ended.

        Args:
            timeout: Seconds to wait at most; None for no limit.
        """
        self._ended(timeout)

    def terminate(self) -> None:
        """Sends SIGTERM. The pool replaces the worker."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """Sends SIGKILL. The pool replaces the worker."""
        self._send(signal.SIGKILL)

    def close(self) -> None:
        """Lets go of the process; nothing happens to the worker."""
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
        if self._pidfd >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, number)

    def _ended(self, timeout: float | None) -> bool:
        if self._pidfd < 0:
            return True
        poll = select.poll()
        poll.register(self._pidfd, select.POLLIN)
        return bool(poll.poll(None if timeout is None else max(0.0, timeout) * 1000))

    def __repr__(self) -> str:
        state = "started" if self.is_alive() else "stopped"
        return f"<{type(self).__name__} name={self.name!r} pid={self.pid} {state}{' daemon' if self.daemon else ''}>"

    def __del__(self) -> None:
        self.close()


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

    def living(self) -> dict[int, WorkerProcess]:
        """Says who works now. Waits for workers that are being born, whose process ids are not known yet.

        Returns:
            A dictionary of one's own, from process ids to workers.
        """
        deadline = time.monotonic() + _BIRTH_PATIENCE
        while True:
            pool = self._pool()
            workers: list[tuple[int, bool]] = [] if pool is None else pool._core_workers()
            if all(known for _, known in workers) or time.monotonic() > deadline:
                break
            del pool
            time.sleep(0.0005)
        old = self._known
        self._known = {pid: self._process(pid, old.get(pid)) for pid, known in workers if known}
        return dict(self._known)

    def _process(self, pid: int, before: Any) -> WorkerProcess:
        if before is not None and before.is_alive():
            return before  # type: ignore[no-any-return]
        return WorkerProcess(pid, f"{self._kind}[{pid}]", self._daemon, self._pool)

    def close(self) -> None:
        """Forgets all, and closes their descriptors."""
        known, self._known = self._known, {}
        for process in known.values():
            process.close()
