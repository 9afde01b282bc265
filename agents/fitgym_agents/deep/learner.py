"""Base classes of our own learners: acting by a network, and the loop of synchronous learning."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
import torch
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray
from torch import Tensor, nn

from fitgym.common.validation import require_integer
from fitgym_agents.agent import Actions, Observations, Progress
from fitgym_agents.deep.networks import (
    HiddenState,
    HybridNetwork,
    draw_actions,
    mask_logits,
    reset_hidden,
)
from fitgym_agents.deep.normalisation import Normalisation
from fitgym_agents.deep.settings import NetworkConfiguration
from fitgym_agents.environments import make_vector_env
from fitgym_agents.torch_state import module_arrays, restore_module
from fitgym_agents.trained import CurveRecorder, TrainedAgent, part

Settings = TypeVar("Settings", bound=NetworkConfiguration)

# Scale of a policy's first outputs, so that it starts out near to uniform (Andrychowicz et al.
# 2021, choice C57).
_POLICY_GAIN = 0.01

# Environments in which the normalisation is measured.
_MEASURED = 64


class Learner(TrainedAgent[Settings]):
    """An agent that acts by a network of ours; a subclass says how the network learns.

    Forbidden actions are masked.

    Attributes:
        normalisation: Of observations and rewards.
        networks: By name what has weights; ``"actor"`` is the one that acts.
    """

    settings_class: ClassVar[type[NetworkConfiguration]]

    def __init__(
        self,
        env_id: str,
        *,
        env_kwargs: Mapping[str, Any] | None = None,
        seed: int = 0,
        settings: Settings | None = None,
        normalisation: Normalisation | None = None,
    ) -> None:
        """Make untrained networks; see ``TrainedAgent``.

        Args:
            env_id: Registered id.
            env_kwargs: Arguments of the environment.
            seed: Seed of weights, exploration and training episodes.
            settings: The configuration; None for the defaults.
            normalisation: Of observations and rewards; None to measure it in episodes of random
                actions.

        Raises:
            ValueError: If an argument is out of range, or actions are continuous.
            TypeError: If an argument has the wrong type.
        """
        super().__init__(env_id, env_kwargs=env_kwargs, seed=seed, settings=settings)
        self.normalisation = normalisation or self._measured_normalisation()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            self.networks = self._make_networks(self.inputs, len(self.mask))
        self._generator = torch.Generator().manual_seed(self.seed)

    def _measured_normalisation(self) -> Normalisation:
        with closing(make_vector_env(self.env_id, _MEASURED, self.env_kwargs)) as environments:
            return Normalisation.measure(
                environments, self.episode_length, self.settings.discount, self.training_seed()
            )

    @abstractmethod
    def _make_networks(self, inputs: int, actions: int) -> dict[str, nn.Module]:
        """Return untrained networks by name, among them ``"actor"``, a ``HybridNetwork``."""

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

    def make_actor_critic(self, inputs: int, actions: int, told: int = 0) -> dict[str, nn.Module]:
        """Return untrained networks of a policy and its value, of the same kind and apart.

        Args:
            inputs: Numbers in an observation.
            actions: How many there are to choose from.
            told: Numbers that the critic is told beside the observation.
        """
        return {
            "actor": self.make_network(inputs, actions, _POLICY_GAIN),
            "critic": self.make_network(inputs + told, 1),
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

    def predict(
        self,
        observation: Observations,
        state: Any = None,
        episode_start: NDArray[np.bool_] | None = None,
        deterministic: bool = True,
    ) -> tuple[Actions, Any]:
        """Choose actions by the acting network; see ``Agent.predict``."""
        hidden: HiddenState = state
        if hidden is None:
            hidden = self.actor.initial_hidden(len(observation))
        elif episode_start is not None and episode_start.any():
            hidden = reset_hidden(hidden, torch.from_numpy(np.asarray(episode_start)))
        outputs, hidden = self.actor.step(self.normalisation.observations(observation), hidden)
        outputs = mask_logits(outputs, self.mask)
        actions = outputs.argmax(-1) if deterministic else self._draw(outputs)
        return actions.numpy(), hidden

    def _draw(self, outputs: Tensor) -> Tensor:
        """Draw actions from the masked outputs of the acting network, (N, actions): (N,)."""
        return draw_actions(outputs, self._generator)

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return weights, normalisation and what else the subclass needs to learn on."""
        arrays: dict[str, NDArray[Any]] = {}
        for name, module in self.networks.items():
            arrays |= module_arrays(module, name)
        for name, array in self.normalisation.tensors().items():
            arrays[f"normalisation.{name}"] = array
        return arrays

    @classmethod
    def _untrained(
        cls, configuration: dict[str, Any], settings: Settings, tensors: dict[str, NDArray[Any]]
    ) -> Self:
        agent = cls(
            configuration["env_id"],
            env_kwargs=configuration["env_kwargs"],
            seed=configuration["seed"],
            settings=settings,
            normalisation=Normalisation.from_tensors(part(tensors, "normalisation")),
        )
        agent.normalisation.require_size(agent.inputs)
        return agent

    def _restore(self, configuration: dict[str, Any], tensors: dict[str, NDArray[Any]]) -> None:
        for name, module in self.networks.items():
            restore_module(module, part(tensors, name))


class SynchronousLearner(Learner[Settings]):
    """A learner that alternates between steps of one batch of environments and updates."""

    def learn(self, total_timesteps: int, *, progress: Progress | None = None) -> Self:
        """Learn for some more environment steps; see ``TrainedAgent.learn``."""
        require_integer("total_timesteps", total_timesteps, 1)
        torch.set_num_threads(1)
        start = self.timesteps
        goal = start + total_timesteps
        curve = CurveRecorder(self)
        count = self.settings.environments
        with closing(make_vector_env(self.env_id, count, self.env_kwargs)) as environments:
            rounds = self._rounds(environments, goal)
            while self.timesteps < goal:
                steps, returns = next(rounds)
                self.timesteps += steps
                curve.add(returns)
                if progress is not None:
                    progress(self.timesteps - start)
        return self

    @abstractmethod
    def _rounds(
        self, environments: VectorEnv[Any, Any, Any], goal: int
    ) -> Iterator[tuple[int, list[float]]]:
        """Yield, after each round of steps and updates, its steps and the finished returns.

        Args:
            environments: They reset within the step.
            goal: ``timesteps`` at which schedules reach their end value.
        """
