"""A problem for pymoo, importable by workers."""

from __future__ import annotations

from typing import Any

from pymoo.core.problem import ElementwiseProblem


class Sphere(ElementwiseProblem):
    def __init__(self, **more: Any) -> None:
        super().__init__(n_var=3, n_obj=1, xl=-1, xu=1, **more)

    def _evaluate(self, x: Any, out: Any, *args: Any, **kwargs: Any) -> None:
        out["F"] = (x**2).sum()
