"""A3C's actor-learner: acts in environments of its own, and learns for the shared weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gymnasium.vector import VectorEnv
from torch import Tensor

from fitgym_agents.deep.a3c.cost_limit import PricedCosts, with_cost
from fitgym_agents.deep.a3c.counters import StepCounter
from fitgym_agents.deep.a3c.losses import Losses, rollout_losses
from fitgym_agents.deep.a3c.settings import A3CConfiguration
from fitgym_agents.deep.a3c.shared_weights import SharedWeights
from fitgym_agents.deep.networks import HiddenState, HybridNetwork
from fitgym_agents.deep.normalisation import Normalisation
from fitgym_agents.deep.privileged import PrivilegedFacts
from fitgym_agents.deep.rollout import Collector, Rollout
from fitgym_agents.environments import make_vector_env


@dataclass(frozen=True, eq=False)
class Shared:
    """What the workers have in common; weights and counter are in memory that all of them see.

    Attributes:
        env_id: Registered id.
        env_kwargs: Arguments of the environment.
        settings: The configuration.
        episode_length: Steps of an episode.
        mask: Which actions may be chosen, (actions,), bool.
        normalisation: Of observations and rewards.
        seeds: Of each worker's episodes and actions.
        weights: Of ``actor`` and ``critic``, with their optimiser.
        counter: Steps that are reserved, done and left to do.
        facts: What a privileged critic is told; None for no such critic.
        cost_weight: Of a unit of cost, (1,); learnt where the settings limit it.
    """

    env_id: str
    env_kwargs: dict[str, Any]
    settings: A3CConfiguration
    episode_length: int
    mask: Tensor
    normalisation: Normalisation
    seeds: list[int]
    weights: SharedWeights
    counter: StepCounter
    facts: PrivilegedFacts | None
    cost_weight: Tensor

    def make_worker(self, index: int) -> ActorLearner:
        """Return worker number ``index`` at the start of its episodes."""
        limit, count = self.settings.cost_limit, self.settings.environments
        if limit is None:
            environments = make_vector_env(self.env_id, count, self.env_kwargs)
        else:
            told = make_vector_env(self.env_id, count, with_cost(self.env_kwargs))
            environments = PricedCosts(told, self.cost_weight, limit, self.settings.cost_rate)
        return ActorLearner(self, environments, self.seeds[index])


class ActorLearner:
    """A worker: a copy of the weights, a batch of environments, gradients for the shared weights.

    All environments of a worker are at the same step of their episodes.
    """

    def __init__(self, shared: Shared, environments: VectorEnv[Any, Any, Any], seed: int) -> None:
        """Start an episode in every environment.

        Args:
            shared: What the workers have in common.
            environments: They must reset within the step.
            seed: Of episodes and actions.
        """
        self._shared = shared
        self._local = shared.weights.local()
        self._collector = Collector(
            environments, shared.normalisation, shared.mask, seed, shared.facts
        )
        self._environments = environments.num_envs
        self._critic_hidden: HiddenState = None
        self._step = 0

    def advance(self) -> bool:
        """Reserve the steps of a rollout and learn from it; False if there are none left."""
        shared = self._shared
        # A rollout ends with the episode.
        steps = min(shared.settings.steps, shared.episode_length - self._step)
        reserved = shared.counter.reserve(steps * self._environments)
        if reserved is None:
            return False
        rollout, losses = self.update(steps, 1.0 - reserved / shared.counter.goal)
        self._step = (self._step + steps) % shared.episode_length
        shared.counter.finish(
            steps * self._environments,
            rollout.finished_returns,
            losses.policy.item(),
            losses.value.item(),
        )
        return True

    def update(self, steps: int, remaining: float) -> tuple[Rollout, Losses]:
        """Collect a rollout, update the shared weights once, and return rollout and losses.

        Args:
            steps: Of the rollout.
            remaining: Share of training still to come, by which learning rate and entropy bonus
                are multiplied.
        """
        shared, settings = self._shared, self._shared.settings
        shared.weights.copy_to(self._local)
        actor, critic = self._local.networks["actor"], self._local.networks["critic"]
        assert isinstance(actor, HybridNetwork)
        assert isinstance(critic, HybridNetwork)
        rollout = self._collector.collect(actor, steps)
        losses = rollout_losses(
            actor,
            critic,
            rollout,
            self._critic_hidden,
            shared.mask,
            settings.discount,
            settings.advantage_decay,
        )
        self._critic_hidden = losses.critic_hidden
        self._local.gradients.zero_()
        bonus = settings.entropy_bonus * remaining
        # Neither network's gradients depend on the other's loss.
        (losses.policy - bonus * losses.entropy + losses.value).backward()  # type: ignore[no-untyped-call]
        self._local.clip_gradients(settings.gradient_norm)
        shared.weights.step(self._local.gradients, settings.learning_rate * remaining)
        return rollout, losses
