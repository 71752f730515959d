"""A backend for joblib, and so for scikit-learn: ``import hardwork.joblib`` registers it under the name "hardwork".

Example:
    >>> import hardwork.joblib
    >>> with joblib.parallel_config(backend="hardwork"):
    ...     search.fit(X, y)

As with joblib's own backend, loky: workers are clean interpreters that do not import the program's main file, what is
defined there travels by value, native thread pools are limited in workers, and the workers stay for the next call.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import pickle
import queue
import threading
import weakref
from collections.abc import Callable
from typing import Any

import cloudpickle
from joblib import register_parallel_backend
from joblib.parallel import AutoBatchingMixin, FallbackToBackend, ParallelBackendBase, SequentialBackend

from hardwork._joblib_task import run_batch
from hardwork._joblib_workers import Lease, Wanted, end_idle
from hardwork._limits import cpu_count
from hardwork._picklers import REFUSALS, collector, pickle_by_value, pickle_plainly

__all__ = ["HardworkBackend", "shutdown"]


class HardworkBackend(AutoBatchingMixin, ParallelBackendBase):  # type: ignore[misc]  # joblib has no types
    """Runs joblib's batches in hardwork's workers.

    Args:
        idle_worker_timeout: Seconds that workers stay when no call needs them.
        **options: joblib's own.
    """

    supports_retrieve_callback = True
    supports_inner_max_num_threads = True

    # loky's batches are long enough to hide what each costs there. Here it is less, so that they can be short, which
    # leaves more to share out.
    MIN_IDEAL_BATCH_DURATION = 0.01
    MAX_IDEAL_BATCH_DURATION = 0.2

    def __init__(self, *, idle_worker_timeout: float = 300, **options: Any) -> None:
        super().__init__(**options)
        self._idle_seconds = idle_worker_timeout
        # One backend serves all calls in a block of `parallel_config`. A generator's is under way while others come.
        self._lock = threading.Lock()
        self._calls = 0
        self._lease: Lease | None = None
        self._callers: weakref.WeakSet[Any] = weakref.WeakSet()

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

    def configure(
        self, n_jobs: int = 1, parallel: Any = None, idle_worker_timeout: float | None = None, **unused: Any
    ) -> int:
        """Makes ready for a call of Parallel, or for a ``with`` block of it.

        Args:
            n_jobs: How many workers are asked for.
            parallel: The caller.
            idle_worker_timeout: As for the constructor. Default: what that was given.
            **unused: Options of other backends.

        Returns:
            How many there are.

        Raises:
            FallbackToBackend: One worker would do: joblib then makes the calls one after another, here.
        """
        n_jobs = self.effective_n_jobs(n_jobs)
        if n_jobs == 1:
            raise FallbackToBackend(SequentialBackend(nesting_level=self.nesting_level))
        self.parallel = parallel
        idle_seconds = self._idle_seconds if idle_worker_timeout is None else idle_worker_timeout
        wanted = Wanted(n_jobs, self._prepare_worker_env(n_jobs=n_jobs), idle_seconds)
        with self._lock:
            if parallel is not None:
                self._callers.add(parallel)
            self._calls += 1
            if self._lease is None:
                self._lease = Lease(wanted)
        return n_jobs

    def submit(
        self, func: Callable[[], Any], callback: Callable[[Any], Any] | None = None
    ) -> concurrent.futures.Future[Any]:
        """Starts a batch. Never raises: nobody would see it in the thread in which joblib sends later batches.

        Args:
            func: The batch.
            callback: Called with the future when it is done.

        Returns:
            The future; a failed one if the batch cannot be sent.
        """
        lease = self._lease
        try:
            if lease is None:
                raise RuntimeError("this call of Parallel has ended")
            return lease.submit(callback, run_batch, *_dumps(func))
        except Exception as error:
            future: concurrent.futures.Future[Any] = concurrent.futures.Future()
            future.set_exception(error)
        if callback is not None:
            future.add_done_callback(callback)
        return future

    apply_async = submit  # its name before joblib 1.5

    def retrieve_result_callback(self, out: concurrent.futures.Future[Any]) -> Any:
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

    def abort_everything(self, ensure_ready: bool = True) -> None:
        """Ends what is under way, since a call has failed, or its generator was dropped.

        Args:
            ensure_ready: Whether further batches may come. They may in any case.
        """
        if self._lease is not None:
            self._lease.abort()
        # joblib cuts batches before it sends them, and leaves those of a failed call to its caller's next (with loky
        # too). No callback of this call is under way any more that could cut others.
        with self._lock:
            callers = list(self._callers)
        for parallel in callers:
            if getattr(parallel, "_aborting", False):  # it has none before its first call
                _forget_batches(parallel)

    def terminate(self) -> None:
        """Ends a call of Parallel, or a block of it; the workers stay for the next one."""
        with self._lock:
            # A generator that outlives its ``with`` block ends it once more.
            self._calls = max(self._calls - 1, 0)
            if self._calls > 0:
                return
            lease, self._lease = self._lease, None
        if lease is not None:
            lease.release()
        self.reset_batch_stats()


def _dumps(batch: object) -> tuple[bytes, list[pickle.PickleBuffer]]:
    """Pickles a batch for workers that have a `__main__` of their own."""
    buffers: list[pickle.PickleBuffer] = []
    if not cloudpickle.list_registry_pickle_by_value():
        try:
            data = pickle_plainly(batch, collector(buffers))
            # Every global is named in full in a pickle. Bytes that are there for another reason do no harm.
            if b"__main__" not in data:
                return data, buffers
        except REFUSALS:
            pass  # functions without a name, for instance
        buffers = []
    return pickle_by_value(batch, collector(buffers), main_by_reference=False), buffers


def _forget_batches(parallel: Any) -> None:
    """Drops what a call of Parallel has cut of its input and not sent."""
    with parallel._lock, contextlib.suppress(queue.Empty):
        while True:
            parallel._ready_batches.get(block=False)


def shutdown() -> None:
    """Ends the workers that stayed for the next call, and waits until they have ended. The next call makes others."""
    end_idle()


register_parallel_backend("hardwork", HardworkBackend)
