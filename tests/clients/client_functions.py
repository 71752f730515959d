"""What the clients' jobs call: in a module of its own, for workers of every start method."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np


def rosenbrock(x: Any) -> float:
    return float(sum(100.0 * (x[1:] - x[:-1] ** 2.0) ** 2.0 + (1 - x[:-1]) ** 2.0))


def valley(x: Any) -> float:
    return float((x[0] - 1) ** 2 + (x[1] + 2) ** 2)


def wave(x: float) -> float:
    return math.exp(-x) * math.sin(x)


def log_normal(theta: Any) -> float:
    return float(-0.5 * np.sum(np.asarray(theta) ** 2))


def cube_to_plane(u: Any) -> Any:
    return 10.0 * np.asarray(u) - 5.0


def square(number: float) -> float:
    return number * number


def peak(x: float) -> float:
    return x + 0.01 / (0.01 + (x - 0.3) ** 2)


def individual_cost(individual: list[float]) -> tuple[float]:
    return (sum(gene * gene for gene in individual),)


_scale = 1


def set_scale(scale: int) -> None:
    global _scale
    _scale = scale


def summarize(frame: Any) -> Any:
    return frame.sum(numeric_only=True) * _scale


def fail_at(number: int) -> int:
    if number == 50:
        raise ValueError("fifty")
    return number


def die_at(number: int) -> int:
    if number == 5:
        os._exit(3)
    return number


class Unsendable:
    def __reduce__(self) -> Any:
        raise TypeError("not to be sent")


def blas_threads() -> list[int]:
    """How many threads each linear algebra library in this process may use."""
    import numpy  # noqa: F401
    from threadpoolctl import threadpool_info

    return [info["num_threads"] for info in threadpool_info() if info["user_api"] == "blas"]
