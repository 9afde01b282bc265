"""Budgets of the paper benchmark: how long is learnt, how often, and on how many people."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Budget:
    """How much is spent.

    Attributes:
        a3c_steps: Environment steps of every training of A3C.
        default_seeds: Trainings of A3C with the reward as registered.
        cell_seeds: Trainings of A3C in every other cell.
        algorithm_steps: Environment steps of every training in the comparison of algorithms.
        algorithm_seeds: Trainings of each algorithm.
        factors: Times mu and rho as registered, for figures 10 and 11; 1 is among them.
        episodes: Episodes of every evaluation; Fang et al. 2022 simulate 100.
        refinement: Of the dynamic program's grid, see ``GridSize.refined``.
        people: People of the population for whom predictors are exchanged.
        replications: Of the bootstrap of the calibration.
        starts: Descents of the calibration.
    """

    a3c_steps: int
    default_seeds: int
    cell_seeds: int
    algorithm_steps: int
    algorithm_seeds: int
    factors: tuple[float, ...]
    episodes: int
    refinement: float
    people: int
    replications: int
    starts: int


_FACTORS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)

BUDGETS = {
    # To see that everything runs; its numbers mean nothing.
    "quick": Budget(
        a3c_steps=6_000,
        default_seeds=2,
        cell_seeds=1,
        algorithm_steps=3_000,
        algorithm_seeds=1,
        factors=(0.0, 1.0, 4.0),
        episodes=20,
        refinement=0.25,
        people=2,
        replications=0,
        starts=1,
    ),
    "standard": Budget(
        a3c_steps=1_000_000,
        default_seeds=3,
        cell_seeds=1,
        algorithm_steps=300_000,
        algorithm_seeds=1,
        factors=_FACTORS,
        episodes=100,
        refinement=0.5,
        people=20,
        replications=200,
        starts=16,
    ),
    "full": Budget(
        a3c_steps=6_000_000,
        default_seeds=5,
        cell_seeds=5,
        algorithm_steps=300_000,
        algorithm_seeds=5,
        factors=_FACTORS,
        episodes=100,
        refinement=1.0,
        people=200,
        replications=200,
        starts=16,
    ),
}
