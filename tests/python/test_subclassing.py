"""Executors whose submit somebody has put in front of: a subclass, or tqdm on the instance."""

from __future__ import annotations

import concurrent.futures
from typing import Any

import pytest
from helpers import divide_by, double


def test_map_goes_through_a_submit_replaced_on_the_instance(executor: Any) -> None:
    original = executor.submit
    calls: list[tuple[Any, ...]] = []

    def counting(fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        calls.append(args)
        return original(fn, *args, **kwargs)

    executor.submit = counting
    assert list(executor.map(double, range(20))) == [2 * number for number in range(20)]
    assert len(calls) == 20
    del executor.submit
    assert list(executor.map(double, range(20))) == [2 * number for number in range(20)]
    assert len(calls) == 20


def test_exceptions_come_through_a_replaced_submit(executor: Any) -> None:
    original = executor.submit
    executor.submit = lambda fn, *args: original(fn, *args)
    results = executor.map(divide_by, [4, 0, 5])
    assert next(results) == 25
    with pytest.raises(ZeroDivisionError):
        next(results)
    del executor.submit  # it holds the executor in a cycle


def test_map_goes_through_the_submit_of_a_subclass(executor_class: Any) -> None:
    class Counting(executor_class):  # type: ignore[misc]
        count = 0

        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            self.count += 1
            return super().submit(fn, *args, **kwargs)

    with Counting(2) as pool:
        assert pool.submit(double, 1).result() == 2
        assert list(pool.map(double, range(10))) == [2 * number for number in range(10)]
        assert pool.count == 11


def test_a_subclass_with_its_own_constructor_and_attributes(executor_class: Any) -> None:
    class Named(executor_class):  # type: ignore[misc]
        def __init__(self, name: str, **options: Any) -> None:
            self.name = name
            super().__init__(**options)

    with Named("mine", max_workers=1) as pool:
        assert pool.name == "mine"
        assert pool.submit(double, 3).result() == 6
        assert isinstance(pool, executor_class)


def test_a_subclass_that_never_called_the_constructor(hardwork_class: Any) -> None:
    class Forgetful(hardwork_class):  # type: ignore[misc]
        def __init__(self) -> None:
            pass

    pool = Forgetful()
    with pytest.raises((AttributeError, RuntimeError, TypeError)):
        pool.submit(double, 1)


def test_it_is_the_standard_librarys_class(hardwork_class: Any) -> None:
    assert issubclass(hardwork_class, concurrent.futures.ProcessPoolExecutor)
    assert issubclass(hardwork_class, concurrent.futures.Executor)
    assert hardwork_class.__name__ == "ProcessPoolExecutor"


def test_what_clients_read_from_it(executor_class: Any, context: Any) -> None:
    with executor_class(3, mp_context=context) as pool:
        assert pool._max_workers == 3
        assert pool._mp_context is context
        assert pool.submit(double, 1).result() == 2
        assert isinstance(pool._processes, dict)
        assert all(isinstance(pid, int) for pid in pool._processes)
        assert 1 <= len(pool._processes) <= 3


def test_the_processes_it_shows(pool: Any) -> None:
    from helpers import own_pid

    pids = {pool.submit(own_pid).result() for _ in range(20)}
    assert pids <= set(pool._processes)
    for pid, process in pool._processes.items():
        assert process.pid == pid
        assert process.is_alive()


def test_a_map_replaced_on_the_instance(executor: Any) -> None:
    original = executor.map
    calls: list[Any] = []

    def noting(fn: Any, *iterables: Any, **options: Any) -> Any:
        calls.append(fn)
        return original(fn, *iterables, **options)

    executor.map = noting
    assert list(executor.map(double, [1, 2], timeout=50)) == [2, 4]
    assert executor.submit(double, 3).result() == 6
    assert calls == [double]
    del executor.map  # it holds the executor in a cycle


def test_a_map_of_a_subclass(executor_class: Any) -> None:
    class Sorted(executor_class):  # type: ignore[misc]
        def map(self, fn: Any, *iterables: Any, **options: Any) -> Any:
            return iter(sorted(super().map(fn, *iterables, **options), reverse=True))

        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            return super().submit(fn, *args, **kwargs)

    with Sorted(2) as pool:
        assert list(pool.map(double, [1, 3, 2])) == [6, 4, 2]


POOL_METHODS = {
    "apply": ((2,),),
    "apply_async": ((2,),),
    "map": ([2],),
    "map_async": ([2],),
    "starmap": ([(2,)],),
    "starmap_async": ([(2,)],),
    "imap": ([2],),
    "imap_unordered": ([2],),
}


def noting_pool(pool_class: Any) -> Any:
    """A subclass whose methods tell of their calls, also of those by other methods."""
    calls: list[str] = []

    def method(name: str) -> Any:
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            calls.append(name)
            return getattr(pool_class, name)(self, *args, **kwargs)

        return call

    return type("Noting", (pool_class,), {**{name: method(name) for name in POOL_METHODS}, "calls": calls})


@pytest.mark.parametrize("name", POOL_METHODS)
def test_methods_of_a_pools_subclass(pool_class: Any, name: str) -> None:
    with noting_pool(pool_class)(1) as pool:
        result = getattr(pool, name)(double, *POOL_METHODS[name])
        if name.endswith("async"):
            result = result.get()
        elif name.startswith("imap"):
            result = list(result)
        assert result == (4 if name.startswith("apply") else [4])
        # As with the original: the one that is defined by another goes through it, and no other does.
        assert pool.calls == (["apply", "apply_async"] if name == "apply" else [name])


def test_methods_replaced_on_a_pool(any_pool: Any) -> None:
    original = any_pool.apply_async
    calls: list[Any] = []

    def noting(*args: Any, **kwargs: Any) -> Any:
        calls.append(args)
        return original(*args, **kwargs)

    any_pool.apply_async = noting
    assert any_pool.apply(double, (2,)) == 4
    assert calls == [(double, (2,), {})]
    any_pool.map = lambda func, items: [func(item) + 1 for item in items]
    assert any_pool.map(double, [1]) == [3]
    assert any_pool.starmap(double, [(1,)]) == [2]
    del any_pool.apply_async, any_pool.map
