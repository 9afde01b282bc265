"""Mean and maximum heart rates of the sessions in a table, in bpm."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from fitgym.logs.csv_columns import Column, columns_of
from fitgym.logs.csv_numbers import parse_number, split_unit
from fitgym.logs.csv_sheet import Sheet
from fitgym.logs.training_log import SESSION_HEART_RATES_BPM
from fitgym.logs.words import fold, words

# A mean and a maximum in one cell, as 150/172.
_PAIR = re.compile(r"(\d{2,3})\s*/\s*(\d{2,3})")

# Ours: medians below these are no exercise: percent of the maximum, or pulses at rest.
_LOWEST_MEDIAN_BPM = {"mean": 95.0, "maximum": 110.0}
# Ours: so many sessions have not all the same maximum.
_SAME_MAXIMA = 5


@dataclass(frozen=True)
class HeartRates:
    """Heart rates of the rows of a table, bpm, None where not known.

    Attributes:
        mean: Mean of each row.
        highest: Maximum of each row.
        columns: The columns that they are from.
        label: What each of them holds.
    """

    mean: list[float | None]
    highest: list[float | None]
    columns: tuple[Column, ...]
    label: str


def read_heart_rates(sheet: Sheet, usable: Sequence[int], taken: Sequence[Column]) -> HeartRates:
    """Return the heart rates of a table; what is implausible is left out and told.

    Args:
        sheet: The table.
        usable: Positions of the rows that count.
        taken: Columns that are something else.
    """
    others = {column.index for column in taken}
    found: dict[str, tuple[Column, list[float | None]]] = {}
    for kind, quantity in (("mean", "heart_mean"), ("maximum", "heart_max")):
        for column in columns_of(sheet.table.header, quantity):
            if column.index not in others:
                cells = sheet.cells(column)
                pairs = [_PAIR.fullmatch(cell) for cell in cells]
                if kind == "mean" and any(pairs):
                    tops = [pair[2] if pair else "" for pair in pairs]
                    highest = _values(sheet, column, "maximum", usable, tops)
                    if highest is not None:
                        found["maximum"] = (column, highest)
                    cells = [
                        pair[1] if pair else cell for pair, cell in zip(pairs, cells, strict=True)
                    ]
                values = _values(sheet, column, kind, usable, cells)
                if values is not None:
                    found[kind] = (column, values)
                    break
    nothing: list[float | None] = [None] * len(sheet.table.rows)
    mean = found["mean"][1] if "mean" in found else nothing
    highest = found["maximum"][1] if "maximum" in found else list(nothing)
    wrong = [
        row
        for row in usable
        if (low := mean[row]) is not None and (high := highest[row]) is not None and high < low
    ]
    for row in wrong:
        highest[row] = None
    if wrong:
        sheet.notes.append(
            f"heart rate: {len(wrong)} maxima below the mean of their session are left out, the "
            f"first in row {sheet.table.rows[wrong[0]].line}"
        )
    kinds: dict[str, list[str]] = {}
    for kind in ("mean", "maximum"):
        if kind in found:
            kinds.setdefault(found[kind][0].name, []).append(kind)
    told = "; ".join(f"{' and '.join(told)} in column {name!r}" for name, told in kinds.items())
    return HeartRates(mean, highest, tuple(column for column, _ in found.values()), told)


def _values(
    sheet: Sheet, column: Column, kind: str, usable: Sequence[int], cells: Sequence[str]
) -> list[float | None] | None:
    """Return the heart rates in the cells of a column, None where it holds none."""
    low, high = SESSION_HEART_RATES_BPM
    names = words().units["heart"]
    numbers = [
        parse_number(cell, "," if "," in cell else ".")
        if fold(split_unit(cell)[1]) in {"", *names} and "%" not in cell
        else math.nan
        for cell in cells
    ]
    filled = [row for row in usable if cells[row] and numbers[row] != 0.0]
    good = [row for row in filled if low <= numbers[row] <= high]
    if not filled:
        return None
    if (
        len(good) * 2 <= len(filled)
        or median(numbers[row] for row in good) < (_LOWEST_MEDIAN_BPM[kind])
    ):
        sheet.notes.append(
            f"heart rate: column {column.name!r} (for instance {cells[filled[0]]!r}) holds no "
            f"{kind} of exercise in bpm (percent, zones, or at rest?): it is not used"
        )
        return None
    if kind == "maximum" and _is_setting(sheet, column, [numbers[row] for row in good]):
        sheet.notes.append(
            f"heart rate: column {column.name!r} ({numbers[good[0]]:g}) is the person's maximum, "
            "not that of a session: it is not used"
        )
        return None
    if odd := len(filled) - len(good):
        row = next(row for row in filled if row not in good)
        sheet.notes.append(
            f"heart rate: {odd} value(s) of column {column.name!r} outside {low:g} to {high:g} bpm "
            f"are left out, the first in row {sheet.table.rows[row].line} ({cells[row]!r})"
        )
    return [number if low <= number <= high else None for number in numbers]


def _is_setting(sheet: Sheet, column: Column, beats: Sequence[float]) -> bool:
    """Return whether a column holds the maximum that the person told the watch."""
    # Polar's exports have it beside the pulse at rest that the person told.
    beside = fold(column.name) == "hr max" and any(
        fold(name) == "hr sit" for name in sheet.table.header
    )
    return beside or (len(beats) >= _SAME_MAXIMA and len(set(beats)) == 1)
