"""The input of `Pool.imap`: taken as workers come to need it, by the caller or by a thread."""

from __future__ import annotations

import collections
import itertools
import sys
import threading
from array import array
from collections.abc import Iterable, Iterator
from typing import Any

from hardwork import _engine

_INT64 = range(-(2**63), 2**63)
_UNBOUNDED = 2**64 - 1

# Iterating over these runs no code of the user's, so that many items may be taken at a time, and by the caller. What
# other iterables do nobody knows: they may block until an earlier item has been worked on.
_PLAIN = (list, tuple, range, dict, set, frozenset, str, bytes, bytearray, array, collections.deque)


def as_range(iterable: object) -> tuple[int, int, int] | None:
    """Describes a range in the numbers that can travel for it.

    Args:
        iterable: The input of a map.

    Returns:
        Start, step and number of items; None if it is no range, or if one of them has more than 64 bits.
    """
    if type(iterable) is not range:
        return None
    if not iterable:
        return 0, 1, 0
    count = (iterable[-1] - iterable[0]) // iterable.step + 1  # len() refuses what is too long
    if all(number in _INT64 for number in (iterable[0], iterable[-1], iterable.step, count)):
        return iterable.start, iterable.step, count
    return None


def feed(results: _engine.IMapIterator[Any], iterable: Iterable[Any], chunksize: int, buffersize: int | None) -> None:
    """Gives the input to a map that was started without any; what does not fit yet, a thread gives it later.

    Args:
        results: The map.
        iterable: Its input.
        chunksize: How many items count as taken only together: of a chunk in which the iterable raises, none is.
        buffersize: How many items may be under way whose results were not taken; None for as many as is good.

    Raises:
        TypeError: The iterable is none.
    """
    numbers = as_range(iterable)
    if numbers is not None and buffersize is None and results._feed_range(*numbers):
        return
    try:
        iterator = iter(iterable)
    except BaseException:
        results._feed(iter(()), True, False, _UNBOUNDED)
        raise
    buffer = _UNBOUNDED if buffersize is None else buffersize
    plain = type(iterable) in _PLAIN and buffersize is None
    if chunksize > 1 and type(iterable) not in _PLAIN and buffersize is None:
        iterator = _whole_chunks(iterator, chunksize)
    if plain and results._feed(iterator, True, False, buffer):
        return
    # Daemonic: an endless input must not keep the program from ending.
    threading.Thread(target=_run, args=(results, iterator, plain, buffer), name="hardwork-feed", daemon=True).start()


def _run(results: _engine.IMapIterator[Any], iterator: Iterator[Any], plain: bool, buffer: int) -> None:
    results._feed(iterator, plain, True, buffer)


def _whole_chunks(iterator: Iterator[Any], size: int) -> Iterator[Any]:
    while chunk := list(itertools.islice(iterator, min(size, sys.maxsize))):
        yield from chunk
