"""Every learner at equal environment steps, over some seeds (``benchmarks algorithms``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from fitgym.common.files import write_text
from fitgym.common.provenance import machine
from fitgym.common.statistics import Interval, interquartile_mean, two_level_interval
from fitgym.people.individual import DEFAULT_PLANS_TRIMP
from fitgym_agents.agent import load_agent
from fitgym_agents.configuration_files import configuration_for
from fitgym_benchmarks.runs import Result, Run
from fitgym_benchmarks.store import ResultStore
from fitgym_benchmarks.suites.quick import A3C_FEW_STEPS

__all__ = [
    "ENVIRONMENTS",
    "ROWS",
    "AlgorithmRow",
    "algorithm_runs",
    "algorithm_table",
    "write_page",
]

ENVIRONMENTS = ("fitgym/Acquisition-v0", "fitgym/Retention-v0")

# The learners of Fang et al. 2022 and those they lacked, by the name of their row: name of the
# agent and settings that differ from what ships for the environment. The slowest first, so that
# the workers end at about the same time.
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
    "A3C hybrid": ("a3c", {**A3C_FEW_STEPS, "network": "hybrid"}),
    "A3C LSTM": ("a3c", {**A3C_FEW_STEPS, "network": "lstm"}),
    "A3C MLP": ("a3c", {**A3C_FEW_STEPS, "network": "mlp"}),
    "A3C hybrid (defaults)": ("a3c", {"network": "hybrid"}),
    "A2C": ("a2c", {}),
}

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

_COLUMNS = (
    "agent",
    "mean return",
    "95% interval",
    "interquartile mean",
    "% of the way to DP",
    "over the best fixed plan",
    "training",
    "to 85 %",
    "steps/s",
    "weights",
    "us/decision",
)


@dataclass(frozen=True)
class AlgorithmRow:
    """One agent in one environment, over its training seeds.

    Attributes:
        label: Name of the row.
        mean_return: Mean over seeds and seasons, with its two-level interval.
        interquartile_mean: Of all seeds' seasons.
        score: Where the mean stands between no service (0) and the dynamic program (1).
        over_best_fixed: Paired difference from the best fixed plan in the same seasons.
        steps: Environment steps of each training; 0 for references.
        seeds: How many trainings.
        training_seconds: Median wall time of a training; None for references.
        converged_seconds: Median wall time until the seasons of training themselves, with what
            exploration costs, came to 85 % of the way; None where most trainings never did.
        parameters: Weights that are learnt; None for references.
        decision_seconds: Median time of a decision in a batch.
    """

    label: str
    mean_return: Interval
    interquartile_mean: float
    score: float
    over_best_fixed: Interval
    steps: int
    seeds: int
    training_seconds: float | None
    converged_seconds: float | None
    parameters: int | None
    decision_seconds: float


def algorithm_runs(
    *,
    steps: int,
    seeds: int,
    episodes: int = 100,
    environments: Sequence[str] = ENVIRONMENTS,
    rows: Sequence[str] = tuple(ROWS),
) -> dict[tuple[str, str], list[Run]]:
    """Return the runs, by environment and row: one per seed of a learner, one of a reference.

    Args:
        steps: Environment steps per training.
        seeds: How many trainings of each learner.
        episodes: Seasons to evaluate on, common to all runs of an environment.
        environments: Registered ids.
        rows: Which of ``ROWS``.
    """
    runs: dict[tuple[str, str], list[Run]] = {}
    for label in rows:
        agent, changes = ROWS[label]
        for environment in environments:
            shipped = configuration_for(agent, environment).configuration
            runs[environment, label] = [
                Run(
                    agent=agent,
                    environment=environment,
                    configuration={**shipped, **changes},
                    steps=steps,
                    seed=seed,
                    episodes=episodes,
                    # Nothing beside training, so that wall times can be compared.
                    curve_points=1,
                )
                for seed in range(seeds)
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


def algorithm_table(
    results: Mapping[str, Sequence[Result]], store: ResultStore
) -> list[AlgorithmRow]:
    """Return the rows of one environment: references, then learners by mean return.

    Of the fixed plans the best is kept.

    Args:
        results: By row, those of its seeds.
        store: Where the trained agents lie.
    """
    returns = {
        label: np.array([result.evaluation.returns for result in seeds])
        for label, seeds in results.items()
    }
    means = {label: float(values.mean()) for label, values in returns.items()}
    fixed = [label for label in results if label.startswith("fixed plan")]
    best_fixed = max(fixed, key=means.__getitem__)
    low, high = means[_NO_SERVICE], means[_CEILING]

    def row(label: str) -> AlgorithmRow:
        seeds = results[label]
        run = seeds[0].run
        learnt = run.steps > 0
        agents: list[Any] = [
            load_agent(store.agent_folder(result.run)) for result in seeds if learnt
        ]
        goal = low + _CONVERGED * (high - low)
        pairs = zip(agents, seeds, strict=False)
        waits = [_seconds_to(goal, agent.learning_curve, result) for agent, result in pairs]
        converged = median(waits) if learnt else inf
        return AlgorithmRow(
            label=label,
            mean_return=two_level_interval(returns[label]),
            interquartile_mean=interquartile_mean(returns[label]),
            score=(means[label] - low) / (high - low),
            over_best_fixed=two_level_interval(returns[label] - returns[best_fixed]),
            steps=seeds[0].curve[-1].steps if learnt else 0,
            seeds=len(seeds),
            training_seconds=median(s.training_seconds for s in seeds) if learnt else None,
            converged_seconds=converged if converged < inf else None,
            parameters=agents[0].parameters if learnt else None,
            decision_seconds=median(s.evaluation.decision_seconds for s in seeds),
        )

    kept = [label for label in results if label not in fixed or label == best_fixed]
    learners = sorted((x for x in kept if x in ROWS), key=means.__getitem__)
    return [row(label) for label in [*(x for x in kept if x not in ROWS), *learners]]


def _seconds_to(goal: float, learning_curve: Sequence[tuple[int, float]], result: Result) -> float:
    """Return the wall time after which a learning curve first came to ``goal``, or infinity."""
    for steps, mean_return in learning_curve:
        if mean_return >= goal:
            return result.training_seconds * steps / result.curve[-1].steps
    return inf


def write_page(tables: Mapping[str, Sequence[AlgorithmRow]], out: Path, command: str) -> Path:
    """Write ``algorithms.md`` and return its path.

    Args:
        tables: Rows by environment.
        out: Folder.
        command: What made the results.
    """
    lines = [f"`{command}` on {machine()}."]
    for environment, rows in tables.items():
        lines += ["", f"**{environment}**", "", *_markdown(rows)]
    path = out / "algorithms.md"
    write_text(path, "\n".join(lines) + "\n")
    return path


def _markdown(rows: Sequence[AlgorithmRow]) -> list[str]:
    table = [_COLUMNS, ("---", *("---:",) * (len(_COLUMNS) - 1)), *map(_cells, rows)]
    return [f"| {' | '.join(line)} |" for line in table]


def _cells(row: AlgorithmRow) -> tuple[str, ...]:
    mean, over = row.mean_return, row.over_best_fixed
    seconds = row.training_seconds
    return (
        row.label,
        f"{mean.mean:,.1f}",
        f"{mean.low:,.1f} to {mean.high:,.1f}",
        f"{row.interquartile_mean:,.1f}",
        f"{100 * row.score:.1f}",
        f"{over.mean:+,.1f} ({over.low:+,.1f} to {over.high:+,.1f})",
        "-" if seconds is None else f"{seconds:,.0f} s",
        "-" if row.converged_seconds is None else f"{row.converged_seconds:,.0f} s",
        "-" if seconds is None else f"{row.steps / seconds:,.0f}",
        "-" if row.parameters is None else f"{row.parameters:,}",
        f"{1e6 * row.decision_seconds:.1f}",
    )
