"""`install()`: both standard classes replaced in this process, for programs that shall not be changed."""

from __future__ import annotations

import concurrent.futures
import concurrent.futures.process
import multiprocessing.pool
import sys
from typing import Any

from hardwork.executor import ProcessPoolExecutor
from hardwork.pool import Pool

# multiprocessing.Pool and the contexts' Pool look the class up in multiprocessing.pool at each call.
_PLACES: tuple[tuple[Any, str, type], ...] = (
    (concurrent.futures, "ProcessPoolExecutor", ProcessPoolExecutor),
    (concurrent.futures.process, "ProcessPoolExecutor", ProcessPoolExecutor),
    (multiprocessing.pool, "Pool", Pool),
)

_originals: dict[tuple[str, str], Any] = {}


def install() -> None:
    """Puts hardwork's classes in the place of both standard ones, for this process and those that it forks.

    From then on `concurrent.futures.ProcessPoolExecutor`, `multiprocessing.Pool`, `multiprocessing.pool.Pool` and
    ``Pool`` of every context and of `multiprocessing.Manager()` make hardwork's pools. A module that has imported one
    of the names before keeps what it has. `multiprocessing.pool.ThreadPool` is not touched. Calling it again changes
    nothing.
    """
    for module, name, ours in _PLACES:
        found = getattr(module, name)
        if found is not ours:
            _originals[module.__name__, name] = found
            setattr(module, name, ours)
            _replace_in_managers(found, ours)


def uninstall() -> None:
    """Takes `install` back. Pools that were made meanwhile go on; calling it without `install` changes nothing."""
    for module, name, ours in _PLACES:
        original = _originals.pop((module.__name__, name), None)
        # Somebody may have put something else there meanwhile, which is not ours to remove.
        if original is not None and getattr(module, name) is ours:
            setattr(module, name, original)
            _replace_in_managers(ours, original)


def _replace_in_managers(before: type, now: type) -> None:
    """Replaces what a manager's `Pool` makes: the module has taken the class when it was imported."""
    managers: Any = sys.modules.get("multiprocessing.managers")
    if managers is None:
        return
    registry = managers.SyncManager._registry
    makes, *proxy = registry.get("Pool", (None,))
    if makes is before:
        registry["Pool"] = (now, *proxy)
