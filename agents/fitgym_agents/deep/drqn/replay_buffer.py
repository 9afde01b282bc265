"""Memory of whole seasons, of which stretches of days are drawn to learn from."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["SeasonReplay", "Stretches"]


@dataclass(frozen=True, eq=False)
class Stretches:
    """L days of each of N remembered seasons, and the B days before them, to be read first.

    Where a season begins less than B days before, what stands before its first day is not its
    own, and is forgotten by ``starting``.

    Attributes:
        observations: Before each of the B + L days and after the last, (B + L + 1, N, I). What
            follows the last day of a season is arbitrary.
        starting: Whether the season begins with the observation, (B + 1, N), bool: nothing but
            the first of the L days may begin one.
        actions: Of the L days, (L, N), int64.
        rewards: (L, N).
        ended: Whether the season ended with the day, (L, N), bool.
    """

    observations: Tensor
    starting: Tensor
    actions: Tensor
    rewards: Tensor
    ended: Tensor


class SeasonReplay:
    """The last whole seasons lived through, in arrays of fixed size.

    Attributes:
        seasons: How many are remembered at present.
    """

    def __init__(self, capacity: int, days: int, inputs: int) -> None:
        """Make an empty memory.

        Args:
            capacity: Seasons remembered at most; then the oldest are replaced.
            days: Length of a season, T.
            inputs: Numbers observed, I.
        """
        self.seasons = 0
        self._next = 0
        # One day more than a season has, so that a stretch may look past the last day.
        self._observations = torch.zeros(capacity, days + 1, inputs)
        self._actions = torch.zeros(capacity, days, dtype=torch.int64)
        self._rewards = torch.zeros(capacity, days)

    def add(self, observations: Tensor, actions: Tensor, rewards: Tensor) -> None:
        """Remember N seasons.

        Args:
            observations: Before each day, (T, N, I).
            actions: (T, N).
            rewards: (T, N).
        """
        capacity, days = self._actions.shape
        count = actions.shape[1]
        rows = (self._next + torch.arange(count)) % capacity
        self._observations[rows, :days] = observations.transpose(0, 1)
        self._actions[rows] = actions.T
        self._rewards[rows] = rewards.T
        self._next = (self._next + count) % capacity
        self.seasons = min(self.seasons + count, capacity)

    def sample(self, count: int, burn_in: int, days: int, generator: torch.Generator) -> Stretches:
        """Draw stretches of days.

        Their first day is uniform over all that touch the season, and those that would overhang
        an end of it are moved inside, so that its first and last days are not the rarer ones.

        Args:
            count: How many, N.
            burn_in: Days before each, B.
            days: Days to learn from, L; no more than a season has.
            generator: Of the draws.
        """
        length = self._actions.shape[1]
        seasons = torch.randint(self.seasons, (count,), generator=generator)
        first = torch.randint(1 - days, length, (count,), generator=generator)
        first = first.clamp(0, length - days)
        read = first + torch.arange(-burn_in, days + 1)[:, None]
        learnt = read[burn_in:-1]
        return Stretches(
            observations=self._observations[seasons, read.clamp(min=0)],
            starting=read[: burn_in + 1] == 0,
            actions=self._actions[seasons, learnt],
            rewards=self._rewards[seasons, learnt],
            ended=learnt == length - 1,
        )
