from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from fuzzing import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from fitgym.logs.recordings import read_recordings, write_recordings
from fitgym.logs.workout import GENDERS, Workout

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
        ("", SAMPLES, r"row 1: missing column\(s\) workout"),
        (WORKOUTS, "", r"row 1: missing column\(s\) workout"),
        (WORKOUTS, SAMPLES.replace("valid,speed", "speed,speed"), r"missing column\(s\) valid"),
        (WORKOUTS.replace("workout,user", "user,user"), SAMPLES, r"missing column\(s\) workout"),
        (
            WORKOUTS.replace("day,", "day,user,").replace("0.5,", "0.5,bob,"),
            SAMPLES,
            r"column\(s\) user occur twice",
        ),
        (WORKOUTS.replace("0.5", "1600000000"), SAMPLES, r"row 2.*day of workout 'w1'"),
        (
            WORKOUTS + "w2,anna,run,female,2019.5,True\n",
            SAMPLES + SAMPLES.split("\n", 1)[1].replace("w1", "w2"),
            r"row 3, column day: 2019.5 is more than three years after .* 0.5 \(row 2\)",
        ),
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


def test_what_a_folder_lacks_is_told_in_a_sentence(tmp_path: Path) -> None:
    must = r"^a folder of recordings must hold workouts\.csv and samples\.csv or samples\.csv\.gz: "
    with pytest.raises(FileNotFoundError, match=must + r".* lacks workouts\.csv and samples\.csv$"):
        read_recordings(tmp_path)
    (tmp_path / "workouts.csv").write_text(WORKOUTS)
    with pytest.raises(FileNotFoundError, match=must + r".* lacks samples\.csv$"):
        read_recordings(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"^the folder of recordings .* does not exist$"):
        read_recordings(tmp_path / "none")


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(0)
    workouts = [
        Workout(
            identifier=f"w{number}",
            user="anna",
            sport="run",
            gender="female",
            day=float(number),
            time_s=10.0 * np.arange(40),
            heart_rate_bpm=rng.uniform(90.0, 180.0, 40),
            valid=np.ones(40, dtype=bool),
            speed_m_s=rng.uniform(2.0, 4.0, 40),
            altitude_m=np.zeros(40),
            has_altitude=False,
        )
        for number in range(3)
    ]
    folder = tmp_path_factory.mktemp("intact")
    write_recordings(folder, workouts)
    return folder


@settings(max_examples=examples(60), deadline=None)
@given(st.data())
def test_a_flipped_bit_is_refused_or_harmless(
    intact: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray((intact / "samples.csv.gz").read_bytes())
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    content[bit // 8] ^= 1 << bit % 8
    folder = tmp_path_factory.mktemp("damaged")
    (folder / "samples.csv.gz").write_bytes(content)
    (folder / "workouts.csv").write_bytes((intact / "workouts.csv").read_bytes())
    try:
        read = read_recordings(folder)
    except ValueError as error:
        message = str(error)
    else:
        # Only the header's time, system and flags may change without a word.
        for one, other in zip(read, read_recordings(intact), strict=True):
            np.testing.assert_array_equal(one.heart_rate_bpm, other.heart_rate_bpm)
        return
    assert str(folder) in message


@pytest.mark.parametrize("name", ["workouts.csv", "samples.csv"])
def test_a_file_that_is_not_text_is_refused(tmp_path: Path, name: str) -> None:
    write(tmp_path)
    (tmp_path / "samples.csv.gz").unlink()
    (tmp_path / "samples.csv").write_text(SAMPLES)
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes().replace(b"w1", b"w\xff"))
    with pytest.raises(ValueError, match=f"{name} is not a readable CSV file"):
        read_recordings(tmp_path)


def finite(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_subnormal=False)


@st.composite
def workouts(draw: st.DrawFn) -> Workout:
    steps = draw(st.integers(2, 6))
    names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)

    def column(low: float, high: float) -> np.ndarray:
        return np.array(draw(st.lists(finite(low, high), min_size=steps, max_size=steps)))

    has_altitude = draw(st.booleans())
    return Workout(
        identifier=draw(names),
        user=draw(names),
        sport=draw(names),
        gender=draw(st.sampled_from(GENDERS)),
        day=draw(finite(0.0, 1e6)),
        time_s=10.0 * np.arange(steps),
        heart_rate_bpm=column(30.0, 240.0),
        valid=np.array(draw(st.lists(st.booleans(), min_size=steps, max_size=steps))),
        speed_m_s=column(0.0, 40.0),
        altitude_m=column(-9000.0, 9000.0) if has_altitude else np.zeros(steps),
        has_altitude=has_altitude,
    )


@settings(max_examples=examples(60), deadline=None)
@given(workout=workouts())
def test_reads_exactly_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, workout: Workout
) -> None:
    folder = tmp_path_factory.mktemp("copy")
    write_recordings(folder, [workout])
    (copy,) = read_recordings(folder)
    for name in ("identifier", "user", "sport", "gender", "day", "has_altitude"):
        assert getattr(copy, name) == getattr(workout, name)
    for name in ("time_s", "valid", "speed_m_s", "altitude_m"):
        np.testing.assert_array_equal(getattr(copy, name), getattr(workout, name))
    np.testing.assert_array_equal(
        copy.heart_rate_bpm[copy.valid], workout.heart_rate_bpm[workout.valid]
    )


@pytest.mark.parametrize("table", ["workouts", "samples"])
def test_a_row_with_more_fields_than_the_header_is_refused(tmp_path: Path, table: str) -> None:
    """As with decimal commas: the altitude would be the tenths of the speed."""
    workouts = WORKOUTS.replace(",True\n", ",True,1\n") if table == "workouts" else WORKOUTS
    samples = SAMPLES.replace("2.6,1.5", "2,6,1.5") if table == "samples" else SAMPLES
    row = {"workouts": 2, "samples": 3}[table]
    with pytest.raises(ValueError, match=rf"{table}\.csv.* row {row}: has more fields than"):
        read_recordings(write(tmp_path, workouts, samples))


@pytest.mark.parametrize("text", ["1_0", "٣", "0x3", "1e", "."])
def test_only_plain_numbers_are_read(tmp_path: Path, text: str) -> None:
    samples = SAMPLES.replace("2.6", text)
    with pytest.raises(ValueError, match="row 3, column speed: must be a finite number, got"):
        read_recordings(write(tmp_path, samples=samples))


@pytest.mark.parametrize("text", ["3", " 3", "+3.", "3e0", ".3e1", "30E-1"])
def test_every_form_of_a_plain_number_is_read(tmp_path: Path, text: str) -> None:
    (workout,) = read_recordings(write(tmp_path, samples=SAMPLES.replace("2.6", text)))
    assert workout.speed_m_s[1] == 3.0
