"""Dates, durations, numbers and names of sports in single cells, as people write them."""

from __future__ import annotations

import math
from datetime import date

import pytest

from fitgym.logs.csv_dates import read_dates, read_moment
from fitgym.logs.csv_numbers import decimal_evidence, parse_number, read_times
from fitgym.logs.words import fold, sport_of, words


@pytest.mark.parametrize(
    "cell",
    [
        "2023-01-02",
        "2023-01-02T07:30:00Z",
        "2023-01-02 07:30:00 -0800",
        "2023/1/2",
        "20230102",
        "44928",
        "44928.3125",
        "1672644600",
        "1672644600000",
        "Jan 2, 2023, 7:30:00 AM",
        "Mon, 02 Jan 2023 07:30:00 GMT",
        "Mon Jan 02 07:30:00 PST 2023",
        "2. Januar 2023",
        "2 janv. 2023 \u00e0 07:30:00",
        "lun. 2 janv. 2023",
        "2 de ene. de 2023",
        "2 gen 2023, 07:30:00",
        "2 de jan. de 2023 07:30:00",
        "2 jan. 2023",
        "2. jan. 2023 07.30.00",
        "m\u00e5n 2 jan. 2023",
        "2 stycznia 2023",
        "2-Jan-23",
        "02-JAN-2023",
        "January 2nd, 2023 at 7:30AM",
    ],
)
def test_one_day_in_many_spellings(cell: str) -> None:
    moment = read_moment(cell)
    assert moment is not None
    assert moment.day == date(2023, 1, 2)


@pytest.mark.parametrize(
    "cell", ["", "Total", "Jan 2", "07:30", "2023-W01", "Q1 2023", "2023-13-01", "yesterday", "12"]
)
def test_what_is_no_date(cell: str) -> None:
    assert read_moment(cell) is None


@pytest.mark.parametrize(
    ("cells", "days", "label"),
    [
        (["1/2/2023", "13/2/2023"], [(2023, 2, 1), (2023, 2, 13)], "day/month/year"),
        (["1/2/23", "1/13/23"], [(2023, 1, 2), (2023, 1, 13)], "month/day/year"),
        (["23-01-02", "23-12-31"], [(2023, 1, 2), (2023, 12, 31)], "year/month/day"),
        (["1.2.2023", "3.2.2023"], [(2023, 2, 1), (2023, 2, 3)], "day/month/year"),
        # Only as month/day/year are these in order of time.
        (
            [f"{month}/{day}/2023" for month in (1, 2, 3) for day in (2, 7, 11)],
            [(2023, month, day) for month in (1, 2, 3) for day in (2, 7, 11)],
            "month/day/year (only so are the rows in order of time)",
        ),
        # Of a day that is in the future in one order, the other one is meant.
        (["1/2/2023", "5/31/2023", "x"], [(2023, 1, 2), (2023, 5, 31)], "month/day/year"),
    ],
)
def test_orders(cells: list[str], days: list[tuple[int, int, int]], label: str) -> None:
    dates = read_dates(cells, None, [f"row {row}" for row in range(len(cells))])
    assert [day for day in dates.days if day] == [date(*day) for day in days]
    assert dates.label == label


def test_orders_that_nothing_or_everything_tells() -> None:
    with pytest.raises(ValueError, match="row 0: '1/2/2023' may be .* give --date-order"):
        read_dates(["1/2/2023", "3/4/2023"], None, ["row 0", "row 1"])
    with pytest.raises(ValueError, match="no one order fits all rows"):
        read_dates(["31/1/2023", "1/31/2023"], None, ["row 0", "row 1"])
    told = read_dates(["31/1/2023", "1/31/2023"], "dmy", ["row 0", "row 1"])
    assert told.days == [date(2023, 1, 31), None]


@pytest.mark.parametrize(
    ("cell", "minutes"),
    [
        ("0h30", 30.0),
        ("1h 02m 03s", 62.05),
        ("30'30\"", 30.5),
        ("1h05'30\"", 65.5),
        ("PT1H30M", 90.0),
        ("1 hr 5 min", 65.0),
        ("2 Std. 5 Min.", 125.0),
        ("1 hour, 5 minutes", 65.0),
        ("52 min 30", 52.5),
        ("12:30:30 AM", 30.5),
        ("1:02:30 AM", 62.5),
        ("1900-01-00 00:30:30", 30.5),
        ("1:1:30", 61.5),
        ("1.05.30", 65.5),
    ],
)
def test_durations_that_tell_their_unit(cell: str, minutes: float) -> None:
    (times,) = read_times([cell], ".", None, None)
    assert times.minutes == [pytest.approx(minutes)]


def test_durations_that_may_be_several() -> None:
    assert [times.minutes for times in read_times(["0:30"], ".", None, None)] == [[0.5], [30.0]]
    assert [times.minutes for times in read_times(["0:30"], ".", None, "h:mm")] == [[30.0]]
    both = read_times(["45:10", "1:05:10"], ".", None, None)
    assert [times.minutes for times in both] == [
        [pytest.approx(45 + 1 / 6), pytest.approx(65 + 1 / 6)]
    ]
    assert [times.minutes[0] for times in read_times(["90"], ".", None, None)][:2] == [90.0, 1.5]
    slips = read_times([f"{minute}:00" for minute in range(20, 40)] + ["41.24"], ".", None, None)
    assert math.isnan(slips[0].minutes[-1])
    for cell in ("DNF", "1:75", "1:75:00", "-5:00", "half an hour", "1d 1d"):
        assert all(math.isnan(times.minutes[0]) for times in read_times([cell], ".", None, None))


@pytest.mark.parametrize(
    ("cell", "decimal", "number"),
    [
        ("5.25", ".", 5.25),
        ("5,25", ",", 5.25),
        ("1,234.5", ".", 1234.5),
        ("1.234,5", ",", 1234.5),
        ("12'345", ".", 12345.0),
        ("1\u202f234,5 km", ",", 1234.5),
        ("5 km", ".", 5.0),
        ("12,34", ".", 12.34),
        ("1,2345,6", ".", math.nan),
        ("1_0", ".", math.nan),
        ("\u0661", ".", math.nan),
        ("ten", ".", math.nan),
        ("1e400", ".", math.nan),
    ],
)
def test_numbers(cell: str, decimal: str, number: float) -> None:
    assert parse_number(cell, decimal) == pytest.approx(number, nan_ok=True)


def test_evidence_of_the_decimal_sign() -> None:
    assert decimal_evidence(["6,000", "5.5"]) == ({".": [1]}, True)
    assert decimal_evidence(["6,000", "12,000"]) == ({}, True)
    assert decimal_evidence(["0,500"]) == ({",": [0]}, False)
    assert decimal_evidence(["1.234,5", "1,234.5"]) == ({",": [0], ".": [1]}, False)
    assert decimal_evidence(["6", "7 km", ""]) == ({}, False)


@pytest.mark.parametrize(
    ("name", "sport"),
    [
        ("Running", "run"),
        ("Course \u00e0 pied", "run"),
        ("HKWorkoutActivityTypeRunning", "run"),
        ("trail_running", "run_trail"),
        ("Corsa su tapis roulant", "run_treadmill"),
        ("L\u00f8petur", "run"),
        ("Run/Walk", "run"),
        ("Cross-country running", "run"),
        ("Langlauf", "ski"),
        ("Mountain Bike Ride", "bike"),
        ("Indoor Cycling", "bike_indoor"),
        ("Caminata al Aire Libre", "walk"),
        ("Cross training", "other"),
        ("Zumba", None),
    ],
)
def test_sports(name: str, sport: str | None) -> None:
    assert sport_of(name) == sport


def test_words_are_folded_in_the_data_file() -> None:
    assert fold("Dur\u00e9e (h:mm:ss)") == "duree h mm ss"
    assert fold("DistanceInMeters") == "distance in meters"
    known = words()
    names = [name for ranks in known.columns.values() for name in ranks]
    names += [*known.sports, *known.months, *known.weekdays, *known.run_kinds, *known.totals]
    assert [name for name in names if fold(name) != name] == []
