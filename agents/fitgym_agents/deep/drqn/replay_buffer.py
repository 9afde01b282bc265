"""Replay buffer of whole episodes, of which sequences of steps are drawn to learn from."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Sequences:
    """L steps of each of N episodes, and the B steps before them, to be read first.

    Where an episode begins less than B steps before, what stands before its first step is not its
    own, and ``starting`` says where the hidden state is reset.

    Attributes:
        observations: Before each of the B + L steps and after the last, (B + L + 1, N, I). What
            follows the last step of an episode is arbitrary.
        starting: Whether the episode begins with the observation, (B + 1, N), bool: nothing but
            the first of the L steps may begin one.
        actions: Of the L steps, (L, N), int64.
        rewards: (L, N).
        ended: Whether the episode ended with the step, (L, N), bool.
    """

    observations: Tensor
    starting: Tensor
    actions: Tensor
    rewards: Tensor
    ended: Tensor


class EpisodeReplayBuffer:
    """The last whole episodes, in arrays of fixed size.

    Attributes:
        episodes: How many are stored at present.
    """

    def __init__(self, capacity: int, steps: int, inputs: int) -> None:
        """Make an empty buffer.

        Args:
            capacity: Episodes stored at most; then the oldest are replaced.
            steps: Length of an episode, T.
            inputs: Numbers observed, I.
        """
        self.episodes = 0
        self._next = 0
        # One step more than an episode has, so that a sequence may look past the last one.
        self._observations = torch.zeros(capacity, steps + 1, inputs)
        self._actions = torch.zeros(capacity, steps, dtype=torch.int64)
        self._rewards = torch.zeros(capacity, steps)

    def add(self, observations: Tensor, actions: Tensor, rewards: Tensor) -> None:
        """Store N episodes.

        Args:
            observations: Before each step, (T, N, I).
            actions: (T, N).
            rewards: (T, N).
        """
        capacity, steps = self._actions.shape
        count = actions.shape[1]
        rows = (self._next + torch.arange(count)) % capacity
        self._observations[rows, :steps] = observations.transpose(0, 1)
        self._actions[rows] = actions.T
        self._rewards[rows] = rewards.T
        self._next = (self._next + count) % capacity
        self.episodes = min(self.episodes + count, capacity)

    def sample(self, count: int, burn_in: int, steps: int, generator: torch.Generator) -> Sequences:
        """Draw sequences of steps.

        Their first step is uniform over all that touch the episode, and those that would overhang
        an end of it are moved inside, so that its first and last steps are not the rarer ones.

        Args:
            count: How many, N.
            burn_in: Steps before each, B.
            steps: Steps to learn from, L; no more than an episode has.
            generator: Of the draws.
        """
        length = self._actions.shape[1]
        episodes = torch.randint(self.episodes, (count,), generator=generator)
        first = torch.randint(1 - steps, length, (count,), generator=generator)
        first = first.clamp(0, length - steps)
        read = first + torch.arange(-burn_in, steps + 1)[:, None]
        learnt = read[burn_in:-1]
        return Sequences(
            observations=self._observations[episodes, read.clamp(min=0)],
            starting=read[: burn_in + 1] == 0,
            actions=self._actions[episodes, learnt],
            rewards=self._rewards[episodes, learnt],
            ended=learnt == length - 1,
        )
