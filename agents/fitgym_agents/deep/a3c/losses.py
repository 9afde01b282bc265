"""Losses of recurrent A3C for one rollout (Mnih et al. 2016, algorithm S3)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from fitgym.common.compilation import compiled
from fitgym_agents.deep.networks import (
    HiddenState,
    HybridNetwork,
    mask_logits,
    reset_hidden,
)
from fitgym_agents.deep.returns import generalised_advantages
from fitgym_agents.deep.rollout import Rollout
from fitgym_agents.deep.unrolling import unroll


@dataclass(frozen=True, eq=False)
class Losses:
    """Losses of a rollout, means over steps and environments.

    Attributes:
        policy: ``- log pi(a_t | s_t) (R_t - V(s_t))``.
        value: ``(R_t - V(s_t))^2``.
        entropy: Of the policy, nats.
        critic_hidden: The critic's hidden state after the last step, without gradients.
    """

    policy: Tensor
    value: Tensor
    entropy: Tensor
    critic_hidden: HiddenState


def rollout_losses(
    actor: HybridNetwork,
    critic: HybridNetwork,
    rollout: Rollout,
    critic_hidden: HiddenState,
    mask: Tensor,
    discount: float,
    decay: float,
) -> Losses:
    """Return the losses of a rollout, computed anew so that gradients pass through its steps.

    Args:
        actor: Its outputs are logits.
        critic: Its output is the value.
        rollout: What the actor did.
        critic_hidden: The critic's before the first step; None for that of a start.
        mask: Which actions may be chosen, (actions,), bool.
        discount: ``gamma``.
        decay: ``lambda``; with 1 the advantage is the n-step return less the value.
    """
    observations, starting = rollout.observations[:-1], rollout.starting[:-1]
    logits, _ = unroll(actor, observations, rollout.hidden, starting, rollout.memory)
    told = rollout.critic_observations
    outputs, hidden = unroll(critic, told[:-1], critic_hidden, starting)
    values = outputs[..., 0]
    after = None if hidden is None else (hidden[0].detach(), hidden[1].detach())
    # Where an episode has ended this is the next one's value, which is then multiplied by 0.
    bootstrap, _ = critic.step(told[-1], reset_hidden(after, rollout.starting[-1]))
    advantages = generalised_advantages(
        rollout.rewards, rollout.ended, values.detach(), bootstrap[:, 0], discount, decay
    )
    returns = advantages + values.detach()
    policy, entropy = _PolicyLosses.apply(  # type: ignore[no-untyped-call]
        mask_logits(logits, mask), rollout.actions, advantages
    )
    return Losses(
        policy=policy,
        value=functional.mse_loss(values, returns),
        entropy=entropy,
        critic_hidden=after,
    )


class _PolicyLosses(torch.autograd.Function):
    """Policy loss and entropy in one pass over the steps, in place of a dozen operations."""

    @staticmethod
    def forward(
        context: Any, logits: Tensor, actions: Tensor, advantages: Tensor
    ) -> tuple[Tensor, Tensor]:
        gradients = torch.empty(2, *logits.shape)
        policy, entropy = policy_losses(
            logits.detach().flatten(0, 1).numpy(),
            actions.flatten().numpy(),
            advantages.flatten().numpy(),
            gradients.flatten(1, 2).numpy(),
        )
        context.save_for_backward(gradients)
        return torch.tensor(policy), torch.tensor(entropy)

    @staticmethod
    def backward(context: Any, policy: Tensor, entropy: Tensor) -> tuple[Tensor, None, None]:
        (gradients,) = context.saved_tensors
        return policy * gradients[0] + entropy * gradients[1], None, None


@compiled
def policy_losses(
    logits: Any, actions: Any, advantages: Any, gradients: Any
) -> tuple[float, float]:
    """Return policy loss and entropy, and fill in their gradients.

    With ``d log pi(a) / d logit(b) = 1{a = b} - pi(b)`` the entropy H changes with a logit by
    ``-pi (log pi + H)``.

    Args:
        logits: (M, actions), far below the others where an action is masked.
        actions: (M,) that were chosen.
        advantages: (M,).
        gradients: (2, M, actions) of both, filled in.

    Returns:
        Means over the M steps.
    """
    count, size = logits.shape
    loss, entropy = 0.0, 0.0
    for step in range(count):
        largest = logits[step, 0]
        for action in range(1, size):
            largest = max(largest, logits[step, action])
        total, moment = 0.0, 0.0
        for action in range(size):
            height = logits[step, action] - largest
            weight = math.exp(height)
            gradients[0, step, action] = weight
            gradients[1, step, action] = height
            total += weight
            moment += weight * height
        log_total = math.log(total)
        uncertainty = log_total - moment / total
        advantage = advantages[step] / count
        for action in range(size):
            probability = gradients[0, step, action] / total
            height = gradients[1, step, action]
            gradients[0, step, action] = probability * advantage
            gradients[1, step, action] = -probability * (height - log_total + uncertainty) / count
        chosen = actions[step]
        loss -= (logits[step, chosen] - largest - log_total) * advantage
        gradients[0, step, chosen] -= advantage
        entropy += uncertainty / count
    return loss, entropy
