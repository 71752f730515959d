"""Wrong arguments to a Pool, and its use after its end: the original and ours, type by type."""

from __future__ import annotations

import multiprocessing
from typing import Any

import hardwork
import pytest
from helpers import identity

MAPS = ["map", "map_async", "starmap", "starmap_async", "imap", "imap_unordered"]
METHODS = ["apply", "apply_async", *MAPS]


def outcome(pool: Any, method: str, func: Any, *more: Any) -> Any:
    """Calls it, and waits for what it gives."""
    items = [(1,)] if "star" in method else (1,)
    result = getattr(pool, method)(func, items, *more)
    if method.endswith("async"):
        return result.get(30)
    return list(result) if "imap" in method else result


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("end", ["close", "terminate", "with"])
def test_after_the_end(pool_class: Any, end: str, method: str) -> None:
    pool = pool_class(1)
    if end == "with":
        with pool:
            pass
    else:
        getattr(pool, end)()
    with pytest.raises(ValueError, match="Pool not running"):
        getattr(pool, method)(identity, ())
    with pytest.raises(ValueError, match="Pool not running"), pool:
        pass
    pool.join()
    with pytest.raises(ValueError, match="Pool not running"):
        getattr(pool, method)(identity, ())


@pytest.mark.parametrize("func", [5, None, "identity"], ids=repr)
def test_what_cannot_be_called(any_pool: Any, func: Any) -> None:
    for method in METHODS:
        with pytest.raises(TypeError):
            outcome(any_pool, method, func)
    assert any_pool.apply(identity, (1,)) == 1


def test_chunksize_of_a_wrong_type(any_pool: Any) -> None:
    for method in MAPS:
        for chunksize in ("2", [1]):
            with pytest.raises(TypeError):
                outcome(any_pool, method, identity, chunksize)
        # The original notices a fraction late, and has another type for it.
        with pytest.raises((TypeError, ValueError)):
            outcome(any_pool, method, identity, 1.5)
        assert outcome(any_pool, method, identity, True) == [1]


@pytest.mark.parametrize("chunksize", [0, -1])
def test_chunksize_too_small(any_pool: Any, chunksize: int) -> None:
    for method in ("imap", "imap_unordered"):
        with pytest.raises(ValueError, match=rf"hunksize must be .*1.*, not {chunksize}"):
            outcome(any_pool, method, identity, chunksize)


def test_iterables_that_are_none(any_pool: Any) -> None:
    for method in MAPS:
        with pytest.raises(TypeError):
            list(getattr(any_pool, method)(identity, 5))  # imap of the original tells in its place


@pytest.mark.parametrize("context", [5, "spawn"])
def test_a_context_that_is_none(pool_class: Any, context: Any) -> None:
    with pytest.raises((TypeError, AttributeError)):
        pool_class(1, context=context)


# --- ours alone: at the call, and by name, where the original gives [None], hangs, or tells later ---


@pytest.mark.parametrize("method", MAPS)
def test_chunksize_at_the_call(own_pool: Any, method: str) -> None:
    call = getattr(own_pool, method)
    for items in ([], [(1,)], range(3)):
        for small in (0, -1):
            with pytest.raises(ValueError, match=f"chunksize must be >= 1, not {small}"):
                call(identity, items, small)
        with pytest.raises(TypeError, match=r"chunksize must be an integer >= 1 or None, not 1\.5"):
            call(identity, items, 1.5)
    assert outcome(own_pool, method, identity, None) == [1]


@pytest.mark.parametrize("method", MAPS)
def test_functions_at_the_call(own_pool: Any, method: str) -> None:
    with pytest.raises(TypeError, match=r"func must be a callable, not 5 \(int\)"):
        getattr(own_pool, method)(5, [])


def test_a_context_is_named_as_the_parameter_is() -> None:
    with pytest.raises(TypeError, match=r"^context must be a multiprocessing context"):
        hardwork.Pool(1, context=5)
    with pytest.raises(TypeError, match=r"^mp_context must be a multiprocessing context"):
        hardwork.ProcessPoolExecutor(1, mp_context=5)  # type: ignore[arg-type]
    assert multiprocessing.active_children() == []
