"""Rollouts: consecutive steps of a batch of environments under the current policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray
from torch import Tensor

from fitgym.common.compilation import COMPILES
from fitgym.envs.vector import FitnessFatigueVectorEnv
from fitgym_agents.deep.compiled import Memory, Steps, act
from fitgym_agents.deep.networks import (
    HiddenState,
    HybridNetwork,
    gumbel_noise,
    mask_logits,
    reset_hidden,
)
from fitgym_agents.deep.normalisation import CLIP, Normalisation
from fitgym_agents.deep.privileged import PrivilegedFacts, motivations
from fitgym_agents.deep.unrolling import last_states, policy_of, started_memory


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
        memory: What the actor's LSTM did, where that is known and no episode starts but with the
            first step; else None.
        finished_returns: Returns, in the reward's own units, of the episodes that ended.
    """

    observations: Tensor
    starting: Tensor
    actions: Tensor
    rewards: Tensor
    ended: Tensor
    critic_observations: Tensor
    hidden: HiddenState
    memory: Memory | None
    finished_returns: list[float]


class Collector:
    """Collects rollouts from a batch of environments.

    Episodes and the actor's hidden state go on from one rollout to the next. Where the environments
    allow it (``FitnessFatigueVectorEnv.batch``), acting is one compiled loop from one end of an
    episode to the next, which takes the same steps but for rounding in the policy.
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
        self._people = self._known_people()
        self._hidden: HiddenState = None
        self._returns: NDArray[np.float64] = np.zeros(environments.num_envs)

    def collect(self, actor: HybridNetwork, steps: int) -> Rollout:
        """Act for some steps by drawing from the actor's policy.

        Args:
            actor: Its outputs are logits, one for each action.
            steps: T.
        """
        count, width = self._observations.shape
        if self._hidden is None:
            self._hidden = actor.initial_hidden(count)
        hidden = self._hidden
        # The noise of all steps is drawn and masked at once, which saves calls.
        noise = gumbel_noise((steps, count, len(self._mask)), self._generator)
        noise = mask_logits(noise, self._mask)
        record = Steps.empty(steps, count, width)
        record.observations[0] = self._observations.numpy()
        told = np.empty((steps + 1, count, len(self._facts) if self._facts else 0), np.float32)
        self._tell(told[0])
        memory, steppable = None, _steppable(self._environments)
        if steppable is not None:
            memory = self._act_compiled(steppable, actor, noise, record, told)
        else:
            self._act(actor, noise, record, told)
        observations, ended = torch.from_numpy(record.observations), torch.from_numpy(record.ended)
        critic_observations = observations
        if self._facts:
            critic_observations = torch.cat([observations, torch.from_numpy(told)], -1)
        starting = torch.cat([self._starting[None], ended])
        self._observations, self._starting = observations[-1], ended[-1]
        return Rollout(
            observations=observations,
            critic_observations=critic_observations,
            starting=starting,
            actions=torch.from_numpy(record.actions),
            rewards=self._normalisation.rewards(record.rewards),
            ended=ended,
            hidden=hidden,
            memory=memory,
            finished_returns=self._finish(record),
        )

    def _act(
        self, actor: HybridNetwork, noise: Tensor, record: Steps, told: NDArray[np.float32]
    ) -> None:
        """Fill in the record and the privileged critic's inputs with one call per step."""
        step = actor.stepper()
        observations = self._observations
        for t, draws in enumerate(noise.unbind()):
            logits, self._hidden = step(observations, self._hidden)
            actions = (logits + draws).argmax(-1).numpy()
            current, rewards, terminated, truncated, _ = self._environments.step(actions)
            done = np.logical_or(terminated, truncated)
            if np.count_nonzero(done):
                self._hidden = reset_hidden(self._hidden, torch.from_numpy(done))
                self._people = self._known_people()
            observations = self._normalisation.observations(current)
            record.actions[t], record.rewards[t], record.ended[t] = actions, rewards, done
            record.observations[t + 1] = observations.numpy()
            self._tell(told[t + 1])

    def _act_compiled(
        self,
        environments: FitnessFatigueVectorEnv,
        actor: HybridNetwork,
        noise: Tensor,
        record: Steps,
        told: NDArray[np.float32],
    ) -> Memory | None:
        """As ``_act``, by a call for each episode; return what the LSTM did if there was but one.

        All episodes are of the same length, and begin together.
        """
        count = len(self._starting)
        policy = policy_of(actor)
        scratch = tuple(np.empty((count, bias.size), np.float32) for bias in policy.biases)
        first, whole = 0, None
        while first < len(noise):
            batch = environments.batch()
            last = min(len(noise), first + batch.days - int(batch.states["day"][0]))
            observations = torch.from_numpy(record.observations[first])
            memory = started_memory(self._hidden, last - first, observations)
            motivations = act(
                policy,
                scratch,
                memory,
                batch,
                self._normalisation.mean,
                self._normalisation.deviation,
                CLIP,
                noise[first:last].numpy(),
                record.part(first, last),
            )
            if self._hidden is not None:
                self._hidden = last_states(memory)
            if self._facts:
                told[first + 1 : last + 1, :, 0] = motivations
                told[first + 1 : last + 1, :, 1:] = self._people
            if record.ended[last - 1].any():
                current, _ = environments.reset()
                observations = self._normalisation.observations(current)
                record.observations[last] = observations.numpy()
                self._hidden = actor.initial_hidden(count)
                self._people = self._known_people()
                self._tell(told[last])
            if last - first == len(noise):
                whole = memory
            first = last
        return whole

    def _finish(self, record: Steps) -> list[float]:
        """Return the returns of the episodes that ended."""
        finished: list[float] = []
        for rewards, ended in zip(record.rewards, record.ended, strict=True):
            self._returns += rewards
            if np.count_nonzero(ended):
                finished += self._returns[ended].tolist()
                self._returns[ended] = 0.0
        return finished

    def _known_people(self) -> NDArray[np.float32] | None:
        """Return the privileged critic's inputs about the person of each environment, (N, K)."""
        return self._facts.people(self._environments) if self._facts else None

    def _tell(self, told: NDArray[np.float32]) -> None:
        """Fill in the privileged critic's inputs of this step, (N, 1 + K)."""
        if self._facts:
            told[:, :1] = motivations(self._environments)
            told[:, 1:] = self._people


def _steppable(environments: VectorEnv[Any, Any, Any]) -> FitnessFatigueVectorEnv | None:
    """Return environments that a compiled loop may step, None for others."""
    # A subclass may have a step of its own, which a compiled loop would pass by.
    if not isinstance(environments, FitnessFatigueVectorEnv):
        return None
    plain = type(environments) is FitnessFatigueVectorEnv and environments.has_batch
    return environments if COMPILES and plain else None
