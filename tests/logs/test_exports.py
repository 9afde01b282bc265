"""Logs in the manner of services' exports and of people's own: right, or refused with a remedy."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from service_exports import R, X

from fitgym.logs import History, ReadingOptions, read

# What no reader can know, and what the message must name.
REFUSED = {
    "polar_session": "--date-order dmy or mdy",
    "unquoted_decimal_comma": "semicolons or decimal points",
    "seconds_pace": '--map time="..."',
    "slow_km_bare": "--distance-unit km or miles",
}


@pytest.fixture
def reading(tmp_path: Path) -> Callable[..., History]:
    def read_text(text: str | bytes, **options: object) -> History:
        path = tmp_path / "log.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read(path, options=ReadingOptions(**options))  # type: ignore[arg-type]

    return read_text


@pytest.mark.parametrize("name", sorted(set(X) - set(REFUSED)))
def test_the_runs_are_read(name: str, reading: Callable[..., History]) -> None:
    history = reading(X[name])
    assert len(history.sessions) == len(R)
    for session, (start, km, minutes) in zip(history.sessions, R, strict=True):
        assert session.date == start.date()
        # A tenth of a mile, and a minute, are the roughest that these logs tell.
        assert session.distance_m == pytest.approx(1000 * km, abs=85.0)
        assert session.minutes == pytest.approx(minutes, abs=1.0)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_cannot_be_known_is_refused(name: str, reading: Callable[..., History]) -> None:
    with pytest.raises(ValueError, match=re.escape(REFUSED[name])):
        reading(X[name])


def test_the_remedies_work(reading: Callable[..., History]) -> None:
    (session,) = reading(X["polar_session"], date_order="dmy").sessions
    assert (session.date, session.distance_m) == (R[0][0].date(), 1000 * R[0][1])
    history = reading(X["slow_km_bare"], distance_unit="km")
    assert history.sessions[0].distance_m == pytest.approx(1000 * R[0][1])


@pytest.mark.parametrize(
    ("name", "quantity", "words"),
    [
        ("strava", "distance", "'Distance': names no unit, read as"),
        ("strava", "time", "'Moving Time': a number of seconds"),
        ("garmin_en_miles", "distance", "read as miles: median pace 9:13 min/mile"),
        ("garmin_de", "distance", "decimal comma"),
        ("diary_pl", "table", "cp1250"),
        ("excel_mmss00", "time", "a spreadsheet's reading of mm:ss"),
        ("diary_mmss_dot", "time", "mm.ss: no number has 60 hundredths"),
        ("diary_pace_only", "time", "min/mile times the distance"),
    ],
)
def test_the_table_says_how(
    name: str, quantity: str, words: str, reading: Callable[..., History]
) -> None:
    assert words in dict(reading(X[name]).report.understood)[quantity]


def test_sessions_of_another_pace_are_listed_where_no_column_tells_sports(
    reading: Callable[..., History],
) -> None:
    rows = "".join(f"2023-01-{day:02d},10,{55 + day % 3}\n" for day in range(1, 21))
    log = f"date,km,minutes\n{rows}2023-02-01,20,60\n2023-02-02,4,48\n"
    history = reading(log)
    assert len(history.sessions) == 20
    odd = [item.source[-2:] for item in history.report.left_out]
    assert odd == ["22", "23"]
    assert {item.reason for item in history.report.left_out} == {
        "implausible pace beside the others"
    }
    assert any("--keep-all" in note for note in history.report.notes)
    assert len(reading(log, keep_all=True).sessions) == 22
    many = "".join(f"2023-02-{day:02d},22,60\n" for day in range(1, 16))
    with pytest.raises(ValueError, match="implausible pace beside the others.*--keep-all"):
        reading(f"date,km,minutes\n{rows}{many}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("date,km,time\n", "no row that fits"),
        ("a,b\n1,2\n", "has no header.*--map"),
        ("km,time\n5,30\n", "no column is called a date.*--map date"),
        ("date,time\n2024-01-01,30\n", "no column is called a distance.*--map distance"),
        ("date,km\n2024-01-01,5\n", "no column is called a time.*--map time"),
        ("date,km,time\n2/1/2024,5,30\n", "line 2, column 'date'.*--date-order dmy or mdy"),
        ("date,km,time\n2024-01-01,5,0:01\n", "median pace would be.*implausible"),
        ("date,distance,time\n2024-01-01,5,37:00\n2024-01-03,5,37:00\n", "--distance-unit"),
        (
            'date,miles,time\n2024-01-01,"6.5",60\n2024-01-02,"6,5",60\n2024-01-03,"6,000",60\n',
            "line 3.* says '6,5' and line 2.* '6.5'.*thousands.*--decimal",
        ),
        (
            "date,distance a,distance b,time\n2024-01-01,5,9,30\n",
            "has no header|no column is called a distance",
        ),
        (
            "date,km,km,time\n2024-01-01,5,6,30\n2024-01-02,5,7,30\n",
            "do not agree: give them names",
        ),
        ('{"date": 1}', "is JSON"),
        ("<?xml version='1.0'?><x/>", "is XML"),
        (b"PK\x03\x04abcdef", "spreadsheet or archive"),
        (b"\xd0\xcf\x11\xe0abc", "Excel"),
        (b"date,km\x00,time\n", "zero bytes"),
    ],
)
def test_what_is_no_log_is_refused_by_name(
    text: str | bytes, message: str, reading: Callable[..., History]
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        reading(text)
    assert "log.csv" in str(caught.value)


def test_columns_by_hand(reading: Callable[..., History]) -> None:
    log = "When it was;Km total;How long;Of what\n" + "".join(
        f"2023-01-{day:02d};10;{54 + day};{'Run' if day % 2 else 'Ride'}\n" for day in range(1, 11)
    )
    columns = {
        "date": "When it was",
        "distance": "km TOTAL",
        "time": "How long",
        "sport": "Of what",
    }
    assert len(reading(log, columns=columns).sessions) == 5
    with pytest.raises(ValueError, match="--map time='Long': there is no such column.*'How long'"):
        reading(log, columns={**columns, "time": "Long"})


def test_rows_that_cannot_be_sessions_are_named(reading: Callable[..., History]) -> None:
    rows = [f"2023-01-{day:02d},10,{55 + day % 3}" for day in range(1, 21)]
    bad = {
        "2023-02-30,10,55": "no date that can be read",
        "2023-02-03,ten,55": "distance not understood",
        "2023-02-04,10,fast": "time not understood",
        "2023-02-05,10,0": "time is zero",
        "2023-02-06,-10,55": "distance or time is negative",
        "2023-02-07,10": "row cannot be taken apart",
        "1949-12-31,10,55": "date out of range",
        "2013-02-08,10,55": "date years away from all others",
        "Total,200,1110": "summary row",
    }
    history = reading("\n".join(["date,km,minutes", *rows, *bad, ""]))
    assert len(history.sessions) == 20
    found = {int(item.source.rpartition(" ")[2]): item.reason for item in history.report.left_out}
    assert found == dict(enumerate(bad.values(), start=22))


def test_sums_of_weeks_are_no_sessions_and_a_long_run_is_one(
    reading: Callable[..., History],
) -> None:
    rows, week = [], []
    for day in range(1, 29):
        km, minutes = 5.0 + day % 4, 27.5 + 5.5 * (day % 4) + day / 10
        week.append((km, minutes))
        rows.append(f"2023-01-{day:02d},{km},{minutes:.1f}")
        if day % 7 == 0:
            total, time = (sum(part) for part in zip(*week, strict=True))
            rows.append(f"2023-01-{day:02d},{total},{time:.1f}")
            week = []
    history = reading("\n".join(["date,km,minutes", *rows]))
    assert len(history.sessions) == 28
    assert {item.reason for item in history.report.left_out} == {"summary row"}
    plain = "".join(f"2023-01-{day:02d},5,{27 + day % 2}\n" for day in range(1, 6))
    assert len(reading(f"date,km,minutes\n{plain}2023-01-09,25,150\n").sessions) == 6


def test_a_session_without_a_time_is_kept_and_told(reading: Callable[..., History]) -> None:
    history = reading("date,km,minutes\n2023-01-01,10,55\n2023-01-02,10,\n2023-01-03,10,--\n")
    assert [session.minutes > 0 for session in history.sessions] == [True, False, False]
    assert any("2 session(s) have no time" in note for note in history.report.notes)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("Average Speed", "{metres_per_second:.3f}"),
        ("Avg Speed (km/h)", "{kmh:.2f}"),
        ("Avg Pace (min/km)", "{pace}"),
        ("Avg Pace", "{pace} /km"),
    ],
)
@pytest.mark.parametrize("unit", ["km", "miles"])
def test_a_column_with_a_unit_decides_that_of_the_distance(
    column: str, value: str, unit: str, reading: Callable[..., History]
) -> None:
    lines = [f"date,distance,time,{column}"]
    # Between 6:12 and 8:15 a unit, both units are plausible.
    minutes_per_km = 7.0 if unit == "km" else 4.4
    for day in range(1, 20):
        km = 5.0 + day / 4
        minutes = km * minutes_per_km
        seconds = round(60 * minutes_per_km)
        told = value.format(
            metres_per_second=1000 / seconds,
            kmh=3600 / seconds,
            pace=f"{seconds // 60}:{seconds % 60:02d}",
        )
        distance = km if unit == "km" else km / 1.609344
        lines.append(f"2023-01-{day:02d},{distance:.3f},{minutes:.3f},{told}")
    history = reading("\n".join(lines))
    assert f"read as {unit}" in dict(history.report.understood)["distance"]
    assert any(f"its unit is decided by column {column!r}" in note for note in history.report.notes)
    with pytest.raises(ValueError, match="--distance-unit km or miles"):
        reading("\n".join(line.rpartition(",")[0] for line in lines))
