"""The dynamics over a whole log, compiled; every equation is that of ``fitgym.model.dynamics``."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from fitgym.common.compilation import compiled, compiled_allocating
from fitgym.model.dynamics import (
    accumulate,
    kept_share,
    next_base_level,
    performance,
    stimulus,
    stimulus_unit,
)


@compiled
def steady_stock(retention: bool, response: float, decay_rate: float) -> float:
    """Return the stock that constant training with stimulus ``response`` settles at.

    The fixed point of ``fitgym.model.dynamics.accumulate``: ``f / (1 - e^-alpha)`` in acquisition,
    ``f`` in retention.
    """
    return response if retention else -response / math.expm1(-decay_rate)


@compiled_allocating
def simulate(
    intensity: npt.NDArray[np.float64],
    retention: bool,
    fitness_decay: float,
    fatigue_decay: float,
    fitness_exponent: float,
    fatigue_exponent: float,
    base_decay: float,
    fitness_utility: float,
    fatigue_utility: float,
    base_scaling: float,
    baseline_performance: float,
    initial_base_level: float,
    initial_fitness: float,
    initial_fatigue: float,
) -> npt.NDArray[np.float64]:
    """Return performance before the first step and after each one, ``p_{-1}, p_0, ..., p_{T-1}``.

    Args:
        intensity: ``x`` of each step, points, shape (steps,).
        retention: True for the retention stage, False for the acquisition stage.
        fitness_decay: ``alpha``; this and the rest are the fields of ``StageParameters``.
        fatigue_decay: ``beta``.
        fitness_exponent: ``gamma_F``.
        fatigue_exponent: ``gamma_G``.
        base_decay: ``delta``.
        fitness_utility: ``k_F``.
        fatigue_utility: ``k_G``.
        base_scaling: ``sigma``.
        baseline_performance: ``p_0``.
        initial_base_level: ``B_0``, that of the first step.
        initial_fitness: ``F`` before the first step.
        initial_fatigue: ``G`` before the first step.

    Returns:
        VDOT, shape (steps + 1,).
    """
    unit = stimulus_unit(initial_base_level, base_scaling)
    fitness_kept, fatigue_kept = kept_share(fitness_decay), kept_share(fatigue_decay)
    base_level, fitness, fatigue = initial_base_level, initial_fitness, initial_fatigue
    result = np.empty(intensity.size + 1)
    result[0] = performance(
        fitness, fatigue, baseline_performance, fitness_utility, fatigue_utility
    )
    for step in range(intensity.size):
        session = intensity[step]
        fitness_response = stimulus(session, base_level, base_scaling, fitness_exponent)
        fatigue_response = stimulus(session, base_level, base_scaling, fatigue_exponent)
        fitness = accumulate(retention, fitness, fitness_response, fitness_kept, unit)
        fatigue = accumulate(retention, fatigue, fatigue_response, fatigue_kept, unit)
        base_level = next_base_level(base_level, session, base_decay)
        result[step + 1] = performance(
            fitness, fatigue, baseline_performance, fitness_utility, fatigue_utility
        )
    return result
