"""Checks of the dates of sessions: a mistyped year would become centuries of rest days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

# Ours: before it nobody kept a log by computer, and few return after a longer pause.
EARLIEST_DATE = date(1950, 1, 1)
LONGEST_GAP_DAYS = 3 * 365 + 1


def latest_date() -> date:
    """Return the latest date on which a session may have been: today, anywhere on Earth."""
    return (datetime.now(UTC) + timedelta(hours=14)).date()


def problem_of_date(day: date) -> str | None:
    """Return what is wrong with the date of a session, or None."""
    if EARLIEST_DATE <= day <= latest_date():
        return None
    return f"the date must be in {EARLIEST_DATE} to today, got {day}"


def first_gap(days: Sequence[float]) -> int | None:
    """Return the position of the first entry that comes too long after the one before it.

    Args:
        days: Days in order of time, counted from any origin.
    """
    for position in range(1, len(days)):
        if days[position] - days[position - 1] > LONGEST_GAP_DAYS:
            return position
    return None
