"""What a season is for: performance on all days, performance on one day, or regular running."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from fitgym.coach.constraints import plan_minutes

Array = NDArray[np.float64]

KINDS = ("performance", "race", "health")
# Ours: minutes of running that count each day. Five such days are the 150 minutes a week of the
# World Health Organization's guideline of 2020.
HEALTHY_MINUTES = 30.0
# A race is planned for within a year (ours).
FARTHEST_RACE_DAYS = 365


@dataclass(frozen=True)
class Goal:
    """What counts.

    Attributes:
        kind: ``"performance"``: the reward of the environments, the gain in VDOT of every day with
            their bonus for plans that are met; ``"race"``: VDOT on the morning of one day and
            nothing else; ``"health"``: minutes of running, as planned or of one's own, of which so
            many count each day.
        day: The day of the race, ISO; empty for the other goals.
    """

    kind: str = "performance"
    day: str = ""

    def __str__(self) -> str:
        """Return the goal as on the command line."""
        return f"performance@{self.day}" if self.kind == "race" else self.kind

    @property
    def unit(self) -> str:
        """What an expected return is counted in."""
        return {
            "performance": "VDOT days",
            "race": "VDOT on race day",
            "health": "days of 30 minutes",
        }[self.kind]

    def terms(
        self, targets: Sequence[float], shares: int, habits: Array
    ) -> tuple[Array, Array, Array]:
        """Return weights of the reward (2,), extra rewards (actions, outcomes), final weight (1,).

        The final weight is that of fitness less fatigue, in VDOT, after the last day.

        Args:
            targets: Points of the actions, 0 first.
            shares: Into how many equal shares of a plan a failure may fall.
            habits: Points of equally likely habit sessions.
        """
        extra = np.zeros((len(targets), max(shares + 1, habits.size + 1)))
        if self.kind == "performance":
            return np.ones(2), extra, np.zeros(1)
        if self.kind == "race":
            return np.zeros(2), extra, np.ones(1)
        minutes = plan_minutes(targets[1:])
        # A plan that was too much builds no habit, so only what is met counts.
        extra[1:, shares] = minutes[1:]
        # A session of one's own lasts as long as the plan nearest in points.
        extra[0, : habits.size] = np.interp(habits, targets, minutes)
        return np.zeros(2), np.minimum(extra, HEALTHY_MINUTES) / HEALTHY_MINUTES, np.zeros(1)


def parse_goal(text: str, today: date) -> Goal:
    """Return the goal that a word of the command line names.

    Args:
        text: ``performance``, ``performance@DATE`` or ``health``.
        today: The day on which it is asked for.

    Raises:
        ValueError: If it is none of them, or cannot be reached; the message says why.
    """
    kind, at, day = text.strip().partition("@")
    if not at and kind in ("performance", "health"):
        return Goal(kind)
    if kind != "performance" or not at:
        raise ValueError(
            "goal must be performance, performance@DATE or health: the model knows performance, "
            f"load and minutes of running and nothing of weight, sleep or illness; got {text!r}"
        )
    try:
        race = date.fromisoformat(day)
    except ValueError:
        raise ValueError(f"goal: the day must be a date such as 2026-01-31, got {day!r}") from None
    ahead = (race - today).days
    if ahead < 1:
        raise ValueError(f"goal: {race} is not after {today}, so nothing can be planned for it")
    if ahead > FARTHEST_RACE_DAYS:
        raise ValueError(
            f"goal: {race} is {ahead} days ahead; a season has at most {FARTHEST_RACE_DAYS}"
        )
    return Goal("race", race.isoformat())
