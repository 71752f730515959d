"""One task, its value or its error."""

from __future__ import annotations

from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from operator import attrgetter, itemgetter
from typing import Any

import pytest
from helpers import add, describe_call, double, identity, own_pid


def test_result(executor: Any) -> None:
    assert executor.submit(double, 21).result() == 42


def test_returns_a_future_of_the_standard_kind(executor: Any) -> None:
    assert isinstance(executor, ProcessPoolExecutor)
    assert isinstance(executor.submit(double, 1), Future)


def test_runs_in_another_process(executor: Any) -> None:
    assert executor.submit(own_pid).result() != own_pid()


def test_positional_and_keyword_arguments(executor: Any) -> None:
    future = executor.submit(describe_call, 1, "two", key=3, other=[4])
    assert future.result() == ((1, "two"), {"key": 3, "other": [4]})


def test_no_arguments(executor: Any) -> None:
    assert executor.submit(describe_call).result() == ((), {})


def test_keywords_named_like_parameters_of_submit(executor: Any) -> None:
    future = executor.submit(describe_call, fn=1, self=2, args=3, kwargs=4, timeout=5)
    assert future.result() == ((), {"fn": 1, "self": 2, "args": 3, "kwargs": 4, "timeout": 5})


def test_the_function_itself_must_be_positional(executor: Any) -> None:
    with pytest.raises(TypeError):
        executor.submit(fn=double)
    with pytest.raises(TypeError):
        executor.submit()


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -1,
        2**31,
        2**63,
        -(2**63) - 1,
        10**400,
        1.5,
        float("inf"),
        -0.0,
        1j,
        "",
        "naïve ☃ \U0001f600",
        "\ud800",
        b"",
        b"\0\xff",
        bytearray(b"abc"),
        (),
        (1, (2, (3,))),
        [],
        [1, "a", None, [2.5]],
        {},
        {"a": 1, 2: [3]},
        {1, 2},
        frozenset({3}),
        range(3),
        slice(1, 2),
        ...,
        int,
        ValueError,
    ],
    ids=repr,
)
def test_values_arrive_with_their_type(executor: Any, value: Any) -> None:
    there_and_back = executor.submit(identity, value).result()
    assert type(there_and_back) is type(value)
    assert repr(there_and_back) == repr(value)


def test_callables_of_many_kinds(executor: Any) -> None:
    assert executor.submit(len, [1, 2]).result() == 2
    assert executor.submit(partial(add, 1), 2).result() == 3
    assert executor.submit("a-b".split, "-").result() == ["a", "b"]
    assert executor.submit(itemgetter(1), "xyz").result() == "y"
    assert executor.submit(attrgetter("real"), 5).result() == 5
    assert executor.submit(Adder(10), 5).result() == 15
    assert executor.submit(Adder(10).plus, 6).result() == 16
    assert executor.submit(Adder.five).result() == 5
    assert executor.submit(Adder, 3).result().number == 3


class Adder:
    def __init__(self, number: int) -> None:
        self.number = number

    def __call__(self, other: int) -> int:
        return self.number + other

    def plus(self, other: int) -> int:
        return self.number + other

    @staticmethod
    def five() -> int:
        return 5


def test_a_callable_with_changing_state_is_sent_as_it_is_at_each_call(executor: Any) -> None:
    adder = Adder(1)
    first = executor.submit(adder, 0).result()
    adder.number = 100
    assert (first, executor.submit(adder, 0).result()) == (1, 100)


def test_what_a_task_does_to_its_argument_stays_in_the_worker(executor: Any) -> None:
    numbers = [3, 1, 2]
    assert executor.submit(list.sort, numbers).result() is None
    assert numbers == [3, 1, 2]


def test_each_result_is_an_object_of_its_own(executor: Any) -> None:
    first, second = (executor.submit(identity, [1]).result() for _ in range(2))
    assert first == second
    assert first is not second


def test_the_same_result_object_each_time_it_is_asked_for(executor: Any) -> None:
    future = executor.submit(identity, [1])
    assert future.result() is future.result()


def test_many(executor: Any) -> None:
    futures = [executor.submit(double, number) for number in range(3000)]
    assert [future.result() for future in futures] == [2 * number for number in range(3000)]


def test_results_asked_for_backwards(executor: Any) -> None:
    futures = [executor.submit(double, number) for number in range(500)]
    assert [future.result() for future in reversed(futures)] == [2 * number for number in reversed(range(500))]


def test_futures_nobody_keeps_still_run(executor: Any, tmp_path: Any) -> None:
    from helpers import log, poll, read_lines

    path = tmp_path / "log"
    for number in range(50):
        executor.submit(log, str(path), number)
    poll(lambda: len(read_lines(path)) == 50)
    assert sorted(map(int, read_lines(path))) == list(range(50))
