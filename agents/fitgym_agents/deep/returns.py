"""Discounted returns and generalised advantages of rollouts."""

from __future__ import annotations

import torch
from torch import Tensor


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
    sums = []
    # One operation a step: with small batches the calls are the cost.
    for term, share in zip(reversed(terms.unbind()), reversed(kept.unbind()), strict=True):
        after = torch.addcmul(term, share, after)
        sums.append(after)
    return torch.stack(sums[::-1])
