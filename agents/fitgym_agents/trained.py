"""Base class of the agents that learn in one environment: our own learners and those of SB3."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor

from fitgym.common.validation import require_integer
from fitgym.envs.scalar import FitnessFatigueEnv
from fitgym.envs.task import Task
from fitgym.people.individual import Individual
from fitgym_agents.agent import Agent, LossPoint, Progress
from fitgym_agents.environments import EnvironmentFactory, json_able, require_as_trained
from fitgym_agents.evaluation import FIRST_TRAINING_SEED
from fitgym_agents.settings import Configuration, require_settings

Settings = TypeVar("Settings", bound=Configuration)


class TrainedAgent(Agent, Generic[Settings]):
    """An agent with settings, weights and a learning curve, trained in one environment.

    Training keeps torch to one thread, which is several times faster for networks of this size.

    Attributes:
        name: The algorithm's name.
        settings: The configuration.
        env_id: Registered id.
        env_kwargs: Arguments of the environment.
        seed: Seed of everything random in training.
        episode_length: Steps of an episode.
        inputs: Numbers in an observation.
        observation: Which observation is seen, as the environment's argument names it.
        mask: Which actions may be chosen, (actions,), bool.
        timesteps: Environment steps learnt from so far.
        learning_curve: Environment steps so far, and mean return of the episodes finished since
            the point before, in the reward's own units.
        learning_losses: Losses at points of the learning curve, see ``Agent``.
    """

    settings_class: ClassVar[type[Configuration]]
    settings: Settings

    def __init__(
        self,
        env_id: str,
        *,
        env_kwargs: Mapping[str, Any] | None = None,
        seed: int = 0,
        settings: Settings | None = None,
    ) -> None:
        """Read what training needs to know of the environment.

        Args:
            env_id: Registered id.
            env_kwargs: Arguments of the environment.
            seed: Seed of weights, exploration and training episodes.
            settings: The configuration; None for the defaults.

        Raises:
            ValueError: If an argument is out of range, or actions are continuous.
            TypeError: If an argument has the wrong type.
        """
        self.env_id = env_id
        self.env_kwargs = dict(env_kwargs or {})
        self.seed = require_integer("seed", seed, 0)
        self.settings = require_settings(self.name, settings, self.settings_class)
        self.timesteps = 0
        self.learning_curve: list[tuple[int, float]] = []
        self.learning_losses: list[LossPoint] = []
        torch.set_num_threads(1)
        environment = EnvironmentFactory(env_id, env_kwargs)().unwrapped
        assert isinstance(environment, FitnessFatigueEnv)
        if not isinstance(environment.action_space, spaces.Discrete):
            raise ValueError(
                f"{self.name} chooses among plans: env_id {env_id!r} has {environment.action_space}"
            )
        self.episode_length = int(environment.days)
        (self.inputs,) = environment.observation_space.shape
        self.observation = str(environment.task.observation)
        self.mask: Tensor = torch.from_numpy(environment.action_mask > 0)

    @classmethod
    def create(
        cls,
        env_id: str,
        *,
        env_kwargs: Mapping[str, Any] | None = None,
        seed: int = 0,
        configuration: Mapping[str, Any] | None = None,
    ) -> Self:
        """Return an untrained agent; see ``Agent.create``."""
        settings: Any = cls.settings_class.from_mapping(configuration or {})
        return cls(env_id, env_kwargs=env_kwargs, seed=seed, settings=settings)

    @abstractmethod
    def learn(self, total_timesteps: int, *, progress: Progress | None = None) -> Self:
        """Learn for some more environment steps; see ``Agent.learn``.

        Schedules (learning rate, exploration) depend on total timesteps: they have the configured
        value at step 0 and the end value after this call. So a call goes on with the schedules of
        one that was interrupted if it asks for the steps that this one left. It starts new
        episodes.
        """

    def training_seed(self, part: int = 0) -> int:
        """Return a seed for learning from the present step on, as one of many parts.

        No two parts, calls or agents of other seeds train on the same episodes, nor any on those
        of evaluation.
        """
        sequence = np.random.SeedSequence([self.seed, self.timesteps, part])
        return int(sequence.generate_state(1)[0]) | FIRST_TRAINING_SEED

    def prepare(self, task: Task, people: Sequence[Individual]) -> None:
        """Check that the agent was trained on this observation and this choice of actions.

        Raises:
            ValueError: If observations mean something else, or an action that may be chosen is
                forbidden.
        """
        require_as_trained(self.name, self.observation, self.mask.numpy(), task)

    def configuration(self) -> dict[str, Any]:
        """Return environment, seed, settings, progress and learning curve."""
        return {
            "env_id": self.env_id,
            "env_kwargs": json_able(self.env_kwargs),
            "seed": self.seed,
            "settings": asdict(self.settings),
            "timesteps": self.timesteps,
            "learning_curve": self.learning_curve,
            "learning_losses": self.learning_losses,
        }

    @classmethod
    def from_saved(cls, configuration: dict[str, Any], tensors: dict[str, NDArray[Any]]) -> Self:
        """Rebuild the agent, ready to act and to learn on.

        Raises:
            KeyError: If a part is missing.
            ValueError: If a tensor has a wrong shape or numbers that are not finite, or the
                configuration cannot be read.
        """
        for name, array in tensors.items():
            if not np.isfinite(array).all():
                raise ValueError(f"{name} of a saved {cls.name} must be finite numbers")
        try:
            settings: Any = cls.settings_class.from_mapping(configuration["settings"])
            agent = cls._untrained(configuration, settings, tensors)
            agent.timesteps = require_integer("timesteps", configuration["timesteps"], 0)
            agent.learning_curve = [(int(t), float(r)) for t, r in configuration["learning_curve"]]
            # Agents that were saved before losses were noted have none.
            agent.learning_losses = [
                (int(t), _number(policy), _number(value))
                for t, policy, value in configuration.get("learning_losses", ())
            ]
            agent._restore(configuration, tensors)
        # What torch and Python raise where a file holds other shapes or types than it should.
        except (AttributeError, IndexError, RuntimeError, TypeError) as error:
            raise ValueError(f"a saved {cls.name} cannot be rebuilt: {error}") from error
        return agent

    @classmethod
    def _untrained(
        cls, configuration: dict[str, Any], settings: Settings, tensors: dict[str, NDArray[Any]]
    ) -> Self:
        """Return the agent before its weights are restored."""
        return cls(
            configuration["env_id"],
            env_kwargs=configuration["env_kwargs"],
            seed=configuration["seed"],
            settings=settings,
        )

    @abstractmethod
    def _restore(self, configuration: dict[str, Any], tensors: dict[str, NDArray[Any]]) -> None:
        """Take back weights and whatever else ``configuration`` and ``tensors`` returned."""


class CurveRecorder:
    """Adds a point to a learning curve whenever as many episodes have finished as run at once."""

    def __init__(self, agent: TrainedAgent[Any]) -> None:
        """Start without finished episodes.

        Args:
            agent: Whose ``learning_curve`` grows.
        """
        self._agent = agent
        self._returns: list[float] = []

    def add(self, returns: Iterable[float]) -> bool:
        """Take the returns of episodes that finished within ``agent.timesteps``.

        Returns:
            Whether a point was added.
        """
        self._returns += returns
        if len(self._returns) < self._agent.settings.environments:
            return False
        point = (self._agent.timesteps, float(np.mean(self._returns)))
        self._agent.learning_curve.append(point)
        self._returns.clear()
        return True


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def part(tensors: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    """Return the arrays whose names begin with ``prefix.``, without it."""
    return {
        name.removeprefix(f"{prefix}."): array
        for name, array in tensors.items()
        if name.startswith(f"{prefix}.")
    }
