"""Recurrent A3C: asynchronous advantage actor-critic with an LSTM (Fang et al. 2022).

The algorithm is A3C (Mnih et al. 2016, algorithm S3) with actor and critic as separate networks.
Every worker has a batch of environments of its own and repeats: copy the shared weights; act for
``t_max`` steps or until the episodes end; compute the gradients of its copy from this rollout; hand
them to the shared optimiser, whatever the other workers have done to the shared weights meanwhile.
"""

from __future__ import annotations

from typing import Any, Self

import torch
from numpy.typing import NDArray
from torch import nn

from fitgym.common.validation import require_integer
from fitgym_agents.agent import LearningError, Progress
from fitgym_agents.deep.a3c.cost_limit import new_weight, require_cost
from fitgym_agents.deep.a3c.counters import Counts, StepCounter
from fitgym_agents.deep.a3c.processes import (
    require_startable,
    run_in_processes,
    run_in_turns,
)
from fitgym_agents.deep.a3c.settings import A3CConfiguration
from fitgym_agents.deep.a3c.shared_weights import SharedWeights
from fitgym_agents.deep.a3c.worker import Shared
from fitgym_agents.deep.learner import Learner
from fitgym_agents.deep.privileged import PrivilegedFacts
from fitgym_agents.trained import part

# Workers that take turns in this process if there are no others.
_TURN_TAKERS = 2

# Points on the learning curve of one call of ``learn``: enough for a figure.
_CURVE_POINTS = 200


class A3C(Learner[A3CConfiguration]):
    """Recurrent A3C by the hybrid network of LSTM and fully connected layers, or an ablation.

    With ``workers=0`` training is the same to the bit whenever it is repeated; processes update
    the shared weights in another order each time.
    """

    name = "A3C"
    settings_class = A3CConfiguration
    # What a privileged critic is told; None for no such critic.
    _facts: PrivilegedFacts | None = None

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        """Make untrained networks; see ``Learner``.

        Raises:
            ValueError: Also if there is a limit of cost, and the environment cannot tell the cost.
        """
        super().__init__(*arguments, **keywords)
        if self.settings.cost_limit is not None:
            require_cost(self.env_id, self.env_kwargs)
        kind = self.settings.network
        self.name = f"A3C {kind if kind == 'hybrid' else kind.upper()}"
        self._weights = SharedWeights(self.networks, self.settings.optimiser)
        self._cost_weight = new_weight()

    def _make_networks(self, inputs: int, actions: int) -> dict[str, nn.Module]:
        if self.settings.critic == "privileged":
            self._facts = PrivilegedFacts.of(self.env_id, self.env_kwargs)
            return self.make_actor_critic(inputs, actions, len(self._facts))
        return self.make_actor_critic(inputs, actions)

    def learn(self, total_timesteps: int, *, progress: Progress | None = None) -> Self:
        """Learn for some more environment steps; see ``TrainedAgent.learn``.

        Learning rate and entropy bonus fall linearly to zero.

        While ``progress`` runs, this agent is a frozen copy of what the workers have learnt: it
        may be evaluated, or saved to be loaded and learn on. An interrupt from the keyboard, or
        any other exception in ``progress``, stops the workers first and leaves the agent whole.

        Workers are processes that import the main module of the program: a script has to call
        this under ``if __name__ == "__main__":``, unless ``workers`` is 0.

        Raises:
            LearningError: If worker processes cannot be started from here, one of them failed or
                was killed, or weights are no longer finite.
        """
        require_integer("total_timesteps", total_timesteps, 1)
        torch.set_num_threads(1)
        workers = self.settings.workers
        if workers:
            require_startable()
        start = self.timesteps
        counter = StepCounter(start, start + total_timesteps, processes=workers > 0)
        weights = self._weights.copied()
        cost_weight = self._cost_weight.clone()
        shared = Shared(
            env_id=self.env_id,
            env_kwargs=self.env_kwargs,
            settings=self.settings,
            episode_length=self.episode_length,
            mask=self.mask,
            normalisation=self.normalisation,
            seeds=[self.training_seed(index) for index in range(workers or _TURN_TAKERS)],
            weights=weights,
            counter=counter,
            facts=self._facts,
            cost_weight=cost_weight,
        )
        curve = _Curve(self, start, total_timesteps)

        def freeze() -> None:
            counts = counter.read()
            self.timesteps = counts.timesteps
            curve.note(counts)
            if not all(bool(w.isfinite().all()) for w in weights.networks.parameters()):
                raise LearningError(
                    f"weights are no longer finite after {self.timesteps - start} steps: give a "
                    f"learning_rate below {self.settings.learning_rate}"
                )
            self._weights.assign(weights)
            self._cost_weight.copy_(cost_weight)

        def watch() -> None:
            freeze()
            if progress is not None:
                progress(self.timesteps - start)

        try:
            if workers:
                weights.share_memory()
                cost_weight.share_memory_()  # type: ignore[no-untyped-call]
                run_in_processes(shared.make_worker, workers, counter, watch)
            else:
                run_in_turns(shared.make_worker, _TURN_TAKERS, watch)
        finally:
            freeze()
        if progress is not None:
            progress(self.timesteps - start)
        return self

    @property
    def cost_weight(self) -> float:
        """What a unit of cost counts for in units of reward; 0 without ``cost_limit``."""
        return self._cost_weight.item()

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return weights, normalisation, the optimiser's state and a limited cost's weight."""
        arrays = {**super().tensors(), **self._weights.arrays("optimiser")}
        if self.settings.cost_limit is not None:
            arrays["cost_weight"] = self._cost_weight.numpy().copy()
        return arrays

    def _restore(self, configuration: dict[str, Any], tensors: dict[str, NDArray[Any]]) -> None:
        super()._restore(configuration, tensors)
        self._weights.restore(part(tensors, "optimiser"))
        if self.settings.cost_limit is not None:
            self._cost_weight.copy_(torch.from_numpy(tensors["cost_weight"]))


class _Curve:
    """Adds points to curves of returns and losses, from counts that several workers add to."""

    def __init__(self, agent: A3C, start: int, timesteps: int) -> None:
        self._agent = agent
        self._goal = start + timesteps
        self._between = timesteps / _CURVE_POINTS
        self._next = start + self._between
        self._noted = Counts(start, 0, 0.0, 0, 0.0, 0.0)

    def note(self, counts: Counts) -> None:
        """Add a point if it is time, from counts since the start."""
        noted, timesteps = self._noted, counts.timesteps
        episodes = counts.episodes - noted.episodes
        if timesteps < min(self._next, self._goal) or not episodes:
            return
        updates = counts.updates - noted.updates
        self._agent.learning_curve.append((timesteps, (counts.returns - noted.returns) / episodes))
        self._agent.learning_losses.append(
            (
                timesteps,
                (counts.policy_loss - noted.policy_loss) / updates,
                (counts.value_loss - noted.value_loss) / updates,
            )
        )
        self._noted = counts
        self._next = timesteps + self._between
