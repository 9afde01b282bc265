"""Windows of recorded workouts, as FitRec-Attn learns from and predicts them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fitgym.common.validation import require_integer
from fitgym.predictor.attention.network import AttentionWindows
from fitgym.predictor.channels import DAYS_SCALE
from fitgym.predictor.datasets import Example, Vocabulary


@dataclass(frozen=True, eq=False)
class WindowSet:
    """All windows of T measured steps of a collection of workouts, S steps long in all.

    Attributes:
        window: T.
        channels: (S, N) scaled channels of the workouts, one after another.
        heart_rate: (S,) heart rate in the network's unit, gaps filled.
        previous_step: (S,) index of the same step of the person's previous workout, its last one
            where it was shorter; -1 where there was none.
        days_since: (S,) scaled days since the previous workout.
        attributes: (S, m) rows of the embeddings: user, sport, gender.
        starts: (W,) index of the first step of each window.
        workout: (W,) position of the window's workout in the collection.
        positions: Position of each workout in the collection, by its identifier.
    """

    window: int
    channels: Tensor
    heart_rate: Tensor
    previous_step: Tensor
    days_since: Tensor
    attributes: Tensor
    starts: Tensor
    workout: Tensor
    positions: dict[str, int]

    def __len__(self) -> int:
        """Return the number of windows W."""
        return len(self.starts)

    def of_examples(self, examples: Iterable[Example]) -> Tensor:
        """Return the indices (n,) of the windows of some of the workouts."""
        wanted = [self.positions[example.workout.identifier] for example in examples]
        inside = torch.isin(self.workout, torch.tensor(wanted, dtype=torch.long))
        return torch.nonzero(inside).squeeze(1)

    def heart_rates(self, indices: Tensor) -> Tensor:
        """Return the heart rate (B, T) of windows (B,), in the network's unit."""
        return self.heart_rate[self._steps(indices)]

    def batch(self, indices: Tensor) -> tuple[AttentionWindows, Tensor]:
        """Return windows (B,) as the network takes them, and the last heart rate (B,) of each."""
        steps = self._steps(indices)
        previous = self.previous_step[steps]
        has_previous = (previous[:, 0] >= 0).to(self.channels.dtype)
        # Without a previous workout any step will do: the network multiplies it by zero.
        previous = previous.clamp(min=0)
        days_since = self.days_since[steps].unsqueeze(2)
        heart_rate = self.heart_rate[steps]
        windows = AttentionWindows(
            channels=self.channels[steps],
            previous_channels=torch.cat([self.channels[previous], days_since], dim=2),
            previous_target=self.heart_rate[previous].unsqueeze(2),
            has_previous=has_previous,
            attributes=self.attributes[self.starts[indices]],
            seen=heart_rate[:, :-1],
        )
        return windows, heart_rate[:, -1]

    def _steps(self, indices: Tensor) -> Tensor:
        return self.starts[indices].unsqueeze(1) + torch.arange(self.window)


def make_windows(
    examples: Sequence[Example], vocabulary: Vocabulary, window: int = 10
) -> WindowSet:
    """Cut every window of ``window`` measured steps out of workouts, one starting at each step.

    Args:
        examples: The workouts; each one's previous workout must be among them.
        vocabulary: The people the network has an embedding for.
        window: T.

    Raises:
        ValueError: If no workout has ``window`` measured steps in a row.
    """
    require_integer("window", window, 3)
    complete = [complete_windows(example.valid, window) for example in examples]
    if not any(starts.size for starts in complete):
        raise ValueError(
            f"none of the {len(examples)} workouts has {window} measured steps of heart rate in a "
            f"row, which a window takes"
        )
    first_step = np.cumsum([0, *map(len, examples)])
    positions = {example.workout.identifier: i for i, example in enumerate(examples)}
    previous_step, days_since, attributes = [], [], []
    for example in examples:
        steps, previous = np.arange(len(example)), example.previous
        if previous is None:
            previous_step.append(np.full(len(example), -1))
        else:
            begin = first_step[positions[previous.workout.identifier]]
            previous_step.append(begin + np.minimum(steps, len(previous) - 1))
        days_since.append(np.full(len(example), np.log1p(example.days_since) / DAYS_SCALE))
        workout = example.workout
        rows = vocabulary.rows(workout.user, workout.sport, workout.gender)
        attributes.append(np.tile(rows, (len(example), 1)))
    return WindowSet(
        window=window,
        channels=_tensor([example.channels for example in examples], torch.float32),
        heart_rate=_tensor([example.target for example in examples], torch.float32),
        previous_step=_tensor(previous_step, torch.long),
        days_since=_tensor(days_since, torch.float32),
        attributes=_tensor(attributes, torch.long),
        starts=_tensor([first_step[i] + starts for i, starts in enumerate(complete)], torch.long),
        workout=_tensor([np.full(len(starts), i) for i, starts in enumerate(complete)], torch.long),
        positions=positions,
    )


def complete_windows(valid: NDArray[np.bool_], window: int) -> NDArray[np.int64]:
    """Return the steps at which ``window`` measured steps begin."""
    if len(valid) < window:
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(np.lib.stride_tricks.sliding_window_view(valid, window).all(axis=1))


def _tensor(parts: Sequence[NDArray[np.generic]], kind: torch.dtype) -> Tensor:
    return torch.as_tensor(np.concatenate(parts)).to(kind)
