"""A run: one agent in one environment with one budget and seed, from training to evaluation."""

from __future__ import annotations

import hashlib
import inspect
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import gymnasium as gym

import fitgym
from fitgym.common.provenance import commit, machine, versions
from fitgym.people.individual import load_individual
from fitgym_agents.agent import Agent, Progress
from fitgym_agents.evaluation import EVALUATION_SEED, Evaluation, evaluate
from fitgym_agents.registry import BUILT_IN, find_agent

__all__ = ["CurvePoint", "Result", "Run", "execute"]

# A learning curve has this many points after the first, each the mean of this many seasons:
# enough to see the shape, and a few percent of the training time. Ours.
CURVE_POINTS = 10
CURVE_EPISODES = 20


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
        episodes: Seasons to evaluate on.
        curve_points: Points of the learning curve after its first: evaluations that interrupt
            training, or with an asynchronous learner run beside it; at least 1, the end.
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
    curve_points: int = CURVE_POINTS
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
        """Return every argument the environment is made with, the individual written out."""
        arguments = gym.spec(self.environment).kwargs | dict(kwargs)
        if "individual" in arguments:
            arguments["individual"] = load_individual(arguments["individual"]).to_dict()
        return arguments

    def __str__(self) -> str:
        """Return agent and environment for people to read."""
        arguments = ", ".join(f"{name} {value}" for name, value in self.configuration.items())
        agent = self.agent.rpartition(":")[2]
        return f"{agent}{f' ({arguments})' if arguments else ''} in {self.environment}"


@dataclass(frozen=True)
class CurvePoint:
    """A point of a learning curve.

    Attributes:
        steps: Environment steps trained so far.
        mean_return: Mean return of the deterministic policy on training windows.
    """

    steps: int
    mean_return: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Result:
    """What a run brought.

    Attributes:
        run: The run.
        evaluation: The seasons it was evaluated on.
        curve: The learning curve; empty for agents that do not learn.
        training_seconds: Wall time of training without the curve's evaluations.
        finished_at: Date and time, UTC, ISO 8601.
        machine: What it ran on.
        versions: Versions of Python and the packages that matter.
        commit: Of the code that did it; None outside a repository.
    """

    run: Run
    evaluation: Evaluation
    curve: tuple[CurvePoint, ...]
    training_seconds: float
    finished_at: str
    machine: str
    versions: Mapping[str, str]
    commit: str | None

    @property
    def steps_per_second(self) -> float | None:
        """Environment steps trained per second of wall time; None for agents that do not learn."""
        return self.curve[-1].steps / self.training_seconds if self.curve else None


def execute(run: Run, agent_folder: Path, progress: Progress) -> Result:
    """Train the agent of ``run`` if it learns, save it, evaluate it and return the result.

    Args:
        run: What to do.
        agent_folder: Where the agent is saved.
        progress: Called now and then with the steps trained so far.
    """
    agent = find_agent(run.agent).create(
        run.environment,
        env_kwargs=run.training_kwargs,
        seed=run.seed,
        configuration=run.configuration,
    )
    curve, seconds = _train(agent, run, progress) if run.steps else ((), 0.0)
    agent.save(agent_folder)
    evaluation = evaluate(
        agent,
        run.environment,
        episodes=run.episodes,
        seed=run.evaluation_seed,
        env_kwargs=run.evaluation_kwargs,
    )
    return Result(
        run=run,
        evaluation=evaluation,
        curve=curve,
        training_seconds=seconds,
        finished_at=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=machine(),
        versions=versions(),
        commit=commit(),
    )


def _train(agent: Agent, run: Run, progress: Progress) -> tuple[tuple[CurvePoint, ...], float]:
    """Train ``agent`` and return its learning curve and the wall time of training alone."""
    curve: list[CurvePoint] = []
    steps_done = 0
    seconds_of_curve = 0.0

    def add_point() -> None:
        evaluation = evaluate(
            agent,
            run.environment,
            episodes=CURVE_EPISODES,
            seed=run.evaluation_seed,
            env_kwargs=run.training_kwargs,
        )
        curve.append(CurvePoint(steps_done, evaluation.mean))

    def watch(steps: int) -> None:
        nonlocal steps_done, seconds_of_curve
        steps_done = steps
        progress(steps)
        # The last point is left to the finished agent.
        if len(curve) * run.steps / run.curve_points <= steps < run.steps:
            started = time.perf_counter()
            add_point()
            seconds_of_curve += time.perf_counter() - started

    add_point()
    started = time.perf_counter()
    agent.learn(run.steps, progress=watch)
    seconds = time.perf_counter() - started - seconds_of_curve
    add_point()
    return tuple(curve), seconds
