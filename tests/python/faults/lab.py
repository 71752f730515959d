"""One way to drive both pools, and one checker of what must hold after every fault.

The invariants are those of the fault table. I1: every future is done (a watchdog ends what hangs). I2: done once, and
right. I3: innocents are executed exactly once. I4: the next call works, and the workers are as many as before. I5:
nothing is left behind (the leak audit of every test). I6: the error of a lost task says who, how, which and where.
I7: `stats()` counted it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import hardwork
from hardwork import WorkerDied
from helpers import append_line, double, log, own_pid, poll, read_lines

FACES = ["executor", "pool"]


class Call:
    """One call, of either face."""

    def __init__(self, handle: Any) -> None:
        self.handle = handle
        self.endings = 0
        if hasattr(handle, "add_done_callback"):
            handle.add_done_callback(self._ended)

    def _ended(self, _: Any) -> None:
        self.endings += 1

    def value(self) -> Any:
        return self.handle.result() if hasattr(self.handle, "result") else self.handle.get()

    def error(self) -> BaseException | None:
        try:
            self.value()
        except BaseException as error:
            return error
        return None

    def done(self) -> bool:
        return self.handle.done() if hasattr(self.handle, "done") else self.handle.ready()


class Face:
    """A pool of one of the two classes, with what has been asked of it."""

    def __init__(self, kind: str, folder: Path, workers: int, method: str, options: dict[str, Any]) -> None:
        context = multiprocessing.get_context(method)
        self.kind = kind
        self.workers = workers
        self.method = method
        self.log = str(folder / f"executions-{time.monotonic_ns()}")
        self.broken = False  # set by tests whose fault is meant to break the pool
        self.endless = False  # set where work is left that has no end: the pool is ended by force
        self.unaudited = False  # set where the fault itself keeps workers away for a while
        self._calls: list[tuple[Call, Any]] = []
        self._deaths: list[tuple[Call, dict[str, Any]]] = []
        self._innocents: list[str] = []
        if kind == "executor":
            self.pool: Any = hardwork.ProcessPoolExecutor(workers, mp_context=context, **options)
        else:
            if "max_tasks_per_child" in options:
                options["maxtasksperchild"] = options.pop("max_tasks_per_child")
            self.pool = hardwork.Pool(workers, context=context, **options)

    # What one asks of a pool.

    def submit(self, fn: Callable[..., Any], *args: Any, **limits: Any) -> Call:
        pool = self.pool.options(**limits) if limits else self.pool
        return Call(pool.submit(fn, *args) if self.kind == "executor" else pool.apply_async(fn, args))

    def call(self, fn: Callable[..., Any], *args: Any) -> Any:
        return self.submit(fn, *args).value()

    def map(self, fn: Callable[[Any], Any], items: Iterable[Any]) -> Iterable[Any]:
        """The results one by one: an executor's map stops at the first error, so this is imap where there is one."""
        return self.pool.map(fn, items) if self.kind == "executor" else self.pool.imap(fn, items)

    def pids(self) -> list[int]:
        """Of the workers that live."""
        executor = self.kind == "executor"
        processes = list((self.pool._processes or {}).values() if executor else self.pool._pool)
        return [process.pid for process in processes if process.is_alive()]

    def warm(self) -> list[int]:
        """Has all workers come to work, and gives their pids."""
        for _ in range(3):
            self.call(own_pid)
        poll(lambda: len(self.pids()) == self.workers or self.method != "fork")
        return self.pids()

    def close(self) -> None:
        if self.kind == "executor":
            self.pool.shutdown()
        else:
            self.pool.close()
            self.pool.join()

    # What is expected of it.

    def innocents(self, count: int) -> None:
        """Submits calls that must be executed exactly once each, whatever happens to others."""
        for _ in range(count):
            name = f"innocent {len(self._innocents)}"
            self._innocents.append(name)
            self.expect(self.submit(log, self.log, name), name)

    def expect(self, call: Call, value: Any) -> Call:
        self._calls.append((call, value))
        return call

    def expect_death(self, call: Call, **told: Any) -> Call:
        """The call's worker dies under it: `told` is what its error must say (signal, exitcode, phase)."""
        self._deaths.append((call, told))
        return call

    def verify(self) -> None:
        """The invariants, but for the leaks: those are audited when everything is closed."""
        for call, value in self._calls:
            assert call.value() == value
        for call, told in self._deaths:
            check_death(call.error(), **told)
        for call in [call for call, _ in self._calls] + [call for call, _ in self._deaths]:
            assert call.done()
            if self.kind == "executor":
                poll(lambda call=call: call.endings > 0)
                assert call.endings == 1
        runs = Counter(read_lines(self.log))
        assert {name: runs[name] for name in self._innocents} == dict.fromkeys(self._innocents, 1)
        if not self.broken:
            assert self.call(double, 21) == 42
            if not self.unaudited:
                self._meet()
        self._verify_stats()

    def _meet(self) -> None:
        """I4: as many workers as ever can be at work at a time. (Fresh ones are started as work needs them.)"""
        place = f"{self.log}-meeting-{time.monotonic_ns()}"
        pids = [call.value() for call in [self.submit(meet, place, self.workers) for _ in range(self.workers)]]
        assert len(set(pids)) == self.workers

    def forget(self) -> None:
        """Lets go of all calls: a large value may lie in its worker's memory as long as anybody has it."""
        self._calls.clear()
        self._deaths.clear()

    def _verify_stats(self) -> None:
        def settled() -> bool:
            stats = self.pool.stats()
            return bool(stats.submitted == stats.done + stats.failed + stats.cancelled)

        poll(settled)
        stats = self.pool.stats()
        assert stats.failed >= len(self._deaths)
        assert stats.done >= len(self._innocents)
        died = sum(stats.workers_died.values())
        assert died >= (1 if self._deaths else 0)
        for _, told in self._deaths:
            if "signal" in told:
                assert stats.workers_died.get(signal.Signals(told["signal"]).name, 0) > 0
            if "exitcode" in told:
                assert stats.workers_died.get(f"exit {told['exitcode']}", 0) > 0
        assert stats.workers_born >= stats.workers_alive + died


def check_death(
    error: BaseException | None,
    *,
    signal: int | None = None,
    exitcode: int | None = None,
    phase: str | tuple[str, ...] = "RUN",
) -> None:
    """I6: a `WorkerDied` that says everything."""
    assert type(error) is WorkerDied, error
    assert isinstance(error, BrokenProcessPool)
    assert isinstance(error.pid, int)
    assert error.pid not in (0, os.getpid())
    if signal is not None:
        assert (error.signal, error.exitcode) == (signal, None)
    if exitcode is not None:
        assert (error.signal, error.exitcode) == (None, exitcode)
    assert error.phase in ((phase,) if isinstance(phase, str) else phase)
    assert isinstance(error.task, int)
    text = str(error)
    assert f"worker {error.pid}" in text
    assert error.phase in text


def meet(place: str, count: int) -> int:
    """Returns when so many have come."""
    append_line(place, os.getpid())
    poll(lambda: len(read_lines(place)) >= count)
    return os.getpid()


class Lab:
    """Makes pools for a test; verifies and closes them after it."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind = kind
        self.folder = folder
        self.faces: list[Face] = []

    def __call__(self, workers: int = 2, method: str = "fork", **options: Any) -> Face:
        face = Face(self.kind, self.folder, workers, method, options)
        self.faces.append(face)
        return face

    def finish(self, verify: bool) -> None:
        try:
            for face in self.faces:
                if verify:
                    face.verify()
        finally:
            for face in self.faces:
                face.close() if verify and not (face.broken or face.endless) else face.pool.__exit__(None, None, None)
                face.forget()
