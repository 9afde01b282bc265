"""Training logs in tables: what services export and what people keep in spreadsheets.

Columns are found by their names in eleven languages (``data/log_words.json``). What a name does not
tell, the rows decide together: decimal sign, order of dates, form of times, and the unit of a bare
distance by the pace that it gives. What they cannot decide is an error that names the option.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from statistics import median

from fitgym.logs.csv_columns import Column, columns_of, header_score, named_column, word_score
from fitgym.logs.csv_dates import Dates, is_period, is_without_year, read_dates, read_moment
from fitgym.logs.csv_heart import read_heart_rates
from fitgym.logs.csv_measures import Measures, read_measures
from fitgym.logs.csv_questions import Undecided
from fitgym.logs.csv_refusals import refuse_laps, refuse_series, refuse_steps, refuse_sums
from fitgym.logs.csv_rows import RowChecks, SessionRow
from fitgym.logs.csv_sheet import Sheet
from fitgym.logs.csv_sports import sports_of
from fitgym.logs.csv_states import not_done
from fitgym.logs.csv_text import DELIMITERS, Table, decode, parse_table
from fitgym.logs.dates import problem_of_date
from fitgym.logs.history import LeftOut
from fitgym.logs.options import ReadingOptions
from fitgym.logs.plausible import PACES, pace_text
from fitgym.logs.training_log import LoggedSession
from fitgym.logs.words import fold, sport_family, words

# Words of names of columns of dates that are in no list.
_DATE_WORDS = frozenset({"date", "datum", "fecha", "dato", "data"})
# Ours: so many columns that were not used are named.
_UNUSED_NAMES = 12


@dataclass(frozen=True)
class TableSession:
    """A session of a table.

    Attributes:
        line: Its line in the file.
        session: Date, distance and time.
        clock_minutes: When it began, minutes since midnight; None where not told.
        zone: What zone that is in: ``utc``, ``offset`` or ``""`` where not told.
        recording: File of its recording, as exports name it; ``""`` where not told.
    """

    line: int
    session: LoggedSession
    clock_minutes: float | None
    zone: str
    recording: str = ""


@dataclass(frozen=True)
class TableLog:
    """What was read of a table.

    Attributes:
        sessions: The sessions in the order of the file.
        understood: Quantity and how it was read.
        left_out: Rows that were not used.
        notes: What the person should know.
        header: Names of the columns.
        order: The order of the numbers in its dates; ``""`` where none was to be decided.
    """

    sessions: list[TableSession]
    understood: list[tuple[str, str]]
    left_out: list[LeftOut]
    notes: list[str]
    header: tuple[str, ...]
    order: str


def read_csv(content: bytes, source: str, options: ReadingOptions) -> TableLog:
    """Return the sessions in a table.

    Args:
        content: The file.
        source: How to call it.
        options: What the person told.

    Raises:
        Undecided: If the order of its dates is open, and nothing else is.
        ValueError: If it is no table of sessions or cannot be decided how to read it; the message
            names the file and what to do.
    """
    try:
        text, encoding = decode(content, word_score)
        table = parse_table(text, lambda cells: header_score(cells, options.columns))
        return _LogReader(replace(table, encoding=encoding), source, options).read()
    except Undecided as question:
        raise Undecided(f"{source}: {question}", question.orders, question.header) from None
    except ValueError as error:
        raise ValueError(f"{source}: {error}") from None


class _LogReader:
    """Reads one table."""

    def __init__(self, table: Table, source: str, options: ReadingOptions) -> None:
        self.sheet = Sheet(table, source, options)

    def read(self) -> TableLog:
        table = self.sheet.table
        delimiter = DELIMITERS.get(table.delimiter, repr(table.delimiter))
        self.sheet.understood.append(("table", f"{delimiter}-separated, {table.encoding}"))
        if table.skipped:
            self.sheet.notes.append(f"{table.skipped} line(s) before the header were passed over")
        refuse_sums(self.sheet)
        questions: list[Undecided] = []
        try:
            date_column, dates = self._dates(self.sheet.options.date_order)
        except Undecided as question:
            questions.append(question)
            date_column, dates = self._dates(question.orders[0])
        sports, sport_column = sports_of(self.sheet)
        usable = self._usable(dates, sports)
        try:
            measures, minutes = read_measures(self.sheet, usable)
        except ValueError as error:
            raise ValueError("; and ".join(map(str, [*questions, error]))) from None
        if questions:
            raise Undecided(str(questions[0]), questions[0].orders, self.sheet.table.header)
        checks = RowChecks(self.sheet)
        refuse_steps(self.sheet, usable, minutes, sport_column is not None)
        taken = [date_column, measures.distances.column, measures.column]
        heart = read_heart_rates(self.sheet, usable, taken)
        rows = checks.sessions(dates, usable, measures, minutes, heart, sports)
        rows = checks.without_sums(rows)
        rows = checks.without_duplicates(rows)
        refuse_series(self.sheet, rows)
        refuse_laps(self.sheet, rows)
        rows = checks.without_overlaps(rows)
        if not rows:
            reasons = Counter(item.reason for item in self.sheet.left_out)
            told = ", ".join(f"{number} {reason}" for reason, number in reasons.most_common(4))
            raise ValueError(f"no row is a session to keep: {told}")
        self._check_pace(rows, measures)
        if sport_column is None and not self.sheet.options.keep_all:
            rows = checks.without_outliers(rows)
        rows = checks.without_lonely(rows)
        rows = checks.repetitions_together(rows)
        self._tell(date_column, dates, sport_column, measures, rows)
        if heart.columns:
            self.sheet.understood.append(("heart rate", f"{heart.label}; bpm"))
        self._tell_unused([*taken, *heart.columns, *filter(None, [sport_column])])
        files = {
            row.line: row.cells[index]
            for index, name in enumerate(table.header)
            if fold(name) in words().file_names
            for row in self.sheet.table.rows
        }
        sessions = [
            TableSession(
                row.line,
                LoggedSession(row.day, row.metres, row.minutes, row.mean_bpm, row.max_bpm),
                row.clock,
                dates.zone,
                files.get(row.line, ""),
            )
            for row in rows
        ]
        return TableLog(
            sessions,
            self.sheet.understood,
            self.sheet.left_out,
            self.sheet.notes,
            tuple(table.header),
            dates.order,
        )

    def _dates(self, order: str | None) -> tuple[Column, Dates]:
        header = self.sheet.table.header
        wanted = self.sheet.options.columns.get("date")
        if wanted is not None:
            candidates = [named_column(header, "date", wanted)]
        else:
            named, clocks = columns_of(header, "date"), columns_of(header, "clock")
            # A column called "time" may hold dates, as times since 1970 are.
            dated = [column for column in clocks if self._holds_dates(column)]
            imports = columns_of(header, "date_second")
            others = [] if named else self._called_dates({*imports})
            candidates = named + dated + others + imports
        for column in candidates:
            cells = self.sheet.cells(column)
            known = [cell for cell in cells if cell]
            full = sum(read_moment(cell) is not None for cell in known)
            yearless = sum(is_without_year(cell) for cell in known) if full > 1 else 0
            if known and (full + yearless) * 2 >= len(known):
                dates = read_dates(cells, order, self.sheet.places(column))
                return column, self._with_clock(column, dates)
        if not candidates and (only := self._only_dates()) is not None:
            dates = read_dates(self.sheet.cells(only), order, self.sheet.places(only))
            return only, self._with_clock(only, dates)
        if not candidates:
            raise ValueError(
                'no column is called a date; name it with --map date="..."; the header has '
                f"{', '.join(map(repr, filter(None, header)))}"
            )
        column = candidates[0]
        example = next((cell for cell in self.sheet.cells(column) if cell), "")
        if is_period(example):
            raise ValueError(
                f"column {column.name!r} holds periods (for instance {example!r}): these are sums "
                "of weeks or months, and a log needs a row for each session; export these"
            )
        raise ValueError(
            f"column {column.name!r} holds no dates with day, month and year (for instance "
            f"{example!r}): write them with their year, as in 2025-03-31, or name the column of "
            'dates with --map date="..."'
        )

    def _called_dates(self, others: Collection[Column]) -> list[Column]:
        """Return the one column of dates whose name has a word for them, [] if there are more."""
        indices = {column.index for column in others}
        found = [
            Column(index, name)
            for index, name in enumerate(self.sheet.table.header)
            if index not in indices
            and set(fold(name).split()) & _DATE_WORDS
            and not set(fold(name).split()) & words().not_columns
            and self._holds_dates(Column(index, name))
        ]
        return found if len(found) == 1 else []

    def _holds_dates(self, column: Column) -> bool:
        cells = [cell for cell in self.sheet.cells(column) if cell]
        return bool(cells) and all(read_moment(cell) is not None for cell in cells)

    def _only_dates(self) -> Column | None:
        """Return the one column that holds dates, whatever it is called."""
        found = []
        for index, name in enumerate(self.sheet.table.header):
            column = Column(index, name)
            known = [cell for cell in self.sheet.cells(column) if cell]
            dates = [cell for cell in known if not cell.isdigit() and read_moment(cell) is not None]
            if known and len(dates) >= 0.9 * len(known):
                if fold(name) in words().periods:
                    raise ValueError(
                        f"column {name!r} names weeks or months: these are sums, and a log needs a "
                        'row for each session; if they are days, give --map date="..."'
                    )
                found.append(column)
        return found[0] if len(found) == 1 else None

    def _with_clock(self, column: Column, dates: Dates) -> Dates:
        """Add the time of day from a column of its own."""
        if any(minutes is not None for minutes in dates.minutes):
            return dates
        for clock in columns_of(self.sheet.table.header, "clock"):
            cells = self.sheet.cells(clock)
            if clock.index == column.index or not _is_clock(cells):
                continue
            if fold(clock.name).split()[0] in ("time", "zeit", "tid", "tijd", "czas") and not (
                columns_of(self.sheet.table.header, "moving")
                or columns_of(self.sheet.table.header, "elapsed")
            ):
                continue
            return replace(dates, minutes=[_clock_minutes(cell) for cell in cells])
        return dates

    def _usable(self, dates: Dates, sports: Sequence[str | None]) -> list[int]:
        """Return the rows with a date that are of the sport, and leave the others out."""
        usable = []
        states = not_done(self.sheet)
        for index, row in enumerate(self.sheet.table.rows):
            cells = row.cells
            day, sport = dates.days[index], sports[index]
            if _is_total(cells):
                self.sheet.drop(row.line, "summary row", next(filter(None, cells)))
            elif day is None:
                told = " ".join(filter(None, cells))[:60]
                self.sheet.drop(row.line, "no date that can be read", told)
            elif (problem := problem_of_date(day)) is not None:
                self.sheet.drop(row.line, "date out of range", problem)
            elif sport is not None and sport_family(sport) != self.sheet.options.sport:
                self.sheet.drop(row.line, f"sport is {sport_family(sport)}", "")
            elif (state := states[index]) is not None:
                self.sheet.drop(row.line, "did not take place", state)
            else:
                usable.append(index)
        if not usable:
            reasons = Counter(item.reason for item in self.sheet.left_out)
            told = ", ".join(f"{number} {reason}" for reason, number in reasons.most_common(6))
            raise ValueError(f"no row is left to read: {told}; --sport chooses another sport")
        return usable

    def _check_pace(self, rows: Sequence[SessionRow], reading: Measures) -> None:
        if self.sheet.options.keep_all or not any(row.minutes > 0 for row in rows):
            return
        pace = median(row.minutes / row.metres for row in rows if row.minutes > 0) * 1000.0
        if not PACES[self.sheet.options.sport].is_usual(pace):
            raise ValueError(
                f"the median pace is {pace_text(pace, reading.distances.unit)}, which is "
                f"implausible for sport {self.sheet.options.sport!r}: give --distance-unit, --map, "
                "--sport or --keep-all"
            )

    def _tell(
        self,
        date_column: Column,
        dates: Dates,
        sport_column: Column | None,
        reading: Measures,
        rows: Sequence[SessionRow],
    ) -> None:
        zone = {"utc": ", in UTC", "offset": ", local time as written"}.get(dates.zone, "")
        self.sheet.understood.append(("date", f"column {date_column.name!r}: {dates.label}{zone}"))
        if dates.zone == "utc":
            self.sheet.notes.append(
                "dates are in UTC, so that late sessions may count for the next day"
            )
        if {"activity id", "activity date"} <= {fold(name) for name in self.sheet.table.header}:
            self.sheet.notes.append("Strava writes the times of this export in UTC")
        unit = reading.distances.unit
        timed = [row for row in rows if row.minutes > 0]
        pace = median(row.minutes / row.metres for row in timed) * 1000.0 if timed else math.nan
        how = "in" if not reading.distances.bare else "names no unit, read as"
        sign = "comma" if reading.distances.decimal == "," else "point"
        self.sheet.understood.append(
            (
                "distance",
                f"column {reading.distances.column.name!r}: {how} {unit}: median pace "
                f"{pace_text(pace, unit)}; decimal {sign}",
            )
        )
        label = f": {reading.times.label}" if reading.times.label else ""
        self.sheet.understood.append(("time", f"column {reading.column.name!r}{label}"))
        if sport_column is not None:
            self.sheet.understood.append(
                ("sport", f"column {sport_column.name!r}: {self.sheet.options.sport}")
            )
        elif self.sheet.options.sport == "all":
            self.sheet.understood.append(("sport", "all sports"))
        else:
            self.sheet.understood.append(
                ("sport", f"no column of sports: all taken as {self.sheet.options.sport}")
            )

    def _tell_unused(self, used: Sequence[Column]) -> None:
        """Tell which columns were not used, so that nothing is passed over without a word."""
        known = {column.index for column in used}
        names = [
            repr(name)
            for index, name in enumerate(self.sheet.table.header)
            if name
            and index not in known
            and any(self.sheet.cells(Column(index, name)))
            and not any(repr(name) in note for note in self.sheet.notes)
        ]
        if names:
            more = f" and {len(names) - _UNUSED_NAMES} more" if len(names) > _UNUSED_NAMES else ""
            told = f"{', '.join(names[:_UNUSED_NAMES])}{more}"
            self.sheet.understood.append(("not used", f"column(s) {told}"))


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
