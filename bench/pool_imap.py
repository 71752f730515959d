"""imap and imap_unordered of a Pool, chunksize left alone: of a range, and of a generator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bench._harness import Line, Settings
from bench._pools import against_pool
from bench._work import trivial


def run(settings: Settings) -> list[Line]:
    def line(what: str, work: Callable[[Any, int], Sequence[Any]]) -> Line:
        return against_pool(settings, "pool_imap", what, work, lambda count: range(1, count + 1), 200_000, 50, share=10)

    return [
        line("list(imap(f, range({count})))", lambda pool, n: list(pool.imap(trivial, range(n)))),
        line("list(imap(f, generator of {count}))", lambda pool, n: list(pool.imap(trivial, (i for i in range(n))))),
        line(
            "sorted(imap_unordered(f, range({count})))",
            lambda pool, n: sorted(pool.imap_unordered(trivial, range(n))),
        ),
        line(
            "sorted(imap_unordered(f, generator of {count}))",
            lambda pool, n: sorted(pool.imap_unordered(trivial, (i for i in range(n)))),
        ),
    ]
