"""DEAP and pymoo: evaluations of a population by a pool's map or starmap."""

from __future__ import annotations

import random
from typing import Any

from client_functions import individual_cost
from client_problem import Sphere
from deap import algorithms, base, creator, tools
from pymoo.algorithms.soo.nonconvex.ga import GA
from pymoo.optimize import minimize
from pymoo.parallelization import StarmapParallelization


def test_deap(with_pools: Any) -> None:
    if not hasattr(creator, "Cost"):
        creator.create("Cost", base.Fitness, weights=(-1.0,))
        creator.create("Person", list, fitness=creator.Cost)

    def job(pool: Any) -> Any:
        random.seed(7)
        toolbox = base.Toolbox()
        toolbox.register("gene", random.uniform, -1, 1)
        toolbox.register("individual", tools.initRepeat, creator.Person, toolbox.gene, 4)
        toolbox.register("population", tools.initRepeat, list, toolbox.individual)
        toolbox.register("evaluate", individual_cost)
        toolbox.register("mate", tools.cxTwoPoint)
        toolbox.register("mutate", tools.mutGaussian, mu=0, sigma=0.2, indpb=0.3)
        toolbox.register("select", tools.selTournament, tournsize=3)
        toolbox.register("map", pool.map)
        population, _ = algorithms.eaSimple(toolbox.population(30), toolbox, 0.5, 0.2, 6, verbose=False)
        return [list(person) for person in population]

    original, ours = with_pools(job)
    assert original == ours


def test_pymoo(with_pools: Any) -> None:
    def job(pool: Any) -> Any:
        problem = Sphere(elementwise_runner=StarmapParallelization(pool.starmap))
        return minimize(problem, GA(pop_size=10), ("n_gen", 4), seed=1, verbose=False).F.tolist()

    original, ours = with_pools(job)
    assert original == ours
