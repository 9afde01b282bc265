"""A profiled person as the planner knows one: the model, this morning's state, the belief."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date as Date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.adherence.response import nearest_plan, recorded_history
from fitgym.envs.records import STATE
from fitgym.envs.scalar import FitnessFatigueEnv
from fitgym.people.individual import Individual
from fitgym.planning.grid import hat_weights, normal_nodes
from fitgym.profile import Profile

Array = NDArray[np.float64]

# Reward of the environments of version 1 (fitgym.envs.registration).
COMPLETION_BONUS, SHORTFALL_PENALTY = 0.3, 0.02
# Nobody trains never or always on a day of the week (ours).
_LEAST_HABIT = 0.02
# Where motivation may be: some plans missed day after day lead to -3, completed ones to 0.6.
MOTIVATIONS = np.linspace(-3.5, 2.0, 221)


@dataclass(frozen=True)
class Morning:
    """Where a person stands in the morning of a day.

    Attributes:
        date: The day, ISO.
        base_level: Points.
        fitness: Stock, points.
        fatigue: Likewise.
        history: Last session as the adherence model remembers it.
        days_since: Days since, from 1.
        belief: Probability of each of ``MOTIVATIONS``.
    """

    date: str
    base_level: float
    fitness: float
    fatigue: float
    history: int
    days_since: int
    belief: tuple[float, ...]

    def state(self, day: int = 0) -> NDArray[np.void]:
        """Return the state (1,) of ``STATE`` on a day of the season."""
        state = np.zeros(1, dtype=STATE)
        for name in ("base_level", "fitness", "fatigue", "history", "days_since"):
            state[name] = getattr(self, name)
        state["day"] = day
        state["motivation"] = self.motivation
        return state

    @property
    def motivation(self) -> float:
        """Mean of the belief."""
        return float(MOTIVATIONS @ np.array(self.belief))

    @property
    def motivation_sd(self) -> float:
        """Standard deviation of the belief."""
        spread = np.square(MOTIVATIONS - self.motivation) @ np.array(self.belief)
        return float(np.sqrt(spread))

    @classmethod
    def of(cls, day: Date, state: NDArray[np.void], belief: Array) -> Morning:
        """Return the morning of a day with a state (1,) and a belief."""
        return cls(
            date=day.isoformat(),
            base_level=float(state["base_level"][0]),
            fitness=float(state["fitness"][0]),
            fatigue=float(state["fatigue"][0]),
            history=int(state["history"][0]),
            days_since=int(state["days_since"][0]),
            belief=tuple(belief.tolist()),
        )

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Morning:
        """Return the morning that ``dataclasses.asdict`` gave.

        Raises:
            TypeError: If keys are missing or unknown.
            ValueError: If the belief does not fit.
        """
        found = cls(**{**content, "belief": tuple(content["belief"])})
        Date.fromisoformat(found.date)
        if len(found.belief) != MOTIVATIONS.size or abs(sum(found.belief) - 1.0) > 1e-6:
            raise ValueError(f"belief must hold {MOTIVATIONS.size} numbers that sum to 1")
        return found


def normal_belief(mean: float, sd: float) -> Array:
    """Return a normal belief on ``MOTIVATIONS``."""
    nodes, weights = normal_nodes()
    return np.asarray(weights @ hat_weights(MOTIVATIONS, mean + sd * nodes))


def environment_of(individual: Individual, days: int = 90) -> FitnessFatigueEnv:
    """Return the environment of version 1 in which an individual is served."""
    return FitnessFatigueEnv(
        individual=individual,
        stage="acquisition",
        adherence="fitrec2",
        days=days,
        completion_bonus=COMPLETION_BONUS,
        shortfall_penalty=SHORTFALL_PENALTY,
    )


@dataclass(frozen=True, eq=False)
class Coached:
    """Who is coached.

    Attributes:
        individual: The person as the model knows one.
        morning: Where the person stood when the profile was made.
        loads: Points of the days before that morning, the last one last.
        offset_sd: How sure the lasting offset of the heart is, standard deviation in bpm.
        vdot_sd: How sure the VDOT is, standard deviation.
        weekday_odds: By how much the log odds of a session of one's own differ, from Monday on.
    """

    individual: Individual
    morning: Morning
    loads: tuple[float, ...]
    offset_sd: float
    vdot_sd: float = 0.0
    weekday_odds: tuple[float, ...] = (0.0,) * 7

    @property
    def name(self) -> str:
        """How the person is called."""
        return self.individual.name


def coached_of(profile: Profile) -> Coached:
    """Return who is coached, from a profile."""
    state, individual = profile.state, profile.individual
    targets = np.array(individual.plans_trimp)
    history = 0
    if state.last_trimp > 0.0:
        asked = state.last_plan_trimp
        share = min(state.last_trimp / asked, 1.0) if asked > 0.0 else 1.0
        plan = int(nearest_plan(targets, asked if asked > 0.0 else state.last_trimp))
        history = int(recorded_history(plan, share))
    offset, vdot = profile.estimate("heart_rate_offset"), profile.estimate("vdot")
    return Coached(
        individual=individual,
        morning=Morning(
            date=state.date,
            base_level=state.base_level,
            fitness=state.fitness,
            fatigue=state.fatigue,
            history=history,
            days_since=max(state.days_since, 1),
            belief=tuple(normal_belief(state.motivation, state.motivation_sd).tolist()),
        ),
        loads=tuple(profile.points),
        # A 95 % interval of a normal number is 3.92 standard deviations wide.
        offset_sd=(offset.high - offset.low) / 3.92,
        vdot_sd=(vdot.high - vdot.low) / 3.92,
        weekday_odds=_weekday_odds(profile),
    )


def _weekday_odds(profile: Profile) -> tuple[float, ...]:
    """Return by how much the log odds of training differ by day of the week, from Monday on."""
    if not profile.weekdays:
        return (0.0,) * 7
    chances = np.array([habit.probability for habit in profile.weekdays])
    chances = np.clip(chances, _LEAST_HABIT, 1.0 - _LEAST_HABIT)
    middle = float(chances.mean())
    odds = np.log(chances / (1.0 - chances)) - np.log(middle / (1.0 - middle))
    return tuple(odds.tolist())


def last_loads(loads: Sequence[float], days: int = 27) -> Array:
    """Return the points of the last days that are known."""
    return np.asarray(loads, dtype=np.float64)[-days:]
