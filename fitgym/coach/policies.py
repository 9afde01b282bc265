"""Who chooses among allowed plans: the belief, the mean motivation, a rule, a saved agent."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.coach.person import MOTIVATIONS
from fitgym.coach.program import SeasonProgram
from fitgym.planning.grid import hat_weights
from fitgym.planning.rules import rule_of_thumb

Array = NDArray[np.float64]

POLICIES = ("belief", "dp", "a3c", "coach")
# Packages above this one offer how a saved agent rates the actions, see ``agent_rating``.
GROUP = "fitgym.coach_agents"

# From what was observed on the days of a season so far, (T, 6), to a rating of each action.
Rating = Callable[[NDArray[np.float32]], Array]


def agent_rating(folder: str | os.PathLike[str] | None) -> Rating:
    """Return how a saved agent rates actions.

    Args:
        folder: Where the agent was saved.

    Raises:
        ValueError: If no folder is given: no agent of this person's version ships.
        ImportError: If the agents are not installed.
    """
    if folder is None:
        raise ValueError(
            "policy a3c needs --agent FOLDER with an agent trained on fitgym/Acquisition-v1 "
            "(fitgym train a3c fitgym/Acquisition-v1): those that ship are of version 0"
        )
    for entry in entry_points(group=GROUP):
        if entry.name == "saved":
            load: Any = entry.load()
            rating: Rating = load(folder)
            return rating
    raise ImportError("policy a3c needs the agents: pip install 'fitgym[agents]'")


def rate(
    policy: str,
    program: SeasonProgram,
    states: NDArray[np.void],
    beliefs: Array,
    waits: NDArray[np.int64],
    ratings: Array | None = None,
) -> Array:
    """Return how a policy rates each action, (N, actions); the highest that is allowed is taken.

    Args:
        policy: One of ``POLICIES``.
        program: The solved season.
        states: (N,) of ``STATE``, on one day of the season.
        beliefs: (N, M).
        waits: (N,) how many days no hard plan may follow.
        ratings: The agent's, (N, actions), for ``"a3c"``.
    """
    if policy == "belief":
        return program.worth(states, beliefs, waits)
    if policy == "dp":
        return program.worth(states, hat_weights(MOTIVATIONS, beliefs @ MOTIVATIONS), waits)
    actions = np.arange(program.targets.size)
    if policy == "coach":
        wanted = rule_of_thumb(states["day"], program.days)[:, None]
        # The rule, or the hardest below it.
        return np.where(actions <= wanted, actions, -actions).astype(np.float64)
    if ratings is None:
        raise ValueError("policy a3c needs the ratings of an agent")
    return ratings
