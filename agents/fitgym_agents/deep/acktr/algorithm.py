"""ACKTR: advantage actor-critic by natural gradients in a trust region (Wu et al. 2017).

The natural gradient, for a recurrent network too, is in ``fitgym_agents.deep.acktr.kfac``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray
from torch import Tensor, nn

from fitgym_agents.deep.acktr.kfac import (
    KFAC,
    gaussian_divergence,
    gaussian_draw,
    softmax_divergence,
    softmax_draw,
)
from fitgym_agents.deep.acktr.settings import ACKTRConfiguration
from fitgym_agents.deep.acktr.unrolled import unrolled_pass
from fitgym_agents.deep.learner import SynchronousLearner
from fitgym_agents.deep.networks import (
    HiddenState,
    HybridNetwork,
    entropies,
    mask_logits,
    reset_hidden,
)
from fitgym_agents.deep.returns import generalised_advantages
from fitgym_agents.deep.rollout import Collector, Rollout
from fitgym_agents.trained import part


class ACKTR(SynchronousLearner[ACKTRConfiguration]):
    """Actor-critic by natural gradients in a trust region, with the hybrid network.

    Actor and critic are separate networks (as in Fang et al. 2022), each with a trust region of
    its own. The longest step falls linearly to zero.
    """

    name = "ACKTR"
    settings_class = ACKTRConfiguration

    def _make_networks(self, inputs: int, actions: int) -> dict[str, nn.Module]:
        settings = self.settings
        self._optimisers = {
            name: KFAC(
                trust_region=trust_region,
                damping=settings.damping,
                factor_decay=settings.factor_decay,
                momentum=settings.momentum,
            )
            for name, trust_region in (
                ("actor", settings.trust_region),
                ("critic", settings.critic_trust_region),
            )
        }
        return self.make_actor_critic(inputs, actions)

    @property
    def critic(self) -> HybridNetwork:
        """The network whose output is the value of what was observed so far."""
        critic = self.networks["critic"]
        assert isinstance(critic, HybridNetwork)
        return critic

    def _rounds(
        self, environments: VectorEnv[Any, Any, Any], goal: int
    ) -> Iterator[tuple[int, list[float]]]:
        settings = self.settings
        generator = torch.Generator().manual_seed(self.training_seed(1))
        collector = Collector(environments, self.normalisation, self.mask, self.training_seed())
        hidden = self.critic.initial_hidden(environments.num_envs)
        update = 0
        while True:
            rollout = collector.collect(self.actor, settings.steps)
            hidden = self._update(
                rollout,
                hidden,
                generator,
                longest=settings.learning_rate * (1.0 - self.timesteps / goal),
                renew_bases=update % settings.decomposition_interval == 0,
            )
            update += 1
            yield rollout.actions.numel(), rollout.finished_returns

    def _update(
        self,
        rollout: Rollout,
        before: HiddenState,
        generator: torch.Generator,
        *,
        longest: float,
        renew_bases: bool,
    ) -> HiddenState:
        """Take one step with each network; return the critic's hidden state after the rollout."""
        settings = self.settings
        observations, starting = rollout.observations[:-1], rollout.starting[:-1]
        outputs, value_maps, after = unrolled_pass(self.critic, observations, before, starting)
        hidden = reset_hidden(after, rollout.starting[-1])
        bootstrap, _ = self.critic.step(rollout.observations[-1], hidden)
        values = outputs[..., 0]
        advantages = generalised_advantages(
            rollout.rewards,
            rollout.ended,
            values.detach(),
            bootstrap[..., 0],
            settings.discount,
            settings.advantage_decay,
        )
        targets = advantages + values.detach()
        self._optimisers["critic"].step(
            outputs,
            value_maps,
            gaussian_draw(outputs.detach(), generator),
            0.5 * (targets - values).square().mean(),
            lambda: gaussian_divergence(outputs, self.critic(observations, before, starting)[0]),
            longest=longest,
            renew_bases=renew_bases,
        )
        raw_logits, policy_maps, _ = unrolled_pass(
            self.actor, observations, rollout.hidden, starting
        )
        logits = mask_logits(raw_logits, self.mask)
        self._optimisers["actor"].step(
            raw_logits,
            policy_maps,
            softmax_draw(logits.detach(), generator),
            policy_loss(logits, rollout.actions, advantages, settings.entropy_bonus),
            lambda: softmax_divergence(
                logits,
                mask_logits(self.actor(observations, rollout.hidden, starting)[0], self.mask),
            ),
            longest=longest,
            renew_bases=renew_bases,
        )
        return hidden

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return weights, normalisation, curvature and momentum."""
        arrays = super().tensors()
        for name, optimiser in self._optimisers.items():
            for key, array in optimiser.tensors().items():
                arrays[f"kfac-{name}.{key}"] = array
        return arrays

    def _restore(self, configuration: dict[str, Any], tensors: dict[str, NDArray[Any]]) -> None:
        super()._restore(configuration, tensors)
        for name, optimiser in self._optimisers.items():
            optimiser.restore(part(tensors, f"kfac-{name}"))


def policy_loss(
    logits: Tensor, actions: Tensor, advantages: Tensor, entropy_bonus: float
) -> Tensor:
    """Return the mean of ``-log pi(a) A`` less the entropy bonus (Mnih et al. 2016).

    Args:
        logits: (..., actions).
        actions: Taken, (...), int64.
        advantages: A, (...).
        entropy_bonus: ``beta``.
    """
    logs = logits.log_softmax(-1)
    chosen = logs.gather(-1, actions[..., None])[..., 0]
    return -(chosen * advantages + entropy_bonus * entropies(logs)).mean()
