"""What a task raises reaches the caller, with its type and where it came from."""

from __future__ import annotations

import traceback
from typing import Any, NoReturn

import pytest
from helpers import divide_by, double, raise_from_deep, raise_it


def test_type_arguments_and_result(executor: Any) -> None:
    future = executor.submit(divide_by, 0)
    with pytest.raises(ZeroDivisionError, match="division by zero"):
        future.result()
    assert isinstance(future.exception(), ZeroDivisionError)


def test_exception_is_none_after_success(executor: Any) -> None:
    assert executor.submit(double, 1).exception() is None


def test_the_same_exception_object_each_time(executor: Any) -> None:
    future = executor.submit(divide_by, 0)
    assert future.exception() is future.exception()


def test_the_remote_traceback_is_its_cause(executor: Any) -> None:
    error = executor.submit(raise_from_deep, "a telling text").exception()
    assert isinstance(error, ValueError)
    text = str(error.__cause__)
    assert "Traceback (most recent call last)" in text
    assert "a_function_with_a_telling_name" in text
    assert "helpers.py" in text
    assert "ValueError: a telling text" in text
    assert type(error.__cause__).__name__ == "_RemoteTraceback"
    assert text in "".join(traceback.format_exception(error))


def raise_chained() -> NoReturn:
    try:
        raise KeyError("the inner one")
    except KeyError as error:
        raise ValueError("the outer one") from error


def test_causes_of_the_task_are_in_the_text(executor: Any) -> None:
    text = str(executor.submit(raise_chained).exception().__cause__)
    assert "KeyError: 'the inner one'" in text
    assert "direct cause" in text


def raise_with_note() -> NoReturn:
    error = ValueError("with a note")
    error.add_note("the note")
    error.code = 17  # type: ignore[attr-defined]
    raise error


def test_notes_and_attributes_travel(executor: Any) -> None:
    error = executor.submit(raise_with_note).exception()
    assert error.__notes__ == ["the note"]
    assert error.code == 17


def raise_group() -> NoReturn:
    raise ExceptionGroup("several", [ValueError("one"), TypeError("two")])


def test_groups_travel(executor: Any) -> None:
    error = executor.submit(raise_group).exception()
    assert isinstance(error, ExceptionGroup)
    assert [type(inner) for inner in error.exceptions] == [ValueError, TypeError]


class OwnError(Exception):
    def __init__(self, text: str, code: int = 0) -> None:
        super().__init__(text, code)
        self.code = code


def test_own_types_travel(executor: Any) -> None:
    error = executor.submit(raise_it, OwnError("mine", 5)).exception()
    assert type(error) is OwnError
    assert (error.args, error.code) == (("mine", 5), 5)


ENDING = [SystemExit(3), KeyboardInterrupt("k"), GeneratorExit(), BaseException("b")]


@pytest.mark.parametrize("error", ENDING, ids=repr)
def test_exceptions_that_end_programs_end_only_the_task(executor: Any, error: BaseException) -> None:
    future = executor.submit(raise_it, error)
    assert type(future.exception()) is type(error)
    assert future.exception().args == error.args
    assert executor.submit(double, 4).result() == 8


def test_stop_iteration_is_like_any_other(executor: Any) -> None:
    assert type(executor.submit(raise_it, StopIteration(1)).exception()) is StopIteration


def test_one_failing_task_among_others(executor: Any) -> None:
    futures = [executor.submit(divide_by, number) for number in (1, 0, 2, 0, 4)]
    assert [future.exception() is None for future in futures] == [True, False, True, False, True]
    assert futures[4].result() == 25


def test_something_that_cannot_be_called(executor: Any) -> None:
    # The standard library says so in the future; saying so at the call is as good.
    with pytest.raises(TypeError, match="int"):
        executor.submit(17).result()
    assert executor.submit(double, 4).result() == 8


def test_an_exception_as_a_result_is_a_result(executor: Any) -> None:
    value = executor.submit(ValueError, "not raised").result()
    assert isinstance(value, ValueError)
    assert value.args == ("not raised",)
