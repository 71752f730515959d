"""Values of any shape go to a worker and come back as they were: types, order, identity of what is there twice."""

from __future__ import annotations

import enum
import math
import os
import random
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hardwork import Pool, ProcessPoolExecutor, _engine
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

try:  # here, since its threads and descriptors stay
    import numpy
except ImportError:
    numpy: Any = None  # type: ignore[no-redef]


class Colour(enum.Enum):
    RED = 1


class Text(str):
    """Of a type of its own."""


class Bag(list):
    """Likewise, and with attributes."""


WANTED = int(os.environ.get("HARDWORK_PROPERTIES", "0"))
SEED = int(os.environ.get("HARDWORK_SEED") or random.SystemRandom().randrange(2**32))
if WANTED:
    print("seed", SEED)


def examples(count: int) -> Callable[[Any], Any]:
    """So many, always the same ones. With HARDWORK_PROPERTIES=n in the environment n others, by HARDWORK_SEED."""
    health = list(HealthCheck)
    if not WANTED:
        return settings(max_examples=count, derandomize=True, deadline=None, suppress_health_check=health)
    many = settings(max_examples=WANTED, database=None, deadline=None, suppress_health_check=health)
    return lambda test: seed(SEED)(many(test))


def echo(value: Any) -> Any:
    return value


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=-(2**70), max_value=2**70),
    st.sampled_from([2**30, -(2**30), 2**31, 2**62, 2**63, -(2**63), 2**64, 10**300, -1, 255, 256, 65_536]),
    st.floats(),
    st.complex_numbers(),
    st.text(),
    st.text(alphabet=st.characters(codec=None), max_size=8),  # also lone surrogates
    st.text(alphabet="aé€😀", max_size=40),
    st.binary(max_size=60),
    st.builds(bytearray, st.binary(max_size=60)),
    st.builds(Text, st.text(max_size=5)),
    st.sampled_from([Colour.RED, int, len, ..., NotImplemented, range(5), 1.0, -0.0, "", b"", (), frozenset()]),
)
keys = st.one_of(
    st.integers(), st.text(max_size=5), st.binary(max_size=5), st.booleans(), st.none(), st.tuples(st.integers())
)


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.lists(inner, max_size=6),
        st.lists(inner, max_size=6).map(tuple),
        st.dictionaries(keys, inner, max_size=6),
        st.sets(keys, max_size=6),
        st.frozensets(keys, max_size=6),
        st.lists(inner, max_size=4).map(deque),
        st.lists(inner, max_size=4).map(Bag),
        st.dictionaries(keys, inner, max_size=4).map(OrderedDict),
        inner.map(lambda value: [value, value]),  # one object, twice
        st.tuples(inner, inner).map(lambda pair: {"a": pair, "b": (pair[0], pair), "c": pair[1]}),
        inner.map(_around),
    )


def _around(value: Any) -> list[Any]:
    """A list that holds itself."""
    around = [value]
    around.append(around)
    return around


values = st.recursive(scalars, containers, max_leaves=15)


def assert_same(one: Any, other: Any) -> None:
    """The same value, and the same picture of references; `==` sees neither types nor NaN nor what is shared."""
    seen: dict[int, int] = {}
    back: dict[int, int] = {}
    work = [(one, other)]
    while work:
        a, b = work.pop()
        assert type(a) is type(b)
        if isinstance(a, (list, dict, set, bytearray, deque)):
            # Mutable: who has two references to one object can see whether they still are.
            assert seen.setdefault(id(a), id(b)) == id(b)
            assert back.setdefault(id(b), id(a)) == id(a)
            if seen[id(a)] != id(b) or (id(a), "done") in seen:
                continue
            seen[id(a), "done"] = 1  # type: ignore[index]
        if isinstance(a, float):
            assert math.copysign(1, a) == math.copysign(1, b)
            assert a == b or (math.isnan(a) and math.isnan(b))
        elif isinstance(a, complex):
            work += [(a.real, b.real), (a.imag, b.imag)]
        elif isinstance(a, dict):
            assert list(a) == list(b)
            assert [type(key) for key in a] == [type(key) for key in b]
            work += zip(a.values(), b.values(), strict=True)
        elif isinstance(a, (list, tuple, deque)):
            work += zip(a, b, strict=True)
        else:
            assert a == b


@examples(300)
@given(values)
def test_the_codec(value: Any) -> None:
    data = _engine._codec_encode(value)
    if data is not None:  # else it is left to pickle
        assert_same(value, _engine._codec_decode(data))


@examples(100)
@given(st.lists(values, max_size=4))
def test_the_codec_on_the_arguments_of_a_call(arguments: list[Any]) -> None:
    data = _engine._codec_encode_args(*arguments)
    if data is not None:
        assert_same(tuple(arguments), _engine._codec_decode_args(data))


@pytest.fixture(params=[ProcessPoolExecutor, Pool])
def workers(request: pytest.FixtureRequest) -> Iterator[Any]:
    with request.param(2) as made:
        yield made


def there_and_back(workers: Any, value: Any) -> Any:
    return workers.submit(echo, value).result() if hasattr(workers, "submit") else workers.apply(echo, (value,))


def test_there_and_back(workers: Any) -> None:

    @examples(150)
    @given(values)
    def check(value: Any) -> None:
        assert_same(value, there_and_back(workers, value))
        assert_same([value, value], there_and_back(workers, [value, value]))

    check()


def test_through_a_map(workers: Any) -> None:

    @examples(50)
    @given(st.lists(values, max_size=20))
    def check(items: list[Any]) -> None:
        for item, result in zip(items, workers.map(echo, items), strict=True):
            assert_same(item, result)

    check()


@pytest.mark.skipif(numpy is None, reason="NumPy is not installed")
def test_arrays(workers: Any) -> None:
    kinds = st.sampled_from(["u1", "<i4", ">i4", "f8", "c16", "?", "S3", "U2", "M8[s]", "O"])
    shapes = st.sampled_from([(), (0,), (1,), (7,), (3, 4), (2, 0, 5), (200, 300)])

    @examples(60)
    @given(kind=kinds, shape=shapes, how=st.sampled_from(["plain", "transposed", "strided", "read-only"]))
    def check(kind: str, shape: tuple[int, ...], how: str) -> None:
        array = numpy.arange(math.prod(shape)).astype(kind if kind != "M8[s]" else "i8").astype(kind).reshape(shape)
        if how == "transposed":
            array = array.T
        elif how == "strided" and array.ndim:
            array = array[::2]
        elif how == "read-only":
            array.flags.writeable = False
        one, other = there_and_back(workers, [array, array])
        assert one is other
        # NumPy itself gives some of another byte order back in this machine's.
        assert one.dtype.newbyteorder("=") == array.dtype.newbyteorder("=")
        assert one.shape == array.shape
        assert numpy.array_equal(one, array)

    check()
