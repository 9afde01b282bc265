"""Which rows of a table are sessions: what is impossible, repeated or a sum is left out by name."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise

from fitgym.logs.csv_dates import Dates
from fitgym.logs.csv_heart import HeartRates
from fitgym.logs.csv_measures import Measures
from fitgym.logs.csv_sheet import Sheet
from fitgym.logs.history import PartialSession
from fitgym.logs.plausible import outliers, problem_of_session
from fitgym.logs.words import fold, words

# Ours: a pause that is worth mentioning.
_GAP_DAYS = 180
# Ours: so many runs of less than this a day, without times of day, are repetitions.
_REPETITIONS, REPETITION_M = 3, 1500.0
# Ours: nobody runs for two days, or further than 250 km, but sums of weeks and years are.
_LONGEST_MINUTES, _LONGEST_M = 48 * 60.0, 250_000.0
# Ours: so many rows, whose sums in distance and time a row equals up to rounding.
_SUM_ROWS, _SUM_TOLERANCE = 3, 0.005
# Ours: two rows with so much of their time in common and distances so near are one session.
_SAME_TIME, _SAME_DISTANCE = 0.8, 0.1


@dataclass
class SessionRow:
    """A row on its way to a session."""

    line: int
    day: date
    clock: float | None
    metres: float
    minutes: float
    mean_bpm: float | None = None
    max_bpm: float | None = None


class RowChecks:
    """Takes the rows of one table to sessions.

    Args:
        sheet: The table.
    """

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet

    def sessions(
        self,
        dates: Dates,
        usable: Sequence[int],
        measures: Measures,
        minutes: Sequence[float],
        heart: HeartRates,
        sports: Sequence[str | None],
    ) -> list[SessionRow]:
        """Return the rows that are sessions.

        Args:
            dates: Date of each row of the table.
            usable: Positions of the rows of the sport that have a date.
            measures: How distances are read.
            minutes: Time of each row of the table.
            heart: Heart rates of each row of the table.
            sports: Sport that each row of the table names, None where it names none.
        """
        rows = []
        distance_cells, time_cells = (
            self.sheet.cells(measures.distances.column),
            self.sheet.cells(measures.column),
        )
        untimed = 0
        for index in usable:
            line = self.sheet.table.rows[index].line
            metres, duration = measures.distances.metres[index], minutes[index]
            distance, time = distance_cells[index], time_cells[index]
            day = dates.days[index]
            assert day is not None
            if {fold(distance), fold(time)} & words().not_finished:
                self.sheet.drop(line, "not finished", time or distance)
            elif not distance and not time and sports[index] is not None:
                # A row that names the sport is of a session, and only its day is known.
                self.sheet.drop(line, "neither distance nor time", "", PartialSession(day))
            elif metres == 0.0 or not distance:
                rest = not duration > 0.0
                known = None if rest else PartialSession(day, None, duration)
                self.sheet.drop(
                    line, "rest day" if rest else "no distance", "" if rest else time, known
                )
            elif math.isnan(metres):
                timed = duration if 0.0 < duration <= _LONGEST_MINUTES else None
                took_place = timed is not None or any(map(str.isdigit, distance))
                known = PartialSession(day, None, timed) if took_place else None
                self.sheet.drop(line, "distance not understood", distance, known)
            elif time and math.isnan(duration):
                known = PartialSession(day, metres) if 0.0 < metres <= _LONGEST_M else None
                self.sheet.drop(line, "time not understood", time, known)
            elif duration == 0.0:
                self.sheet.drop(line, "time is zero", "")
            elif metres < 0.0 or duration < 0.0:
                self.sheet.drop(line, "distance or time is negative", f"{distance} {time}")
            elif metres > _LONGEST_M or duration > _LONGEST_MINUTES:
                self.sheet.drop(
                    line, "summary row", f"{metres / 1000:.4g} km in {duration / 60:.3g} h"
                )
            elif (
                problem := problem_of_session(metres, duration, self.sheet.options.sport)
            ) is not None:
                self.sheet.drop(line, "impossible speed", problem, PartialSession(day))
            else:
                untimed += math.isnan(duration)
                rows.append(
                    SessionRow(
                        line,
                        day,
                        dates.minutes[index],
                        metres,
                        duration,
                        heart.mean[index],
                        heart.highest[index],
                    )
                )
        if untimed:
            self.sheet.notes.append(
                f"{untimed} session(s) have no time: they count with their distance only"
            )
        return rows

    def without_sums(self, rows: list[SessionRow]) -> list[SessionRow]:
        """Leave out rows that are the sum of those since the last such row, or of all others."""
        kept: list[SessionRow] = []
        since, metres, minutes = 0, 0.0, 0.0
        untimed = _untimed_sums(rows)
        for row in rows:
            if row.line in untimed or (since >= _SUM_ROWS and _is_sum(row, metres, minutes)):
                detail = f"its {row.metres / 1000:.4g} km are the sum of {since} rows before"
                self.sheet.drop(row.line, "summary row", detail)
                since, metres, minutes = 0, 0.0, 0.0
            else:
                kept.append(row)
                since, metres, minutes = since + 1, metres + row.metres, minutes + _known(row)
        if len(kept) > _SUM_ROWS + 1:
            longest = max(kept, key=lambda row: row.metres)
            others = [row for row in kept if row is not longest]
            metres, minutes = (
                sum(row.metres for row in others),
                sum(_known(row) for row in others),
            )
            if _is_sum(longest, metres, minutes):
                detail = f"its {longest.metres / 1000:.4g} km are the sum of the others"
                self.sheet.drop(longest.line, "summary row", detail)
                return others
        return kept

    def without_duplicates(self, rows: list[SessionRow]) -> list[SessionRow]:
        """Leave out rows that repeat an earlier one, repetitions on a track excepted."""
        seen: dict[tuple[object, ...], int] = {}
        kept = []
        short_of_day = Counter(
            row.day for row in rows if row.metres < REPETITION_M and row.clock is None
        )
        for row in rows:
            key = (row.day, row.clock, row.metres, str(row.minutes))
            repetition = row.metres < REPETITION_M and short_of_day[row.day] >= _REPETITIONS
            if key in seen and not repetition:
                self.sheet.drop(row.line, "the same session twice", f"as row {seen[key]}")
            else:
                seen[key] = row.line
                kept.append(row)
        return kept

    def without_outliers(self, rows: list[SessionRow]) -> list[SessionRow]:
        """Leave out rows whose pace is implausible beside the others.

        Raises:
            ValueError: If these are many.
        """
        odd = outliers([(row.metres, row.minutes) for row in rows], self.sheet.options.sport)
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
            self.sheet.drop(rows[index].line, "implausible pace beside the others", odd[index])
        self.sheet.notes.append(
            f"{len(odd)} session(s) have an implausible pace beside the others and are left out; "
            "--keep-all keeps them"
        )
        return [row for index, row in enumerate(rows) if index not in odd]

    def without_overlaps(self, rows: list[SessionRow]) -> list[SessionRow]:
        """Leave out rows of a session that another row has too, recorded by a second device."""
        if len({row.clock for row in rows}) < 2:
            # One time of day in all rows is none.
            return rows
        kept: list[SessionRow] = []
        of_day: dict[date, list[SessionRow]] = defaultdict(list)
        for row in rows:
            twin = next((other for other in of_day[row.day] if _is_overlap(row, other)), None)
            if twin is not None:
                self.sheet.drop(row.line, "the same session twice", f"as row {twin.line}")
                continue
            of_day[row.day].append(row)
            kept.append(row)
        return kept

    def without_lonely(self, rows: list[SessionRow]) -> list[SessionRow]:
        """Leave out one or two sessions years away from all others, and tell of long pauses."""
        ordered = sorted(rows, key=lambda row: row.day)
        cuts = [
            i
            for i in range(1, len(ordered))
            if (ordered[i].day - ordered[i - 1].day).days > 3 * 365
        ]
        lonely: list[SessionRow] = []
        if cuts and len(ordered) >= 10:
            for block in (ordered[: cuts[0]], ordered[cuts[-1] :]):
                if len(block) <= 2:
                    lonely += block
        for row in lonely:
            self.sheet.drop(row.line, "date years away from all others", str(row.day))
        kept = [row for row in rows if not any(row is other for other in lonely)]
        days = sorted({row.day for row in kept})
        for before, after in pairwise(days):
            if (gap := (after - before).days) > _GAP_DAYS:
                self.sheet.notes.append(
                    f"a gap of {gap} days without a session, from {before} to {after}"
                )
        return kept

    def repetitions_together(self, rows: list[SessionRow]) -> list[SessionRow]:
        """Put many short runs of a day together."""
        of_day: dict[date, list[SessionRow]] = defaultdict(list)
        for row in rows:
            if row.metres < REPETITION_M and not math.isnan(row.minutes):
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
                    mean_bpm=_mean_of(parts),
                    max_bpm=max((part.max_bpm for part in parts if part.max_bpm), default=None),
                )
                gone |= {id(part) for part in parts[1:]}
        if days:
            self.sheet.notes.append(
                f"on {days} day(s) there are {_REPETITIONS} or more runs of less than "
                f"{REPETITION_M / 1000:g} km: repetitions, put together to one session a day"
            )
        return [merged.get(id(row), row) for row in rows if id(row) not in gone]


def _mean_of(parts: Sequence[SessionRow]) -> float | None:
    """Return the mean heart rate over rows, None where one of them tells none."""
    beats = [(part.mean_bpm, part.minutes) for part in parts if part.mean_bpm is not None]
    if len(beats) < len(parts):
        return None
    return sum(mean * minutes for mean, minutes in beats) / sum(minutes for _, minutes in beats)


def _known(row: SessionRow) -> float:
    """Return the minutes of a row, 0 where they are not known."""
    return 0.0 if math.isnan(row.minutes) else row.minutes


def _is_overlap(row: SessionRow, other: SessionRow) -> bool:
    """Return whether two rows of a day are of about one distance at the same time."""
    if row.clock is None or other.clock is None or not row.minutes > 0.0 < other.minutes:
        return False
    begin = max(row.clock, other.clock)
    shared = min(row.clock + row.minutes, other.clock + other.minutes) - begin
    near = abs(row.metres - other.metres) <= _SAME_DISTANCE * max(row.metres, other.metres)
    return near and shared >= _SAME_TIME * min(row.minutes, other.minutes)


def _untimed_sums(rows: Sequence[SessionRow]) -> set[int]:
    """Return the lines of all rows without a time, if each is the sum of the distances before."""
    lines: set[int] = set()
    since, metres = 0, 0.0
    for row in rows:
        if not math.isnan(row.minutes):
            since, metres = since + 1, metres + row.metres
        elif since > 1 and abs(row.metres - metres) <= _SUM_TOLERANCE * metres:
            lines.add(row.line)
            since, metres = 0, 0.0
        else:
            return set()
    return lines if len(lines) > 1 else set()


def _is_sum(row: SessionRow, metres: float, minutes: float) -> bool:
    """Return whether distance and time of a row are those of a sum, up to rounding."""
    return (
        abs(row.metres - metres) <= _SUM_TOLERANCE * metres
        and abs(row.minutes - minutes) <= _SUM_TOLERANCE * minutes
    )
