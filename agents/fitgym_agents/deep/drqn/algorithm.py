"""DRQN: deep recurrent Q-learning from sequences of a replay buffer of whole episodes.

After Hausknecht & Stone (2015), "Deep recurrent Q-learning for partially observable MDPs", with
the burn-in of Kapturowski et al. (2019), "Recurrent experience replay in distributed reinforcement
learning" (R2D2), and double Q-learning (van Hasselt et al. 2016).

Learning alternates. First every environment plays a whole episode, epsilon-greedily; then some
gradient steps are taken on sequences of steps from the replay buffer. Before each sequence the
network reads the steps that led to it, without gradient, so that its hidden state there is warm.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray
from torch import Tensor, nn

from fitgym.common.validation import require_integer
from fitgym_agents.deep.drqn.losses import q_learning_loss
from fitgym_agents.deep.drqn.replay_buffer import EpisodeReplayBuffer
from fitgym_agents.deep.drqn.settings import DRQNConfiguration
from fitgym_agents.deep.learner import SynchronousLearner
from fitgym_agents.deep.networks import HybridNetwork, mask_logits
from fitgym_agents.torch_state import (
    module_arrays,
    optimiser_arrays,
    restore_module,
    restore_optimiser,
)
from fitgym_agents.trained import part

# Gradients are clipped to this norm, that of SB3's DQN.
_GRADIENT_NORM = 10.0


def exploration(progress: float, share: float, final: float) -> float:
    """Return ``epsilon``, the share of random actions: from 1 linearly down to ``final``.

    Args:
        progress: How much of training is over, in [0, 1].
        share: Share of training after which ``final`` is reached.
        final: From then on.
    """
    return final if progress >= share else 1.0 + (final - 1.0) * progress / share


def epsilon_greedy(
    values: Tensor, mask: Tensor, epsilon: float, generator: torch.Generator
) -> Tensor:
    """Return the most valuable allowed actions, or with probability epsilon any allowed one: (N,).

    Args:
        values: Of the actions, (N, actions).
        mask: Which may be chosen, (actions,), bool.
        epsilon: Probability of a draw from all that may be chosen.
        generator: Of the draws.
    """
    allowed = mask.nonzero().flatten()
    drawn = allowed[torch.randint(len(allowed), values.shape[:1], generator=generator)]
    exploring = torch.rand(values.shape[:1], generator=generator) < epsilon
    return torch.where(exploring, drawn, mask_logits(values, mask).argmax(-1))


class DRQN(SynchronousLearner[DRQNConfiguration]):
    """Deep recurrent Q-learning with the hybrid network, from a replay buffer of episodes.

    Exploration becomes rare, and the learning rate falls linearly to zero. Every call of
    ``learn`` starts with an empty replay buffer.

    Attributes:
        target: The target network, a copy of the acting one from some updates ago.
    """

    name = "DRQN"
    settings_class = DRQNConfiguration
    target: HybridNetwork

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        """Make untrained networks; see ``Learner``."""
        super().__init__(*arguments, **keywords)
        self.target = copy.deepcopy(self.actor)
        self._optimiser = torch.optim.Adam(self.actor.parameters())
        self._updates = 0

    def _make_networks(self, inputs: int, actions: int) -> dict[str, nn.Module]:
        # Small values at first, so that the first targets are those of the rewards.
        return {"actor": self.make_network(inputs, actions, output_gain=0.1)}

    def _draw(self, outputs: Tensor) -> Tensor:
        """Draw epsilon-greedily, as at the end of training."""
        return epsilon_greedy(outputs, self.mask, self.settings.final_exploration, self._generator)

    def _rounds(
        self, environments: VectorEnv[Any, Any, Any], goal: int
    ) -> Iterator[tuple[int, list[float]]]:
        settings = self.settings
        seed = self.training_seed()
        generator = torch.Generator().manual_seed(seed)
        observations, _ = environments.reset(seed=seed)
        buffer = EpisodeReplayBuffer(settings.replay_episodes, self.episode_length, self.inputs)
        while True:
            progress = self.timesteps / goal
            epsilon = exploration(progress, settings.exploration_share, settings.final_exploration)
            observations, returns = self._play_episodes(
                environments, observations, buffer, epsilon, generator
            )
            if buffer.episodes >= settings.learning_starts:
                self._optimiser.param_groups[0]["lr"] = settings.learning_rate * (1.0 - progress)
                for _ in range(settings.gradient_steps):
                    self._update(buffer, generator)
            yield self.episode_length * environments.num_envs, returns

    def _play_episodes(
        self,
        environments: VectorEnv[Any, Any, Any],
        observations: NDArray[Any],
        buffer: EpisodeReplayBuffer,
        epsilon: float,
        generator: torch.Generator,
    ) -> tuple[NDArray[Any], list[float]]:
        """Store an episode of every environment; return the next observations and the returns."""
        count = environments.num_envs
        hidden = self.actor.initial_hidden(count)
        seen, chosen = [], []
        rewards = np.empty((self.episode_length, count))
        for step in range(self.episode_length):
            seen.append(self.normalisation.observations(observations))
            values, hidden = self.actor.step(seen[-1], hidden)
            chosen.append(epsilon_greedy(values, self.mask, epsilon, generator))
            observations, rewards[step], terminated, truncated, _ = environments.step(
                chosen[-1].numpy()
            )
        # All episodes are of the same length, so that all begin and end together.
        assert (terminated | truncated).all()
        buffer.add(torch.stack(seen), torch.stack(chosen), self.normalisation.rewards(rewards))
        return observations, rewards.sum(axis=0).tolist()

    def _update(self, buffer: EpisodeReplayBuffer, generator: torch.Generator) -> None:
        """Take one gradient step, and copy the network into the target every so many updates."""
        settings = self.settings
        # Of episodes shorter than a sequence there is nothing more to learn from.
        steps = min(settings.stretch_days, self.episode_length)
        sequences = buffer.sample(settings.stretches, settings.burn_in, steps, generator)
        loss = q_learning_loss(
            self.actor,
            self.target,
            sequences,
            self.mask,
            settings.discount,
            settings.trace_decay,
        )
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.actor.parameters(), _GRADIENT_NORM)
        self._optimiser.step()
        self._updates += 1
        if self._updates % settings.target_update == 0:
            self.target.load_state_dict(self.actor.state_dict())

    def configuration(self) -> dict[str, Any]:
        """Return environment, seed, settings, progress and learning curve."""
        return {**super().configuration(), "updates": self._updates}

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return the networks, the normalisation and the optimiser's state."""
        return {
            **super().tensors(),
            **module_arrays(self.target, "target"),
            **optimiser_arrays(self._optimiser, "optimiser"),
        }

    def _restore(self, configuration: dict[str, Any], tensors: dict[str, NDArray[Any]]) -> None:
        super()._restore(configuration, tensors)
        self._updates = require_integer("updates", configuration["updates"], 0)
        restore_module(self.target, part(tensors, "target"))
        restore_optimiser(self._optimiser, part(tensors, "optimiser"))
