"""terminate_workers and kill_workers: everything ends at once."""

from __future__ import annotations

from concurrent.futures import CancelledError
from concurrent.futures.process import BrokenProcessPool
from typing import Any
from unittest.mock import Mock

import pytest
from helpers import Gate, double, wait_at
from leaks import wait_until_gone


@pytest.mark.parametrize("how", ["terminate_workers", "kill_workers"])
@pytest.mark.parametrize("state", ["never used", "idle", "busy"])
def test_everything_ends(hardwork_class: Any, tmp_path: Any, how: str, state: str) -> None:
    gate = Gate(tmp_path)
    pool = hardwork_class(2)
    futures, pids = [], []
    if state == "idle":
        assert pool.submit(double, 1).result() == 2
    if state == "busy":
        futures = [pool.submit(wait_at, gate) for _ in range(50)]
        pids = gate.wait_for(2)
    getattr(pool, how)()
    for future in futures:
        with pytest.raises((BrokenProcessPool, CancelledError)):
            future.result()
    assert wait_until_gone(pids) == []
    with pytest.raises(RuntimeError):
        pool.submit(double, 1)
    pool.shutdown()
    getattr(pool, how)()
    assert len(gate.entered()) == len(pids)


@pytest.mark.parametrize("how", ["terminate", "kill"])
def test_it_is_done_by_the_methods_of_the_workers(hardwork_class: Any, tmp_path: Any, how: str) -> None:
    """They may have been replaced, on the objects that are in _processes."""
    gate = Gate(tmp_path)
    pool = hardwork_class(1)
    future = pool.submit(wait_at, gate)
    gate.wait_for(1)
    (worker,) = pool._processes.values()
    method = Mock(wraps=getattr(worker, how))
    setattr(worker, how, method)
    getattr(pool, f"{how}_workers")()
    with pytest.raises(BrokenProcessPool):
        future.result()
    method.assert_called_once_with()
    pool.shutdown()
