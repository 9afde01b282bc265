"""Normalisation of observations and rewards, measured once and kept with the weights."""

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

# Enough for standard errors of a few per cent.
_EPISODES = 256

# Normalised observations are clipped to this, as by SB3's VecNormalize: what hardly varies under
# random actions may be far off under a policy, or for another person.
CLIP = 10.0


@dataclass(frozen=True, eq=False)
class Normalisation:
    """Fixed linear maps under which observations and returns are of the order of 1.

    They are measured under random actions and then fixed, so that asynchronous workers agree on
    them and a transition in a replay buffer keeps its meaning. Rewards are centred, too: episodes
    are of fixed length, so that no policy gains or loses by it, and what is left to learn of the
    value is what the actions change.

    Attributes:
        mean: Of the observations, (I,).
        deviation: Standard deviation of the observations, (I,); 1 where they never vary.
        reward_mean: Mean reward of a step.
        return_deviation: Standard deviation of the discounted sum of the centred rewards still to
            come, over steps and episodes.
    """

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    reward_mean: float
    return_deviation: float

    def __post_init__(self) -> None:
        """Check shapes and values.

        Raises:
            ValueError: If mean and deviation differ in shape, or a deviation is not above 0.
        """
        if self.mean.ndim != 1 or self.mean.shape != self.deviation.shape:
            raise ValueError(
                "mean and deviation must be vectors of the same size, got the shapes "
                f"{self.mean.shape} and {self.deviation.shape}"
            )
        if not (self.deviation > 0.0).all() or not self.return_deviation > 0.0:
            raise ValueError(
                "deviation and return_deviation must be above 0, got "
                f"{self.deviation.tolist()} and {self.return_deviation}"
            )

    @classmethod
    def measure(
        cls, environments: VectorEnv[Any, Any, Any], steps: int, discount: float, seed: int
    ) -> Self:
        """Take the moments of whole episodes of random actions.

        Args:
            environments: They must reset within the step.
            steps: Length of an episode, T.
            discount: ``gamma``.
            seed: Of the episodes and the actions.
        """
        mask = shared_attribute(environments, "action_mask")
        generator = np.random.default_rng(seed)
        episodes = -(-_EPISODES // environments.num_envs)
        observed: list[NDArray[Any]] = []
        returns: list[NDArray[np.float64]] = []
        rewards = np.empty((episodes, steps, environments.num_envs))
        current, _ = environments.reset(seed=seed)
        for episode in range(episodes):
            for step in range(steps):
                observed.append(current)
                actions = generator.choice(np.flatnonzero(mask), size=environments.num_envs)
                current, rewards[episode, step], *_ = environments.step(actions)
        reward_mean = float(rewards.mean())
        following = np.zeros((episodes, environments.num_envs))
        for step in reversed(range(steps)):
            following = rewards[:, step] - reward_mean + discount * following
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

    def require_size(self, inputs: int) -> None:
        """Check that it is one of observations of ``inputs`` numbers.

        Raises:
            ValueError: If it is not.
        """
        if len(self.mean) != inputs:
            raise ValueError(
                f"the normalisation must be of {inputs} observed numbers, got {len(self.mean)}"
            )

    def observations(self, observations: NDArray[Any]) -> Tensor:
        """Return observations (..., I) normalised and clipped, as float32."""
        scaled = (observations - self.mean) / self.deviation
        return torch.from_numpy(scaled).clamp_(-CLIP, CLIP).float()

    def rewards(self, rewards: NDArray[Any]) -> Tensor:
        """Return rewards normalised, as float32."""
        scaled = (rewards - self.reward_mean) / self.return_deviation
        return torch.from_numpy(scaled.astype(np.float32))

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return the moments by name, for a file."""
        return {
            "mean": self.mean,
            "deviation": self.deviation,
            "reward": np.array([self.reward_mean, self.return_deviation]),
        }

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[Any]]) -> Self:
        """Return the normalisation that ``tensors`` described."""
        reward_mean, return_deviation = tensors["reward"].tolist()
        return cls(tensors["mean"], tensors["deviation"], reward_mean, return_deviation)
