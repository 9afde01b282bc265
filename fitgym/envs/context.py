"""What a service knows of a person beside the state, for ``observation="person"``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.common.compilation import compiled
from fitgym.people.individual import Individual

# Columns of the state come first, then what the last day brought: reward, mean heart rate, and
# internal load per point.
STATE_COLUMNS = 6
DAY_COLUMNS = 3
# Bound on internal load per point (ours): a minute at the maximum heart rate has a load below 5, an
# easy one some 0.2 points.
LARGEST_LOAD_PER_POINT = 1000.0
# Lowest and highest value of each number of ``context``: what an individual may have.
CONTEXT_LOW = (15.0, 30.0, 120.0, 0.0, 0.0, 0.0)
CONTEXT_HIGH = (90.0, 110.0, 230.0, 1.0, 1.0, 2000.0)
COLUMNS = STATE_COLUMNS + DAY_COLUMNS + len(CONTEXT_LOW)

_GENDERS = {"male": 0.0, "unknown": 0.5, "female": 1.0}


def context(individual: Individual) -> NDArray[np.float32]:
    """Return what a service knows of a person from the start, (6,).

    VDOT as the service estimates it, resting and maximum heart rate in bpm, gender (0 male, 1
    female, 0.5 unknown), and how the person trains without a service: probability of a session on
    a day, and its median in points. The maximum heart rate stands for the age, which the model
    does not have.

    Args:
        individual: Who it is.
    """
    physiology, habit = individual.physiology, individual.habit
    return np.array(
        [
            physiology.vdot,
            physiology.resting_heart_rate,
            physiology.maximum_heart_rate,
            _GENDERS[physiology.gender],
            habit.probability,
            habit.median_trimp,
        ],
        dtype=np.float32,
    )


@compiled
def complete(observations: Any, outcomes: Any, contexts: Any) -> None:
    """Fill in the columns after those of the state.

    Args:
        observations: (N, 15), changed in place.
        outcomes: What the last day, or the reset, brought, (N,) of ``OUTCOME``.
        contexts: ``context`` of each person, (N, 6), or (1, 6) of one.
    """
    for index in range(outcomes.size):
        row, outcome = observations[index], outcomes[index]
        known = contexts[index if contexts.shape[0] > 1 else 0]
        # There was no day before the first, so no session and no heart rate.
        done = outcome.done_trimp
        trained = done > 0.0
        row[STATE_COLUMNS] = outcome.reward
        row[STATE_COLUMNS + 1] = outcome.mean_heart_rate if trained else 0.0
        row[STATE_COLUMNS + 2] = outcome.internal_load / done if trained else 0.0
        for column in range(known.size):
            row[STATE_COLUMNS + DAY_COLUMNS + column] = known[column]
