"""R1 to R4: no descriptors, no processes, no /dev/shm, no memory."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from helpers import script_environment

PRELUDE = """
import multiprocessing, os, resource, signal, sys, time
sys.path[:0] = {path!r}
FORK = multiprocessing.get_context("fork")  # the texts below have no main to be imported
import hardwork
from helpers import double, own_pid
def make(workers=2):
    if {kind!r} == "executor":
        return hardwork.ProcessPoolExecutor(workers, mp_context=FORK)
    return hardwork.Pool(workers, context=FORK)
def ask(pool, fn, *args):
    return pool.submit(fn, *args).result() if {kind!r} == "executor" else pool.apply(fn, args)
def echo(data): return data
def processes(pool):
    all = pool._processes.values() if {kind!r} == "executor" else pool._pool
    return [process.pid for process in all if process.is_alive()]
def both(pool):
    while len(processes(pool)) < 2:
        time.sleep(0.01)
    return processes(pool)
"""


@pytest.fixture
def run(lab: Any, run_script: Any) -> Any:
    """Runs a text behind the prelude; it must say "ok" and nothing else."""

    def run(text: str) -> None:
        ran = run_script(PRELUDE.format(path=sys.path, kind=lab.kind) + text)
        assert (ran.returncode, ran.stdout, ran.stderr) == (0, "ok\n", ""), ran.stderr

    return run


def test_R1_no_descriptor_at_the_first_use(run: Any) -> None:
    """An error to the caller that says so; a pool made later works."""
    run("""
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
used = len(os.listdir("/proc/self/fd"))
resource.setrlimit(resource.RLIMIT_NOFILE, (used, hard))
try:
    pool = make()
    ask(pool, double, 1)
except (OSError, hardwork.BrokenProcessPool) as error:
    assert "descriptor" in str(error) or "Too many open files" in str(error) or "could not" in str(error), error
else:
    raise SystemExit("no error")
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
with make() as pool:
    assert ask(pool, double, 21) == 42
print("ok")
""")


def test_R1_the_cause_is_named(run: Any) -> None:
    """However few there are: it works, or the error is the system's own, or has that as its cause."""
    run("""
import errno
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
used = len(os.listdir("/proc/self/fd"))
endings = set()
for extra in range(14):
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + extra, hard))
    pool = None
    try:
        pool = make()
        assert ask(pool, double, 21) == 42
        endings.add("works")
    except OSError as error:
        assert error.errno == errno.EMFILE, error
        endings.add("refused")
    except hardwork.BrokenProcessPool as error:
        cause = error.__cause__
        assert isinstance(cause, OSError) and cause.errno == errno.EMFILE, repr(cause)
        endings.add("broken")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        if pool is not None:
            pool.shutdown() if hasattr(pool, "submit") else pool.terminate()
assert "refused" in endings and len(endings) > 1, endings
print("ok")
""")


def test_R1_no_descriptor_for_a_replacement(run: Any) -> None:
    """Fewer workers for the time, and all of them when there are descriptors again."""
    run("""
with make() as pool:
    pids = {ask(pool, own_pid) for _ in range(20)}
    before = both(pool)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    os.kill(before[0], signal.SIGKILL)
    assert [ask(pool, double, number) for number in range(50)] == [2 * number for number in range(50)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    while len(processes(pool)) < 2:
        ask(pool, double, 1)
        time.sleep(0.01)
    data = bytes(10_000_000)
    assert ask(pool, echo, data) == data
print("ok")
""")


def test_R1_no_descriptor_for_a_large_result(run: Any) -> None:
    """The workers and the parent have what they need open already."""
    run("""
with make() as pool:
    ask(pool, double, 1)
    both(pool)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    data = bytes(20_000_000)
    for _ in range(5):
        assert ask(pool, echo, data) == data
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
print("ok")
""")


@pytest.mark.skipif(os.getuid() != 0, reason="needs root: no limit of processes binds it, so it becomes somebody else")
def test_R2_process_limit(run: Any) -> None:
    """Fewer workers, with none an error; all of them when the limit is lifted."""
    run("""
nobody = 54321
count = lambda: sum(os.stat(f"/proc/{entry}").st_uid == nobody for entry in os.listdir("/proc") if entry.isdigit())
with make() as pool:
    ask(pool, double, 1)  # what must be imported has been
os.setgroups([])
os.setgid(nobody)
os.setuid(nobody)
hard = 1000
resource.setrlimit(resource.RLIMIT_NPROC, (hard, hard))
resource.setrlimit(resource.RLIMIT_NPROC, (1, hard))
try:
    pool = make()
    ask(pool, double, 1)
except (OSError, RuntimeError) as error:  # BrokenProcessPool is a RuntimeError
    pass
else:
    raise SystemExit("no error")
resource.setrlimit(resource.RLIMIT_NPROC, (hard, hard))
with make() as pool:
    assert ask(pool, double, 21) == 42
print("ok")
""")


@pytest.mark.skipif(os.getuid() != 0, reason="needs root: no limit of processes binds it, so it becomes somebody else")
def test_R2_process_limit_of_a_living_pool(run: Any) -> None:
    """Fewer workers than wanted, none in the place of one that dies, and all of them when the limit is lifted."""
    run("""
nobody = 54322
hard = 1000
def limit(most):  # of the one that workers are born from, too
    for entry in os.listdir("/proc"):
        try:
            if open(f"/proc/{entry}/stat").read().rpartition(")")[2].split()[1] == str(os.getpid()):
                resource.prlimit(int(entry), resource.RLIMIT_NPROC, (most, hard))
        except OSError:
            pass  # no process, or none any more
    resource.setrlimit(resource.RLIMIT_NPROC, (most, hard))
def living(pool):
    all = (pool._processes or {}).values() if hasattr(pool, "submit") else pool._pool
    return [process.pid for process in all if process.is_alive()]
def works(pool):
    return [ask(pool, double, number) for number in range(20)] == [2 * number for number in range(20)]
with make() as pool:
    ask(pool, double, 1)  # what must be imported has been
os.setgroups([])
os.setgid(nobody)
os.setuid(nobody)
limit(hard)
with make(3) as pool:
    assert works(pool)
    while len(living(pool)) < 3:
        time.sleep(0.01)
    for victims in (1, 2):
        # Nobody can be born in the place of the dead: the others do the work.
        limit(1)
        for pid in living(pool)[:victims]:
            os.kill(pid, signal.SIGKILL)
        while len(living(pool)) > 3 - victims:
            time.sleep(0.01)
        assert works(pool)
        assert len(living(pool)) == 3 - victims
        limit(hard)
        while len(living(pool)) < 3:
            time.sleep(0.01)
        assert works(pool)
print("ok")
""")


IN_A_NAMESPACE = {
    "small": "mount -t tmpfs -o size=1m none /dev/shm",
    "read-only": "mount -t tmpfs -o ro,size=1m none /dev/shm",
    "missing": "mount -t tmpfs none /dev",
    # In place: this checkout may lie there.
    "read-only /tmp": "mount --bind /tmp /tmp && mount -o remount,ro,bind /tmp",
}


def own_namespace() -> list[str] | None:
    """How a program gets mounts of its own here; None if it cannot."""
    if os.getuid() != 0 or shutil.which("unshare") is None:
        return None
    ways = [["unshare", "-m"]]
    # In a chroot nothing is mounted at "/", and unshare cannot make that private. All may be already.
    if "shared:" not in Path("/proc/self/mountinfo").read_text():
        ways.append(["unshare", "-m", "--propagation", "unchanged"])
    return next((way for way in ways if subprocess.run([*way, "true"]).returncode == 0), None)


@pytest.mark.parametrize("how", IN_A_NAMESPACE)
def test_R3_no_shared_memory_folder(lab: Any, how: str) -> None:
    """It works: nothing of it lies in a folder."""
    if (way := own_namespace()) is None:
        pytest.skip("needs root: a mount namespace of its own")
    text = PRELUDE.format(path=sys.path, kind=lab.kind) + (
        "with make() as pool:\n"
        "    data = bytes(5_000_000)\n"
        "    assert ask(pool, echo, data) == data\n"
        "    os.kill(ask(pool, own_pid), signal.SIGKILL)\n"
        "    assert ask(pool, double, 21) == 42\n"
        "print('ok')\n"
    )
    ran = subprocess.run(
        [*way, "sh", "-c", f'{IN_A_NAMESPACE[how]} && exec "$0" -c "$1"', sys.executable, text],
        capture_output=True,
        text=True,
        env=script_environment(),
        cwd="/",
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "ok\n", "")


@pytest.mark.parametrize("what", ["argument", "result"])
def test_R4_memory_cgroup_nearly_full(run: Any, cgroup: Any, what: str) -> None:
    """An error or a dead worker, never a SIGBUS in the parent; afterwards it goes on."""
    group = cgroup(1_000_000_000)
    run(f"""
folder = {str(group)!r}
with open(folder + "/cgroup.procs", "w") as file:
    file.write(str(os.getpid()))
import numpy  # its arrays are copied once on each side
first = os.path.exists(folder + "/memory.failcnt")
def pressed():  # how often the limit was in the way
    if first:
        return int(open(folder + "/memory.failcnt").read())
    return int(open(folder + "/memory.events").read().partition("max ")[2].split()[0])
def large(_): return b"x" * 60_000_000
with make() as pool:
    assert ask(pool, double, 21) == 42
    used = int(open(folder + ("/memory.usage_in_bytes" if first else "/memory.current")).read())
    # Enough for an argument and its copy, not for the worker's too; for a result, not for its copy.
    with open(folder + ("/memory.limit_in_bytes" if first else "/memory.max"), "w") as file:
        file.write(str(used + (75_000_000 if {what!r} == "argument" else 100_000_000)))
    assert pressed() == 0
    for _ in range(4):
        try:
            if {what!r} == "argument":
                ask(pool, len, numpy.ones(30_000_000, "u1"))
            else:
                ask(pool, large, 0)
        except (MemoryError, hardwork.WorkerDied) as error:
            time.sleep(0.3)  # an error is there before the dead worker's memory is free
            while True:  # and where there is no worker the kernel has nobody but the parent to take it from
                try:
                    ask(pool, double, 21)
                    break
                except hardwork.WorkerDied:
                    time.sleep(0.1)
    assert pressed() > 0
    assert ask(pool, double, 21) == 42
print("ok")
""")
