"""GAIL's discriminator: its loss, the penalty on its gradient, and the rewards it gives."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from fitgym_agents.deep.returns import n_step_returns


def discriminator_loss(expert_logits: Tensor, policy_logits: Tensor) -> Tensor:
    """Return ``-E_expert[log D] - E_policy[log(1 - D)]``, D the probability of the expert.

    For distributions p of the expert's pairs of observation and action and q of the policy's it
    is least at ``D = p / (p + q)`` (Goodfellow et al. 2014, proposition 1).

    Args:
        expert_logits: Logits of D on pairs of the expert.
        policy_logits: Logits of D on pairs of the policy.
    """
    of_expert = functional.softplus(-expert_logits).mean()
    return of_expert + functional.softplus(policy_logits).mean()


def gradient_penalty(logits: Tensor, pairs: Tensor) -> Tensor:
    """Return the mean squared norm of the gradient of the logits (M,) by the pairs (M, inputs).

    Without such a penalty, the discriminator tells few demonstrations from all else by their
    smallest differences, and its rewards are noise (Mescheder et al. 2018).
    """
    (gradients,) = torch.autograd.grad(logits.sum(), pairs, create_graph=True)
    return gradients.square().sum(-1).mean()


def imitation_rewards(logits: Tensor) -> Tensor:
    """Return ``log D - log(1 - D)``: high where the expert is more often found than the policy.

    Args:
        logits: Of D, the probability of the expert.
    """
    return logits


def normalised_rewards(rewards: Tensor, ended: Tensor, discount: float) -> Tensor:
    """Return rewards of whole episodes, centred, and scaled so that discounted returns vary by 1.

    All episodes are of the same length, so that no policy gains or loses by the centring; the
    critic's task is of the same size however far the discriminator has come.

    Args:
        rewards: (T, N).
        ended: (T, N) of bool.
        discount: ``gamma``.
    """
    centred = rewards - rewards.mean()
    returns = n_step_returns(centred, ended, torch.zeros_like(rewards[0]), discount)
    return centred / returns.std().clamp_min(1e-8)
