"""Training logs: one row per session, with date, distance and time, read from CSV files."""

from __future__ import annotations

import csv
import io
import math
import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from importlib import resources
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fitgym.logs.dates import first_gap, problem_of_date
from fitgym.logs.numbers import number_in
from fitgym.model.daniels import METRES_PER_MILE

# Column names, lower case without spaces and punctuation, and the factor to metres or minutes.
# Names with a unit win over those without; a bare "distance" is in kilometres, a bare number in a
# "time" or "duration" column is in minutes. Ours.
_DISTANCE_UNITS = {"km": 1000.0, "mi": METRES_PER_MILE, "miles": METRES_PER_MILE, "m": 1.0}
_TIME_UNITS = {"min": 1.0, "minutes": 1.0, "s": 1.0 / 60.0, "seconds": 1.0 / 60.0}
_DISTANCE_COLUMNS = {
    **_DISTANCE_UNITS,
    "kilometers": 1000.0,
    "kilometres": 1000.0,
    "meters": 1.0,
    "metres": 1.0,
    **{f"distance{unit}": factor for unit, factor in _DISTANCE_UNITS.items()},
}
_TIME_COLUMNS = {
    **_TIME_UNITS,
    **{
        f"{name}{unit}": factor
        for name in ("time", "duration")
        for unit, factor in _TIME_UNITS.items()
    },
}
_DISTANCE_COLUMNS_WITHOUT_UNIT = {"distance": 1000.0}
_TIME_COLUMNS_WITHOUT_UNIT = {"time": 1.0, "duration": 1.0}

_DATE_FORMATS = {"month/day/year": "%m/%d/%Y", "day/month/year": "%d/%m/%Y", "d.m.y": "%d.%m.%Y"}

# Mean speeds of a session on foot, m/min: below 25 Daniels' oxygen cost is not positive; above
# 650 (39 km/h) no human has run. They catch hours read as minutes and miles as kilometres. Ours.
_SPEED_RANGE = (25.0, 650.0)


@dataclass(frozen=True)
class LoggedSession:
    """One row of a training log.

    Attributes:
        date: The day, from 1950-01-01 to today.
        distance_m: Distance in metres, positive.
        minutes: Time in minutes, NaN where it was not recorded.

    Raises:
        ValueError: If the date is out of range, or distance, time or mean speed is impossible.
    """

    date: date
    distance_m: float
    minutes: float

    def __post_init__(self) -> None:
        problem = problem_of_date(self.date)
        if problem is None and (quantity := _problem_of_session(self.distance_m, self.minutes)):
            problem = quantity[1]
        if problem is not None:
            raise ValueError(problem)


@dataclass(frozen=True, eq=False)
class TrainingLog:
    """Sessions in time order; arrays of shape (n,), read-only.

    Attributes:
        dates: Day of each session, ``datetime64[D]``, from 1950-01-01 to today, without a gap of
            more than three years; several sessions may share a day.
        distance_m: Distance in metres, positive.
        minutes: Time in minutes, NaN where it was not recorded.
        name: What the log is called in tables and figures.

    Raises:
        ValueError: If the arrays differ in length, are empty or not in time order, if a date is
            out of range or comes more than three years after the one before, or if a distance,
            time or mean speed is impossible. The message names the row, counted from 1.
    """

    dates: npt.NDArray[np.datetime64]
    distance_m: npt.NDArray[np.float64]
    minutes: npt.NDArray[np.float64]
    name: str = "log"

    def __post_init__(self) -> None:
        arrays = {
            "dates": np.array(self.dates, dtype="datetime64[D]"),
            "distance_m": np.array(self.distance_m, dtype=np.float64),
            "minutes": np.array(self.minutes, dtype=np.float64),
        }
        shapes = {name: array.shape for name, array in arrays.items()}
        if len(set(shapes.values())) != 1 or arrays["dates"].ndim != 1 or not arrays["dates"].size:
            raise ValueError(f"the arrays of a log must share one shape (n,), n > 0, got {shapes}")
        if np.isnat(arrays["dates"]).any() or np.any(np.diff(arrays["dates"]).astype(int) < 0):
            raise ValueError("dates must be known and in time order")
        rows = zip(*(array.tolist() for array in arrays.values()), strict=True)
        for row, values in enumerate(rows, start=1):
            try:
                LoggedSession(*values)
            except ValueError as error:
                raise ValueError(f"row {row}: {error}") from None
        days = arrays["dates"].astype(np.int64).tolist()
        if (gap := first_gap(days)) is not None:
            raise ValueError(
                f"row {gap + 1}: {_problem_of_gap(*arrays['dates'][[gap - 1, gap]].tolist())}"
            )
        for name, array in arrays.items():
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    @classmethod
    def of(cls, sessions: Iterable[LoggedSession], name: str) -> TrainingLog:
        """Return the log of sessions in any order, those of one day in the order given."""
        rows = sorted(sessions, key=lambda session: session.date)
        return cls(
            np.array([row.date for row in rows], dtype="datetime64[D]"),
            np.array([row.distance_m for row in rows]),
            np.array([row.minutes for row in rows]),
            name,
        )

    def __len__(self) -> int:
        """Return the number of sessions n."""
        return len(self.dates)

    @property
    def repeated_rows(self) -> int:
        """How many sessions have date, distance and time (or no time) of an earlier one."""
        # NaN, which is no time, equals nothing; its text does.
        times = map(str, self.minutes.tolist())
        rows = set(zip(self.dates.tolist(), self.distance_m.tolist(), times, strict=True))
        return len(self) - len(rows)

    @property
    def timed(self) -> npt.NDArray[np.bool_]:
        """Whether the time of each session is known, shape (n,)."""
        return ~np.isnan(self.minutes)

    @property
    def years(self) -> npt.NDArray[np.int64]:
        """Calendar year of each session, shape (n,)."""
        return self.dates.astype("datetime64[Y]").astype(np.int64) + 1970

    @property
    def pace_min_per_mile(self) -> npt.NDArray[np.float64]:
        """Mean pace of each session in minutes per mile, shape (n,); NaN without a time."""
        pace: npt.NDArray[np.float64] = self.minutes / (self.distance_m / METRES_PER_MILE)
        return pace


def read_training_log(path: str | os.PathLike[str]) -> TrainingLog:
    """Read a log from a CSV file with a header and one row per session.

    Three columns are needed, found by their names (upper and lower case, spaces and punctuation
    do not matter); others are ignored.

    - ``date``: 2002-01-31 (a time of day may follow), 1/31/2002 or 31/1/2002 (whichever reads
      every row), or 31.1.2002.
    - ``miles``, ``km``, ``distance_km``, ``distance (mi)``, ``distance_m`` and the like; a bare
      ``distance`` is in kilometres.
    - ``minutes``, ``time_min``, ``duration_s`` and the like; a bare ``time`` or ``duration`` is
      in minutes. ``h:mm:ss`` and ``mm:ss`` are understood in each. The field may be empty: a
      session without a time.

    A column with its unit in the name wins over one without. Fields are separated by commas,
    semicolons or tabs (whichever the header has), numbers have a decimal point. Rows are put in
    time order; those of one day keep the order of the file.

    Args:
        path: The CSV file, UTF-8.

    Returns:
        The log, named after the file.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If a column is missing or ambiguous, a field cannot be understood or is
            impossible, or two sessions are more than three years apart; the message names file,
            line and column.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start})") from None
    return _parse(text, str(path), path.stem)


def load_marathon_log() -> TrainingLog:
    """Return the five years of training of one marathon runner that ship with fitgym.

    1127 sessions of 2002-2006 (Cannon et al., *STAT2*; data set Marathon of the R package
    Stat2Data), the log of Fang, Lee and Wang 2022. ``fitgym/data/marathon.md`` tells its origin.
    Row 400 has no time; two dates occur twice.
    """
    file = resources.files("fitgym") / "data" / "marathon.csv"
    return _parse(file.read_text(encoding="utf-8"), "marathon.csv", "marathon")


def _parse(text: str, source: str, name: str) -> TrainingLog:
    """Read the text of a CSV file; ``source`` names it in errors."""
    header_line = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = max(",;\t", key=header_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        for fields in reader:
            if any(field.strip() for field in fields):
                rows.append([field.strip() for field in fields])
                lines.append(reader.line_num)
    except csv.Error as error:
        raise ValueError(f"{source}, line {reader.line_num}: {error}") from None
    if len(rows) < 2:
        raise ValueError(f"{source}: needs a header and at least one row, got {len(rows)} lines")
    header, rows, lines = rows[0], rows[1:], lines[1:]

    date_column, _ = _find_column(source, header, "date", {"date": 1.0}, {})
    distance_column, metres = _find_column(
        source, header, "distance", _DISTANCE_COLUMNS, _DISTANCE_COLUMNS_WITHOUT_UNIT
    )
    time_column, to_minutes = _find_column(
        source, header, "time", _TIME_COLUMNS, _TIME_COLUMNS_WITHOUT_UNIT
    )

    def place(line: int, column: int) -> str:
        return f"{source}, line {line}, column {header[column]!r}"

    def column(index: int) -> list[str]:
        texts = []
        for line, fields in zip(lines, rows, strict=True):
            if len(fields) != len(header):
                raise ValueError(
                    f"{source}, line {line}: has {len(fields)} fields, the header {len(header)}"
                )
            texts.append(fields[index])
        return texts

    dates = _parse_dates(column(date_column), lambda row: place(lines[row], date_column))
    for line, day in zip(lines, dates.tolist(), strict=True):
        wrong = problem_of_date(day)
        if wrong is not None:
            raise ValueError(f"{place(line, date_column)}: {wrong}")
    order = np.argsort(dates, kind="stable")
    if (gap := first_gap(dates[order].astype(np.int64).tolist())) is not None:
        before, after = order[gap - 1], order[gap]
        raise ValueError(
            f"{place(lines[after], date_column)}: "
            f"{_problem_of_gap(*dates[[before, after]].tolist())} (line {lines[before]})"
        )
    distances, minutes = [], []
    for line, distance_text, time_text in zip(
        lines, column(distance_column), column(time_column), strict=True
    ):
        distance = metres * _parse_number(distance_text, place(line, distance_column))
        time = _parse_time(time_text, to_minutes, place(line, time_column))
        problem = _problem_of_session(distance, time)
        if problem is not None:
            at = {"distance": distance_column, "time": time_column}[problem[0]]
            raise ValueError(f"{place(line, at)}: {problem[1]}")
        distances.append(distance)
        minutes.append(time)
    return TrainingLog(dates[order], np.array(distances)[order], np.array(minutes)[order], name)


def _find_column(
    source: str,
    header: Sequence[str],
    what: str,
    with_unit: dict[str, float],
    without_unit: dict[str, float],
) -> tuple[int, float]:
    """Return index and unit factor of the one column that holds ``what``."""
    keys = [re.sub(r"[^a-z0-9]", "", name.lower()) for name in header]
    for names in (with_unit, without_unit):
        found = [index for index, key in enumerate(keys) if key in names]
        if len(found) > 1:
            columns = ", ".join(repr(header[index]) for index in found)
            raise ValueError(f"{source}: more than one column could be the {what}: {columns}")
        if found:
            return found[0], names[keys[found[0]]]
    allowed = ", ".join([*with_unit, *without_unit])
    raise ValueError(f"{source}: no column for the {what}; got {list(header)}, known are {allowed}")


def _parse_dates(texts: Sequence[str], place: Callable[[int], str]) -> npt.NDArray[np.datetime64]:
    """Read dates written in one and the same format; ``place`` names a row in errors."""

    def parse_iso(text: str) -> date:
        return datetime.fromisoformat(text).date()

    def parser_of(layout: str) -> Callable[[str], date]:
        return lambda text: datetime.strptime(text, layout).date()

    parsers: dict[str, Callable[[str], date]] = {"year-month-day": parse_iso}
    parsers |= {name: parser_of(layout) for name, layout in _DATE_FORMATS.items()}
    readings: dict[str, list[date]] = {}
    furthest = 0
    for name, parse in parsers.items():
        days: list[date] = []
        try:
            for text in texts:
                days.append(parse(text))
        except ValueError:
            furthest = max(furthest, len(days))
        else:
            readings[name] = days
    if not readings:
        raise ValueError(
            f"{place(furthest)}: expected a date such as 2002-01-31, got {texts[furthest]!r}"
        )
    distinct = {tuple(days) for days in readings.values()}
    if len(distinct) > 1:
        raise ValueError(
            f"{place(0)}: {texts[0]!r} may be {' or '.join(readings)}, and no row tells; "
            "write dates as year-month-day"
        )
    return np.array(distinct.pop(), dtype="datetime64[D]")


def _parse_number(text: str, place: str) -> float:
    """Return the finite number written in ``text``."""
    number = number_in(text)
    if not math.isfinite(number):
        raise ValueError(f"{place}: expected a number, got {text!r}")
    return number


def _parse_time(text: str, to_minutes: float, place: str) -> float:
    """Return minutes from a number, ``h:mm:ss`` or ``mm:ss``; NaN for an empty field."""
    if not text:
        return math.nan
    clock = re.fullmatch(r"(?:(\d+):(?=\d\d:))?(\d+):(\d\d(?:\.\d*)?)", text, re.ASCII)
    if clock is None:
        return to_minutes * _parse_number(text, place)
    hours, minutes, seconds = (float(part or 0) for part in clock.groups())
    if seconds >= 60.0 or (clock[1] is not None and minutes >= 60.0):
        raise ValueError(f"{place}: minutes and seconds of h:mm:ss end at 59, got {text!r}")
    return 60.0 * hours + minutes + seconds / 60.0


def _problem_of_gap(before: date, after: date) -> str:
    return (
        f"{after} is more than three years after the session before it, {before}: correct the "
        "date, or keep the sessions of one side only"
    )


def _problem_of_session(distance_m: float, minutes: float) -> tuple[str, str] | None:
    """Return what is wrong with a session as (quantity, message), or None."""
    if not 0.0 < distance_m < math.inf:
        return "distance", f"the distance must be positive, got {distance_m:g} m"
    if math.isnan(minutes):
        return None
    if not 0.0 < minutes < math.inf:
        return "time", f"the time must be positive (or empty), got {minutes:g} min"
    speed, (slowest, fastest) = distance_m / minutes, _SPEED_RANGE
    if not slowest <= speed <= fastest:
        return "time", (
            f"{distance_m:g} m in {minutes:g} min is {speed:.4g} m/min, "
            f"which must be in [{slowest:g}, {fastest:g}]"
        )
    return None
