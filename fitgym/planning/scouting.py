"""The states and histories that seasons meet, from simulated ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fitgym.envs.scalar import FitnessFatigueEnv
from fitgym.planning.simulation import Policy, fixed_plan, random_plan, simulate

# Seasons of each policy that tell which states and histories are met; ours.
_SEASONS = 200
_SEED = 7_000_000


def scout(environment: FitnessFatigueEnv, policy: Policy) -> NDArray[np.void]:
    """Return the states that seasons under a policy meet, dtype ``STATE``."""
    person = environment.task.prepare(environment.individual)
    # As the environment sees the person now, whose tables a test may have changed.
    person = replace(person, record=environment.person, adherence=environment.adherence)
    seasons = simulate(environment.task, person, policy, episodes=_SEASONS, seed=_SEED)
    return seasons.states.ravel()


def scout_simple_policies(environment: FitnessFatigueEnv) -> NDArray[np.void]:
    """Return the states that seasons of every fixed plan and of random plans meet."""
    mask = environment.action_mask
    policies = [fixed_plan(action) for action in np.flatnonzero(mask).tolist()]
    policies.append(random_plan(mask))
    return np.concatenate([scout(environment, policy) for policy in policies])


def visited_rows(row_of: Callable[[int, int], int], states: NDArray[np.void]) -> NDArray[np.int64]:
    """Return the row that each state looks up in the load table, or in each of its nodes.

    Args:
        row_of: Which row goes with a history and the days since, of an adherence model.
        states: (N,) of ``STATE``.
    """
    pairs = zip(states["history"].tolist(), states["days_since"].tolist(), strict=True)
    return np.array([row_of(history, days) for history, days in pairs], dtype=np.int64)
