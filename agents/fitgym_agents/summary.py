"""What evaluations amount to: the numbers of every table, the return's and the people's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.common.statistics import Interval, crosswise_interval, ratio_interval
from fitgym.common.tables import MISSING
from fitgym_agents.agent import Agent
from fitgym_agents.evaluation import EVALUATION_SEED, Evaluation, evaluate
from fitgym_agents.outcomes import Outcomes
from fitgym_agents.references.simple import FixedPlan

PEOPLE_COLUMNS = (
    "agent",
    "VDOT gain",
    "plans met",
    "points/week",
    "days ACWR > 1.5",
    "share of days ACWR > 1.3",
    "notes",
)

# How tables tell which actions a learner was ranked by.
RANKING_NOTE = (
    "Learners were evaluated with their likeliest actions and with drawn ones; the mean return and "
    "all other numbers are those of the better of the two."
)

# Arguments that would keep the evaluation of no service from pushing no plan.
_FORBIDDING = ("forbidden_plans", "forbidden")


@dataclass(frozen=True, eq=False)
class Summary:
    """What an agent's evaluations amount to, over its training seeds.

    Attributes:
        label: What tables call the agent.
        likeliest: Evaluations with likeliest actions, or their outcomes, one per training seed.
        drawn: The same with drawn actions; none for agents that do not learn.
    """

    label: str
    likeliest: tuple[Evaluation | Outcomes, ...]
    drawn: tuple[Evaluation | Outcomes, ...] = ()

    @cached_property
    def ranked_by(self) -> str | None:
        """``"likeliest"`` or ``"drawn"``, whichever earned more; None for one that learns not."""
        if not self.drawn:
            return None
        return "drawn" if self.drawn_mean > self.likeliest_mean else "likeliest"

    @property
    def evaluations(self) -> tuple[Evaluation | Outcomes, ...]:
        """Those that the agent is ranked by."""
        return self.drawn if self.ranked_by == "drawn" else self.likeliest

    @property
    def likeliest_mean(self) -> float:
        """Mean return with likeliest actions."""
        return _mean(one.returns for one in self.likeliest)

    @property
    def drawn_mean(self) -> float:
        """Mean return with drawn actions; NaN if there are none."""
        return _mean(one.returns for one in self.drawn) if self.drawn else float("nan")

    @cached_property
    def returns(self) -> NDArray[np.float64]:
        """Return of each training seed and episode, (S, E)."""
        return np.array([one.returns for one in self.evaluations])

    @cached_property
    def mean_return(self) -> Interval:
        """Mean return with its interval over seeds and episodes."""
        return crosswise_interval(self.returns)

    @cached_property
    def completion(self) -> Interval | None:
        """Plans met as a share of plans given, with its interval; None if none was given."""
        given = np.sum([one.plans_given for one in self.evaluations], axis=0)
        met = np.sum([one.plans_met for one in self.evaluations], axis=0)
        return ratio_interval(met, given) if given.any() else None

    @property
    def performance_gain(self) -> float:
        """Health: mean performance at the end less that at the start, VDOT."""
        return _mean(one.performance_gain for one in self.evaluations)

    @property
    def weekly_load(self) -> float:
        """Engagement: mean points really done per week."""
        return _mean(one.weekly_load for one in self.evaluations)

    @property
    def dangerous_days(self) -> float:
        """Strain: mean number of days per episode with an acute:chronic ratio above 1.5."""
        return _mean(one.dangerous_days for one in self.evaluations)

    @property
    def strained_share(self) -> float:
        """Strain: share of days with an acute:chronic ratio above 1.3."""
        return _mean(one.strained_share for one in self.evaluations)

    @property
    def decision_seconds(self) -> float:
        """Median wall time of a decision in a batch of episodes, seconds."""
        return float(np.median([one.decision_seconds for one in self.evaluations]))

    def notes(self, no_service: Evaluation | Outcomes | None) -> list[str]:
        """Return what a reader must know: a learner of one plan, people worse off than without.

        Args:
            no_service: No service on the same episodes; None if it is not known.
        """
        notes = []
        constant = [plan for one in self.likeliest if (plan := one.only_plan) is not None]
        if self.drawn and constant:
            plans = "/".join(map(str, dict.fromkeys(constant)))
            of = "" if len(constant) == len(self.likeliest) else f" ({len(constant)} seeds)"
            notes.append(f"likeliest: always plan {plans}{of}")
        if no_service is not None:
            end = _mean(one.final_performance for one in self.evaluations)
            # Under replay all policies end alike, up to rounding.
            if end < float(no_service.final_performance.mean()) - 1e-9:
                notes.append("ends below no service")
        return notes

    def people_cells(self, no_service: Evaluation | Outcomes | None) -> tuple[str, ...]:
        """Return a row of the table of people, in the order of ``PEOPLE_COLUMNS``."""
        met = self.completion
        return (
            self.label,
            f"{self.performance_gain:+.2f}",
            MISSING
            if met is None
            else f"{100 * met.mean:.1f}% ({100 * met.low:.1f} to {100 * met.high:.1f})",
            f"{self.weekly_load:.1f}",
            f"{self.dangerous_days:.1f}",
            f"{100 * self.strained_share:.1f}%",
            "; ".join(self.notes(no_service)) or MISSING,
        )

    def mode_cells(self) -> tuple[str, str]:
        """Return the mean returns with likeliest and with drawn actions."""
        if not self.drawn:
            return MISSING, MISSING
        return f"{self.likeliest_mean:,.1f}", f"{self.drawn_mean:,.1f}"

    def to_dict(self, no_service: Evaluation | Outcomes | None) -> dict[str, Any]:
        """Return the numbers as JSON-able values."""
        met = self.completion
        return {
            "agent": self.label,
            "episodes": self.returns.shape[1],
            "seed": self.evaluations[0].seed,
            "ranked_by": self.ranked_by,
            "mean_return": vars(self.mean_return),
            "likeliest_mean": self.likeliest_mean,
            "drawn_mean": self.drawn_mean if self.drawn else None,
            "completion_rate": None if met is None else met.mean,
            "performance_gain": self.performance_gain,
            "weekly_load": self.weekly_load,
            "dangerous_days": self.dangerous_days,
            "strained_share": self.strained_share,
            "notes": self.notes(no_service),
            "decision_seconds": self.decision_seconds,
        }


def evaluate_modes(
    agent: Agent,
    env_id: str,
    *,
    episodes: int = 100,
    seed: int = EVALUATION_SEED,
    env_kwargs: Mapping[str, Any] | None = None,
) -> tuple[Evaluation, Evaluation | None]:
    """Evaluate an agent with its likeliest actions and, if it learns, with drawn ones.

    Args:
        agent: Who decides.
        env_id: Registered id.
        episodes: How many.
        seed: Seed of the first episode.
        env_kwargs: Arguments of the environment.
    """
    likeliest, *drawn = (
        evaluate(
            agent,
            env_id,
            episodes=episodes,
            seed=seed,
            env_kwargs=env_kwargs,
            deterministic=deterministic,
        )
        for deterministic in ((True, False) if agent.learns() else (True,))
    )
    return likeliest, drawn[0] if drawn else None


def evaluate_no_service(
    env_id: str, *, episodes: int, seed: int, env_kwargs: Mapping[str, Any]
) -> Evaluation:
    """Evaluate no service, even where the environment forbids an agent to push no plan."""
    allowing = {name: value for name, value in env_kwargs.items() if name not in _FORBIDDING}
    return evaluate(FixedPlan(0), env_id, episodes=episodes, seed=seed, env_kwargs=allowing)


def _mean(values: Iterable[NDArray[Any]]) -> float:
    return float(np.mean(list(values)))
