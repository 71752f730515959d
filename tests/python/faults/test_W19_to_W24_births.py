"""W19 to W24: workers that cannot start, die in crowds, or lose the process that they are born from."""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from typing import Any

import pytest
from acts import die, log_quickly
from hardwork import BrokenProcessPool, WorkerDied
from helpers import PATIENCE, append_line, double, log, own_pid, poll, read_lines, wait_at
from lab import check_death
from leaks import _standard_helpers, is_alive, process_table, wait_until_gone

METHODS = ["fork", "forkserver", "spawn"]

BAD_MAIN = """
import multiprocessing, sys
if __name__ != "__main__":
    import a_module_that_is_not_there
sys.path[:0] = {path!r}
import hardwork
from helpers import double
if __name__ == "__main__":
    context = multiprocessing.get_context({method!r})
    if {kind!r} == "executor":
        pool = hardwork.ProcessPoolExecutor(2, mp_context=context)
        ask = lambda: pool.submit(double, 1).result()
    else:
        pool = hardwork.Pool(2, context=context)
        ask = lambda: pool.apply(double, (1,))
    for _ in range(2):
        try:
            ask()
        except hardwork.BrokenProcessPool as error:
            print("broken:", error, "|", error.__cause__)
    pool.shutdown() if {kind!r} == "executor" else pool.terminate()
"""


@pytest.mark.parametrize("method", ["forkserver", "spawn"])
def test_W19_main_cannot_be_imported(lab: Any, run_script: Any, method: str) -> None:
    """A prompt BrokenProcessPool that names what was missing, and no endless respawn."""
    import sys

    ran = run_script(BAD_MAIN.format(path=sys.path, method=method, kind=lab.kind))
    assert ran.returncode == 0, ran.stderr
    assert [line.partition(":")[0] for line in ran.stdout.splitlines() if "broken:" in line] == ["broken"] * 2
    assert "a_module_that_is_not_there" in ran.stdout


class InitializerError(Exception):
    """Raised by an initializer."""


def initialize(how: str, path: str, count: int) -> None:
    """Fails from the count-th worker on; or, with a negative count, for that worker alone."""
    append_line(path, os.getpid())
    number = len(read_lines(path))
    if number != -count if count < 0 else number < count:
        return
    if how == "raises":
        raise InitializerError("the initializer says so")
    if how == "exits":
        os._exit(5)
    while how == "hangs":
        time.sleep(PATIENCE)
    die(signal.SIGSEGV)


def kill_one_initialized(face: Any, born: Any) -> None:
    """When both have been: the next one to be is the third."""
    pids = face.warm()
    poll(lambda: len(read_lines(born)) == 2)
    os.kill(pids[0], signal.SIGKILL)


@pytest.mark.parametrize("how", ["raises", "exits", "crashes"])
@pytest.mark.parametrize("method", METHODS)
def test_W20_initializer_fails_always(lab: Any, tmp_path: Any, method: str, how: str) -> None:
    """A broken pool whose cause is what it raised, or how the last worker ended; no task runs uninitialised."""
    face = lab(method=method, initializer=initialize, initargs=(how, str(tmp_path / "born"), 1))
    face.broken = True
    errors: list[BaseException | None] = []
    try:
        errors.extend(face.submit(append_line, str(tmp_path / "ran"), "x").error() for _ in range(5))
    except BrokenProcessPool as error:
        errors.append(error)
    for error in errors:
        assert isinstance(error, BrokenProcessPool)
        if how == "raises":
            assert "the initializer says so" in str(error.__cause__)
            continue
        cause = error.__cause__
        assert isinstance(cause, WorkerDied), cause
        assert (cause.signal, cause.exitcode) == ((None, 5) if how == "exits" else (signal.SIGSEGV, None))
        assert cause.phase == "INIT"
        assert cause.pid in [int(pid) for pid in read_lines(tmp_path / "born")]
    assert read_lines(tmp_path / "ran") == []
    assert len(read_lines(tmp_path / "born")) < 100


@pytest.mark.parametrize("when", ["third worker", "respawn"])
def test_W20_initializer_raises_in_one_worker_only(lab: Any, tmp_path: Any, when: str) -> None:
    """As the standard library's: one that raises breaks the pool."""
    workers = 3 if when == "third worker" else 2
    face = lab(workers=workers, initializer=initialize, initargs=("raises", str(tmp_path / "born"), -3))
    face.broken = True
    if when == "respawn":
        kill_one_initialized(face, tmp_path / "born")

    def broken() -> bool:
        try:
            return isinstance(face.submit(own_pid).error(), BrokenProcessPool)
        except BrokenProcessPool:
            return True

    poll(broken)


@pytest.mark.parametrize("how", ["exits", "crashes"])
@pytest.mark.parametrize("when", ["third worker", "respawn"])
def test_W20_initializer_dies_in_one_worker_only(lab: Any, tmp_path: Any, how: str, when: str) -> None:
    """That one is replaced, and no task notices."""
    workers = 3 if when == "third worker" else 2
    face = lab(workers=workers, initializer=initialize, initargs=(how, str(tmp_path / "born"), -3))
    if when == "respawn":
        kill_one_initialized(face, tmp_path / "born")
    face.innocents(50)
    poll(lambda: len(read_lines(tmp_path / "born")) > workers)


def test_W20_initializer_hangs_on_a_respawn_only(lab: Any, tmp_path: Any) -> None:
    """The others do all the work; ending the pool by force ends that one too."""
    face = lab(initializer=initialize, initargs=("hangs", str(tmp_path / "born"), -3))
    kill_one_initialized(face, tmp_path / "born")
    poll(lambda: len(read_lines(tmp_path / "born")) == 3)
    face.innocents(50)
    face.unaudited = True
    face.verify()
    face.broken = True
    face.pool.kill_workers()
    assert wait_until_gone([int(line) for line in read_lines(tmp_path / "born")]) == []


def freeze_the_first(path: str) -> None:
    append_line(path, os.getpid())
    if len(read_lines(path)) == 1:
        os.kill(os.getpid(), signal.SIGSTOP)


def test_W20_initializer_is_stopped_and_the_task_has_a_limit(lab: Any, tmp_path: Any) -> None:
    """That worker is replaced, and what it had been given runs once, in another."""
    face = lab(workers=1, initializer=freeze_the_first, initargs=(str(tmp_path / "born"),))
    face.expect(face.submit(double, 21, timeout=0.2, grace=0.1), 42)
    face.innocents(20)


def die_soon() -> None:
    signal.signal(signal.SIGSEGV, signal.SIG_DFL)
    threading.Timer(0.005, os.kill, [os.getpid(), signal.SIGSEGV]).start()


def test_W20_workers_die_as_soon_as_they_are_ready(lab: Any) -> None:
    """With nothing to do they are born less and less often, and the pool is not broken."""
    face = lab(initializer=die_soon)
    face.unaudited = face.broken = True
    face.pool.apply_async(double, (1,)) if face.kind == "pool" else face.pool.submit(double, 1)
    time.sleep(2)
    assert 3 <= face.pool.stats().workers_born <= 60
    face.pool.kill_workers() if face.kind == "executor" else face.pool.terminate()


DEADLY = """
import os
if os.getpid() != {parent}:
    os._exit(3)
def function(x):
    return x
"""


def test_W20_a_function_kills_who_loads_it(lab: Any, tmp_path: Any, monkeypatch: Any) -> None:
    """Its calls are WorkerDied in phase INIT; others go on, and the pool lives."""
    face = lab()
    face.warm()
    name = f"deadly_{os.getpid()}_{time.monotonic_ns()}"
    (tmp_path / f"{name}.py").write_text(DEADLY.format(parent=os.getpid()))
    face.call(sys.path.insert, 0, str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    module = __import__(name)
    calls = [face.submit(module.function, number) for number in range(10)]
    face.innocents(20)
    for call in calls:
        error = call.error()
        assert isinstance(error, (WorkerDied, ModuleNotFoundError)), error
    face.innocents(20)


def hang(path: str) -> None:
    append_line(path, os.getpid())
    time.sleep(100)


def test_W20_initializer_hangs(lab: Any, tmp_path: Any) -> None:
    """Its tasks wait, as with the standard library; ending the pool by force ends them."""
    face = lab(initializer=hang, initargs=(str(tmp_path / "born"),))
    face.broken = True
    call = face.submit(double, 1)
    poll(lambda: read_lines(tmp_path / "born"))
    assert not call.done()
    face.pool.kill_workers() if face.kind == "executor" else face.pool.terminate()
    assert call.error() is not None


def test_W21_every_task_kills_its_worker(lab: Any) -> None:
    """A thousand WorkerDied, and the pool lives."""
    face = lab()
    for _ in range(1000):
        face.expect_death(face.submit(die, signal.SIGKILL), signal=signal.SIGKILL)


def test_W22_storm(lab: Any) -> None:
    """A random worker is killed every 1 to 20 ms: nobody else's task is lost, and none runs twice."""
    face = lab()
    face.warm()
    seed = random.randrange(2**32)
    print("seed", seed)
    dice = random.Random(seed)
    over = threading.Event()

    def storm() -> None:
        while not over.wait(dice.uniform(0.001, 0.020)):
            if pids := face.pids():
                os.kill(dice.choice(pids), signal.SIGKILL)

    killer = threading.Thread(target=storm)
    killer.start()
    count = 100_000
    try:
        calls = [face.submit(log_quickly, face.log, number) for number in range(count)]
        errors = {number: error for number, call in enumerate(calls) if (error := call.error()) is not None}
    finally:
        over.set()
        killer.join()
    runs: dict[int, int] = {}
    for line in read_lines(face.log):
        runs[int(line)] = runs.get(int(line), 0) + 1
    assert max(runs.values()) == 1
    for error in errors.values():
        check_death(error, signal=signal.SIGKILL, phase=("DECODE", "RUN", "ENCODE", "PUBLISH"))
    assert set(range(count)) - set(runs) <= set(errors)
    assert all(call.value() == number for number, call in enumerate(calls) if number not in errors)
    assert len(errors) < count / 10
    assert face.pool.stats().workers_died.get("SIGKILL", 0) >= len({error.pid for error in errors.values()})


@pytest.mark.parametrize("method", METHODS)
def test_W23_workers_retire_with_a_backlog(lab: Any, method: str) -> None:
    """Nothing hangs and nothing is lost, while tasks wait and as the pool ends."""
    if lab.kind == "executor" and method == "fork":
        pytest.skip("the standard library excludes max_tasks_per_child with fork")
    face = lab(method=method, max_tasks_per_child=5)
    face.innocents(60 if method == "spawn" else 200)
    pids = {face.call(own_pid) for _ in range(12)}
    assert len(pids) >= 2


@pytest.mark.parametrize("method", METHODS)
def test_W23_workers_retire_as_the_pool_ends(lab: Any, method: str) -> None:
    """With work left for several generations of workers: all of it is done, once."""
    if lab.kind == "executor" and method == "fork":
        pytest.skip("the standard library excludes max_tasks_per_child with fork")
    face = lab(method=method, max_tasks_per_child=2)
    face.broken = True  # on purpose: it is closed before all is verified
    count = 20 if method == "spawn" else 60
    calls = [face.submit(log, face.log, number) for number in range(count)]
    face.close()
    assert [call.value() for call in calls] == list(range(count))
    assert sorted(int(line) for line in read_lines(face.log)) == list(range(count))


@pytest.mark.parametrize("method", METHODS)
def test_W23_workers_retire_while_results_are_collected(lab: Any, method: str) -> None:
    """Each result is taken as it comes, large ones from the memory of workers that have gone; more work is given."""
    if lab.kind == "executor" and method == "fork":
        pytest.skip("the standard library excludes max_tasks_per_child with fork")
    face = lab(method=method, max_tasks_per_child=1)
    pending = [(size, face.submit(bytes, size)) for size in (10, 300_000)]
    for number in range(10 if method == "spawn" else 40):
        size, call = pending.pop(0)
        pending.append((size, face.submit(bytes, size)))
        if number % 3 == 0:
            poll(call.done)
        assert call.value() == bytes(size)
    for size, call in pending:
        assert call.value() == bytes(size)
    # Each worker has had one task: so many must have retired.
    assert face.pool.stats().workers_retired >= (10 if method == "spawn" else 40) - 2


def template_of(face: Any) -> int:
    """The process that workers are born from: our own child that is no worker. (A worker may be older than it.)"""

    def found() -> list[int]:
        helpers = _standard_helpers()[0]
        workers = set(face.pids())
        return [
            pid
            for pid, (parent, _, what) in process_table().items()
            if parent == os.getpid() and pid not in workers | helpers and what[0] != "Z"
        ]

    poll(lambda: len(found()) == 1)
    return found()[0]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
@pytest.mark.parametrize("method", ["fork", "forkserver"])
def test_W24_template_lost_while_idle(lab: Any, method: str, number: signal.Signals) -> None:
    """No worker dies with it, and a worker that dies then is replaced by way of a new one."""
    face = lab(method=method)
    face.warm()
    template = template_of(face)
    os.kill(template, number)
    try:
        face.innocents(50)
        face.expect_death(face.submit(die, signal.SIGKILL))  # who would know by which signal is dead too
        face.innocents(50)
        face.verify()
    finally:
        if number == signal.SIGSTOP and is_alive(template):
            os.kill(template, signal.SIGCONT)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
@pytest.mark.parametrize("method", ["fork", "forkserver"])
def test_W24_template_lost_with_workers_busy(lab: Any, gate: Any, method: str, number: signal.Signals) -> None:
    """No future fails."""
    face = lab(method=method)
    face.warm()
    template = template_of(face)
    for call in range(2):
        face.expect(face.submit(wait_at, gate, call), call)
    gate.wait_for(2)
    os.kill(template, number)
    try:
        face.innocents(50)
        if number == signal.SIGKILL:
            poll(lambda: not is_alive(template))
        gate.open()
        face.verify()
    finally:
        if is_alive(template):
            os.kill(template, signal.SIGCONT)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
@pytest.mark.parametrize("method", ["fork", "forkserver"])
def test_W24_template_lost_while_it_forks(lab: Any, method: str, number: signal.Signals) -> None:
    """As workers are being born, again and again: no future fails but those whose worker was killed."""
    face = lab(method=method)
    face.unaudited = True
    face.warm()
    for _ in range(10 if number == signal.SIGKILL else 1):
        calls = [face.submit(die, signal.SIGKILL) for _ in range(2)]
        for call in calls:
            check_death(call.error(), phase="RUN")
        template = template_of(face)  # just now it forks
        os.kill(template, number)
        face.innocents(5)
        while number == signal.SIGSTOP and is_alive(template):
            # It is given up when it is asked for a worker and does not answer.
            check_death(face.submit(die, signal.SIGKILL).error(), phase="RUN")
            face.innocents(5)
        poll(lambda template=template: not is_alive(template))
