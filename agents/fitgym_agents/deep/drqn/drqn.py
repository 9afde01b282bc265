"""Deep recurrent Q-learning: Q-learning that remembers, from stretches of replayed seasons.

After Hausknecht and Stone (2015), "Deep recurrent Q-learning for partially observable MDPs", with
the burn-in of Kapturowski et al. (2019), "Recurrent experience replay in distributed reinforcement
learning" (R2D2), and double Q-learning (van Hasselt et al. 2016). The network is the paper's
hybrid (Fang et al. 2022), in ``fitgym_agents.deep.networks``.

Learning alternates. First every environment lives through a whole season, with random plans now
and then; then some gradient steps are taken on stretches of days drawn from the seasons remembered.
Before each stretch the network reads the days that led to it, without gradient, to know what it
would know there.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import torch
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray
from torch import Tensor, nn

from fitgym.common.validation import require_integer
from fitgym_agents.agent import Progress
from fitgym_agents.deep.drqn.replay_buffer import SeasonReplay, Stretches
from fitgym_agents.deep.learner import Learner, part
from fitgym_agents.deep.networks import HybridNetwork, Memory, forbid, forget
from fitgym_agents.deep.normalisation import Normalisation
from fitgym_agents.environments import make_vector_env
from fitgym_agents.settings import DRQNConfiguration

__all__ = [
    "DRQN",
    "burn_in",
    "double_q_values",
    "epsilon_greedy",
    "exploration",
    "q_learning_loss",
    "traced_targets",
]

# Largest norm of a gradient; the one of SB3's DQN. Rare surprises would otherwise undo much.
_GRADIENT_NORM = 10.0


def exploration(progress: float, share: float, final: float) -> float:
    """Return ``epsilon``, the share of random plans: from 1 linearly down to ``final``.

    Args:
        progress: How much of learning is over, in [0, 1].
        share: Share of learning after which ``final`` is reached.
        final: From then on.
    """
    return final if progress >= share else 1.0 + (final - 1.0) * progress / share


def epsilon_greedy(
    values: Tensor, mask: Tensor, epsilon: float, generator: torch.Generator
) -> Tensor:
    """Return the most valuable allowed actions, or now and then any allowed one: (N,).

    Args:
        values: Of the actions, (N, actions).
        mask: Which are allowed, (actions,), bool.
        epsilon: Probability of a draw from all allowed ones.
        generator: Of the draws.
    """
    allowed = mask.nonzero().flatten()
    drawn = allowed[torch.randint(len(allowed), values.shape[:1], generator=generator)]
    exploring = torch.rand(values.shape[:1], generator=generator) < epsilon
    return torch.where(exploring, drawn, forbid(values, mask).argmax(-1))


def burn_in(network: HybridNetwork, observations: Tensor, starting: Tensor) -> Memory:
    """Return the memory that the network has after B days, without gradient.

    Args:
        network: Who reads.
        observations: Of the days before a stretch, (B, N, I).
        starting: (B + 1, N) of bool: whether a season begins on the day; the last row is the
            first day of the stretch itself.
    """
    with torch.no_grad():
        _, memory = network(observations, None, starting[:-1])
    return forget(memory, starting[-1])


def double_q_values(online: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Return the target network's value of the action that the online network prefers.

    Double Q-learning (van Hasselt et al. 2016): a maximum over the target network's own values
    would pick its errors.

    Args:
        online: Action values, (..., actions).
        target: Action values, (..., actions).
        mask: Which actions are allowed, (actions,), bool.
    """
    best = forbid(online, mask).argmax(-1, keepdim=True)
    return target.gather(-1, best).squeeze(-1)


def traced_targets(
    rewards: Tensor, ended: Tensor, following: Tensor, discount: float, decay: float
) -> Tensor:
    """Return ``G_t = r_t + gamma ((1 - lambda) V_{t+1} + lambda G_{t+1})``, with 0 after an end.

    This is Peng's Q(lambda) (Peng and Williams 1996), uncorrected for the random plans among the
    remembered ones; with ``lambda`` 0 it is Q-learning of one step.

    Args:
        rewards: (L, N).
        ended: (L, N) of bool: whether the season ended with the day.
        following: V, value of what is observed after each day, (L, N).
        discount: ``gamma``.
        decay: ``lambda``.

    Returns:
        (L, N).
    """
    targets = torch.empty_like(rewards)
    going_on = (~ended).to(rewards.dtype)
    later = following[-1]
    for day in reversed(range(len(rewards))):
        mixed = (1.0 - decay) * following[day] + decay * later
        later = targets[day] = rewards[day] + discount * going_on[day] * mixed
    return targets


def q_learning_loss(
    online: HybridNetwork,
    target: HybridNetwork,
    stretches: Stretches,
    mask: Tensor,
    discount: float,
    decay: float,
) -> Tensor:
    """Return the mean Huber loss of the actions' values over the days of the stretches.

    Args:
        online: The network that learns.
        target: The network that tells what follows; it gets no gradient.
        stretches: Days to learn from.
        mask: Which actions are allowed, (actions,), bool.
        discount: ``gamma``.
        decay: ``lambda`` of ``traced_targets``.
    """
    days = len(stretches.starting) - 1
    before, observations = stretches.observations[:days], stretches.observations[days:]
    values, _ = online(observations, burn_in(online, before, stretches.starting))
    with torch.no_grad():
        judged, _ = target(observations, burn_in(target, before, stretches.starting))
        following = double_q_values(values[1:], judged[1:], mask)
        targets = traced_targets(stretches.rewards, stretches.ended, following, discount, decay)
    chosen = values[:-1].gather(-1, stretches.actions[..., None]).squeeze(-1)
    return nn.functional.smooth_l1_loss(chosen, targets)


class DRQN(Learner[DRQNConfiguration]):
    """Deep recurrent Q-learning; see the module.

    Attributes:
        target: The target network, a copy of the acting one from a while ago.
    """

    name = "DRQN"
    settings_class = DRQNConfiguration
    target: HybridNetwork

    def __init__(
        self,
        env_id: str,
        *,
        env_kwargs: Mapping[str, Any] | None = None,
        seed: int = 0,
        settings: DRQNConfiguration | None = None,
        normalisation: Normalisation | None = None,
    ) -> None:
        """Make untrained networks; see ``Learner``."""
        super().__init__(
            env_id,
            env_kwargs=env_kwargs,
            seed=seed,
            settings=settings,
            normalisation=normalisation,
        )
        self.target = copy.deepcopy(self.actor)
        self._optimiser = torch.optim.Adam(self.actor.parameters())
        self._updates = 0

    def _make_networks(self, inputs: int, actions: int) -> dict[str, nn.Module]:
        # Small values at first, so that the first targets are those of the rewards.
        return {"actor": self.make_network(inputs, actions, output_gain=0.1)}

    def _draw(self, outputs: Tensor) -> Tensor:
        """Draw as at the end of learning: now and then any plan."""
        return epsilon_greedy(outputs, self.mask, self.settings.final_exploration, self._generator)

    def learn(self, total_timesteps: int, *, progress: Progress | None = None) -> Self:
        """Learn for some more environment steps, whole seasons; see ``Learner.learn``.

        Networks and optimiser go on from where the last call stopped; every call starts with an
        empty memory. Exploration becomes rare, and the step size falls linearly to zero.
        """
        require_integer("total_timesteps", total_timesteps, 1)
        torch.set_num_threads(1)
        settings = self.settings
        seed = self.training_seed()
        generator = torch.Generator().manual_seed(seed)
        environments = make_vector_env(self.env_id, settings.environments, self.env_kwargs)
        observations, _ = environments.reset(seed=seed)
        replay = SeasonReplay(settings.replay_seasons, self.days, observations.shape[1])
        start = self.timesteps
        goal = start + total_timesteps
        while self.timesteps < goal:
            share_done = self.timesteps / goal
            epsilon = exploration(
                share_done, settings.exploration_share, settings.final_exploration
            )
            observations = self._live(environments, observations, replay, epsilon, generator)
            if replay.seasons >= settings.learning_starts:
                self._optimiser.param_groups[0]["lr"] = settings.learning_rate * (1.0 - share_done)
                for _ in range(settings.gradient_steps):
                    self._update(replay, generator)
            if progress is not None:
                progress(self.timesteps - start)
        environments.close()
        return self

    def _live(
        self,
        environments: VectorEnv[Any, Any, Any],
        observations: NDArray[Any],
        replay: SeasonReplay,
        epsilon: float,
        generator: torch.Generator,
    ) -> NDArray[Any]:
        """Live through a season in every environment, remember it, and return what comes next."""
        count = environments.num_envs
        memory = self.actor.initial_memory(count)
        seen, chosen = [], []
        rewards = np.empty((self.days, count))
        for day in range(self.days):
            seen.append(self.normalisation.observations(observations))
            values, memory = self.actor.step(seen[-1], memory)
            chosen.append(epsilon_greedy(values, self.mask, epsilon, generator))
            observations, rewards[day], terminated, truncated, _ = environments.step(
                chosen[-1].numpy()
            )
        # All seasons are of the same length, so that all have begun and ended together.
        assert (terminated | truncated).all()
        replay.add(torch.stack(seen), torch.stack(chosen), self.normalisation.rewards(rewards))
        self.timesteps += self.days * count
        self.learning_curve.append((self.timesteps, float(rewards.sum(axis=0).mean())))
        return observations

    def _update(self, replay: SeasonReplay, generator: torch.Generator) -> None:
        """Take one gradient step, and copy the network into the target now and then."""
        settings = self.settings
        # Of seasons shorter than a stretch there is nothing more to learn from.
        days = min(settings.stretch_days, self.days)
        stretches = replay.sample(settings.stretches, settings.burn_in, days, generator)
        loss = q_learning_loss(
            self.actor,
            self.target,
            stretches,
            self.mask,
            settings.discount,
            settings.trace_decay,
        )
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.actor.parameters(), _GRADIENT_NORM)
        self._optimiser.step()
        self._updates += 1
        if self._updates % settings.target_update == 0:
            self.target.load_state_dict(self.actor.state_dict())

    def configuration(self) -> dict[str, Any]:
        """Return environment, seed, settings, progress and learning curve."""
        return {**super().configuration(), "updates": self._updates}

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return the networks, the optimiser's state and the normalisation."""
        arrays = super().tensors()
        for name, value in self.target.state_dict().items():
            arrays[f"target.{name}"] = value.numpy()
        for index, state in self._optimiser.state_dict()["state"].items():
            for name, value in state.items():
                arrays[f"optimiser.{index}.{name}"] = value.numpy()
        return arrays

    @classmethod
    def from_saved(cls, configuration: dict[str, Any], tensors: dict[str, NDArray[Any]]) -> Self:
        """Rebuild the agent, ready to act and to learn on."""
        agent = super().from_saved(configuration, tensors)
        agent._updates = int(configuration["updates"])
        return agent

    def _restore(self, tensors: dict[str, NDArray[Any]]) -> None:
        target = part(tensors, "target")
        self.target.load_state_dict({name: torch.from_numpy(a) for name, a in target.items()})
        optimiser = self._optimiser.state_dict()
        for name, array in part(tensors, "optimiser").items():
            index, _, value = name.partition(".")
            optimiser["state"].setdefault(int(index), {})[value] = torch.tensor(array)
        self._optimiser.load_state_dict(optimiser)
