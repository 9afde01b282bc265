"""Losses of recurrent A3C for one rollout (Mnih et al. 2016, algorithm S3)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from fitgym_agents.deep.networks import (
    HiddenState,
    HybridNetwork,
    entropies,
    mask_logits,
    reset_hidden,
)
from fitgym_agents.deep.returns import generalised_advantages
from fitgym_agents.deep.rollout import Rollout


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
    logits, _ = actor(observations, rollout.hidden, starting)
    logs = torch.log_softmax(mask_logits(logits, mask), -1)
    told = rollout.critic_observations
    outputs, hidden = critic(told[:-1], critic_hidden, starting)
    values = outputs[..., 0]
    after = None if hidden is None else (hidden[0].detach(), hidden[1].detach())
    # Where an episode has ended this is the next one's value, which is then multiplied by 0.
    bootstrap, _ = critic.step(told[-1], reset_hidden(after, rollout.starting[-1]))
    advantages = generalised_advantages(
        rollout.rewards, rollout.ended, values.detach(), bootstrap[:, 0], discount, decay
    )
    returns = advantages + values.detach()
    chosen = logs.gather(-1, rollout.actions[..., None])[..., 0]
    return Losses(
        policy=-(chosen * advantages).mean(),
        value=(returns - values).square().mean(),
        entropy=entropies(logs).mean(),
        critic_hidden=after,
    )
