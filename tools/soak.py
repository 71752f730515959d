"""Everything at once, for as long as one likes: work of all kinds while workers are killed; then the books are checked.

    python tools/soak.py [--minutes 3] [--seed N] [--json FILE]

Each round makes a pool (either class, any start method, workers that retire after some tasks or above some memory),
gives it a random mix of calls, maps, cancels, stops, time limits, retries, large buffers, cancelled asyncio tasks, and
tasks that crash, take too much memory or stop themselves for good, forks the parent now and then, and has a killer go
about among the workers.
Every execution appends a record to a file, so that at the end of a round it is known what ran, and how often:

- lost     a future that is not done, or one that lost its worker though nobody has killed that worker, or that kill has
           cost another task already: it may cost one, the one that ran
- wrong    a value that is not the right one
- doubled  what ran more often than it may: more than once, or than its retries say; or at all, though it was cancelled
- leaked   processes, descriptors, threads or entries in /dev/shm that were not there before the round

All four must be 0. A seed that is printed repeats the choices, though not the moments.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import contextlib
import faulthandler
import json
import multiprocessing
import os
import random
import signal
import struct
import sys
import tempfile
import threading
import time
import zlib
from concurrent.futures import CancelledError
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "python"))
import leaks  # the audit that every test ends with
from hardwork import (
    Pool,
    PoolTerminated,
    ProcessPoolExecutor,
    TaskStopped,
    TaskTimeout,
    WorkerDied,
    WorkerMemoryExceeded,
    aio,
)

RECORD = struct.Struct("<QQ")
# Seconds in which no task ends, after which every thread's stack is written and the soak has failed.
PATIENCE = 120
# Seconds in which nothing ends, though something is still to.
STANDSTILL = 60
ROUND = 4.0
# Tasks given before their results are waited for; where each needs an interpreter of its own, so many times fewer.
MOST_PENDING = 2000
DEAR = 20

_book: tuple[str, int] | None = None


def note(path: str, number: int) -> None:
    """Writes down that a task runs: one append, which other processes do not cut in two."""
    global _book
    if _book is None or _book[0] != path:
        _book = (path, os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC))
    os.write(_book[1], RECORD.pack(number, os.getpid()))


def small(path: str, number: int) -> int:
    note(path, number)
    return number * 3


def item(work: tuple[str, int]) -> int:
    return small(*work)


def busy(path: str, number: int, seconds: float) -> int:
    note(path, number)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
    return number * 3


def large(path: str, number: int, data: bytes, size: int) -> tuple[int, int, bytes]:
    note(path, number)
    return number * 3, zlib.crc32(data), bytes([number % 251]) * size


def spin(path: str, number: int, deaf: bool) -> int:
    note(path, number)
    while True:
        try:
            while True:
                pass
        except (TaskTimeout, TaskStopped):
            if not deaf:
                raise


def crash(path: str, number: int, how: int) -> int:
    note(path, number)
    if how == 0:
        os._exit(3)
    os.kill(os.getpid(), how)
    time.sleep(60)
    return 0


def freeze(path: str, number: int) -> int:
    note(path, number)
    os.kill(os.getpid(), signal.SIGSTOP)
    time.sleep(60)
    return 0


def hog(path: str, number: int, size: int) -> int:
    note(path, number)
    taken = bytearray(size)
    for at in range(0, size, 4096):
        taken[at] = 1
    time.sleep(60)
    return len(taken)


def fail(path: str, number: int) -> int:
    note(path, number)
    raise KeyError(number)


class Killer(threading.Thread):
    """Kills a random worker now and then, or stops one for a moment."""

    def __init__(self, pool: Any, chance: random.Random, pause: float, path: str) -> None:
        super().__init__(daemon=True)
        # Only workers that have run something: births that never come to work break a pool, and shall.
        self._path = path
        self._read = 0
        self._at_work: set[int] = set()
        self._pool = pool
        self._chance = chance
        self._pause = pause
        self._over = threading.Event()
        self.killed: collections.Counter[int] = collections.Counter()  # by pid

    def run(self) -> None:
        while not self._over.wait(self._chance.uniform(0.2, 1.8) * self._pause):
            if isinstance(self._pool, Pool):
                pids = [worker.pid for worker in self._pool._pool]
            else:
                pids = list(self._pool._processes or ())
            with open(self._path, "rb") as book:
                book.seek(self._read)
                records = book.read()
            records = records[: len(records) // RECORD.size * RECORD.size]
            self._read += len(records)
            self._at_work.update(pid for _, pid in RECORD.iter_unpack(records))
            chosen = [pid for pid in pids if pid in self._at_work]
            if chosen:
                self._strike(self._chance.choice(chosen))

    def _strike(self, pid: Any) -> None:
        with contextlib.suppress(OSError):  # it has ended meanwhile
            handle = os.pidfd_open(pid)
            try:
                number = self._chance.choice(
                    (signal.SIGKILL, signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM, signal.SIGSTOP)
                )
                if number != signal.SIGSTOP:
                    self.killed[pid] += 1  # before: its task's error may be there at once
                signal.pidfd_send_signal(handle, number)
                if number == signal.SIGSTOP:
                    time.sleep(self._chance.uniform(0, 0.05))
                    signal.pidfd_send_signal(handle, signal.SIGCONT)
            finally:
                os.close(handle)

    def stop(self) -> None:
        self._over.set()
        self.join()


class Watchdog(threading.Thread):
    """Ends the soak when no task ends any more, however long all of them take."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.round: Round | None = None

    def run(self) -> None:
        last, since = None, time.monotonic()
        while True:
            one = self.round
            now = one.progress() if one is not None else None
            if now != last or one is None:
                last, since = now, time.monotonic()
            elif time.monotonic() - since > PATIENCE:
                print(f"lost: nothing has ended for {PATIENCE} s ({one.name}), {one.pool.stats()}", flush=True)
                faulthandler.dump_traceback(all_threads=True)
                os._exit(1)
            del one  # or the round's pool lives a second longer than the round
            time.sleep(1)


class Round:
    """One pool's life, and its books."""

    def __init__(self, chance: random.Random, path: str, numbers: Any) -> None:
        self.chance = chance
        self.path = path
        self.numbers = numbers
        self.totals: collections.Counter[str] = collections.Counter()
        self.problems: list[str] = []
        # By number: how often it may have run, at least and at most.
        self.may_run: dict[int, tuple[int, int]] = {}
        self.died: list[tuple[Any, Any, int]] = []  # task or map, what was expected, and the pid that it names
        self.crashes = 0  # workers that tasks ended themselves
        self.memory: int | None = None
        self.name = "the pool is being made"
        self.pool: Any = None
        self.settled = 0
        self.share = 1

    def progress(self) -> tuple[int, int, int]:
        """What grows as long as anything goes on."""
        ended = _ended(self.pool.stats()) if self.pool is not None else 0
        return id(self), self.settled, ended

    def _most(self, number: int) -> int:
        return max(number // self.share, 1)

    def run(self, seconds: float) -> None:
        method = self.chance.choice(("fork", "fork", "forkserver", "spawn"))
        face: Any = self.chance.choice((ProcessPoolExecutor, Pool))
        context: Any = multiprocessing.get_context(method)
        workers = self.chance.randint(1, 4)
        more: dict[str, Any] = {}
        if self.chance.random() < 0.3:
            # What a forked worker shares with this process counts too.
            self.memory = leaks.resident_bytes() + 150_000_000
            more["max_memory_per_worker"] = self.memory
        if self.chance.random() < 0.3 and (face is Pool or method != "fork"):
            tasks = self.chance.choice((1, 20, 500))
            more["maxtasksperchild" if face is Pool else "max_tasks_per_child"] = tasks
            if tasks == 1 and method != "fork":
                self.share = DEAR
        made: Any = face(workers, context=context, **more) if face is Pool else face(workers, context, **more)
        self.pool = made  # for who asks it what it has done, if it breaks
        self.name = f"{face.__name__}, {method}, {workers} workers, {more}"
        small_first = self._submit(made, small, (), 1, "value")
        pause = self.chance.choice((0.02, 0.1, 0.5))
        killer = Killer(made, random.Random(self.chance.random()), pause, self.path)
        killer.start()
        end = time.monotonic() + seconds
        pending = [small_first]
        settled_at = len(self.may_run)
        while time.monotonic() < end:
            pending += self._some_work(made)
            if len(self.may_run) - settled_at > self._most(MOST_PENDING) or self.chance.random() < 0.05:
                self._settle(pending)
                pending = []
                settled_at = len(self.may_run)
        self._settle(pending)
        killer.stop()
        self._settle([self._submit(made, small, (), 1, "value")])
        self._check_stats(made)
        if isinstance(made, Pool):
            made.close()
            made.join()
        else:
            made.shutdown()
        self._check_deaths(killer.killed)
        self.totals["kills"] += killer.killed.total() + self.crashes
        self._check_books()

    def _problem(self, kind: str, text: str) -> None:
        self.totals[kind] += 1
        if len(self.problems) < 20:
            self.problems.append(f"{kind}: {text} ({self.name})")

    # What is given to the pool. A pending result is (what waits for it, what is expected, numbers).

    def _some_work(self, pool: Any) -> list[Any]:
        chance = self.chance
        kind = chance.choices(
            (
                *(
                    "small",
                    "busy",
                    "large",
                    "map",
                    "abandon",
                    "cancel",
                    "stop",
                    "limit",
                    "retry",
                    "crash",
                    "fail",
                    "fork",
                ),
                *("freeze", "hog", "aio"),
            ),
            (30, 10, 4, 8, 2, 6, 2, 2, 3, 1, 5, 1, 1, 0.5 if self.memory else 0, 2 if hasattr(pool, "submit") else 0),
        )[0]
        self.totals[kind] += 1
        if kind == "small":
            return [self._submit(pool, small, (), 1, "value") for _ in range(chance.randint(1, self._most(200)))]
        if kind == "busy":
            return [
                self._submit(pool, busy, (chance.uniform(0, 0.005),), 1, "value") for _ in range(chance.randint(1, 20))
            ]
        if kind == "large":
            data = os.urandom(1000) * chance.randint(1, 4000)
            size = chance.choice((0, 100, 40_000, 3_000_000))
            return [self._submit(pool, large, (data, size), 1, ("large", zlib.crc32(data), size))]
        if kind in ("map", "abandon"):
            return self._map(pool, abandon=kind == "abandon")
        if kind == "cancel":
            return self._cancel(pool)
        if kind == "stop":
            return self._stop(pool)
        if kind == "limit":
            view = pool.options(timeout=chance.uniform(0.01, 0.1), grace=chance.uniform(0, 0.1))
            return [self._submit(view, spin, (chance.random() < 0.3,), 1, "limit")]
        if kind == "retry":
            retries = chance.randint(1, 3)
            view = pool.options(retries=retries)
            if chance.random() < 0.1:
                self.crashes += retries + 1
                return [self._submit(view, crash, (signal.SIGKILL,), retries + 1, "died")]
            return [self._submit(view, busy, (0.002,), retries + 1, "value") for _ in range(10)]
        if kind == "crash":
            self.crashes += 1
            return [self._submit(pool, crash, (chance.choice((0, signal.SIGKILL, signal.SIGABRT)),), 1, "died")]
        if kind == "freeze":
            view = pool.options(timeout=chance.uniform(0.05, 0.2), grace=chance.uniform(0, 0.1))
            return [self._submit(view, freeze, (), 1, "limit")]
        if kind == "hog":
            assert self.memory is not None
            return [self._submit(pool, hog, (2 * self.memory + 100_000_000,), 1, "memory")]
        if kind == "aio":
            self._aio(pool)
            return []
        if kind == "fail":
            return [self._submit(pool, fail, (), 1, "error") for _ in range(10)]
        self._fork()
        return []

    def _submit(self, pool: Any, fn: Any, args: tuple[Any, ...], most: int, expected: Any) -> Any:
        number = next(self.numbers)
        self.may_run[number] = (0, most)
        call = (self.path, number, *args)
        future = pool.submit(fn, *call) if hasattr(pool, "submit") else pool.apply_async(fn, call)
        return future, expected, number

    def _map(self, pool: Any, abandon: bool) -> list[Any]:
        numbers = [next(self.numbers) for _ in range(self.chance.randint(1, self._most(2000)))]
        self.may_run.update((number, (0, 1)) for number in numbers)
        work = [(self.path, number) for number in numbers]
        if hasattr(pool, "imap"):
            if abandon:
                results = pool.imap_unordered(item, work)
                with contextlib.suppress(WorkerDied):
                    next(results)
                return []
            return [(pool.map_async(item, work), "map", numbers)]
        results = pool.map(item, work)
        if abandon:
            with contextlib.suppress(WorkerDied):
                next(results)
            del results
            return []
        return [(results, "iterator", numbers)]

    def _cancel(self, pool: Any) -> list[Any]:
        given = [self._submit(pool, small, (), 1, "value") for _ in range(30)]
        left = []
        for future, expected, number in given:
            if hasattr(future, "cancel") and self.chance.random() < 0.5 and future.cancel():
                self.may_run[number] = (0, 0)
            else:
                left.append((future, expected, number))
        return left

    def _stop(self, pool: Any) -> list[Any]:
        future, expected, number = self._submit(pool, spin, (False,), 1, "stopped")
        threading.Timer(self.chance.uniform(0, 0.1), future.stop).start()
        return [(future, expected, number)]

    def _aio(self, pool: Any) -> None:
        """A call that is cancelled, by way of asyncio, at any moment."""
        number = next(self.numbers)
        self.may_run[number] = (0, 1)

        async def main() -> None:
            with contextlib.suppress(TimeoutError, WorkerDied):
                async with asyncio.timeout(self.chance.uniform(0, 0.05)):
                    await aio.run(pool, spin, self.path, number, False)

        asyncio.run(main())

    def _fork(self) -> None:
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)

    # What came of it.

    def _settle(self, pending: list[Any]) -> None:
        for waited, expected, numbers in pending:
            self.settled += 1
            if expected == "iterator":
                self._settle_iterator(waited, numbers)
                continue
            try:
                value = waited.get() if hasattr(waited, "get") else waited.result()
            except WorkerDied as error:
                self.died.append((numbers, expected, error.pid or 0))
                continue
            except WorkerMemoryExceeded as error:
                if expected != "memory":
                    self._problem("wrong", f"{error!r} instead of {expected}")
                continue
            except (TaskTimeout, TaskStopped, CancelledError) as error:
                if expected not in ("limit", "stopped"):
                    self._problem("wrong", f"{error!r} instead of {expected}")
                continue
            except KeyError as error:
                if expected != "error" or error.args != (numbers,):
                    self._problem("wrong", f"{error!r} instead of {expected}")
                continue
            except PoolTerminated as error:
                self._problem("lost", f"{error!r} of {numbers}")
                continue
            self._check_value(value, expected, numbers)

    def _check_value(self, value: Any, expected: Any, numbers: Any) -> None:
        right: Any = None
        if expected == "value":
            right = numbers * 3
        elif expected == "map":
            right = [number * 3 for number in numbers]
        elif isinstance(expected, tuple):
            right = (numbers * 3, expected[1], bytes([numbers % 251]) * expected[2])
        if value != right:
            self._problem("wrong", f"a value of {numbers if expected != 'map' else 'a map'}")
        for number in numbers if expected == "map" else [numbers]:
            self.may_run[number] = (1, self.may_run[number][1])

    def _settle_iterator(self, results: Any, numbers: list[int]) -> None:
        # It ends with the first item whose worker died; what had not started then never does.
        for number in numbers:
            try:
                value = next(results)
            except WorkerDied as error:
                self.died.append((number, "value", error.pid or 0))
                return
            if value != number * 3:
                self._problem("wrong", f"{value} of item {number}")
            self.may_run[number] = (1, 1)

    def _check_deaths(self, killed: collections.Counter[int]) -> None:
        """Each kill may have cost the one task that its worker ran; a task that ends its worker costs itself."""
        lost: collections.Counter[int] = collections.Counter()
        for what, expected, pid in self.died:
            if expected == "died":
                continue
            lost[pid] += 1
            if lost[pid] > killed[pid]:
                name = f"a map of {len(what)}" if expected == "map" else what
                self._problem("lost", f"{name}: worker {pid} died, which was killed {killed[pid]} times")

    def _check_stats(self, pool: Any) -> None:
        # Items of an abandoned map run on: as long as some end, those of the others are not lost.
        stats, since = pool.stats(), time.monotonic()
        while stats.submitted != _ended(stats):
            if time.monotonic() - since > STANDSTILL:
                self._problem("lost", f"the counts do not balance: {stats}")
                break
            time.sleep(0.02)
            before, stats = stats, pool.stats()
            if _ended(stats) != _ended(before):
                since = time.monotonic()
        self.totals["tasks"] += stats.submitted
        self.totals["retried"] += stats.retried
        self.totals["requeued"] += stats.requeued

    def _check_books(self) -> None:
        runs: collections.Counter[int] = collections.Counter()
        with open(self.path, "rb") as file:
            for number, _ in RECORD.iter_unpack(file.read()):
                runs[number] += 1
        self.totals["executions"] += runs.total()
        for number, (least, most) in self.may_run.items():
            if runs[number] > most:
                self._problem("doubled", f"task {number} ran {runs[number]} times, it may {most} times")
            if runs[number] < least:
                self._problem("wrong", f"task {number} has a value and never ran")
        os.truncate(self.path, 0)


def _ended(stats: Any) -> int:
    return int(stats.done + stats.failed + stats.cancelled)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--json", default=None, help="write the counts to this file")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else int.from_bytes(os.urandom(4), "little")
    chance = random.Random(seed)
    print(f"seed {seed}", flush=True)
    totals: collections.Counter[str] = collections.Counter({"lost": 0, "wrong": 0, "doubled": 0, "leaked": 0})
    problems: list[str] = []
    numbers = iter(range(1, sys.maxsize))
    begin = time.monotonic()
    said = begin
    memory = 0
    watchdog = Watchdog()
    watchdog.start()
    with tempfile.NamedTemporaryFile() as book:
        while time.monotonic() - begin < options.minutes * 60 and not problems:
            faulthandler.dump_traceback_later(5 * PATIENCE, exit=True)  # should the watchdog itself hang
            before = leaks.take_stock()
            one = watchdog.round = Round(chance, book.name, numbers)
            try:
                one.run(ROUND)
            except BrokenProcessPool as error:
                problems.append(f"lost: {error} ({one.name}), {one.pool.stats()}")
            watchdog.round = None
            totals["rounds"] += 1
            totals += one.totals
            problems += one.problems
            name = one.name
            del one
            for leak in leaks.wait_for_no_leaks(before):
                totals["leaked"] += 1
                problems.append(f"leaked: {leak} ({name})")
            if totals["rounds"] == 5:
                memory = leaks.resident_bytes()
            if time.monotonic() - said > 60:
                said = time.monotonic()
                print(f"{(said - begin) / 60:.0f} min, {summary(totals)}", flush=True)
    faulthandler.cancel_dump_traceback_later()
    grown = (leaks.resident_bytes() - memory) / 1e6 if memory else 0.0
    if grown > 300:
        totals["leaked"] += 1
        problems.append(f"leaked: {grown:.0f} MB of memory since the fifth round")
    print(f"{(time.monotonic() - begin) / 60:.1f} min, {summary(totals)}; {grown:+.0f} MB; seed {seed}")
    for problem in problems:
        print(problem)
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"seed": seed, "minutes": options.minutes, **totals, "grown_mb": round(grown)}, file, indent=1)
    return 1 if problems else 0


def summary(totals: collections.Counter[str]) -> str:
    """One line of what counts."""
    return (
        f"{totals['rounds']} pools, {totals['tasks']} tasks, {totals['executions']} executions, "
        f"{totals['kills']} workers killed, {totals['requeued']} tasks requeued, {totals['retried']} retried: "
        f"{totals['lost']} lost, {totals['wrong']} wrong, {totals['doubled']} doubled, {totals['leaked']} leaked"
    )


if __name__ == "__main__":
    sys.exit(main())
