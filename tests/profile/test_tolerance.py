"""What sessions really done say of tolerance."""

from __future__ import annotations

import numpy as np
import pytest
from histories import START, log_of
from scipy.stats import norm

from fitgym.people.runners import TOLERANCE_SD
from fitgym.profile import profile_from
from fitgym.profile.tolerance import Raised, raised_by


def test_a_few_long_sessions_raise_nothing() -> None:
    assert raised_by(100.0, 0.1, [300.0, 250.0]) == Raised()
    assert raised_by(100.0, 0.1, [100.0 * np.exp(0.9 * TOLERANCE_SD)] * 20) == Raised()
    assert raised_by(100.0, 0.1, []) == Raised()


def test_the_rise_is_that_of_drawn_people() -> None:
    """People drawn from the prior, kept with the chance that they did all of it."""
    loads = [180.0, 200.0, 220.0]
    found = raised_by(100.0, 0.1, loads)
    generator = np.random.default_rng(0)
    rises = np.hypot(0.1, 0.3) * generator.standard_normal(400_000)
    kept = np.prod(
        [norm.cdf((rises - np.log(load / 100.0)) / TOLERANCE_SD) for load in loads], axis=0
    )
    mean = float(kept @ rises / kept.sum())
    assert found.log_rise == pytest.approx(mean, abs=0.02)
    assert found.log_sd == pytest.approx(
        float(np.sqrt(kept @ np.square(rises - mean) / kept.sum())), abs=0.02
    )
    assert found.sessions == 3
    assert found.largest == pytest.approx(220.0)


def test_two_hours_on_most_sundays_are_believed() -> None:
    """Who runs 20 km in two hours each Sunday is believed to tolerate about that."""
    pytest.importorskip("torch")
    rows = [(day, 20.0, 120.0) if day % 7 == 6 else (day, 5.0, 30.0) for day in range(0, 112, 2)]
    rows += [(day, 20.0, 120.0) for day in range(6, 112, 7) if day % 2]
    history = log_of(*sorted(rows))
    profile = profile_from(history)
    told = profile.estimate("tolerance")
    assert any("sessions were done that ask for more" in note for note in profile.summary.borrowed)
    assert "sessions really done" in told.source
    assert told.low < told.value < told.high
    base = profile.state.base_level
    # Beyond what the population tolerates per point of the base level.
    assert told.value > 1.3 * 5.19 * base
    assert profile.individual.motivation.reference_completion > 0.8
    assert START.isoformat() == profile.first_day
