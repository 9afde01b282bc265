"""Seasons of a coached person from this morning on, many at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitgym.envs import kernel
from fitgym.envs.records import OUTCOME, STATE
from fitgym.envs.scalar import FitnessFatigueEnv

# From the states of E people, all on the same day, to their actions, (E,).
Choice = Callable[[NDArray[np.void]], NDArray[np.int64]]


@dataclass(frozen=True, eq=False)
class Played:
    """What happened in E seasons of T days.

    Attributes:
        states: Before each day and after the last, (T + 1, E).
        actions: (T, E).
        outcomes: (T, E) of ``OUTCOME``.
    """

    states: NDArray[np.void]
    actions: NDArray[np.int64]
    outcomes: NDArray[np.void]


def play(
    environment: FitnessFatigueEnv, starts: NDArray[np.void], days: int, choice: Choice
) -> Played:
    """Play seasons of one person.

    Args:
        environment: Whose person and adherence count.
        starts: States (E,) in the morning of the first day, with their noise keys.
        days: T.
        choice: Who decides.
    """
    count = starts.size
    states = np.zeros((days + 1, count), dtype=STATE)
    outcomes = np.zeros((days, count), dtype=OUTCOME)
    actions = np.zeros((days, count), dtype=np.int64)
    targets = np.array([0.0, *environment.individual.plans_trimp])
    everybody = np.ones(count, dtype=np.bool_)
    states[0] = starts
    for day in range(days):
        actions[day] = choice(states[day])
        states[day + 1] = states[day]
        kernel.step_batch(
            states[day + 1],
            outcomes[day],
            environment.person,
            everybody,
            targets[actions[day]],
            environment.adherence.code,
            environment.adherence.tables,
            np.zeros(count, dtype=np.bool_),
        )
    return Played(states, actions, outcomes)


def fixed_choice(action: int) -> Choice:
    """Return who pushes the same plan every day."""
    return lambda states: np.full(states.size, action, dtype=np.int64)


def random_choice(actions: int, seed: int = 0) -> Choice:
    """Return who draws any action with equal probability."""
    generator = np.random.default_rng(seed)
    return lambda states: generator.integers(0, actions, states.size)
