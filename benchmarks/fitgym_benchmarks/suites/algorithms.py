"""Every learner at equal environment steps, over some seeds (``benchmarks algorithms``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from statistics import median
from typing import Any

from fitgym.common.files import write_text
from fitgym.common.provenance import machine
from fitgym.common.statistics import (
    Interval,
    crosswise_interval,
    interquartile_interval,
    performance_profile,
    probability_of_improvement,
    share_interval,
)
from fitgym.common.tables import MISSING, markdown_table
from fitgym.people.individual import DEFAULT_PLANS_TRIMP
from fitgym_agents.configuration_files import configuration_for
from fitgym_agents.files import load_agent
from fitgym_agents.summary import PEOPLE_COLUMNS, RANKING_NOTE, Summary
from fitgym_benchmarks.results import Result, summary_of
from fitgym_benchmarks.runs import STAGES, Run
from fitgym_benchmarks.store import ResultStore
from fitgym_benchmarks.suites.quick import a3c_few_steps

# The row of A3C with its own settings, which are for millions of steps.
_A3C_DEFAULTS = "A3C hybrid (defaults)"

# The learners of Fang et al. 2022 and those they lacked, by the name of their row: name of the
# agent and settings that differ from what ships for the environment (of A3C, from those for few
# steps). The slowest first, so that the workers end at about the same time.
ROWS: dict[str, tuple[str, Mapping[str, Any]]] = {
    "DQN (hybrid)": ("dqn", {"network": "hybrid"}),
    "PPO (hybrid)": ("ppo", {"network": "hybrid"}),
    "RecurrentPPO": ("recurrent-ppo", {}),
    "DRQN": ("drqn", {}),
    "A2C (hybrid)": ("a2c", {"network": "hybrid"}),
    "GAIL": ("gail", {}),
    "ACKTR": ("acktr", {}),
    "DQN": ("dqn", {}),
    "PPO": ("ppo", {}),
    "A3C hybrid": ("a3c", {"network": "hybrid"}),
    "A3C LSTM": ("a3c", {"network": "lstm"}),
    "A3C MLP": ("a3c", {"network": "mlp"}),
    _A3C_DEFAULTS: ("a3c", {"network": "hybrid"}),
    "A2C": ("a2c", {}),
}

# Rows of which a training of ``quick.STEPS`` steps takes more than a minute on one core.
SLOW_ROWS = ("DQN (hybrid)", "PPO (hybrid)", "RecurrentPPO", "DRQN", "A2C (hybrid)", "DQN")

_NO_SERVICE = "no service"
_CEILING = "dynamic programming"
_REFERENCES: dict[str, tuple[str, Mapping[str, Any]]] = {
    _NO_SERVICE: ("fixed", {"plan": 0}),
    **{
        f"fixed plan {plan}": ("fixed", {"plan": plan})
        for plan in range(1, len(DEFAULT_PLANS_TRIMP) + 1)
    },
    "coach": ("coach", {}),
    "belief": ("belief", {}),
    _CEILING: ("dynamic-programming", {}),
}

# Share of the way to the dynamic program from which on a learner counts as having converged (ours).
_CONVERGED = 0.85

# The paper's agent, with which others are compared run by run.
_RIVAL = "A3C hybrid"

# Shares of the way for which the performance profile is shown.
_PROFILE = (0.5, 0.75, 0.85, 0.95)

_RETURN_COLUMNS = (
    "agent",
    "mean return",
    "95% interval",
    "IQM of runs",
    "% of the way to DP",
    "over the best fixed plan",
    "likeliest",
    "drawn",
)
_LEARNING_COLUMNS = (
    "agent",
    "runs",
    "training",
    "to 85 %",
    "steps/s",
    "weights",
    "us/decision",
    f"better than {_RIVAL}",
    *(f"runs >= {100 * share:.0f} %" for share in _PROFILE),
)


@dataclass(frozen=True)
class AlgorithmRow:
    """One agent in one environment, over its training seeds.

    Attributes:
        summary: What its evaluations amount to.
        interquartile_mean: Of the runs' mean returns, with its interval.
        score: Where the mean stands between no service (0) and the dynamic program (1), with its
            interval.
        over_best_fixed: Paired difference from the best fixed plan in the same episodes.
        better: Probability that a run earns more than one of the paper's agent; None for
            references.
        profile: Share of runs that come at least as far as each of the shares shown; none for
            references.
        steps: Environment steps of each training; 0 for references.
        training_seconds: Median wall time of a training; None for references.
        converged_seconds: Median wall time until the episodes of training themselves, with what
            exploration costs, came to 85 % of the way; None where most trainings never did.
        parameters: Weights that are learnt; None for references.
    """

    summary: Summary
    interquartile_mean: Interval
    score: Interval
    over_best_fixed: Interval
    better: Interval | None
    profile: tuple[Interval, ...]
    steps: int
    training_seconds: float | None
    converged_seconds: float | None
    parameters: int | None


def algorithm_runs(
    *,
    steps: int,
    seeds: int,
    slow_seeds: int | None = None,
    episodes: int = 100,
    environments: Sequence[str] = STAGES,
    rows: Sequence[str] = tuple(ROWS),
) -> dict[tuple[str, str], list[Run]]:
    """Return the runs, by environment and row: one per seed of a learner, one of a reference.

    Args:
        steps: Environment steps per training.
        seeds: How many trainings of each learner.
        slow_seeds: Of those in ``SLOW_ROWS``; None for as many.
        episodes: Episodes to evaluate on, common to all runs of an environment.
        environments: Registered ids.
        rows: Which of ``ROWS``.
    """
    runs: dict[tuple[str, str], list[Run]] = {}
    for label in rows:
        agent = ROWS[label][0]
        trainings = seeds if slow_seeds is None or label not in SLOW_ROWS else slow_seeds
        for environment in environments:
            settings = row_configuration(label, environment)
            runs[environment, label] = [
                Run(
                    agent=agent,
                    environment=environment,
                    configuration=settings,
                    steps=steps,
                    seed=seed,
                    episodes=episodes,
                )
                for seed in range(trainings)
            ]
    for environment in environments:
        for label, (agent, configuration) in _REFERENCES.items():
            runs[environment, label] = [
                Run(
                    agent=agent,
                    environment=environment,
                    configuration=configuration,
                    episodes=episodes,
                )
            ]
    return runs


def row_configuration(label: str, environment: str) -> dict[str, Any]:
    """Return the settings of a row.

    Args:
        label: One of ``ROWS``.
        environment: Registered id.
    """
    agent, changes = ROWS[label]
    if agent == "a3c" and label != _A3C_DEFAULTS:
        return {**a3c_few_steps(environment), **changes}
    return {**configuration_for(agent, environment).configuration, **changes}


def algorithm_table(
    results: Mapping[str, Sequence[Result]], store: ResultStore
) -> list[AlgorithmRow]:
    """Return the rows of one environment: references, then learners by mean return.

    Of the fixed plans the best is kept.

    Args:
        results: By row, those of its seeds.
        store: Where the trained agents lie.
    """
    summaries = {label: summary_of(*seeds, label=label) for label, seeds in results.items()}
    returns = {label: one.returns for label, one in summaries.items()}
    means = {label: float(values.mean()) for label, values in returns.items()}
    fixed = [label for label in results if label.startswith("fixed plan")]
    best_fixed = max(fixed, key=means.__getitem__)
    lowest, highest = returns[_NO_SERVICE][0], returns[_CEILING][0]
    low, high = means[_NO_SERVICE], means[_CEILING]

    def row(label: str) -> AlgorithmRow:
        seeds, values = results[label], returns[label]
        learnt = seeds[0].run.steps > 0
        better = profile = None
        if learnt:
            shares = (values - low) / (high - low)
            profile = performance_profile(shares, _PROFILE)
            if _RIVAL in returns:
                better = probability_of_improvement(values, returns[_RIVAL])
        agent: Any = load_agent(store.agent_folder(seeds[0].run)) if learnt else None
        goal = low + _CONVERGED * (high - low)
        converged = median(_seconds_to(goal, result) for result in seeds) if learnt else inf
        return AlgorithmRow(
            summary=summaries[label],
            interquartile_mean=interquartile_interval(values),
            score=share_interval(values, lowest, highest),
            over_best_fixed=crosswise_interval(values - returns[best_fixed]),
            better=better,
            profile=tuple(profile or ()),
            steps=seeds[0].timesteps,
            training_seconds=median(s.training_seconds or 0.0 for s in seeds) if learnt else None,
            converged_seconds=converged if converged < inf else None,
            parameters=getattr(agent, "parameters", None),
        )

    kept = [label for label in results if label not in fixed or label == best_fixed]
    learners = sorted((x for x in kept if x in ROWS), key=means.__getitem__)
    return [row(label) for label in [*(x for x in kept if x not in ROWS), *learners]]


def _seconds_to(goal: float, result: Result) -> float:
    """Return the wall time after which a learning curve first came to ``goal``, or infinity."""
    for steps, mean_return in result.curve:
        if mean_return >= goal:
            return (result.training_seconds or 0.0) * steps / result.timesteps
    return inf


def write_page(tables: Mapping[str, Sequence[AlgorithmRow]], out: Path, command: str) -> Path:
    """Write ``algorithms.md`` and return its path.

    Args:
        tables: Rows by environment.
        out: Folder.
        command: What made the results.
    """
    lines = [f"`{command}` on {machine()}. {RANKING_NOTE}"]
    for environment, rows in tables.items():
        no_service = next(row.summary for row in rows if row.summary.label == _NO_SERVICE)
        people = [row.summary.people_cells(no_service.evaluations[0]) for row in rows]
        learners = [_learning_cells(row) for row in rows if row.training_seconds is not None]
        lines += [
            f"**{environment}**",
            markdown_table(_RETURN_COLUMNS, map(_return_cells, rows)),
            markdown_table(PEOPLE_COLUMNS, people),
            markdown_table(_LEARNING_COLUMNS, learners),
        ]
    path = out / "algorithms.md"
    write_text(path, "\n\n".join(lines) + "\n")
    return path


def _return_cells(row: AlgorithmRow) -> tuple[str, ...]:
    mean, score, over = row.summary.mean_return, row.score, row.over_best_fixed
    return (
        row.summary.label,
        f"{mean.mean:,.1f}",
        f"{mean.low:,.1f} to {mean.high:,.1f}",
        f"{row.interquartile_mean.mean:,.1f}",
        f"{100 * score.mean:.1f} ({100 * score.low:.1f} to {100 * score.high:.1f})",
        f"{over.mean:+,.1f} ({over.low:+,.1f} to {over.high:+,.1f})",
        *row.summary.mode_cells(),
    )


def _learning_cells(row: AlgorithmRow) -> tuple[str, ...]:
    seconds = row.training_seconds or 0.0
    better = row.better
    return (
        row.summary.label,
        f"{len(row.summary.likeliest)}",
        f"{seconds:,.0f} s",
        MISSING if row.converged_seconds is None else f"{row.converged_seconds:,.0f} s",
        f"{row.steps / seconds:,.0f}" if seconds else MISSING,
        MISSING if row.parameters is None else f"{row.parameters:,}",
        f"{1e6 * row.summary.decision_seconds:.1f}",
        MISSING if better is None else f"{better.mean:.2f} ({better.low:.2f} to {better.high:.2f})",
        *(f"{100 * part.mean:.0f} %" for part in row.profile),
    )
