"""Rollouts: consecutive steps of a batch of environments under the current policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray
from torch import Tensor

from fitgym_agents.deep.networks import (
    HiddenState,
    HybridNetwork,
    gumbel_noise,
    mask_logits,
    reset_hidden,
)
from fitgym_agents.deep.normalisation import Normalisation
from fitgym_agents.deep.privileged import PrivilegedFacts, motivations


@dataclass(frozen=True, eq=False)
class Rollout:
    """T steps of N environments, observations and rewards normalised.

    Attributes:
        observations: Before each step, and after the last one, (T + 1, N, I).
        starting: Whether an episode starts with the observation, (T + 1, N), bool.
        actions: (T, N), int64.
        rewards: (T, N).
        ended: Whether the episode ended with the step, (T, N), bool.
        critic_observations: What the critic is told, (T + 1, N, I + K): the observations, and
            where it is privileged the facts.
        hidden: The actor's hidden state before the first step, zero where ``starting[0]``.
        finished_returns: Returns, in the reward's own units, of the episodes that ended.
    """

    observations: Tensor
    starting: Tensor
    actions: Tensor
    rewards: Tensor
    ended: Tensor
    critic_observations: Tensor
    hidden: HiddenState
    finished_returns: list[float]


class Collector:
    """Collects rollouts from a batch of environments.

    Episodes and the actor's hidden state go on from one rollout to the next.
    """

    def __init__(
        self,
        environments: VectorEnv[Any, Any, Any],
        normalisation: Normalisation,
        mask: Tensor,
        seed: int,
        facts: PrivilegedFacts | None = None,
    ) -> None:
        """Start an episode in every environment.

        Args:
            environments: They must reset within the step.
            normalisation: Of observations and rewards.
            mask: (actions,) of bool: what may be chosen.
            seed: Of episodes and actions.
            facts: What a privileged critic is told of the people; None for no such critic.
        """
        self._facts = facts
        self._environments = environments
        self._normalisation = normalisation
        self._mask = mask
        self._generator = torch.Generator().manual_seed(seed)
        observations, _ = environments.reset(seed=seed)
        self._observations = normalisation.observations(observations)
        self._starting = torch.ones(environments.num_envs, dtype=torch.bool)
        self._people = facts.people(environments) if facts else None
        self._hidden: HiddenState = None
        self._returns: NDArray[np.float64] = np.zeros(environments.num_envs)

    def collect(self, actor: HybridNetwork, steps: int) -> Rollout:
        """Act for some steps by drawing from the actor's policy.

        Args:
            actor: Its outputs are logits, one for each action.
            steps: T.
        """
        count = self._environments.num_envs
        observations, actions = [self._observations], []
        told = self._told()
        rewards = np.empty((steps, count))
        ended = np.empty((steps, count), dtype=np.bool_)
        finished: list[float] = []
        if self._hidden is None:
            self._hidden = actor.initial_hidden(count)
        hidden = self._hidden
        step = actor.stepper()
        # The noise of all steps is drawn and masked at once, which saves calls.
        noise = gumbel_noise((steps, count, len(self._mask)), self._generator)
        for t, draws in enumerate(mask_logits(noise, self._mask).unbind()):
            logits, self._hidden = step(self._observations, self._hidden)
            chosen = (logits + draws).argmax(-1)
            actions.append(chosen)
            current, rewards[t], terminated, truncated, _ = self._environments.step(chosen.numpy())
            self._returns += rewards[t]
            done = np.logical_or(terminated, truncated, out=ended[t])
            if np.count_nonzero(done):
                finished += self._returns[done].tolist()
                self._returns[done] = 0.0
                self._hidden = reset_hidden(self._hidden, torch.from_numpy(done))
                self._people = self._facts.people(self._environments) if self._facts else None
            self._observations = self._normalisation.observations(current)
            observations.append(self._observations)
            told += self._told()
        ends = torch.from_numpy(ended)
        starting = torch.cat([self._starting[None], ends])
        self._starting = ends[-1]
        stacked = torch.stack(observations)
        return Rollout(
            observations=stacked,
            critic_observations=torch.cat([stacked, torch.stack(told)], -1) if told else stacked,
            starting=starting,
            actions=torch.stack(actions),
            rewards=self._normalisation.rewards(rewards),
            ended=ends,
            hidden=hidden,
            finished_returns=finished,
        )

    def _told(self) -> list[Tensor]:
        """Return what a privileged critic is told beside the observations, (N, K); else nothing."""
        if self._people is None:
            return []
        return [torch.from_numpy(np.hstack([motivations(self._environments), self._people]))]
