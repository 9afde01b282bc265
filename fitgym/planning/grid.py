"""Where seasons go: the range of the dynamic program's grid, and which histories are met."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fitgym.adherence.response import history_row
from fitgym.envs.scalar import FitnessFatigueEnv
from fitgym.model.dynamics import MINIMUM_BASE_LEVEL
from fitgym.planning.simulation import Policy, fixed_plan, random_plan, simulate

__all__ = ["grid_limits", "scout", "scout_simple_policies", "visited_rows"]

# Seasons of each policy that tell which states and histories are met (ours), and the share of
# their range by which the grid reaches further at both ends: fewer than one day in a thousand of
# the default individual's later seasons lies beyond it.
_SEASONS = 200
_SEED = 7_000_000
_MARGIN = 0.15


def scout(environment: FitnessFatigueEnv, policy: Policy) -> NDArray[np.void]:
    """Return the states that seasons under a policy meet, dtype ``STATE``."""
    person = environment.task.meet(environment.individual)
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


def grid_limits(scouted: NDArray[np.void]) -> NDArray[np.float64]:
    """Return the ends of the axes of ln B, F, G and m around the states scouted, (4, 2)."""
    limits = []
    for column, lowest in (
        (np.log(scouted["base_level"]), math.log(MINIMUM_BASE_LEVEL)),
        (scouted["fitness"], 0.0),
        (scouted["fatigue"], 0.0),
        (scouted["motivation"], -math.inf),
    ):
        low, high = float(column.min()), float(column.max())
        # A constant column, as of a person whose motivation never moves, needs some width.
        margin = _MARGIN * max(high - low, 1e-3)
        limits.append((max(low - margin, lowest), high + margin))
    return np.array(limits)


def visited_rows(states: NDArray[np.void]) -> NDArray[np.int64]:
    """Return the row of the load table that each state looks up."""
    pairs = zip(states["history"].tolist(), states["days_since"].tolist(), strict=True)
    return np.array([history_row(history, days) for history, days in pairs])
