"""Which columns of a table are distance and time, and in which units, decided by all rows."""

from __future__ import annotations

import contextlib
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median

from fitgym.logs.csv_columns import Column, columns_of, named_column
from fitgym.logs.csv_numbers import Times, parse_number, plain_amount, read_times, split_unit
from fitgym.logs.csv_questions import Undecided
from fitgym.logs.csv_sheet import Sheet
from fitgym.logs.options import METRES
from fitgym.logs.plausible import PACES, Paces, pace_text
from fitgym.logs.words import fold, words

# Ours: rows in which two columns of the same quantity may differ, and by how much.
_AGREEMENT, _AGREEING_ROWS = 0.02, 0.9
# Ours: a witness of the unit, such as a speed whose unit is told, may be rounded.
_WITNESS_TOLERANCE, _WITNESS_ROWS = 0.06, 3

# Names that mean a unit of distance in a sentence, too.
_REMARKED_UNITS = {
    "km", "kms", "kilometer", "kilometers", "kilometre", "kilometres", "kilometern", "kilometri",
    "kilometros", "quilometros", "chilometri", "miles", "mi", "meilen", "millas", "miglia",
    "milhas", "mijl", "meters", "metres", "metern", "metros", "metri",
}  # fmt: skip
# Ours: a pace or speed that differs by more from distance and time contradicts them.
_CONTRADICTION = 0.12
_NAMED_ROWS = 5
# Ours: runs so short take no longer than the hour of a morning or an evening.
_SHORT_M = 2500.0
# Ours: a larger number without a colon may be km/h as well as minutes.
_SLOWEST_DECIMAL_PACE = 8.0


@dataclass(frozen=True)
class Distances:
    """One reading of a column of distances."""

    column: Column
    unit: str
    decimal: str
    metres: list[float]
    bare: bool


@dataclass(frozen=True)
class Measures:
    """One reading of distances and times together."""

    distances: Distances
    column: Column
    times: Times
    pace: float


def read_measures(sheet: Sheet, usable: Sequence[int]) -> tuple[Measures, list[float]]:
    """Return how distances and times are read, and the minutes of every row.

    Args:
        sheet: The table.
        usable: Positions of the rows that count.

    Raises:
        ValueError: If the rows do not decide it, or the result is implausible.
    """
    measurer = _Measurer(sheet)
    measures, others = measurer.choose(usable)
    minutes = measurer.minutes(measures, others, usable)
    measurer.tell_contradictions(measures, minutes, usable)
    return measures, minutes


class _Measurer:
    """Decides how distances and times of one table are read."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet

    def _distance_columns(self, usable: Sequence[int]) -> list[Column]:
        wanted = self.sheet.options.columns.get("distance")
        if wanted is not None:
            return [named_column(self.sheet.table.header, "distance", wanted)]
        columns = [
            column
            for column in columns_of(self.sheet.table.header, "distance")
            if any(self.sheet.cells(column)[row] for row in usable)
        ]
        if not columns and not self._rates():
            raise ValueError(
                "no column is called a distance (or all its cells are empty); name it with "
                f'--map distance="..."; the header has '
                f"{', '.join(map(repr, filter(None, self.sheet.table.header)))}"
            )
        return columns

    def _distance_readings(self, column: Column) -> list[Distances]:
        """Return every way to read a column of distances."""
        cells = self._amounts(column)
        told = self.sheet.options.distance_unit
        names = words().units["distance"]
        cell_units = [names.get(fold(split_unit(cell)[1])) if cell else None for cell in cells]
        in_cells = told is None and sum(unit is not None for unit in cell_units) > len(cells) // 2
        readings = []
        for sign in self.sheet.sign_of(column, cells):
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
                readings.append(Distances(column, common, sign, metres, False))
                continue
            unit = told or column.unit or self._remarked_unit()
            for name in (unit,) if unit else ("km", "miles", "m"):
                metres = [
                    METRES[cell_unit or name] * number
                    for cell_unit, number in zip(cell_units, numbers, strict=True)
                ]
                readings.append(Distances(column, name, sign, metres, unit is None))
        return readings

    def _amounts(self, column: Column) -> list[str]:
        """Return the numbers and units of a column's cells, and tell where they say more."""
        cells = self.sheet.cells(column)
        amounts = list(map(plain_amount, cells))
        changed = [row for row, cell in enumerate(cells) if amounts[row] != cell]
        if changed:
            first = changed[0]
            self.sheet.note(
                f"column {column.name!r}: {len(changed)} cell(s) say more than a number, the first "
                f"in row {self.sheet.table.rows[first].line}: {cells[first]!r} is read as "
                f"{amounts[first]!r}"
            )
        return amounts

    def _remarked_unit(self) -> str | None:
        """Return the one unit of distances that lines before the header or comments name."""
        names = words().units["distance"]
        found = {
            names[part]
            for line in self.sheet.table.remarks
            for part in fold(line).split()
            if part in _REMARKED_UNITS
        }
        return found.pop() if len(found) == 1 else None

    def _time_columns(self) -> list[Column]:
        wanted = self.sheet.options.columns.get("time")
        header = self.sheet.table.header
        if wanted is not None:
            return [named_column(header, "time", wanted)]
        found: dict[int, Column] = {}
        for kind in ("moving", "duration", "elapsed"):
            for column in columns_of(header, kind):
                found.setdefault(column.index, column)
        return list(found.values())

    def choose(self, usable: Sequence[int]) -> tuple[Measures, list[Column]]:
        """Return how distances and times are read, and the columns of time that come after."""
        paces = PACES[self.sheet.options.sport]
        columns = self._distance_columns(usable)
        times = self._time_columns()
        if not columns:
            return self._distance_by_rate(times, usable, paces), []
        if not times:
            return self._reading_by_pace(columns, usable, paces), []
        implausible: list[Measures] = []
        for resort in (False, True):
            for position, time_column in enumerate(times):
                cells = self.sheet.cells(time_column)
                if not any(cells[row] for row in usable):
                    continue
                readings = [
                    reading
                    for reading in self._time_readings(time_column)
                    if reading.last_resort == resort
                ]
                plausible, rejected = self._combine(columns, time_column, readings, usable, paces)
                implausible += rejected
                if not plausible:
                    continue
                chosen = self._choose(plausible, usable, rejected)
                self._ask_time_of_day(chosen, usable)
                self._ask_time_or_pace(columns, chosen, usable, paces)
                self._tell_passed_over(times, position, chosen)
                return chosen, times[position + 1 :]
        if columns_of(self.sheet.table.header, "pace"):
            # German "Tempo" is a pace, Italian "tempo" a time.
            with contextlib.suppress(ValueError):
                return self._reading_by_pace(columns, usable, paces), []
        if not implausible:
            self._require_distances(columns, usable)
            example = next((c for column in times for c in self.sheet.cells(column) if c), "")
            raise ValueError(
                f"column {times[0].name!r} holds no times that can be read, for instance "
                f'{example!r}; name the column of durations with --map time="..."'
            )
        if self.sheet.options.keep_all:
            certain = [r for r in implausible if not r.distances.bare and r.times.sure]
            if certain:
                return certain[0], []
        best = min(implausible, key=lambda reading: paces.distance(reading.pace))
        unit = best.distances.unit
        if paces.is_usual(best.pace) and (odd := self._impossible(best, usable, paces)):
            first = odd[0]
            raise ValueError(
                f"{len(odd)} of {len(usable)} rows have an impossible pace, the first in row "
                f"{self.sheet.table.rows[first].line}: "
                f"{self.sheet.cells(best.distances.column)[first]!r} ({unit}) in "
                f"{self.sheet.cells(best.column)[first]!r}"
                f"{' as ' + best.times.label if best.times.label else ''}, though the median is "
                f"{pace_text(best.pace, unit)}: correct these rows, name the columns with --map "
                'distance="..." time="...", write the form of the times into their name, for '
                "instance 'time (mm:ss)', or give --distance-unit"
            )
        raise ValueError(
            f"the median pace would be {pace_text(best.pace, unit)} (distance "
            f"{best.distances.column.name!r} in {unit}, time {best.column.name!r}"
            f"{' as ' + best.times.label if best.times.label else ''}), which is implausible for "
            f"sport {self.sheet.options.sport!r}: give --distance-unit, name the columns with "
            '--map distance="..." time="..." sport="...", or --sport for another sport; with a '
            "unit in their names, --keep-all takes them as they are"
        )

    def _require_distances(self, columns: Sequence[Column], usable: Sequence[int]) -> None:
        """Raise a ValueError if no cell of the columns of distances can be read."""
        readings = [reading for column in columns for reading in self._distance_readings(column)]
        if not any(reading.metres[row] > 0.0 for reading in readings for row in usable):
            cells = self.sheet.cells(columns[0])
            example = next(cells[row] for row in usable if cells[row])
            raise ValueError(
                f"column {columns[0].name!r} holds no distances that can be read, for instance "
                f"{example!r}: write a number and its unit, as in '10.5 km', or name the column of "
                'distances with --map distance="..."'
            )

    def _ask_time_of_day(self, chosen: Measures, usable: Sequence[int]) -> None:
        """Ask whether short times such as 06:30 are times of day.

        Raises:
            Undecided: If all of them may be, by a name that means both, and no pace bears them out.
        """
        header = self.sheet.table.header
        cells = self.sheet.cells(chosen.column)
        texts = [cells[row] for row in usable if cells[row]]
        metres = [
            chosen.distances.metres[row] for row in usable if chosen.distances.metres[row] > 0
        ]
        if (
            chosen.times.label != "mm:ss"
            or "time" in self.sheet.options.columns
            or chosen.column.form is not None
            or fold(chosen.column.name) not in words().columns["clock"]
            or columns_of(header, "pace")
            or columns_of(header, "speed")
            or not all(re.fullmatch(r"(?:0[4-9]|1\d|2[0-3]):[0-5]\d", text) for text in texts)
        ):
            return
        rounded = all(int(text[-1]) % 5 == 0 for text in texts)
        if rounded or median(metres) < _SHORT_M:
            raise Undecided(
                f"column {chosen.column.name!r} (for instance {texts[0]!r}) may hold minutes and "
                "seconds or times of day: write into its name which, for instance 'time (mm:ss)' "
                "or 'time of day', or name it with --map time=\"...\" if these are durations"
            )

    def _ask_time_or_pace(
        self, columns: Sequence[Column], chosen: Measures, usable: Sequence[int], paces: Paces
    ) -> None:
        """Ask whether a column whose name means both holds times or paces, if both are plausible.

        Raises:
            Undecided: If they are, and differ.
        """
        named = columns_of(self.sheet.table.header, "pace")
        if not named or named[0].index != chosen.column.index:
            return
        try:
            other = self._reading_by_pace(columns, usable, paces)
        except ValueError:
            return
        if abs(other.pace / chosen.pace - 1.0) > _CONTRADICTION:
            raise Undecided(
                f"column {chosen.column.name!r} may hold times (median pace "
                f"{pace_text(chosen.pace, chosen.distances.unit)}) or paces (median pace "
                f"{pace_text(other.pace, other.distances.unit)}): write the unit into its name, "
                "for instance 'time (mm:ss)' or 'pace (min/km)'"
            )

    def _impossible(self, reading: Measures, usable: Sequence[int], paces: Paces) -> list[int]:
        """Return the rows whose pace nobody has."""
        low, high = paces.possible
        return [
            row
            for row in usable
            if reading.distances.metres[row] > 0.0
            and reading.times.minutes[row] > 0.0
            and not low
            <= 1000.0 * reading.times.minutes[row] / reading.distances.metres[row]
            <= high
        ]

    def _time_readings(self, column: Column) -> list[Times]:
        """Return every way to read a column of durations."""
        cells = self._amounts(column)
        numbers = [cell for cell in cells if not re.search(r"[:.,].*[:.,]", cell)]
        found = [
            reading
            for sign in self.sheet.sign_of(column, numbers)
            for reading in read_times(cells, sign, column.unit, column.form)
        ]
        # Without a decimal sign, both signs read the same.
        return [
            reading
            for index, reading in enumerate(found)
            if not any(
                all(map(_same, reading.minutes, other.minutes)) and reading.label == other.label
                for other in found[:index]
            )
        ]

    def _combine(
        self,
        columns: Sequence[Column],
        time_column: Column,
        readings: Sequence[Times],
        usable: Sequence[int],
        paces: Paces,
    ) -> tuple[list[Measures], list[Measures]]:
        """Return the readings of one column of times with every distance, plausible or not."""
        plausible: list[Measures] = []
        rejected: list[Measures] = []
        for column in columns:
            if column.index == time_column.index:
                continue
            for distances in self._distance_readings(column):
                for uniform in readings:
                    times = self._cell_by_cell(distances, uniform, usable, paces)
                    if times is None:
                        continue
                    pairs = [
                        (distances.metres[row], times.minutes[row])
                        for row in usable
                        if distances.metres[row] > 0.0 and times.minutes[row] > 0.0
                    ]
                    if not pairs:
                        continue
                    pace = median(minutes / metres for metres, minutes in pairs) * 1000.0
                    reading = Measures(distances, time_column, times, pace)
                    fits = paces.fits(pairs, pace, distances.unit if distances.bare else None)
                    (plausible if fits else rejected).append(reading)
        return plausible, rejected

    def _cell_by_cell(
        self, distances: Distances, times: Times, usable: Sequence[int], paces: Paces
    ) -> Times | None:
        """Return times of which those with an unusual pace are read in the other form, if usual.

        Hours and minutes are sixty times minutes and seconds, so the pace leaves no choice. None
        where most are: in the other form, the fewer are exceptions.
        """
        switched = [
            row
            for row in usable
            if times.other_form
            and (metres := distances.metres[row]) > 0.0
            and not paces.is_usual(1000.0 * times.minutes[row] / metres)
            and paces.is_usual(1000.0 * times.other[row] / metres)
        ]
        both = sum(not math.isnan(times.other[row]) for row in usable) if times.other else 0
        mixed = " or " in times.label
        if not switched:
            return times
        if not mixed and 2 * len(switched) > both:
            return None
        minutes = list(times.minutes)
        for row in switched:
            minutes[row] = times.other[row]
        lines = ", ".join(str(self.sheet.table.rows[row].line) for row in switched[:_NAMED_ROWS])
        more = f" and {len(switched) - _NAMED_ROWS} more" if len(switched) > _NAMED_ROWS else ""
        label = (
            f"{times.label}; {times.other_form} in {len(switched)} row(s), by the pace that "
            f"distance and time give (row {lines}{more})"
        )
        return replace(times, label=label, minutes=minutes, sure=False)

    def _choose(
        self,
        plausible: Sequence[Measures],
        usable: Sequence[int],
        rejected: Sequence[Measures] = (),
    ) -> Measures:
        """Return the one reading among plausible ones; several are an error.

        Of those rejected for an unusual pace, one that a column of speeds bears out comes first.
        """
        witness = self._witness(plausible, rejected, usable)
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
            self.sheet.notes.append(
                f"distance: column {first.distances.column.name!r} was taken; {names} agrees"
            )
        return first

    def _ratio_pairs(self, candidates: Sequence[Measures], usable: Sequence[int]) -> list[Measures]:
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

    def _refuse(self, first: Measures, rest: Sequence[Measures]) -> None:
        options = [first, *rest]
        names = {reading.distances.column.name for reading in options}
        if len({reading.distances.column.index for reading in options}) > 1:
            remedy = 'name one with --map distance="..."'
            if len(names) == 1:
                remedy = "give them names of their own, or delete those that are not to be read"
            raise ValueError(
                f"the columns {', '.join(map(repr, sorted(names)))} may all be the distance and do "
                f"not agree: {remedy}"
            )
        units = list(dict.fromkeys(reading.distances.unit for reading in options))
        questions = []
        if len(units) > 1:
            paces = {reading.distances.unit: reading.pace for reading in options}
            told = " or ".join(
                f"{unit} (median pace {pace_text(paces[unit], unit)})" for unit in units
            )
            questions.append(
                f"column {first.distances.column.name!r} names no unit and may be in {told}: give "
                f"--distance-unit {' or '.join(units)}"
            )
        if len({reading.distances.decimal for reading in options}) > 1:
            questions.append(
                f"column {first.distances.column.name!r}: a number such as "
                f"{next(c for c in self.sheet.cells(first.distances.column) if c)!r} may have a "
                "decimal comma or point, or separate thousands: give --decimal point or comma"
            )
        if questions:
            raise Undecided("; and ".join(questions))
        raise Undecided(
            f"column {first.column.name!r} may be read as "
            f"{' or '.join(r.times.label for r in options)}: write the unit into its name, for "
            "instance 'time (s)' or 'time (h:mm)'"
        )

    def _share_agreeing(self, one: Measures, other: Measures, usable: Sequence[int]) -> float:
        pairs = [
            (one.distances.metres[row], other.distances.metres[row])
            for row in usable
            if one.distances.metres[row] > 0.0 and other.distances.metres[row] > 0.0
        ]
        good = sum(abs(a - b) <= _AGREEMENT * max(a, b) + 30.0 for a, b in pairs)
        return good / len(pairs) if pairs else 0.0

    def _agree(self, one: Measures, other: Measures, usable: Sequence[int]) -> bool:
        """Return whether two readings give the same metres and minutes."""
        return all(
            _same(one.distances.metres[row], other.distances.metres[row])
            and _same(one.times.minutes[row], other.times.minutes[row])
            for row in usable
        )

    def _witness(
        self, plausible: Sequence[Measures], rejected: Sequence[Measures], usable: Sequence[int]
    ) -> list[Measures]:
        """Return the readings that columns with a known unit of speed, pace or stride bear out."""
        bare = [reading for reading in rejected if reading.distances.bare]
        if not any(reading.distances.bare for reading in plausible) or len([*plausible, *bare]) < 2:
            return []
        for name, speeds in self._speeds():
            fitting = [
                [reading for reading in readings if self._is_borne_out(reading, speeds, usable)]
                for readings in (plausible, bare)
            ]
            if found := fitting[0] or fitting[1]:
                self.sheet.notes.append(f"distance: its unit is decided by column {name!r}")
                return found
        return []

    def _is_borne_out(
        self, reading: Measures, speeds: Sequence[float], usable: Sequence[int]
    ) -> bool:
        """Return whether speeds in m/min are those of a reading."""
        ratios = [
            speeds[row] * reading.times.minutes[row] / reading.distances.metres[row]
            for row in usable
            if speeds[row] > 0.0
            and reading.distances.metres[row] > 0.0
            and reading.times.minutes[row] > 0.0
        ]
        return len(ratios) >= _WITNESS_ROWS and abs(median(ratios) - 1.0) < _WITNESS_TOLERANCE

    def _speeds(self) -> list[tuple[str, list[float]]]:
        """Return speeds in m/min by columns whose unit is told, for each row, NaN where unknown."""
        header, found = self.sheet.table.header, []
        per_minute = {"km/h": 1000 / 60, "mph": METRES["miles"] / 60, "m/s": 60.0, "m/min": 1.0}
        per_unit = {"min/km": 1000.0, "min/mile": METRES["miles"]}
        for column in columns_of(header, "speed"):
            cells = self.sheet.cells(column)
            # A bare speed in km/h or mph agrees with every unit of distance, one in m/s with one.
            told = column.unit or _common_unit(cells, "speed") or "m/s"
            if told in per_minute:
                sign = self.sheet.sign_of(column, cells)[0]
                found.append(
                    (column.name, [per_minute[told] * parse_number(cell, sign) for cell in cells])
                )
        for column in columns_of(header, "pace"):
            cells = self.sheet.cells(column)
            pace_unit = column.unit or _common_unit(cells, "pace")
            if pace_unit in per_unit:
                found.append(
                    (
                        column.name,
                        [
                            per_unit[pace_unit] / value if value > 0 else math.nan
                            for value in self._paces(column)
                        ],
                    )
                )
        strides, cadences = columns_of(header, "stride"), columns_of(header, "cadence")
        if strides and cadences:
            lengths = [
                parse_number(cell, "." if "." in cell else ",")
                for cell in self.sheet.cells(strides[0])
            ]
            steps = [parse_number(cell, ".") for cell in self.sheet.cells(cadences[0])]
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
            for cell in self.sheet.cells(column)
        ]
        sign = self.sheet.sign_of(column, cells)[0]
        readings = read_times(cells, sign, "min", None)
        return readings[0].minutes

    def _rates(self) -> list[tuple[Column, str, list[float]]]:
        """Return columns of speeds and paces that tell their unit, with the metres a minute."""
        header, found = self.sheet.table.header, []
        per_minute = {"km/h": 1000 / 60, "mph": METRES["miles"] / 60, "m/s": 60.0, "m/min": 1.0}
        for column in columns_of(header, "speed"):
            cells = self.sheet.cells(column)
            unit = column.unit or _common_unit(cells, "speed")
            if unit is not None:
                sign = self.sheet.sign_of(column, cells)[0]
                speeds = [per_minute[unit] * parse_number(cell, sign) for cell in cells]
                found.append((column, "miles" if unit == "mph" else "km", speeds))
        for column in columns_of(header, "pace"):
            pace_unit = column.unit or _common_unit(self.sheet.cells(column), "pace")
            unit = {"min/km": "km", "min/mile": "miles"}.get(pace_unit or "")
            if unit is not None:
                paces = self._paces(column)
                speeds = [METRES[unit] / pace if pace > 0.0 else math.nan for pace in paces]
                found.append((column, unit, speeds))
        return found

    def _distance_by_rate(
        self, times: Sequence[Column], usable: Sequence[int], paces: Paces
    ) -> Measures:
        """Return times with the distances that a column of speeds or paces gives."""
        if not times:
            raise ValueError(
                "no column is called a distance, and none a time or duration: name them with "
                '--map distance="..." time="..."'
            )
        column, unit, speeds = self._rates()[0]
        plausible = []
        for reading in self._time_readings(times[0]):
            metres = [a * b for a, b in zip(speeds, reading.minutes, strict=True)]
            pairs = [(metres[row], reading.minutes[row]) for row in usable if metres[row] > 0.0]
            if not pairs:
                continue
            pace = median(b / a for a, b in pairs) * 1000.0
            if paces.fits(pairs, pace, None):
                distances = Distances(column, unit, ".", metres, False)
                plausible.append(Measures(distances, times[0], reading, pace))
        if not plausible:
            raise ValueError(
                f"no column is called a distance, and with the times of column {times[0].name!r} "
                f"column {column.name!r} gives implausible ones: name a column with --map "
                'distance="..."'
            )
        self.sheet.notes.append(
            f"distance: computed from columns {times[0].name!r} and {column.name!r}"
        )
        return self._choose(plausible, usable)

    def _time_by_speed(
        self, columns: Sequence[Column], usable: Sequence[int], paces: Paces
    ) -> Measures:
        """Return distances with the times that a column of speeds gives."""
        rates = self._rates()
        if not rates:
            raise ValueError(
                'no column is called a time or duration; name it with --map time="..."; the '
                f"header has {', '.join(map(repr, filter(None, self.sheet.table.header)))}"
            )
        column, _, speeds = rates[0]
        plausible = []
        for distances in self._distance_readings(columns[0]):
            minutes = [a / b for a, b in zip(distances.metres, speeds, strict=True)]
            pairs = [(distances.metres[r], minutes[r]) for r in usable if minutes[r] > 0.0]
            if not pairs:
                continue
            pace = median(b / a for a, b in pairs) * 1000.0
            told = distances.unit if distances.bare else None
            if paces.fits(pairs, pace, told) and told is None:
                times = Times("from the speed and the distance", minutes)
                plausible.append(Measures(distances, column, times, pace))
        if not plausible:
            raise ValueError(
                f"there is no column of times, and with the speeds of column {column.name!r} the "
                "sessions are implausible or the distance names no unit: give --distance-unit, or "
                'name a column of times with --map time="..."'
            )
        return self._choose(plausible, usable)

    def _reading_by_pace(
        self, columns: Sequence[Column], usable: Sequence[int], paces: Paces
    ) -> Measures:
        """Return distances with the times that a column of paces gives."""
        found = columns_of(self.sheet.table.header, "pace")
        if not found:
            return self._time_by_speed(columns, usable, paces)
        column = found[0]
        told = column.unit or _common_unit(self.sheet.cells(column), "pace")
        values = self._paces(column)
        known = [values[row] for row in usable if values[row] > 0.0]
        decimal = not any(":" in cell or "'" in cell for cell in self.sheet.cells(column))
        if told is None and decimal and known and median(known) > _SLOWEST_DECIMAL_PACE:
            raise ValueError(
                f"column {column.name!r} may hold minutes or km/h (median {median(known):.3g}): "
                "write the unit into its name, for instance 'speed (km/h)' or 'pace (min/km)'"
            )
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
                plausible.append(Measures(distances, column, times, pace))
        if not plausible:
            raise ValueError(
                f"there is no column of times, and with the paces of column {column.name!r} the "
                'sessions are implausible: name a column of times with --map time="..."'
            )
        return self._choose(plausible, usable)

    def tell_contradictions(
        self, reading: Measures, minutes: Sequence[float], usable: Sequence[int]
    ) -> None:
        """Tell of rows whose pace is another than distance and time give."""
        columns = columns_of(self.sheet.table.header, "pace")
        if not columns or columns[0].index in (
            reading.column.index,
            reading.distances.column.index,
        ):
            return
        column = columns[0]
        told = column.unit or _common_unit(self.sheet.cells(column), "pace")
        paces = self._paces(column)
        known = [paces[row] for row in usable if paces[row] > 0.0]
        if not known or median(known) > PACES[self.sheet.options.sport].possible[1]:
            return
        metres = reading.distances.metres
        ratios = {
            row: paces[row] * metres[row] / minutes[row] / 1000.0
            for row in usable
            if paces[row] > 0.0 and metres[row] > 0.0 and minutes[row] > 0.0
        }
        # A bare pace is per kilometre or per mile, whichever most rows bear out.
        scales = {"min/km": [1.0], "min/mile": [METRES["miles"] / 1000.0]}.get(
            told or "", [1.0, METRES["miles"] / 1000.0]
        )
        odd = min(
            (
                [row for row, ratio in ratios.items() if abs(ratio / scale - 1.0) > _CONTRADICTION]
                for scale in scales
            ),
            key=len,
        )
        if odd:
            row = self.sheet.table.rows[odd[0]]
            self.sheet.notes.append(
                f"column {column.name!r} contradicts distance and time in {len(odd)} of "
                f"{len(ratios)} row(s), the first in row {row.line}: another unit, or pauses?"
            )

    def _tell_passed_over(self, times: Sequence[Column], position: int, chosen: Measures) -> None:
        paces = {column.index for column in columns_of(self.sheet.table.header, "pace")}

        def names(columns: Sequence[Column]) -> list[str]:
            filled = [column for column in columns if any(self.sheet.cells(column))]
            return [column.name for column in filled if column.index not in paces]

        passed, later = names(times[:position]), names(times[position + 1 :])
        if passed:
            self.sheet.notes.append(
                f"time: column {', '.join(map(repr, passed))} cannot be a duration (a time of "
                f"day?), column {chosen.column.name!r} is taken"
            )
        if later:
            self.sheet.notes.append(
                f"time: column {chosen.column.name!r} comes before {', '.join(map(repr, later))}"
            )

    def minutes(
        self, reading: Measures, others: Sequence[Column], usable: Sequence[int]
    ) -> list[float]:
        """Return the minutes of each row, from the next column where the first tells none."""
        minutes = list(reading.times.minutes)
        cells = self.sheet.cells(reading.column)
        missing = [row for row in usable if not cells[row] or minutes[row] == 0.0]
        for column in others:
            if not missing:
                break
            texts = self.sheet.cells(column)
            sign = self.sheet.sign_of(column, [c for c in texts if ":" not in c])[0]
            paces = PACES[self.sheet.options.sport]
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
                        self.sheet.notes.append(
                            f"time: {len(taken)} row(s) without {reading.column.name!r} take "
                            f"{column.name!r}"
                        )
                    break
        return minutes


def _same(one: float, other: float) -> bool:
    return (
        one == other
        or (math.isnan(one) and math.isnan(other))
        or abs(one - other) <= 1e-9 * abs(one)
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
