"""A table under reading: its cells by column, decimal signs, and what is to be told of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from fitgym.logs.csv_columns import Column, columns_of, date_parts, time_parts, unit_column
from fitgym.logs.csv_dates import read_moment
from fitgym.logs.csv_numbers import decimal_evidence, split_unit
from fitgym.logs.csv_text import Row, Table
from fitgym.logs.history import LeftOut, PartialSession
from fitgym.logs.options import DECIMALS, ReadingOptions
from fitgym.logs.words import fold, is_empty, words

# Ours: so many cells show whether a column holds dates, which have points and commas, too.
_ROWS_TO_TELL_DATES = 50
# Ours: up to this share of the others, another decimal sign is a slip of the pen.
_FEW_SIGNS = 0.1
_NAMED_ROWS = 4


class Sheet:
    """A table under reading.

    Attributes:
        table: The table; dates and times that are spread over columns are put together.
        source: How to call the file.
        options: What the person told.
        understood: Quantity and how it was read.
        left_out: Rows that are not used.
        notes: What the person should know.
        signs: Decimal signs that the numbers of the file show.
    """

    def __init__(self, table: Table, source: str, options: ReadingOptions) -> None:
        self.source, self.options = source, options
        self.understood: list[tuple[str, str]] = []
        self.left_out: list[LeftOut] = [
            LeftOut(self.place(line), "row cannot be taken apart", wrong)
            for line, wrong in table.broken
        ]
        self.notes: list[str] = []
        self.table = self._parts_together(table)
        self.signs = self._signs_of_file()

    def cells(self, column: Column) -> list[str]:
        """Return the cells of a column, with their unit where a column of its own tells it."""
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

    def places(self, column: Column) -> list[str]:
        """Return what to call the cells of a column in errors."""
        return [f"line {row.line}, column {column.name!r}" for row in self.table.rows]

    def place(self, line: int) -> str:
        """Return what to call a row in the report."""
        return f"{self.source} row {line}"

    def drop(
        self, line: int, reason: str, detail: str = "", session: PartialSession | None = None
    ) -> None:
        """Note that a row is left out, and what is known of its session, if it tells of one."""
        self.left_out.append(LeftOut(self.place(line), reason, detail, session))

    def note(self, text: str) -> None:
        """Note what the person should know, once."""
        if text not in self.notes:
            self.notes.append(text)

    def sign_of(self, column: Column, cells: Sequence[str]) -> list[str]:
        """Return the decimal signs that a column may have: one, or two where nothing tells."""
        if self.options.decimal is not None:
            return [DECIMALS[self.options.decimal]]
        evidence, ambiguous = decimal_evidence(cells)
        if len(evidence) > 1:
            most, fewest = sorted(evidence, key=lambda sign: (-len(evidence[sign]), sign))
            if ambiguous and len(evidence[fewest]) > _FEW_SIGNS * len(evidence[most]):
                places = self.places(column)
                first, second = evidence[most][0], evidence[fewest][0]
                raise ValueError(
                    f"{places[first]} says {cells[first]!r} and {places[second]} "
                    f"{cells[second]!r}: the decimal sign is {most!r} in one and {fewest!r} in the "
                    "other, so that numbers with three digits behind it may be thousands; give "
                    "--decimal point or comma for these"
                )
            rows = evidence[fewest]
            named = ", ".join(
                f"row {self.table.rows[row].line} ({cells[row]!r})" for row in rows[:_NAMED_ROWS]
            )
            more = f" and {len(rows) - _NAMED_ROWS} more" if len(rows) > _NAMED_ROWS else ""
            self.note(
                f"column {column.name!r} has the decimal sign {most!r}, but {fewest!r} in {named}"
                f"{more}: read as decimals, too"
            )
            return [most]
        if evidence:
            return list(evidence)
        if ambiguous and len(self.signs) != 1:
            return [".", ","]
        return self.signs if len(self.signs) == 1 else ["."]

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
            first = digits[:_ROWS_TO_TELL_DATES]
            if sum(read_moment(cell) is not None for cell in first) > len(first) // 2:
                continue
            signs |= set(decimal_evidence(digits)[0])
        return sorted(signs)

    def _parts_together(self, table: Table) -> Table:
        """Put dates and times together that are spread over columns."""
        header, rows = list(table.header), table.rows
        parts = date_parts(header)
        told = self.options.columns
        if parts is not None and "date" not in told:
            year, month, day = parts
            rows = [
                Row(
                    row.line,
                    [*row.cells, _date_text(row.cells[year], row.cells[month], row.cells[day])],
                )
                for row in rows
            ]
            self.notes.append(
                f"date: put together from columns {header[year]!r}, {header[month]!r} and "
                f"{header[day]!r}"
            )
            header = [name if index not in parts else "" for index, name in enumerate(header)]
            header.append("date")
        pieces = time_parts(header)
        if pieces and "time" not in told:
            texts = [_time_text(row.cells, pieces) for row in rows]
            if all(text is not None for text in texts):
                rows = [
                    Row(row.line, [*row.cells, text or ""])
                    for row, text in zip(rows, texts, strict=True)
                ]
                names = " and ".join(repr(header[index]) for index in sorted(pieces.values()))
                self.notes.append(f"time: put together from columns {names}")
                used = set(pieces.values())
                header = [name if index not in used else "" for index, name in enumerate(header)]
                header.append("duration")
        if "time" not in told and (ends := self._end_minus_start(header, rows)) is not None:
            between, spans = ends
            rows = [
                Row(row.line, [*row.cells, text]) for row, text in zip(rows, spans, strict=True)
            ]
            self.notes.append(f"time: column {between[1]!r} minus column {between[0]!r}")
            header.append("duration")
        return replace(table, header=header, rows=rows)

    def _end_minus_start(
        self, header: Sequence[str], rows: Sequence[Row]
    ) -> tuple[tuple[str, str], list[str]] | None:
        """Return names of columns of start and end and the h:mm:ss between, None without them."""
        durations = [
            column
            for kind in ("moving", "duration", "elapsed", "pace", "speed")
            for column in columns_of(header, kind)
        ]
        found = []
        for names in (words().starts, words().ends):
            indices = [index for index, name in enumerate(header) if fold(name) in names]
            if len(indices) != 1:
                return None
            found.append(indices[0])
        if durations:
            return None
        start, end = found
        moments = [(_seconds(row.cells[start]), _seconds(row.cells[end])) for row in rows]
        if not any(first is not None and last is not None for first, last in moments):
            return None
        texts = []
        for first, last in moments:
            text = ""
            if first is not None and last is not None:
                # A session that ends after midnight ends on the clock before it begins.
                seconds = (last - first) % 86_400
                text = f"{seconds // 3600}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}"
            texts.append(text)
        return (header[start], header[end]), texts


def _seconds(cell: str) -> int | None:
    """Return the seconds since midnight of a time of day, alone or behind a date."""
    match = re.search(
        r"(?:^|[\sT])(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?\s*([ap])?\.?(?:m\.?)?"
        r"(?:Z|[+-]\d\d:?\d\d)?$",
        cell.strip(),
        re.IGNORECASE,
    )
    if match is None or int(match[1]) > 23 or int(match[2]) > 59:
        return None
    hours = int(match[1])
    if match[4]:
        hours = hours % 12 + (12 if match[4].lower() == "p" else 0)
    return 3600 * hours + 60 * int(match[2]) + int(match[3] or 0)


def _date_text(year: str, month: str, day: str) -> str:
    """Return a date of three cells, its month a number or a name."""
    return f"{year}-{month}-{day}" if month.isdigit() else f"{day} {month} {year}"


def _time_text(cells: Sequence[str], pieces: Mapping[str, int]) -> str | None:
    """Return h:mm:ss of cells of hours, minutes and seconds; None where they are no such parts."""
    texts = {unit: cells[index] for unit, index in pieces.items()}
    if not any(texts.values()):
        return ""
    whole = {unit: text or "0" for unit, text in texts.items()}
    seconds = whole.get("s", "0").replace(",", ".")
    minutes, hours = whole.get("min", "0"), whole.get("h", "0")
    if not (minutes.isdigit() and hours.isdigit() and re.fullmatch(r"\d+(\.\d+)?", seconds)):
        return None
    if float(seconds) >= 60.0 or ("h" in whole and int(minutes) >= 60):
        return None
    total = 3600.0 * int(hours) + 60.0 * int(minutes) + float(seconds)
    return f"{total // 3600:.0f}:{total % 3600 // 60:02.0f}:{total % 60:04.1f}"
