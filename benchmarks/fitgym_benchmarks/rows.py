"""A finished run as a row of plain numbers, for a database to query."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium as gym

from fitgym_agents.scores import share_of_ceiling
from fitgym_benchmarks.results import Result, summary_of


@dataclass(frozen=True, kw_only=True)
class RunRow:
    """One row of the table of runs; a field is a column, in this order.

    Attributes:
        key: The run's key (``fitgym_benchmarks.runs.Run.key``).
        agent: Name or import path.
        name: The agent's own name.
        environment: Registered id.
        individual: Who was evaluated: a name, a population or a path; JSON where it is written
            out, None where the environment is not registered here.
        configuration: Arguments of the agent, JSON.
        training_kwargs: Arguments of the environment in training, JSON.
        evaluation_kwargs: Those in evaluation, JSON.
        steps: Environment steps asked for.
        seed: Seed of the training.
        episodes: Episodes of the evaluation.
        evaluation_seed: Seed of the first of them.
        mean_return: By the better of likeliest and drawn actions, as are all figures below.
        likeliest_return: Mean return with likeliest actions.
        drawn_return: Mean return with drawn actions; None for agents that do not learn.
        share: Of the way from no service (0) to the ceiling (1); None where no scores ship.
        performance_gain: Performance at the end less that at the start, VDOT.
        completion_rate: Plans met as a share of plans given; None if none was given.
        weekly_load: Points really done per week.
        dangerous_days: Days per episode with an acute:chronic workload ratio above 1.5.
        strained_share: Share of days with a ratio above 1.3.
        decision_seconds: Mean wall time of a decision, seconds.
        timesteps: Environment steps trained.
        training_seconds: Wall time of training, seconds; None for agents that do not learn.
        machine: What it was evaluated on.
        versions: Of Python and the packages that matter, JSON.
        commit_id: Commit of the code; None outside a repository.
        finished_at: Date and time, UTC, ISO 8601.
        folder: Where its files are, seen from the database.
    """

    key: str
    agent: str
    name: str
    environment: str
    individual: str | None
    configuration: str
    training_kwargs: str
    evaluation_kwargs: str
    steps: int
    seed: int
    episodes: int
    evaluation_seed: int
    mean_return: float
    likeliest_return: float
    drawn_return: float | None
    share: float | None
    performance_gain: float
    completion_rate: float | None
    weekly_load: float
    dangerous_days: float
    strained_share: float
    decision_seconds: float
    timesteps: int
    training_seconds: float | None
    machine: str
    versions: str
    commit_id: str | None
    finished_at: str
    folder: str


def row_of(result: Result) -> RunRow:
    """Return the row of a result.

    Raises:
        ValueError: If its files are damaged.
    """
    run, one = result.run, summary_of(result)
    mean_return = float(one.returns.mean())
    given = sum(int(found.plans_given.sum()) for found in one.evaluations)
    met = sum(int(found.plans_met.sum()) for found in one.evaluations)
    return RunRow(
        key=result.folder.name,
        agent=run.agent,
        name=one.label,
        environment=run.environment,
        individual=_individual(run.environment, run.evaluation_kwargs),
        configuration=_text(run.configuration),
        training_kwargs=_text(run.training_kwargs),
        evaluation_kwargs=_text(run.evaluation_kwargs),
        steps=run.steps,
        seed=run.seed,
        episodes=run.episodes,
        evaluation_seed=run.evaluation_seed,
        mean_return=mean_return,
        likeliest_return=one.likeliest_mean,
        drawn_return=one.drawn_mean if one.drawn else None,
        share=share_of_ceiling(run.environment, run.evaluation_kwargs, mean_return),
        performance_gain=one.performance_gain,
        completion_rate=met / given if given else None,
        weekly_load=one.weekly_load,
        dangerous_days=one.dangerous_days,
        strained_share=one.strained_share,
        decision_seconds=one.decision_seconds,
        timesteps=result.timesteps,
        training_seconds=result.training_seconds,
        machine=result.machine,
        versions=_text(result.versions),
        commit_id=result.commit,
        finished_at=result.finished_at,
        folder=result.folder.name,
    )


def _individual(environment: str, kwargs: Mapping[str, Any]) -> str | None:
    # Not ``gym.spec``: a row may be of an environment that only another program registers.
    spec = gym.registry.get(environment)
    found = kwargs.get("individual", spec.kwargs.get("individual") if spec else None)
    return found if isinstance(found, str | None) else _text(found)


def _text(content: Mapping[str, Any]) -> str:
    return json.dumps(dict(content), sort_keys=True)
