"""The workers' side of the joblib backend. Imports neither joblib nor NumPy before their threads are limited."""

from __future__ import annotations

import os
import pickle
import sys
from typing import Any


def limit_threads(environment: dict[str, str]) -> None:
    """Runs in each worker before anything else: native thread pools shall share the CPUs with the other workers.

    Args:
        environment: What the libraries read when they are loaded.
    """
    os.environ.update(environment)
    if "numpy" not in sys.modules:
        return
    # Somebody has had modules preloaded into all fork servers: too late for the environment.
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return
    threadpool_limits(int(environment["OMP_NUM_THREADS"]))


def run_batch(data: bytes, buffers: list[Any]) -> Any:
    """Runs a batch of calls.

    Args:
        data: The batch's pickle.
        buffers: Its large buffers.

    Returns:
        The list of results.

    Raises:
        Exception: What one of the calls raised.
    """
    # A task may use Parallel itself, with this backend by its name.
    import hardwork.joblib  # noqa: F401

    return pickle.loads(data, buffers=buffers)()
