"""The tables of an environment: a row per agent, from no service to the ceiling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fitgym.common.statistics import Interval
from fitgym.common.tables import MISSING, markdown_table, text_table
from fitgym_agents.evaluation import Evaluation
from fitgym_agents.scores import share_of_ceiling
from fitgym_agents.summary import PEOPLE_COLUMNS, RANKING_NOTE, Summary
from fitgym_benchmarks.results import Result, summary_of

NO_SERVICE = "no service"

# The reference that bounds what can be earned: exact in replay (see fitgym.planning.one_step).
CEILINGS = ("foresight",)

COLUMNS = (
    "agent",
    "mean return",
    "% of the way",
    "95% interval",
    "likeliest",
    "drawn",
    "training",
    "steps/s",
)


@dataclass(frozen=True)
class Row:
    """One agent in one environment.

    Attributes:
        result: Where the numbers come from.
        summary: What its evaluations amount to; of a learner those that it is ranked by.
        score: Where the mean stands between no service (0) and the ceiling (1), which is a row of
            the table or else the reference score that ships; None without either.
    """

    result: Result
    summary: Summary
    score: float | None

    @property
    def label(self) -> str:
        """Name of the agent for people to read."""
        return self.summary.label

    @property
    def evaluation(self) -> Evaluation:
        """The evaluation that the agent is ranked by, read from disk."""
        one = self.result.drawn if self.summary.ranked_by == "drawn" else None
        return one or self.result.evaluation

    @property
    def mean_return(self) -> Interval:
        """Mean return with its 95% interval over episodes."""
        return self.summary.mean_return

    @property
    def completion_rate(self) -> float | None:
        """Plans met as a share of plans given; None if none was given."""
        met = self.summary.completion
        return None if met is None else met.mean

    @property
    def plan_trimp(self) -> float:
        """Target of the first plan pushed, points: the only one, for a fixed plan."""
        return float(self.evaluation.plans_trimp[0, 0])

    @property
    def kind(self) -> str:
        """``"learnt"``, ``"ceiling"``, ``"fixed"`` (a plan every day) or ``"reference"``."""
        if self.result.run.steps:
            return "learnt"
        if self.result.agent in CEILINGS:
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
    summaries = [summary_of(result, label=_label(result)) for result in results]
    means = {
        result.agent: one.mean_return.mean for result, one in zip(results, summaries, strict=True)
    }
    zero = means[NO_SERVICE]
    ceiling = next((means[name] for name in CEILINGS if name in means), None)

    def row(result: Result, one: Summary) -> Row:
        mean = one.mean_return.mean
        if ceiling is None:
            score = share_of_ceiling(environment, result.run.evaluation_kwargs, mean)
        else:
            score = (mean - zero) / (ceiling - zero)
        return Row(result, one, score)

    order = {"reference": 0, "fixed": 0, "learnt": 1, "ceiling": 2}

    def place(row: Row) -> tuple[int, float]:
        return order[row.kind], row.mean_return.mean if row.kind == "learnt" else 0.0

    return Table(environment, tuple(sorted(map(row, results, summaries), key=place)))


def _fixed_plan(result: Result) -> int:
    """Return which plan the agent pushes every day; 0 for none and for all other agents."""
    run = result.run
    return (
        run.configuration["plan"] if run.agent == "fitgym_agents.references.simple:FixedPlan" else 0
    )


def _label(result: Result) -> str:
    """Return the agent's name; for a fixed plan, what it asks for."""
    if not _fixed_plan(result):
        return result.agent
    return f"always {result.evaluation.plans_trimp[0, 0]:g} points"


def cells(row: Row) -> tuple[str, ...]:
    """Return a row as text, in the order of ``COLUMNS``."""
    interval = row.mean_return
    seconds, speed = row.result.training_seconds, row.result.steps_per_second
    return (
        row.label,
        f"{interval.mean:,.1f}",
        MISSING if row.score is None else f"{100 * row.score:.1f}",
        f"{interval.low:,.0f} to {interval.high:,.0f}",
        *row.summary.mode_cells(),
        MISSING if seconds is None else f"{seconds:.0f} s",
        MISSING if speed is None else f"{speed:,.0f}",
    )


def people_cells(row: Row, table: Table) -> tuple[str, ...]:
    """Return a row of the table of people, in the order of ``PEOPLE_COLUMNS``."""
    return row.summary.people_cells(table.no_service.summary.evaluations[0])


def as_text(table: Table) -> str:
    """Return both tables for the terminal."""
    people = [people_cells(row, table) for row in table.rows]
    return "\n\n".join(
        [
            f"{table.environment}\n{text_table(COLUMNS, map(cells, table.rows))}\n{RANKING_NOTE}",
            text_table(PEOPLE_COLUMNS, people),
        ]
    )


def as_markdown(table: Table) -> str:
    """Return both tables in Markdown."""
    people = [people_cells(row, table) for row in table.rows]
    return "\n\n".join(
        [
            markdown_table(COLUMNS, map(cells, table.rows)),
            RANKING_NOTE,
            markdown_table(PEOPLE_COLUMNS, people),
        ]
    )
