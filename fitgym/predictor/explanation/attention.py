"""What FitRec-Attn attends to, and the caveat that its scores are affine.

A score of the published form, v' (W [state; input] + b), is a sum of what the state adds and what
the input adds. What the state adds is the same for every input, so the softmax cancels it: within a
window the weights do not change from step to step. They say how much of an input is let through on
the whole, not which moment made the network look where.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from fitgym.common.statistics import ratio_interval
from fitgym.predictor.attention.data import make_windows
from fitgym.predictor.attention.inference import feature_names
from fitgym.predictor.attention.network import FitRecAttention
from fitgym.predictor.datasets import Example, Vocabulary

WINDOWS_PER_CALL = 2048


@dataclass(frozen=True)
class AttentionShare:
    """How much of the input attention goes to a group of inputs.

    Attributes:
        group: Its name.
        inputs: Number of inputs in it.
        share: Mean weight of them all, over windows.
        low: Lower end of its 95 % bootstrap interval over people.
        high: Upper end.
    """

    group: str
    inputs: int
    share: float
    low: float
    high: float


def attention_shares(
    model: FitRecAttention, examples: Sequence[Example]
) -> tuple[list[AttentionShare], float]:
    """Return the attention to each group of inputs, and how far weights change within a window.

    Args:
        model: A trained network to which everybody is ``unknown``.
        examples: Workouts, among which the previous ones are.

    Returns:
        The groups from the largest share down, and the largest difference between the weights of
        an input at two steps of one window: zero but for rounding, as the scores are affine.
    """
    windows = make_windows(examples, Vocabulary(), model.config.window)
    groups = [_group(name) for name in feature_names(model.config)]
    names = list(dict.fromkeys(groups))
    member = np.array([[float(group == name) for group in groups] for name in names])
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0] * len(names))
    counts: dict[str, float] = defaultdict(float)
    change = 0.0
    model.eval()
    with torch.inference_mode():
        for part in torch.split(torch.arange(len(windows)), WINDOWS_PER_CALL):
            weights = model(windows.batch(part)[0]).feature_weights
            change = max(change, float((weights.amax(dim=1) - weights.amin(dim=1)).max()))
            shares = weights.mean(dim=1).double().numpy() @ member.T
            positions = windows.workout[part].numpy()
            for position in np.unique(positions):
                user = examples[position].workout.user
                chosen = shares[positions == position]
                counts[user] += float(len(chosen))
                sums[user] = (np.array(sums[user]) + chosen.sum(axis=0)).tolist()
    found = []
    for column, name in enumerate(names):
        interval = ratio_interval([sums[user][column] for user in counts], list(counts.values()))
        inputs = groups.count(name)
        found.append(AttentionShare(name, inputs, interval.mean, interval.low, interval.high))
    return sorted(found, key=lambda each: -each.share), change


def _group(name: str) -> str:
    """Return what an input belongs to: ``history_7`` to the history, a channel to itself."""
    stem, _, number = name.rpartition("_")
    return (stem if number.isdigit() else name).replace("_", " ")
