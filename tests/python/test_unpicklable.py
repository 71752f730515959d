"""What cannot travel: its own future's error, and everything else goes on."""

from __future__ import annotations

import threading
from typing import Any, NoReturn

import pytest
from hardwork import RemoteError
from helpers import double, identity


class RaisesWhenPickled:
    def __reduce__(self) -> NoReturn:
        raise RuntimeError("refuses to be pickled")


class RaisesWhenUnpickled:
    def __reduce__(self) -> Any:
        return raise_now, ("refuses to be unpickled",)


def raise_now(text: str) -> NoReturn:
    raise LookupError(text)


def make(kind: type) -> Any:
    return kind()


def neighbours_are_fine(pool: Any, bad: Any) -> BaseException:
    """Submits a bad task among good ones, and returns its error."""
    before = [pool.submit(double, number) for number in range(50)]
    future = pool.submit(*bad)
    after = [pool.submit(double, number) for number in range(50)]
    for futures in (before, after):
        assert [good.result() for good in futures] == [2 * number for number in range(50)]
    error = future.exception()
    assert error is not None
    return error


def test_an_argument_that_raises_when_pickled(executor: Any) -> None:
    error = neighbours_are_fine(executor, (identity, RaisesWhenPickled()))
    assert type(error) is RuntimeError
    assert "refuses to be pickled" in str(error)


def test_an_argument_of_a_kind_that_does_not_pickle(executor: Any) -> None:
    error = neighbours_are_fine(executor, (identity, threading.Lock()))
    assert isinstance(error, TypeError)
    assert "lock" in str(error)


def test_items_of_a_map_fail_by_the_iterator_and_not_at_the_call(executor: Any) -> None:
    results = executor.map(identity, [1, RaisesWhenPickled(), 3])
    assert next(results) == 1
    with pytest.raises(RuntimeError, match="refuses to be pickled"):
        next(results)
    assert executor.submit(double, 1).result() == 2


@pytest.mark.parametrize("bad", [RaisesWhenPickled, threading.Lock])
def test_arguments_of_a_pool_fail_by_the_result_and_not_at_the_call(any_pool: Any, bad: Any) -> None:
    results = [
        any_pool.apply_async(identity, (bad(),)),
        any_pool.apply_async(identity, (), {"value": bad()}),
        any_pool.map_async(identity, [1, bad(), 3], 1),
        any_pool.starmap_async(identity, [(1,), (bad(),)], 1),
    ]
    iterators = [any_pool.imap(identity, [bad()]), any_pool.imap_unordered(identity, [bad()])]
    for get in [result.get for result in results] + [iterator.next for iterator in iterators]:
        with pytest.raises((RuntimeError, TypeError), match="pickle"):
            get(50)
    assert any_pool.apply(identity, (1,)) == 1


def test_an_argument_that_raises_when_unpickled(pool: Any) -> None:
    error = neighbours_are_fine(pool, (identity, RaisesWhenUnpickled()))
    assert type(error) is LookupError
    assert "refuses to be unpickled" in str(error)


def test_a_result_of_a_kind_that_does_not_pickle(pool: Any) -> None:
    error = neighbours_are_fine(pool, (threading.Lock,))
    assert "lock" in str(error)


def test_a_result_that_raises_when_pickled_is_named(pool: Any) -> None:
    error = neighbours_are_fine(pool, (make, RaisesWhenPickled))
    text = f"{error} {error.__cause__} {getattr(error, '__notes__', '')}"
    assert "RaisesWhenPickled" in text
    assert "refuses to be pickled" in text


def test_a_result_that_raises_when_unpickled(pool: Any) -> None:
    error = neighbours_are_fine(pool, (make, RaisesWhenUnpickled))
    assert "refuses to be unpickled" in f"{error} {error.__cause__}"


def test_the_workers_survive_all_of_it(pool: Any) -> None:
    from helpers import own_pid

    def workers() -> set[int]:
        return {future.result() for future in [pool.submit(own_pid) for _ in range(50)]}

    first = workers()
    for bad in [(identity, RaisesWhenPickled()), (identity, RaisesWhenUnpickled()), (make, RaisesWhenUnpickled)] * 5:
        assert pool.submit(*bad).exception() is not None
    assert len(first | workers()) <= 2


class TwoArgumentsError(Exception):
    """Pickles, but does not unpickle: its arguments are not those of its constructor."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} and {second}")


def raise_two() -> NoReturn:
    raise TwoArgumentsError("one", "two")


class HoldsALockError(Exception):
    def __init__(self) -> None:
        super().__init__("held by a lock", threading.Lock())


def raise_held() -> NoReturn:
    raise HoldsALockError


@pytest.mark.parametrize("function", [raise_two, raise_held], ids=lambda function: function.__name__)
def test_an_exception_that_cannot_travel(pool: Any, function: Any) -> None:
    error = neighbours_are_fine(pool, (function,))
    assert isinstance(error, (TwoArgumentsError, HoldsALockError, RemoteError))
    assert {"raise_two": "one and two", "raise_held": "held by a lock"}[function.__name__] in str(error)
    assert function.__name__ in str(error.__cause__)
    if isinstance(error, RemoteError):
        assert "Error" in str(error)
        assert error.type_name.rpartition(".")[2] in ("TwoArgumentsError", "HoldsALockError")


def test_in_a_map(pool: Any) -> None:
    items = [1, 2, RaisesWhenPickled(), 4]
    results = pool.map(identity, items)
    assert (next(results), next(results)) == (1, 2)
    with pytest.raises(RuntimeError, match="refuses to be pickled"):
        next(results)
    assert list(pool.map(double, range(10))) == [2 * number for number in range(10)]


def test_in_results_of_a_map(pool: Any) -> None:
    results = pool.map(lambda number: RaisesWhenUnpickled() if number == 50 else number, range(100))
    assert [next(results) for _ in range(50)] == list(range(50))
    with pytest.raises(Exception, match="refuses to be unpickled"):
        next(results)
    assert list(pool.map(double, range(10))) == [2 * number for number in range(10)]


class SubmitsWhenPickled:
    """Code that runs in the middle of a submit, and submits."""

    def __init__(self, pool: Any) -> None:
        self.pool = pool

    def __reduce__(self) -> Any:
        return int, (self.pool.submit(double, 21).result(),)


def test_pickling_that_submits_and_waits(pool: Any) -> None:
    assert pool.submit(identity, SubmitsWhenPickled(pool)).result() == 42


class SubmitsWhenUnpickled:
    """The same in the parent, while a result is being decoded."""

    pool: Any = None

    def __reduce__(self) -> Any:
        return submit_here, ()


def submit_here() -> int:
    return int(SubmitsWhenUnpickled.pool.submit(double, 21).result())


def test_unpickling_that_submits_and_waits(pool: Any) -> None:
    SubmitsWhenUnpickled.pool = pool
    try:
        assert pool.submit(make, SubmitsWhenUnpickled).result() == 42
    finally:
        SubmitsWhenUnpickled.pool = None
