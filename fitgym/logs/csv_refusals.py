"""Tables whose rows are no sessions of one person: sums, totals of days, points of a recording."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from statistics import median

from fitgym.logs.csv_columns import Column
from fitgym.logs.csv_numbers import parse_number
from fitgym.logs.csv_rows import REPETITION_M, SessionRow
from fitgym.logs.csv_sheet import Sheet
from fitgym.logs.words import fold, sport_of, words

# Ours: from this number of sessions a row, a row is a sum.
_SESSIONS_OF_A_SUM = 2.0
# Ours: more names than this, or names of one row each, are of routes or sessions.
_MOST_PEOPLE = 8
_WORDS_OF_PLACES = frozenset(
    {"park", "river", "lake", "loop", "morning", "evening", "afternoon", "lunch", "night", "home"}
)
# Ours: so many rows of a day that differ by no more than this share, on such a share of the days.
_LAPS, _SAME_LAP, _LAP_DAYS_SHARE, _LONGEST_LAP_M = 3, 0.03, 0.2, 10_000.0
# Ours: runners take more steps a minute, days and walks fewer.
_RUNNING_STEPS_A_MINUTE = 135.0
# Ours: so many rows, most of which begin before the one before has ended, are points of a course.
_POINTS, _POINTS_SHARE = 10, 0.5
# Ours: so many distances that all rise with their times to more than this are a running total.
_RISING_ROWS, _RISING_M = 6, 30_000.0
# Ours: so many rows of such lengths, all a week or a month apart, are sums.
_PERIODS, _PERIOD_M = 6, 30_000.0
# Ours: more in a day is hardly one person's.
_DAY_SESSIONS, _DAY_M, _DAY_MINUTES = 3, 120_000.0, 20 * 60.0


def refuse_sums(sheet: Sheet) -> None:
    """Refuse a table whose columns say that rows are sums, or of several people.

    Raises:
        ValueError: If they do.
    """
    known, header = words(), sheet.table.header
    for index, name in enumerate(header):
        folded = re.sub(r" ms$", "", fold(name))
        cells = sheet.cells(Column(index, name))
        if folded in known.day_totals and not sheet.options.columns:
            raise ValueError(
                f"holds totals of days (column {name!r}), not sessions: export the activities or "
                "workouts instead"
            )
        if folded in known.session_counts and not sheet.options.columns:
            counts = [number for cell in cells if (number := parse_number(cell, ".")) > 0.0]
            if counts and median(counts) >= _SESSIONS_OF_A_SUM:
                raise ValueError(
                    f"column {name!r} counts {median(counts):g} sessions a row: these are sums of "
                    "weeks or months, and a log needs a row for each session; export these"
                )
        if folded in known.first_names:
            _refuse_names(name, cells)
        if folded in known.repetitions and "distance" not in sheet.options.columns:
            counts = [number for cell in cells if (number := parse_number(cell, ".")) > 1.0]
            if counts:
                raise ValueError(
                    f"column {name!r} says how often a distance was run (up to "
                    f"{max(counts):g} times): the distance may be of one repetition. Write the "
                    "distance of the whole session, and name its column with "
                    '--map distance="..."; so, too, if it holds whole sessions already'
                )
        if folded in known.lap_numbers and _count_up(cells):
            raise ValueError(
                f"column {name!r} counts the laps of sessions: a log needs a row for each session; "
                "give the recordings as FIT, TCX or GPX, or export a list of the activities"
            )
        if folded in known.people and len(people := sorted(set(filter(None, cells)))) > 1:
            raise ValueError(
                f"column {name!r} names {len(people)} people ({people[0]!r}, {people[1]!r}, ...): "
                "a log is of one person; keep the rows of one"
            )


def _count_up(cells: Sequence[str]) -> bool:
    """Return whether cells count from one, once or over again."""
    numbers = [int(cell) for cell in cells if cell.isdecimal()]
    return max(numbers, default=0) > 2 and all(
        after in (1, before + 1) for before, after in pairwise([0, *numbers])
    )


def _refuse_names(name: str, cells: Sequence[str]) -> None:
    """Refuse names that are people's rather than what sessions are called.

    Raises:
        ValueError: If they are few, each of one or two words, and none says anything of training.
    """
    counts = Counter(filter(None, cells))
    if not 2 <= len(counts) <= _MOST_PEOPLE or min(counts.values()) < 2:
        return
    known = words()
    telling = known.run_kinds | known.weekdays | known.modifiers.keys() | known.months.keys()
    for called in counts:
        parts = fold(called).split()
        plain = called[:1].isupper() and called.replace(" ", "").replace(".", "").isalpha()
        if not plain or not 0 < len(parts) <= 2 or sport_of(called) is not None:
            return
        if telling & set(parts) or _WORDS_OF_PLACES & set(parts):
            return
    listed = ", ".join(repr(called) for called, _ in counts.most_common(3))
    raise ValueError(
        f"column {name!r} names {len(counts)} people ({listed}), it seems: a log is of one person; "
        "keep the rows of one. If they are names of routes or sessions, call the column 'title'"
    )


def refuse_laps(sheet: Sheet, rows: Sequence[SessionRow]) -> None:
    """Refuse rows that look like the laps of sessions: several of one length on a day.

    Raises:
        ValueError: If they are so on many days.
    """
    if sheet.options.keep_all:
        return
    days: dict[date, list[SessionRow]] = defaultdict(list)
    for row in rows:
        if row.clock is None and REPETITION_M <= row.metres <= _LONGEST_LAP_M:
            days[row.day].append(row)
    crowded = [
        day
        for day, parts in days.items()
        if len(parts) >= _LAPS
        and any(
            sum(abs(one.metres - other.metres) <= _SAME_LAP * one.metres for other in parts)
            >= _LAPS
            for one in parts
        )
    ]
    if crowded and len(crowded) >= _LAP_DAYS_SHARE * len({row.day for row in rows}):
        day = min(crowded)
        raise ValueError(
            f"on {len(crowded)} day(s), the first {day}, there are {_LAPS} or more rows of about "
            f"the same distance ({days[day][0].metres / 1000:.4g} km, "
            f"row {days[day][0].line}), without a time of day: laps of one session? Put them "
            "together to a row a session, or give --keep-all if each is a session of its own"
        )


def refuse_steps(
    sheet: Sheet, usable: Sequence[int], minutes: Sequence[float], sport_told: bool
) -> None:
    """Refuse a table of runs whose steps are those of days or walks.

    Raises:
        ValueError: If they are.
    """
    if sport_told or sheet.options.keep_all or sheet.options.sport != "run":
        return
    for index, name in enumerate(sheet.table.header):
        if fold(name) not in words().steps:
            continue
        cells = sheet.cells(Column(index, name))
        rates = [
            parse_number(re.sub(r"[.,]", "", cells[row]), ".") / minutes[row]
            for row in usable
            if minutes[row] > 0.0 and cells[row]
        ]
        rates = [rate for rate in rates if math.isfinite(rate)]
        if rates and median(rates) < _RUNNING_STEPS_A_MINUTE:
            raise ValueError(
                f"column {name!r} tells {median(rates):.0f} steps a minute: these are totals of "
                "days, or walks, and no runs; export the activities, or give --sport walk, or "
                "--keep-all if they are runs"
            )


def refuse_series(sheet: Sheet, rows: Sequence[SessionRow]) -> None:
    """Refuse rows that are points of one course or a running total; tell of crowded days.

    Raises:
        ValueError: If they are.
    """
    timed = [row for row in rows if row.clock is not None and row.minutes > 0.0]
    if len(timed) >= _POINTS:
        moments = sorted(
            (row.day.toordinal() * 1440.0 + (row.clock or 0.0), row.minutes) for row in timed
        )
        overlapping = sum(
            after < before + minutes for (before, minutes), (after, _) in pairwise(moments)
        )
        if overlapping > _POINTS_SHARE * len(timed):
            raise ValueError(
                f"{overlapping} of {len(timed)} rows begin before the one before has ended: these "
                "are points or laps of recordings, not sessions; give the recordings as FIT, TCX "
                "or GPX, or a log with a row for each session"
            )
    ordered = sorted(rows, key=lambda row: row.day)
    if len(ordered) >= _RISING_ROWS and not sheet.options.keep_all:
        rising = all(
            after.metres > before.metres and after.minutes > before.minutes
            for before, after in pairwise(ordered)
        )
        if rising and ordered[-1].metres > _RISING_M:
            raise ValueError(
                "distance and time grow from every row to the next: a running total? Export the "
                "distance and time of each session, or give --keep-all if these are they"
            )
    _refuse_periods(sheet, ordered)
    days: dict[date, list[SessionRow]] = defaultdict(list)
    for row in rows:
        days[row.day].append(row)
    crowded = [
        day
        for day, parts in days.items()
        if len(parts) >= _DAY_SESSIONS
        and (
            sum(part.metres for part in parts) > _DAY_M
            or sum(part.minutes for part in parts if part.minutes > 0.0) > _DAY_MINUTES
        )
    ]
    if crowded:
        sheet.notes.append(
            f"on {len(crowded)} day(s), the first {min(crowded)}, the sessions are more than one "
            "person runs: are they of several people, or points of one recording?"
        )


def _refuse_periods(sheet: Sheet, ordered: Sequence[SessionRow]) -> None:
    """Refuse rows that are a week or a month apart and so long that they are sums; tell of others.

    Raises:
        ValueError: If they are.
    """
    gaps = {(after.day - before.day).days for before, after in pairwise(ordered)}
    regular = gaps == {7} or (
        gaps <= {28, 29, 30, 31} and len({row.day.day for row in ordered}) == 1
    )
    if len(ordered) < _PERIODS or not regular or sheet.options.keep_all:
        return
    apart = "a week" if gaps == {7} else "a month"
    if median(row.metres for row in ordered) >= _PERIOD_M:
        raise ValueError(
            f"all rows are {apart} apart, and half of them of {_PERIOD_M / 1000:g} km or more: "
            "sums of weeks or months? A log needs a row for each session; export these, or give "
            "--keep-all if these are they"
        )
    sheet.notes.append(
        f"all rows are {apart} apart: a log needs a row for each session, not sums of weeks or "
        "months"
    )
