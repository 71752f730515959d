"""What a fresh interpreter needs to become a worker: written once by the parent, read by every child (_grown).

It lies in a sealed memfd: no name, one copy for all workers, mapped privately by each.

    payload         pickle of (initializer, initargs)
    buffers ...     its large buffers: arrays become the worker's own memory, copied on write
    description     pickle of a Description
    path            marshalled: the folder of hardwork, and sys.path, for the import of hardwork itself
"""

from __future__ import annotations

import contextlib
import fcntl
import io
import marshal
import os
from collections.abc import Callable, Iterable, Iterator
from multiprocessing import context, forkserver, reduction, resource_tracker, spawn
from typing import Any

from hardwork import _pickling
from hardwork._grown import Description, InheritedFd, padding

_OWN_PATH = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Below these numbers are the standard streams: a duplicate that landed there would be one in the child.
_FIRST_FD = 3


class Spawning:
    """Stands in for the process being spawned while initargs are pickled: locks and connections ask for one.

    The descriptors they hand over stay open in the parent, for workers that are born later.
    """

    DupFd = InheritedFd

    def __init__(self) -> None:
        self.fds: list[int] = []

    def duplicate_for_child(self, fd: int) -> int:
        """Keeps a descriptor for the children.

        Args:
            fd: The object's own descriptor.

        Returns:
            The number under which children find it.
        """
        copy: int = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _FIRST_FD)
        self.fds.append(copy)
        return copy

    @contextlib.contextmanager
    def under_way(self) -> Iterator[None]:
        """While it lasts, what this thread pickles is for processes being spawned."""
        before = context.get_spawning_popen()
        context.set_spawning_popen(self)  # type: ignore[arg-type]  # what they use of a Popen is here
        try:
            yield
        finally:
            context.set_spawning_popen(before)

    def close(self) -> None:
        """Closes what was kept."""
        while self.fds:
            os.close(self.fds.pop())


class Seed:
    """Writes it.

    Args:
        pattern: A Process object of the context, for the workers' own (see _worker.Plan).
        mask: The signals that workers shall have blocked.
        start_method: forkserver or spawn.
        initializer: The initializer, or None.
        initargs: Its arguments.

    Raises:
        RuntimeError: `__main__` is just being imported by a child process, and starts a pool (multiprocessing's
            message, with the idiom that is missing).
        Exception: What pickle raises for an initializer or arguments that it refuses.
    """

    def __init__(
        self,
        pattern: Any,
        mask: list[int],
        start_method: str,
        initializer: Callable[..., object] | None,
        initargs: tuple[Any, ...],
    ) -> None:
        self._fd = -1
        self._spawning = Spawning()
        data = spawn.get_preparation_data(pattern.name)
        del data["name"]  # each worker has its own
        if not pattern._hardwork_face.has_main:
            data.pop("init_main_from_path", None)
            data.pop("init_main_from_name", None)
        if not os.path.isfile(data.get("init_main_from_path", __file__)):
            del data["init_main_from_path"]  # "<stdin>": what is in such a __main__ goes by value
        server: Any = forkserver._forkserver
        try:
            with self._spawning.under_way():
                payload, buffers = _pickling.dumps((initializer, initargs), start_method=start_method)
                views = [memoryview(payload), *(buffer.raw() for buffer in buffers)]
                description = Description(
                    pattern,
                    mask,
                    data,
                    list(server._preload_modules),
                    getattr(server, "_preload_on_error", "ignore"),
                    self._spawning.fds,
                    [view.nbytes for view in views],
                )
                described = io.BytesIO()
                reduction.dump(description, described)
            self._write(views, described.getvalue(), data["sys_path"])
        except BaseException:
            self.close()
            raise

    def _write(self, views: list[memoryview], description: bytes, path: list[Any]) -> None:
        self._fd = os.memfd_create("hardwork-seed", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        with open(self._fd, "wb", closefd=False) as file:
            for view in views:
                file.write(view)
                file.write(bytes(padding(view.nbytes)))
            self._described_at = file.tell()
            file.write(description)
            self._path_at = file.tell()
            # marshal needs no import; what it does not take (path-like objects) the import system does not either.
            file.write(marshal.dumps([_OWN_PATH, *(entry for entry in path if type(entry) in (str, bytes))]))
            self._size = file.tell()
        seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
        fcntl.fcntl(self._fd, fcntl.F_ADD_SEALS, seals)

    def program(self, entry: str, number: int, fds: Iterable[int]) -> tuple[str, list[int]]:
        """Says what a child's interpreter shall run.

        Args:
            entry: template_main or spawned_main of _worker.
            number: The number of the (first) worker.
            fds: The descriptors that the engine gives to the child.

        Returns:
            Python source for ``-c``, and all descriptors to hand over.
        """
        tracker: Any = resource_tracker.getfd()
        given = list(fds)
        arguments = [self._fd, self._described_at, tracker, number, *given]
        source = (
            "import sys, marshal, posix; "
            f"own, *sys.path = marshal.loads(posix.pread({self._fd}, {self._size - self._path_at}, {self._path_at})); "
            "own in sys.path or sys.path.append(own); "
            f"from hardwork._worker import {entry} as main; "
            f"main({', '.join(map(str, arguments))})"
        )
        return source, [self._fd, tracker, *given, *self._spawning.fds]

    def close(self) -> None:
        """Closes all descriptors; no worker can be born from it any more."""
        self._spawning.close()
        # Forgotten first: after a Ctrl-C between the two nothing is closed twice, when the number may be another's.
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __del__(self) -> None:
        self.close()
