"""What the numbers of an environment say: the facts that the report's sentences are made of."""

from __future__ import annotations

import re
from dataclasses import dataclass

import gymnasium as gym
import numpy as np

from fitgym.common.statistics import Interval
from fitgym_agents.evaluation import paired_difference
from fitgym_benchmarks.report.tables import Row, Table


@dataclass(frozen=True)
class ReplayFacts:
    """Why results under replay adherence are what they are.

    Attributes:
        plans_change_nothing: Whether what was done and the performance were the same on every day
            of every episode whoever pushed the plans.
        median_session_trimp: Median of the sessions, points.
        easiest: The easiest of the fixed plans.
        completion_bonus: ``mu``, reward of a plan that is met.
        bonus_share: Share of the best fixed plan's return that is completion bonus.
        performance_per_day: What the day's performance adds to its return, on average.
    """

    plans_change_nothing: bool
    median_session_trimp: float
    easiest: Row
    completion_bonus: float
    bonus_share: float
    performance_per_day: float


@dataclass(frozen=True)
class Finding:
    """What an environment's table says.

    Attributes:
        table: The table.
        title: Stage and adherence in words.
        best_fixed: The best of the fixed plans.
        best_learnt: The best of the learners.
        difference: How much more the best learner earned than the best fixed plan in the same
            episodes, with its 95% interval.
        learnt_range: Lowest and highest mean return of the learners.
        replay: Facts about replay adherence; None for other adherence.
    """

    table: Table
    title: str
    best_fixed: Row
    best_learnt: Row
    difference: Interval
    learnt_range: tuple[float, float]
    replay: ReplayFacts | None

    @property
    def verdict(self) -> str:
        """``"more"``, ``"less"`` or ``"neither"``: best learner against best fixed plan."""
        if self.difference.low > 0.0:
            return "more"
        return "less" if self.difference.high < 0.0 else "neither"

    @property
    def slug(self) -> str:
        """The title in lower case with hyphens, unique in a page."""
        return "-".join(re.findall(r"[a-z]+", self.title.lower()))

    @property
    def highlights(self) -> list[tuple[str, Row]]:
        """The four rows that tell most, from the least to the most that can be earned."""
        rows = [
            ("no service", self.table.no_service),
            ("best fixed plan", self.best_fixed),
            ("best learnt policy", self.best_learnt),
        ]
        return rows if self.table.ceiling is None else [*rows, ("ceiling", self.table.ceiling)]

    @property
    def headroom(self) -> float | None:
        """How much more than the best fixed plan the ceiling earns; None without a ceiling."""
        ceiling = self.table.ceiling
        return None if ceiling is None else _mean(ceiling) - _mean(self.best_fixed)

    @property
    def difference_share(self) -> float | None:
        """Size of the difference on the scale of no service (0) to the ceiling (1)."""
        ceiling = self.table.ceiling
        if ceiling is None:
            return None
        return abs(self.difference.mean) / (_mean(ceiling) - _mean(self.table.no_service))

    @property
    def fixed_is_close(self) -> bool:
        """Whether the best fixed plan leaves less than a tenth of the way to the ceiling."""
        return self.best_fixed.score is not None and self.best_fixed.score > 0.9


def find(table: Table) -> Finding:
    """Return what ``table`` says."""
    best_fixed = max(table.of_kind("fixed"), key=_mean)
    best_learnt = max(table.of_kind("learnt"), key=_mean)
    means = [_mean(row) for row in table.of_kind("learnt")]
    return Finding(
        table=table,
        title=title_of(table.environment),
        best_fixed=best_fixed,
        best_learnt=best_learnt,
        difference=paired_difference(best_learnt.evaluation, best_fixed.evaluation),
        learnt_range=(min(means), max(means)),
        replay=_replay_facts(table, best_fixed),
    )


def title_of(environment: str) -> str:
    """Return stage and adherence of a registered id in words."""
    kwargs = gym.spec(environment).kwargs
    adherence = {"fitrec": "FitRec"}.get(kwargs["adherence"], kwargs["adherence"])
    return f"{kwargs['stage'].capitalize()} stage, {adherence} adherence"


def _mean(row: Row) -> float:
    return row.mean_return.mean


def _replay_facts(table: Table, best_fixed: Row) -> ReplayFacts | None:
    run = best_fixed.result.run
    arguments = run.specification(run.evaluation_kwargs)
    if arguments["adherence"] != "replay":
        return None
    first = table.rows[0].evaluation
    others = (row.evaluation for row in table.rows[1:])
    best = best_fixed.evaluation
    bonus = arguments["completion_bonus"] * best.met.sum()
    shortfall = np.maximum(best.plans_trimp - best.done_trimp, 0.0).sum()
    performance = best.rewards.sum() - bonus + arguments["shortfall_penalty"] * shortfall
    return ReplayFacts(
        plans_change_nothing=all(
            np.array_equal(first.done_trimp, other.done_trimp)
            and np.array_equal(first.performance, other.performance)
            for other in others
        ),
        median_session_trimp=float(np.median(first.done_trimp)),
        easiest=table.of_kind("fixed")[0],
        completion_bonus=arguments["completion_bonus"],
        bonus_share=float(bonus / best.rewards.sum()),
        performance_per_day=float(performance / best.rewards.size),
    )
