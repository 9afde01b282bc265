"""The table of an environment: a row per agent, from no service to the ceiling."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fitgym.common.statistics import Interval
from fitgym_agents.scores import share_of_ceiling
from fitgym_benchmarks.runs import Result

__all__ = ["COLUMNS", "Row", "Table", "as_markdown", "as_text", "cells", "tables"]

NO_SERVICE = "no service"

# The reference that bounds what can be earned: exact in replay (see fitgym.planning.one_step).
CEILINGS = ("foresight",)

COLUMNS = (
    "agent",
    "mean return",
    "% of ceiling",
    "95% interval",
    "plans met",
    "VDOT gain",
    "training",
    "steps/s",
)

_MISSING = "-"


@dataclass(frozen=True)
class Row:
    """One agent in one environment.

    Attributes:
        result: Where the numbers come from.
        label: Name of the agent for people to read.
        mean_return: Mean return with its 95% interval over seasons.
        score: Where the mean stands between no service (0) and the ceiling (1), which is a row of
            the table or else the reference score that ships; None without either.
        completion_rate: Plans met as a share of plans given; None if none was given.
        performance_gain: Mean performance at the end less that at the start, VDOT.
    """

    result: Result
    label: str
    mean_return: Interval
    score: float | None
    completion_rate: float | None
    performance_gain: float

    @property
    def plan_trimp(self) -> float:
        """Target of the first plan pushed, points: the only one, for a fixed plan."""
        return float(self.result.evaluation.plans_trimp[0, 0])

    @property
    def kind(self) -> str:
        """``"learnt"``, ``"ceiling"``, ``"fixed"`` (a plan every day) or ``"reference"``."""
        if self.result.run.steps:
            return "learnt"
        if self.result.evaluation.agent in CEILINGS:
            return "ceiling"
        return "fixed" if _fixed_plan(self.result) else "reference"


@dataclass(frozen=True)
class Table:
    """The rows of one environment: references, then learners, then the ceiling."""

    environment: str
    rows: tuple[Row, ...]

    def of_kind(self, kind: str) -> list[Row]:
        """Return the rows of a kind, in order."""
        return [row for row in self.rows if row.kind == kind]

    @property
    def ceiling(self) -> Row | None:
        """The row of the ceiling, or None where there is none."""
        return next(iter(self.of_kind("ceiling")), None)

    @property
    def no_service(self) -> Row:
        """The row of no service."""
        return next(row for row in self.rows if row.label == NO_SERVICE)


def tables(results: Sequence[Result]) -> list[Table]:
    """Return a table per environment, in the order in which environments first appear."""
    environments = dict.fromkeys(result.run.environment for result in results)
    return [
        _table(environment, [r for r in results if r.run.environment == environment])
        for environment in environments
    ]


def _table(environment: str, results: Sequence[Result]) -> Table:
    means = {result.evaluation.agent: result.evaluation.mean for result in results}
    zero = means[NO_SERVICE]
    ceiling = next((means[name] for name in CEILINGS if name in means), None)

    def score(result: Result) -> float | None:
        mean = result.evaluation.mean
        if ceiling is None:
            return share_of_ceiling(environment, result.run.evaluation_kwargs, mean)
        return (mean - zero) / (ceiling - zero)

    def row(result: Result) -> Row:
        evaluation = result.evaluation
        completion = evaluation.completion_rate
        return Row(
            result=result,
            label=_label(result),
            mean_return=evaluation.interval(),
            score=score(result),
            completion_rate=None if math.isnan(completion) else completion,
            performance_gain=float(evaluation.performance_gain.mean()),
        )

    order = {"reference": 0, "fixed": 0, "learnt": 1, "ceiling": 2}
    return Table(environment, tuple(sorted(map(row, results), key=lambda row: order[row.kind])))


def _fixed_plan(result: Result) -> int:
    """Return which plan the agent pushes every day; 0 for none and for all other agents."""
    run = result.run
    return (
        run.configuration["plan"] if run.agent == "fitgym_agents.references.simple:FixedPlan" else 0
    )


def _label(result: Result) -> str:
    """Return the agent's name; for a fixed plan, what it asks for."""
    if not _fixed_plan(result):
        return result.evaluation.agent
    return f"always {result.evaluation.plans_trimp[0, 0]:g} points"


def cells(row: Row) -> tuple[str, ...]:
    """Return a row as text, in the order of ``COLUMNS``."""
    interval = row.mean_return
    speed = row.result.steps_per_second
    return (
        row.label,
        f"{interval.mean:,.1f}",
        _MISSING if row.score is None else f"{100 * row.score:.1f}",
        f"{interval.low:,.0f} to {interval.high:,.0f}",
        _MISSING if row.completion_rate is None else f"{100 * row.completion_rate:.1f}%",
        f"{row.performance_gain:+.2f}",
        _MISSING if speed is None else f"{row.result.training_seconds:.0f} s",
        _MISSING if speed is None else f"{speed:,.0f}",
    )


def as_text(table: Table) -> str:
    """Return a table for the terminal."""
    lines = [COLUMNS, *(cells(row) for row in table.rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    text = [
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    return "\n".join([table.environment, text[0], "-" * len(text[0]), *text[1:]])


def as_markdown(table: Table) -> str:
    """Return a table in Markdown."""
    lines = [COLUMNS, ("---", *("---:",) * (len(COLUMNS) - 1)), *(cells(row) for row in table.rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
