"""Discounted returns and generalised advantages of rollouts."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from fitgym.common.compilation import compiled


def n_step_returns(rewards: Tensor, ended: Tensor, bootstrap: Tensor, discount: float) -> Tensor:
    """Return ``R_t = r_t + gamma R_{t+1}``, with R = 0 after an end (Mnih et al. 2016).

    Args:
        rewards: (T, N).
        ended: (T, N) of bool: whether the episode ended with the reward.
        bootstrap: (N,) value of what is observed after the last step.
        discount: ``gamma``.

    Returns:
        (T, N).
    """
    kept = discount * (~ended).to(rewards.dtype)
    return _discounted_sums(rewards, kept, bootstrap)


def generalised_advantages(
    rewards: Tensor,
    ended: Tensor,
    values: Tensor,
    bootstrap: Tensor,
    discount: float,
    decay: float,
) -> Tensor:
    """Return generalised advantage estimates (Schulman et al. 2016, equation 16).

    With ``decay`` 1 they are ``n_step_returns`` less the values.

    Args:
        rewards: (T, N).
        ended: (T, N) of bool: whether the episode ended with the reward.
        values: (T, N) of what was observed before each step.
        bootstrap: (N,) value of what is observed after the last step.
        discount: ``gamma``.
        decay: ``lambda``.

    Returns:
        (T, N).
    """
    kept = discount * (~ended).to(rewards.dtype)
    surprises = rewards + kept * torch.cat([values[1:], bootstrap[None]]) - values
    return _discounted_sums(surprises, decay * kept, torch.zeros_like(bootstrap))


def _discounted_sums(terms: Tensor, kept: Tensor, after: Tensor) -> Tensor:
    """Return ``S_t = terms_t + kept_t S_{t+1}``, from ``after`` the last step backwards."""
    sums = torch.empty_like(terms)
    _sum_backwards(
        terms.detach().contiguous().numpy(),
        kept.contiguous().numpy(),
        after.detach().contiguous().numpy(),
        sums.numpy(),
    )
    return sums


@compiled
def _sum_backwards(terms: Any, kept: Any, after: Any, sums: Any) -> None:
    for step in range(terms.shape[0] - 1, -1, -1):
        for index in range(terms.shape[1]):
            sums[step, index] = terms[step, index] + kept[step, index] * after[index]
        after = sums[step]
