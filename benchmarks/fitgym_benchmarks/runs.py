"""A run: one agent in one environment with one budget and seed, and the key it is found by."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import gymnasium as gym

import fitgym
from fitgym.people.individual import load_individual
from fitgym.people.splits import POPULATION, is_population
from fitgym_agents.evaluation import EVALUATION_SEED
from fitgym_agents.registry import BUILT_IN, find_agent

# Where the learners are compared, and the shipped settings are to serve.
STAGES = ("fitgym/Acquisition-v1", "fitgym/Retention-v1")


@dataclass(frozen=True, kw_only=True)
class Run:
    """What is trained where, for how long and with which seed, and how it is evaluated.

    Attributes:
        agent: Name or import path of the agent, see ``fitgym_agents.registry.find_agent``.
        environment: Registered id.
        configuration: Arguments of the agent.
        training_kwargs: Arguments of the environment in training, JSON-able.
        evaluation_kwargs: Arguments of the environment in evaluation, JSON-able.
        steps: Environment steps to train for; 0 for agents that do not learn.
        seed: Seed of the training.
        episodes: Episodes to evaluate on.
        evaluation_seed: Seed of the first of them, common to all runs that are compared.
    """

    agent: str
    environment: str
    configuration: Mapping[str, Any] = field(default_factory=dict)
    training_kwargs: Mapping[str, Any] = field(default_factory=dict)
    evaluation_kwargs: Mapping[str, Any] = field(default_factory=dict)
    steps: int = 0
    seed: int = 0
    episodes: int = 100
    evaluation_seed: int = EVALUATION_SEED

    @property
    def key(self) -> str:
        """A hash of all that decides the result: 12 hexadecimal digits, the same everywhere.

        It covers the run itself, the agent's settings including those left at their defaults, the
        environment's full specification, the individual's numbers (not only the name), the version
        of the package, and of an agent from elsewhere the file that it is written in.

        Raises:
            ValueError: If the agent cannot be found or its configuration is wrong.
            TypeError: If an argument of the environment is not JSON-able, or a setting has the
                wrong type.
        """
        agent = find_agent(self.agent)
        settings = agent.settings_class
        content = {
            "run": asdict(self),
            "settings": asdict(settings.from_mapping(self.configuration)) if settings else None,
            "training": self.specification(self.training_kwargs) if self.steps else None,
            "evaluation": self.specification(self.evaluation_kwargs),
            "fitgym": fitgym.__version__,
        }
        if self.agent not in BUILT_IN and not self.agent.startswith("fitgym_agents."):
            # Its version is unknown, and it may change from run to run while it is written.
            source = Path(inspect.getfile(agent)).read_bytes()
            content["agent"] = hashlib.sha256(source).hexdigest()
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def specification(self, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Return every argument the environment is made with, the individual written out.

        A population keeps its name: whom it draws is fixed by the package's version.
        """
        arguments = gym.spec(self.environment).kwargs | dict(kwargs)
        if not is_population(arguments.get("individual", POPULATION)):
            arguments["individual"] = load_individual(arguments["individual"]).to_dict()
        return arguments

    def __str__(self) -> str:
        """Return agent and environment for people to read."""
        arguments = ", ".join(f"{name} {value}" for name, value in self.configuration.items())
        agent = self.agent.rpartition(":")[2]
        return f"{agent}{f' ({arguments})' if arguments else ''} in {self.environment}"
