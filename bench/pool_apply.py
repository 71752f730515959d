"""Single calls of a Pool: 200,000 apply_async and then every get; and apply one after another."""

from __future__ import annotations

from bench._harness import Line, Settings
from bench._pools import against_pool
from bench._work import trivial


def run(settings: Settings) -> list[Line]:
    def plus_one(count: int) -> range:
        return range(1, count + 1)

    together = against_pool(
        settings,
        "pool_apply",
        "apply_async {count} times, then every get",
        lambda pool, count: [r.get() for r in [pool.apply_async(trivial, (i,)) for i in range(count)]],
        plus_one,
        200_000,
        80,
    )
    in_turn = against_pool(
        settings,
        "pool_apply",
        "apply {count} times, one after another",
        lambda pool, count: [pool.apply(trivial, (i,)) for i in range(count)],
        plus_one,
        20_000,
        80,
        share=10,
    )
    return [together, in_turn]
