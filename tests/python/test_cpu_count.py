"""cpu_count(): the CPUs that this process may really use."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hardwork import cpu_count


def test_at_least_one_and_no_more_than_the_affinity_allows() -> None:
    assert 1 <= cpu_count() <= len(os.sched_getaffinity(0))


def test_a_smaller_affinity() -> None:
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert cpu_count() == 1
    finally:
        os.sched_setaffinity(0, allowed)


def test_it_is_the_default_number_of_workers(hardwork_class: Any) -> None:
    with hardwork_class() as pool:
        assert pool._max_workers == cpu_count()
    with hardwork_class(None) as pool:
        assert pool._max_workers == cpu_count()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_in_a_worker(hardwork_class: Any, method: str) -> None:
    import multiprocessing

    with hardwork_class(1, mp_context=multiprocessing.get_context(method)) as pool:
        assert pool.submit(cpu_count).result() == cpu_count()
