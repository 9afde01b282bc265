"""How a saved agent rates plans for ``fitgym coach``, through the group ``fitgym.coach_agents``."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.common.json_files import read_object
from fitgym_agents.agent import CARD
from fitgym_agents.files import load_agent

# Draws of the agent's policy that stand for its probabilities (ours).
_DRAWS = 256
_ACTIONS = 11


def saved_rating(
    folder: str | os.PathLike[str],
) -> Callable[[NDArray[np.float32]], NDArray[np.float64]]:
    """Return how a saved agent rates the actions after the observations of a season so far.

    An agent knows no constraints, so it is asked how often it takes each action; whoever asks takes
    the most frequent that is allowed. Of actions never taken, those near its choice rate higher.

    Args:
        folder: Where it was saved.

    Raises:
        ValueError: If it was trained on another version than 1, or on continuous plans.
    """
    trained_on = read_object(Path(folder) / CARD).get("configuration", {}).get("env_id", "")
    if not str(trained_on).endswith("-v1") or "Continuous" in str(trained_on):
        raise ValueError(
            f"--agent must be trained on ten plans of version 1, such as fitgym/Acquisition-v1; "
            f"the one in {os.fspath(folder)} knows {trained_on or 'no environment'}"
        )
    agent = load_agent(folder)

    def rating(observed: NDArray[np.float32]) -> NDArray[np.float64]:
        state: Any = None
        chosen = np.zeros(_DRAWS, dtype=np.int64)
        for day, row in enumerate(observed):
            batch = np.tile(row, (_DRAWS, 1))
            chosen, state = agent.predict(
                batch, state, np.full(_DRAWS, day == 0), deterministic=False
            )
        counts = np.bincount(chosen, minlength=_ACTIONS)[:_ACTIONS] / _DRAWS
        distance = np.abs(np.arange(_ACTIONS) - float(np.mean(chosen)))
        return np.asarray(counts - 1e-6 * distance)

    return rating
