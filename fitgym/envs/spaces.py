"""Bounds of the observations: finite, and wide enough for every state that can be reached."""

from __future__ import annotations

import math

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from fitgym.dynamics import MINIMUM_BASE_LEVEL, stimulus
from fitgym.individual import StageParameters

__all__ = ["observation_space", "stock_bound"]


def stock_bound(
    parameters: StageParameters, *, retention: bool, fitness: bool, largest_session_trimp: float
) -> float:
    """Return a bound that fitness (or fatigue) never exceeds.

    The stimulus ``B^(sigma - gamma) x^gamma`` is monotone in ``B``, so its largest value over
    ``B`` in ``[B_min, B_max]`` is at one end. A retention stock never exceeds the larger of its
    start and the largest stimulus ``f``; an acquisition stock never exceeds the larger of its
    start and the geometric sum ``f / (1 - e^-alpha)``.

    Args:
        parameters: Parameters of the stage.
        retention: Whether the stage is retention.
        fitness: True for fitness, False for fatigue.
        largest_session_trimp: Largest intensity that can be realised.
    """
    exponent = parameters.fitness_exponent if fitness else parameters.fatigue_exponent
    decay = parameters.fitness_decay if fitness else parameters.fatigue_decay
    initial = parameters.initial_fitness if fitness else parameters.initial_fatigue
    base_levels = (
        MINIMUM_BASE_LEVEL,
        max(parameters.initial_base_level, largest_session_trimp),
    )
    largest = max(
        stimulus(largest_session_trimp, base_level, parameters.base_scaling, exponent)
        for base_level in base_levels
    )
    if not retention:
        largest /= -math.expm1(-decay)
    return max(initial, largest)


def _float32_above(value: float) -> np.float32:
    """Return the smallest float32 that a value up to ``value`` cannot exceed by rounding."""
    return np.float32(np.nextafter(np.float32(value), np.float32(np.inf)))


def observation_space(
    parameters: StageParameters,
    *,
    retention: bool,
    largest_plan_trimp: float,
    largest_session_trimp: float,
) -> spaces.Box:
    """Return the space of (x_{t-1}, B_t, F_{t-1}, G_{t-1}, a_{t-1}, days left / T), float32."""
    high: NDArray[np.float32] = np.array(
        [
            _float32_above(largest_session_trimp),
            _float32_above(max(parameters.initial_base_level, largest_session_trimp)),
            *(
                _float32_above(
                    stock_bound(
                        parameters,
                        retention=retention,
                        fitness=fitness,
                        largest_session_trimp=largest_session_trimp,
                    )
                )
                for fitness in (True, False)
            ),
            _float32_above(largest_plan_trimp),
            1.0,
        ],
        dtype=np.float32,
    )
    low = np.array([0, MINIMUM_BASE_LEVEL, 0, 0, 0, 0], dtype=np.float32)
    return spaces.Box(low, high, dtype=np.float32)
