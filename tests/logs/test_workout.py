from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fitgym.logs.workout import Workout, read_recordings

WORKOUTS = "workout,user,sport,gender,day,has_altitude\nw1,anna,run,female,0.5,True\n"
SAMPLES = (
    "workout,t,heart_rate,valid,speed,altitude\n"
    "w1,0,90,1,2.5,0\nw1,10,,0,2.6,1.5\nw1,20,120.5,1,2.7,3\n"
)


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


def write(folder: Path, workouts: str = WORKOUTS, samples: str = SAMPLES) -> Path:
    (folder / "workouts.csv").write_text(workouts)
    with gzip.open(folder / "samples.csv.gz", "wt") as file:
        file.write(samples)
    return folder


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


def test_reads_a_folder(tmp_path: Path) -> None:
    (workout,) = read_recordings(write(tmp_path))
    assert (workout.user, workout.gender, workout.day) == ("anna", "female", 0.5)
    np.testing.assert_array_equal(workout.valid, [True, False, True])
    np.testing.assert_array_equal(workout.speed_m_s, [2.5, 2.6, 2.7])
    assert workout.heart_rate_bpm[2] == 120.5


def test_reads_samples_that_are_not_compressed(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "samples.csv.gz").unlink()
    (tmp_path / "samples.csv").write_text(SAMPLES)
    assert len(read_recordings(tmp_path)) == 1


def test_a_single_workout_needs_no_day(tmp_path: Path) -> None:
    (workout,) = read_recordings(write(tmp_path, WORKOUTS.replace("0.5", "")))
    assert workout.day == 0.0


@pytest.mark.parametrize(
    ("workouts", "samples", "message"),
    [
        (WORKOUTS, SAMPLES.replace("2.6", "fast"), r"samples.csv.gz row 3, column speed.*'fast'"),
        (WORKOUTS, SAMPLES.replace("120.5", ""), r"row 4, column heart_rate"),
        (WORKOUTS, SAMPLES.replace(",0,2.6", ",2,2.6"), r"row 3, column valid.*got '2'"),
        (WORKOUTS, SAMPLES.replace("120.5", "300"), r"workouts.csv row 2.*heart_rate_bpm.*300"),
        (WORKOUTS, SAMPLES.replace("w1,10", "w1,15"), r"time_s.*sample 1"),
        (WORKOUTS, SAMPLES + "w2,0,90,1,2,0\n", r"row 5, column workout: 'w2' is not listed"),
        (WORKOUTS, SAMPLES + "w1,30\n", r"row 5, column heart_rate: no value"),
        (WORKOUTS, SAMPLES.replace(",speed", ",pace"), r"row 1: missing column\(s\) speed"),
        (WORKOUTS + "w1,anna,run,female,1,True\n", SAMPLES, r"row 3.*occurs twice"),
        (WORKOUTS + "w3,anna,run,female,1,True\n", SAMPLES, r"row 3.*'w3' has no samples"),
        (
            WORKOUTS + "w2,anna,run,female,,True\n",
            SAMPLES + SAMPLES.split("\n", 1)[1].replace("w1", "w2"),
            r"row 3, column day.*''",
        ),
        (WORKOUTS.replace("0.5", "nan"), SAMPLES, r"row 2, column day"),
        (WORKOUTS.replace("True", "yes"), SAMPLES, r"column has_altitude.*'yes'"),
        (WORKOUTS, SAMPLES.splitlines()[0] + "\nw1,0,90,1,2.5,0\n", r"at least two samples"),
        (WORKOUTS.splitlines()[0] + "\n", SAMPLES, r"lists no workouts"),
    ],
)
def test_malformed_folders_are_refused(
    tmp_path: Path, workouts: str, samples: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        read_recordings(write(tmp_path, workouts, samples))


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path) / "samples.csv.gz"
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(ValueError, match="not a readable CSV file"):
        read_recordings(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"samples\.csv"):
        read_recordings(tmp_path)
