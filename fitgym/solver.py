"""What can be computed rather than learnt: one-step rewards, and bounds no agent can beat.

Under replay adherence nothing a service does changes what happens next, so the best plan of each
day, chosen with the day's session in view, is an exact upper bound on any agent's return
(perfect foresight), and choosing the largest expected reward is as good as one can do without it.
Under certain adherence actions do have consequences; there the one-step reward is exact, and
following it is myopic.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.adherence.base import CERTAIN, REPLAY
from fitgym.compilation import compiled
from fitgym.envs import kernel
from fitgym.envs.scalar import FitnessFatigueEnv

__all__ = ["can_solve", "expected_rewards", "foresight_rewards", "replayed_sessions"]


def can_solve(environment: FitnessFatigueEnv) -> bool:
    """Return whether ``expected_rewards`` knows the environment's adherence model."""
    return environment.adherence.code in (CERTAIN, REPLAY)


def replayed_sessions(environment: FitnessFatigueEnv) -> NDArray[np.float64]:
    """Return the sessions of the log's part in use, points; empty where none are replayed."""
    starts = environment.adherence.start_rows(environment.days)
    end = int(starts[-1]) + environment.days
    return environment.adherence.sessions_trimp[int(starts[0]) : end]


def foresight_rewards(environment: FitnessFatigueEnv) -> NDArray[np.float64]:
    """Return the reward that each action would earn today, (11,), the day's noise in view.

    Forbidden actions earn minus infinity. Under replay the largest of them, summed over a season,
    is the most that any agent can earn in it.

    Raises:
        ResetNeeded: If no episode is running.
        NotImplementedError: If the adherence is not a built-in one.
    """
    return np.array(
        [
            environment.preview_reward(action) if allowed else -np.inf
            for action, allowed in enumerate(environment.action_mask)
        ]
    )


def expected_rewards(
    environment: FitnessFatigueEnv, observations: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return the expected reward of each action in each situation, (N, 11).

    Under certain adherence it is exact. Under replay it is the mean over the sessions of the
    log's part in use, each as likely as any other: what is known of today's session without
    knowing where in the log the season is. Forbidden actions earn minus infinity.

    Args:
        environment: Whose person, plans and log are meant.
        observations: What is seen, (N, 6).

    Raises:
        NotImplementedError: If the adherence model is not one of the above.
        ValueError: If the observations have another shape.
    """
    if not can_solve(environment):
        raise NotImplementedError(
            "expected rewards are known for certain and replay adherence, not for "
            f"{type(environment.adherence).__name__}"
        )
    if observations.ndim != 2 or observations.shape[1] != 6:
        raise ValueError(f"observations must have shape (N, 6), got {observations.shape}")
    states = np.zeros(len(observations), dtype=kernel.STATE)
    for column, field in enumerate(("intensity", "base_level", "fitness", "fatigue")):
        states[field] = observations[:, column]
    plans_trimp = np.array([0.0, *environment.individual.plans_trimp])
    rewards = np.empty((len(states), plans_trimp.size))
    work = (np.zeros(1, dtype=kernel.STATE), np.zeros(1, dtype=kernel.OUTCOME))
    if environment.adherence.code == CERTAIN:
        _certain_rewards(states, *work, environment.person, plans_trimp, rewards)
    else:
        sessions = replayed_sessions(environment)
        _replay_rewards(states, *work, environment.person, plans_trimp, sessions, rewards)
    rewards[:, environment.action_mask == 0] = -np.inf
    return rewards


@compiled
def _certain_rewards(
    states: Any, scratch: Any, outcome: Any, people: Any, plans_trimp: Any, rewards: Any
) -> None:
    """Fill ``rewards[i, j]`` with what plan j earns in state i when it is carried out.

    ``scratch`` and ``outcome`` are record arrays of length 1 to work in.
    """
    no_sessions = np.zeros(0)
    for i in range(states.size):
        for j in range(plans_trimp.size):
            scratch[0] = states[i]
            kernel.step(scratch, outcome, people, 0, plans_trimp[j], CERTAIN, no_sessions)
            rewards[i, j] = outcome[0].reward


@compiled
def _replay_rewards(
    states: Any,
    scratch: Any,
    outcome: Any,
    people: Any,
    plans_trimp: Any,
    sessions: Any,
    rewards: Any,
) -> None:
    """Fill ``rewards[i, j]`` with what plan j earns in state i, the mean over ``sessions``.

    Sessions do not depend on plans here. So the terms of completion and shortfall depend on the
    plan and the session alone, and need averaging once for all states. The performance term is
    the plan's alone where it is the planned one, and else the session's alone. That takes
    sessions + plans steps for a state in place of sessions x plans.
    """
    planned_utility = people[0].planned_utility
    for j in range(plans_trimp.size):
        total = 0.0
        for row in range(sessions.size):
            scratch[0] = states[0]
            scratch[0].session = row
            kernel.step(scratch, outcome, people, 0, plans_trimp[j], REPLAY, sessions)
            total += outcome[0].completion_term + outcome[0].shortfall_term
        rewards[:, j] = total / sessions.size
    for i in range(states.size):
        realised = 0.0
        for row in range(sessions.size):
            scratch[0] = states[i]
            scratch[0].session = row
            kernel.step(scratch, outcome, people, 0, 0.0, REPLAY, sessions)
            realised += outcome[0].performance_term
        for j in range(plans_trimp.size):
            if planned_utility and plans_trimp[j] > 0.0:
                scratch[0] = states[i]
                scratch[0].session = 0
                kernel.step(scratch, outcome, people, 0, plans_trimp[j], REPLAY, sessions)
                rewards[i, j] += outcome[0].performance_term
            else:
                rewards[i, j] += realised / sessions.size
