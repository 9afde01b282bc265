"""What sessions really done say of tolerance."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from histories import START, log_of

from fitgym.people.individual import load_individual
from fitgym.profile import profile_from, tolerance
from fitgym.profile.tolerance import raised, reached_load

_WEEKS = (40.0, 200.0, 60.0, 90.0, 30.0, 80.0, 70.0, 50.0)


def test_only_a_larger_load_raises() -> None:
    assert raised(100.0, 80.0, 125.0, None) == (100.0, 80.0, 125.0)
    assert raised(100.0, 80.0, 125.0, 90.0) == (100.0, 80.0, 125.0)
    value, low, high = raised(100.0, 80.0, 125.0, 210.0)
    assert value == 210.0
    # Wider than before, by the spread between people.
    spread = np.hypot(np.log(125.0 / 80.0) / 3.92, 0.3)
    assert np.log(high / low) == pytest.approx(3.92 * spread)
    assert high / value == pytest.approx(value / low)


def test_the_load_of_half_of_the_weeks(monkeypatch: pytest.MonkeyPatch) -> None:
    """One long week shows nothing; the fourth largest of the weeks does, and old ones do not."""
    monkeypatch.setattr(
        tolerance, "expected_loads", lambda sessions, _: [one.minutes for one in sessions]
    )
    body = load_individual("club-runner").physiology
    today = START + timedelta(days=70)
    weekly = [(14 + 7 * week, 0.2 * minutes, minutes) for week, minutes in enumerate(_WEEKS)]
    history = log_of((5, 60.0, 300.0), *weekly)
    assert reached_load(history.sessions, today, body) == sorted(_WEEKS)[-4]
    assert reached_load(history.sessions[:4], today, body) is None


def test_two_hours_on_most_sundays_are_believed() -> None:
    """Who runs 20 km in two hours each Sunday is believed to tolerate about that."""
    pytest.importorskip("torch")
    rows = [(day, 20.0, 120.0) if day % 7 == 6 else (day, 5.0, 30.0) for day in range(0, 112, 2)]
    rows += [(day, 20.0, 120.0) for day in range(6, 112, 7) if day % 2]
    history = log_of(*sorted(rows))
    profile = profile_from(history)
    told = profile.estimate("tolerance")
    assert any("half of the last eight weeks" in note for note in profile.summary.borrowed)
    assert "half of the last eight weeks" in told.source
    assert told.low < told.value < told.high
    base = profile.state.base_level
    # Beyond what the population tolerates per point of the base level.
    assert told.value > 1.3 * 5.19 * base
    assert profile.individual.motivation.reference_completion > 0.6
    assert START.isoformat() == profile.first_day
