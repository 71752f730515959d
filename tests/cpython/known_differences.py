"""CPython's tests that do not pass with ours, each with the reason. Nothing else may fail, and none of these may pass.

Two reasons count: a test that reaches into private parts of the standard library's pools, which ours do not have, and
one that demands that the pool breaks: at a worker's death, or at an object that cannot be unpickled, where ours costs
the one task.
"""

from __future__ import annotations

import pickle
from typing import NamedTuple


class Difference(NamedTuple):
    """Why a test does not pass.

    Attributes:
        reason: What it looks for.
        raises: How it ends; another end is a failure. None if it does not end, and so is not run.
        since: The first CPython that we know to have it, for the check that no name here is out of date.
    """

    reason: str
    raises: type[BaseException] | tuple[type[BaseException], ...] | None = AttributeError
    since: tuple[int, int, int] = (3, 13, 0)


_UNPICKLING = "demands that an object that cannot be unpickled breaks the pool; ours raises what it raised"

# By the class that defines the test, whatever the start method.
KNOWN_DIFFERENCES = {
    "ExecutorDeadlockTest.test_error_at_task_unpickle": Difference(_UNPICKLING, pickle.UnpicklingError),
    "ExecutorDeadlockTest.test_error_during_result_unpickle_in_result_handler": Difference(
        _UNPICKLING, pickle.UnpicklingError
    ),
    "ExecutorDeadlockTest.test_exit_at_task_unpickle": Difference(_UNPICKLING, SystemExit),
    "ExecutorDeadlockTest.test_exit_during_result_unpickle_in_result_handler": Difference(_UNPICKLING, SystemExit),
    "ExecutorDeadlockTest.test_shutdown_deadlock_pickle": Difference("joins _executor_manager_thread"),
    "ProcessPoolExecutorTest.test_broken_process_pool_traceback": Difference(
        "demands that a killed worker breaks the pool, and waits for that", None, since=(3, 14, 10)
    ),
    "ProcessPoolExecutorTest.test_failed_worker_replacement_breaks_pool": Difference(
        "joins _executor_manager_thread, patches _spawn_worker", (AssertionError, AttributeError), since=(3, 14, 10)
    ),
    "ProcessPoolExecutorTest.test_force_shutdown_during_max_tasks_worker_exit": Difference(
        "joins _executor_manager_thread, sets _force_shutting_down", (AssertionError, AttributeError), since=(3, 14, 10)
    ),
    "ProcessPoolExecutorTest.test_gc_during_max_tasks_worker_exit_gh152967": Difference(
        "joins _executor_manager_thread", (AssertionError, AttributeError), since=(3, 14, 10)
    ),
    "ProcessPoolExecutorTest.test_killed_child": Difference(
        "demands that a killed worker breaks the pool", AssertionError
    ),
    "ProcessPoolExecutorTest.test_python_finalization_error": Difference(
        "takes the threads away from the queues of the original, which ours has not; its tasks then run, and raise",
        TypeError,
    ),
    "ProcessPoolExecutorTest.test_shutdown_no_wait_max_tasks_gh119592": Difference(
        "joins _executor_manager_thread", (AssertionError, AttributeError), since=(3, 14, 10)
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
        "gives a mock for a context, whose processes it expects the pool to make", ValueError
    ),
}
