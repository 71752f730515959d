"""A user's test module. It is given to workers of pytest-xdist, whose `__main__` is neither a file nor this module."""

import multiprocessing

import hardwork
import pytest

base = 0


def set_base(value):
    global base
    base = value


def shifted(number):
    return base + number


@pytest.fixture(params=["fork", "forkserver", "spawn"])
def context(request):
    return multiprocessing.get_context(request.param)


@pytest.mark.parametrize("_", range(2))
def test_executor(context, _):
    with hardwork.ProcessPoolExecutor(2, context, set_base, (5,)) as executor:
        assert list(executor.map(shifted, range(100))) == list(range(5, 105))
        assert executor.submit(lambda number: base + number, 1).result() == 6


@pytest.mark.parametrize("_", range(2))
def test_pool(context, _):
    with hardwork.Pool(2, set_base, (5,), context=context) as pool:
        assert pool.map(shifted, range(100)) == list(range(5, 105))
        assert pool.apply(lambda number: base + number, (1,)) == 6
