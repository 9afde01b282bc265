from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from fitgym.logs.recordings import read_recordings, write_recordings

WORKOUTS = "workout,user,sport,gender,day,has_altitude\nw1,anna,run,female,0.5,True\n"
SAMPLES = (
    "workout,t,heart_rate,valid,speed,altitude\n"
    "w1,0,90,1,2.5,0\nw1,10,,0,2.6,1.5\nw1,20,120.5,1,2.7,3\n"
)


def write(folder: Path, workouts: str = WORKOUTS, samples: str = SAMPLES) -> Path:
    (folder / "workouts.csv").write_text(workouts)
    with gzip.open(folder / "samples.csv.gz", "wt") as file:
        file.write(samples)
    return folder


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


def test_writes_what_it_reads(tmp_path: Path) -> None:
    (workout,) = read_recordings(write(tmp_path))
    write_recordings(tmp_path / "copy", [workout])
    (copy,) = read_recordings(tmp_path / "copy")
    for name in ("identifier", "user", "sport", "gender", "day", "has_altitude"):
        assert getattr(copy, name) == getattr(workout, name)
    for name in ("time_s", "heart_rate_bpm", "valid", "speed_m_s", "altitude_m"):
        np.testing.assert_allclose(getattr(copy, name), getattr(workout, name), atol=0.05)
