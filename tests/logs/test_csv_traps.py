"""Tables in which something looks like a session and is none: right, or refused, never silent."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from fitgym.logs import History, read

Reading = Callable[[str], History]


@pytest.fixture
def reading(tmp_path: Path) -> Reading:
    def read_text(text: str) -> History:
        path = tmp_path / "log.csv"
        path.write_bytes(text.encode())
        return read(path)

    return read_text


def kilometres(history: History) -> list[float]:
    return [round(session.distance_m / 1000, 2) for session in history.sessions]


@pytest.mark.parametrize(
    ("text", "kept", "told"),
    [
        (
            "Aktivit\u00e4tsdatum,Aktivit\u00e4tsart,Bewegungszeit,Distanz\n"
            '"20.08.2026, 13:15:23",Lauf,2998,"10,00"\n'
            '"23.08.2026, 13:15:23",Radfahrt,4998,"30,00"\n',
            [10.0],
            "sport is bike",
        ),
        (
            "type,startTime,sportTime(s),distance(m)\n"
            "1,2026-06-19 04:43:15+0000,2539,7534.0\n"
            "6,2026-06-22 17:43:15+0000,3600,5000.0\n"
            "17,2026-06-23 17:43:15+0000,3600,6000.0\n",
            [7.53],
            "sport is walk",
        ),
        (
            "Date,Title,Distance (km),Time\n2026-07-01,Morning Run,10,50:00\n"
            "2026-07-02,Evening Ride,15,45:00\n2026-07-03,Lunch Run,8,44:00\n"
            "2026-07-04,,9,50:00\n",
            [10.0, 8.0, 9.0],
            "sport is bike",
        ),
        (
            "Running\nDate,Distance (km),Time\n2026-07-01,10,50:00\n2026-07-03,8,44:00\n\n"
            "Cycling\nDate,Distance (km),Time\n2026-07-04,15,1:02:00\n",
            [10.0, 8.0],
            "sport is bike",
        ),
        (
            "Date,Distance (km),Time,Note,Shoes\n2026-07-01,10,50:00,,\n2026-07-03,8,44:00,,\n\n"
            "Date,Weight (kg),Pulse,Sleep,Mood\n2026-07-02,70.5,52:00,7,ok\n",
            [10.0, 8.0],
            "row cannot be taken apart",
        ),
        (
            "Activit\u00e9,Date,Distance (km),Time\nLaufbandtraining,2026-07-01,10,50:00\n"
            "Bahnschwimmen,2026-07-02,2,44:00\nL\u00f6pband,2026-07-03,8,44:00\n"
            "Loopband,2026-07-04,8,45:00\n",
            [10.0, 8.0, 8.0],
            "sport is swim",
        ),
        (
            "com.samsung.shealth.exercise,6312005,10\n"
            "com.samsung.health.exercise.duration,com.samsung.health.exercise.start_time,"
            "com.samsung.health.exercise.exercise_type,com.samsung.health.exercise.distance\n"
            "1800000,2026-05-01 06:00:00.000,1002,5012.3,\n"
            "3600000,2026-05-02 06:00:00.000,1001,5512.3,\n",
            [5.01],
            "sport is walk",
        ),
        (
            "Date,Distance (km),Time\n2026-07-01,10,50:00\n2026-07-03,8,44.30\n"
            "2026-07-05,12,63:00\n2026-07-06,6,30:00\n",
            [10.0, 12.0, 6.0],
            "time not understood",
        ),
        (
            "Date,Distance (km),Time,Status\n2026-07-01,10,50:00,Completed\n"
            "2026-07-03,8,44:00,Planned\n2026-07-05,12,63:00,Skipped\n",
            [10.0],
            "did not take place",
        ),
    ],
)
def test_what_is_no_run_is_left_out(
    text: str, kept: list[float], told: str, reading: Reading
) -> None:
    history = reading(text)
    assert kilometres(history) == kept
    assert told in [item.reason for item in history.report.left_out]


@pytest.mark.parametrize("sep", [" - ", " \u2013 ", "\u2014", " to ", " bis "])
def test_periods_are_no_dates(sep: str, reading: Reading) -> None:
    spellings = (("2026-06-29", "2026-07-05"), ("29.06.2026", "05.07.2026"), ("Jun 29", "Jul 5"))
    for first, last in spellings:
        text = f"Date;Distance (km);Time\n{first}{sep}{last};45;4:00:00\n"
        with pytest.raises(ValueError, match="sums of weeks or months"):
            reading(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "Week starting,Distance (km),Time\n2026-07-06,45,4:00:00\n2026-07-13,40,3:40:00\n",
            "names weeks or months",
        ),
        (
            "Date,Runs,Distance (km),Time\n2026-07-06,4,45,4:00:00\n2026-07-13,3,40,3:40:00\n",
            "counts 3.5 sessions a row",
        ),
        (
            "Date,Steps,Distance (m),Walking duration (ms),Running duration (ms)\n"
            "2026-07-06,8123,5000,900000,1600000\n",
            "totals of days",
        ),
        (
            "Date,Steps,Distance (km),Active time (min)\n2026-07-01,12345,9.1,95\n"
            '2026-07-02,"10,345",7.9,85\n',
            "126 steps a minute",
        ),
        (
            "timestamp,distance (m),time (s),speed\n"
            + "".join(
                f"2026-07-01T06:{i // 60:02d}:{i % 60:02d}Z,{3 * i},{i},3\n" for i in range(600)
            ),
            "points or laps of recordings",
        ),
        (
            "Date,Distance (km),Time\n"
            + "".join(
                f"2026-07-{d:02d},{9 * d},{48 * d // 60}:{48 * d % 60:02d}:00\n"
                for d in range(1, 9)
            ),
            "a running total",
        ),
        (
            "Date,Runner,Distance (km),Time\n2026-07-01,Anna,10,50:00\n2026-07-01,Ben,12,58:00\n",
            "names 2 people",
        ),
        (
            "Date,Distance (km),Pace\n2026-07-01,10,12.0\n2026-07-03,8,10.9\n",
            "may hold minutes or km/h",
        ),
    ],
)
def test_sums_are_refused(text: str, message: str, reading: Reading) -> None:
    with pytest.raises(ValueError, match=message):
        reading(text)


def test_numbers_of_sports_that_nobody_knows_are_told(reading: Reading) -> None:
    history = reading(
        "date,type,duration,distance_km\n2026-07-01,1,50:00,10\n2026-07-03,3,44:00,8\n"
    )
    assert kilometres(history) == [10.0, 8.0]
    assert any("1 (1), 3 (1)" in note for note in history.report.notes)


def test_decimals_that_may_be_seconds_are_told(reading: Reading) -> None:
    history = reading("Date;km;Zeit\n2026-07-01;10;50.30\n2026-07-03;8;44.15\n")
    assert ("time", "column 'Zeit': a number of minutes with decimals, not mm.ss") in (
        history.report.understood
    )


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("Date,Time,Pace (min/km)\n2026-07-01,50:00,5:00\n2026-07-03,44:00,5:30\n", [50, 44]),
        ("Date,Time,Speed (km/h)\n2026-07-01,50:00,12\n2026-07-03,48:00,10\n", [50, 48]),
        ("Date,Distance (km),Speed (km/h)\n2026-07-01,10,12\n2026-07-03,8,10\n", [50, 48]),
        ("Date,Distance (km),Pace\n2026-07-01,10,5:00\n2026-07-03,8,5:30\n", [50, 44]),
        ("Date;Meter;Sekunden\n2026-07-01;10.000;3.000\n2026-07-03;8.000;2.640\n", [50, 44]),
    ],
)
def test_two_of_distance_time_and_pace_are_enough(
    text: str, minutes: list[float], reading: Reading
) -> None:
    history = reading(text)
    assert kilometres(history) == [10.0, 8.0]
    assert [session.minutes for session in history.sessions] == pytest.approx(minutes)


def test_a_speed_without_a_unit_gives_no_time(reading: Reading) -> None:
    with pytest.raises(ValueError, match=re.escape('--map time="..."')):
        reading("Date,Distance (km),Speed\n2026-07-01,10,12\n2026-07-03,8,10\n")


def test_a_table_as_people_write_it_in_a_text(reading: Reading) -> None:
    history = reading(
        "| Date | Distance (km) | Time |\n|---|--:|---|\n| 2026-07-01 | 10 | 50:00 |\n"
    )
    assert kilometres(history) == [10.0]


def test_more_than_one_person_runs_is_told(reading: Reading) -> None:
    rows = "".join(f"2026-04-26,42.195,2:{minute}:11,Kip {minute}\n" for minute in range(30, 34))
    history = reading(f"Date,Distance (km),Time,Name\n{rows}")
    assert any("several people" in note for note in history.report.notes)


def test_a_beginner_who_runs_further_every_time_is_no_running_total(reading: Reading) -> None:
    rows = "".join(f"2026-07-{d:02d},{d},{6 * d}:00\n" for d in range(1, 10))
    assert kilometres(reading(f"Date,Distance (km),Time\n{rows}")) == list(range(1, 10))


@pytest.mark.parametrize(
    ("pace", "told"),
    [("5:00", False), ("8:03", False), ("6:30", True), ("5:00 min/km", False), ("8:03 /km", True)],
)
def test_a_pace_that_contradicts_is_told(pace: str, told: bool, reading: Reading) -> None:
    rows = "".join(f"2026-07-{d:02d},{d},{5 * d}:00,{pace}\n" for d in range(5, 9))
    history = reading(f"Date,Distance (km),Time,Pace\n{rows}")
    assert any("contradicts distance and time" in n for n in history.report.notes) == told


@pytest.mark.parametrize(
    "text",
    [
        "Date,Distance,Time\n,mi,h:mm:ss\n2026-07-01,6.2,0:36:00\n2026-07-03,5,0:29:00\n",
        "Date,Distance,Time\n,(miles),(min)\n2026-07-01,6.2,36\n2026-07-03,5,29\n",
        "All distances in miles\nDate,Distance,Time\n2026-07-01,6.2,36:00\n2026-07-03,5,29:00\n",
        "Date,Distance,Time\n# in miles\n2026-07-01,6.2,36:00\n2026-07-03,5,29:00\n",
    ],
)
def test_a_row_of_units_and_a_remark_tell_the_unit(text: str, reading: Reading) -> None:
    history = reading(text)
    assert kilometres(history) == [9.98, 8.05]
    assert [session.minutes for session in history.sessions] == pytest.approx([36, 29])


def test_titles_that_name_the_wanted_sport_and_another_are_kept(reading: Reading) -> None:
    history = reading(
        "Date,Title,Distance (km),Time\n2026-07-01,Swim Lake Run,5,30:00\n"
        "2026-07-03,Bike Trail Run,6,36:00\n2026-07-06,Evening Ride,15,60:00\n"
    )
    assert kilometres(history) == [5.0, 6.0]


def test_minutes_and_seconds_with_tenths(reading: Reading) -> None:
    history = reading("Datum;km;Dauer\n2026-07-01;10;50'00.5\n2026-07-13;8;44'30.0\n")
    assert [session.minutes * 60 for session in history.sessions] == pytest.approx([3000.5, 2670])


def test_a_row_that_names_only_the_sport_is_a_session_of_which_the_day_is_known(
    reading: Reading,
) -> None:
    history = reading(
        "date,sport,duration,distance\n2024-01-01,run,45:00,9.1\n2024-01-03,run,,\n"
        "2024-01-04,run,0:00,0\n2024-01-05,run,40:00,8.1\n"
    )
    assert kilometres(history) == [9.1, 8.1]
    found = {item.reason: item.session for item in history.report.left_out}
    assert set(found) == {"neither distance nor time", "rest day"}
    known = found["neither distance nor time"]
    assert known is not None
    assert (known.date.day, known.distance_m, known.minutes) == (3, None, None)
    assert found["rest day"] is None


def test_mean_and_maximum_heart_rate_in_one_cell(reading: Reading) -> None:
    history = reading(
        "date,duration,distance km,hr\n2024-01-01,45:00,9.1,150/172\n"
        "2024-01-03,50:00,10.1,148 / 170\n2024-01-05,40:00,8.1,\n2024-01-08,45:00,9.0,151\n"
    )
    assert [
        (session.mean_heart_rate_bpm, session.max_heart_rate_bpm) for session in history.sessions
    ] == [(150.0, 172.0), (148.0, 170.0), (None, None), (151.0, None)]
    assert "mean and maximum in column 'hr'" in dict(history.report.understood)["heart rate"]
