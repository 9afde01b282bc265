"""Bounds of the observations: finite, and wide enough for every state that can be reached."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from gymnasium import spaces

from fitgym.envs.context import CONTEXT_HIGH, CONTEXT_LOW, LARGEST_LOAD_PER_POINT
from fitgym.model.dynamics import MINIMUM_BASE_LEVEL, stimulus
from fitgym.model.noise import LARGEST_NORMAL
from fitgym.people.individual import Individual, Motivation, StageParameters

# A sum of many rounded terms may exceed its limit by about that.
_ROUNDING = 1.0 + 1e-9


def stock_bound(
    parameters: StageParameters,
    *,
    retention: bool,
    fitness: bool,
    largest_session_trimp: float,
    steps: int,
) -> float:
    """Return a bound that fitness (or fatigue) never exceeds.

    The base level of step ``t`` (from 0) is at least ``B_min = max(1, delta^(n - 1) B_0)``, since
    no step multiplies it by less than ``delta`` and ``t <= n - 1``, and at most ``B_max``, the
    larger of ``B_0`` and the largest session. The stimulus ``B^(sigma - gamma) x^gamma`` grows
    with ``x`` and is monotone in ``B``, so its largest value ``f`` is at the largest session and
    at ``B_min`` or ``B_max``.

    A retention stock is a weighted geometric mean of stock and stimulus, hence never exceeds the
    larger of its start and ``f``. An acquisition stock with all stimuli at ``f`` is, after ``t``
    steps, ``k^t F_0 + (1 - k^t) f / (1 - k)`` with ``k = e^-alpha``: on the way from ``F_0`` to the
    geometric sum, so that it never exceeds the larger of its start and its value after ``n`` steps.

    Args:
        parameters: Parameters of the stage.
        retention: Whether the stage is retention.
        fitness: True for fitness, False for fatigue.
        largest_session_trimp: Largest intensity that can be realised.
        steps: ``n``, how many steps there are from the initial stocks to the end of an episode.
    """
    exponent = parameters.fitness_exponent if fitness else parameters.fatigue_exponent
    decay = parameters.fitness_decay if fitness else parameters.fatigue_decay
    initial = parameters.initial_fitness if fitness else parameters.initial_fatigue
    base_level = parameters.initial_base_level
    base_levels = (
        max(MINIMUM_BASE_LEVEL, parameters.base_decay ** (steps - 1) * base_level),
        max(base_level, largest_session_trimp),
    )
    largest = max(
        stimulus(largest_session_trimp, one, parameters.base_scaling, exponent)
        for one in base_levels
    )
    if not retention:
        decayed = -math.expm1(-decay * steps)
        largest = (1.0 - decayed) * initial + decayed * largest / -math.expm1(-decay)
    return max(initial, largest) * _ROUNDING


def motivation_bound(motivation: Motivation, burden: float) -> float:
    """Return a bound on ``|m_t|`` where a push costs ``burden``.

    The noise tape's normal numbers are bounded, and a motivation that decays by ``phi`` a day and
    changes by at most ``e + s_m z``, burden included in ``e``, stays below the larger of its start
    and ``(e + s_m z) / (1 - phi)``.
    """
    effect = max(motivation.success_effect, motivation.failure_effect + burden)
    change = effect + LARGEST_NORMAL * motivation.motivation_sd
    start = LARGEST_NORMAL * motivation.initial_motivation_sd
    return max(start, change / (1.0 - motivation.persistence)) * _ROUNDING


def observation_space(
    individuals: Iterable[Individual],
    stage: str,
    *,
    largest_session_trimp: float,
    days: int,
    steps: int,
    observation: str = "state",
    largest_internal_load: float = 0.0,
    largest_heart_rate: float = 220.0,
    burden: float = 0.0,
    completion_bonus: float = 0.0,
    shortfall_penalty: float = 0.0,
) -> spaces.Box:
    """Return the space of what is observed, float32, wide enough for every individual given.

    ``"state"`` has the columns x_{t-1}, B_t, F_{t-1}, G_{t-1}, a_{t-1}, days left / T; ``"full"``
    adds m_t; ``"person"`` adds yesterday's reward, mean heart rate and internal load per point, and
    the context of the person (see ``fitgym.envs.context``); ``"wearable"`` has x_{t-1}, its
    completion, the mean heart rate and the internal load of the last session, the days since it,
    days left / T.

    Args:
        individuals: Those whom the space must hold.
        stage: ``"acquisition"`` or ``"retention"``.
        largest_session_trimp: Largest intensity that can be realised.
        days: ``T``.
        steps: How many steps there are from the initial stocks to the end of an episode: ``T``, or
            more where episodes start later in a log.
        observation: Which of the four.
        largest_internal_load: Largest load of a session, for ``"wearable"``.
        largest_heart_rate: Largest mean heart rate of a session, bpm, likewise.
        burden: Motivation that a push costs.
        completion_bonus: ``mu``, for ``"person"``.
        shortfall_penalty: ``rho``, likewise.
    """
    people = list(individuals)
    parameters = [individual.stage(stage) for individual in people]
    if observation == "wearable":
        low = [0.0] * 6
        high = [
            largest_session_trimp,
            1.0,
            largest_heart_rate,
            largest_internal_load,
            days + 1.0,
            1.0,
        ]
    else:
        fitness_bounds, fatigue_bounds = _stock_bounds(
            parameters, stage, largest_session_trimp, steps
        )
        hardest_plan = max(individual.plans_trimp[-1] for individual in people)
        low = [0.0, MINIMUM_BASE_LEVEL, 0.0, 0.0, 0.0, 0.0]
        high = [
            largest_session_trimp,
            max(largest_session_trimp, *(one.initial_base_level for one in parameters)),
            max(fitness_bounds),
            max(fatigue_bounds),
            hardest_plan,
            1.0,
        ]
        if observation == "full":
            bound = max(motivation_bound(individual.motivation, burden) for individual in people)
            low.append(-bound)
            high.append(bound)
        if observation == "person":
            loss, gain = _performance_bounds(parameters, fitness_bounds, fatigue_bounds)
            low += [-loss - shortfall_penalty * hardest_plan, 0.0, 0.0, *CONTEXT_LOW]
            high += [
                gain + completion_bonus,
                largest_heart_rate,
                LARGEST_LOAD_PER_POINT,
                *CONTEXT_HIGH,
            ]
    # Rounding to float32 keeps the order, so no observation can be rounded out of the box.
    return spaces.Box(
        np.array(low, dtype=np.float32), np.array(high, dtype=np.float32), dtype=np.float32
    )


def reward_space(
    individuals: Iterable[Individual],
    stage: str,
    *,
    largest_session_trimp: float,
    steps: int,
    completion_bonus: float,
    shortfall_penalty: float,
) -> spaces.Box:
    """Return the space of vector rewards, float64 (3,): performance, completion and shortfall.

    Args:
        individuals: Those whom the space must hold.
        stage: ``"acquisition"`` or ``"retention"``.
        largest_session_trimp: Largest intensity that can be realised.
        steps: As for ``observation_space``.
        completion_bonus: ``mu``.
        shortfall_penalty: ``rho``.
    """
    people = list(individuals)
    parameters = [individual.stage(stage) for individual in people]
    hardest_plan = max(individual.plans_trimp[-1] for individual in people)
    # The reward may count the performance predicted for a plan that is harder than any session.
    bounds = _stock_bounds(parameters, stage, max(largest_session_trimp, hardest_plan), steps)
    loss, gain = _performance_bounds(parameters, *bounds)
    low = [-loss, 0.0, -shortfall_penalty * hardest_plan]
    return spaces.Box(np.array(low), np.array([gain, completion_bonus, 0.0]), dtype=np.float64)


def _stock_bounds(
    parameters: list[StageParameters], stage: str, largest_session_trimp: float, steps: int
) -> tuple[list[float], list[float]]:
    """Return bounds on the fitness and fatigue of all individuals; see ``stock_bound``."""
    fitness_bounds, fatigue_bounds = (
        [
            stock_bound(
                one,
                retention=stage == "retention",
                fitness=which,
                largest_session_trimp=largest_session_trimp,
                steps=steps,
            )
            for one in parameters
        ]
        for which in (True, False)
    )
    return fitness_bounds, fatigue_bounds


def _performance_bounds(
    parameters: list[StageParameters], fitness_bounds: list[float], fatigue_bounds: list[float]
) -> tuple[float, float]:
    """Return how far performance can fall below, and rise above, that without training."""
    losses = [
        one.fatigue_utility * bound for one, bound in zip(parameters, fatigue_bounds, strict=True)
    ]
    gains = [
        one.fitness_utility * bound for one, bound in zip(parameters, fitness_bounds, strict=True)
    ]
    return max(losses), max(gains)
