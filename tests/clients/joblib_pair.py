"""The same call of joblib's with loky and with our backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hardwork.joblib  # noqa: F401  # registers the backend
import joblib

BACKENDS = ["loky", "hardwork"]


def both(job: Callable[[], Any], **options: Any) -> tuple[Any, Any]:
    """Does a job in which Parallel is called; returns loky's results and ours."""
    results = []
    for backend in BACKENDS:
        with joblib.parallel_config(backend=backend, n_jobs=2, **options):
            results.append(job())
    return results[0], results[1]


def ours(**options: Any) -> Any:
    return joblib.parallel_config(backend="hardwork", **{"n_jobs": 2, **options})
