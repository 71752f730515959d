"""Process pools on one C++ engine: `ProcessPoolExecutor` as in `concurrent.futures`, fast enough for small tasks too.

Example:
    >>> from hardwork import ProcessPoolExecutor
    >>> with ProcessPoolExecutor() as pool:
    ...     roots = list(pool.map(math.sqrt, range(1_000_000)))
"""

from hardwork._limits import check_platform, cpu_count

check_platform()

from hardwork._engine import AsyncResult, Future, __version__  # noqa: E402  # not on a platform that was just refused
from hardwork._install import install, uninstall  # noqa: E402
from hardwork._stats import PoolStats  # noqa: E402
from hardwork.errors import (  # noqa: E402
    BrokenProcessPool,
    PoolTerminated,
    RemoteError,
    TaskStopped,
    TaskTimeout,
    WorkerDied,
    WorkerMemoryExceeded,
)
from hardwork.executor import ProcessPoolExecutor  # noqa: E402
from hardwork.pool import Pool  # noqa: E402

__all__ = [
    "AsyncResult",
    "BrokenProcessPool",
    "Future",
    "Pool",
    "PoolStats",
    "PoolTerminated",
    "ProcessPoolExecutor",
    "RemoteError",
    "TaskStopped",
    "TaskTimeout",
    "WorkerDied",
    "WorkerMemoryExceeded",
    "__version__",
    "cpu_count",
    "install",
    "uninstall",
]


def __getattr__(name: str) -> object:
    if name == "aio":  # with asyncio only where it is used: that takes longer to import than all of this
        import importlib

        return importlib.import_module("hardwork.aio")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
