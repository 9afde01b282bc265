"""Training logs in tables: what services export and what people keep in spreadsheets.

Columns are found by their names in ten languages (``data/log_words.json``). What a name does not
tell, the rows decide together: decimal sign, order of dates, form of times, and the unit of a bare
distance by the pace that it gives. What they cannot decide is an error that names the option.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from statistics import median

from fitgym.logs.csv_columns import (
    Column,
    columns_of,
    header_score,
    named_column,
    unit_column,
    word_score,
)
from fitgym.logs.csv_dates import Dates, read_dates, read_moment
from fitgym.logs.csv_numbers import (
    Times,
    decimal_evidence,
    parse_number,
    read_times,
    split_unit,
)
from fitgym.logs.csv_text import DELIMITERS, Table, decode, parse_table
from fitgym.logs.dates import problem_of_date
from fitgym.logs.history import LeftOut
from fitgym.logs.options import DECIMALS, METRES, ReadingOptions
from fitgym.logs.plausible import PACES, Paces, outliers, problem_of_session
from fitgym.logs.training_log import LoggedSession
from fitgym.logs.words import fold, is_empty, sport_family, sport_of, words

# Ours: rows in which two columns of the same quantity may differ, and by how much.
_AGREEMENT, _AGREEING_ROWS = 0.02, 0.9
# Ours: a witness of the unit, such as a speed whose unit is told, may be rounded.
_WITNESS_TOLERANCE, _WITNESS_ROWS = 0.06, 3
# Ours: a pause that is worth mentioning.
_GAP_DAYS = 180
# Ours: so many runs of less than this a day, without times of day, are repetitions.
_REPETITIONS, _REPETITION_M = 3, 1500.0
# Ours: nobody runs for two days, or further than 250 km, but sums of weeks and years are.
_LONGEST_MINUTES, _LONGEST_M = 48 * 60.0, 250_000.0
_SUM_ROWS, _SUM_TOLERANCE = 5, 0.01
# Ours: share of the cells of a column that must name a sport for it to be one of sports.
_SPORT_SHARE = 0.3


@dataclass(frozen=True)
class TableSession:
    """A session of a table.

    Attributes:
        line: Its line in the file.
        session: Date, distance and time.
        clock_minutes: When it began, minutes since midnight; None where not told.
        zone: What zone that is in: ``utc``, ``offset`` or ``""`` where not told.
    """

    line: int
    session: LoggedSession
    clock_minutes: float | None
    zone: str


@dataclass(frozen=True)
class TableLog:
    """What was read of a table.

    Attributes:
        sessions: The sessions in the order of the file.
        understood: Quantity and how it was read.
        left_out: Rows that were not used.
        notes: What the person should know.
    """

    sessions: list[TableSession]
    understood: list[tuple[str, str]]
    left_out: list[LeftOut]
    notes: list[str]


@dataclass
class _Row:
    """A row on its way to a session."""

    line: int
    day: date
    clock: float | None
    metres: float
    minutes: float


@dataclass(frozen=True)
class _Distances:
    """One reading of a column of distances."""

    column: Column
    unit: str
    decimal: str
    metres: list[float]
    bare: bool


@dataclass(frozen=True)
class _Reading:
    """One reading of distances and times together."""

    distances: _Distances
    column: Column
    times: Times
    pace: float


def read_csv(content: bytes, source: str, options: ReadingOptions) -> TableLog:
    """Return the sessions in a table.

    Args:
        content: The file.
        source: How to call it.
        options: What the person told.

    Raises:
        ValueError: If it is no table of sessions or cannot be decided how to read it; the message
            names the file and what to do.
    """
    try:
        text, encoding = decode(content, word_score)
        table = parse_table(text, lambda cells: header_score(cells, options.columns))
        return _Reader(replace(table, encoding=encoding), source, options).read()
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None


class _Reader:
    """Reads one table."""

    def __init__(self, table: Table, source: str, options: ReadingOptions) -> None:
        self.table, self.source, self.options = table, source, options
        self.understood: list[tuple[str, str]] = []
        self.left_out: list[LeftOut] = [
            LeftOut(self._place(line), "row cannot be taken apart", wrong)
            for line, wrong in table.broken
        ]
        self.notes: list[str] = []
        self.signs = self._signs_of_file()

    def read(self) -> TableLog:
        table = self.table
        delimiter = DELIMITERS.get(table.delimiter, repr(table.delimiter))
        self.understood.append(("table", f"{delimiter}-separated, {table.encoding}"))
        if table.skipped:
            self.notes.append(f"{table.skipped} line(s) before the header were passed over")
        date_column, dates = self._dates()
        sports, sport_column = self._sports()
        usable = self._usable(dates, sports)
        reading, others = self._reading(usable)
        minutes = self._minutes(reading, others, usable)
        rows = self._rows(dates, sports, usable, reading, minutes)
        rows = self._without_sums(rows)
        rows = self._without_duplicates(rows, dates.zone)
        if not rows:
            reasons = Counter(item.reason for item in self.left_out)
            told = ", ".join(f"{number} {reason}" for reason, number in reasons.most_common(4))
            raise ValueError(f"no row is a session to keep: {told}")
        self._check_pace(rows, reading)
        if sport_column is None and not self.options.keep_all:
            rows = self._without_outliers(rows)
        rows = self._without_lonely(rows)
        rows = self._repetitions_together(rows)
        self._tell(date_column, dates, sport_column, reading, rows)
        sessions = [
            TableSession(
                row.line, LoggedSession(row.day, row.metres, row.minutes), row.clock, dates.zone
            )
            for row in rows
        ]
        return TableLog(sessions, self.understood, self.left_out, self.notes)

    # --- columns -------------------------------------------------------------------------------

    def _cells(self, column: Column) -> list[str]:
        """Return the cells of a column, "" where nothing is known; units of a column of their own."""
        cells = [
            "" if is_empty(row.cells[column.index]) else row.cells[column.index]
            for row in self.table.rows
        ]
        units = unit_column(self.table.header, column)
        if units is None:
            return cells
        return [
            f"{cell} {row.cells[units]}" if cell and cell[-1].isdigit() else cell
            for cell, row in zip(cells, self.table.rows, strict=True)
        ]

    def _places(self, column: Column) -> list[str]:
        return [f"line {row.line}, column {column.name!r}" for row in self.table.rows]

    def _place(self, line: int) -> str:
        return f"{self.source} row {line}"

    def _drop(self, line: int, reason: str, detail: str = "") -> None:
        self.left_out.append(LeftOut(self._place(line), reason, detail))

    def _signs_of_file(self) -> list[str]:
        """Return the decimal signs that the numbers of the file show."""
        if self.options.decimal is not None:
            return [DECIMALS[self.options.decimal]]
        signs: set[str] = set()
        for index, name in enumerate(self.table.header):
            cells = [row.cells[index] for row in self.table.rows if not is_empty(row.cells[index])]
            digits = [cell for cell in cells if split_unit(cell)[0] and not split_unit(cell)[1]]
            if not cells or len(digits) < 0.8 * len(cells) or fold(name) in ("id", "activity id"):
                continue
            if sum(read_moment(cell) is not None for cell in digits) > len(digits) // 2:
                continue
            signs |= set(decimal_evidence(digits)[0])
        return sorted(signs)

    def _sign_of(self, column: Column, cells: Sequence[str]) -> list[str]:
        """Return the decimal signs that a column may have: one, or two where nothing tells."""
        if self.options.decimal is not None:
            return [DECIMALS[self.options.decimal]]
        evidence, ambiguous = decimal_evidence(cells)
        if len(evidence) > 1:
            places = self._places(column)
            (one, first), (other, second) = sorted(evidence.items())
            raise ValueError(
                f"{places[first]} says {cells[first]!r} and {places[second]} {cells[second]!r}: "
                f"the decimal sign is {one!r} in one and {other!r} in the other; give --decimal "
                "point or comma, and rows that do not fit are left out"
            )
        if evidence:
            return list(evidence)
        if ambiguous and len(self.signs) != 1:
            return [".", ","]
        return self.signs if len(self.signs) == 1 else ["."]

    def _dates(self) -> tuple[Column, Dates]:
        header = self.table.header
        wanted = self.options.columns.get("date")
        if wanted is not None:
            candidates = [named_column(header, "date", wanted)]
        else:
            candidates = columns_of(header, "date") + columns_of(header, "date_second")
        for column in candidates:
            cells = self._cells(column)
            known = [cell for cell in cells if cell]
            moments = [read_moment(cell) for cell in known]
            if known and sum(moment is not None for moment in moments) * 2 >= len(known):
                dates = read_dates(cells, self.options.date_order, self._places(column))
                return column, self._with_clock(column, dates)
        if not candidates:
            raise ValueError(
                'no column is called a date; name it with --map date="..."; the header has '
                f"{', '.join(map(repr, filter(None, header)))}"
            )
        column = candidates[0]
        example = next((cell for cell in self._cells(column) if cell), "")
        raise ValueError(
            f"column {column.name!r} holds no dates with day, month and year (for instance "
            f'{example!r}); name the column of dates with --map date="..."'
        )

    def _only_dates(self) -> Column | None:
        """Return the one column that holds dates, whatever it is called."""
        found = []
        for index, name in enumerate(self.table.header):
            column = Column(index, name)
            known = [cell for cell in self._cells(column) if cell]
            dates = [cell for cell in known if not cell.isdigit() and read_moment(cell) is not None]
            if known and len(dates) >= 0.9 * len(known):
                found.append(column)
        return found[0] if len(found) == 1 else None

    def _with_clock(self, column: Column, dates: Dates) -> Dates:
        """Add the time of day from a column of its own."""
        if any(minutes is not None for minutes in dates.minutes):
            return dates
        for clock in columns_of(self.table.header, "clock"):
            cells = self._cells(clock)
            if clock.index == column.index or not _is_clock(cells):
                continue
            if fold(clock.name).split()[0] in ("time", "zeit", "tid", "tijd", "czas") and not (
                columns_of(self.table.header, "moving") or columns_of(self.table.header, "elapsed")
            ):
                continue
            return replace(dates, minutes=[_clock_minutes(cell) for cell in cells])
        return dates

    def _sports(self) -> tuple[list[str | None], Column | None]:
        """Return the sport of each row, None where it is not told, and the column."""
        unknown: list[str | None] = [None] * len(self.table.rows)
        if self.options.sport == "all":
            return unknown, None
        wanted = self.options.columns.get("sport")
        if wanted is not None:
            candidates = [named_column(self.table.header, "sport", wanted)]
        else:
            candidates = columns_of(self.table.header, "sport")
        best: tuple[float, Column, list[str]] | None = None
        for column in candidates:
            cells = self._cells(column)
            known = [cell for cell in cells if cell]
            if not known:
                continue
            # A column of nothing but "training" and the like tells no sports.
            if wanted is None and {sport_of(cell) for cell in known} <= {"other", None}:
                if not any(fold(cell) in words().run_kinds for cell in known):
                    continue
            share = sum(sport_of(cell) is not None for cell in known) / len(known)
            kinds = sum(fold(cell) in words().run_kinds for cell in known) / len(known)
            if wanted is not None or (share >= _SPORT_SHARE and share + kinds >= 0.5):
                if best is None or share > best[0]:
                    best = (share, column, cells)
            elif share > 0 and share + kinds >= 0.5:
                best = best or (share, column, cells)
        if best is None:
            return unknown, None
        _, column, cells = best
        sports: list[str | None] = []
        kinds_kept: Counter[str] = Counter()
        for cell in cells:
            sport = sport_of(cell) if cell else None
            if fold(cell) in words().run_kinds and sport is None:
                kinds_kept[cell] += 1
                sport = "run"
            sports.append(sport or (f"'{cell}', which is no sport known" if cell else "not told"))
        if kinds_kept:
            kinds_told = ", ".join(
                f"{name!r} ({number})" for name, number in kinds_kept.most_common(8)
            )
            self.notes.append(f"column {column.name!r}: taken as kinds of runs: {kinds_told}")
        return sports, column

    # --- distances and times -------------------------------------------------------------------

    def _usable(self, dates: Dates, sports: Sequence[str | None]) -> list[int]:
        """Return the rows with a date that are of the sport, and leave the others out."""
        usable = []
        date_cells = [row.cells for row in self.table.rows]
        for index, row in enumerate(self.table.rows):
            cells = date_cells[index]
            day, sport = dates.days[index], sports[index]
            if _is_total(cells):
                self._drop(row.line, "summary row", next(filter(None, cells)))
            elif day is None:
                told = " ".join(filter(None, cells))[:60]
                self._drop(row.line, "no date that can be read", told)
            elif (problem := problem_of_date(day)) is not None:
                self._drop(row.line, "date out of range", problem)
            elif sport is not None and sport_family(sport) != self.options.sport:
                self._drop(row.line, f"sport is {sport_family(sport)}", "")
            else:
                usable.append(index)
        if not usable:
            reasons = Counter(item.reason for item in self.left_out)
            told = ", ".join(f"{number} {reason}" for reason, number in reasons.most_common(6))
            raise ValueError(f"no row is left to read: {told}; --sport chooses another sport")
        return usable

    def _distance_columns(self, usable: Sequence[int]) -> list[Column]:
        wanted = self.options.columns.get("distance")
        if wanted is not None:
            return [named_column(self.table.header, "distance", wanted)]
        columns = [
            column
            for column in columns_of(self.table.header, "distance")
            if any(self._cells(column)[row] for row in usable)
        ]
        if not columns:
            raise ValueError(
                "no column is called a distance (or all its cells are empty); name it with "
                f'--map distance="..."; the header has '
                f"{', '.join(map(repr, filter(None, self.table.header)))}"
            )
        return columns

    def _distance_readings(self, column: Column) -> list[_Distances]:
        """Return every way to read a column of distances."""
        cells = self._cells(column)
        told = self.options.distance_unit
        names = words().units["distance"]
        cell_units = [names.get(fold(split_unit(cell)[1])) if cell else None for cell in cells]
        in_cells = told is None and sum(unit is not None for unit in cell_units) > len(cells) // 2
        readings = []
        for sign in self._sign_of(column, cells):
            numbers = [
                math.nan
                if cell and split_unit(cell)[1] and unit is None
                else parse_number(cell, sign)
                for cell, unit in zip(cells, cell_units, strict=True)
            ]
            if in_cells:
                metres = [
                    METRES[unit] * number if unit else math.nan
                    for unit, number in zip(cell_units, numbers, strict=True)
                ]
                common = Counter(filter(None, cell_units)).most_common(1)[0][0]
                readings.append(_Distances(column, common, sign, metres, False))
                continue
            unit = told or column.unit
            for name in (unit,) if unit else ("km", "miles", "m"):
                metres = [
                    METRES[cell_unit or name] * number
                    for cell_unit, number in zip(cell_units, numbers, strict=True)
                ]
                readings.append(_Distances(column, name, sign, metres, unit is None))
        return readings

    def _time_columns(self) -> list[Column]:
        wanted = self.options.columns.get("time")
        header = self.table.header
        if wanted is not None:
            return [named_column(header, "time", wanted)]
        found: dict[int, Column] = {}
        for kind in ("moving", "duration", "elapsed"):
            for column in columns_of(header, kind):
                found.setdefault(column.index, column)
        return list(found.values())

    def _reading(self, usable: Sequence[int]) -> tuple[_Reading, list[Column]]:
        """Return how distances and times are read, and the columns of time that come after."""
        paces = PACES[self.options.sport]
        columns = self._distance_columns(usable)
        times = self._time_columns()
        if not times:
            return self._reading_by_pace(columns, usable, paces), []
        implausible: list[_Reading] = []
        told: list[_Reading] = []
        for resort in (False, True):
            for position, time_column in enumerate(times):
                cells = self._cells(time_column)
                if not any(cells[row] for row in usable):
                    continue
                sign = self._sign_of(
                    time_column, [c for c in cells if not re.search(r"[:.,].*[:.,]", c)]
                )[0]
                readings = [
                    reading
                    for reading in read_times(cells, sign, time_column.unit, time_column.form)
                    if reading.last_resort == resort
                ]
                plausible, rejected = self._combine(columns, time_column, readings, usable, paces)
                implausible += rejected
                if not plausible:
                    continue
                chosen = self._choose(plausible, usable)
                self._tell_passed_over(times, position, chosen)
                return chosen, times[position + 1 :]
        del told
        if not implausible:
            example = next((c for column in times for c in self._cells(column) if c), "")
            raise ValueError(
                f"column {times[0].name!r} holds no times that can be read, for instance "
                f'{example!r}; name the column of durations with --map time="..."'
            )
        if self.options.keep_all:
            certain = [r for r in implausible if not r.distances.bare and r.times.sure]
            if certain:
                return certain[0], []
        best = min(implausible, key=lambda reading: paces.distance(reading.pace))
        unit = best.distances.unit
        raise ValueError(
            f"the median pace would be {pace_text(best.pace, unit)} (distance "
            f"{best.distances.column.name!r} in {unit}, time {best.column.name!r}"
            f"{' as ' + best.times.label if best.times.label else ''}), which is implausible for "
            f"sport {self.options.sport!r}: give --distance-unit, name the columns with --map "
            'distance="..." time="..." sport="...", or --sport for another sport'
        )

    def _combine(
        self,
        columns: Sequence[Column],
        time_column: Column,
        readings: Sequence[Times],
        usable: Sequence[int],
        paces: Paces,
    ) -> tuple[list[_Reading], list[_Reading]]:
        """Return the readings of one column of times with every distance, plausible or not."""
        plausible, rejected = [], []
        for column in columns:
            if column.index == time_column.index:
                continue
            for distances in self._distance_readings(column):
                for times in readings:
                    pairs = [
                        (distances.metres[row], times.minutes[row])
                        for row in usable
                        if distances.metres[row] > 0.0 and times.minutes[row] > 0.0
                    ]
                    if not pairs:
                        continue
                    pace = median(minutes / metres for metres, minutes in pairs) * 1000.0
                    reading = _Reading(distances, time_column, times, pace)
                    fits = paces.fits(pairs, pace, distances.unit if distances.bare else None)
                    (plausible if fits else rejected).append(reading)
        return plausible, rejected

    def _choose(self, plausible: Sequence[_Reading], usable: Sequence[int]) -> _Reading:
        """Return the one reading among plausible ones; several are an error."""
        witness = self._witness(plausible, usable)
        if witness:
            plausible = witness
        known = [reading for reading in plausible if not reading.distances.bare]
        candidates = known or list(plausible)
        first = candidates[0]
        rest = []
        for other in candidates[1:]:
            if other.distances.column.index == first.distances.column.index:
                if not self._agree(first, other, usable):
                    rest.append(other)
            elif self._share_agreeing(first, other, usable) >= _AGREEING_ROWS:
                continue
            elif other.distances.bare == first.distances.bare:
                rest.append(other)
        if rest and all(r.distances.column.index != first.distances.column.index for r in rest):
            pairs = self._ratio_pairs(candidates, usable)
            if pairs:
                first, rest = pairs[0], []
        if rest:
            self._refuse(first, rest)
        others = {r.distances.column.index: r.distances.column.name for r in plausible}
        others.pop(first.distances.column.index, None)
        if others and known:
            names = ", ".join(map(repr, others.values()))
            self.notes.append(
                f"distance: column {first.distances.column.name!r} was taken; {names} agrees with it"
            )
        return first

    def _ratio_pairs(self, candidates: Sequence[_Reading], usable: Sequence[int]) -> list[_Reading]:
        """Return readings of one column that a reading of another column bears out."""
        found = []
        for one in candidates:
            for other in candidates:
                if one.distances.column.index < other.distances.column.index and (
                    self._share_agreeing(one, other, usable) >= _AGREEING_ROWS
                ):
                    found.append(one)
                    break
        metres = {
            tuple(round(r.distances.metres[row]) for row in usable[:5])
            for r in found
            if not any(math.isnan(r.distances.metres[row]) for row in usable[:5])
        }
        return found if len(metres) == 1 else []

    def _refuse(self, first: _Reading, rest: Sequence[_Reading]) -> None:
        options = [first, *rest]
        names = {reading.distances.column.name for reading in options}
        if len({reading.distances.column.index for reading in options}) > 1:
            raise ValueError(
                f"the columns {', '.join(map(repr, sorted(names)))} may all be the distance and do "
                'not agree: name one with --map distance="..."'
            )
        units = list(dict.fromkeys(reading.distances.unit for reading in options))
        if len(units) > 1:
            told = " or ".join(
                f"{unit} (median pace {pace_text(next(r.pace for r in options if r.distances.unit == unit), unit)})"
                for unit in units
            )
            raise ValueError(
                f"column {first.distances.column.name!r} names no unit and may be in {told}: give "
                f"--distance-unit {' or '.join(units)}"
            )
        if len({reading.distances.decimal for reading in options}) > 1:
            raise ValueError(
                f"column {first.distances.column.name!r}: a number such as "
                f"{next(c for c in self._cells(first.distances.column) if c)!r} may have a decimal "
                "comma or point, or separate thousands: give --decimal point or comma"
            )
        raise ValueError(
            f"column {first.column.name!r} may be read as "
            f"{' or '.join(r.times.label for r in options)}: write the unit into its name, for "
            "instance 'time (s)' or 'time (h:mm)'"
        )

    def _share_agreeing(self, one: _Reading, other: _Reading, usable: Sequence[int]) -> float:
        pairs = [
            (one.distances.metres[row], other.distances.metres[row])
            for row in usable
            if one.distances.metres[row] > 0.0 and other.distances.metres[row] > 0.0
        ]
        good = sum(abs(a - b) <= _AGREEMENT * max(a, b) + 30.0 for a, b in pairs)
        return good / len(pairs) if pairs else 0.0

    def _agree(self, one: _Reading, other: _Reading, usable: Sequence[int]) -> bool:
        """Return whether two readings give the same metres and minutes."""
        return all(
            _same(one.distances.metres[row], other.distances.metres[row])
            and _same(one.times.minutes[row], other.times.minutes[row])
            for row in usable
        )

    def _witness(self, plausible: Sequence[_Reading], usable: Sequence[int]) -> list[_Reading]:
        """Return the readings that columns with a known unit of speed, pace or stride bear out."""
        if not any(reading.distances.bare for reading in plausible) or len(plausible) < 2:
            return []
        for name, metres_per_minute in self._speeds():
            fitting = []
            for reading in plausible:
                ratios = [
                    speed * reading.times.minutes[row] / reading.distances.metres[row]
                    for row in usable
                    if (speed := metres_per_minute[row]) > 0.0
                    and reading.distances.metres[row] > 0.0
                    and reading.times.minutes[row] > 0.0
                ]
                if len(ratios) >= _WITNESS_ROWS and abs(median(ratios) - 1.0) < _WITNESS_TOLERANCE:
                    fitting.append(reading)
            if fitting:
                self.notes.append(f"distance: its unit is decided by column {name!r}")
                return fitting
        return []

    def _speeds(self) -> list[tuple[str, list[float]]]:
        """Return speeds in m/min by columns whose unit is told, for each row, NaN where unknown."""
        header, found = self.table.header, []
        per_minute = {"km/h": 1000 / 60, "mph": METRES["miles"] / 60, "m/s": 60.0, "m/min": 1.0}
        per_unit = {"min/km": 1000.0, "min/mile": METRES["miles"]}
        for column in columns_of(header, "speed"):
            cells = self._cells(column)
            told = column.unit or _common_unit(cells, "speed")
            if told in per_minute:
                sign = self._sign_of(column, cells)[0]
                found.append(
                    (column.name, [per_minute[told] * parse_number(cell, sign) for cell in cells])
                )
        for column in columns_of(header, "pace"):
            cells = self._cells(column)
            told = column.unit or _common_unit(cells, "pace")
            if told in per_unit:
                found.append(
                    (
                        column.name,
                        [
                            per_unit[told] / value if value > 0 else math.nan
                            for value in self._paces(column)
                        ],
                    )
                )
        strides, cadences = columns_of(header, "stride"), columns_of(header, "cadence")
        if strides and cadences:
            lengths = [
                parse_number(cell, "." if "." in cell else ",") for cell in self._cells(strides[0])
            ]
            steps = [parse_number(cell, ".") for cell in self._cells(cadences[0])]
            product = [
                a * b if 0.3 < a < 2.5 and b > 100 else math.nan
                for a, b in zip(lengths, steps, strict=True)
            ]
            found.append((f"{strides[0].name} x {cadences[0].name}", product))
        return found

    def _paces(self, column: Column) -> list[float]:
        """Return the minutes in a column of paces."""
        cells = [
            re.sub(r"\s*(/|per|min|pro|p[ao]r).*$", "", cell, flags=re.IGNORECASE)
            for cell in self._cells(column)
        ]
        sign = self._sign_of(column, cells)[0]
        readings = read_times(cells, sign, "min", None)
        return readings[0].minutes

    def _reading_by_pace(
        self, columns: Sequence[Column], usable: Sequence[int], paces: Paces
    ) -> _Reading:
        """Return distances with the times that a column of paces gives."""
        found = columns_of(self.table.header, "pace")
        if not found:
            raise ValueError(
                'no column is called a time or duration; name it with --map time="..."; the '
                f"header has {', '.join(map(repr, filter(None, self.table.header)))}"
            )
        column = found[0]
        told = column.unit or _common_unit(self._cells(column), "pace")
        values = self._paces(column)
        plausible = []
        for distances in self._distance_readings(columns[0]):
            unit = {"min/km": "km", "min/mile": "miles"}.get(told or "", distances.unit)
            if unit == "m":
                unit = "km"
            minutes = [
                value * metres / METRES[unit]
                for value, metres in zip(values, distances.metres, strict=True)
            ]
            pairs = [
                (distances.metres[row], minutes[row])
                for row in usable
                if distances.metres[row] > 0.0 and minutes[row] > 0.0
            ]
            if not pairs:
                continue
            pace = median(b / a for a, b in pairs) * 1000.0
            times = Times(
                f"{'min/mile' if unit == 'miles' else 'min/km'} times the distance", minutes
            )
            if paces.fits(pairs, pace, distances.unit if distances.bare else None):
                plausible.append(_Reading(distances, column, times, pace))
        if not plausible:
            raise ValueError(
                f"there is no column of times, and with the paces of column {column.name!r} the sessions are "
                'implausible: name a column of times with --map time="..."'
            )
        return self._choose(plausible, usable)

    def _tell_passed_over(self, times: Sequence[Column], position: int, chosen: _Reading) -> None:
        passed = [column.name for column in times[:position] if any(self._cells(column))]
        later = [column.name for column in times[position + 1 :] if any(self._cells(column))]
        if passed:
            self.notes.append(
                f"time: column {', '.join(map(repr, passed))} cannot be a duration (a time of day?), "
                f"column {chosen.column.name!r} is taken"
            )
        if later:
            self.notes.append(
                f"time: column {chosen.column.name!r} comes before {', '.join(map(repr, later))}"
            )

    def _minutes(
        self, reading: _Reading, others: Sequence[Column], usable: Sequence[int]
    ) -> list[float]:
        """Return the minutes of each row, from the next column where the first tells none."""
        minutes = list(reading.times.minutes)
        cells = self._cells(reading.column)
        missing = [row for row in usable if not cells[row] or minutes[row] == 0.0]
        for column in others:
            if not missing:
                break
            texts = self._cells(column)
            sign = self._sign_of(column, [c for c in texts if ":" not in c])[0]
            paces = PACES[self.options.sport]
            for times in read_times(texts, sign, column.unit, column.form):
                pairs = [
                    (reading.distances.metres[row], times.minutes[row])
                    for row in usable
                    if reading.distances.metres[row] > 0.0 and times.minutes[row] > 0.0
                ]
                if (
                    pairs
                    and not times.last_resort
                    and paces.fits(pairs, median(b / a for a, b in pairs) * 1000.0, None)
                ):
                    taken = [row for row in missing if times.minutes[row] > 0.0]
                    for row in taken:
                        minutes[row] = times.minutes[row]
                    missing = [row for row in missing if row not in taken]
                    if taken:
                        self.notes.append(
                            f"time: {len(taken)} row(s) without {reading.column.name!r} take {column.name!r}"
                        )
                    break
        return minutes

    # --- rows ----------------------------------------------------------------------------------

    def _rows(
        self,
        dates: Dates,
        sports: Sequence[str | None],
        usable: Sequence[int],
        reading: _Reading,
        minutes: Sequence[float],
    ) -> list[_Row]:
        rows = []
        distance_cells, time_cells = (
            self._cells(reading.distances.column),
            self._cells(reading.column),
        )
        untimed = 0
        for index in usable:
            line = self.table.rows[index].line
            metres, duration = reading.distances.metres[index], minutes[index]
            distance, time = distance_cells[index], time_cells[index]
            day = dates.days[index]
            assert day is not None
            if {fold(distance), fold(time)} & words().not_finished:
                self._drop(line, "not finished", time or distance)
            elif metres == 0.0 or not distance:
                rest = not duration > 0.0
                self._drop(line, "rest day" if rest else "no distance", "" if rest else time)
            elif math.isnan(metres):
                self._drop(line, "distance not understood", distance)
            elif time and math.isnan(duration):
                self._drop(line, "time not understood", time)
            elif duration == 0.0:
                self._drop(line, "time is zero", "")
            elif metres < 0.0 or duration < 0.0:
                self._drop(line, "distance or time is negative", f"{distance} {time}")
            elif metres > _LONGEST_M or duration > _LONGEST_MINUTES:
                self._drop(line, "summary row", f"{metres / 1000:.4g} km in {duration / 60:.3g} h")
            elif (problem := problem_of_session(metres, duration, self.options.sport)) is not None:
                self._drop(line, "impossible speed", problem)
            else:
                untimed += math.isnan(duration)
                rows.append(_Row(line, day, dates.minutes[index], metres, duration))
        if untimed:
            self.notes.append(
                f"{untimed} session(s) have no time: they count with their distance only"
            )
        return rows

    def _without_sums(self, rows: list[_Row]) -> list[_Row]:
        """Leave out the row that is the sum of all others."""
        if len(rows) <= _SUM_ROWS:
            return rows
        longest = max(rows, key=lambda row: row.metres)
        others = sum(row.metres for row in rows) - longest.metres
        if abs(longest.metres - others) > _SUM_TOLERANCE * others:
            return rows
        self._drop(
            longest.line,
            "summary row",
            f"its {longest.metres / 1000:.4g} km are the sum of the others",
        )
        return [row for row in rows if row is not longest]

    def _without_duplicates(self, rows: list[_Row], zone: str) -> list[_Row]:
        seen: dict[tuple[object, ...], int] = {}
        kept = []
        short_of_day = Counter(
            row.day for row in rows if row.metres < _REPETITION_M and row.clock is None
        )
        for row in rows:
            key = (row.day, row.clock, row.metres, str(row.minutes))
            repetition = row.metres < _REPETITION_M and short_of_day[row.day] >= _REPETITIONS
            if key in seen and not repetition:
                self._drop(row.line, "the same session twice", f"as row {seen[key]}")
            else:
                seen[key] = row.line
                kept.append(row)
        return kept

    def _without_outliers(self, rows: list[_Row]) -> list[_Row]:
        odd = outliers([(row.metres, row.minutes) for row in rows], self.options.sport)
        if not odd:
            return rows
        if len(odd) > max(3, len(rows) // 4):
            lines = ", ".join(str(rows[index].line) for index in sorted(odd)[:8])
            raise ValueError(
                f"{len(odd)} of {len(rows)} sessions have an implausible pace beside the others "
                f"(rows {lines}, ...): several sports? Name a column of sports with --map "
                'sport="...", or keep them all with --keep-all'
            )
        for index in sorted(odd):
            self._drop(rows[index].line, "implausible pace beside the others", odd[index])
        self.notes.append(
            f"{len(odd)} session(s) have an implausible pace beside the others and are left out; "
            "--keep-all keeps them"
        )
        return [row for index, row in enumerate(rows) if index not in odd]

    def _without_lonely(self, rows: list[_Row]) -> list[_Row]:
        """Leave out one or two sessions years away from all others, and tell of long pauses."""
        ordered = sorted(rows, key=lambda row: row.day)
        cuts = [
            i
            for i in range(1, len(ordered))
            if (ordered[i].day - ordered[i - 1].day).days > 3 * 365
        ]
        lonely: list[_Row] = []
        if cuts and len(ordered) >= 10:
            for block in (ordered[: cuts[0]], ordered[cuts[-1] :]):
                if len(block) <= 2:
                    lonely += block
        for row in lonely:
            self._drop(row.line, "date years away from all others", str(row.day))
        kept = [row for row in rows if not any(row is other for other in lonely)]
        days = sorted({row.day for row in kept})
        for before, after in zip(days, days[1:], strict=False):
            if (gap := (after - before).days) > _GAP_DAYS:
                self.notes.append(
                    f"a gap of {gap} days without a session, from {before} to {after}"
                )
        return kept

    def _repetitions_together(self, rows: list[_Row]) -> list[_Row]:
        """Put many short runs of a day together."""
        of_day: dict[date, list[_Row]] = defaultdict(list)
        for row in rows:
            if row.metres < _REPETITION_M and not math.isnan(row.minutes):
                of_day[row.day].append(row)
        merged, gone, days = {}, set(), 0
        for parts in of_day.values():
            if len(parts) >= _REPETITIONS:
                days += 1
                first = parts[0]
                merged[id(first)] = replace(
                    first,
                    metres=sum(part.metres for part in parts),
                    minutes=sum(part.minutes for part in parts),
                )
                gone |= {id(part) for part in parts[1:]}
        if days:
            self.notes.append(
                f"on {days} day(s) there are {_REPETITIONS} or more runs of less than "
                f"{_REPETITION_M / 1000:g} km: repetitions, which are put together to one session a day"
            )
        return [merged.get(id(row), row) for row in rows if id(row) not in gone]

    # --- report --------------------------------------------------------------------------------

    def _check_pace(self, rows: Sequence[_Row], reading: _Reading) -> None:
        if self.options.keep_all or not any(row.minutes > 0 for row in rows):
            return
        pace = median(row.minutes / row.metres for row in rows if row.minutes > 0) * 1000.0
        if not PACES[self.options.sport].is_usual(pace):
            raise ValueError(
                f"the median pace is {pace_text(pace, reading.distances.unit)}, which is "
                f"implausible for sport {self.options.sport!r}: give --distance-unit, --map, --sport "
                "or --keep-all"
            )

    def _tell(
        self,
        date_column: Column,
        dates: Dates,
        sport_column: Column | None,
        reading: _Reading,
        rows: Sequence[_Row],
    ) -> None:
        zone = {"utc": ", in UTC", "offset": ", local time as written"}.get(dates.zone, "")
        self.understood.append(("date", f"column {date_column.name!r}: {dates.label}{zone}"))
        if dates.zone == "utc":
            self.notes.append("dates are in UTC, so that late sessions may count for the next day")
        if {"activity id", "activity date"} <= {fold(name) for name in self.table.header}:
            self.notes.append("Strava writes the times of this export in UTC")
        unit = reading.distances.unit
        timed = [row for row in rows if row.minutes > 0]
        pace = median(row.minutes / row.metres for row in timed) * 1000.0 if timed else math.nan
        how = "in" if not reading.distances.bare else "names no unit, read as"
        sign = "comma" if reading.distances.decimal == "," else "point"
        self.understood.append(
            (
                "distance",
                f"column {reading.distances.column.name!r}: {how} {unit}: median pace "
                f"{pace_text(pace, unit)}; decimal {sign}",
            )
        )
        label = f": {reading.times.label}" if reading.times.label else ""
        self.understood.append(("time", f"column {reading.column.name!r}{label}"))
        if sport_column is not None:
            self.understood.append(("sport", f"column {sport_column.name!r}: {self.options.sport}"))
        elif self.options.sport == "all":
            self.understood.append(("sport", "all sports"))
        else:
            self.understood.append(
                ("sport", f"no column of sports: all taken as {self.options.sport}")
            )


def _same(one: float, other: float) -> bool:
    return (
        one == other
        or (math.isnan(one) and math.isnan(other))
        or abs(one - other) <= 1e-9 * abs(one)
    )


def pace_text(pace_min_per_km: float, unit: str) -> str:
    """Return a pace as people write it, per mile where the unit is one of miles, yards or feet."""
    if math.isnan(pace_min_per_km):
        return "unknown"
    imperial = unit in ("miles", "yards", "ft")
    pace = pace_min_per_km * (METRES["miles"] / 1000.0 if imperial else 1.0)
    seconds = round(60.0 * pace)
    return f"{seconds // 60}:{seconds % 60:02d} min/{'mile' if imperial else 'km'}"


def _is_total(cells: Sequence[str]) -> bool:
    """Return whether a row says that it sums up others."""
    totals = words().totals
    told = [fold(cell) for cell in cells if cell]
    return any(text in totals for text in told[:3]) or (
        bool(told)
        and told[0].split()[:1] != []
        and told[0].split()[0] in totals
        and len(told[0].split()) <= 3
    )


def _common_unit(cells: Sequence[str], dimension: str) -> str | None:
    """Return the unit that most cells of a column name."""
    names: Mapping[str, str] = words().units[dimension]
    told = Counter(
        names.get(fold(re.sub(r"^[\d:.,'\u2032\u2033\"\s]+", "", cell).lstrip("/")) or "?")
        for cell in cells
        if cell
    )
    unit, number = told.most_common(1)[0] if told else (None, 0)
    return unit if number * 2 > sum(told.values()) else None


def _is_clock(cells: Sequence[str]) -> bool:
    known = [cell for cell in cells if cell]
    return bool(known) and all(_clock_minutes(cell) is not None for cell in known)


def _clock_minutes(cell: str) -> float | None:
    match = re.fullmatch(
        r"(\d{1,2}):(\d\d)(?::\d\d)?\s*([ap])?\.?m?\.?", cell.strip().lower(), re.ASCII
    )
    if match is None or int(match[1]) > 23 or int(match[2]) > 59:
        return None
    hours = int(match[1])
    if match[3]:
        hours = hours % 12 + (12 if match[3] == "p" else 0)
    return 60.0 * hours + int(match[2])
