"""P1 to P4, F1 to F3: the parent is killed, stopped, replaced or forked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hardwork
import leaks
import pytest
from helpers import double, own_pid, poll, read_lines, script_environment, sleep
from leaks import descendants, is_alive, wait_until_gone

PARENT = """
import multiprocessing, os, signal, sys, threading, time
sys.path[:0] = {path!r}
import hardwork
from helpers import Gate, append_line, double, spin, wait_at

def never_ready():
    append_line({folder!r} + "/born", os.getpid())
    time.sleep(100)

if __name__ == "__main__":
    gate = Gate({folder!r})
    context = multiprocessing.get_context({method!r})
    more = dict(initializer=never_ready) if {what!r} == "births" else {{}}
    if {kind!r} == "executor":
        pool = hardwork.ProcessPoolExecutor(2, mp_context=context, **more)
        ask = pool.submit
    else:
        pool = hardwork.Pool(2, context=context, **more)
        ask = lambda fn, *args: pool.apply_async(fn, args)
    if {what!r} == "idle":
        for task in [ask(double, 1) for _ in range(50)]:
            task.result() if {kind!r} == "executor" else task.get()
    elif {what!r} == "births":
        tasks = [ask(double, 1) for _ in range(5)]
    elif {what!r} == "shutdown":
        tasks = [ask(wait_at, gate) for _ in range(5)]
        gate.wait_for(1)
        end = pool.shutdown if {kind!r} == "executor" else lambda: (pool.close(), pool.join())
        threading.Thread(target=end, daemon=True).start()
    elif {what!r} == "large":
        data = bytes(100_000_000)
        tasks = [ask(wait_at, gate, data) for _ in range(2)]
        gate.wait_for(2)
    else:
        tasks = [ask(spin, gate) for _ in range(4)]
        gate.wait_for(2)
    append_line({folder!r} + "/ready", os.getpid())
    how = sys.argv[1]
    if how == "with a fork":
        # A copy of all that the parent holds open: its end does not come with the parent's.
        if os.fork() == 0:
            append_line({folder!r} + "/fork", os.getpid())
            time.sleep(100)
            os._exit(0)
    elif how == "_exit":
        os._exit(3)
    elif how == "abort":
        signal.signal(signal.SIGABRT, signal.SIG_DFL)
        os.abort()
    elif how == "exec":
        code = "import os, time; print(sorted(os.listdir('/proc/self/fd'), key=int), flush=True); time.sleep(100)"
        os.execv(sys.executable, [sys.executable, "-c", code])
    time.sleep(100)
"""


class Parent:
    """A program of its own with a pool, and all processes below it."""

    def __init__(self, folder: Path, kind: str, method: str, what: str, how: str) -> None:
        script = folder / "parent.py"
        script.write_text(PARENT.format(path=sys.path, folder=str(folder), kind=kind, method=method, what=what))
        self.folder = folder
        self.what = what
        self.process = subprocess.Popen(
            [sys.executable, str(script), how],
            env=script_environment(),
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.family: set[int] = set()
        if how in ("wait", "with a fork"):
            poll(lambda: read_lines(folder / "ready"))
            poll(lambda: how == "wait" or read_lines(folder / "fork"))
            if what == "births":
                poll(lambda: read_lines(folder / "born"))
            self.family = descendants(self.process.pid)

    def workers(self) -> set[int]:
        return {int(line) for line in read_lines(self.folder / "gate-entered")}

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def parent_of(tmp_path: Path, lab: Any) -> Iterator[Any]:
    made: list[Parent] = []

    def make(method: str, what: str, how: str = "wait") -> Parent:
        made.append(Parent(tmp_path, lab.kind, method, what, how))
        return made[-1]

    yield make
    for parent in made:
        parent.close()


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
@pytest.mark.parametrize("what", ["idle", "busy", "births", "shutdown"])
def test_P1_parent_killed(parent_of: Any, method: str, what: str) -> None:
    """Workers, template and helpers are all gone."""
    parent = parent_of(method, what)
    assert len(parent.family) >= 2
    parent.process.kill()
    parent.process.wait()
    assert wait_until_gone(parent.family) == []


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_P1_parent_killed_while_a_fork_of_it_lives(parent_of: Any, method: str) -> None:
    """That fork holds open what the parent held, and yet the workers are gone."""
    parent = parent_of(method, "busy", "with a fork")
    (fork,) = [int(line) for line in read_lines(parent.folder / "fork")]
    try:
        parent.process.kill()
        parent.process.wait()
        # multiprocessing's resource tracker waits for the end of a pipe, which has not come.
        table = leaks.process_table()
        tracker = {pid for pid in parent.family if pid in table and "resource_tracker" in table[pid][2]}
        assert parent.workers() <= parent.family - tracker
        assert wait_until_gone(parent.family - {fork} - tracker) == []
        assert is_alive(fork)
    finally:
        os.kill(fork, signal.SIGKILL)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_P1_memory_comes_back(parent_of: Any, method: str) -> None:
    """Nobody has the memory open or mapped that a killed parent shared with its busy workers: it is free again."""
    parent = parent_of(method, "large")
    files = leaks.memory_files(parent.process.pid)
    assert len(files) >= 3  # the inputs, and two lanes
    parent.process.kill()
    parent.process.wait()
    assert wait_until_gone(parent.family) == []
    assert not any(leaks.memory_files(pid) & files for pid in leaks.process_table())


@pytest.mark.parametrize(
    ("how", "method"),
    [
        *((how, "fork") for how in (signal.SIGTERM, signal.SIGHUP, "_exit", "abort")),
        *((how, method) for how in (signal.SIGTERM, "_exit") for method in ("forkserver", "spawn")),
    ],
)
def test_P2_parent_ends_otherwise(parent_of: Any, how: Any, method: str) -> None:
    """As if it were killed."""
    if isinstance(how, str):
        parent = parent_of(method, "busy", how)
        parent.process.wait()
    else:
        parent = parent_of(method, "busy")
        assert len(parent.family) >= 3
        parent.process.send_signal(how)
        assert parent.process.wait() == -how
        assert wait_until_gone(parent.family) == []
    assert len(parent.workers()) >= 2
    assert wait_until_gone(parent.workers()) == []


def test_P3_all_stopped_and_continued(lab: Any, run_script: Any) -> None:
    """No false death: the pool and its time limits go on where they were."""
    ran = run_script(STOPPED.format(path=sys.path, kind=lab.kind), start_new_session=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "ok {}\n", "")


STOPPED = """
import os, signal, subprocess, sys
sys.path[:0] = {path!r}
import hardwork
from helpers import double, sleep

if __name__ == "__main__":
    pool = hardwork.ProcessPoolExecutor(2) if {kind!r} == "executor" else hardwork.Pool(2)
    view = pool.options(timeout=60)
    ask = view.submit if {kind!r} == "executor" else lambda fn, *args: view.apply_async(fn, args)
    read = (lambda task: task.result()) if {kind!r} == "executor" else (lambda task: task.get())
    tasks = [ask(sleep, 0.01, number) for number in range(200)]
    # Somebody outside of the group stops all of it, and lets it go on after two seconds.
    outside = subprocess.Popen(
        ["sh", "-c", f"kill -STOP -{{os.getpgid(0)}}; sleep 2; kill -CONT -{{os.getpgid(0)}}"], start_new_session=True)
    assert [read(task) for task in tasks] == list(range(200))
    outside.wait()
    assert read(ask(double, 21)) == 42
    print("ok", pool.stats().workers_died)
    pool.shutdown() if {kind!r} == "executor" else (pool.close(), pool.join())
"""


def test_P3_stopped_for_longer_than_a_limit(lab: Any, run_script: Any) -> None:
    """Nor where all was stopped for longer than a limit."""
    ran = run_script(STOPPED_LONG.format(path=sys.path, kind=lab.kind), start_new_session=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "ok {}\n", "")


STOPPED_LONG = """
import os, subprocess, sys, time
sys.path[:0] = {path!r}
import hardwork

def nap():
    for _ in range(50):  # it goes on where it was, which one long sleep would not
        time.sleep(0.01)
    return os.getpid()

if __name__ == "__main__":
    pool = hardwork.ProcessPoolExecutor(2) if {kind!r} == "executor" else hardwork.Pool(2)
    view = pool.options(timeout=1, grace=0.1)
    ask = (lambda: view.submit(nap)) if {kind!r} == "executor" else lambda: view.apply_async(nap)
    read = (lambda task: task.result()) if {kind!r} == "executor" else (lambda task: task.get())
    read(ask())
    task = ask()
    time.sleep(0.1)
    outside = subprocess.Popen(
        ["sh", "-c", f"kill -STOP -{{os.getpgid(0)}}; sleep 3; kill -CONT -{{os.getpgid(0)}}"], start_new_session=True)
    read(task)
    outside.wait()
    print("ok", pool.stats().workers_died)
    pool.shutdown() if {kind!r} == "executor" else (pool.close(), pool.join())
"""


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_P4_parent_executes_another_program(parent_of: Any, method: str) -> None:
    """The workers are gone, and the program has inherited no descriptor."""
    parent = parent_of(method, "busy", "exec")
    # The three standard ones, and the one that lists.
    assert parent.process.stdout.readline() == "['0', '1', '2', '3']\n"
    assert len(parent.workers()) >= 2
    # The same process lives on under that number, so the watch on it would not end the workers.
    assert wait_until_gone(parent.workers()) == []


def in_child(body: Any) -> int:
    """Runs it in a fork of this process, and gives the exit code: 0 if it returned."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            body()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("state", ["idle", "busy", "submitting"])
@pytest.mark.parametrize("thread", ["main", "other"])
def test_F1_user_forks(lab: Any, gate: Any, state: str, thread: str) -> None:
    """The child's submit raises and its end touches nothing; the parent goes on."""
    face = lab()
    face.warm()
    over = threading.Event()
    submitter = None
    if state == "busy":
        for number in range(20):
            face.expect(face.submit(sleep, 0.01, number), number)
    elif state == "submitting":

        def submit() -> None:
            while not over.is_set():
                face.call(double, 1)

        submitter = threading.Thread(target=submit)
        submitter.start()

    def child() -> None:
        for _ in range(2):
            try:
                face.submit(double, 1)
            except RuntimeError:
                continue
            raise AssertionError("the child could submit")

    codes: list[int] = []

    def fork_some() -> None:
        codes.extend(in_child(child) for _ in range(5))

    if thread == "main":
        fork_some()
    else:
        forker = threading.Thread(target=fork_some)
        forker.start()
        forker.join()
    over.set()
    if submitter is not None:
        submitter.join()
    assert codes == [0] * 5
    face.innocents(20)


def test_F1_user_forks_with_fresh_workers(lab: Any) -> None:
    """The same with the start methods whose workers are no forks."""
    for method in ("forkserver", "spawn"):
        face = lab(method=method)
        face.warm()

        def child(face: Any = face) -> None:
            with pytest.raises(RuntimeError):
                face.submit(double, 1)

        assert [in_child(child) for _ in range(3)] == [0, 0, 0]
        face.innocents(20)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_F2_made_before_the_fork_and_first_used_after_it(lab: Any) -> None:
    """An executor works in each child and in the parent. A Pool has its workers from the first: it says whose it is."""
    face = lab()

    def child() -> None:
        if lab.kind == "executor":
            with face.pool:
                assert list(face.pool.map(double, range(100))) == [2 * number for number in range(100)]
                assert face.pool.submit(os.getppid).result() != os.getppid()
        else:
            with pytest.raises(RuntimeError, match="fork of it"):
                face.pool.apply(double, (1,))
            face.pool.terminate()  # touches nothing

    assert [in_child(child) for _ in range(3)] == [0, 0, 0]
    face.innocents(20)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_F2_made_in_a_forked_child(lab: Any) -> None:
    """It works there, with workers of its own."""

    def child() -> None:
        pool = hardwork.ProcessPoolExecutor(2) if lab.kind == "executor" else hardwork.Pool(2)
        with pool:
            if lab.kind == "executor":
                assert list(pool.map(double, range(100))) == [2 * number for number in range(100)]
                assert pool.submit(own_pid).result() != os.getpid()
            else:
                assert pool.map(double, range(100)) == [2 * number for number in range(100)]

    assert [in_child(child) for _ in range(3)] == [0, 0, 0]


def nested(kind: str) -> list[int]:
    pool = hardwork.ProcessPoolExecutor(2) if kind == "executor" else hardwork.Pool(2)
    with pool:
        return list(pool.map(double, range(100)))


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_F3_a_pool_in_a_worker(lab: Any, method: str) -> None:
    """It works, with workers of its own."""
    face = lab(method=method)
    for _ in range(2):
        face.expect(face.submit(nested, lab.kind), [2 * number for number in range(100)])


def test_F3_a_pool_in_a_daemonic_process(lab: Any) -> None:
    """It works there too."""
    import multiprocessing

    context = multiprocessing.get_context("fork")
    receive, send = context.Pipe(False)

    def live() -> None:
        send.send(nested(lab.kind))

    process = context.Process(target=live, daemon=True)
    process.start()
    assert receive.recv() == [2 * number for number in range(100)]
    process.join()
    receive.close()
    send.close()
    process.close()
