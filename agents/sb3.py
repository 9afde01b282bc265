"""Stable-Baselines3's DQN, PPO, A2C and RecurrentPPO as agents, set up for these environments.

The algorithms are used as they are. What is here are settings that serve seasons of 90 days on
two cores, normalisation that is kept with the weights, and files without pickle.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Generic, Self, TypeVar

import gymnasium as gym
import numpy as np
import sb3_contrib
import stable_baselines3
import torch
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.running_mean_std import RunningMeanStd
from stable_baselines3.common.vec_env import DummyVecEnv, VecMonitor, VecNormalize

from agents.agent import Actions, Agent, Observations, Progress
from agents.environments import EnvironmentFactory
from fitgym.individual import Individual
from fitgym.validation import require_integer, require_number

__all__ = [
    "A2C",
    "DQN",
    "PPO",
    "A2CConfiguration",
    "Configuration",
    "DQNConfiguration",
    "PPOConfiguration",
    "RecurrentPPO",
    "RecurrentPPOConfiguration",
    "StableBaselinesAgent",
]


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """What all four algorithms share.

    Attributes:
        environments: Seasons lived through at once. More of them make better use of a core: the
            learner's fixed cost per step is shared.
        learning_rate: Step size of the optimiser.
        discount: ``gamma`` in (0, 1]. A season's return is the plain sum of its rewards, and the
            days left are observed, so 1 would be exact; a little less makes credit for a day
            90 days long fade, and with it the noise of days that the plan had no part in.
        hidden_sizes: Units of the fully connected layers of policy and value.
    """

    environments: int = 64
    learning_rate: float = 1e-3
    discount: float = 0.99
    hidden_sizes: tuple[int, ...] = (64, 64)

    def __post_init__(self) -> None:
        """Check every field by its type and name; turn lists, as JSON gives them, into tuples."""
        object.__setattr__(self, "hidden_sizes", tuple(self.hidden_sizes))
        for i, size in enumerate(self.hidden_sizes):
            require_integer(f"hidden_sizes[{i}]", size, 1)
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(field.default, int):
                require_integer(field.name, value, 1)
            elif isinstance(field.default, float):
                highest = 1 if field.name in _SHARES else np.inf
                require_number(field.name, value, 0, highest)


_SHARES = {"discount", "advantage_decay", "exploration_share", "final_exploration", "clip_range"}


@dataclass(frozen=True, kw_only=True)
class PPOConfiguration(Configuration):
    """Proximal policy optimisation (Schulman et al. 2017).

    Attributes:
        steps: Days per environment between updates.
        minibatch: Transitions per gradient step; large, since the learner's time goes by steps.
        epochs: Passes over the collected days.
        advantage_decay: ``lambda`` of generalised advantage estimation.
        clip_range: How far the probability ratio may move before its gradient is cut.
        entropy_bonus: Weight of the entropy; higher explores longer.
    """

    steps: int = 64
    minibatch: int = 1024
    epochs: int = 6
    advantage_decay: float = 0.95
    clip_range: float = 0.2
    entropy_bonus: float = 0.005


@dataclass(frozen=True, kw_only=True)
class RecurrentPPOConfiguration(Configuration):
    """PPO with a memory: a long short-term memory layer before policy and value.

    One batch is one whole season of every environment, so that every sequence starts at the
    start of a season and gradients pass through all of it.

    Attributes:
        memory_size: Units of the LSTM.
        epochs: Passes over the collected seasons.
        advantage_decay: ``lambda`` of generalised advantage estimation.
        clip_range: How far the probability ratio may move before its gradient is cut.
        entropy_bonus: Weight of the entropy; higher explores longer.
    """

    memory_size: int = 64
    epochs: int = 4
    advantage_decay: float = 0.95
    clip_range: float = 0.2
    entropy_bonus: float = 0.005


@dataclass(frozen=True, kw_only=True)
class A2CConfiguration(Configuration):
    """Advantage actor-critic, the synchronous form of A3C (Mnih et al. 2016).

    Attributes:
        steps: Days per environment between updates.
        advantage_decay: ``lambda`` of generalised advantage estimation; 1 is Mnih et al.'s.
        entropy_bonus: Weight of the entropy; higher explores longer.
    """

    steps: int = 8
    advantage_decay: float = 0.95
    entropy_bonus: float = 0.005


@dataclass(frozen=True, kw_only=True)
class DQNConfiguration(Configuration):
    """Deep Q-learning (Mnih et al. 2015).

    Attributes:
        buffer_size: Transitions remembered.
        learning_starts: Transitions seen before the first update.
        minibatch: Transitions per gradient step.
        gradient_steps: Gradient steps after each day of all environments.
        target_update: Transitions between copies of the network into the target network.
        exploration_share: Share of learning over which random actions become rare.
        final_exploration: Share of random actions from then on.
    """

    buffer_size: int = 100_000
    learning_starts: int = 5_000
    minibatch: int = 512
    gradient_steps: int = 2
    target_update: int = 2_000
    exploration_share: float = 0.3
    final_exploration: float = 0.05


Settings = TypeVar("Settings", bound=Configuration)


class StableBaselinesAgent(Agent, Generic[Settings]):
    """An algorithm of Stable-Baselines3 or sb3-contrib behind the agents' interface.

    Learning seeds Python's, numpy's and torch's global generators, as SB3 does, and sets torch to
    one thread, which is several times faster for networks of this size.

    Attributes:
        name: The algorithm's name.
        settings: The configuration.
        model: SB3's model.
        learning_curve: Environment steps so far and mean return of the seasons that ended with
            that step, in the reward's own units.
    """

    name: ClassVar[str]  # type: ignore[misc]
    configuration_class: ClassVar[type[Configuration]]

    def __init__(
        self,
        env_id: str,
        *,
        env_kwargs: Mapping[str, Any] | None = None,
        seed: int = 0,
        configuration: Settings | Mapping[str, Any] | None = None,
    ) -> None:
        """Make the environments and an untrained model.

        Args:
            env_id: Registered id.
            env_kwargs: Arguments of the environment.
            seed: Seed of weights, exploration and training seasons.
            configuration: Settings, or a mapping of those to change.

        Raises:
            ValueError: If a setting is unknown or out of range, or the environment forbids plans.
            TypeError: If a setting has the wrong type.
        """

    @property
    def parameters(self) -> int:
        """Number of weights that are learnt."""
        return sum(p.numel() for p in self.model.policy.parameters() if p.requires_grad)


class PPO(StableBaselinesAgent[PPOConfiguration]):
    """SB3's proximal policy optimisation."""

    name = "PPO"
    configuration_class = PPOConfiguration


class RecurrentPPO(StableBaselinesAgent[RecurrentPPOConfiguration]):
    """sb3-contrib's recurrent proximal policy optimisation."""

    name = "RecurrentPPO"
    configuration_class = RecurrentPPOConfiguration


class A2C(StableBaselinesAgent[A2CConfiguration]):
    """SB3's advantage actor-critic."""

    name = "A2C"
    configuration_class = A2CConfiguration


class DQN(StableBaselinesAgent[DQNConfiguration]):
    """SB3's deep Q-learning."""

    name = "DQN"
    configuration_class = DQNConfiguration
