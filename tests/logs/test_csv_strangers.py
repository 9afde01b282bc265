"""Tables as strangers keep and export them: cells that say more than a number, dates, sports."""

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


@pytest.mark.parametrize("cell", ["6x800", "2 x 20 min", "8/10", "10-12"])
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
