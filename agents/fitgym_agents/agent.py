"""The interface of an agent: act in a batch of environments, learn, and be saved."""

from __future__ import annotations

import inspect
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

import fitgym
from fitgym.common.files import is_leftover, write_bytes, write_text
from fitgym.common.weights import pack
from fitgym.envs.task import Task
from fitgym.people.individual import Individual
from fitgym_agents.settings import Configuration

Observations = NDArray[np.float32]
Actions = NDArray[np.int64]
# Environment steps, mean policy loss, mean value loss.
LossPoint = tuple[int, float | None, float | None]
# Called while learning with the environment steps done so far by this call of ``learn``.
Progress = Callable[[int], None]

# A saved agent is this file, and the weights that it names.
CARD = "agent.json"
CARD_FORMAT = 1


class LearningError(RuntimeError):
    """Learning broke off, and not because of a wrong argument."""


class Agent(ABC):
    """A policy over numbered plans: the base of references, learners and agents of one's own.

    A subclass needs ``name`` and ``predict`` alone. One that learns overrides ``create`` (to be
    told the environment) and ``learn``; one with settings or weights to save overrides
    ``configuration`` or ``tensors`` and ``from_saved``. ``save`` and ``load_agent`` then work
    unchanged.

    Attributes:
        name: How tables and figures call the agent.
        settings_class: Dataclass of the settings that ``create`` takes; None if they are the
            arguments of the class.
        timesteps: Environment steps learnt so far, over all calls of ``learn`` and kept by
            ``save``: where an interrupted training goes on. One that leaves it at 0 starts anew.
        learning_curve: Environment steps so far, and mean return of the episodes finished since
            the point before; empty if the agent does not note it.
        learning_losses: Environment steps so far, and the mean policy and value loss of the updates
            since the point before, None where a learner has no such loss; empty if the agent does
            not note them.
    """

    name: str
    settings_class: ClassVar[type[Configuration] | None] = None
    timesteps: int = 0
    learning_curve: Sequence[tuple[int, float]] = ()
    learning_losses: Sequence[LossPoint] = ()

    @classmethod
    def learns(cls) -> bool:
        """Return whether agents of this class learn."""
        return cls.learn is not Agent.learn

    @classmethod
    def create(
        cls,
        env_id: str,
        *,
        env_kwargs: Mapping[str, Any] | None = None,
        seed: int = 0,
        configuration: Mapping[str, Any] | None = None,
    ) -> Self:
        """Return a new agent for an environment.

        Agents that do not learn ignore the environment and the seed.

        Args:
            env_id: Registered id.
            env_kwargs: Arguments of the environment.
            seed: Seed of everything random in learning.
            configuration: Arguments of the agent by name; unknown ones are errors.

        Raises:
            ValueError: If the configuration has unknown or missing keys, or values out of range.
            TypeError: If a value has the wrong type.
        """
        try:
            arguments = inspect.signature(cls).bind(**(configuration or {}))
        except TypeError as error:
            raise ValueError(f"configuration of {cls.__name__}: {error}") from None
        return cls(*arguments.args, **arguments.kwargs)

    def prepare(self, task: Task, people: Sequence[Individual]) -> None:  # noqa: B027
        """Read what the agent needs of the task and the individuals, before the first step.

        ``evaluate`` calls it after the environments were reset. Agents that use observations alone
        do nothing here; those that need the plans' targets or the model read them.

        Args:
            task: The arguments that the environments share, all but the individual.
            people: The individual of each environment, (N,).
        """

    @abstractmethod
    def predict(
        self,
        observation: Observations,
        state: Any = None,
        episode_start: NDArray[np.bool_] | None = None,
        deterministic: bool = True,
    ) -> tuple[Actions, Any]:
        """Choose an action in each of N environments.

        Args:
            observation: Observations, (N, observation size).
            state: What the previous call returned; None at first. It is the agent's memory, such
                as a recurrent network's hidden state.
            episode_start: Whether an episode has just begun, (N,); None means all have if
                ``state`` is None, and none otherwise.
            deterministic: Whether to choose the likeliest action rather than to draw one.

        Returns:
            Actions (N,) and the state for the next call.
        """

    def learn(self, total_timesteps: int, *, progress: Progress | None = None) -> Self:
        """Learn for ``total_timesteps`` more environment steps and return the agent itself.

        Agents that do not learn return at once.

        Args:
            total_timesteps: Environment steps to take in this call; learners that collect in
                batches finish the last one. Schedules of learning rate and exploration may
                span the call, so one long call is not the same as many short ones.
            progress: Called now and then with the steps taken so far by this call.
        """
        return self

    def configuration(self) -> dict[str, Any]:
        """Return what rebuilds the agent apart from its weights, as JSON-able values."""
        return {}

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return the weights and other learnt arrays by name; every value must be finite."""
        return {}

    @classmethod
    def from_saved(cls, configuration: dict[str, Any], tensors: dict[str, NDArray[Any]]) -> Self:
        """Rebuild the agent from what ``configuration`` and ``tensors`` returned."""
        return cls(**configuration)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the agent to a folder: ``agent.json``, and weights as safetensors.

        The weights get a name of their own, and ``agent.json``, which tells it, is replaced after
        them. A reader, or a crash at any moment, finds the old agent or the new one.

        Args:
            folder: Made if missing; an agent saved there before is replaced.

        Raises:
            ValueError: If the configuration cannot be written as JSON, or a weight is not finite.
        """
        target = Path(folder)
        card: dict[str, Any] = {
            "format": CARD_FORMAT,
            "class": f"{type(self).__module__}:{type(self).__qualname__}",
            "fitgym": fitgym.__version__,
            "configuration": self.configuration(),
            "weights": None,
            "sha256": None,
        }
        tensors = self.tensors()
        if tensors:
            content, card["sha256"] = pack(tensors)
            card["weights"] = f"weights-{card['sha256'][:12]}.safetensors"
        try:
            text = json.dumps(card, indent=2, allow_nan=False) + "\n"
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"configuration of agent {self.name!r} must be JSON-able: {error}"
            ) from error
        before = _weights_named_in(target / CARD)
        if tensors:
            write_bytes(target / card["weights"], content)
        write_text(target / CARD, text)
        for path in target.glob("weights-*.safetensors"):
            # Others may belong to a process that has not written its card yet.
            if path.name != card["weights"] and (path.name == before or is_leftover(path)):
                path.unlink(missing_ok=True)


def _weights_named_in(card: Path) -> str | None:
    """Return the name of the weights of the agent saved before; None if there is none."""
    try:
        return str(json.loads(card.read_bytes())["weights"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
