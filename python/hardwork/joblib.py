"""A backend for joblib, and so for scikit-learn: ``import hardwork.joblib`` registers it under the name "hardwork".

Example:
    >>> import hardwork.joblib
    >>> with joblib.parallel_config(backend="hardwork"):
    ...     search.fit(X, y)

As with joblib's own backend, loky: workers are clean interpreters that do not import the program's main file, functions
travel by cloudpickle, and the workers stay for the next call.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import threading
from collections.abc import Callable
from typing import Any

import cloudpickle
from joblib import register_parallel_backend
from joblib._parallel_backends import (
    AutoBatchingMixin,
    FallbackToBackend,
    ParallelBackendBase,
    SequentialBackend,
)

from hardwork import _engine
from hardwork._limits import cpu_count
from hardwork._worker import CLEAN_EXECUTOR
from hardwork.executor import ProcessPoolExecutor

# Buffers smaller than this go along in the pickle.
_LARGE_BUFFER = 1 << 14


class _Executor(ProcessPoolExecutor):
    _face = CLEAN_EXECUTOR


def _limit_threads(environment: dict[str, str]) -> None:
    """Runs in each worker: native thread pools together shall use no more than the CPUs that there are."""
    os.environ.update(environment)
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return  # then only libraries that are loaded from now on heed it
    threadpool_limits(int(environment["OMP_NUM_THREADS"]))


def _run_batch(data: bytes, buffers: list[Any]) -> Any:
    return pickle.loads(data, buffers=buffers)()


_lock = threading.Lock()
_executor: _Executor | None = None
_key: tuple[int, tuple[tuple[str, str], ...]] | None = None


def _reusable_executor(workers: int, environment: dict[str, str]) -> _Executor:
    """Returns the process's executor; a new one if it had other workers, or if it cannot be used any more."""
    global _executor, _key
    key = workers, tuple(sorted(environment.items()))
    with _lock:
        usable = _executor is not None and not _executor._shutdown_thread and not _executor._broken
        if usable and _key == key and _executor is not None and _executor._pid in (0, os.getpid()):
            return _executor
        if _executor is not None:
            _executor.shutdown(wait=False)
        context = multiprocessing.get_context("forkserver")
        _executor, _key = _Executor(workers, context, _limit_threads, (environment,)), key
        return _executor


class HardworkBackend(AutoBatchingMixin, ParallelBackendBase):  # type: ignore[misc]  # joblib has no types
    """Runs joblib's batches in hardwork's workers."""

    supports_retrieve_callback = True
    supports_inner_max_num_threads = True

    # loky hides 100 us or so of overhead a batch; here there is a hundredth of that to hide, and short batches leave
    # more to share out.
    MIN_IDEAL_BATCH_DURATION = 0.01
    MAX_IDEAL_BATCH_DURATION = 0.2

    _workers: _Executor | None = None

    def effective_n_jobs(self, n_jobs: int | None) -> int:
        """Says how many workers there will be.

        Args:
            n_jobs: As given to joblib: a number, or -1 for all CPUs that this process may use, -2 for all but one.

        Returns:
            The number of workers.

        Raises:
            ValueError: n_jobs is 0.
        """
        if n_jobs == 0:
            raise ValueError("n_jobs == 0 in Parallel has no meaning; use -1 for all CPUs")
        if n_jobs is None:
            return 1
        return n_jobs if n_jobs > 0 else max(cpu_count() + 1 + n_jobs, 1)

    def configure(self, n_jobs: int = 1, parallel: Any = None, **unused: Any) -> int:
        """Makes the workers ready for a call of Parallel, or takes those of the last one.

        Args:
            n_jobs: How many are asked for.
            parallel: The caller.
            **unused: Options of other backends.

        Returns:
            How many there are.

        Raises:
            FallbackToBackend: One worker would do: joblib then runs the calls in turn, here.
        """
        n_jobs = self.effective_n_jobs(n_jobs)
        if n_jobs == 1:
            raise FallbackToBackend(SequentialBackend(nesting_level=self.nesting_level))
        self.parallel = parallel
        self._workers = _reusable_executor(n_jobs, self._prepare_worker_env(n_jobs=n_jobs))
        return n_jobs

    def submit(self, func: Callable[[], Any], callback: Callable[[Any], Any] | None = None) -> _engine.Future[Any]:
        """Starts a batch.

        Args:
            func: The batch.
            callback: Called with the future when it is done.

        Returns:
            The future.

        Raises:
            RuntimeError: Parallel was ended before.
        """
        if self._workers is None:
            raise RuntimeError("this call of Parallel has ended: a generator of results must not outlive it")
        buffers: list[pickle.PickleBuffer] = []

        def keep_inside(buffer: pickle.PickleBuffer) -> bool:
            if buffer.raw().nbytes < _LARGE_BUFFER:
                return True
            buffers.append(buffer)
            return False

        data = cloudpickle.dumps(func, protocol=5, buffer_callback=keep_inside)
        future = self._workers.submit(_run_batch, data, buffers)
        if callback is not None:
            future.add_done_callback(callback)
        return future

    apply_async = submit  # its name before joblib 1.5

    def retrieve_result_callback(self, out: _engine.Future[Any]) -> Any:
        """Gives a batch's results.

        Args:
            out: Its future.

        Returns:
            The results.

        Raises:
            WorkerDied: Its worker died.
            Exception: What one of its calls raised.
        """
        return out.result()

    def terminate(self) -> None:
        """Ends a call of Parallel; the workers stay for the next one."""
        self._workers = None
        self.reset_batch_stats()

    def abort_everything(self, ensure_ready: bool = True) -> None:
        """Ends the workers at once, since a call has failed and nobody wants the others' results.

        Args:
            ensure_ready: Whether new ones shall be ready for the next batch.
        """
        workers, self._workers = self._workers, None
        if workers is not None:
            workers.kill_workers()
        if ensure_ready:
            self.configure(n_jobs=self.parallel.n_jobs, parallel=self.parallel)


register_parallel_backend("hardwork", HardworkBackend)
