"""A history day by day: points, rest, plans and races."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from histories import START, log_of
from hypothesis import given
from hypothesis import strategies as st

from fitgym.logs import read
from fitgym.model.daniels import zone_speeds
from fitgym.model.plans import plan_segments, session_course
from fitgym.profile.days import (
    HABIT,
    PLANNED,
    RACE,
    REST,
    SKIPPED,
    days_of,
    estimated_sessions,
    share_done,
    workout_points,
)
from fitgym.profile.make import profile_from
from fitgym.profile.plans import PushedPlans, read_plans
from fitgym.virtual.season import VirtualSeason


def test_rest_days_are_days() -> None:
    history = log_of((0, 8.0, 48.0), (3, 6.1, 36.0), (3, 3.2, 20.0))
    days = days_of(history.sessions, (), today=START + timedelta(days=6), vdot=41.0)
    assert days.kind.tolist() == [HABIT, REST, REST, HABIT, REST, REST]
    assert days.minutes.tolist() == [48.0, 0.0, 0.0, 56.0, 0.0, 0.0]
    assert days.dates[-1] == START + timedelta(days=5)
    easy = 60.0 * 48.0 * zone_speeds(41.0)[0] / 60.0
    history = log_of((0, easy / 1000.0, 48.0))
    days = days_of(history.sessions, (), today=START + timedelta(days=1), vdot=41.0)
    assert days.points[0] == pytest.approx(0.2 * 48.0)


def test_days_that_a_log_half_tells_are_no_rest(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(
        "Date;km;Time;Note\n2025-06-01;8,5;0:51:00;\n2025-06-02;3x2km;0:42:00;track\n"
        "2025-06-03;ill;;\n2025-06-04;7,5;0:45:00;\n2025-06-05;6,0;;watch empty\n"
        "2025-06-06;8ish;;\n2025-06-07;8,0;0:48:00;\n2025-06-08;5,0;?:?0;\n",
        encoding="utf-8",
    )
    history = read(path)
    found = estimated_sessions(history)
    assert [(one.date.day, one.distance_m, one.minutes) for one in found] == [
        (5, 6000.0, 36.0),
        (2, 7000.0, 42.0),
        (6, 8000.0, 48.0),
        (8, 5000.0, 30.0),
    ]
    profile = profile_from(history, seed=0)
    assert any(
        "4 session(s) without a distance or time" in note for note in profile.summary.borrowed
    )


def test_only_a_year_is_used() -> None:
    history = log_of((0, 8.0, 48.0), (500, 8.0, 48.0))
    days = days_of(history.sessions, (), today=START + timedelta(days=501), vdot=41.0)
    assert days.count == 1
    with pytest.raises(ValueError, match="no session with distance and time in the 365 days"):
        days_of(history.sessions, (), today=START + timedelta(days=2000), vdot=41.0)


@given(st.sampled_from([7.0, 17.4, 27.8, 48.6]), st.floats(0.05, 1.0), st.floats(30.0, 60.0))
def test_the_share_of_a_plan_follows_from_its_minutes(
    target: float, share: float, vdot: float
) -> None:
    course = session_course(plan_segments(target), vdot)
    ends = np.append(0.0, np.cumsum(course.points)) / course.points.sum()
    minutes = np.append(0.0, np.cumsum(course.duration_s)) / 60.0
    metres = np.append(0.0, np.cumsum(course.duration_s * course.speed_m_s))
    time = float(np.interp(share, ends, minutes))
    distance = float(np.interp(time, minutes, metres))
    found = share_done(target, vdot, distance, time, 0.0)
    assert found == pytest.approx(share, abs=0.011)
    # Another session than the plan's counts by its points.
    if share < 0.97:
        assert share_done(target, vdot, 2.0 * distance, time, 0.4 * target) == pytest.approx(0.4)


def test_plans_done_skipped_and_not_known() -> None:
    course = session_course(plan_segments(12.2), 41.0)
    km = float(course.duration_s @ course.speed_m_s) / 1000.0
    minutes = float(course.duration_s.sum()) / 60.0
    history = log_of((0, km, minutes), (2, 5.0, 31.0))
    plans = PushedPlans(
        {START: 12.2, START + timedelta(days=1): 7.0, START + timedelta(days=2): 0.0}, 41.0
    )
    today = START + timedelta(days=4)
    days = days_of(history.sessions, (), today=today, vdot=41.0, plans=plans)
    assert days.kind.tolist()[:2] == [PLANNED, SKIPPED]
    assert days.kind[3] == REST
    assert days.share.tolist() == [1.0, 0.0, 0.0, 0.0]
    assert days.points[0] == 12.2
    assert days.plans_known


def test_a_race_is_no_habit() -> None:
    history = log_of(*[(2 * i, 7.3, 45.0) for i in range(6)], (12, 10.0, 48.0))
    days = days_of(history.sessions, (), today=START + timedelta(days=13), vdot=41.0)
    assert days.kind[12] == RACE
    assert days.race_day.tolist() == [12]


def test_recordings_tell_the_points_that_were_done(season: VirtualSeason) -> None:
    vdot = season.individual.physiology.vdot
    dates = [(day - date(1970, 1, 1)).days for day in season.dates]
    found, done = [], []
    for workout in season.history.workouts:
        day = dates.index(int(workout.day))
        if not season.races[day]:
            found.append(workout_points(workout, vdot))
            done.append(season.load_trimp[day])
    off = np.array(found) - np.array(done)
    assert abs(off.mean()) < 0.2
    assert np.abs(off).max() < 1.5


def test_plans_are_read_back(tmp_path) -> None:  # type: ignore[no-untyped-def]
    import json

    plans = PushedPlans({START: 12.2, START + timedelta(days=1): 0.0}, 44.0)
    path = tmp_path / "plans.json"
    path.write_text(json.dumps(plans.to_dict()))
    assert read_plans(path) == plans
    path.write_text('{"vdot": 44, "plans": {"tomorrow": 3}}')
    with pytest.raises(ValueError, match="holds no plans"):
        read_plans(path)
