"""What faults cost: from a kill to the error and to the replacement's first result; time limits; work under kills."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import random
import signal
import statistics
import threading
import time
from collections.abc import Callable
from typing import Any

import hardwork

from bench._harness import OURS, STANDARD, Line, Samples, Settings, alternate, check, time_text, warm_executor
from bench._work import trivial, turn, turns

GIGABYTE = 1 << 30
held: list[bytes] = []


def say_and_sleep(pipe: int, resident: int) -> None:
    """Tells that it runs, and by whom, once it has so much memory."""
    if resident:
        held.append(b"x" * resident)
    os.write(pipe, b"%d\n" % os.getpid())
    time.sleep(100)


def spin() -> None:
    while True:
        pass


def hold_the_gil() -> int:
    return sum(itertools.repeat(1))


def kill_to_error(kind: Any, resident: int = 0, kills_before: int = 0) -> float:
    """Seconds from the SIGKILL of a running worker to its future's error.

    In a new pool a third of it is the parent's pages that its last fork has made copy-on-write; after some kills not.
    """
    receive, send = os.pipe()
    try:
        with warm_executor(kind) as executor:
            for _ in range(kills_before):
                executor.submit(os._exit, 1).exception()
            future = executor.submit(say_and_sleep, send, resident)
            victim = int(os.read(receive, 100))
            time.sleep(0.01)
            start = time.perf_counter()
            os.kill(victim, signal.SIGKILL)
            error = future.exception()
            seconds = time.perf_counter() - start
        if error is None:
            raise AssertionError("a killed worker gave a result")
        return seconds
    finally:
        os.close(receive)
        os.close(send)


def kill_to_end() -> float:
    """Seconds from the SIGKILL of a bare fork that sleeps to its end: less time nobody has who waits for a process."""
    child = os.fork()
    if child == 0:
        time.sleep(100)
        os._exit(0)
    time.sleep(0.02)
    start = time.perf_counter()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return time.perf_counter() - start


def kill_to_first_task(method: str) -> float:
    """Seconds from the SIGKILL of the only worker to the result of a task in its replacement.

    The task is one that needs no import: what a task's module takes, each worker of a clean template takes once more.
    """
    with hardwork.ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as executor:
        for _ in range(20):
            victim = executor.submit(os.getpid).result()
        start = time.perf_counter()
        os.kill(victim, signal.SIGKILL)
        while True:
            future = executor.submit(os.getpid)
            if future.exception() is None and future.result() != victim:
                return time.perf_counter() - start


def over_after(work: Callable[[], Any], grace: float) -> float:
    """Seconds that a task with a limit of 100 ms has run, from its submit to its error."""
    with warm_executor(OURS) as executor:
        view = executor.options(timeout=0.1, grace=grace)
        start = time.perf_counter()
        error = view.submit(work).exception()
        seconds = time.perf_counter() - start
    if not isinstance(error, hardwork.TaskTimeout):
        raise AssertionError(f"not a timeout: {error!r}")
    return seconds


def throughput(items: list[int], every: float | None) -> float:
    """Seconds for all tasks, while a worker is killed every so many seconds."""
    over = threading.Event()
    dice = random.Random(1)
    with warm_executor(OURS) as executor:

        def kill() -> None:
            while not over.wait(every):
                workers = [process.pid for process in list(executor._processes.values())]
                if workers:
                    os.kill(dice.choice(workers), signal.SIGKILL)

        killer = threading.Thread(target=kill) if every is not None else None
        start = time.perf_counter()
        futures = [executor.submit(turn, item) for item in items]
        if killer is not None:
            killer.start()
        lost = sum(future.exception() is not None for future in futures)
        seconds = time.perf_counter() - start
        over.set()
        if killer is not None:
            killer.join()
    if lost > len(items) / 10:
        raise AssertionError(f"{lost} tasks were lost")
    return seconds


def submits(count: int, timeout: float | None) -> float:
    with warm_executor(OURS) as executor:
        view: Any = executor if timeout is None else executor.options(timeout=timeout)
        start = time.perf_counter()
        futures = [view.submit(trivial, number) for number in range(count)]
        seconds = time.perf_counter() - start
        check([future.result() for future in futures], range(1, count + 1))
    return seconds / count


def at_most(what: str, samples: Samples, target: float, detail: str = "") -> Line:
    text = f"median {time_text(samples.median)}, worst {time_text(max(samples.seconds))}{detail}"
    numbers = {"seconds": samples.seconds}
    return Line("faults", what, samples.median * 1e3, "ms", target * 1e3, False, text, numbers=numbers)


def run(settings: Settings) -> list[Line]:
    rounds = settings.rounds(15)
    # A kill takes one of two courses, by where the kernel wakes whom: few rounds would tell which came more often then.
    kills = settings.rounds(45)
    ours, standard, bare = alternate(kills, lambda: kill_to_error(OURS), lambda: kill_to_error(STANDARD), kill_to_end)
    (later,) = alternate(kills, lambda: kill_to_error(OURS, kills_before=3))
    (large,) = alternate(settings.rounds(9), lambda: kill_to_error(OURS, GIGABYTE))
    fork, forkserver = alternate(rounds, lambda: kill_to_first_task("fork"), lambda: kill_to_first_task("forkserver"))
    soft, hard = alternate(rounds, lambda: over_after(spin, 0.5), lambda: over_after(hold_the_gil, 0.1))
    items = [turns(100e-6)] * settings.size(20_000)
    calm, stormy = alternate(settings.rounds(3), lambda: throughput(items, None), lambda: throughput(items, 0.02))
    count = settings.size(200_000)
    plain, armed = alternate(settings.rounds(7), lambda: submits(count, None), lambda: submits(count, 60))
    ratio = statistics.median(standard.seconds) / statistics.median(ours.seconds)
    share = calm.median / stormy.median
    return [
        at_most("SIGKILL of a running worker to its future's error", ours, 1e-3),
        Line(
            "faults",
            "the same, against ProcessPoolExecutor",
            ratio,
            "x",
            5.0,
            True,
            f"{time_text(ours.median)}; ProcessPoolExecutor {time_text(standard.median)} (its pool is broken then); "
            f"SIGKILL of a bare fork until waitpid() has it {time_text(bare.median)}",
        ),
        at_most("the same, after three others in that pool", later, 1e-3),
        at_most("the same, with 1 GB resident", large, 5e-3),
        at_most("kill to the first result of the replacement, fork", fork, 10e-3),
        at_most("kill to the first result of the replacement, forkserver", forkserver, 10e-3),
        at_most("a limit of 100 ms, the task spins in Python", soft, 105e-3),
        at_most("a limit of 100 ms and a grace of 100 ms, the task holds the GIL in C", hard, 220e-3),
        Line(
            "faults",
            f"{len(items):_} tasks of 100 us, a worker killed every 20 ms",
            share,
            "of calm",
            0.7,
            True,
            f"{time_text(stormy.median)}; without kills {time_text(calm.median)}",
        ),
        Line(
            "faults",
            "submit with an armed time limit",
            armed.median / plain.median,
            "x cost",
            1.1,
            False,
            f"{time_text(armed.median)}; without {time_text(plain.median)}",
        ),
    ]
