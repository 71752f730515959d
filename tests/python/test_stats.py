"""What a pool counts: `stats()` of both classes."""

import os
import signal
import time

import hardwork
import pytest
from hardwork import Pool, PoolStats, ProcessPoolExecutor, TaskTimeout, WorkerDied


def double(n):
    return 2 * n


def fail(n):
    raise ValueError(n)


def end(code):
    os._exit(code)


def kill(signum):
    os.kill(os.getpid(), signum)
    time.sleep(60)


def spin():
    while True:
        pass


@pytest.fixture(params=["executor", "pool"])
def pool(request):
    made = ProcessPoolExecutor(2) if request.param == "executor" else Pool(2)
    with made:
        yield made


def outcome(pool, fn, *args):
    """What became of a call: the error, or the value."""
    try:
        if isinstance(pool, Pool):
            return pool.apply(fn, args)
        return pool.submit(fn, *args).result()
    except Exception as error:
        return error


def ended(stats):
    return stats.workers_retired + sum(stats.workers_died.values())


def test_nothing_was_done_yet():
    with ProcessPoolExecutor(2) as executor:
        assert executor.stats() == PoolStats(0, 0, 0, 0, 0, 0, 0, 0, 0, {}, 0, 0, 0)


def test_tasks_by_their_end(pool):
    assert outcome(pool, double, 4) == 8
    assert isinstance(outcome(pool, fail, 4), ValueError)
    assert list(pool.map(double, range(100))) == list(range(0, 200, 2))
    assert list(pool.map(double, [1, 2, 3])) == [2, 4, 6]
    stats = pool.stats()
    assert (stats.submitted, stats.done, stats.failed, stats.cancelled) == (105, 104, 1, 0)
    assert stats.bytes_sent > 0
    assert stats.bytes_received > 0
    assert stats.workers_died == {}


def test_deaths_by_their_cause(pool):
    assert isinstance(outcome(pool, end, 3), WorkerDied)
    assert isinstance(outcome(pool, kill, signal.SIGKILL), WorkerDied)
    assert isinstance(outcome(pool, kill, signal.SIGSEGV), WorkerDied)
    assert outcome(pool, double, 1) == 2
    stats = pool.stats()
    assert stats.workers_died == {"exit 3": 1, "SIGKILL": 1, "SIGSEGV": 1}
    assert (stats.submitted, stats.done, stats.failed) == (4, 1, 3)
    assert stats.workers_restarted >= 2  # the last is being asked for
    assert stats.workers_born == stats.workers_alive + ended(stats)


def test_an_object_that_cannot_be_pickled_was_never_submitted_to_the_workers():
    with ProcessPoolExecutor(1) as executor:
        assert isinstance(outcome(executor, double, iter(())), Exception)
        assert outcome(executor, double, 1) == 2
        assert executor.stats().done == 1


def test_a_time_limit_by_force(pool):
    view = pool.options(timeout=0.05, grace=0)
    with pytest.raises(TaskTimeout):
        view.apply(spin) if isinstance(pool, Pool) else view.submit(spin).result()
    assert outcome(pool, double, 1) == 2
    # The task may have heeded the soft stop in the very moment of the hard one.
    assert pool.stats().workers_died in ({"time limit": 1}, {})
    assert pool.stats().failed == 1


def test_cancelled_tasks():
    with ProcessPoolExecutor(1) as executor:
        blocker = executor.submit(time.sleep, 0.3)
        behind = [executor.submit(double, n) for n in range(10)]
        cancelled = [future for future in behind if future.cancel()]
        blocker.result()
        assert executor.stats().cancelled == len(cancelled) > 0


def state_of(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0]


@pytest.mark.parametrize("kind", ["executor", "pool"])
def test_requeued_is_exact(kind):
    with ProcessPoolExecutor(1) if kind == "executor" else Pool(1) as one:
        for _ in range(500):  # short ones, so that the lane is given many
            assert outcome(one, double, 1) == 2
        pid = outcome(one, os.getpid)
        os.kill(pid, signal.SIGSTOP)
        while state_of(pid) != "T":
            time.sleep(0.001)
        calls = [one.submit(double, n) if kind == "executor" else one.apply_async(double, (n,)) for n in range(20)]
        assert one.stats().requeued == 0
        os.kill(pid, signal.SIGKILL)
        values = [call.result() if kind == "executor" else call.get() for call in calls]
        assert values == [double(n) for n in range(20)]
        stats = one.stats()
        assert (stats.requeued, stats.retried, stats.failed, stats.done) == (20, 0, 0, 521)


def die_twice(path):
    with open(path, "a") as file:
        file.write("x")
    if os.path.getsize(path) < 3:
        os._exit(1)
    return os.path.getsize(path)


def test_retried_is_exact(pool, tmp_path):
    view = pool.options(retries=2)
    path = str(tmp_path / "runs")
    assert (view.apply(die_twice, (path,)) if isinstance(pool, Pool) else view.submit(die_twice, path).result()) == 3
    stats = pool.stats()
    assert (stats.retried, stats.requeued, stats.submitted, stats.done, stats.failed) == (2, 0, 1, 1, 0)


def test_they_stay_after_the_end(pool):
    assert outcome(pool, double, 4) == 8
    if isinstance(pool, Pool):
        pool.close()
        pool.join()
    else:
        pool.shutdown()
    stats = pool.stats()
    assert stats.done == 1
    assert stats.workers_alive == 0
    assert stats.workers_died == {}
    assert stats.workers_retired == stats.workers_born > 0  # not all of them, where they are born on demand


def test_it_is_a_value():
    with ProcessPoolExecutor(1) as executor:
        before = executor.stats()
        executor.submit(double, 1).result()
        after = executor.stats()
    assert before.submitted == 0
    assert after.submitted == 1
    assert isinstance(after, hardwork.PoolStats)
    assert "submitted=1" in repr(after)
    with pytest.raises(AttributeError):
        after.submitted = 3
