"""Habits by day of the week: how often somebody trains, and how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

# A day of the week is pooled with the week as if the week's habit had been seen on so many of it
# (ours: two months' worth says half).
POOLED_DAYS = 8.0
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class WeekdayHabit:
    """What somebody does on a day of the week.

    Attributes:
        weekday: Its name.
        days: How many of it the history has.
        trained: On how many of these there was a session.
        probability: Of training on it, pooled with the week.
        median_trimp: Median points of its sessions, pooled with the week's; 0 where there is none.
    """

    weekday: str
    days: int
    trained: int
    probability: float
    median_trimp: float


def weekday_habits(dates: Sequence[date], points: Sequence[float]) -> tuple[WeekdayHabit, ...]:
    """Return habits from Monday to Sunday.

    Args:
        dates: The days of a history.
        points: Points of each.
    """
    done = np.asarray(points, dtype=np.float64)
    which = np.array([day.weekday() for day in dates], dtype=np.int64)
    trained = done > 0.0
    share = float(trained.mean()) if done.size else 0.0
    middle = float(np.log(np.median(done[trained]))) if trained.any() else 0.0
    habits = []
    for number, name in enumerate(WEEKDAYS):
        own = which == number
        sessions = done[own & trained]
        count, days = int(sessions.size), int(own.sum())
        log_sum = float(np.log(sessions).sum()) if count else 0.0
        pooled = (log_sum + POOLED_DAYS * middle) / (count + POOLED_DAYS)
        habits.append(
            WeekdayHabit(
                weekday=name,
                days=days,
                trained=count,
                probability=(count + POOLED_DAYS * share) / (days + POOLED_DAYS),
                median_trimp=float(np.exp(pooled)) if trained.any() else 0.0,
            )
        )
    return tuple(habits)
