"""VDOT from efforts: closed forms, order and decay."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitgym.model.daniels import race_time, vdot
from fitgym.profile.efforts import (
    LIKELY_RACE,
    TYPICAL_SD,
    estimate_vdot,
    race_chances,
    shown_vdots,
)


def easy_weeks(level: float, count: int = 12) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return runs of somebody of a VDOT who runs them at seven tenths of it, newest last."""
    from fitgym.model.daniels import speed_at_oxygen_cost

    speed = float(speed_at_oxygen_cost(0.7 * level))
    distance = np.linspace(6100.0, 9300.0, count)
    return distance, distance / speed, np.arange(3.0 * count, 0.0, -3.0)


@given(st.floats(28.0, 70.0))
def test_a_race_is_known_by_distance_and_pace_and_shows_the_vdot(level: float) -> None:
    distance, minutes, ago = easy_weeks(level)
    distance = np.append(distance, 10_000.0)
    minutes = np.append(minutes, race_time(level, 10_000.0))
    ago = np.append(ago, 1.0)
    chances = race_chances(distance, minutes, 40.0)
    assert chances[-1] == LIKELY_RACE
    assert (chances[:-1] < 0.5).all()
    found = estimate_vdot(distance, minutes, ago)
    assert found.races == 1
    assert found.vdot == pytest.approx(level, rel=0.05)


@given(st.floats(28.0, 70.0))
def test_without_a_race_usual_pace_tells_with_a_wide_spread(level: float) -> None:
    found = estimate_vdot(*easy_weeks(level))
    assert found.races == 0
    assert abs(np.log(found.vdot / level)) < 3.0 * found.log_sd
    assert 0.05 < found.log_sd < TYPICAL_SD


def test_an_old_race_counts_less_than_a_new_one() -> None:
    distance, minutes, ago = easy_weeks(40.0)
    distance, minutes = np.append(distance, 5000.0), np.append(minutes, race_time(50.0, 5000.0))
    found = [
        estimate_vdot(distance, minutes, np.append(ago, days)).vdot for days in (1.0, 100.0, 360.0)
    ]
    assert found[0] > found[1] > found[2] > estimate_vdot(*easy_weeks(40.0)).vdot


def test_faster_sessions_never_show_less() -> None:
    minutes = np.array([30.0, 28.0, 26.0])
    shown = shown_vdots(np.full(3, 6000.0), minutes)
    assert (np.diff(shown) > 0.0).all()
    assert shown[0] == pytest.approx(vdot(6000.0, 30.0))
    assert np.isnan(shown_vdots(np.array([400.0]), np.array([1.0]))).all()
    assert np.isnan(shown_vdots(np.array([6000.0]), np.array([np.nan]))).all()


def test_who_often_runs_a_round_distance_does_not_always_race_it() -> None:
    generator = np.random.default_rng(0)
    minutes = generator.uniform(24.0, 30.0, 60)
    chances = race_chances(np.full(60, 5000.0), minutes, 120.0)
    assert 1 <= (chances >= 0.5).sum() <= 9
    assert minutes[chances >= 0.5].max() < np.sort(minutes)[9]


def test_without_any_time_nothing_was_a_race() -> None:
    assert race_chances(np.array([5000.0]), np.array([np.nan]), 1.0).tolist() == [0.0]
