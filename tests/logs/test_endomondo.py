"""The reader of the authors' format, on small files in that format that the tests write."""

from __future__ import annotations

import numpy as np
import pytest

from fitgym.logs.convert import to_session, to_workout
from fitgym.logs.endomondo import (
    LICENCE_NOTICE,
    EndomondoFilter,
    read_endomondo,
    read_endomondo_activities,
    read_endomondo_at,
    step_distances_km,
    to_activity,
)

POINTS = 500
DEGREE_KM = 111.195  # a degree of the meridian on a sphere of the mean Earth radius


def make_entry(
    number: int = 1,
    user: int = 7,
    start: int = 1_400_000_000,
    speed_m_s: float = 3.0,
    sport: str = "run",
    step_s: int = 5,
    seed: int = 0,
) -> dict[str, object]:
    """A run due north at constant speed, its points unevenly spaced in time."""
    steps = np.random.default_rng(seed).integers(step_s - 3, step_s + 4, size=POINTS)
    elapsed = np.cumsum(steps) - steps[0]
    return {
        "userId": user,
        "id": number,
        "gender": "male",
        "sport": sport,
        "longitude": [12.5] * POINTS,
        "latitude": [float(40 + speed_m_s * t / 1000 / DEGREE_KM) for t in elapsed],
        "altitude": [float(100 + 0.01 * t) for t in elapsed],
        "timestamp": [int(start + t) for t in elapsed],
        "heart_rate": [int(120 + i % 40) for i in range(POINTS)],
        "url": "https://www.endomondo.com/users/7/workouts/1",
    }


@pytest.fixture
def write(tmp_path):
    def write(*entries):
        path = tmp_path / "endomondoHR_proper.json"
        path.write_text("".join(e if isinstance(e, str) else f"{e!r}\n" for e in entries))
        return path

    return write


def test_reads_every_field(write):
    entry = make_entry() | {"speed": [10.8] * POINTS}
    (record,) = read_endomondo(write(entry))
    assert (record.identifier, record.user, record.sport, record.gender) == (
        "1",
        "7",
        "run",
        "male",
    )
    assert record.timestamp_s.tolist() == entry["timestamp"]
    assert record.heart_rate_bpm.tolist() == entry["heart_rate"]
    assert record.altitude_m.tolist() == entry["altitude"]
    assert record.speed_km_h is not None
    assert record.speed_km_h.tolist() == entry["speed"]


def test_speed_may_be_missing(write):
    (record,) = read_endomondo(write(make_entry()))
    assert record.speed_km_h is None


def test_prints_the_licence_notice(write, capsys):
    next(read_endomondo(write(make_entry())))
    assert LICENCE_NOTICE in capsys.readouterr().err


def test_streams_rather_than_reading_ahead(write):
    records = read_endomondo(write(make_entry(), "this line is broken\n"))
    assert next(records).identifier == "1"
    with pytest.raises(ValueError, match="line 2"):
        next(records)


def test_offsets_find_each_line_again(write):
    path = write(make_entry(1), "\n", make_entry(2), make_entry(3))
    records = list(read_endomondo(path))
    assert [record.identifier for record in records] == ["1", "2", "3"]
    for record in reversed(records):
        again = read_endomondo_at(path, record.offset)
        assert again.identifier == record.identifier
        np.testing.assert_array_equal(again.timestamp_s, record.timestamp_s)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"heart_rate": None}, "line 2, key 'heart_rate': must be a list, got NoneType"),
        ({"altitude": [1.0] * 499}, "line 2, key 'altitude': has 499 points"),
        ({"latitude": [0.0] * 499 + ["x"]}, "line 2, key 'latitude': point 499"),
        ({"longitude": [10**400] * 500}, "line 2, key 'longitude': point 0"),
        ({"timestamp": [1]}, "line 2, key 'timestamp': must have at least two points, got 1"),
        ({"gender": "?"}, "line 2, key 'gender': must be one of"),
        ({"userId": 1.5}, "line 2, key 'userId': must be a name or whole number, got 1.5"),
        ({"speed": [True] * 500}, "line 2, key 'speed': point 0"),
    ],
)
def test_errors_name_line_and_key(write, change, message):
    path = write(make_entry(1), make_entry(2) | change)
    with pytest.raises(ValueError, match=message):
        list(read_endomondo(path))


@pytest.mark.parametrize("key", ["userId", "id", "gender", "sport", "timestamp", "heart_rate"])
def test_missing_key_is_named(write, key):
    entry = make_entry()
    del entry[key]
    with pytest.raises(ValueError, match=f"line 1: key '{key}' is missing"):
        list(read_endomondo(write(entry)))


@pytest.mark.parametrize("line", ["{'userId': \n", "[1, 2]\n", "__import__('os')\n", "{1: 1e}\n"])
def test_a_line_that_is_no_dictionary_is_an_error(write, line):
    with pytest.raises(ValueError, match="line 1: must be"):
        list(read_endomondo(write(line)))


def test_filter_keeps_an_ordinary_run(write):
    (record,) = read_endomondo(write(make_entry()))
    assert EndomondoFilter().rejection(record) is None


@pytest.mark.parametrize(
    ("arguments", "change", "reason"),
    [
        ({"sport": "bike"}, {}, "sport"),
        ({"step_s": 4}, {"timestamp": list(range(POINTS))}, "duration"),
        ({"step_s": 20}, {}, "duration"),
        ({"speed_m_s": 1.3}, {}, "speed"),
        ({"speed_m_s": 11.2}, {}, "speed"),
        ({}, {"heart_rate": [44] + [150] * 499}, "heart rate"),
        ({}, {"heart_rate": [216] + [150] * 499}, "heart rate"),
        ({}, {"timestamp": [0, *range(51, 51 + 499 * 5, 5)]}, "gap"),
        ({}, {"timestamp": [0, 0, *range(5, 499 * 5, 5)]}, "timestamp does not increase"),
        ({}, {"altitude": [9001.0] * POINTS}, "altitude"),
        ({}, {"speed": [145.0] * POINTS}, "position jumps"),
    ],
)
def test_filter_says_why_it_rejects(write, arguments, change, reason):
    (record,) = read_endomondo(write(make_entry(**arguments) | change))
    assert EndomondoFilter().rejection(record) == reason
    assert not list(read_endomondo_activities(write(make_entry(**arguments) | change)))


def test_step_distance_is_the_arc_of_the_meridian_and_shrinks_with_latitude(write):
    along_meridian = make_entry() | {"latitude": [0.01 * i for i in range(POINTS)]}
    at_sixty = make_entry() | {
        "latitude": [60.0] * POINTS,
        "longitude": [0.01 * i for i in range(POINTS)],
    }
    north, east = read_endomondo(write(along_meridian, at_sixty))
    assert step_distances_km(north)[0] == 0
    np.testing.assert_allclose(step_distances_km(north)[1:], 0.01 * DEGREE_KM, rtol=1e-5)
    # A degree of the parallel at 60 degrees is half a degree of the meridian.
    np.testing.assert_allclose(step_distances_km(east)[1:], 0.005 * DEGREE_KM, rtol=1e-5)


def test_resampling_a_steady_run(write):
    (activity,) = read_endomondo_activities(write(make_entry(speed_m_s=3.0)))
    workout = to_workout(activity)
    duration = np.cumsum(np.random.default_rng(0).integers(2, 9, size=POINTS))
    assert len(workout) == (duration[-1] - duration[0]) // 10 + 1
    np.testing.assert_allclose(workout.speed_m_s, 3.0, rtol=1e-4)
    np.testing.assert_allclose(np.diff(workout.altitude_m), 0.1)
    assert workout.has_altitude
    assert workout.valid.all()
    assert workout.day == pytest.approx(1_400_000_000 / 86_400)


def test_recorded_speed_wins_over_positions(write):
    (activity,) = read_endomondo_activities(write(make_entry() | {"speed": [9.0] * POINTS}))
    workout = to_workout(activity)
    np.testing.assert_allclose(workout.speed_m_s, 2.5)


def test_heart_rate_is_interpolated_and_gaps_are_flagged(write):
    times = [*range(0, 100, 10), *range(200, 200 + 10 * (POINTS - 10), 10)]
    entry = make_entry() | {"timestamp": times, "heart_rate": [100 + i % 3 for i in range(POINTS)]}
    (record,) = read_endomondo(write(entry))
    workout = to_workout(to_activity(record))
    np.testing.assert_array_equal(workout.heart_rate_bpm[:10], entry["heart_rate"][:10])
    # The gap of 110 s lies between the points at 90 s and 200 s.
    np.testing.assert_array_equal(np.flatnonzero(~workout.valid), np.arange(10, 20))


def test_resampling_a_broken_clock_names_the_key(write):
    entry = make_entry() | {"timestamp": [0, 20, 10, *range(30, 30 + 10 * 497, 10)]}
    (record,) = read_endomondo(write(entry))
    with pytest.raises(ValueError, match="workout '1': time_s must rise, 10 comes after 20"):
        to_activity(record)


def test_a_run_is_a_row_of_a_log(write):
    (record,) = read_endomondo(write(make_entry(speed_m_s=3.0)))
    session = to_session(to_activity(record))
    seconds = record.timestamp_s[-1] - record.timestamp_s[0]
    assert str(session.date) == "2014-05-13"
    assert session.minutes == pytest.approx(seconds / 60.0)
    assert session.distance_m == pytest.approx(3.0 * seconds, rel=1e-4)


@pytest.mark.parametrize("start", [1_400_000_000_000, -700_000_000, 4_000_000_000])
def test_an_impossible_date_is_left_out_or_named(write, start):
    path = write(make_entry(1, start=start), make_entry(2))
    record, _ = read_endomondo(path)
    assert EndomondoFilter().rejection(record) == "date"
    assert [one.identifier for one in read_endomondo_activities(path)] == ["2"]
    with pytest.raises(ValueError, match=f"'1' must be Unix time in seconds.* got {start}"):
        to_activity(record)
