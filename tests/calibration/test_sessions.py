"""Intensities, performances, time bases and plan grids: published facts and worked cases."""

import math

import numpy as np
import pytest

from fitgym.calibration import (
    MARATHON_BENCHMARKS,
    assess_sessions,
    plan_grid,
)
from fitgym.calibration.sessions import load_series
from fitgym.logs import TrainingLog
from fitgym.model.daniels import Zone, benchmark_paces, race_time, vdot
from fitgym.people.individual import DEFAULT_PLANS_TRIMP


def log_of(days, distance_m, minutes, start="2020-01-01"):
    dates = np.datetime64(start) + np.asarray(days, dtype="timedelta64[D]")
    return TrainingLog(dates, np.asarray(distance_m, float), np.asarray(minutes, float))


def test_marathon_intensities_are_the_published_ones(marathon):
    intensity = marathon.intensity_trimp
    assert intensity.size == 1127
    assert intensity.max() == pytest.approx(122.5, abs=0.001)
    assert intensity[intensity > 0].min() == pytest.approx(1.8)
    assert np.flatnonzero(intensity == 0.0).tolist() == [399]
    assert np.isnan(marathon.performance[399])
    assert np.bincount(marathon.zone, minlength=5).tolist() == [443, 322, 310, 52, 0]


def test_marathon_plans_are_the_published_ten(marathon):
    intensity = marathon.intensity_trimp
    assert 3.5 * intensity.std() * intensity.size ** (-1 / 3) == pytest.approx(5.2, abs=0.05)
    assert plan_grid(intensity) == DEFAULT_PLANS_TRIMP


def test_benchmarks_are_those_of_five_of_six_marathons(marathon):
    five = np.array([225, 359, 615, 745, 1107]) - 1
    assert np.floor(marathon.performance[five]).tolist() == list(MARATHON_BENCHMARKS.values())
    # The paper passes over row 492, of 26.2 miles as well.
    marathons = np.flatnonzero(marathon.log.distance_m > 42_000)
    assert marathons.tolist() == sorted([*five.tolist(), 491])
    assert int(marathon.performance[491]) == 46
    assert set(marathon.benchmark_vdot[marathon.log.years == 2004]) == {39.0}


def test_a_session_by_hand():
    # VDOT 48: 7.537 min/mile is M pace. An hour at that pace is 24 points, at 8 min/mile 12.
    miles = np.array([60 / 7.537, 60 / 8.0])
    log = log_of([0, 1], miles * 1609.344 * (1 + 1e-12), [60.0, 60.0])
    sessions = assess_sessions(log, 48)
    assert sessions.zone.tolist() == [Zone.MARATHON, Zone.EASY]
    assert sessions.intensity_trimp == pytest.approx([24.0, 12.0])
    assert sessions.performance == pytest.approx(
        [vdot(float(d), 60.0) for d in log.distance_m.tolist()]
    )


def test_default_benchmark_is_the_best_run_of_the_last_half_year():
    race = 50.0
    distance = [10_000.0, 2000.0, 5000.0, 10_000.0, 10_000.0]
    minutes = [60.0, 6.0, race_time(race, 5000.0), 60.0, 60.0]
    # The fast 2 km is too short to count; the race counts for the half year after it and, as one
    # of the log's first half year, for the sessions before it.
    sessions = assess_sessions(log_of([0, 10, 20, 202, 203], distance, minutes))
    slow = vdot(10_000.0, 60.0)
    assert sessions.benchmark_vdot == pytest.approx([race, race, race, race, slow])
    paces = benchmark_paces(float(sessions.benchmark_vdot[0]))
    assert sessions.zone[2] >= Zone.THRESHOLD
    assert sessions.zone[0] == (paces >= 60.0 / (10_000 / 1609.344)).sum()


def test_benchmarks_are_checked():
    log = log_of([0, 400], [10_000.0, 2000.0], [60.0, 12.0])
    with pytest.raises(ValueError, match="no timed run of 3 km.*2021-02-04.*give a VDOT"):
        assess_sessions(log)
    with pytest.raises(ValueError, match=r"years \[2021\]"):
        assess_sessions(log, {2020: 45.0})
    with pytest.raises(ValueError, match="200"):
        assess_sessions(log, 200.0)
    with pytest.raises(TypeError, match="benchmark"):
        assess_sessions(log, "48")


def test_session_and_day_time(marathon):
    session, day = load_series(marathon, "session"), load_series(marathon, "day")
    assert session.intensity_trimp.size == 1127
    assert day.intensity_trimp.size == 1825  # 2002-01-01 to 2006-12-30
    assert day.intensity_trimp.sum() == pytest.approx(session.intensity_trimp.sum())
    assert (day.intensity_trimp > 0).sum() == 1127 - 2 - 1  # two double days, one without a time
    for series in (session, day):
        assert series.performance.size == 1126
        assert series.training.sum() == 900  # of the first 901 rows one has no time
        assert np.all(np.diff(series.training.astype(int)) <= 0)
    doubled = np.flatnonzero(np.diff(day.step) == 0)
    assert [str(marathon.log.dates[marathon.log.timed][i]) for i in doubled] == [
        "2005-08-14",
        "2005-08-20",
    ]
    six_weeks = marathon.intensity_trimp[marathon.log.dates < np.datetime64("2002-02-12")]
    assert session.initial_level == pytest.approx(six_weeks.mean())
    assert day.initial_level == pytest.approx(six_weeks.sum() / 42)


def test_time_base_and_length_are_checked(marathon):
    with pytest.raises(ValueError, match="time_base"):
        load_series(marathon, "week")
    short = log_of(range(60), [5000.0] * 60, [30.0] * 40 + [math.nan] * 20)
    with pytest.raises(ValueError, match="at least 40 sessions.*has 40 and 0"):
        load_series(assess_sessions(short, 40.0), "session")


def test_a_plan_grid_needs_intensities_that_differ():
    with pytest.raises(ValueError, match="positive"):
        plan_grid(np.zeros(10))
    with pytest.raises(ValueError, match="width"):
        plan_grid(np.full(10, 5.0))
