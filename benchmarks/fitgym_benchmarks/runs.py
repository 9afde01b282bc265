"""A run: one agent in one environment with one budget and seed, from training to evaluation."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import gymnasium as gym

import fitgym
from fitgym.common.provenance import commit, machine, versions
from fitgym.people.individual import load_individual
from fitgym.people.splits import POPULATION, is_population
from fitgym_agents.agent import Progress
from fitgym_agents.evaluation import EVALUATION_SEED, Evaluation
from fitgym_agents.files import load_agent
from fitgym_agents.registry import BUILT_IN, find_agent
from fitgym_agents.summary import Summary, evaluate_modes
from fitgym_agents.training import Training, read_curve, read_record, train

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


@dataclass(frozen=True, kw_only=True, eq=False)
class Result:
    """What a run brought.

    Attributes:
        run: The run.
        evaluation: The episodes it was evaluated on, with its likeliest actions.
        drawn: The same episodes with drawn actions; None for agents that do not learn.
        training: The record of the training (``fitgym_agents.training.read_record``); None for
            agents that do not learn.
        curve: Environment steps and mean return of the episodes finished in training since the
            point before, as the agent noted them; empty if it notes none.
        finished_at: Date and time, UTC, ISO 8601.
        machine: What it was evaluated on.
        versions: Versions of Python and the packages that matter.
        commit: Of the code that did it; None outside a repository.
    """

    run: Run
    evaluation: Evaluation
    drawn: Evaluation | None
    training: Mapping[str, Any] | None
    curve: tuple[tuple[int, float], ...]
    finished_at: str
    machine: str
    versions: Mapping[str, str]
    commit: str | None

    @property
    def timesteps(self) -> int:
        """Environment steps trained; 0 for agents that do not learn."""
        return 0 if self.training is None else int(self.training["timesteps"])

    @property
    def training_seconds(self) -> float | None:
        """Wall time of training, over all its sessions; None for agents that do not learn."""
        if self.training is None:
            return None
        return float(sum(session["seconds"] for session in self.training["sessions"]))

    @property
    def steps_per_second(self) -> float | None:
        """Environment steps trained per second of wall time; None without a measured time."""
        seconds = self.training_seconds
        return self.timesteps / seconds if seconds else None


def execute(run: Run, agent_folder: Path, progress: Progress) -> Result:
    """Train the agent of ``run`` if it learns, save it, evaluate it and return the result.

    A training that was interrupted goes on from what was saved in the folder.

    Args:
        run: What to do.
        agent_folder: Where the agent is saved, with the record of its training.
        progress: Called now and then with the steps trained so far.
    """
    arguments: dict[str, Any] = {
        "env_kwargs": dict(run.training_kwargs),
        "configuration": dict(run.configuration),
        "seed": run.seed,
    }
    if run.steps:
        agent = train(
            Training(agent=run.agent, env_id=run.environment, **arguments),
            run.steps,
            agent_folder,
            watch=lambda _, timesteps: progress(timesteps),
        )
        # Read anew, so that what is drawn does not depend on what was drawn in training.
        agent = load_agent(agent_folder)
    else:
        agent = find_agent(run.agent).create(run.environment, **arguments)
        agent.save(agent_folder)
    likeliest, drawn = evaluate_modes(
        agent,
        run.environment,
        episodes=run.episodes,
        seed=run.evaluation_seed,
        env_kwargs=run.evaluation_kwargs,
    )
    return Result(
        run=run,
        evaluation=likeliest,
        drawn=drawn,
        training=read_record(agent_folder),
        curve=read_curve(agent_folder),
        finished_at=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=machine(),
        versions=versions(),
        commit=commit(),
    )


def summary_of(*results: Result, label: str | None = None) -> Summary:
    """Return what runs amount to that differ in nothing but the seed.

    Args:
        results: One per training seed.
        label: What tables call the agent; None for the agent's own name.
    """
    drawn = tuple(result.drawn for result in results if result.drawn is not None)
    evaluations = tuple(result.evaluation for result in results)
    return Summary(label or evaluations[0].agent, evaluations, drawn)
