"""What can be computed rather than learnt: one-step rewards, and bounds no agent can beat.

Under replay adherence nothing a service does changes what happens next, so the best plan of each
day, chosen with the day's session in view, is an exact upper bound on any agent's return
(perfect foresight), and choosing the largest expected reward is as good as one can do without it.
Under certain adherence actions do have consequences; there the one-step reward is exact, and
following it is myopic.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.adherence.base import Adherence
from fitgym.adherence.certain import CERTAIN, CertainAdherence
from fitgym.adherence.fitrec import FitRecAdherence
from fitgym.adherence.fitrec2 import Fitrec2Adherence
from fitgym.adherence.fitrec2_step import body_response, fitness_place, slope_at
from fitgym.adherence.fitrec_step import drawn_habit, habit_probability, plan_response
from fitgym.adherence.replay import REPLAY, ReplayAdherence
from fitgym.common.compilation import compiled
from fitgym.envs import kernel
from fitgym.envs.records import OUTCOME, STATE
from fitgym.envs.scalar import FitnessFatigueEnv
from fitgym.envs.task import OBSERVATIONS
from fitgym.planning.observed import observed_states, recall_yesterday
from fitgym.planning.simulation import Policy

# Quantiles of the standard normal distribution in the middle of equally likely parts. 64 parts
# settle a mean completion to three digits.
_PARTS = 64
_QUANTILES = np.array([NormalDist().inv_cdf((i + 0.5) / _PARTS) for i in range(_PARTS)])


def can_solve(environment: FitnessFatigueEnv) -> bool:
    """Return whether ``expected_rewards`` knows the environment's adherence model."""
    return type(environment.adherence) in _EXPECTED_REWARDS


def replayed_sessions(environment: FitnessFatigueEnv) -> NDArray[np.float64]:
    """Return the sessions of the log's part in use, points; empty where none are replayed."""
    starts = environment.adherence.start_rows(environment.days)
    end = int(starts[-1]) + environment.days
    return environment.adherence.tables.sessions_trimp[int(starts[0]) : end]


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
    knowing where in the log the season is. Under FitRec adherence it is the mean over tolerance
    and habit; the motivation is taken as observed, or as 0 where it is not, and the last session
    as what the observation tells of yesterday. Forbidden actions earn minus infinity.

    Args:
        environment: Whose person, plans and log are meant.
        observations: What is seen, (N, 6), or (N, 7) with the motivation.

    Raises:
        NotImplementedError: If the adherence model is not one of the above.
        ValueError: If the observations have another shape, or pushes may be ignored, see
            ``fitgym.envs.effects``.
    """
    if not can_solve(environment):
        raise NotImplementedError(
            "expected rewards are known for "
            f"{', '.join(model.__name__ for model in _EXPECTED_REWARDS)}, not for "
            f"{type(environment.adherence).__name__}"
        )
    environment.task.require_taken_up("the expected reward")
    states = observed_states(environment, observations)
    plans_trimp = np.array([0.0, *environment.individual.plans_trimp])
    rewards = np.empty((len(states), plans_trimp.size))
    work = (np.zeros(1, dtype=STATE), np.zeros(1, dtype=OUTCOME))
    tables = environment.adherence.tables
    if environment.adherence.exogenous:
        tables = tables._replace(sessions_trimp=replayed_sessions(environment))
    fill = _EXPECTED_REWARDS[type(environment.adherence)]
    fill(states, *work, environment.person, plans_trimp, tables, _QUANTILES, rewards)
    rewards[:, environment.action_mask == 0] = -np.inf
    return rewards


def myopic_policy(environment: FitnessFatigueEnv) -> Policy:
    """Return the policy that pushes the plan with the largest expected reward today.

    It knows person and model, and of a state what the environment lets an agent observe; what it
    cannot tell from that (see ``expected_rewards``) it raises when it acts.
    """
    kind, width = OBSERVATIONS[environment.task.observation]

    def act(states: NDArray[np.void]) -> NDArray[np.int64]:
        observations = np.empty((states.size, width), dtype=np.float32)
        kernel.observe_batch(states, environment.days, kind, observations)
        return np.asarray(expected_rewards(environment, observations).argmax(axis=1))

    return act


@compiled
def _certain_rewards(
    states: Any,
    scratch: Any,
    outcome: Any,
    people: Any,
    plans_trimp: Any,
    tables: Any,
    quantiles: Any,
    rewards: Any,
) -> None:
    """Fill ``rewards[i, j]`` with what plan j earns in state i when it is carried out.

    ``scratch`` and ``outcome`` are record arrays of length 1 to work in.
    """
    for i in range(states.size):
        for j in range(plans_trimp.size):
            scratch[0] = states[i]
            kernel.step(scratch, outcome, people, 0, plans_trimp[j], CERTAIN, tables)
            rewards[i, j] = outcome[0].reward


@compiled
def _replay_rewards(
    states: Any,
    scratch: Any,
    outcome: Any,
    people: Any,
    plans_trimp: Any,
    tables: Any,
    quantiles: Any,
    rewards: Any,
) -> None:
    """Fill ``rewards[i, j]`` with what plan j earns in state i, the mean over the log.

    Sessions do not depend on plans here. So the terms of completion and shortfall depend on the
    plan and the session alone, and need averaging once for all states. The performance term is
    the plan's alone where it is the planned one, and else the session's alone. That takes
    sessions + plans steps for a state in place of sessions x plans.
    """
    planned_utility = people[0].planned_utility
    sessions = tables.sessions_trimp
    for j in range(plans_trimp.size):
        total = 0.0
        for row in range(sessions.size):
            scratch[0] = states[0]
            scratch[0].session = row
            kernel.step(scratch, outcome, people, 0, plans_trimp[j], REPLAY, tables)
            total += outcome[0].completion_term + outcome[0].shortfall_term
        rewards[:, j] = total / sessions.size
    for i in range(states.size):
        realised = 0.0
        for row in range(sessions.size):
            scratch[0] = states[i]
            scratch[0].session = row
            kernel.step(scratch, outcome, people, 0, 0.0, REPLAY, tables)
            realised += outcome[0].performance_term
        for j in range(plans_trimp.size):
            if planned_utility and plans_trimp[j] > 0.0:
                scratch[0] = states[i]
                scratch[0].session = 0
                kernel.step(scratch, outcome, people, 0, plans_trimp[j], REPLAY, tables)
                rewards[i, j] += outcome[0].performance_term
            else:
                rewards[i, j] += realised / sessions.size


@compiled
def _fitrec_rewards(
    states: Any,
    scratch: Any,
    outcome: Any,
    people: Any,
    plans_trimp: Any,
    tables: Any,
    quantiles: Any,
    rewards: Any,
) -> None:
    """Fill ``rewards[i, j]`` with what plan j earns in state i, the mean over tolerance and habit.

    ``scratch`` and ``outcome`` are record arrays of length 1 to work in.
    """
    person = people[0]
    sessions = tables.sessions_trimp
    habits = sessions.size if sessions.size > 0 else quantiles.size
    nodes = tables.load_slopes.shape[1]
    for i in range(states.size):
        state = states[i]
        recall_yesterday(state, tables.targets_trimp)
        for j in range(plans_trimp.size):
            total = 0.0
            if plans_trimp[j] > 0.0:
                spread = 1.0
                if nodes > 0:
                    # The session's offset of heart rate adds to the noise of tolerance.
                    table = person.table
                    node, part = fitness_place(state, person, tables.nodes[table], nodes)
                    slope = slope_at(tables.load_slopes[table], node, part, j - 1)
                    ratio = slope * person.heart_rate_sd / person.tolerance_sd
                    spread = math.sqrt(1.0 + ratio * ratio)
                for quantile in quantiles:
                    if nodes > 0:
                        _, share, _, _ = body_response(
                            state, person, plans_trimp[j], spread * quantile, 0.0, tables
                        )
                    else:
                        _, share, _, _ = plan_response(
                            state, person, plans_trimp[j], quantile, tables
                        )
                    scratch[0] = state
                    kernel.step_with_response(
                        scratch,
                        outcome,
                        people,
                        0,
                        plans_trimp[j],
                        share * plans_trimp[j],
                        share >= 1.0,
                    )
                    total += outcome[0].reward / quantiles.size
            else:
                strikes = habit_probability(state, person)
                scratch[0] = state
                kernel.step_with_response(scratch, outcome, people, 0, 0.0, 0.0, False)
                total += (1.0 - strikes) * outcome[0].reward
                for habit in range(habits):
                    if sessions.size > 0:
                        intensity = sessions[habit]
                    else:
                        intensity = drawn_habit(person, quantiles[habit])
                    scratch[0] = state
                    kernel.step_with_response(scratch, outcome, people, 0, 0.0, intensity, False)
                    total += strikes * outcome[0].reward / habits
            rewards[i, j] = total


# By class, as every adherence model that is to be planned for needs one.
_EXPECTED_REWARDS: dict[type[Adherence], Callable[..., None]] = {
    CertainAdherence: _certain_rewards,
    ReplayAdherence: _replay_rewards,
    FitRecAdherence: _fitrec_rewards,
    Fitrec2Adherence: _fitrec_rewards,
}
