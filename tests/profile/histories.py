"""Histories for tests, made by hand."""

from __future__ import annotations

from datetime import date, timedelta

from fitgym.logs.history import History
from fitgym.logs.training_log import LoggedSession

START = date(2025, 1, 6)


def log_of(*rows: tuple[int, float, float]) -> History:
    """Return a log of sessions: day from the start, kilometres, minutes."""
    return History(
        tuple(
            LoggedSession(START + timedelta(days=day), 1000.0 * km, minutes)
            for day, km, minutes in rows
        )
    )
