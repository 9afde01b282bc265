"""What our own learners share: settings, scales, the acting network, files, the learning curve."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from torch import Tensor, nn

from fitgym.common.validation import require_integer
from fitgym.envs.task import Task
from fitgym.people.individual import Individual
from fitgym_agents.agent import Actions, Agent, Observations, Progress
from fitgym_agents.deep.networks import HybridNetwork, Memory, draw_actions, forbid, forget
from fitgym_agents.deep.normalisation import Normalisation
from fitgym_agents.environments import (
    json_able,
    make_vector_env,
    require_as_trained,
    shared_attribute,
)
from fitgym_agents.evaluation import FIRST_TRAINING_SEED
from fitgym_agents.settings import NetworkConfiguration, require_settings

__all__ = ["Learner", "part"]

Settings = TypeVar("Settings", bound=NetworkConfiguration)

# Scale of a policy's first outputs, so that it starts out near to uniform (Andrychowicz et al.
# 2021, choice C57).
_POLICY_GAIN = 0.01

# Environments in which the scales are measured.
_MEASURED = 64


class Learner(Agent, Generic[Settings]):
    """An agent that acts by a network of ours; a subclass says how the network learns.

    Forbidden plans are never chosen. Learning keeps torch to one thread, which is several times
    faster for networks of this size.

    Attributes:
        name: The algorithm's name.
        settings: The configuration.
        env_id: Registered id.
        env_kwargs: Arguments of the environment.
        seed: Seed of everything random in learning.
        days: Length of a season.
        observation: Which observation is seen.
        mask: Which plans may be chosen, (actions,), bool.
        normalisation: Scales of observations and rewards.
        networks: By name what has weights; ``"actor"`` is the one that acts.
        timesteps: Environment steps learnt from so far.
        learning_curve: Environment steps so far, and mean return of the seasons finished since
            the point before, in the reward's own units.
    """

    settings_class: ClassVar[type[NetworkConfiguration]]
    settings: Settings

    def __init__(
        self,
        env_id: str,
        *,
        env_kwargs: Mapping[str, Any] | None = None,
        seed: int = 0,
        settings: Settings | None = None,
        normalisation: Normalisation | None = None,
    ) -> None:
        """Make untrained networks.

        Args:
            env_id: Registered id.
            env_kwargs: Arguments of the environment.
            seed: Seed of weights, exploration and training seasons.
            settings: The configuration; None for the defaults.
            normalisation: Scales; None to measure them in seasons of random plans.

        Raises:
            ValueError: If an argument is out of range, or plans are continuous.
            TypeError: If an argument has the wrong type.
        """
        self.env_id = env_id
        self.env_kwargs = dict(env_kwargs or {})
        self.seed = require_integer("seed", seed, 0)
        self.settings = require_settings(self.name, settings, self.settings_class)
        self.timesteps = 0
        self.learning_curve: list[tuple[int, float]] = []
        torch.set_num_threads(1)
        environments = make_vector_env(env_id, _MEASURED, env_kwargs)
        actions, observations = (
            environments.single_action_space,
            environments.single_observation_space,
        )
        if not isinstance(actions, spaces.Discrete):
            raise ValueError(f"{self.name} chooses among plans: env_id {env_id!r} has {actions}")
        assert isinstance(observations, spaces.Box)
        self.days = int(shared_attribute(environments, "days"))
        self.observation = str(shared_attribute(environments, "task").observation)
        self.mask: Tensor = torch.from_numpy(shared_attribute(environments, "action_mask") > 0)
        self.normalisation = normalisation or Normalisation.measure(
            environments, self.days, self.settings.discount, self.training_seed()
        )
        environments.close()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            self.networks = self._make_networks(observations.shape[0], int(actions.n))
        self._generator = torch.Generator().manual_seed(self.seed)

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
    def _make_networks(self, inputs: int, actions: int) -> dict[str, nn.Module]:
        """Return untrained networks by name, among them ``"actor"``, a ``HybridNetwork``."""

    @abstractmethod
    def learn(self, total_timesteps: int, *, progress: Progress | None = None) -> Self:
        """Learn for some more environment steps; see ``Agent.learn``.

        What falls with learning, step sizes and the like, does so from its setting, at no steps
        at all, to the end of this call. So a call goes on with the schedules of one that was
        interrupted, if it asks for the steps that this one left. It starts new seasons.
        """

    def make_network(self, inputs: int, outputs: int, output_gain: float = 1.0) -> HybridNetwork:
        """Return an untrained network as the settings describe it."""
        return HybridNetwork(
            inputs,
            outputs,
            network=self.settings.network,
            memory_size=self.settings.memory_size,
            hidden_sizes=self.settings.hidden_sizes,
            activation=self.settings.activation,
            output_gain=output_gain,
        )

    def make_actor_critic(self, inputs: int, actions: int) -> dict[str, nn.Module]:
        """Return untrained networks of a policy and its value, of the same kind and apart."""
        return {
            "actor": self.make_network(inputs, actions, _POLICY_GAIN),
            "critic": self.make_network(inputs, 1),
        }

    @property
    def actor(self) -> HybridNetwork:
        """The network that acts: its outputs are logits or action values."""
        actor = self.networks["actor"]
        assert isinstance(actor, HybridNetwork)
        return actor

    @property
    def parameters(self) -> int:
        """Number of weights that are learnt."""
        return sum(
            weight.numel() for network in self.networks.values() for weight in network.parameters()
        )

    def training_seed(self, part: int = 0) -> int:
        """Return a seed for learning from the present step on, as one of many parts.

        No two parts, calls or agents of other seeds train on the same seasons, nor any on those
        of evaluation.
        """
        sequence = np.random.SeedSequence([self.seed, self.timesteps, part])
        return int(sequence.generate_state(1)[0]) | FIRST_TRAINING_SEED

    def prepare(self, task: Task, people: Sequence[Individual]) -> None:
        """Check that the agent was trained on this observation and these plans.

        Raises:
            ValueError: If observations mean something else, or a plan that may be chosen is
                forbidden.
        """
        require_as_trained(self.name, self.observation, self.mask.numpy(), task)

    def predict(
        self,
        observation: Observations,
        state: Any = None,
        episode_start: NDArray[np.bool_] | None = None,
        deterministic: bool = True,
    ) -> tuple[Actions, Any]:
        """Choose plans by the acting network; see ``Agent.predict``."""
        memory: Memory = state
        if memory is None:
            memory = self.actor.initial_memory(len(observation))
        elif episode_start is not None and episode_start.any():
            memory = forget(memory, torch.from_numpy(np.asarray(episode_start)))
        outputs, memory = self.actor.step(self.normalisation.observations(observation), memory)
        outputs = forbid(outputs, self.mask)
        actions = outputs.argmax(-1) if deterministic else self._draw(outputs)
        return actions.numpy(), memory

    def _draw(self, outputs: Tensor) -> Tensor:
        """Draw actions from what the acting network gave, (N, actions): (N,)."""
        return draw_actions(outputs, self._generator)

    def configuration(self) -> dict[str, Any]:
        """Return environment, seed, settings, progress and learning curve."""
        return {
            "env_id": self.env_id,
            "env_kwargs": json_able(self.env_kwargs),
            "seed": self.seed,
            "settings": asdict(self.settings),
            "timesteps": self.timesteps,
            "learning_curve": self.learning_curve,
        }

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return weights, normalisation and what else the subclass needs to learn on."""
        arrays = {
            f"{network}.{name}": value.detach().cpu().numpy()
            for network, module in self.networks.items()
            for name, value in module.state_dict().items()
        }
        for name, array in self.normalisation.tensors().items():
            arrays[f"normalisation.{name}"] = array
        return arrays

    @classmethod
    def from_saved(cls, configuration: dict[str, Any], tensors: dict[str, NDArray[Any]]) -> Self:
        """Rebuild the agent, ready to act and to learn on."""
        settings: Any = cls.settings_class.from_mapping(configuration["settings"])
        agent = cls(
            configuration["env_id"],
            env_kwargs=configuration["env_kwargs"],
            seed=configuration["seed"],
            settings=settings,
            normalisation=Normalisation.from_tensors(part(tensors, "normalisation")),
        )
        agent.timesteps = int(configuration["timesteps"])
        agent.learning_curve = [(int(t), float(r)) for t, r in configuration["learning_curve"]]
        for name, module in agent.networks.items():
            weights = {key: torch.from_numpy(value) for key, value in part(tensors, name).items()}
            module.load_state_dict(weights)
        agent._restore(tensors)
        return agent

    def _restore(self, tensors: dict[str, NDArray[Any]]) -> None:
        """Take back what the subclass added to ``tensors``."""


def part(tensors: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    """Return the arrays whose names begin with ``prefix.``, without it."""
    return {
        name.removeprefix(f"{prefix}."): array
        for name, array in tensors.items()
        if name.startswith(f"{prefix}.")
    }
