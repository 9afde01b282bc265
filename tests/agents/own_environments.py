"""Environments of somebody's own, in a module that worker processes can import."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from fitgym.envs.scalar import FitnessFatigueEnv
from fitgym.envs.vector import FitnessFatigueVectorEnv


class Tempting(FitnessFatigueVectorEnv):
    """Plan 10 earns 1, 2, 3 or 4 on the four days of an episode, and costs 1 on each."""

    def step(self, actions: Any) -> Any:
        days = self.states["day"] + 1.0
        observations, _, terminated, truncated, infos = super().step(actions)
        wild = (np.asarray(actions) == 10).astype(np.float64)
        last = infos.get("final_info", infos)
        if "cost" in last:
            last["cost"] = wild
        return observations, days * wild, terminated, truncated, infos


class Reticent(FitnessFatigueEnv):
    """It has no argument ``cost``."""

    def __init__(self, *, render_mode: str | None = None) -> None:
        super().__init__(render_mode=render_mode, adherence="certain")


gym.register(
    "Tempting-v0",
    entry_point="fitgym.envs.scalar:FitnessFatigueEnv",
    vector_entry_point="own_environments:Tempting",
    kwargs={"days": 4, "adherence": "certain", "forbidden_plans": list(range(1, 10))},
)
gym.register(
    "Reticent-v0",
    entry_point="own_environments:Reticent",
    vector_entry_point="fitgym.envs.vector:FitnessFatigueVectorEnv",
)
