from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fitgym.logs.workout import Workout


def make(**changes: Any) -> Workout:
    fields: dict[str, Any] = {
        "identifier": "w1",
        "user": "anna",
        "sport": "run",
        "gender": "unknown",
        "day": 0.0,
        "time_s": [0, 10, 20],
        "heart_rate_bpm": [90.0, 100.0, 110.0],
        "valid": np.ones(3, dtype=bool),
        "speed_m_s": [2.0, 2.5, 2.5],
        "altitude_m": [0.0, 1.0, 2.0],
        "has_altitude": True,
    }
    return Workout(**(fields | changes))


def test_arrays_are_read_only_copies() -> None:
    speed = np.array([2.0, 2.5, 2.5])
    workout = make(speed_m_s=speed)
    speed[0] = 9.0
    assert workout.speed_m_s[0] == 2.0
    with pytest.raises(ValueError, match="read-only"):
        workout.speed_m_s[0] = 1.0
    assert len(workout) == 3


def test_unmeasured_heart_rates_may_hold_anything() -> None:
    make(heart_rate_bpm=[90.0, np.nan, 900.0], valid=np.array([True, False, False]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"heart_rate_bpm": [90.0, np.nan, 100.0]}, r"heart_rate_bpm of workout 'w1'.*sample 1"),
        ({"heart_rate_bpm": [90.0, 100.0, 241.0]}, r"heart_rate_bpm.*\[30, 240\], got 241"),
        ({"heart_rate_bpm": [29.0, 100.0, 120.0]}, r"heart_rate_bpm.*got 29 at sample 0"),
        ({"speed_m_s": [2.0, -0.1, 2.0]}, r"speed_m_s.*got -0.1 at sample 1"),
        ({"speed_m_s": [2.0, np.nan, 2.0]}, r"speed_m_s.*got nan"),
        ({"altitude_m": [0.0, np.inf, 2.0]}, r"altitude_m.*got inf"),
        ({"time_s": [0, 10, 30]}, r"without gaps: sample 2 is 30, expected 20"),
        ({"time_s": [0, 10, 10]}, r"must increase: sample 2 is 10"),
        ({"time_s": [0, 10, 5]}, r"must increase"),
        ({"time_s": [10, 20, 30]}, r"must start at 0"),
        ({"time_s": [0, 10, np.nan]}, r"time_s"),
        ({"time_s": [0]}, r"at least two samples, got 1"),
        ({"speed_m_s": [2.0, 2.0]}, r"speed_m_s.*shape \(3,\), got \(2,\)"),
        ({"has_altitude": False}, r"altitude_m.*all zero"),
        ({"gender": "m"}, r"gender of workout 'w1' must be one of"),
        ({"day": -1.0}, r"day of workout 'w1'"),
        ({"user": ""}, r"user of a workout"),
    ],
)
def test_bad_values_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(**changes)


@pytest.mark.parametrize(
    "changes", [{"valid": [1, 1, 0]}, {"speed_m_s": ["a", "b", "c"]}, {"has_altitude": 1}]
)
def test_wrong_types_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        make(**changes)
