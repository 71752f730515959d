"""AsyncResult.stop: calls and maps of a Pool that are ended by hand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import hardwork
import pytest
from hardwork import TaskStopped
from helpers import Gate, append_line, deaf, double, poll, read_lines, spin, wait_at


@pytest.fixture
def single(context: Any) -> Iterator[Any]:
    """A Pool with one worker."""
    with hardwork.Pool(1, context=context) as pool:
        yield pool


def note_and_spin(path: str, gate: Gate, number: int) -> None:
    append_line(path, number)
    spin(gate)


def test_a_call_that_has_not_started(single: Any, gate: Gate) -> None:
    running = single.apply_async(wait_at, (gate,))
    gate.wait_for(1)
    told: list[BaseException] = []
    plain = single.apply_async(double, (1,))
    called = single.apply_async(double, (2,), error_callback=told.append)
    assert plain.stop() is True
    assert called.stop() is True
    for result in (plain, called):
        with pytest.raises(TaskStopped, match="stopped before it had started"):
            result.get()
        assert result.ready()
        assert not result.successful()
        assert result.stop() is False
    assert [type(error) for error in told] == [TaskStopped]
    gate.open()
    running.get()
    assert single.apply(double, (3,)) == 6


def test_a_call_that_runs(single: Any, gate: Gate) -> None:
    told: list[BaseException] = []
    result = single.apply_async(spin, (gate,), error_callback=told.append)
    gate.wait_for(1)
    assert result.stop() is True
    with pytest.raises(TaskStopped, match="was stopped"):
        result.get()
    assert [type(error) for error in told] == [TaskStopped]
    (pid,) = gate.entered()
    assert single.apply(os.getpid) == pid  # nobody was killed


def test_a_call_that_does_not_heed(single: Any, gate: Gate) -> None:
    result = single.options(grace=0.05).apply_async(deaf, (gate,))
    gate.wait_for(1)
    assert result.stop() is True
    with pytest.raises(TaskStopped, match=r"did not end by itself: worker \d+ was killed"):
        result.get()
    assert single.apply(double, (4,)) == 8


def test_a_call_that_has_ended(single: Any) -> None:
    result = single.apply_async(double, (4,))
    result.wait()
    assert result.stop() is False
    assert result.get() == 8


def test_a_map(single: Any, gate: Gate, tmp_path: Any) -> None:
    path = str(tmp_path / "log")
    told: list[BaseException] = []
    work = [(path, gate, number) for number in range(1000)]
    result = single.starmap_async(note_and_spin, work, error_callback=told.append)
    gate.wait_for(1)
    assert result.stop() is True
    with pytest.raises(TaskStopped):
        result.get()
    assert [type(error) for error in told] == [TaskStopped]
    assert result.stop() is False
    assert single.apply(double, (4,)) == 8
    assert read_lines(path) == ["0"]


def test_a_map_that_does_not_heed(single: Any, gate: Gate) -> None:
    result = single.options(grace=0.05).map_async(deaf, [gate] * 100)
    gate.wait_for(1)
    pid = gate.entered()[0]
    assert result.stop() is True
    with pytest.raises(TaskStopped):
        result.get()
    poll(lambda: not os.path.exists(f"/proc/{pid}"))
    assert single.apply(double, (4,)) == 8
    assert single.stats().done == 1


def test_a_map_between_its_items(single: Any) -> None:
    for _ in range(50):
        result = single.map_async(double, range(20_000), chunksize=1)
        stopped = result.stop()
        if stopped:
            with pytest.raises(TaskStopped):
                result.get()
        else:
            assert result.get() == list(range(0, 40_000, 2))
        assert single.apply(double, (4,)) == 8


def test_a_map_that_waits_for_another(single: Any, gate: Gate) -> None:
    running = single.apply_async(wait_at, (gate,))
    gate.wait_for(1)
    result = single.map_async(double, range(100))
    assert result.stop() is True
    with pytest.raises(TaskStopped, match="the map was stopped"):
        result.get()
    gate.open()
    running.get()


def test_a_result_of_a_pool_that_was_terminated(context: Any, gate: Gate) -> None:
    pool = hardwork.Pool(1, context=context)
    result = pool.apply_async(spin, (gate,))
    gate.wait_for(1)
    pool.terminate()
    assert result.stop() is False
    pool.join()
