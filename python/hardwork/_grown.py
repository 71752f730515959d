"""The child's side of a seed (_seed): a fresh interpreter becomes what multiprocessing wants a child to be."""

from __future__ import annotations

import contextlib
import mmap
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing import process, resource_tracker, spawn
from typing import Any

from hardwork import _pickling

_ALIGNMENT = 64
_MAIN = ("init_main_from_name", "init_main_from_path")


def padding(size: int) -> int:
    """Says how many bytes follow a part of a seed, so that the next one is aligned.

    Args:
        size: Bytes of the part.

    Returns:
        0 to 63 bytes.
    """
    return -size % _ALIGNMENT


class InheritedFd:
    """Stands for a descriptor in a pickle, as multiprocessing's DupFd does.

    Args:
        fd: Its number, the same in the parent and in each child.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def detach(self) -> int:
        """Returns a descriptor of one's own, close-on-exec."""
        return os.dup(self._fd)


@dataclass(slots=True)
class Description:
    """Everything of a seed except the payload's bytes.

    Attributes:
        process: See _worker.Plan.
        mask: See _worker.Plan.
        data: multiprocessing's preparation data.
        preload: Names of the modules that a template imports.
        on_error: What to do when one of them fails, as in Python 3.15: ignore, warn or fail.
        fds: The descriptors that the payload refers to.
        sizes: Bytes of the payload and of each of its buffers.
    """

    process: Any
    mask: list[int]
    data: dict[str, Any]
    preload: list[str]
    on_error: str
    fds: list[int]
    sizes: list[int]


class Grown:
    """The child's side of a seed; the `Preparation` of its workers.

    Args:
        description: The seed's description.
        memory: The whole seed, private to this process.
    """

    def __init__(self, description: Description, memory: memoryview) -> None:
        self.process = description.process
        self.mask = description.mask
        self._description = description
        self._memory: memoryview | None = memory
        main = {name: value for name, value in description.data.items() if name in _MAIN}
        rest = {name: value for name, value in description.data.items() if name not in _MAIN}
        self._pending = [rest, main]
        self._failed: BaseException | None = None

    def begin(self) -> None:
        """Prepares everything but `__main__`, so that it goes before what `Process._bootstrap` sets."""
        with contextlib.suppress(Exception):  # comes again in prepare()
            self._advance(1)

    def preload(self) -> None:
        """Prepares a template as far as it goes. What fails here fails again in the worker, where it is reported."""
        names = self._description.preload
        try:
            self._advance(2 if "__main__" in names else 1)
        except BaseException:
            return
        for name in names:
            try:
                __import__(name)
            except ImportError as error:
                if self._description.on_error == "warn":
                    warnings.warn(f"Failed to preload module {name!r}: {error}", ImportWarning, stacklevel=2)
                elif self._description.on_error == "fail":
                    self._failed = error
            except Exception as error:
                self._failed = error

    def prepare(self) -> None:
        """Does what is left of the preparation, `__main__` above all."""
        if self._failed is not None:
            raise self._failed
        self._advance(2)

    def _advance(self, until: int) -> None:
        with _inheriting():
            while len(self._pending) > 2 - until:
                spawn.prepare(self._pending[0])
                del self._pending[0]

    def load(self) -> tuple[Callable[..., object] | None, tuple[Any, ...]]:
        """Unpickles the initializer and its arguments."""
        memory, self._memory = self._memory, None
        if memory is None:
            raise RuntimeError("a worker loads its initializer once")
        views = []
        start = 0
        for size in self._description.sizes:
            views.append(memory[start : start + size])
            start += size + padding(size)
        with _inheriting():
            initializer, initargs = _pickling.loads(views[0], views[1:])
        for fd in self._description.fds:  # the objects have their own
            os.close(fd)
        return initializer, initargs

    def around(self, initializer: Callable[..., object]) -> contextlib.AbstractContextManager[None]:
        """Returns nothing special: a pickled initializer has brought its globals along, and they are known."""
        return contextlib.nullcontext()


@contextlib.contextmanager
def _inheriting() -> Iterator[None]:
    """While it lasts multiprocessing refuses to start processes: a `__main__` that does so lacks its guard."""
    current: Any = process.current_process()
    current._inheriting = True
    try:
        yield
    finally:
        del current._inheriting


def open_seed(seed_fd: int, described_at: int, tracker_fd: int, engine_fds: Iterable[int]) -> Grown:
    """Opens a seed in a child.

    Args:
        seed_fd: Its descriptor; closed.
        described_at: Where its description begins.
        tracker_fd: The pipe to the parent's resource tracker.
        engine_fds: The descriptors of the engine.

    Returns:
        What to prepare a worker with.
    """
    resource_tracker._resource_tracker._fd = tracker_fd  # type: ignore[attr-defined]  # as multiprocessing.spawn does
    memory = memoryview(mmap.mmap(seed_fd, os.fstat(seed_fd).st_size, access=mmap.ACCESS_COPY))
    os.close(seed_fd)
    description: Description = _pickling.loads(memory[described_at:])
    # They had to be inheritable to come here; a program that a task starts must not get them.
    for fd in (tracker_fd, *engine_fds, *description.fds):
        os.set_inheritable(fd, False)
    return Grown(description, memory)
