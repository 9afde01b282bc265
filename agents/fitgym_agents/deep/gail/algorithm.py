"""GAIL: generative adversarial imitation learning with a recurrent policy (Ho & Ermon 2016).

The discriminator tells the expert's pairs of observation and action from the policy's, and the
policy is rewarded for pairs that look like the expert's. It never learns from the environment's own
reward, which only the learning curve shows. The steps left of the episode are among the numbers
observed, so the discriminator sees them.

Signs: here ``D(s, a)`` is the probability that a pair is the **expert's**, so the discriminator's
output, the logit of D, is positive for the expert. (Ho & Ermon's D is the policy's probability,
ours is one less theirs.) The reward is that logit, ``log D - log(1 - D)``, the logarithm of how
much more often the expert is found there than the policy. Episodes are all of the same length, so
no sign of a reward makes for longer or shorter ones, and the choice is free. Ho & Ermon's
``-log(1 - D)`` is flat where the policy is far from the expert, and ``log D`` where it is near; the
logit is flat nowhere, and its mean under the policy is, at the best discriminator, minus the
Kullback-Leibler divergence from the policy's pairs to the expert's.

Only whole episodes are compared, the policy's and the expert's: a batch is one episode of every
environment. With parts of episodes, early steps would be more common on one side than on the other
and tell the two apart whatever was done.

The policy is improved by the clipped steps of proximal policy optimisation (Schulman et al. 2017)
in place of Ho & Ermon's trust region, with generalised advantages from a critic of its own;
gradients pass through whole episodes.

The expert may see what the policy does not, the motivation above all. Where it acts differently on
observations that look alike, the policy would learn to draw as often as the expert does either. Ho
& Ermon add an entropy bonus; here a small penalty makes the policy decide, since agents are
evaluated by their likeliest action.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from fitgym_agents.deep.gail.demonstrations import Demonstrations, expert_for, record
from fitgym_agents.deep.gail.discriminator import (
    discriminator_loss,
    gradient_penalty,
    imitation_rewards,
    normalised_rewards,
)
from fitgym_agents.deep.gail.settings import GAILConfiguration
from fitgym_agents.deep.learner import SynchronousLearner
from fitgym_agents.deep.networks import HybridNetwork, entropies, mask_logits
from fitgym_agents.deep.returns import generalised_advantages
from fitgym_agents.deep.rollout import Collector, Rollout
from fitgym_agents.environments import EnvironmentFactory
from fitgym_agents.torch_state import optimiser_arrays, restore_optimiser
from fitgym_agents.trained import part

# Gradients are clipped to this norm, that of SB3's PPO.
_GRADIENT_NORM = 0.5


class GAIL(SynchronousLearner[GAILConfiguration]):
    """Generative adversarial imitation of an expert's recorded episodes, by the hybrid network.

    The learning rate of the policy falls linearly to zero.

    ``learn`` reads the demonstrations. Without a file of them it solves the environment first,
    which can take a minute; the solution is kept on disk. It raises FileNotFoundError if there is
    no file where there should be, and ValueError if the demonstrations are not of this
    environment, or too few, or there is no file of them and no expert known.
    """

    name = "GAIL"
    settings_class = GAILConfiguration

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        """Make untrained networks; see ``Learner``."""
        super().__init__(*arguments, **keywords)
        self._policy_weights = [
            *self.networks["actor"].parameters(),
            *self.networks["critic"].parameters(),
        ]
        self._optimisers = {
            "policy_optimiser": torch.optim.Adam(self._policy_weights),
            "discriminator_optimiser": torch.optim.Adam(
                self.networks["discriminator"].parameters(), lr=self.settings.discriminator_rate
            ),
        }
        self._expert: Tensor | None = None

    def _make_networks(self, inputs: int, actions: int) -> dict[str, nn.Module]:
        return {
            **self.make_actor_critic(inputs, actions),
            "discriminator": HybridNetwork(
                inputs + actions,
                1,
                network="mlp",
                hidden_sizes=self.settings.hidden_sizes,
                activation=self.settings.activation,
            ),
        }

    def _rounds(
        self, environments: VectorEnv[Any, Any, Any], goal: int
    ) -> Iterator[tuple[int, list[float]]]:
        if self._expert is None:
            shown = self._demonstrations()
            self._expert = self._pairs(
                self.normalisation.observations(shown.observations),
                torch.from_numpy(shown.actions),
            )
        collector = Collector(environments, self.normalisation, self.mask, self.training_seed())
        generator = torch.Generator().manual_seed(self.training_seed(1))
        while True:
            for group in self._optimisers["policy_optimiser"].param_groups:
                group["lr"] = self.settings.learning_rate * (1.0 - self.timesteps / goal)
            rollout = collector.collect(self.actor, self.episode_length)
            require_whole_episodes(rollout)
            pairs = self._pairs(rollout.observations[:-1], rollout.actions)
            self._improve_discriminator(pairs, generator)
            self._improve_policy(rollout, self._rewards(pairs, rollout.ended), generator)
            yield rollout.actions.numel(), rollout.finished_returns

    def discriminate(self, observations: NDArray[Any], actions: NDArray[Any]) -> NDArray[Any]:
        """Return D, the probability that observation and action are the expert's.

        Args:
            observations: As the environment gives them, (..., I).
            actions: (...).
        """
        normalised = self.normalisation.observations(observations)
        pairs = self._pairs(normalised, torch.from_numpy(np.asarray(actions)))
        with torch.no_grad():
            logits = self._logits(pairs)
        return torch.sigmoid(logits).reshape(actions.shape).numpy()

    def _demonstrations(self) -> Demonstrations:
        path, episodes = self.settings.demonstrations, self.settings.expert_episodes
        if path is None:
            expert = expert_for(self.env_id, self.env_kwargs)
            return record(expert, self.env_id, env_kwargs=self.env_kwargs, episodes=episodes)
        shown = Demonstrations.load(path)
        environment: Any = EnvironmentFactory(self.env_id, self.env_kwargs)().unwrapped
        try:
            shown.require_suitable(environment)
            return shown.first(episodes)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None

    def _pairs(self, observations: Tensor, actions: Tensor) -> Tensor:
        """Return what the discriminator sees, (M, I + actions): observations and actions."""
        one_hot = functional.one_hot(actions, self.mask.numel()).to(observations.dtype)
        return torch.cat([observations, one_hot], -1).flatten(0, -2)

    def _logits(self, pairs: Tensor) -> Tensor:
        logits: Tensor = self.networks["discriminator"](pairs)[0]
        return logits[..., 0]

    def _rewards(self, pairs: Tensor, ended: Tensor) -> Tensor:
        with torch.no_grad():
            rewards = imitation_rewards(self._logits(pairs)).reshape(ended.shape)
        return normalised_rewards(rewards, ended, self.settings.discount)

    def _improve_discriminator(self, pairs: Tensor, generator: torch.Generator) -> None:
        """Take gradient steps with as many pairs of the expert as there are of the policy."""
        assert self._expert is not None
        optimiser = self._optimisers["discriminator_optimiser"]
        for _ in range(self.settings.discriminator_epochs):
            size = self.settings.discriminator_minibatch
            for rows in _minibatches(len(pairs), size, generator):
                drawn = torch.randint(len(self._expert), (len(rows),), generator=generator)
                expert, policy = self._expert[drawn], pairs[rows]
                share = torch.rand((len(rows), 1), generator=generator)
                between = torch.lerp(policy, expert, share).requires_grad_()
                loss = discriminator_loss(self._logits(expert), self._logits(policy))
                loss = loss + self.settings.gradient_penalty * gradient_penalty(
                    self._logits(between), between
                )
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()

    def _improve_policy(
        self, rollout: Rollout, rewards: Tensor, generator: torch.Generator
    ) -> None:
        """Take clipped gradient steps of actor and critic on whole episodes."""
        settings = self.settings
        optimiser = self._optimisers["policy_optimiser"]
        critic = self.networks["critic"]
        observations = rollout.observations[:-1]
        with torch.no_grad():
            old_logs = self._log_probabilities(observations)
            old_logs = old_logs.gather(-1, rollout.actions[..., None])[..., 0]
            values = critic(observations)[0][..., 0]
        advantages = generalised_advantages(
            rewards,
            rollout.ended,
            values,
            torch.zeros_like(values[0]),
            settings.discount,
            settings.advantage_decay,
        )
        returns = advantages + values
        advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        for _ in range(settings.epochs):
            for rows in _minibatches(rewards.shape[1], settings.minibatch_episodes, generator):
                logs = self._log_probabilities(observations[:, rows])
                chosen = logs.gather(-1, rollout.actions[:, rows, None])[..., 0]
                objective = clipped_objective(
                    chosen - old_logs[:, rows], advantages[:, rows], settings.clip_range
                )
                errors = critic(observations[:, rows])[0][..., 0] - returns[:, rows]
                loss = (
                    0.5 * errors.square().mean()
                    - objective
                    + settings.entropy_penalty * entropies(logs).mean()
                )
                optimiser.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(self._policy_weights, _GRADIENT_NORM)
                optimiser.step()

    def _log_probabilities(self, observations: Tensor) -> Tensor:
        """Return the policy's of every action at every step of whole episodes, (T, N, actions)."""
        logits, _ = self.actor(observations)
        return torch.log_softmax(mask_logits(logits, self.mask), -1)

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return weights, normalisation and the state of the optimisers."""
        arrays = super().tensors()
        for name, optimiser in self._optimisers.items():
            arrays |= optimiser_arrays(optimiser, name)
        return arrays

    def _restore(self, configuration: dict[str, Any], tensors: dict[str, NDArray[Any]]) -> None:
        super()._restore(configuration, tensors)
        for name, optimiser in self._optimisers.items():
            restore_optimiser(optimiser, part(tensors, name))


def clipped_objective(log_ratios: Tensor, advantages: Tensor, clip_range: float) -> Tensor:
    """Return the objective that the policy's step raises (Schulman et al. 2017, equation 7).

    Args:
        log_ratios: Log-probability of what was done, less that when it was done.
        advantages: Of the same shape.
        clip_range: ``epsilon``.
    """
    ratios = log_ratios.exp()
    clipped = ratios.clamp(1.0 - clip_range, 1.0 + clip_range)
    return torch.minimum(ratios * advantages, clipped * advantages).mean()


def require_whole_episodes(rollout: Rollout) -> None:
    """Check that a rollout holds one episode of each environment, from first step to last.

    Raises:
        ValueError: If it does not.
    """
    starting, ended = rollout.starting[:-1], rollout.ended
    first, last = torch.zeros_like(ended), torch.zeros_like(ended)
    first[0] = last[-1] = True
    if not (torch.equal(starting, first) and torch.equal(ended, last)):
        raise ValueError(
            "GAIL compares whole episodes: every episode must start with the first step of the "
            f"rollout and end with its last, got {int(starting[0].sum())} that start there and "
            f"{int(ended[-1].sum())} that end there, of {ended.shape[1]} in {len(ended)} steps"
        )


def _minibatches(count: int, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Yield the numbers from 0 to ``count`` in random order, ``size`` at a time."""
    yield from torch.split(torch.randperm(count, generator=generator), size)
