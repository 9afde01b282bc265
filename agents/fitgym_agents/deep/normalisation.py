"""Scales of observations and rewards, measured once before learning and kept with the weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray
from torch import Tensor

from fitgym_agents.environments import shared_attribute

__all__ = ["Normalisation"]

# Standard errors of a few per cent are enough for scales.
_SEASONS = 256


@dataclass(frozen=True, eq=False)
class Normalisation:
    """Linear scales under which observations and returns are of the order of 1.

    They are measured in seasons of random plans and then fixed, so that asynchronous workers
    agree on them and replayed days look as they did when they were lived through. Rewards are
    centred, too: seasons are of fixed length, so that no policy gains or loses by it, and what is
    left to learn of the value is what the plans change.

    Attributes:
        mean: Of the observations, (I,).
        deviation: Standard deviation of the observations, (I,); 1 where they never vary.
        reward_mean: Mean reward of a day.
        return_deviation: Standard deviation of the discounted sum of the centred rewards still to
            come, over days and seasons.
    """

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    reward_mean: float
    return_deviation: float

    @classmethod
    def measure(
        cls, environments: VectorEnv[Any, Any, Any], days: int, discount: float, seed: int
    ) -> Self:
        """Let random plans be pushed for whole seasons, and take the moments.

        Args:
            environments: They must reset within the step.
            days: Length of a season, T.
            discount: ``gamma``.
            seed: Of the seasons and the plans.
        """
        mask = shared_attribute(environments, "action_mask")
        generator = np.random.default_rng(seed)
        seasons = -(-_SEASONS // environments.num_envs)
        observed: list[NDArray[Any]] = []
        returns: list[NDArray[np.float64]] = []
        rewards = np.empty((seasons, days, environments.num_envs))
        current, _ = environments.reset(seed=seed)
        for season in range(seasons):
            for day in range(days):
                observed.append(current)
                plans = generator.choice(np.flatnonzero(mask), size=environments.num_envs)
                current, rewards[season, day], *_ = environments.step(plans)
        reward_mean = float(rewards.mean())
        following = np.zeros((seasons, environments.num_envs))
        for day in reversed(range(days)):
            following = rewards[:, day] - reward_mean + discount * following
            returns.append(following)
        # In double precision: the stocks vary little about a large mean.
        everything = np.concatenate(observed).astype(np.float64)
        deviation = everything.std(axis=0)
        return cls(
            mean=everything.mean(axis=0),
            deviation=np.where(deviation > 0.0, deviation, 1.0),
            reward_mean=reward_mean,
            return_deviation=float(np.std(returns)) or 1.0,
        )

    def observations(self, observations: NDArray[Any]) -> Tensor:
        """Return observations (..., I) scaled, as float32."""
        scaled = (observations - self.mean) / self.deviation
        return torch.from_numpy(scaled.astype(np.float32))

    def rewards(self, rewards: NDArray[Any]) -> Tensor:
        """Return rewards centred and scaled, as float32."""
        scaled = (rewards - self.reward_mean) / self.return_deviation
        return torch.from_numpy(scaled.astype(np.float32))

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return the scales by name, for a file."""
        return {
            "mean": self.mean,
            "deviation": self.deviation,
            "reward": np.array([self.reward_mean, self.return_deviation]),
        }

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[Any]]) -> Self:
        """Return the scales that ``tensors`` gave."""
        reward_mean, return_deviation = tensors["reward"].tolist()
        return cls(tensors["mean"], tensors["deviation"], reward_mean, return_deviation)
