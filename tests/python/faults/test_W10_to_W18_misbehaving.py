"""W10 to W18: a task does to its worker what no task should."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import threading
import time
from concurrent.futures import CancelledError
from multiprocessing.pool import MaybeEncodingError
from typing import Any

import pytest
from acts import PHASES, act_in, die, freeze, hold_the_gil, ignore_signals_and_wait, throw
from hardwork import PoolTerminated, TaskTimeout, WorkerDied
from helpers import append_line, double, own_pid, poll, read_lines
from lab import check_death
from leaks import is_alive, wait_until_gone

METHODS = ["fork", "forkserver", "spawn"]


class Stop(BaseException):
    """No Exception."""


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit, Stop])
@pytest.mark.parametrize("phase", PHASES)
def test_W10_base_exception(lab: Any, phase: str, kind: type[BaseException]) -> None:
    """It is delivered to the caller, and the worker lives."""
    face = lab(workers=1)
    pid = face.call(own_pid)
    face.innocents(5)
    call = act_in(phase, face, throw, kind, "why")
    error = call.error()
    assert type(error) is kind
    assert error.args == ("why",)
    face.innocents(5)
    assert face.call(own_pid) == pid


def test_W11_stopped_while_idle(lab: Any) -> None:
    """Work goes to the others; continued, it works again."""
    face = lab()
    victim = face.warm()[0]
    os.kill(victim, signal.SIGSTOP)
    try:
        calls = [face.submit(double, number) for number in range(50)]
        poll(lambda: all(call.done() for call in calls))
    finally:
        os.kill(victim, signal.SIGCONT)
    assert [call.value() for call in calls] == [2 * number for number in range(50)]
    face.innocents(20)


@pytest.mark.parametrize("method", METHODS)
def test_W11_stopped_while_idle_with_a_time_limit(lab: Any, method: str) -> None:
    """One that does not begin what it was given is replaced, and what it had not begun is run by another."""
    face = lab(method=method)
    victim = face.warm()[0]
    os.kill(victim, signal.SIGSTOP)
    calls = [face.submit(double, number, timeout=0.3, grace=0.1) for number in range(50)]
    assert [call.value() for call in calls] == [2 * number for number in range(50)]
    # If it was given anything: with one worker it must have been.
    if is_alive(victim):
        os.kill(victim, signal.SIGCONT)
    face.innocents(20)


def test_W11_the_only_worker_stopped_while_idle(lab: Any) -> None:
    """The same where nobody else could take the work."""
    face = lab(workers=1)
    (victim,) = face.warm()
    os.kill(victim, signal.SIGSTOP)
    call = face.submit(double, 21, timeout=0.3, grace=0.1)
    assert call.value() == 42
    assert victim not in face.pids()
    poll(lambda: not is_alive(victim))
    face.innocents(20)


@pytest.mark.parametrize("method", METHODS)
def test_W11_stopped_while_running_with_a_time_limit(lab: Any, tmp_path: Any, method: str) -> None:
    """TaskTimeout; the worker is replaced, and a SIGCONT afterwards gives no second result."""
    face = lab(method=method)
    path = tmp_path / "executions"
    call = face.submit(freeze_and_say_so, str(path), timeout=0.5, grace=0.1)
    face.innocents(50)
    poll(lambda: read_lines(path) or call.done())
    pid = int(read_lines(path)[0])
    handle = os.pidfd_open(pid)
    try:
        assert type(call.error()) is TaskTimeout
        poll(lambda: not is_alive(pid))
        with pytest.raises(ProcessLookupError):
            # Nobody can go on: that one is dead, and not only forgotten. (Until it is reaped a signal finds it.)
            poll(lambda: signal.pidfd_send_signal(handle, signal.SIGCONT))
    finally:
        os.close(handle)
    face.innocents(20)
    face.verify()
    assert read_lines(path) == [str(pid)]
    assert type(call.error()) is TaskTimeout


def freeze_and_say_so(path: str) -> str:
    append_line(path, os.getpid())
    freeze()
    append_line(path, "thawed")
    return "thawed"


def test_W11_continued_before_the_limit(lab: Any, tmp_path: Any) -> None:
    """A task that was stopped and goes on ends as if nothing had been."""
    face = lab()
    path = tmp_path / "pid"
    call = face.expect(face.submit(freeze_and_say, str(path), timeout=60), "thawed")
    poll(lambda: read_lines(path))
    pid = int(read_lines(path)[0])
    poll(lambda: state_of(pid) == "T")
    os.kill(pid, signal.SIGCONT)
    assert call.value() == "thawed"


def freeze_and_say(path: str) -> str:
    append_line(path, os.getpid())
    return freeze()


def state_of(pid: int) -> str:
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0]


@pytest.mark.parametrize("method", METHODS)
def test_W12_holds_the_gil_in_c(lab: Any, method: str) -> None:
    """With a time limit: stopped after limit and grace, by force; TaskTimeout names the worker."""
    face = lab(method=method)
    call = face.submit(hold_the_gil, timeout=0.2, grace=0.2)
    face.innocents(50)
    error = call.error()
    assert type(error) is TaskTimeout
    assert "worker" in str(error)


def test_W13_ignores_signals_at_a_time_limit(lab: Any, gate: Any) -> None:
    """SIGKILL after the grace."""
    face = lab()
    call = face.submit(ignore_signals_and_wait, gate, timeout=0.3, grace=0.2)
    face.innocents(20)
    assert type(call.error()) is TaskTimeout
    assert wait_until_gone(gate.entered()) == []


@pytest.mark.parametrize("how", ["terminate_workers", "kill_workers", "terminate"])
@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_W13_ignores_signals_at_the_end(lab: Any, gate: Any, how: str, method: str) -> None:
    """Ending the pool by force ends it too: SIGKILL after the grace, also for those that nobody waits for."""
    if how == "terminate" and lab.kind == "executor":
        pytest.skip("that is a Pool's")
    face = lab(method=method)
    face.broken = True  # on purpose: it is ended
    call = face.submit(ignore_signals_and_wait, gate)
    gate.wait_for(1)
    getattr(face.pool, how)()
    error = call.error()
    if face.kind == "executor":
        check_death(error, signal=signal.SIGKILL)
    else:
        assert type(error) is PoolTerminated
    assert wait_until_gone(gate.entered()) == []


@pytest.mark.parametrize("how", ["terminate_workers", "kill_workers"])
def test_W13_a_task_that_may_be_run_again_at_the_end(lab: Any, gate: Any, how: str) -> None:
    """It is not: the pool ends, whatever its retries."""
    face = lab()
    face.broken = True
    call = face.submit(ignore_signals_and_wait, gate, retries=50)
    gate.wait_for(1)
    getattr(face.pool, how)()
    assert isinstance(call.error(), (WorkerDied, CancelledError, PoolTerminated))
    poll(lambda: face.pids() == [])
    assert wait_until_gone(gate.entered()) == []


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_W14_forked_and_left_threads_then_died(lab: Any, tmp_path: Any) -> None:
    """As W4: the pool does not wait for what the task left behind."""
    face = lab()
    path = tmp_path / "child"
    face.innocents(20)
    face.expect_death(face.submit(leave_things_and_die, str(path)), signal=signal.SIGKILL)
    face.innocents(20)
    poll(lambda: read_lines(path))
    child = int(read_lines(path)[0])
    assert is_alive(child)
    os.kill(child, signal.SIGKILL)


def leave_things_and_die(path: str) -> None:
    child = os.fork()
    if child == 0:
        time.sleep(100)
        os._exit(0)
    append_line(path, child)
    threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
    os.kill(os.getpid(), signal.SIGKILL)


def close_all() -> str:
    os.closerange(3, 1024)
    time.sleep(0.001)
    return "done"


def replace_all() -> str:
    other = os.memfd_create("other")
    for fd in range(3, 64):
        if fd != other:
            os.dup2(other, fd)
    time.sleep(0.001)
    return "done"


def close_all_and_fork() -> str:
    os.closerange(3, 1024)
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return "done"


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("act", [close_all, replace_all, close_all_and_fork])
@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_W15_closes_or_replaces_descriptors(lab: Any, act: Any, method: str) -> None:
    """At most that worker is lost; no other task notices, also none with large arguments and results."""
    face = lab(method=method)
    data = bytes(2_000_000)
    calls = []
    for _ in range(3):
        calls.append(face.submit(act))
        for _ in range(5):
            face.expect(face.submit(echo, data), data)
        face.innocents(20)
    for call in calls:
        error = call.error()
        assert error is None or type(error) is WorkerDied


def echo(data: bytes) -> bytes:
    return data


def test_W15_executes_another_program(lab: Any) -> None:
    """The task is lost with its worker, and nothing else."""
    face = lab()
    face.innocents(20)
    face.expect_death(face.submit(os.execv, "/bin/true", ["true"]), exitcode=0)
    face.innocents(20)


def test_W16_changes_its_process(lab: Any) -> None:
    """Directory, umask, limits, signal mask, sys.stdout: the pool goes on, in that worker too."""
    face = lab(workers=1)
    pid = face.call(own_pid)
    assert face.call(change_everything) == "changed"
    face.innocents(50)
    assert face.call(own_pid) == pid
    face.expect_death(face.submit(die, signal.SIGKILL), signal=signal.SIGKILL)


def change_everything() -> str:
    os.chdir("/proc")
    os.umask(0o777)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    sys.stdout = sys.stderr = None
    return "changed"


IN_GROUP = """
import os, signal, subprocess, sys
sys.path[:0] = {path!r}
with open({procs!r}, "w") as file:
    file.write(str(os.getpid()))
import hardwork
from acts import act_in
from helpers import double
from test_W10_to_W18_misbehaving import end_main_thread, take_memory
def make(workers):
    return hardwork.ProcessPoolExecutor(workers) if {kind!r} == "executor" else hardwork.Pool(workers)
def ask(pool, fn, *args):
    return pool.submit(fn, *args).result() if {kind!r} == "executor" else pool.apply(fn, args)
"""


def run_in_group(lab: Any, cgroup: Any, run_script: Any, text: str, **values: Any) -> Any:
    """Runs a program in a memory control group of 200 MB."""
    procs = str(cgroup(200_000_000) / "cgroup.procs")
    return run_script((IN_GROUP + text).format(path=sys.path, procs=procs, kind=lab.kind, **values))


OOM = """
class Face:
    def __init__(self, pool): self.pool = pool
    def submit(self, fn, *args):
        return self.pool.submit(fn, *args) if {kind!r} == "executor" else self.pool.apply_async(fn, args)
if __name__ == "__main__":
    with make(2) as pool:
        call = act_in({phase!r}, Face(pool), take_memory, 2_000_000_000)
        try:
            call.result() if hasattr(call, "result") else call.get()
        except hardwork.WorkerDied as error:
            print(error.signal, error.phase, error)
        print(ask(pool, double, 21), dict(pool.stats().workers_died))
"""


@pytest.mark.parametrize("phase", PHASES)
def test_W17_killed_for_want_of_memory(lab: Any, cgroup: Any, run_script: Any, phase: str) -> None:
    """A worker dies, never the parent; the error names the out-of-memory killer."""
    ran = run_in_group(lab, cgroup, run_script, OOM, phase=phase)
    assert ran.returncode == 0, ran.stderr
    first, second = ran.stdout.splitlines()
    assert first.startswith(f"{int(signal.SIGKILL)} {phase} ")
    assert "out-of-memory" in first
    assert second.startswith("42 ")
    assert "out of memory" in second


OOM_AND_ON = """
if __name__ == "__main__":
    with make(1) as pool:
        for _ in range(3):
            try:
                ask(pool, take_memory, 2_000_000_000)
            except hardwork.WorkerDied as error:
                print("out-of-memory" in str(error), take_memory(100_000_000))
"""


def test_W17_the_memory_is_back_when_the_error_comes(lab: Any, cgroup: Any, run_script: Any) -> None:
    """Who is told that a worker was killed for want of memory may take as much at once, and is not killed for it."""
    ran = run_in_group(lab, cgroup, run_script, OOM_AND_ON)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "True 100\n" * 3, "")


OOM_ELSEWHERE = """
if __name__ == "__main__":
    with make(1) as pool:
        print(ask(pool, abs, -1))
        with open("/proc/self/oom_score_adj") as file:
            assert int(file.read()) < 1000
        print(subprocess.run(["sh", "-c", "echo 1000 >/proc/self/oom_score_adj; exec tail /dev/zero"]).returncode)
        try:
            ask(pool, end_main_thread)
        except hardwork.WorkerDied:
            print("died")
"""


def test_W17_another_was_killed_for_want_of_memory(lab: Any, cgroup: Any, run_script: Any) -> None:
    """A worker that then loses its main thread alone is found all the same."""
    ran = run_in_group(lab, cgroup, run_script, OOM_ELSEWHERE)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, f"1\n{-signal.SIGKILL}\ndied\n", "")


def end_main_thread() -> None:
    threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
    ctypes.CDLL(None).syscall({"x86_64": 60, "aarch64": 93}[os.uname().machine], 3)  # exit(2): of this thread only


def take_memory(size: int) -> int:
    taken = []
    while size > 0:
        taken.append(b"x" * 1_000_000)
        size -= 1_000_000
    return len(taken)


@pytest.mark.parametrize("phase", PHASES)
def test_W18_memory_error(lab: Any, phase: str) -> None:
    """The exception reaches the caller, and the worker lives."""
    face = lab(workers=1)
    face.call(limit_memory)
    pid = face.call(own_pid)
    error = act_in(phase, face, too_much).error()
    assert type(error) is (MaybeEncodingError if (lab.kind, phase) == ("pool", "ENCODE") else MemoryError)
    face.innocents(20)
    assert face.call(own_pid) == pid


def limit_memory() -> None:
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[0])
    now = pages * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (now + (300 << 20), resource.RLIM_INFINITY))


def too_much() -> bytes:
    return bytes(2 << 30)


def test_W18_no_memory_for_a_result(lab: Any) -> None:
    """A result for which the worker finds no memory is a MemoryError of its own future."""
    face = lab(workers=1)
    face.call(limit_memory)
    error = face.submit(ctypes_result).error()
    # In the task itself or at its result, whichever comes first; the latter a Pool has a name of its own for.
    assert type(error) in (MemoryError, MaybeEncodingError)
    face.innocents(20)


def ctypes_result() -> list[bytes]:
    data = bytes(100 << 20)
    return [data[1:], data[2:]]
