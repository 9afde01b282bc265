"""From raw points to a workout and to a row of a log, against values known beforehand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitgym.logs import Activity, TrainingLog, to_session, to_workout

START = datetime(2024, 5, 1, 7, 30, tzinfo=UTC)
TIME_S = np.array([0.0, 4.0, 10.0, 17.0, 31.0, 40.0])


def make(**changes: Any) -> Activity:
    fields: dict[str, Any] = {
        "source": "run.fit",
        "identifier": "run",
        "sport": "run",
        "start": START,
        "time_s": TIME_S,
        "speed_m_s": np.full(6, 3.0),
        "altitude_m": 100.0 + 0.1 * TIME_S,
        "heart_rate_bpm": 100.0 + TIME_S,
    }
    return Activity(**(fields | changes))


def test_linear_columns_stay_linear_on_the_grid() -> None:
    workout = to_workout(make())
    np.testing.assert_array_equal(workout.time_s, [0, 10, 20, 30, 40])
    np.testing.assert_allclose(workout.heart_rate_bpm, 100.0 + workout.time_s)
    np.testing.assert_allclose(workout.altitude_m, 100.0 + 0.1 * workout.time_s)
    np.testing.assert_allclose(workout.speed_m_s, 3.0)
    assert workout.valid.all()
    assert workout.has_altitude
    # 19,844 days from 1970-01-01 to 2024-05-01.
    assert workout.day == pytest.approx(19_844 + 7.5 / 24)


@given(st.lists(st.floats(0.1, 30.0), min_size=2, max_size=40), st.floats(0.5, 6.0))
def test_distance_alone_and_speed_alone_agree(steps: list[float], speed: float) -> None:
    time_s = np.concatenate([[0.0], np.cumsum(steps)])
    if time_s[-1] < 10.0:
        time_s *= 10.0 / time_s[-1]
        time_s[-1] = 10.0  # The product may fall short of it by rounding.
    points = len(time_s)
    shape = {"time_s": time_s, "altitude_m": None, "heart_rate_bpm": None}
    by_speed = make(**shape, speed_m_s=np.full(points, speed))
    by_distance = make(**shape, speed_m_s=None, distance_m=speed * time_s)
    np.testing.assert_allclose(
        to_workout(by_distance).speed_m_s, to_workout(by_speed).speed_m_s, rtol=1e-9
    )
    assert to_session(by_distance).distance_m == pytest.approx(to_session(by_speed).distance_m)


def test_columns_that_are_not_there() -> None:
    workout = to_workout(make(altitude_m=None, heart_rate_bpm=np.full(6, np.nan)))
    assert not workout.valid.any()
    assert not workout.has_altitude
    assert not workout.altitude_m.any()
    with pytest.raises(ValueError, match=r"run\.fit: has neither distance nor speed"):
        to_workout(make(speed_m_s=None))
    with pytest.raises(ValueError, match=r"run\.fit: has neither distance nor speed"):
        to_session(make(speed_m_s=None))
    with pytest.raises(ValueError, match=r"run\.fit: must last at least 10 s, got 9 s"):
        to_workout(make(time_s=np.array([0, 1, 2, 3, 4, 9.0])))


def test_heart_rate_is_not_measured_in_long_gaps_nor_beyond_its_readings() -> None:
    time_s = np.arange(0.0, 300.0, 5.0)
    readings = np.where((time_s <= 20) | (time_s >= 280), np.nan, 150.0)
    readings[(time_s > 100) & (time_s < 150)] = np.nan  # 50 s: interpolated
    readings[(time_s > 200) & (time_s < 255)] = np.nan  # 55 s: not measured
    points = {"speed_m_s": np.full(60, 3.0), "altitude_m": None}
    workout = to_workout(make(time_s=time_s, heart_rate_bpm=readings, **points))
    unknown = [0, 10, 20, 210, 220, 230, 240, 250, 280, 290]
    np.testing.assert_array_equal(workout.time_s[~workout.valid], unknown)


def test_a_row_of_a_log_has_the_local_date() -> None:
    late = datetime(2024, 5, 1, 23, 50, tzinfo=timezone(timedelta(hours=-7)))
    session = to_session(make(start=late, distance_m=3.0 * TIME_S))
    assert (str(session.date), session.distance_m) == ("2024-05-01", 120.0)
    assert session.minutes == pytest.approx(40.0 / 60.0)
    log = TrainingLog.of([session, to_session(make(start=late - timedelta(days=1)))], "mine")
    assert [str(day) for day in log.dates] == ["2024-04-30", "2024-05-01"]
    assert log.distance_m.tolist() == [120.0, 120.0]
    with pytest.raises(ValueError, match=r"run\.fit: .* m/min"):
        to_session(make(speed_m_s=np.full(6, 20.0)))


def test_nobody_runs_on_through_a_pause() -> None:
    time_s = np.concatenate([np.arange(0.0, 301.0), np.arange(900.0, 1201.0)])
    moving = np.minimum(time_s, 300.0) + np.maximum(time_s - 900.0, 0.0)
    shape = {"time_s": time_s, "altitude_m": None, "heart_rate_bpm": None}
    activity = make(**shape, speed_m_s=np.full(602, 3.0), distance_m=3.0 * moving)
    workout = to_workout(activity)
    resting = (workout.time_s > 300.0) & (workout.time_s < 900.0)
    assert not workout.speed_m_s[resting].any()
    assert (workout.speed_m_s[~resting] == 3.0).all()
    timed = make(**shape, speed_m_s=None, distance_m=3.0 * moving, moving_s=600.0)
    assert to_session(timed).minutes == 10.0


def test_days_count_in_local_time() -> None:
    late = datetime(2024, 5, 1, 23, 50, tzinfo=timezone(timedelta(hours=-7)))
    day = (late.date() - date(1970, 1, 1)).days
    assert to_workout(make(start=late)).day == pytest.approx(day + (23 + 50 / 60) / 24)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"start": START.replace(tzinfo=None)}, "must have a time zone"),
        ({"start": START.replace(year=1924)}, "got 1924-05-01"),
        ({"start": START.replace(year=2924)}, "got 2924-05-01"),
        ({"time_s": TIME_S + 1.0}, "start at 0"),
        ({"time_s": np.array([0, 1, np.nan, 3, 4, 5])}, "known at every point"),
        ({"time_s": np.array([0, 1, 5, 5, 6, 7.0])}, "time_s must rise, 5 comes after 5"),
        ({"distance_m": np.array([0, 1, np.nan, 0.5, 2, 3])}, "distance_m must never fall"),
        ({"speed_m_s": np.array([0, 1, np.nan, -1, 2, 3])}, "got -1 at point 3"),
        ({"altitude_m": np.array([0, 1, np.inf, -1, 2, 3])}, "altitude_m must be finite, point 2"),
        ({"heart_rate_bpm": np.zeros(5)}, r"shape \(6,\), got \(5,\)"),
        ({"gender": "m"}, "gender must be one of"),
        ({"time_s": np.zeros(1)}, "at least two points"),
    ],
)
def test_impossible_points_are_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        make(**changes)
    assert "run.fit" in str(caught.value)
