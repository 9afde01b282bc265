"""Dates in the cells of tables: ISO, two orders of numbers, names of months, serial numbers."""

from __future__ import annotations

import contextlib
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from fitgym.logs.csv_questions import Undecided
from fitgym.logs.dates import problem_of_date
from fitgym.logs.words import fold, words

ORDERS = {"dmy": "day/month/year", "mdy": "month/day/year", "ymd": "year/month/day"}

# Ours: so far from the first or last date with a year, one without is still told its year.
_FROM_END = timedelta(days=61)
# Ours: so many months in which only one day occurs are days, and the day is the month.
_SAME_DAY_MONTHS = 3
# Ours: with so many dates in order of time under one reading only, that reading is theirs.
_ROWS_TO_TELL_BY_ORDER = 8

_TIME = re.compile(
    r"(?<![\d:])(\d{1,2})(?::(\d\d)(?::(\d\d)(?:[.,]\d+)?)?|h(\d\d)(?![\d:]))\s*([ap]\.?\s?m\b\.?)?",
    re.IGNORECASE,
)
_IDEOGRAPHIC = re.compile(r"(\d{4})\s*\u5e74\s*(\d{1,2})\s*\u6708\s*(\d{1,2})\s*\u65e5")
_YEAR_FIRST = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)")
_NUMBERS = re.compile(r"(?<!\d)(\d{1,4})\s?([-/.])\s?(\d{1,2})\s?\2\s?(\d{4}|\d{2})(?!\d)")
_WEEK_DATE = re.compile(r"(\d{4})-?W(\d\d)-?([1-7])", re.ASCII)
_COMPACT = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)(?:T?(\d\d)(\d\d)(\d\d)?Z?)?")
_OFFSET = re.compile(r"(?:^|\s|gmt|utc)([+-])(\d\d):?(\d\d)(?:$|\s)|(?:^|\s)(z|utc|gmt)(?:$|\s)")
# Two days and what stands between them; a day has two numbers, or one beside the name of a month.
_BETWEEN = re.compile(
    r"\s(?:[-\u2013\u2014/]|to|bis|au|al|a|t/m|til|till|do)\s|[\u2013\u2014]|\.-|--"
)
_DAY = re.compile(r"\d{1,4}\s?[-/.]\s?\d{1,2}(?:\s?[-/.]\s?\d{2,4}|\.?)?")
# Day 0 of spreadsheets, and the serial numbers of 1980 and 2100.
_DAY_ZERO = datetime(1899, 12, 30)
_SERIALS = (29_221, 73_050)


@dataclass(frozen=True)
class Moment:
    """What one cell says of a date.

    Attributes:
        numbers: Three numbers whose order is open, or () where year, month and day are known.
        day: The date, where it is known.
        minutes: Minutes since midnight, None where no time of day is told.
        zone: ``utc``, ``offset`` or ``""`` where none is told.
        dotted: Whether full stops separate the numbers, as in orders that begin with the day.
    """

    numbers: tuple[int, ...] = ()
    day: date | None = None
    minutes: float | None = None
    zone: str = ""
    dotted: bool = False


@dataclass(frozen=True)
class Dates:
    """A column of dates that was understood.

    Attributes:
        label: How it was read.
        days: Date of each row, None where there is none.
        minutes: Minutes since midnight of each row, None where not told.
        zone: ``utc`` where most rows say so, ``offset``, or ``""``.
        order: The order of the numbers, one of ``ORDERS``; ``""`` where none was to be decided.
    """

    label: str
    days: list[date | None]
    minutes: list[float | None]
    zone: str
    order: str = ""


def is_period(cell: str) -> bool:
    """Return whether a cell names a first and a last day, as of a week."""
    parts = [part.strip(" .,") for part in _BETWEEN.split(cell.strip())]
    return len(parts) == 2 and all(_is_day(part) for part in parts)


def _is_day(text: str) -> bool:
    parts = fold(text).split()
    named = any(word in words().months for word in parts) and any(map(str.isdigit, parts))
    return named or _DAY.fullmatch(text) is not None


def read_moment(cell: str) -> Moment | None:
    """Return what a cell says of a date, None where it says nothing of the kind."""
    # JavaScript writes the name of the zone, and people the day of the week, in brackets.
    text = re.sub(r"\s*\([^()\d]*\)$", "", cell.strip().strip("'\""))
    text = _IDEOGRAPHIC.sub(r"\1-\2-\3 ", text)
    if not text or not any(letter.isdigit() for letter in text):
        return None
    if re.fullmatch(r"\d+(?:[.,]\d+)?", text):
        return _of_number(text)
    if match := _WEEK_DATE.fullmatch(text):
        with contextlib.suppress(ValueError):
            return Moment((), date.fromisocalendar(int(match[1]), int(match[2]), int(match[3])))
    if is_period(text):
        return None
    minutes = None
    rest = text
    if match := _YEAR_FIRST.match(text):
        numbers = (int(match[1]), int(match[3]), int(match[4]))
        minutes, zone = _time_of(text[match.end() :].lstrip("T, "))
        return _moment(numbers, minutes, zone)
    if match := _NUMBERS.search(text):
        before = fold(text[: match.start()])
        if all(word in words().weekdays for word in before.split()):
            minutes, zone = _time_of(text[match.end() :].lstrip("T, "))
            numbers = (int(match[1]), int(match[3]), int(match[4]))
            return Moment(numbers, None, minutes, zone, match[2] == ".")
    minutes, zone = _time_of(rest)
    rest = _TIME.sub(" ", rest, count=1)
    return _of_words(rest, minutes, zone)


def read_dates(cells: Sequence[str], order: str | None, places: Sequence[str]) -> Dates:
    """Return the dates of a column, their order decided from all rows.

    Args:
        cells: The cells.
        order: One of ``ORDERS`` to take, or None to decide.
        places: What to call each row in errors.

    Raises:
        ValueError: If rows contradict each other, or nothing tells the order.
    """
    moments = [read_moment(cell) for cell in cells]
    open_rows = [row for row, moment in enumerate(moments) if moment and moment.numbers]
    label = _label(cells, moments)
    if open_rows:
        order, why = (order, "as told") if order else _decide(cells, moments, open_rows, places)
        label = f"{ORDERS[order]}{f' ({why})' if why else ''}"
    days = [
        None if m is None else (_ordered(m.numbers, order or "") if m.numbers else m.day)
        for m in moments
    ]
    if told := _fill_years(cells, days, order or ("dmy" if _is_dotted(cells) else "")):
        label += f"; the year of {told} row(s) without one is that of the rows around them"
    zones = Counter(moment.zone for moment in moments if moment)
    zone = zones.most_common(1)[0][0] if zones else ""
    minutes = [moment.minutes if moment else None for moment in moments]
    return Dates(label, days, minutes, zone, (order or "") if open_rows else "")


def _fill_years(cells: Sequence[str], days: list[date | None], order: str) -> int:
    """Give dates without a year that of the dates around them, and return how many.

    Only where the rows are in order of time, and one year alone puts a date between its
    neighbours, or, at an end of the table, at most two months from the only one.
    """
    known = [row for row, day in enumerate(days) if day is not None]
    dated = [day for day in days if day is not None]
    if _disorder(dated) or len(dated) < 2:
        return 0
    direction = 1 if dated[-1] >= dated[0] else -1
    filled = 0
    for row, cell in enumerate(cells):
        if days[row] is not None or (parts := _day_and_month(cell, order)) is None:
            continue
        before = next((days[other] for other in reversed(known) if other < row), None)
        after = next((days[other] for other in known if other > row), None)
        first, last = (before, after) if direction > 0 else (after, before)
        first = first or (last - _FROM_END if last else None)
        last = last or (first + _FROM_END if first else None)
        if first is None or last is None:
            continue
        found = [
            day
            for year in range(first.year, last.year + 1)
            if (day := _date(year, parts[1], parts[0])) is not None and first <= day <= last
        ]
        if len(found) == 1:
            days[row] = found[0]
            filled += 1
    return filled


def is_without_year(cell: str) -> bool:
    """Return whether a cell tells a day and a month, and no year."""
    return read_moment(cell) is None and _day_and_month(cell, "dmy") is not None


def _day_and_month(cell: str, order: str) -> tuple[int, int] | None:
    """Return day and month of a date without a year, None of anything else."""
    parts = [word for word in fold(cell).split() if word not in words().date_fillers]
    if len(parts) == 3 and parts[0] in words().weekdays:
        parts = parts[1:]
    if len(parts) != 2:
        return None
    numbers = [int(part) for part in parts if part.isascii() and part.isdigit()]
    months = [words().months[part] for part in parts if part in words().months]
    if len(numbers) == 1 and months:
        return numbers[0], months[0]
    if len(numbers) < 2 or not re.search(r"\d\s?[./-]\s?\d{1,2}\.?\s*$", cell):
        return None
    day, month = numbers if order == "dmy" else reversed(numbers)
    return (day, month) if order in ("dmy", "mdy") else None


def _is_dotted(cells: Sequence[str]) -> bool:
    return any(re.search(r"\d\.\s?\d{1,2}\.", cell) for cell in cells)


def _decide(
    cells: Sequence[str],
    moments: Sequence[Moment | None],
    rows: Sequence[int],
    places: Sequence[str],
) -> tuple[str, str]:
    """Return the one order of the numbers that fits all rows, and what it was decided by."""
    numbers = {row: moment.numbers for row in rows if (moment := moments[row])}
    fits = {
        order: {row for row, triple in numbers.items() if _ordered(triple, order) is not None}
        for order in ORDERS
    }
    # A date that no order makes one, as of a thirteenth month, tells nothing.
    possible = set().union(*fits.values())
    complete = [order for order in ORDERS if fits[order] == possible and possible]
    if len(complete) > 1 and all(m.dotted for m in moments if m is not None and m.numbers):
        complete = [order for order in complete if order != "mdy"] or complete
        if "dmy" in complete and any(numbers[row][2] > 31 or len(cells[row]) >= 10 for row in rows):
            complete = ["dmy"]
    if len(complete) > 1:
        sensible = [
            order
            for order in complete
            if all(
                problem_of_date(day) is None
                for row in possible
                if (day := _ordered(numbers[row], order)) is not None
            )
        ]
        complete = sensible or complete
        if any(re.search(r"(?<!\d)\d[-/.]", cells[row]) for row in rows):
            # Nobody shortens year and month to 1/7 in a date that begins with the year.
            complete = [order for order in complete if order != "ymd"] or complete
    if len(complete) == 1:
        _refuse_exchanged(cells, numbers, complete[0], places)
        return complete[0], ""
    if not complete:
        if not possible:
            raise ValueError(f"{places[rows[0]]}: {cells[rows[0]]!r} is no date in any order")
        order = max(fits, key=lambda name: len(fits[name]))
        odd = min(possible - fits[order])
        rivals = [name for name in ORDERS if odd in fits[name]]
        even = min(possible - fits[rivals[0]], default=rows[0])
        raise ValueError(
            f"{places[even]} says {cells[even]!r}, which is {ORDERS[order]}, and {places[odd]} "
            f"{cells[odd]!r}, which is {ORDERS[rivals[0]]}: no one order fits all rows. Correct "
            "them, or give --date-order, and rows that contradict it are left out"
        )
    steps = {
        order: _disorder([_ordered(triple, order) for triple in numbers.values()])
        for order in complete
    }
    told = [order for order in complete if steps[order] == 0]
    distinct = len({cells[row] for row in rows})
    others = [steps[order] for order in complete if order not in told]
    if len(told) == 1 and distinct >= _ROWS_TO_TELL_BY_ORDER and min(others) >= 2:
        return told[0], "only so are the rows in order of time"
    same = {tuple(_ordered(numbers[row], order) for row in rows) for order in complete}
    if len(same) == 1:
        return complete[0], ""
    spans = {order: _span([_ordered(numbers[row], order) for row in rows]) for order in complete}
    likely = min(complete, key=lambda order: (steps[order], (spans[order][1] - spans[order][0])))
    told_spans = " or ".join(
        f"{ORDERS[order]} ({spans[order][0]} to {spans[order][1]})" for order in complete
    )
    hint = ""
    if steps[likely] == 0 and len(rows) > 2:
        hint = f" (probably {likely}: so the rows are in order of time over the fewest days)"
    raise Undecided(
        f"{places[rows[0]]}: {cells[rows[0]]!r} may be {told_spans}, and no row tells: give "
        f"--date-order {' or '.join(complete)}{hint}",
        (likely, *(order for order in complete if order != likely)),
    )


def _span(days: Sequence[date | None]) -> tuple[date, date]:
    known = [day for day in days if day is not None]
    return min(known), max(known)


def _refuse_exchanged(
    cells: Sequence[str], numbers: Mapping[int, Sequence[int]], order: str, places: Sequence[str]
) -> None:
    """Refuse dates of which a spreadsheet exchanged day and month where it could."""
    other = {"dmy": "mdy", "mdy": "dmy"}.get(order)
    if other is None:
        return
    told = [_ordered(triple, order) for triple in numbers.values()]
    either = [
        day
        for day, triple in zip(told, numbers.values(), strict=True)
        if day is not None and _ordered(triple, other) is not None
    ]
    if (
        len(either) < len(told)
        and len({day.day for day in either}) == 1
        and len({day.month for day in either}) >= _SAME_DAY_MONTHS
    ):
        even = next(row for row, triple in numbers.items() if _ordered(triple, other) is None)
        odd = next(row for row, triple in numbers.items() if _ordered(triple, other) is not None)
        raise ValueError(
            f"{places[even]} says {cells[even]!r}, which is {ORDERS[order]}, but by that order "
            f"{cells[odd]!r} and the others are all the same day of different months: are they "
            f"{ORDERS[other]}? Correct the one or the others, or give --date-order {order} or "
            f"{other}, and rows that contradict it are left out"
        )
    mixed = [_ordered(triple, other) or _ordered(triple, order) for triple in numbers.values()]
    if mixed == told or _disorder(told) < 2 or _disorder(mixed) > 0:
        return
    even = next(row for row, triple in numbers.items() if _ordered(triple, other) is None)
    odd = next(row for row, triple in numbers.items() if _ordered(triple, other) is not None)
    raise ValueError(
        f"{places[even]} says {cells[even]!r}, which is {ORDERS[order]}, but {places[odd]} "
        f"{cells[odd]!r} must be {ORDERS[other]} for the rows to be in order of time: a "
        "spreadsheet exchanged day and month where it could. Export the log anew, unopened "
        f"in between, or give --date-order {order} if the rows are in no order"
    )


def _disorder(days: Sequence[date | None]) -> int:
    """Return how many steps of a list of days go against its direction."""
    known = [day for day in days if day is not None]
    rises = sum(after >= before for before, after in pairwise(known))
    falls = sum(after <= before for before, after in pairwise(known))
    return len(known) - 1 - max(rises, falls)


def _ordered(numbers: Sequence[int], order: str) -> date | None:
    first, second, third = numbers
    year, month, day = {
        "dmy": (third, second, first),
        "mdy": (third, first, second),
        "ymd": (first, second, third),
    }[order]
    if order == "ymd" and first < 100 and third > 31:
        return None
    if order != "ymd" and first > 31:
        return None
    return _date(year, month, day)


def _date(year: int, month: int, day: int) -> date | None:
    if year < 100:
        year += 2000 if year < 70 else 1900
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _of_number(text: str) -> Moment | None:
    value = float(text.replace(",", "."))
    if match := _COMPACT.fullmatch(text):
        day = _date(int(match[1]), int(match[2]), int(match[3]))
        if day is not None:
            minutes = None if match[4] is None else 60.0 * int(match[4]) + int(match[5])
            return Moment((), day, minutes)
    if _SERIALS[0] <= value < _SERIALS[1]:
        moment = _DAY_ZERO + timedelta(days=value)
        minutes = 1440.0 * (value - math.floor(value))
        return Moment((), moment.date(), minutes if value != math.floor(value) else None, "serial")
    for scale in (1.0, 1000.0):
        if 3.0e8 <= value / scale < 4.1e9:
            moment = datetime.fromtimestamp(value / scale, UTC)
            return Moment((), moment.date(), 60.0 * moment.hour + moment.minute, "utc")
    return None


def _of_words(text: str, minutes: float | None, zone: str) -> Moment | None:
    """Return the date of a text with the name of a month."""
    known = words()
    months: list[str] = []
    numbers: list[int] = []
    for word in fold(re.sub(r"(?<=\d)(?=[^\W\d])|(?<=[^\W\d])(?=\d)", " ", text)).split():
        if word.isascii() and word.isdigit():
            numbers.append(int(word))
        elif word in known.months:
            months.append(word)
        elif word not in known.weekdays and word not in known.date_fillers and len(word) > 5:
            return None
    # In some languages a day of the week is shortened like a month.
    if len(months) > 1:
        months = [month for month in months if month not in known.weekdays] or months[-1:]
    if len(months) != 1 or len(numbers) < 2:
        return None
    first, second = numbers[:2]
    if max(first, second) <= 31 and any(number > 31 for number in numbers[2:]):
        # Two days before the year are a first and a last day.
        return None
    year, day = (first, second) if first > 31 else (second, first)
    found = _date(year, known.months[months[0]], day)
    return None if found is None else Moment((), found, minutes, zone)


def _moment(numbers: tuple[int, int, int], minutes: float | None, zone: str) -> Moment | None:
    day = _date(*numbers) if numbers[0] > 99 or numbers[0] < 1 else None
    if day is None and numbers[0] <= 999 and numbers[0] > 0:
        try:
            day = date(*numbers)
        except ValueError:
            return None
    return None if day is None else Moment((), day, minutes, zone)


def _time_of(text: str) -> tuple[float | None, str]:
    """Return minutes since midnight and zone of the rest of a date, None and "" without."""
    match = _TIME.search(text)
    if match is None:
        return None, ""
    hours, minute = int(match[1]), int(match[2] or match[4])
    if match[5]:
        hours = hours % 12 + (12 if match[5].lower().startswith("p") else 0)
    offset = _OFFSET.search(text[match.end() :].lower())
    zone = "" if offset is None else ("utc" if offset[4] else "offset")
    return (60.0 * hours + minute if hours < 24 and minute < 60 else None), zone


def _label(cells: Sequence[str], moments: Sequence[Moment | None]) -> str:
    zones = {moment.zone for moment in moments if moment}
    if "serial" in zones:
        return "a spreadsheet's serial numbers"
    first = next((cell for cell, moment in zip(cells, moments, strict=True) if moment), "")
    if _YEAR_FIRST.match(first):
        return "year-month-day"
    if re.fullmatch(r"\d{9,}", first):
        return "seconds or milliseconds since 1970"
    return "names of months" if re.search(r"[^\W\d_]{3}", first) else "year, month, day"
