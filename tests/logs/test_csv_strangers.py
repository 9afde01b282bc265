"""Tables as strangers keep and export them: cells that say more than a number, dates, sports."""

from __future__ import annotations

import zipfile
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


def reasons(history: History) -> list[str]:
    return [item.reason for item in history.report.left_out]


def days(rows: list[str], header: str = "Date,Distance,Time") -> str:
    """Return a table of a row every second day, from 2025-03-01 on."""
    lines = [f"2025-03-{1 + 2 * number:02d},{row}" for number, row in enumerate(rows)]
    return "\n".join([header, *lines]) + "\n"


PLAIN = ["8 km,45:00", "10 km,55:30", "12 km,1:06:00", "8 km,44:30"]


# Cells that say more than a number.


@pytest.mark.parametrize(
    ("cells", "kilometres", "minutes"),
    [
        ("10 km*,55:00", 10.0, 55.0),
        ("~9 km,50:00", 9.0, 50.0),
        ("ca. 7 km,40:00", 7.0, 40.0),
        ("21.1 km (race),1:40:00 (PB)", 21.1, 100.0),
        ("6.21 mi (10 km),55:00", 9.99, 55.0),
        ("8+10 km,1:40:00", 18.0, 100.0),
        ("2.5 + 8 + 1.5 km,1:06:00", 12.0, 66.0),
        ("HM,1:58:00", 21.1, 118.0),
        ("Marathon,4:10:00", 42.2, 250.0),
    ],
)
def test_cells_that_say_more_than_a_number(
    cells: str, kilometres: float, minutes: float, reading: Reading
) -> None:
    history = reading(days([*PLAIN, cells]))
    assert sessions(history)[-1] == ("2025-03-09", kilometres, minutes)
    told = repr(cells.partition(",")[0])
    assert any(told in note for note in history.report.notes)


def test_parts_of_a_day_are_added_in_minutes_and_with_a_decimal_comma(reading: Reading) -> None:
    text = "Datum;km;min\n01.03.2025;8,5+10;45+55\n03.03.2025;12;66\n14.03.2025;6,5;34\n"
    assert sessions(reading(text)) == [
        ("2025-03-01", 18.5, 100.0),
        ("2025-03-03", 12.0, 66.0),
        ("2025-03-14", 6.5, 34.0),
    ]


def test_a_unit_in_brackets_is_no_remark(reading: Reading) -> None:
    history = reading(days(["5 (miles),45:00", "6 (miles),54:00", "7 (miles),63:00"]))
    assert [km for _, km, _ in sessions(history)] == [8.05, 9.66, 11.27]


@pytest.mark.parametrize(
    "cell", ["6x800", "2 x 20 min", "8/10", "10-12", "5 km (x2)", "12 km (planned)", "12 km (DNF)"]
)
def test_what_is_no_distance_is_left_out_and_named(cell: str, reading: Reading) -> None:
    history = reading(days([*PLAIN, f"{cell},40:00"]))
    assert len(history.sessions) == 4
    assert reasons(history) == ["distance not understood"]


def test_distances_that_cannot_be_read_are_not_blamed_on_the_times(reading: Reading) -> None:
    with pytest.raises(ValueError, match="column 'Distance' holds no distances.*'far'"):
        reading(days(["far,45:00", "further,55:00"]))


def test_units_of_time_in_other_scripts(reading: Reading) -> None:
    rows = ["8 км,45 мин", "10 км,1 ч 2 мин", "6 km,33分20秒", "18 km,1時間40分0秒"]
    assert [minutes for _, _, minutes in sessions(reading(days(rows)))] == [
        45.0,
        62.0,
        33.33,
        100.0,
    ]


# Dates.


@pytest.mark.parametrize("cell", ["3-5 March 2025", "March 3-5 2025", "3 & 5 March 2025"])
def test_several_days_are_no_date(cell: str, reading: Reading) -> None:
    rows = [f"{day} March 2025,{day} km,{6 * day}:00" for day in (7, 9, 11)]
    history = reading("\n".join(["Date,Distance,Time", f"{cell},24 km,2:15:00", *rows]) + "\n")
    assert [day for day, _, _ in sessions(history)] == ["2025-03-07", "2025-03-09", "2025-03-11"]
    assert reasons(history) == ["no date that can be read"]


def test_dates_by_week_and_day_of_the_week(reading: Reading) -> None:
    text = (
        "Date,Distance,Time\n2025-W10-1,8 km,45:00\n2025-W10-7,10 km,55:00\n2026W011,9 km,50:00\n"
    )
    assert [day for day, _, _ in sessions(reading(text))] == [
        "2025-03-03",
        "2025-03-09",
        "2025-12-29",
    ]


@pytest.mark.parametrize("cell", ["Mon 3 Mar", "3.3.", "3/3"])
def test_dates_without_a_year_are_refused_with_the_remedy(cell: str, reading: Reading) -> None:
    with pytest.raises(ValueError, match="write them with their year, as in 2025-03-31"):
        reading(f"Date,Distance,Time\n{cell},8 km,45:00\n{cell},10 km,55:00\n")


def test_dates_in_a_column_of_times_come_before_those_of_an_import(reading: Reading) -> None:
    starts = [1_741_025_112 + 172_800 * number for number in range(4)]
    text = "sport,time,created,distance,duration\n" + "".join(
        f"Running,{start},1748736000,{8 + n},{45 + 6 * n}:00\n" for n, start in enumerate(starts)
    )
    assert [day for day, _, _ in sessions(reading(text))] == [
        "2025-03-03", "2025-03-05", "2025-03-07", "2025-03-09",
    ]  # fmt: skip


# Sports.


def test_pictures_of_sports(reading: Reading) -> None:
    rows = ["🏃,8 km,45:00", "🚴,18 km,1:00:00", "🏃‍♀️ easy,10 km,55:00", "🏊,2 km,40:00"]
    history = reading(days(rows, "Date,Sport,Distance,Time"))
    assert [km for _, km, _ in sessions(history)] == [8.0, 10.0]
    assert sorted(reasons(history)) == ["sport is bike", "sport is swim"]


def test_sports_of_which_none_is_known_are_told(reading: Reading) -> None:
    rows = [f"{kind},{km},{time}" for kind, km, time in [
        ("Aa", "8 km", "45:00"), ("Bb", "12 km", "50:00"),
        ("Aa", "10 km", "55:00"), ("Bb", "13 km", "55:00"),
    ]]  # fmt: skip
    history = reading(days(rows, "Date,Sport,Distance,Time"))
    (told,) = [note for note in history.report.notes if "'Aa' (2), 'Bb' (2)" in note]
    assert "all rows are taken as run" in told


def test_a_note_that_is_the_name_of_another_sport(reading: Reading) -> None:
    notes = ["", "bike", "windy, and the bike broke", "Rad"]
    rows = [f"{cells},{note!r}".replace("'", '"') for cells, note in zip(PLAIN, notes, strict=True)]
    history = reading(days(rows, "Date,Distance,Time,Notes"))
    assert [km for _, km, _ in sessions(history)] == [8.0, 12.0]
    assert reasons(history) == ["sport is bike", "sport is bike"]
    assert any("in row 4 ('windy, and the bike broke')" in note for note in history.report.notes)


def test_run_of_a_cyclist_with_notes(reading: Reading) -> None:
    rows = ["30 km,1:10:00,", "28 km,1:05:00,bike", "10 km,55:00,run", "25 km,1:00:00,"]
    history = reading(days(rows, "Date,Distance,Time,Notes"), sport="bike")
    assert [km for _, km, _ in sessions(history)] == [30.0, 28.0, 25.0]


def test_titles_that_a_service_writes_in_spanish(reading: Reading) -> None:
    titles = ["Carrera por la tarde", "Vuelta ciclista por la mañana"] * 2
    rows = [f"{cells},{title}" for cells, title in zip(PLAIN, titles, strict=True)]
    history = reading(days(rows, "Fecha,Distancia,Tiempo,Nombre de la actividad"))
    assert [km for _, km, _ in sessions(history)] == [8.0, 12.0]
    assert reasons(history) == ["sport is bike"] * 2


# Sessions that did not take place.


@pytest.mark.parametrize(
    ("name", "states"),
    [
        ("Notes", ["", "skipped", "easy", "ausgefallen"]),
        ("Status", ["done", "missed", "done", "cancelled"]),
        ("Completed", ["TRUE", "FALSE", "TRUE", "FALSE"]),
        ("Done?", ["x", "", "x", ""]),
        ("Erledigt", ["\u2713", "", "\u2713", ""]),
    ],
)
def test_what_did_not_take_place_is_left_out(
    name: str, states: list[str], reading: Reading
) -> None:
    rows = [f"{cells},{state}" for cells, state in zip(PLAIN, states, strict=True)]
    history = reading(days(rows, f"Date,Distance,Time,{name}"))
    assert [km for _, km, _ in sessions(history)] == [8.0, 12.0]
    assert reasons(history) == ["did not take place"] * 2


@pytest.mark.parametrize(
    ("name", "states"), [("Notes", ["", "no", "x", ""]), ("Status", ["", "PB", "tired", ""])]
)
def test_what_is_no_denial_leaves_nothing_out(
    name: str, states: list[str], reading: Reading
) -> None:
    rows = [f"{cells},{state}" for cells, state in zip(PLAIN, states, strict=True)]
    assert len(reading(days(rows, f"Date,Distance,Time,{name}")).sessions) == 4


# The same session twice, and sums.


def test_one_session_of_two_devices(reading: Reading) -> None:
    text = (
        "Date,Distance,Time\n2025-03-01 18:05:12,8.03 km,45:10\n"
        "2025-03-01 18:05:50,8.11 km,45:30\n2025-03-01 20:00:00,8.05 km,45:00\n"
        "2025-03-03 07:10:00,10.0 km,55:00\n2025-03-03 07:12:00,4.0 km,25:00\n"
    )
    history = reading(text)
    assert [km for _, km, _ in sessions(history)] == [8.03, 8.05, 10.0, 4.0]
    (item,) = history.report.left_out
    assert (item.reason, item.detail) == ("the same session twice", "as row 2")


def test_two_sessions_of_a_day_whose_clocks_all_say_midnight(reading: Reading) -> None:
    text = "Date,Distance,Time\n" + "".join(
        f"2025-03-{day:02d} 00:00:00,{km} km,{time}\n"
        for day in (1, 3, 5)
        for km, time in ((5.1, "28:00"), (5.2, "28:30"))
    )
    assert len(reading(text).sessions) == 6


def test_sums_without_a_time_or_a_word(reading: Reading) -> None:
    rows = ["8,45:00", "10.3,57:30", "18.3,", "12,1:06:00", "8.4,44:30", "6,33:00", "26.4,"]
    history = reading(days(rows, "Date,km,Time"))
    assert [km for _, km, _ in sessions(history)] == [8.0, 10.3, 12.0, 8.4, 6.0]
    assert reasons(history) == ["summary row"] * 2


def test_sessions_without_a_time_that_are_no_sums_stay(reading: Reading) -> None:
    rows = ["8,45:00", "10,55:30", "18,", "12,1:06:00", "8.4,44:30", "10,"]
    assert len(reading(days(rows, "Date,km,Time")).sessions) == 6


WEEKS = ["2025-01-06", "2025-01-13", "2025-01-20", "2025-01-27", "2025-02-03", "2025-02-10"]
MONTHS = [f"2025-{month:02d}-01" for month in range(1, 7)]


@pytest.mark.parametrize("dates", [WEEKS, MONTHS])
def test_rows_that_are_weeks_or_months(dates: list[str], reading: Reading) -> None:
    def table(km: float) -> str:
        return "date,km,minutes\n" + "".join(
            f"{day},{km + number},{6 * km - number}\n" for number, day in enumerate(dates)
        )

    with pytest.raises(ValueError, match="are a (week|month) apart.*--keep-all"):
        reading(table(42.0))
    assert len(reading(table(42.0), keep_all=True).sessions) == 6
    history = reading(table(18.0))
    assert len(history.sessions) == 6
    assert any("apart: a log needs a row for each session" in n for n in history.report.notes)


def test_a_table_under_many_lines_and_dates_of_javascript(reading: Reading) -> None:
    rows = "".join(
        f"Mon Mar {day:02d} 2025 18:05:12 GMT+0100 (Central European Standard Time)\t{day} km\t"
        f"{6 * day}:00\n"
        for day in (5, 7, 9)
    )
    history = reading("a line, and another\n" * 60 + "Date\tDistance\tTime\n" + rows)
    assert [day for day, _, _ in sessions(history)] == ["2025-03-05", "2025-03-07", "2025-03-09"]


# One file for each session.


def session_file(day: str, header: str = "Date,Distance (km),Time") -> str:
    return f"{header}\n{day},8,45:00\n"


@pytest.mark.parametrize("packed", [False, True])
def test_files_with_the_same_columns_share_the_order_of_their_dates(
    packed: bool, tmp_path: Path
) -> None:
    files = {"1.csv": "03-04-2025", "2.csv": "13-04-2025", "3.csv": "05-04-2025"}
    if packed:
        with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
            for name, day in files.items():
                archive.writestr(name, session_file(day))
    else:
        for name, day in files.items():
            (tmp_path / name).write_text(session_file(day))
    history = read(tmp_path)
    assert [str(one.date) for one in history.sessions] == ["2025-04-03", "2025-04-05", "2025-04-13"]
    assert history.report.notes == (
        "2 tables: dates are read as day/month/year, as in 2.csv, which has the same columns",
    )
    assert dict(history.report.understood)["3 tables distance"].startswith("column 'Distance (km)'")


def test_files_that_tell_no_order_or_two_are_named(tmp_path: Path) -> None:
    days = {"1.csv": "03-04-2025", "2.csv": "13-04-2025", "3.csv": "04-25-2025"}
    for name, day in days.items():
        (tmp_path / name).write_text(session_file(day))
    (tmp_path / "other.csv").write_text(session_file("05-04-2025", "Day,km,Duration"))
    history = read(tmp_path)
    assert [str(one.date) for one in history.sessions] == ["2025-04-13", "2025-04-25"]
    told = {Path(item.source).name: item.detail for item in history.report.left_out}
    assert set(told) == {"1.csv", "other.csv"}
    assert all("give --date-order" in detail for detail in told.values())
    with pytest.raises(ValueError, match="1.csv: .*give --date-order"):
        read(tmp_path / "1.csv")
    assert len(read(tmp_path / "1.csv", tmp_path / "2.csv").sessions) == 2


# Columns.


def test_a_date_by_an_unknown_name_comes_before_that_of_an_import(reading: Reading) -> None:
    text = "Created At,Date of run,Date of birth,Distance (km),Duration\n" + "".join(
        f"2025-03-{day + 3:02d},2025-03-{day:02d},1985-04-12,{day},{6 * day}:00\n"
        for day in (5, 7, 9)
    )
    assert [day for day, _, _ in sessions(reading(text))] == [
        "2025-03-05", "2025-03-07", "2025-03-09",
    ]  # fmt: skip


def test_totals_of_days_of_a_telephone_are_refused(reading: Reading) -> None:
    with pytest.raises(ValueError, match="totals of days"):
        reading(
            "create_time,step_count,active_time,distance,day_time,run_step_count,healthy_step\n"
            "2025-03-03 00:10:00,11000,2700000,8030.1,1740960000000,1000,500\n"
        )


def test_hours_and_minutes_with_a_point_under_hours(reading: Reading) -> None:
    minutes = [45 + 6 * number for number in range(13)]
    rows = [f"{8 + n},{time // 60}.{time % 60:02d}" for n, time in enumerate(minutes)]
    history = reading(days(rows, "Date,km,Hours"))
    assert [time for _, _, time in sessions(history)] == minutes


@pytest.mark.parametrize(
    ("unit", "metres", "pace"), [("miles", 1609.344, 6.1), ("km", 1000.0, 8.5)]
)
def test_stride_and_cadence_decide_the_unit_of_an_unusual_pace(
    unit: str, metres: float, pace: float, reading: Reading
) -> None:
    rows = []
    for number in range(8):
        distance, minutes = 5 + number, (5 + number) * pace
        stride = distance * metres / minutes / 170.0
        rows.append(f"{distance},{int(minutes)}:{round(minutes % 1 * 60):02d},170,{stride:.3f}")
    history = reading(days(rows, "Date,Distance,Time,Avg Run Cadence,Avg Stride Length"))
    assert f"read as {unit}" in dict(history.report.understood)["distance"]
    assert history.sessions[0].distance_m == pytest.approx(5 * metres)


def test_sessions_under_a_title_of_plans(reading: Reading) -> None:
    text = days(PLAIN) + "\nGoals,,\n2025-04-20,42.2 km,3:45:00\n\nApril,,\n2025-04-02,9 km,50:00\n"
    history = reading(text)
    assert [km for _, km, _ in sessions(history)] == [8.0, 10.0, 12.0, 8.0, 9.0]
    assert "did not take place" in reasons(history)


@pytest.mark.parametrize(("name", "cell"), [("\u00d8 km/h", "10,91"), ("avg min/km", "5:30")])
def test_a_mean_is_named_by_its_unit(name: str, cell: str, reading: Reading) -> None:
    text = f"Datum;Strecke;{name}\n01.03.2025;8 km;{cell}\n13.03.2025;10 km;{cell}\n"
    assert [minutes for _, _, minutes in sessions(reading(text))] == pytest.approx(
        [44.0, 55.0], rel=1e-3
    )


def test_durations_with_their_days(reading: Reading) -> None:
    history = reading(days(["8 km,0.00:45:10", "14 km,0.01:20:00"]))
    assert [minutes for _, _, minutes in sessions(history)] == [45.17, 80.0]


def test_laps_that_a_column_counts_are_refused(reading: Reading) -> None:
    laps = [f"2025-03-{day:02d},{lap},1.0,5:30" for day in (1, 3) for lap in (1, 2, 3)]
    with pytest.raises(ValueError, match="'Lap' counts the laps"):
        reading("\n".join(["Date,Lap,Distance (km),Time", *laps]) + "\n")
    counts = [f"{cells},{laps}" for cells, laps in zip(PLAIN, (8, 10, 12, 8), strict=True)]
    assert len(reading(days(counts, "Date,Distance,Time,Laps")).sessions) == 4
