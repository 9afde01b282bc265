"""Micro-randomised trials: every day each person is randomised to a push or to none.

The proximal outcome of a decision is the points done that day. Its causal excursion effect is the
mean difference that a push on that day makes, all days before being as the trial had them
(Boruvka et al. 2018, JASA 113:1112). Here it is also known exactly: each day is lived twice on the
same noise, with the push and without.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.common.files import write_text
from fitgym.common.validation import (
    require_choice,
    require_integer,
    require_number,
    require_seed,
)
from fitgym_agents.environments import make_vector_env
from fitgym_agents.trials.estimators import Estimate, weighted_centred_least_squares
from fitgym_agents.trials.sampling import PooledSampling

Floats = NDArray[np.float64]

# Ours: the week's mean before a decision, in points, is what the trial's analysis controls for.
_CONTROL_DAYS = 7
MODERATORS = ("average", "day")
SAMPLINGS = ("constant", "pooled")

# Columns of the export, in the long format that packages for these trials read.
COLUMNS = (
    "person",
    "decision_point",
    "available",
    "probability",
    "treatment",
    "plan",
    "outcome",
    "outcome_last_week",
    "performance",
)


@dataclass(frozen=True, kw_only=True)
class MicroRandomisedTrial:
    """A micro-randomised trial.

    Attributes:
        env_id: Registered id.
        people: Number of people, N.
        days: Number of days, T, one decision each.
        probability: Of a push, in [0.05, 0.95], where it is constant.
        sampling: ``"constant"``, or ``"pooled"`` for probabilities that follow what the trial has
            found so far, see ``PooledSampling``.
        plans: The plans of which a push draws one, each as likely; from 1.
        availability: Probability that somebody can be pushed on a day, in (0, 1].
        env_kwargs: Further arguments of the environment.
        seed: Of the people, their days and the randomisation.
    """

    env_id: str = "fitgym/Acquisition-v1"
    people: int = 50
    days: int = 42
    probability: float = 0.5
    sampling: str = "constant"
    plans: tuple[int, ...] = (1, 2, 3, 4, 5, 6)
    availability: float = 1.0
    env_kwargs: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0

    def __post_init__(self) -> None:
        """Check every field."""
        require_integer("people", self.people, 1)
        require_integer("days", self.days, 1, 3650)
        require_number("probability", self.probability, 0.05, 0.95)
        require_choice("sampling", self.sampling, SAMPLINGS)
        require_number("availability", self.availability, 0.0, 1.0, low_open=True)
        require_seed("seed", self.seed)
        if not self.plans:
            raise ValueError("plans must name at least one plan, got none")
        for plan in self.plans:
            require_integer("plans", plan, 1, 10)


@dataclass(frozen=True, eq=False)
class TrialData:
    """What a micro-randomised trial recorded; arrays of shape (N, T).

    Attributes:
        available: Whether the person could be pushed.
        probability: Of a push; 0 where not available.
        treatment: Whether there was a push, 0 or 1.
        plan: Which plan, 0 for none.
        outcome: Points done on that day.
        outcome_last_week: Mean points of the seven days before, fewer at the start, 0 on day 1.
        performance: VDOT after that day.
        effect: Points done with a push less those without one on the same noise, where it was
            asked for; the plan of the push is the one that was drawn for the day. Nobody in a real
            trial can know it.
    """

    available: NDArray[np.bool_]
    probability: Floats
    treatment: Floats
    plan: NDArray[np.int64]
    outcome: Floats
    outcome_last_week: Floats
    performance: Floats
    effect: Floats | None = None

    def part(self, people: slice) -> TrialData:
        """Return the trial of some of the people."""
        chosen: dict[str, Any] = {
            name: None if values is None else values[people] for name, values in vars(self).items()
        }
        return TrialData(**chosen)

    def estimates(self, moderators: tuple[str, ...] = ("average",)) -> list[Estimate]:
        """Return the causal excursion effects by weighted and centred least squares.

        Args:
            moderators: ``("average",)`` for the effect averaged over people and days, or
                ``("average", "day")`` for that on day 1 and its change per day.

        Raises:
            ValueError: If a moderator is unknown, or there are too few people.
        """
        return weighted_centred_least_squares(
            self.outcome,
            self.treatment,
            self.probability,
            _moderators(self.outcome.shape, moderators),
            np.stack([np.ones(self.outcome.shape), self.outcome_last_week, self._days()], axis=2),
            available=self.available,
            names=moderators,
        )

    def truth(self, moderators: tuple[str, ...] = ("average",)) -> dict[str, float]:
        """Return what ``estimates`` aims at, from the exact effects of these people.

        Raises:
            ValueError: If the exact effects were not asked for.
        """
        if self.effect is None:
            raise ValueError("the exact effects were not asked for: give exact=True")
        design = _moderators(self.outcome.shape, moderators)[self.available]
        coefficients = np.linalg.lstsq(design, self.effect[self.available], rcond=None)[0]
        return dict(zip(moderators, coefficients.tolist(), strict=True))

    def write_csv(self, path: Path) -> None:
        """Write one row per person and day with the columns ``COLUMNS``, atomically."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(COLUMNS)
        people, days = self.outcome.shape
        for person in range(people):
            for day in range(days):
                at = (person, day)
                writer.writerow(
                    [
                        person + 1,
                        day + 1,
                        int(self.available[at]),
                        f"{self.probability[at]:g}",
                        int(self.treatment[at]),
                        int(self.plan[at]),
                        f"{self.outcome[at]:.4f}",
                        f"{self.outcome_last_week[at]:.4f}",
                        f"{self.performance[at]:.4f}",
                    ]
                )
        write_text(path, text.getvalue())

    def _days(self) -> Floats:
        people, days = self.outcome.shape
        return np.tile(np.arange(days, dtype=np.float64), (people, 1))


def run_micro_randomised(
    trial: MicroRandomisedTrial, *, exact: bool = False, block: int | None = None
) -> TrialData:
    """Run a trial, or many next to each other.

    Args:
        trial: The trial.
        exact: Whether to live each day a second time, so that effects are known exactly.
        block: How many people make a trial of their own, which pools nobody else's data; None for
            all.

    Raises:
        ValueError: If the environment cannot be made as the trial says.
    """
    shape = (trial.days, trial.people)
    draws = np.random.default_rng([trial.seed, 1])
    available = draws.random(shape) < trial.availability
    wanted = draws.random(shape)
    pushes = draws.choice(np.array(trial.plans), size=shape)
    pooled = PooledSampling(trial.people, block or trial.people)
    environments: Any = make_vector_env(
        trial.env_id, trial.people, {**trial.env_kwargs, "days": trial.days}
    )
    environments.reset(seed=trial.seed)
    done, performance, effect, last_week = np.empty((4, *shape))
    probability = np.full(shape, trial.probability)
    treated = np.empty(shape, dtype=np.bool_)
    for day in range(trial.days):
        # No week is known on the first day.
        last_week[day] = done[max(0, day - _CONTROL_DAYS) : day].mean(axis=0) if day else 0.0
        if trial.sampling == "pooled":
            probability[day] = pooled.probabilities(last_week[day])
        treated[day] = available[day] & (wanted[day] < probability[day])
        if exact:
            with_push, without = (
                environments.unwrapped.preview(choice)["done_trimp"]
                for choice in (pushes[day], np.zeros_like(pushes[day]))
            )
            effect[day] = with_push - without
        info = environments.step(np.where(treated[day], pushes[day], 0))[4]
        done[day] = _points(info)
        performance[day] = _last(info)["performance"]
        pooled.update(last_week[day], treated[day].astype(np.float64), done[day], available[day])
    environments.close()
    return TrialData(
        available=available.T,
        probability=np.where(available, probability, 0.0).T,
        treatment=treated.T.astype(np.float64),
        plan=np.where(treated, pushes, 0).T,
        outcome=done.T,
        outcome_last_week=last_week.T,
        performance=performance.T,
        effect=effect.T if exact else None,
    )


def _last(info: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a step brought; on the last day it stands apart from the next episode's start."""
    final: Mapping[str, Any] = info.get("final_info", info)
    return final


def _points(info: Mapping[str, Any]) -> Floats:
    return np.array(_last(info)["done_trimp"], dtype=np.float64)


def _moderators(shape: tuple[int, ...], names: tuple[str, ...]) -> Floats:
    people, days = shape
    columns = {
        "average": np.ones((people, days)),
        "day": np.tile(np.arange(days, dtype=np.float64), (people, 1)),
    }
    unknown = [name for name in names if name not in columns]
    if unknown or not names:
        raise ValueError(f"moderators must be among {', '.join(MODERATORS)}, got {names!r}")
    return np.stack([columns[name] for name in names], axis=2)
