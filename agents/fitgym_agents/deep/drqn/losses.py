"""Losses of deep recurrent Q-learning: burn-in, double Q-learning, Peng's Q(lambda)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fitgym_agents.deep.drqn.replay_buffer import Sequences
from fitgym_agents.deep.networks import HiddenState, HybridNetwork, mask_logits, reset_hidden


def burn_in(network: HybridNetwork, observations: Tensor, starting: Tensor) -> HiddenState:
    """Return the network's hidden state after B steps, without gradient.

    Args:
        network: That reads.
        observations: Of the steps before a sequence, (B, N, I).
        starting: (B + 1, N) of bool: whether an episode begins with the step; the last row is the
            first step of the sequence itself.
    """
    with torch.no_grad():
        _, hidden = network(observations, None, starting[:-1])
    return reset_hidden(hidden, starting[-1])


def double_q_values(online: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Return the target network's value of the action that the online network prefers.

    Double Q-learning (van Hasselt et al. 2016): a maximum over the target network's own values
    would pick its errors.

    Args:
        online: Action values, (..., actions).
        target: Action values, (..., actions).
        mask: Which actions may be chosen, (actions,), bool.
    """
    best = mask_logits(online, mask).argmax(-1, keepdim=True)
    return target.gather(-1, best).squeeze(-1)


def traced_targets(
    rewards: Tensor, ended: Tensor, following: Tensor, discount: float, decay: float
) -> Tensor:
    """Return ``G_t = r_t + gamma ((1 - lambda) V_{t+1} + lambda G_{t+1})``, with 0 after an end.

    This is Peng's Q(lambda) (Peng & Williams 1996), uncorrected for the random actions in the
    replay buffer; with ``lambda`` 0 it is Q-learning of one step.

    Args:
        rewards: (L, N).
        ended: (L, N) of bool: whether the episode ended with the step.
        following: V, value of what is observed after each step, (L, N).
        discount: ``gamma``.
        decay: ``lambda``.

    Returns:
        (L, N).
    """
    targets = torch.empty_like(rewards)
    going_on = (~ended).to(rewards.dtype)
    later = following[-1]
    for step in reversed(range(len(rewards))):
        mixed = (1.0 - decay) * following[step] + decay * later
        later = targets[step] = rewards[step] + discount * going_on[step] * mixed
    return targets


def q_learning_loss(
    online: HybridNetwork,
    target: HybridNetwork,
    sequences: Sequences,
    mask: Tensor,
    discount: float,
    decay: float,
) -> Tensor:
    """Return the mean Huber loss of the chosen actions' values over the steps of the sequences.

    Args:
        online: The network that learns.
        target: The target network; it gets no gradient.
        sequences: Steps to learn from.
        mask: Which actions may be chosen, (actions,), bool.
        discount: ``gamma``.
        decay: ``lambda`` of ``traced_targets``.
    """
    read = len(sequences.starting) - 1
    before, observations = sequences.observations[:read], sequences.observations[read:]
    values, _ = online(observations, burn_in(online, before, sequences.starting))
    with torch.no_grad():
        judged, _ = target(observations, burn_in(target, before, sequences.starting))
        following = double_q_values(values[1:], judged[1:], mask)
        targets = traced_targets(sequences.rewards, sequences.ended, following, discount, decay)
    chosen = values[:-1].gather(-1, sequences.actions[..., None]).squeeze(-1)
    return nn.functional.smooth_l1_loss(chosen, targets)
