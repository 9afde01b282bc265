"""Usual measures of load against closed forms; replay against the calibration's simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitgym.calibration.simulation import simulate
from fitgym.people.individual import load_individual
from fitgym.profile.course import replay, training_load
from fitgym.profile.habits import POOLED_DAYS, weekday_habits

POINTS = st.lists(st.floats(0.0, 80.0), min_size=1, max_size=120)


def test_constant_training_has_no_form() -> None:
    load = training_load([12.0] * 60)
    np.testing.assert_allclose(load.chronic, 12.0)
    np.testing.assert_allclose(load.acute, 12.0)
    np.testing.assert_allclose(load.balance, 0.0, atol=1e-12)
    np.testing.assert_allclose(load.ratio, 1.0)


def test_rest_decays_as_exponential_means_do() -> None:
    load = training_load([20.0] * 42 + [0.0] * 30)
    days = np.arange(1, 31)
    np.testing.assert_allclose(load.chronic[42:], 20.0 * (1.0 - 1.0 / 42.0) ** days)
    np.testing.assert_allclose(load.acute[42:], 20.0 * (1.0 - 1.0 / 7.0) ** days)
    assert (load.balance[43:] > 0.0).all()


@given(POINTS)
def test_measures_stay_within_the_points(points: list[float]) -> None:
    load = training_load(points)
    assert load.chronic.max() <= max(points) + 1e-9
    assert load.acute.min() >= min(points) - 1e-9


@given(POINTS)
def test_replay_is_the_model(points: list[float]) -> None:
    theta = load_individual("club-runner").acquisition
    course = replay(theta, points)
    expected = simulate(np.array(points), False, *theta.to_dict().values())
    np.testing.assert_allclose(course.vdot, expected, rtol=1e-12)


@given(st.integers(7, 200), st.integers(0, 6))
def test_weekdays_are_pooled_with_the_week(days: int, weekday: int) -> None:
    from datetime import date, timedelta

    dates = [date(2025, 1, 6) + timedelta(days=i) for i in range(days)]
    points = [20.0 if day.weekday() == weekday else 0.0 for day in dates]
    habits = weekday_habits(dates, points)
    assert [one.days for one in habits] == [sum(d.weekday() == k for d in dates) for k in range(7)]
    own = habits[weekday]
    if own.trained:
        share = sum(x > 0.0 for x in points) / days
        expected = (own.trained + POOLED_DAYS * share) / (own.days + POOLED_DAYS)
        assert own.probability == pytest.approx(expected)
        assert own.median_trimp == pytest.approx(20.0)
    assert all(0.0 <= one.probability <= own.probability for one in habits)
