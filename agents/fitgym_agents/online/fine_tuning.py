"""An A3C agent that ships and learns on from those whom it serves."""

from __future__ import annotations

import copy
from itertools import chain

import numpy as np
import torch
from torch import Tensor, nn

from fitgym_agents.deep.a3c.algorithm import A3C
from fitgym_agents.deep.networks import HybridNetwork, mask_logits
from fitgym_agents.deep.returns import generalised_advantages
from fitgym_agents.deep.unrolling import unroll
from fitgym_agents.online.agent import Outcomes, Service
from fitgym_agents.online.deep import Floats, Pretrained

# Ours: an agent that is right for most people must not forget it over a few of them.
_LEARNING_RATE = 3e-4
_CRITIC_LEARNING_RATE = 1e-3
_STEPS_PER_UPDATE = 8
# Of the probability ratio, as in PPO (Schulman et al. 2017), and of the divergence from the weights
# that ship.
_CLIP = 0.2
_DIVERGENCE_WEIGHT = 0.1
_GRADIENT_NORM = 0.5
_ADVANTAGE_DECAY = 0.5
# Keeps advantages that are all alike finite when they are brought to a standard deviation of 1.
_LEAST_SPREAD = 1e-6


class FineTuned(Pretrained):
    """An A3C agent that ships and learns on from those whom it serves.

    At every update its actor takes some steps of PPO's clipped objective (Schulman et al. 2017,
    equation 7) on all days so far of everybody who is being served, with the probabilities that the
    actions were really drawn with, and is held near the weights that ship by their divergence. The
    critic, which is not shipped for what a service sees, begins anew.
    """

    def __init__(self, agent: str) -> None:
        """Choose the agent; see ``Pretrained``."""
        super().__init__(agent)
        self.name = f"{agent} (fine-tuned)"

    def begin(self, service: Service) -> None:
        """Load the weights.

        Raises:
            ValueError: If the agent is no A3C.
        """
        super().begin(service)
        if not isinstance(self._agent, A3C):
            raise ValueError(
                f"fine-tuned agents are those of A3C, such as a3c-population, got "
                f"{self._agent_name!r}"
            )
        self._actor, self._normalisation = self._agent.actor, self._agent.normalisation
        self._shipped = copy.deepcopy(self._actor).requires_grad_(requires_grad=False)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(service.seed)
            self._critic = HybridNetwork(self._agent.inputs, 1)
        self._optimiser = torch.optim.Adam(
            [
                {"params": self._actor.parameters(), "lr": _LEARNING_RATE},
                {"params": self._critic.parameters(), "lr": _CRITIC_LEARNING_RATE},
            ]
        )
        shape = (service.task.days, service.people)
        self._seen = np.zeros((*shape, self._agent.inputs), dtype=np.float32)
        self._action = np.zeros(shape, dtype=np.int64)
        self._log_probability = np.zeros(shape, dtype=np.float32)
        self._reward = np.zeros(shape)
        self._usable = np.zeros(shape, dtype=np.bool_)
        # On which days each wave was decided for.
        self._days: dict[int, list[int]] = {}

    def observe(self, outcomes: Outcomes) -> None:
        """Keep what came in of days that the agent decided."""
        kept = outcomes.rows(outcomes.decided)
        at = (kept.day, kept.person)
        self._action[at], self._reward[at], self._usable[at] = kept.action, kept.reward, True
        drawn = np.take_along_axis(kept.probabilities, kept.action[:, None], axis=1)[:, 0]
        self._log_probability[at] = np.log(drawn)

    def update(self) -> None:
        """Take gradient steps on the days so far of all whose season is not over."""
        running = [wave for wave, days in self._days.items() if len(days) > 1]
        for _ in range(_STEPS_PER_UPDATE):
            losses = [self._loss(wave) for wave in running]
            if not losses:
                return
            self._optimiser.zero_grad()
            torch.stack(losses).mean().backward()  # type: ignore[no-untyped-call]
            weights = chain(self._actor.parameters(), self._critic.parameters())
            nn.utils.clip_grad_norm_(weights, _GRADIENT_NORM)
            self._optimiser.step()
        for wave in running:
            if self._days[wave][-1] == self.service.task.days - 1:
                del self._days[wave]

    def _decide(self, wave: int, day: int) -> Floats:
        members = self._members[wave]
        self._days.setdefault(wave, []).append(day)
        self._seen[day, members] = self._values[members]
        hidden = self._memory.get(wave, self._actor.initial_hidden(members.size))
        inputs = self._normalisation.observations(self._values[members])
        logits, self._memory[wave] = self._actor.step(inputs, hidden)
        return mask_logits(logits, self._agent.mask).double().softmax(-1).numpy()

    def _loss(self, wave: int) -> Tensor:
        """Return the loss of a wave's days but the last, whose next morning is still to come."""
        at = np.ix_(np.array(self._days[wave]), self._members[wave])
        inputs = self._normalisation.observations(self._seen[at])
        starting = torch.zeros(inputs.shape[:2], dtype=torch.bool)
        values = unroll(self._critic, inputs, None, starting)[0][..., 0]
        known = torch.from_numpy(self._usable[at])[:-1]
        rewards = self._normalisation.rewards(self._reward[at])[:-1]
        # A day of which nothing is known surprises nobody.
        expected = values[:-1] - self._agent.settings.discount * values[1:]
        advantages = generalised_advantages(
            torch.where(known, rewards, expected.detach()),
            torch.zeros_like(known),
            values[:-1].detach(),
            values[-1].detach(),
            self._agent.settings.discount,
            _ADVANTAGE_DECAY,
        )
        targets = advantages + values[:-1].detach()
        spread = advantages[known]
        if spread.numel() > 1:
            advantages = (advantages - spread.mean()) / (spread.std() + _LEAST_SPREAD)
        logs = self._log_policy(self._actor, inputs, starting)
        with torch.no_grad():
            shipped = self._log_policy(self._shipped, inputs, starting)
        chosen = logs.gather(-1, torch.from_numpy(self._action[at])[:-1, :, None])[..., 0]
        ratio = (chosen - torch.from_numpy(self._log_probability[at])[:-1]).exp()
        clipped = ratio.clamp(1.0 - _CLIP, 1.0 + _CLIP)
        gain = torch.minimum(ratio * advantages, clipped * advantages)
        divergence = (shipped.exp() * (shipped - logs)).sum(-1)
        losses = (targets - values[:-1]).square() - gain
        return (losses * known).sum() / known.sum().clamp(min=1) + (
            _DIVERGENCE_WEIGHT * divergence.mean()
        )

    def _log_policy(self, actor: HybridNetwork, inputs: Tensor, starting: Tensor) -> Tensor:
        logits, _ = unroll(actor, inputs, None, starting)
        return mask_logits(logits, self._agent.mask).log_softmax(-1)[:-1]
