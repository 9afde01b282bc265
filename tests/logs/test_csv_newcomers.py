"""Logs as newcomers keep them: read right, or refused with all that is to be told at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fitgym.logs import History, ReadingOptions, read

Reading = Callable[..., History]


@pytest.fixture
def reading(tmp_path: Path) -> Reading:
    def write(text: str, **options: object) -> History:
        path = tmp_path / "log.csv"
        path.write_text(text, encoding="utf-8")
        return read(path, options=ReadingOptions(**options))  # type: ignore[arg-type]

    return write


def sessions(history: History) -> list[tuple[str, float, float]]:
    return [
        (str(one.date), round(one.distance_m / 1000.0, 2), round(one.minutes, 2))
        for one in history.sessions
    ]


def how(history: History, quantity: str) -> str:
    return dict(history.report.understood)[quantity]


# Times of one column.


@pytest.mark.parametrize("long_runs", [2, 5, 8])
def test_minutes_of_short_and_hours_of_long_runs(long_runs: int, reading: Reading) -> None:
    rows = [("10", "56:00"), ("8", "45:30"), ("9", "51:06"), ("11", "1:02"), ("7", "40:00")][:3]
    rows += [("20", "1:54"), ("21.5", "2:02")] * (long_runs // 2)
    text = "Date,km,Time\n" + "".join(
        f"2026-08-{day:02d},{km},{time}\n" for day, (km, time) in enumerate(rows, start=1)
    )
    history = reading(text)
    assert [minutes for _, _, minutes in sessions(history)] == [
        56.0, 45.5, 51.1, *[114.0, 122.0] * (long_runs // 2),
    ]  # fmt: skip
    assert "by the pace" in how(history, "time")


def test_hours_and_minutes_beside_hours_minutes_and_seconds(reading: Reading) -> None:
    history = reading(
        "Date,km,Time\n2026-08-01,10,0:56:00\n2026-08-03,8,45:30\n2026-08-05,20,1:54\n"
    )
    assert [minutes for _, _, minutes in sessions(history)] == [56.0, 45.5, 114.0]
    assert "h:mm in 1 row(s)" in how(history, "time")
    assert "row 4" in how(history, "time")


def test_one_long_run_in_hours_beside_numbers_of_minutes(reading: Reading) -> None:
    history = reading(
        "Date,km,Time\n2026-01-02,8,45\n2026-01-04,20,1:54\n2026-01-06,9,50\n2026-01-08,10,55\n"
    )
    assert [minutes for _, _, minutes in sessions(history)] == [45.0, 114.0, 50.0, 55.0]


def test_a_form_in_the_header_is_kept(reading: Reading) -> None:
    history = reading(
        "Date,km,Time (mm:ss)\n"
        + "".join(f"2026-08-0{day},8,45:3{day}\n" for day in range(1, 6))
        + "2026-08-07,20,1:54\n"
    )
    assert len(history.sessions) == 5
    assert "impossible speed" in how(history, "left out: 1")


def test_times_that_fit_no_pace_are_named(reading: Reading) -> None:
    with pytest.raises(ValueError, match=r"2 of 5 rows have an impossible pace.*row 5: '20'"):
        reading(
            "Date,km,Time (mm:ss)\n2026-08-01,8,45:30\n2026-08-02,8,45:00\n2026-08-03,8,44:00\n"
            "2026-08-05,20,1:54\n2026-08-06,21,2:01\n"
        )


# Paces and times.


@pytest.mark.parametrize(
    "name", ["Tempo (min/km)", "Tempo min/km", "Tempo [min/km]", "Zeit (min/km)", "Tempo"]
)
@pytest.mark.parametrize("duration", [True, False])
def test_german_tempo_is_a_pace(name: str, duration: bool, reading: Reading) -> None:
    header, rows = f"Datum;km;{name}", ["10;5:30", "8;5:45", "20;6:00"]
    if duration:
        header += ";Dauer"
        rows = [
            f"{row};{time}" for row, time in zip(rows, ("55:00", "46:00", "2:00:00"), strict=True)
        ]
    text = header + "\n" + "".join(f"0{day}.11.2025;{row}\n" for day, row in enumerate(rows, 1))
    history = reading(text)
    assert [minutes for _, _, minutes in sessions(history)] == [55.0, 46.0, 120.0]


def test_tempo_in_kilometres_an_hour_is_a_speed(reading: Reading) -> None:
    history = reading("Datum;km;Tempo (km/h)\n01.11.2025;10;10,0\n03.11.2025;8;12,0\n")
    assert [minutes for _, _, minutes in sessions(history)] == [60.0, 40.0]


def test_italian_tempo_is_a_time(reading: Reading) -> None:
    history = reading("Data;Km;Tempo\n01.11.2025;10;55:00\n03.11.2025;8;46:00\n")
    assert [minutes for _, _, minutes in sessions(history)] == [55.0, 46.0]
    with pytest.raises(ValueError, match=r"may hold times .* or paces .*'pace \(min/km\)'"):
        reading("Datum;km;Tempo\n01.11.2025;1.5;5:30\n03.11.2025;1.4;5:45\n")


# Decimal signs, digits and spellings.


def test_another_decimal_sign_is_read_and_named(reading: Reading) -> None:
    rows = "".join(f"0{day}.08.2025;8,{day};0:46:00\n" for day in range(1, 9))
    history = reading(f"Datum;km;Dauer\n{rows}09.08.2025;10.5;1:00:00\n")
    assert sessions(history)[-1] == ("2025-08-09", 10.5, 60.0)
    assert any("'.' in row 10 ('10.5')" in note for note in history.report.notes)


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        ("Date,Run (mi),Duration", "2025-11-03,5,45:00", ("2025-11-03", 8.05, 45.0)),
        ("Date,Planned km,Actual km,Time", "2025-11-03,9,8,45:00", ("2025-11-03", 8.0, 45.0)),
        ("Date,Actual miles,Time", "2025-11-03,5,45:00", ("2025-11-03", 8.05, 45.0)),
        ("Date,km,Time", "2025-11-03,8,0 days 00:50:00", ("2025-11-03", 8.0, 50.0)),
        ("Date,km,Time", '2025-11-03,8,"=""50:00"""', ("2025-11-03", 8.0, 50.0)),
        ("Date,km,Start,End", "2025-11-03,8,18:10,19:00", ("2025-11-03", 8.0, 50.0)),
        ("Date,km,Start,End", "2025-11-03,8,11:40 PM,12:30 AM", ("2025-11-03", 8.0, 50.0)),
        (
            "Start time,End time,km",
            "2025-11-03 18:10:00,2025-11-03 19:00:30,8",
            ("2025-11-03", 8.0, 50.5),
        ),
        (
            "Date,km,Time",
            "\uff12\uff10\uff12\uff15-\uff11\uff11-\uff10\uff13,\uff18,\uff14\uff15\uff1a\uff10\uff10",
            ("2025-11-03", 8.0, 45.0),
        ),
        (
            "Date,km,Time",
            "\u0662\u0660\u0662\u0665-\u0661\u0661-\u0660\u0663,\u0668\u066b\u0665,\u0664\u0665:\u0660\u0660",
            ("2025-11-03", 8.5, 45.0),
        ),
        (
            "\u65e5\u4ed8,\u8ddd\u96e2\uff08km\uff09,\u6642\u9593",
            "2025\u5e7411\u67083\u65e5,8,45:00",
            ("2025-11-03", 8.0, 45.0),
        ),
    ],
)
def test_spellings(
    header: str, row: str, expected: tuple[str, float, float], reading: Reading
) -> None:
    assert sessions(reading(f"{header}\n{row}\n")) == [expected]


@pytest.mark.parametrize(
    ("run", "ride"),
    [
        ("\u30e9\u30f3\u30cb\u30f3\u30b0", "\u30b5\u30a4\u30af\u30ea\u30f3\u30b0"),
        ("\u6237\u5916\u8dd1\u6b65", "\u9a91\u884c"),
        ("\u0411\u0435\u0433", "\u0412\u0435\u043b\u043e\u0441\u0438\u043f\u0435\u0434"),
        ("Juoksu", "Py\u00f6r\u00e4ily"),
    ],
)
def test_sports_of_more_languages(run: str, ride: str, reading: Reading) -> None:
    history = reading(
        f"Date,km,Time,Type\n2025-11-03,8,45:00,{run}\n2025-11-04,25,1:00:00,{ride}\n"
        f"2025-11-05,9,50:00,{run}\n"
    )
    assert [km for _, km, _ in sessions(history)] == [8.0, 9.0]
    assert "sport is bike" in how(history, "left out: 1")


def test_lines_before_the_header_are_counted_as_an_editor_does(reading: Reading) -> None:
    history = reading("My diary;;\n;;\nDatum;km;Dauer\n03.11.2025;8;45:00\n")
    assert "2 line(s) before the header were passed over" in history.report.notes


# Dates.


def test_dates_without_a_year_take_that_of_their_neighbours(reading: Reading) -> None:
    history = reading(
        "Date,km,Time\n12/28/2024,8,45:00\nDec 30,9,50:00\nJan 2,10,55:00\n1/4/2025,8,45:00\n"
        "Jan 6,8,44:00\n"
    )
    days = [day for day, _, _ in sessions(history)]
    assert days == ["2024-12-28", "2024-12-30", "2025-01-02", "2025-01-04", "2025-01-06"]
    assert "the year of 3 row(s)" in how(history, "date")
    dotted = reading("Datum;km;Dauer\nMo 2.11.25;8;45:00\nMi 4.11.;10;55:00\nSo 8.11.25;9;50:00\n")
    assert [day for day, _, _ in sessions(dotted)] == ["2025-11-02", "2025-11-04", "2025-11-08"]
    disordered = reading(
        "Date,km,Time\n12/28/2024,8,45:00\n1/4/2025,8,45:00\nJan 2,10,55:00\n12/1/2024,8,44:00\n"
        "1/20/2025,8,43:00\n"
    )
    assert "no date that can be read" in how(disordered, "left out: 1")


def test_one_odd_date_does_not_make_days_of_months(reading: Reading) -> None:
    rows = "11/03/2025,8,45:00\n11/05/2025,8,46:00\n11/08/2025,8,47:00\n13/11/2025,8,44:00\n"
    with pytest.raises(ValueError, match=r"'13/11/2025'.*--date-order dmy or mdy"):
        reading(f"Date,km,Time\n{rows}")
    history = reading(f"Date,km,Time\n{rows}", date_order="mdy")
    assert [day for day, _, _ in sessions(history)] == ["2025-11-03", "2025-11-05", "2025-11-08"]


def test_all_questions_come_at_once(reading: Reading) -> None:
    text = "Date,Distance,Time\n1/7/25,6,46:00\n3/7/25,7,55:00\n4/7/25,5,39:00\n"
    with pytest.raises(ValueError, match=r"--date-order dmy or mdy .*probably dmy") as caught:
        reading(text)
    assert "--distance-unit km or miles" in str(caught.value)
    assert "ymd" not in str(caught.value)
    history = reading(text, date_order="dmy", distance_unit="km")
    assert [day for day, _, _ in sessions(history)] == ["2025-07-01", "2025-07-03", "2025-07-04"]


# What is not summed without a word.


def days(cells: list[str]) -> str:
    return "".join(f"2025-11-{day:02d},{cell}\n" for day, cell in enumerate(cells, start=1))


def test_people_under_name(reading: Reading) -> None:
    rows = ["Anna,8,45:00", "Ben,9,50:00", "Anna,8,44:00", "Ben,10,52:00"]
    with pytest.raises(ValueError, match=r"column 'Name' names 2 people \('Anna', 'Ben'\)"):
        reading("Date,Name,km,Time\n" + days(rows))
    for names in (("Morning Run", "Evening Run"), ("Park", "River"), ("Tempo", "Long")):
        titled = [row.replace("Anna", names[0]).replace("Ben", names[1]) for row in rows]
        assert len(reading("Date,Name,km,Time\n" + days(titled)).sessions) == 4


def test_repetitions_beside_a_distance(reading: Reading) -> None:
    text = "Date,Reps,Distance (km),Time\n" + days(["6,1,4:30", "1,8,45:00", ",9,50:00"])
    with pytest.raises(ValueError, match=r"'Reps' says how often.*--map distance"):
        reading(text)
    assert len(reading(text, columns={"distance": "Distance (km)"}).sessions) == 3


def test_laps_of_a_kilometre_and_a_half_and_more(reading: Reading) -> None:
    laps = "".join(
        f"2025-11-{day:02d},2.0,{minutes}:0{day}\n"
        for day in range(1, 6)
        for minutes in (10, 11, 12)
    )
    with pytest.raises(ValueError, match=r"laps of one session\?.*--keep-all"):
        reading(f"Date,km,Duration\n{laps}")
    assert len(reading(f"Date,km,Duration\n{laps}", keep_all=True).sessions) == 15


def test_a_short_time_of_the_morning(reading: Reading) -> None:
    text = "Date,km,Time\n" + days(["1.5,06:30", "1.6,07:15", "1.4,06:45"])
    with pytest.raises(ValueError, match=r"minutes and seconds or times of day.*'time \(mm:ss\)'"):
        reading(text)
    assert len(reading(text, columns={"time": "Time"}).sessions) == 3
    assert len(reading(text.replace("Time", "Time (mm:ss)")).sessions) == 3
