"""joblib with our backend: how many workers there are, how long they stay, and what they are like."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import hardwork.joblib
import joblib
import pytest
from client_functions import blas_threads, fail_at, square
from helpers import Gate, own_pid, poll, wait_at
from joblib import Parallel, delayed
from joblib_pair import both, ours
from leaks import is_alive


def pids(**options: Any) -> set[int]:
    return set(Parallel(batch_size=1, **options)(delayed(own_pid)() for _ in range(50)))


def test_they_stay_for_the_next_call() -> None:
    with ours():
        first, second = pids(), pids()
        with Parallel(batch_size=1) as parallel:
            third = set(parallel(delayed(own_pid)() for _ in range(50)))
    assert os.getpid() not in first
    assert len(first | second | third) <= 2


def test_they_end_when_nobody_needs_them() -> None:
    with ours(idle_worker_timeout=0.05):
        found = pids()
    poll(lambda: not any(map(is_alive, found)))
    with ours(idle_worker_timeout=0.05):
        assert pids().isdisjoint(found)


def test_they_can_be_ended() -> None:
    with ours():
        found = pids()
        hardwork.joblib.shutdown()
        assert not any(map(is_alive, found))
        hardwork.joblib.shutdown()
        assert pids().isdisjoint(found)


def test_other_workers_for_another_number() -> None:
    with ours():
        two = pids()
        three = pids(n_jobs=3)
    assert len(three) <= 3
    assert two.isdisjoint(three)
    poll(lambda: not any(map(is_alive, two)))


@pytest.mark.parametrize("n_jobs", [2, 3])
@pytest.mark.parametrize("shared", [True, False])
def test_a_call_while_another_is_under_way(n_jobs: int, shared: bool, tmp_path: Path) -> None:
    # One backend serves all calls in a block of parallel_config; by its name each call has one of its own.
    def job(backend: str | None) -> None:
        calls = (delayed(square)(n) if n != 9 else delayed(wait_at)(gate, 81) for n in range(60))
        results = Parallel(2, backend, return_as="generator", batch_size=1)(calls)
        assert next(results) == 0
        assert Parallel(n_jobs, backend)(delayed(square)(n) for n in range(5)) == [0, 1, 4, 9, 16]
        gate.open()
        assert list(results) == [n * n for n in range(1, 60)]

    with Gate(tmp_path) as gate:
        if shared:
            with ours():
                job(None)
        else:
            job("hardwork")


def test_a_call_that_fails_leaves_another_threads_alone(tmp_path: Path) -> None:
    results: list[Any] = []

    def other() -> None:
        results.append(Parallel(2, "hardwork", batch_size=1)(delayed(wait_at)(gate, n) for n in range(30)))

    with Gate(tmp_path) as gate:
        thread = threading.Thread(target=other)
        thread.start()
        gate.wait_for(2)
        with pytest.raises(ValueError, match="fifty"):
            Parallel(2, "hardwork")(delayed(fail_at)(number) for number in range(200))
        gate.open()
        thread.join()
    assert results == [list(range(30))]


def test_a_fork_has_its_own() -> None:
    def child(pipe: Any) -> None:
        with ours():
            pipe.send(pids())
        hardwork.joblib.shutdown()

    with ours():
        before = pids()
        reader, writer = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.get_context("fork").Process(target=child, args=(writer,))
        process.start()
        there = reader.recv()
        process.join()
        after = pids()
    assert process.exitcode == 0
    assert there.isdisjoint(before)
    assert len(before | after) <= 2


def test_the_number_of_jobs() -> None:
    count = hardwork.cpu_count()
    for n_jobs, expected in {-1: count, -2: max(count - 1, 1), -10_000: 1, 1: 1, 3: 3}.items():
        with ours(n_jobs=n_jobs):
            assert joblib.effective_n_jobs(n_jobs) == expected
            assert Parallel()(delayed(square)(number) for number in range(3)) == [0, 1, 4]
    with ours(n_jobs=None):
        assert Parallel()(delayed(own_pid)() for _ in range(2)) == [os.getpid()] * 2
    with ours(n_jobs=0), pytest.raises(ValueError, match="n_jobs == 0"):
        Parallel()(delayed(square)(number) for number in range(3))


@pytest.mark.parametrize("options", [{}, {"inner_max_num_threads": 1}, {"inner_max_num_threads": 2}])
def test_native_threads(options: dict[str, int]) -> None:
    def job() -> Any:
        calls = [delayed(os.getenv)(name) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ENABLE_IPC")]
        return Parallel(batch_size=1)([*calls, delayed(blas_threads)()])

    original, own = both(job, **options)
    assert original == own
    if options:
        assert own[0] == str(options["inner_max_num_threads"])


def test_nothing_native_is_loaded_before_its_threads_are_limited() -> None:
    script = "import sys, hardwork._joblib_workers; assert not {'joblib', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=100)


def test_native_threads_of_what_was_preloaded() -> None:
    script = """if True:
        import multiprocessing
        multiprocessing.set_forkserver_preload(["numpy"])
        import hardwork.joblib
        from client_functions import blas_threads
        from joblib import Parallel, delayed, parallel_config
        with parallel_config("hardwork", n_jobs=2, inner_max_num_threads=1):
            print(Parallel()(delayed(blas_threads)() for _ in range(2)))
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    ended = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False, timeout=100
    )
    assert ended.stdout.strip() == "[[1], [1]]", ended.stderr
