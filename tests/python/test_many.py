"""Large numbers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, as_completed, wait
from typing import Any

from helpers import divide_by, double, log, read_lines


def test_200_000_submits_then_results(pool: Any) -> None:
    futures = [pool.submit(double, number) for number in range(200_000)]
    assert [future.result() for future in futures] == list(range(0, 400_000, 2))


def test_200_000_with_keywords_and_objects(pool: Any) -> None:
    futures = [pool.submit(pow, number, 2, mod=97) for number in range(100_000)]
    texts = [pool.submit(str.upper, f"text {number}") for number in range(100_000)]
    assert [future.result() for future in futures] == [pow(number, 2, 97) for number in range(100_000)]
    assert [future.result() for future in texts] == [f"TEXT {number}" for number in range(100_000)]


def test_a_map_of_a_million(pool: Any) -> None:
    assert list(pool.map(double, range(1_000_000))) == list(range(0, 2_000_000, 2))


def test_a_map_of_a_million_from_a_generator(pool: Any) -> None:
    assert sum(pool.map(double, (number for number in range(1_000_000)))) == 999_999 * 1_000_000


def test_64_threads(pool: Any) -> None:
    def work(number: int) -> int:
        futures = [pool.submit(double, number * 1000 + offset) for offset in range(1000)]
        return sum(future.result() for future in futures)

    with ThreadPoolExecutor(64) as threads:
        sums = list(threads.map(work, range(64)))
    assert sums == [2 * sum(range(number * 1000, number * 1000 + 1000)) for number in range(64)]


def test_64_threads_with_maps(pool: Any) -> None:
    with ThreadPoolExecutor(64) as threads:
        sums = list(threads.map(lambda number: sum(pool.map(double, range(number))), range(0, 6400, 100)))
    assert sums == [number * (number - 1) for number in range(0, 6400, 100)]


def test_each_of_many_runs_exactly_once(pool: Any, tmp_path: Any) -> None:
    path = str(tmp_path / "log")
    futures = [pool.submit(log, path, number) for number in range(20_000)]
    done, not_done = wait(futures)
    assert (len(done), len(not_done)) == (20_000, 0)
    assert sorted(map(int, read_lines(path))) == list(range(20_000))


def test_as_completed_of_many(pool: Any) -> None:
    futures = [pool.submit(double, number) for number in range(20_000)]
    assert sum(future.result() for future in as_completed(futures)) == 19_999 * 20_000


def test_callbacks_of_many(pool: Any) -> None:
    seen: list[int] = []
    futures = [pool.submit(double, number) for number in range(20_000)]
    for future in futures:
        future.add_done_callback(lambda future: seen.append(future.result()))
    pool.shutdown()
    assert sorted(seen) == list(range(0, 40_000, 2))


def test_many_exceptions(pool: Any) -> None:
    futures = [pool.submit(divide_by, 0) for _ in range(5000)]
    assert {type(future.exception()) for future in futures} == {ZeroDivisionError}


def test_32_workers(hardwork_class: Any) -> None:
    with hardwork_class(32) as pool:
        assert list(pool.map(double, range(100_000))) == list(range(0, 200_000, 2))
        futures = [pool.submit(double, number) for number in range(10_000)]
        assert [future.result() for future in futures] == list(range(0, 20_000, 2))


def test_cancelling_many(pool: Any) -> None:
    futures = [pool.submit(double, number) for number in range(100_000)]
    cancelled = sum(future.cancel() for future in reversed(futures))
    done, _ = wait(futures)
    assert len(done) == 100_000
    assert sum(future.cancelled() for future in futures) == cancelled
    assert all(future.cancelled() or future.result() == 2 * number for number, future in enumerate(futures))
