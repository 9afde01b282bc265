"""ACKTR: advantage actor-critic by natural gradients in a trust region (Wu et al. 2017).

The natural gradient, for a recurrent network too, is in ``fitgym_agents.deep.acktr.kfac``.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fitgym.common.validation import require_integer
from fitgym_agents.agent import Progress
from fitgym_agents.deep.acktr.kfac import (
    KFAC,
    gaussian_divergence,
    gaussian_draw,
    softmax_divergence,
    softmax_draw,
)
from fitgym_agents.deep.acktr.unrolled import replay
from fitgym_agents.deep.learner import Learner, part
from fitgym_agents.deep.networks import HybridNetwork, Memory, entropies, forbid, forget
from fitgym_agents.deep.returns import generalised_advantages
from fitgym_agents.deep.rollout import Collector, Window
from fitgym_agents.environments import make_vector_env
from fitgym_agents.settings import ACKTRConfiguration

__all__ = ["ACKTR", "policy_loss"]


class ACKTR(Learner[ACKTRConfiguration]):
    """Actor and critic, a network each, that go down their natural gradients.

    The networks are separate, as in the paper whose method fitgym follows (Fang et al. 2022), and
    so are their trust regions.
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

    def learn(self, total_timesteps: int, *, progress: Progress | None = None) -> Self:
        """Learn for some more environment steps; see ``Learner.learn``.

        Learning goes on with weights, curvature and momentum. The longest step falls linearly to
        zero.
        """
        require_integer("total_timesteps", total_timesteps, 1)
        torch.set_num_threads(1)
        settings = self.settings
        generator = torch.Generator().manual_seed(self.training_seed(1))
        environments = make_vector_env(self.env_id, settings.environments, self.env_kwargs)
        collector = Collector(environments, self.normalisation, self.mask, self.training_seed())
        memory = self.critic.initial_memory(settings.environments)
        returns: list[float] = []
        start, update = self.timesteps, 0
        goal = start + total_timesteps
        while self.timesteps < goal:
            window = collector.collect(self.actor, settings.steps)
            memory = self._update(
                window,
                memory,
                generator,
                longest=settings.learning_rate * (1.0 - self.timesteps / goal),
                renew_bases=update % settings.decomposition_interval == 0,
            )
            update += 1
            self.timesteps += window.actions.numel()
            returns += window.finished_returns
            if len(returns) >= settings.environments:
                self.learning_curve.append((self.timesteps, float(np.mean(returns))))
                returns.clear()
            if progress is not None:
                progress(self.timesteps - start)
        environments.close()
        return self

    def _update(
        self,
        window: Window,
        before: Memory,
        generator: torch.Generator,
        *,
        longest: float,
        renew_bases: bool,
    ) -> Memory:
        """Take one step with each network; return the critic's memory after the window."""
        settings = self.settings
        observations, starting = window.observations[:-1], window.starting[:-1]
        outputs, value_maps, after = replay(self.critic, observations, before, starting)
        memory = forget(after, window.starting[-1])
        bootstrap, _ = self.critic.step(window.observations[-1], memory)
        values = outputs[..., 0]
        advantages = generalised_advantages(
            window.rewards,
            window.ended,
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
        raw_logits, policy_maps, _ = replay(self.actor, observations, window.memory, starting)
        logits = forbid(raw_logits, self.mask)
        self._optimisers["actor"].step(
            raw_logits,
            policy_maps,
            softmax_draw(logits.detach(), generator),
            policy_loss(logits, window.actions, advantages, settings.entropy_bonus),
            lambda: softmax_divergence(
                logits, forbid(self.actor(observations, window.memory, starting)[0], self.mask)
            ),
            longest=longest,
            renew_bases=renew_bases,
        )
        return memory

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return weights, normalisation, curvature and momentum."""
        arrays = super().tensors()
        for name, optimiser in self._optimisers.items():
            for key, array in optimiser.tensors().items():
                arrays[f"kfac-{name}.{key}"] = array
        return arrays

    def _restore(self, tensors: dict[str, NDArray[Any]]) -> None:
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
    chosen = logits.log_softmax(-1).gather(-1, actions[..., None])[..., 0]
    return -(chosen * advantages + entropy_bonus * entropies(logits)).mean()
