"""Returns and advantages of stretches of days, for many people at once."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["generalised_advantages", "n_step_returns"]


def n_step_returns(rewards: Tensor, ended: Tensor, bootstrap: Tensor, discount: float) -> Tensor:
    """Return ``R_t = r_t + gamma R_{t+1}``, with R = 0 after an end (Mnih et al. 2016).

    Args:
        rewards: (T, N).
        ended: (T, N) of bool: whether the episode ended with the reward.
        bootstrap: (N,) value of what is observed after the last day.
        discount: ``gamma``.

    Returns:
        (T, N).
    """
    returns = torch.empty_like(rewards)
    following = bootstrap
    going_on = (~ended).to(rewards.dtype)
    for day in reversed(range(len(rewards))):
        following = rewards[day] + discount * going_on[day] * following
        returns[day] = following
    return returns


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
        values: (T, N) of what was observed before each day.
        bootstrap: (N,) value of what is observed after the last day.
        discount: ``gamma``.
        decay: ``lambda``.

    Returns:
        (T, N).
    """
    advantages = torch.empty_like(rewards)
    going_on = (~ended).to(rewards.dtype)
    following, next_values = torch.zeros_like(bootstrap), bootstrap
    for day in reversed(range(len(rewards))):
        surprise = rewards[day] + discount * going_on[day] * next_values - values[day]
        following = surprise + discount * decay * going_on[day] * following
        advantages[day] = following
        next_values = values[day]
    return advantages
