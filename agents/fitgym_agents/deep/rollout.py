"""Living through days with a policy: what actor-critic learners learn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray
from torch import Tensor

from fitgym_agents.deep.networks import HybridNetwork, Memory, forbid, forget, gumbel_noise
from fitgym_agents.deep.normalisation import Normalisation

__all__ = ["Collector", "Window"]


@dataclass(frozen=True, eq=False)
class Window:
    """T days of N people, in the learner's scales.

    Attributes:
        observations: Before each day, and after the last one, (T + 1, N, I).
        starting: Whether an episode starts with the observation, (T + 1, N), bool.
        actions: Plans pushed, (T, N), int64.
        rewards: (T, N).
        ended: Whether the episode ended with the day, (T, N), bool.
        memory: The acting network's before the first day, forgotten where ``starting[0]``.
        finished_returns: Returns, in the reward's own units, of the whole seasons that ended.
    """

    observations: Tensor
    starting: Tensor
    actions: Tensor
    rewards: Tensor
    ended: Tensor
    memory: Memory
    finished_returns: list[float]


class Collector:
    """A batch of environments that a policy lives in, a window of days at a time.

    Seasons and the policy's memory go on from one window to the next.
    """

    def __init__(
        self,
        environments: VectorEnv[Any, Any, Any],
        normalisation: Normalisation,
        mask: Tensor,
        seed: int,
    ) -> None:
        """Start a season in every environment.

        Args:
            environments: They must reset within the step.
            normalisation: Scales of observations and rewards.
            mask: (actions,) of bool: what may be chosen.
            seed: Of seasons and actions.
        """
        self._environments = environments
        self._normalisation = normalisation
        self._mask = mask
        self._generator = torch.Generator().manual_seed(seed)
        observations, _ = environments.reset(seed=seed)
        self._observations = normalisation.observations(observations)
        self._starting = torch.ones(environments.num_envs, dtype=torch.bool)
        self._memory: Memory = None
        self._returns: NDArray[np.float64] = np.zeros(environments.num_envs)

    def collect(self, actor: HybridNetwork, days: int) -> Window:
        """Act for some days by drawing from the actor's policy.

        Args:
            actor: Its outputs are logits, one for each action.
            days: T.
        """
        count = self._environments.num_envs
        observations, actions = [self._observations], []
        rewards = np.empty((days, count))
        ended = np.empty((days, count), dtype=np.bool_)
        finished: list[float] = []
        if self._memory is None:
            self._memory = actor.initial_memory(count)
        memory = self._memory
        step = actor.stepper()
        # The noise of all days is drawn at once, and with it what is forbidden.
        noise = gumbel_noise((days, count, len(self._mask)), self._generator)
        for day, draws in enumerate(forbid(noise, self._mask).unbind()):
            logits, self._memory = step(self._observations, self._memory)
            chosen = (logits + draws).argmax(-1)
            actions.append(chosen)
            current, rewards[day], terminated, truncated, _ = self._environments.step(
                chosen.numpy()
            )
            self._returns += rewards[day]
            done = np.logical_or(terminated, truncated, out=ended[day])
            if np.count_nonzero(done):
                finished += self._returns[done].tolist()
                self._returns[done] = 0.0
                self._memory = forget(self._memory, torch.from_numpy(done))
            self._observations = self._normalisation.observations(current)
            observations.append(self._observations)
        ends = torch.from_numpy(ended)
        starting = torch.cat([self._starting[None], ends])
        self._starting = ends[-1]
        return Window(
            observations=torch.stack(observations),
            starting=starting,
            actions=torch.stack(actions),
            rewards=self._normalisation.rewards(rewards),
            ended=ends,
            memory=memory,
            finished_returns=finished,
        )
