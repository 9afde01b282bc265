"""What an observation tells of the state, for planners that act on observations."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.adherence.response import nearest_plan, recorded_history
from fitgym.common.compilation import compiled
from fitgym.envs.records import STATE
from fitgym.envs.scalar import FitnessFatigueEnv
from fitgym.envs.task import OBSERVATIONS

# Fields of ``STATE`` that the first columns of an observation tell, in their order.
OBSERVED_FIELDS = ("intensity", "base_level", "fitness", "fatigue", "plan_trimp")


def observed_states(
    environment: FitnessFatigueEnv, observations: NDArray[np.float32]
) -> NDArray[np.void]:
    """Return what observations tell of the state, (N,) of ``STATE``, without a history.

    A motivation that is not observed counts as 0.

    Args:
        environment: Whose observations they are.
        observations: What is seen, (N, width): the state first, with or without the motivation or
            the person.

    Raises:
        NotImplementedError: If the environment observes as a watch does, or plans are continuous.
        ValueError: If the observations have another shape.
    """
    task = environment.task
    if task.observation == "wearable" or task.continuous:
        raise NotImplementedError(
            "the state is known from the observation 'state', 'full' or 'person' and ten plans, "
            f"not observation={task.observation!r}, continuous={task.continuous}"
        )
    _, width = OBSERVATIONS[task.observation]
    if observations.ndim != 2 or observations.shape[1] != width:
        raise ValueError(f"observations must have shape (N, {width}), got {observations.shape}")
    states = observed_stocks(observations)
    states["day"] = task.days - np.rint(observations[:, 5].astype(np.float64) * task.days)
    if task.observation == "full":
        states["motivation"] = observations[:, 6]
    return states


def observed_stocks(observations: NDArray[np.float32]) -> NDArray[np.void]:
    """Return what the first columns of observations tell of the state, (N,) of ``STATE``.

    Args:
        observations: What is seen, (N, width), the state first.
    """
    states = np.zeros(len(observations), dtype=STATE)
    for column, field in enumerate(OBSERVED_FIELDS):
        states[field] = observations[:, column]
    return states


@compiled
def recall_yesterday(state: Any, targets_trimp: Any) -> None:
    """Set the history of ``state`` from its last day, as FitRec would have recorded it.

    An observation tells yesterday's session and no other, so a rest day leaves no history.

    Args:
        state: Record of ``STATE``, changed in place.
        targets_trimp: Points that the plans ask for, rising.
    """
    state.days_since = 1
    state.history = 0
    if state.intensity > 0.0:
        planned = state.plan_trimp > 0.0
        plan = nearest_plan(targets_trimp, state.plan_trimp if planned else state.intensity)
        share = state.intensity / state.plan_trimp if planned else 1.0
        state.history = recorded_history(plan, min(share, 1.0))


@compiled
def recall_histories(states: Any, targets_trimp: Any) -> None:
    """Set the history of every state from its last day; see ``recall_yesterday``."""
    for i in range(states.size):
        recall_yesterday(states[i], targets_trimp)
