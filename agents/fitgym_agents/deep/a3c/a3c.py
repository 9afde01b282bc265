"""The paper's method: asynchronous advantage actor-critic with a memory (Fang et al. 2022).

The algorithm is A3C (Mnih et al. 2016, algorithm S3) with actor and critic as separate networks.
Every worker lives through seasons of its own, many at once, and repeats: copy the shared weights;
act for ``t_max`` days or until the season ends; from these days compute gradients of its copy; hand
them to the shared optimiser, whatever the others have done to the shared weights meanwhile.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, Self

import torch
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray
from torch import Tensor, nn

from fitgym.common.validation import require_integer
from fitgym_agents.agent import LearningError, Progress
from fitgym_agents.deep.a3c.shared_weights import SharedWeights, copy_weights
from fitgym_agents.deep.a3c.workers import Ledger, run_in_processes, run_in_turns
from fitgym_agents.deep.learner import Learner, part
from fitgym_agents.deep.networks import HybridNetwork, Memory, forbid, forget
from fitgym_agents.deep.normalisation import Normalisation
from fitgym_agents.deep.returns import generalised_advantages
from fitgym_agents.deep.rollout import Collector, Window
from fitgym_agents.environments import make_vector_env
from fitgym_agents.settings import A3CConfiguration

__all__ = ["A3C", "ActorLearner", "Losses", "Shared", "losses"]

# Workers that take turns if there is no process for them.
_VIRTUAL_WORKERS = 2

# Points on the learning curve of one call of ``learn``: enough for a figure.
_CURVE_POINTS = 200


class A3C(Learner[A3CConfiguration]):
    """Recurrent A3C by the paper's hybrid network, or by one of its ablations.

    With ``workers=0`` learning is the same to the bit whenever it is repeated; processes meet in
    another order each time.
    """

    name = "A3C"
    settings_class = A3CConfiguration

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        """Make untrained networks; see ``Learner``."""
        super().__init__(*arguments, **keywords)
        kind = self.settings.network
        self.name = f"A3C {kind if kind == 'hybrid' else kind.upper()}"
        self._weights = SharedWeights(self.networks, self.settings.optimiser)

    def _make_networks(self, inputs: int, actions: int) -> dict[str, nn.Module]:
        return self.make_actor_critic(inputs, actions)

    def learn(self, total_timesteps: int, *, progress: Progress | None = None) -> Self:
        """Learn for some more environment steps; see ``Learner.learn``.

        Learning rate and entropy bonus fall linearly to zero.

        While ``progress`` runs, this agent is a frozen copy of what the workers have learnt: it
        may be evaluated, or saved to be loaded and learn on. An interrupt from the keyboard, or
        any other exception in ``progress``, ends the workers first and leaves the agent whole.

        Workers are processes that import the main module of the program: a script has to call
        this under ``if __name__ == "__main__":``, unless ``workers`` is 0.

        Raises:
            LearningError: If a worker process failed or was killed, or weights are no longer
                finite.
        """
        require_integer("total_timesteps", total_timesteps, 1)
        torch.set_num_threads(1)
        workers = self.settings.workers
        start = self.timesteps
        ledger = Ledger(start, start + total_timesteps, processes=workers > 0)
        weights = self._weights.copied()
        seeds = [self.training_seed(index) for index in range(workers or _VIRTUAL_WORKERS)]
        shared = Shared(
            env_id=self.env_id,
            env_kwargs=self.env_kwargs,
            settings=self.settings,
            days=self.days,
            mask=self.mask,
            normalisation=self.normalisation,
            seeds=seeds,
            weights=weights,
            ledger=ledger,
        )
        curve = _Curve(self.learning_curve, start, total_timesteps)

        def freeze() -> None:
            counts = ledger.read()
            self.timesteps = counts.timesteps
            curve.note(counts.timesteps, counts.seasons, counts.returns)
            if not all(bool(w.isfinite().all()) for w in weights.networks.parameters()):
                raise LearningError(
                    f"weights are no longer finite after {self.timesteps - start} steps: give a "
                    f"learning_rate below {self.settings.learning_rate}"
                )
            self._weights.assign(weights)

        def watch() -> None:
            freeze()
            if progress is not None:
                progress(self.timesteps - start)

        try:
            if workers:
                weights.share_memory()
                run_in_processes(shared.make_worker, workers, ledger, watch)
            else:
                run_in_turns(shared.make_worker, _VIRTUAL_WORKERS, watch)
        finally:
            freeze()
        if progress is not None:
            progress(self.timesteps - start)
        return self

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return weights, normalisation and the optimiser's state."""
        arrays = super().tensors()
        for name, array in self._weights.optimiser_tensors().items():
            arrays[f"optimiser.{name}"] = array
        return arrays

    def _restore(self, tensors: dict[str, NDArray[Any]]) -> None:
        self._weights.restore_optimiser(part(tensors, "optimiser"))


@dataclass(frozen=True, eq=False)
class Shared:
    """What the workers have in common, in memory that all of them see.

    Attributes:
        env_id: Registered id.
        env_kwargs: Arguments of the environment.
        settings: The configuration.
        days: Length of a season.
        mask: Which plans may be chosen.
        normalisation: Scales of observations and rewards.
        seeds: Of each worker's seasons and actions.
        weights: Of ``actor`` and ``critic``, with their optimiser.
        ledger: What is done and what is left to do.
    """

    env_id: str
    env_kwargs: dict[str, Any]
    settings: A3CConfiguration
    days: int
    mask: Tensor
    normalisation: Normalisation
    seeds: list[int]
    weights: SharedWeights
    ledger: Ledger

    def make_worker(self, index: int) -> ActorLearner:
        """Return worker number ``index`` at the start of its seasons."""
        environments = make_vector_env(self.env_id, self.settings.environments, self.env_kwargs)
        return ActorLearner(self, environments, self.seeds[index])


class ActorLearner:
    """A worker: a copy of the weights, a batch of people, and gradients for the shared weights."""

    def __init__(self, shared: Shared, environments: VectorEnv[Any, Any, Any], seed: int) -> None:
        """Start a season in every environment.

        Args:
            shared: What the workers have in common.
            environments: They must reset within the step.
            seed: Of seasons and actions.
        """
        self._shared = shared
        self._local = copy.deepcopy(shared.weights.networks)
        self._collector = Collector(environments, shared.normalisation, shared.mask, seed)
        self._people = environments.num_envs
        self._critic_memory: Memory = None
        self._day = 0

    def advance(self) -> bool:
        """Take a window of days from the ledger and learn from it; False if none is left."""
        shared = self._shared
        # All people are at the same day of their season.
        days = min(shared.settings.steps, shared.days - self._day)
        claimed = shared.ledger.claim(days * self._people)
        if claimed is None:
            return False
        window = self.update(days, 1.0 - claimed / shared.ledger.goal)
        self._day = (self._day + days) % shared.days
        shared.ledger.finish(days * self._people, window.finished_returns)
        return True

    def update(self, days: int, remaining: float) -> Window:
        """Do one round of the algorithm, and return the days it has learnt from.

        Args:
            days: To act.
            remaining: Share of learning that is still to come, by which step size and entropy
                bonus are multiplied.
        """
        shared, settings = self._shared, self._shared.settings
        copy_weights(shared.weights.networks, self._local)
        window = self._collector.collect(_network(self._local, "actor"), days)
        found = losses(self._local, window, self._critic_memory, shared.mask, settings)
        self._critic_memory = found.critic_memory
        self._local.zero_grad()
        bonus = settings.entropy_bonus * remaining
        # Neither network's gradients depend on the other's loss.
        (found.policy - bonus * found.entropy + found.value).backward()  # type: ignore[no-untyped-call]
        for network in self._local.values():
            nn.utils.clip_grad_norm_(network.parameters(), settings.gradient_norm)
        shared.weights.step(self._local, settings.learning_rate * remaining)
        return window


@dataclass(frozen=True, eq=False)
class Losses:
    """What a window of days gives to learn from, means over days and people.

    Attributes:
        policy: ``- log pi(a_t | s_t) (R_t - V(s_t))``.
        value: ``(R_t - V(s_t))^2``.
        entropy: Of the policy, nats.
        critic_memory: The critic's memory after the last day, without gradients.
    """

    policy: Tensor
    value: Tensor
    entropy: Tensor
    critic_memory: Memory


def losses(
    networks: nn.ModuleDict,
    window: Window,
    critic_memory: Memory,
    mask: Tensor,
    settings: A3CConfiguration,
) -> Losses:
    """Replay a window and return its losses (Mnih et al. 2016, algorithm S3).

    Args:
        networks: ``actor`` and ``critic``.
        window: What the actor lived through.
        critic_memory: The critic's before the first day; None for that of a start.
        mask: Which plans may be chosen, (actions,), bool.
        settings: Discount and ``lambda``; with ``lambda`` 1 the advantage is the n-step return
            less the value.
    """
    actor, critic = _network(networks, "actor"), _network(networks, "critic")
    lived, starting = window.observations[:-1], window.starting[:-1]
    logits, _ = actor(lived, window.memory, starting)
    logs = torch.log_softmax(forbid(logits, mask), -1)
    outputs, memory = critic(lived, critic_memory, starting)
    values = outputs[..., 0]
    after = None if memory is None else (memory[0].detach(), memory[1].detach())
    # Where a season has ended, the next one's value, which is then multiplied by 0.
    bootstrap, _ = critic.step(window.observations[-1], forget(after, window.starting[-1]))
    advantages = generalised_advantages(
        window.rewards,
        window.ended,
        values.detach(),
        bootstrap[:, 0],
        settings.discount,
        settings.advantage_decay,
    )
    returns = advantages + values.detach()
    chosen = logs.gather(-1, window.actions[..., None])[..., 0]
    return Losses(
        policy=-(chosen * advantages).mean(),
        value=(returns - values).square().mean(),
        entropy=-(logs.exp() * logs).sum(-1).mean(),
        critic_memory=after,
    )


class _Curve:
    """Adds points to a learning curve as seasons finish."""

    def __init__(self, points: list[tuple[int, float]], start: int, timesteps: int) -> None:
        self._points = points
        self._goal = start + timesteps
        self._between = timesteps / _CURVE_POINTS
        self._next = start + self._between
        self._noted = (0, 0.0)

    def note(self, timesteps: int, seasons: int, returns: float) -> None:
        """Add a point if it is time, from counts since the start."""
        if timesteps < min(self._next, self._goal) or seasons == self._noted[0]:
            return
        mean = (returns - self._noted[1]) / (seasons - self._noted[0])
        self._points.append((timesteps, mean))
        self._noted = (seasons, returns)
        self._next = timesteps + self._between


def _network(networks: nn.ModuleDict, name: str) -> HybridNetwork:
    network = networks[name]
    assert isinstance(network, HybridNetwork)
    return network
