"""The workers of an executor as its clients look at them: `_processes`, a dictionary from process ids to processes."""

from __future__ import annotations

import contextlib
import os
import select
import signal

# What the standard library says for a process whose exit status went to somebody else (popen_forkserver).
_UNKNOWN_EXIT = 255


class WorkerProcess:
    """A worker, with the attributes of a `multiprocessing` process that clients of the standard executor use.

    The engine starts, watches and reaps the process; this only looks at it.

    Args:
        pid: The process id of a living worker.
        kind: The name of the context's Process class.
    """

    def __init__(self, pid: int, kind: str) -> None:
        self.pid = pid
        self.name = f"{kind}[{pid}]"
        self.daemon = False
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
        """None while the worker lives, then 255: its exit status went to the engine."""
        return None if self.is_alive() else _UNKNOWN_EXIT

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
        return f"<{type(self).__name__} name={self.name!r} {'started' if self.is_alive() else 'stopped'}>"

    def __del__(self) -> None:
        self.close()


class WorkerTable:
    """Keeps one `WorkerProcess` for each worker, so that clients can compare them.

    Args:
        kind: The name of the context's Process class.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._known: dict[int, WorkerProcess] = {}

    def update(self, pids: list[int]) -> dict[int, WorkerProcess]:
        """Says who works now.

        Args:
            pids: The process ids of the living workers.

        Returns:
            A dictionary of one's own.
        """
        known = self._known
        self._known = {pid: known.get(pid) or WorkerProcess(pid, self._kind) for pid in pids}
        return dict(self._known)

    def close(self) -> None:
        """Forgets all, and closes their descriptors."""
        known, self._known = self._known, {}
        for process in known.values():
            process.close()
