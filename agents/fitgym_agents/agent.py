"""What every agent can do: decide for a batch of people, learn, and go to disk and back."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

import fitgym
from fitgym.common.files import write_bytes, write_text
from fitgym.envs.task import Task
from fitgym.people.individual import Individual
from fitgym_agents.settings import Configuration

__all__ = [
    "BUILT_IN",
    "CARD",
    "Actions",
    "Agent",
    "Observations",
    "Progress",
    "find_agent",
    "load_agent",
    "plugins",
]

Observations = NDArray[np.float32]
Actions = NDArray[np.int64]
# Called while learning with the environment steps done so far by this call of ``learn``.
Progress = Callable[[int], None]

# The names that need no import path.
BUILT_IN = {
    "a2c": "fitgym_agents.sb3.algorithms:A2C",
    "a3c": "fitgym_agents.deep.a3c.a3c:A3C",
    "acktr": "fitgym_agents.deep.acktr.acktr:ACKTR",
    "dqn": "fitgym_agents.sb3.algorithms:DQN",
    "gail": "fitgym_agents.deep.gail.gail:GAIL",
    "drqn": "fitgym_agents.deep.drqn.drqn:DRQN",
    "ppo": "fitgym_agents.sb3.algorithms:PPO",
    "recurrent-ppo": "fitgym_agents.sb3.algorithms:RecurrentPPO",
    "belief": "fitgym_agents.references.planning:BeliefPolicy",
    "coach": "fitgym_agents.references.simple:CoachRule",
    "dynamic-programming": "fitgym_agents.references.planning:DynamicProgramming",
    "fixed": "fitgym_agents.references.simple:FixedPlan",
    "foresight": "fitgym_agents.references.simple:Foresight",
    "habit": "fitgym_agents.references.simple:HabitPlan",
    "myopic": "fitgym_agents.references.simple:Myopic",
    "random": "fitgym_agents.references.simple:RandomPlan",
}

_ENTRY_POINT_GROUP = "fitgym.agents"
CARD = "agent.json"
_FORMAT = 1


class LearningError(RuntimeError):
    """Learning broke off, by no fault of the arguments' form."""


class Agent(ABC):
    """A service that pushes plans: the interface of references, learners and one's own agents.

    A subclass needs ``predict`` alone. One that learns overrides ``create`` (to be told the
    environment) and ``learn``; one with anything to remember overrides ``configuration`` or
    ``tensors`` and ``from_saved``, and ``save`` and ``load_agent`` then work unchanged.

    Attributes:
        name: How tables and figures call the agent.
        settings_class: Dataclass of the settings that ``create`` takes; None if they are the
            arguments of the class.
        timesteps: Environment steps learnt so far, over all calls of ``learn`` and kept by
            ``save``: where an interrupted training goes on. One that leaves it at 0 starts anew.
        learning_curve: Environment steps so far, and mean return of the seasons finished since
            the point before; empty if the agent does not note it.
    """

    name: str
    settings_class: ClassVar[type[Configuration] | None] = None
    timesteps: int = 0
    learning_curve: Sequence[tuple[int, float]] = ()

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
        """Return a new agent for an environment; the form in which a benchmark names a run.

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
        """Look at the task and the people of the episodes to come.

        ``evaluate`` calls it after the environments were reset and before the first decision.
        Agents that only see observations do nothing here; those that need the plans' targets or
        the model read them.

        Args:
            task: What the environments are but for the person.
            people: The person of each row of the observations, (N,).
        """

    @abstractmethod
    def predict(
        self,
        observation: Observations,
        state: Any = None,
        episode_start: NDArray[np.bool_] | None = None,
        deterministic: bool = True,
    ) -> tuple[Actions, Any]:
        """Choose an action for each of N people.

        Args:
            observation: What is seen, (N, observation size).
            state: What the previous call returned; None at first. It is the agent's memory.
            episode_start: Whether an episode has just begun, (N,); None means all have if
                ``state`` is None, and none otherwise.
            deterministic: Whether to choose the best action rather than to draw one.

        Returns:
            Actions (N,) and the state for the next call.
        """

    def learn(self, total_timesteps: int, *, progress: Progress | None = None) -> Self:
        """Learn for some more environment steps and return the agent itself.

        Agents that do not learn return at once.

        Args:
            total_timesteps: Environment steps to take in this call; learners that collect in
                batches finish the last one. Step sizes and exploration may be scheduled over
                the call, so one long call is not the same as many short ones.
            progress: Called now and then with the steps taken so far.
        """
        return self

    def configuration(self) -> dict[str, Any]:
        """Return what rebuilds the agent, but for its weights, as JSON-able values."""
        return {}

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return the weights and whatever else the agent has learnt, by name."""
        return {}

    @classmethod
    def from_saved(cls, configuration: dict[str, Any], tensors: dict[str, NDArray[Any]]) -> Self:
        """Rebuild the agent from what ``configuration`` and ``tensors`` returned."""
        return cls(**configuration)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the agent to a folder: ``agent.json``, and weights as safetensors.

        The weights get a name of their own, and replacing ``agent.json``, which tells it, is the
        last thing done. A reader, or a crash at any moment, finds the old agent or the new one.

        Args:
            folder: Made if missing; an agent saved there before is replaced.
        """
        from safetensors.numpy import save

        target = Path(folder)
        card: dict[str, Any] = {
            "format": _FORMAT,
            "class": f"{type(self).__module__}:{type(self).__qualname__}",
            "fitgym": fitgym.__version__,
            "configuration": self.configuration(),
            "weights": None,
            "sha256": None,
        }
        tensors = {name: np.array(tensor, order="C") for name, tensor in self.tensors().items()}
        if tensors:
            content = save(tensors)
            card["sha256"] = hashlib.sha256(content).hexdigest()
            card["weights"] = f"weights-{card['sha256'][:12]}.safetensors"
        text = json.dumps(card, indent=2) + "\n"
        if tensors:
            write_bytes(target / card["weights"], content)
        write_text(target / CARD, text)
        for path in target.glob("weights-*.safetensors"):
            if path.name != card["weights"]:
                path.unlink()


def load_agent(folder: str | os.PathLike[str]) -> Agent:
    """Return the agent that was saved in ``folder``.

    The class named in ``agent.json`` is imported, so load only folders whose code you would run.

    Raises:
        FileNotFoundError: If there is no saved agent.
        ValueError: If a file is damaged or of another format, or the class cannot be found.
    """
    from safetensors.numpy import load

    path = Path(folder) / CARD
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not valid JSON: {error}") from None
    if not isinstance(card, dict) or card.get("format") != _FORMAT:
        raise ValueError(f"{path} is not an agent of format {_FORMAT}, the one known here")
    missing = sorted({"class", "configuration", "weights", "sha256"} - set(card))
    if missing:
        raise ValueError(f"{path} lacks the keys {missing}")
    tensors: dict[str, NDArray[Any]] = {}
    if card["weights"] is not None:
        weights = path.parent / Path(card["weights"]).name
        content = weights.read_bytes()
        if hashlib.sha256(content).hexdigest() != card["sha256"]:
            raise ValueError(f"{weights} is damaged: its SHA-256 differs from the one in {path}")
        tensors = load(content)
    try:
        return _import_agent(card["class"]).from_saved(card["configuration"], tensors)
    except KeyError as error:
        raise ValueError(f"the agent saved in {path.parent} lacks {error}") from None


def find_agent(name: str) -> type[Agent]:
    """Return the class of agent called ``name``.

    Args:
        name: A built-in name (see ``BUILT_IN``), an import path ``package.module:Class``, or the
            name of an entry point that a package offers in the group ``fitgym.agents``.

    Raises:
        ValueError: If there is no such agent.
        TypeError: If the name leads to something that is no agent.
    """
    if name in BUILT_IN:
        return _import_agent(BUILT_IN[name])
    if ":" in name:
        return _import_agent(name)
    offered = {entry.name: entry for entry in entry_points(group=_ENTRY_POINT_GROUP)}
    if name not in offered:
        known = ", ".join(map(repr, sorted({*BUILT_IN, *offered})))
        raise ValueError(
            f"agent must be one of {known} or an import path 'package.module:Class', got {name!r}"
        )
    try:
        found = offered[name].load()
    except (ImportError, AttributeError) as error:
        raise ValueError(f"agent {name!r} cannot be imported: {error}") from error
    return _require_agent(name, found)


def plugins() -> dict[str, str]:
    """Return the import paths of the agents that installed packages offer, by name.

    A built-in name means the built-in agent, whoever offers another.
    """
    offered = entry_points(group=_ENTRY_POINT_GROUP)
    return {entry.name: entry.value for entry in offered if entry.name not in BUILT_IN}


# Modules under which agents were saved before version 0.2.
_MOVED = {
    "agents.a3c": "fitgym_agents.deep.a3c.a3c",
    "agents.acktr": "fitgym_agents.deep.acktr.acktr",
    "agents.drqn": "fitgym_agents.deep.drqn.drqn",
    "agents.gail": "fitgym_agents.deep.gail.gail",
    "agents.planning": "fitgym_agents.references.planning",
    "agents.reference": "fitgym_agents.references.simple",
    "agents.sb3": "fitgym_agents.sb3.algorithms",
}


def _import_agent(path: str) -> type[Agent]:
    module, _, attribute = path.partition(":") if isinstance(path, str) else ("", "", "")
    if not module or not attribute:
        raise ValueError(f"agent must be an import path 'package.module:Class', got {path!r}")
    try:
        found: Any = importlib.import_module(_MOVED.get(module, module))
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"agent {path!r} cannot be imported: {error}") from error
    return _require_agent(path, found)


def _require_agent(name: str, found: object) -> type[Agent]:
    if not (isinstance(found, type) and issubclass(found, Agent)):
        raise TypeError(f"agent {name!r} must be a subclass of Agent, got {found!r}")
    return found
