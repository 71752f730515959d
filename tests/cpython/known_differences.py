"""CPython's tests that do not pass with ours, each with the reason. Nothing else may fail, and none of these may pass.

Three reasons count. A test that reaches into private parts of the standard library's pools, which ours do not have. One
that demands that the pool breaks at a worker's death, where ours costs the one task. And one that demands that a pool
breaks although no worker has died, where that would break a promise of ours: an object that cannot be unpickled costs
its own future, which raises what unpickling raised (rows S3, S5 and W10 of docs/faults.md), and a pool that is dropped
finishes what it was given (docs/differences.md). No exception could be both what was raised and a `BrokenProcessPool`:
it would tell of a pool, which goes on, that it is broken.
"""

from __future__ import annotations

import pickle
from typing import NamedTuple


class Difference(NamedTuple):
    """Why a test does not pass.

    Attributes:
        reason: What it looks for.
        raises: How it ends; another end is a failure. None if it does not end, and so is not run.
        cleanup: How what it has registered for its end ends; None if well.
        since: The first CPython that we know to have it, for the check that no name here is out of date.
    """

    reason: str
    raises: type[BaseException] | None = AttributeError
    cleanup: type[BaseException] | None = None
    since: tuple[int, int, int] = (3, 13, 0)


_UNPICKLING = "demands that {} that cannot be unpickled breaks the pool; ours raises its exception (docs/faults.md, {})"
_ARGUMENT = _UNPICKLING.format("an argument", "S3")
_EXIT_BY_ARGUMENT = _UNPICKLING.format("an argument", "S3 and W10")
_RESULT = _UNPICKLING.format("a result", "S5")
_EXIT_BY_RESULT = _UNPICKLING.format("a result", "S5 and W10")
_DROPPED = (
    "demands that a dropped pool breaks ('garbage collected') when its worker is to be replaced, and joins "
    "_executor_manager_thread; ours replaces it and finishes what it was given"
)

# By the class that defines the test, whatever the start method.
KNOWN_DIFFERENCES = {
    "ExecutorDeadlockTest.test_error_at_task_unpickle": Difference(_ARGUMENT, pickle.UnpicklingError),
    "ExecutorDeadlockTest.test_error_during_result_unpickle_in_result_handler": Difference(
        _RESULT, pickle.UnpicklingError
    ),
    "ExecutorDeadlockTest.test_exit_at_task_unpickle": Difference(_EXIT_BY_ARGUMENT, SystemExit),
    "ExecutorDeadlockTest.test_exit_during_result_unpickle_in_result_handler": Difference(_EXIT_BY_RESULT, SystemExit),
    "ExecutorDeadlockTest.test_shutdown_deadlock_pickle": Difference("joins _executor_manager_thread"),
    "ProcessPoolExecutorTest.test_broken_process_pool_traceback": Difference(
        "demands that a killed worker breaks the pool, and waits for that without an end", None, since=(3, 14, 10)
    ),
    "ProcessPoolExecutorTest.test_failed_worker_replacement_breaks_pool": Difference(
        "patches _spawn_worker, which ours does not call, and joins _executor_manager_thread",
        AssertionError,
        AttributeError,
        since=(3, 14, 10),
    ),
    "ProcessPoolExecutorTest.test_force_shutdown_during_max_tasks_worker_exit": Difference(
        "sets _force_shutting_down, which ours does not read, and joins _executor_manager_thread",
        AssertionError,
        AttributeError,
        since=(3, 14, 10),
    ),
    "ProcessPoolExecutorTest.test_gc_during_max_tasks_worker_exit_gh152967": Difference(
        _DROPPED, AssertionError, AttributeError, since=(3, 14, 10)
    ),
    "ProcessPoolExecutorTest.test_killed_child": Difference(
        "demands that a killed worker breaks the pool", AssertionError
    ),
    "ProcessPoolExecutorTest.test_python_finalization_error": Difference(
        "takes the threads away from the queues of the original, which ours has not; its tasks then run, and raise",
        TypeError,
    ),
    "ProcessPoolExecutorTest.test_shutdown_no_wait_max_tasks_gh119592": Difference(
        _DROPPED, AssertionError, AttributeError, since=(3, 14, 10)
    ),
    "ProcessPoolShutdownTest.test_del_shutdown": Difference("joins _executor_manager_thread and _call_queue"),
    "ProcessPoolShutdownTest.test_shutdown_gh_132969_case_1": Difference(
        "joins _executor_manager_thread", since=(3, 14, 10)
    ),
    "ProcessPoolShutdownTest.test_shutdown_gh_132969_case_2": Difference(
        "joins _executor_manager_thread", since=(3, 14, 10)
    ),
    "ProcessPoolShutdownTest.test_shutdown_no_wait": Difference("joins _executor_manager_thread and _call_queue"),
    "TestPoolNotLeakOnFailure.test_release_unused_processes": Difference(
        "gives a mock for a context, without a start method, and expects the pool to make its workers by the mock's "
        "Process; ours come from a template (docs/differences.md, Pool.Process), and the mock is refused",
        ValueError,
    ),
}
