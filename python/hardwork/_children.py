"""Workers among the children that `multiprocessing.active_children()` lists."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from multiprocessing import process as mp_process
from typing import Any

_pools: weakref.WeakSet[Any] = weakref.WeakSet()


class _Children(set[Any]):
    """multiprocessing's set of its children; whoever iterates over it sees the workers of living pools too.

    They come and go without anybody being told, so they are asked for rather than kept.
    """

    def __iter__(self) -> Iterator[Any]:
        own = [worker for pool in list(_pools) for worker in pool._living_workers()]
        return iter([*super().__iter__(), *own])


def watch(pool: Any) -> None:
    """Lists the workers of a pool from now on, in this process.

    Args:
        pool: A pool with a method ``_living_workers``; not kept alive.
    """
    _pools.add(pool)
    module: Any = mp_process
    # A child process begins with a set of its own.
    if type(module._children) is not _Children:
        module._children = _Children(module._children)
