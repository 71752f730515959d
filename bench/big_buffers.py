"""100 MB there and back, as bytes and as a NumPy array."""

from __future__ import annotations

import time
from typing import Any

from bench._harness import OURS, STANDARD, Line, Settings, alternate, faster, warm_executor


def identity(value: Any) -> Any:
    return value


def there_and_back(kind: Any, value: Any, first: bool) -> float:
    with warm_executor(kind) as executor:
        if not first:
            executor.submit(identity, value).result()
        start = time.perf_counter()
        back = executor.submit(identity, value).result()
        seconds = time.perf_counter() - start
    if len(back) != len(value) or back[-1] != value[-1] or back[len(back) // 2] != value[len(back) // 2]:
        raise AssertionError("something else has come back")
    return seconds


def run(settings: Settings) -> list[Line]:
    size = settings.size(100_000_000)
    values: dict[str, Any] = {"bytes": bytes(range(256)) * (size // 256)}
    try:
        import numpy as np

        values["numpy array"] = np.arange(size // 8, dtype=np.float64)
    except ImportError:
        pass
    lines = []
    for name, value in values.items():
        for first in (True, False):
            samples = alternate(
                settings.rounds(3),
                lambda value=value, first=first: there_and_back(OURS, value, first),
                lambda value=value, first=first: there_and_back(STANDARD, value, first),
            )
            what = f"{size // 1_000_000} MB {name} there and back, {'first' if first else 'second'} time"
            lines.append(faster("big_buffers", what, *samples, "ProcessPoolExecutor"))
    return lines
