"""Reads files, folders and archives of one person into a history, each session once."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from importlib import resources
from pathlib import Path
from statistics import median

import numpy as np

from fitgym.common.tables import text_table
from fitgym.logs.activity import Activity
from fitgym.logs.convert import to_workout
from fitgym.logs.csv_dates import ORDERS
from fitgym.logs.csv_log import TableLog, read_csv
from fitgym.logs.csv_questions import Undecided
from fitgym.logs.dates import first_gap
from fitgym.logs.fit_file import read_fit
from fitgym.logs.history import History, LeftOut, ReadingReport
from fitgym.logs.options import ReadingOptions
from fitgym.logs.plausible import outliers, pace_text, problem_of_session
from fitgym.logs.recorded import Recorded
from fitgym.logs.sources import Source, kind_of_content, sources_of
from fitgym.logs.training_log import LoggedSession, TrainingLog
from fitgym.logs.words import sport_family
from fitgym.logs.workout import Workout
from fitgym.logs.xml_files import read_gpx, read_tcx

_READERS = {".fit": read_fit, ".tcx": read_tcx, ".gpx": read_gpx}
_NAMES = {".fit": "FIT", ".tcx": "TCX", ".gpx": "GPX", ".csv": "CSV"}

# Ours: two records of one session may differ so much, as a watch's and a telephone's do.
_SAME_DISTANCE, _SAME_TIME, _SAME_START_S, _OVERLAP = 0.05, 0.10, 120.0, 0.8
# Ours: so much where the time is the same up to rounding, as of a diary in whole kilometres or a
# treadmill, and where two devices recorded at the same time.
_ROUGH_DISTANCE, _ROUNDED_TIME, _RECORDED_DISTANCE = 0.15, 0.03, 0.3
# Ours: a clock in another zone differs by whole quarters of an hour.
_QUARTER_MIN, _CLOCK_TOLERANCE_MIN, _LARGEST_OFFSET_MIN = 15.0, 3.0, 14 * 60.0
# Ours: recordings shorter than this are tries of the start button.
_SHORTEST_S, _SHORTEST_M = 60.0, 100.0
_EXAMPLES = 3
# Ours: nobody runs so far in a minute, the record of 800 m being 475 m; and more than one such
# minute, of those that begin every 10 seconds, is no error of a satellite.
_FASTEST_MINUTE_M, _MINUTE_STEPS, _FAST_MINUTES = 600.0, 6, 12


@dataclass(frozen=True, eq=False)
class _Entry:
    """A session on its way into a history."""

    source: str
    file: str
    start: datetime | None
    clock_minutes: float | None
    session: LoggedSession
    elapsed_s: float
    workout: Workout | None
    zone_told: bool
    sport_told: bool
    recording: str = ""


@dataclass(frozen=True)
class _Undecided:
    """A table whose dates fit several orders, until all others are read."""

    name: str
    content: bytes
    many: bool
    question: Undecided


class _Collector:
    """Collects sessions, workouts and what is to be told."""

    def __init__(self, options: ReadingOptions) -> None:
        self.options = options
        self.recorded: list[_Entry] = []
        self.logged: list[_Entry] = []
        self.tables: list[tuple[str, TableLog]] = []
        self.undecided: list[_Undecided] = []
        self.left_out: list[LeftOut] = []
        self.notes: Counter[str] = Counter()
        self.files: Counter[str] = Counter()
        self.without_zone = 0
        self.without_sport = 0

    def add(self, source: Source, many: bool) -> None:
        """Read a file; a table of which the order of its dates is all that is open has to wait.

        Args:
            source: The file.
            many: Whether it is one of a folder or archive.

        Raises:
            OSError: If it cannot be read.
            ValueError: If it is not in its format.
        """
        content = source.read()
        kind = kind_of_content(content, source.kind)
        if kind != ".csv" and not content:
            raise ValueError(f"{source.name}: is empty (0 bytes): copy or export it again")
        if kind != source.kind:
            self.notes[f"its name says {_NAMES[source.kind]}, but it is {_NAMES[kind]}"] += 1
        if kind == ".csv":
            try:
                self._add_table(source.name, read_csv(content, source.name, self.options))
            except Undecided as question:
                self.undecided.append(_Undecided(source.name, content, many, question))
                return
        else:
            recorded = _READERS[kind](content, source.name, positions=self.options.positions)
            for activity in recorded:
                self._add_recorded(source.name, activity)
        self.files[_NAMES[kind]] += 1

    def add_undecided(self, table: _Undecided) -> None:
        """Read a table whose dates fit several orders in that of tables with the same columns.

        Raises:
            Undecided: If there is no such table, or they differ.
        """
        question = table.question
        alike: dict[str, str] = {}
        for name, other in self.tables:
            if other.order and other.header == question.header:
                alike.setdefault(other.order, _file_name(name))
        if len(alike) != 1 or not alike.keys() <= set(question.orders):
            raise question
        ((order, name),) = alike.items()
        log = read_csv(table.content, table.name, replace(self.options, date_order=order))
        log.notes.append(
            f"dates are read as {ORDERS[order]}, as in {name}, which has the same columns"
        )
        self._add_table(table.name, log)
        self.files[_NAMES[".csv"]] += 1

    def _add_table(self, name: str, table: TableLog) -> None:
        self.tables.append((name, table))
        self.left_out += table.left_out
        for row in table.sessions:
            day = row.session.date
            start = None
            if row.clock_minutes is not None:
                start = datetime(day.year, day.month, day.day) + timedelta(
                    minutes=row.clock_minutes
                )
            self.logged.append(
                _Entry(
                    f"{name} row {row.line}",
                    name,
                    start,
                    row.clock_minutes,
                    row.session,
                    math.nan,
                    None,
                    # A clock without a zone may be on the wall or, as in Strava's export, UTC.
                    row.zone == "offset",
                    True,
                    row.recording,
                )
            )

    def refuse(self, name: str, many: bool, error: Exception) -> None:
        """Name a file of a folder or archive that cannot be read; another is an error."""
        if not many or "refused: " in str(error):
            raise error
        message = str(error).removeprefix(f"{name}: ")
        self.left_out.append(LeftOut(name, "file that cannot be read", message))

    def _add_recorded(self, file: str, recorded: Recorded) -> None:
        wanted = self.options.sport
        for note in recorded.notes:
            self.notes[note] += 1
        if wanted != "all" and recorded.sport and sport_family(recorded.sport) != wanted:
            reason = f"sport is {sport_family(recorded.sport)}"
            self.left_out.append(LeftOut(recorded.source, reason))
            return
        metres, minutes = recorded.distance_m, recorded.moving_s / 60.0
        if recorded.moving_s < _SHORTEST_S or metres < _SHORTEST_M:
            detail = f"{recorded.moving_s:.0f} s, {metres:.0f} m"
            self.left_out.append(LeftOut(recorded.source, "too short to be a session", detail))
            return
        if math.isnan(metres):
            detail = f"{minutes:.0f} min"
            self.left_out.append(LeftOut(recorded.source, "no distance", detail))
            return
        problem = problem_of_session(metres, minutes, wanted)
        if problem is not None:
            self.left_out.append(LeftOut(recorded.source, "impossible speed", problem))
            return
        if wanted == "run" and (ride := _ride_in(recorded.activity)) is not None:
            self.left_out.append(LeftOut(recorded.source, "faster than any runner", ride))
            return
        workout = None
        if recorded.activity is not None:
            try:
                workout = to_workout(recorded.activity)
            except ValueError as error:
                self.left_out.append(
                    LeftOut(recorded.source, "no course on the 10-second grid", str(error))
                )
        self.without_zone += not recorded.zone_told
        self.without_sport += recorded.sport is None
        self.recorded.append(
            _Entry(
                recorded.source,
                file,
                recorded.start,
                None,
                LoggedSession(recorded.start.date(), metres, minutes),
                recorded.elapsed_s,
                workout,
                recorded.zone_told,
                recorded.sport is not None,
            )
        )


def _ride_in(activity: Activity | None) -> str | None:
    """Return when a recording goes as far in a minute as no runner, None if never."""
    if activity is None or activity.distance_m is None:
        return None
    known = np.isfinite(activity.distance_m)
    grid = np.arange(0.0, activity.time_s[-1] + 1.0, 10.0)
    if known.sum() < 2 or grid.size <= _MINUTE_STEPS:
        return None
    covered = np.interp(grid, activity.time_s[known], activity.distance_m[known])
    metres = covered[_MINUTE_STEPS:] - covered[:-_MINUTE_STEPS]
    fast = np.flatnonzero(metres > _FASTEST_MINUTE_M)
    if fast.size < _FAST_MINUTES:
        return None
    first = int(fast[0])
    return (
        f"{metres[fast].max():.0f} m in a minute, from minute {grid[first] / 60:.0f} on: a vehicle?"
        " Cut it off where you recorded, and export again"
    )


def read(*paths: str | os.PathLike[str], options: ReadingOptions | None = None) -> History:
    """Read training logs and recordings of one person.

    Args:
        *paths: Files (CSV and the like, FIT, TCX, GPX, each also as ``.gz``), folders, which are
            read with the folders in them, and zip archives such as the exports of the usual
            services.
        options: What the files do not tell.

    Returns:
        The sessions and recorded workouts in order of time, each session once, and the report.

    Raises:
        OSError: If a named file is missing or unreadable.
        ValueError: If a named file cannot be read, an archive is refused, or there is nothing to
            read; the message names the file and what to do. Of folders and archives, a file that
            cannot be read is named in the report.
    """
    if not paths:
        raise ValueError("paths must name a file, folder or archive")
    told = options or ReadingOptions()
    collector = _Collector(told)
    for given in paths:
        if not os.fspath(given):
            raise ValueError("paths must not be empty")
        path = Path(given)
        many = path.is_dir() or path.suffix.lower() == ".zip"
        for source in sources_of(path):
            if isinstance(source, LeftOut):
                collector.left_out.append(source)
                continue
            try:
                collector.add(source, many)
            except (ValueError, OSError) as error:
                collector.refuse(source.name, many, error)
    for table in collector.undecided:
        try:
            collector.add_undecided(table)
        except ValueError as error:
            collector.refuse(table.name, table.many, error)
    return _history(collector)


def load_marathon_log() -> TrainingLog:
    """Return the five years of training of one marathon runner that ship with fitgym.

    1127 sessions of 2002-2006 (Cannon et al., *STAT2*; data set Marathon of the R package
    Stat2Data), the log of Fang, Lee and Wang 2022. ``fitgym/data/marathon.md`` tells its origin.
    Row 400 has no time; two dates occur twice.
    """
    file = resources.files("fitgym") / "data" / "marathon.csv"
    table = read_csv(file.read_bytes(), "marathon.csv", ReadingOptions())
    return TrainingLog.of([row.session for row in table.sessions], "marathon")


def reading_table(report: ReadingReport) -> str:
    """Return what was read as a table for the terminal, with the notes under it."""
    table = text_table(("read", "how"), report.understood, left=2)
    return "\n".join([table, *(f"note: {note}" for note in report.notes)])


def _history(collector: _Collector) -> History:
    recorded = _each_once(collector)
    recorded = _plausible(collector, recorded)
    logged = _not_recorded(collector, recorded)
    entries = sorted([*recorded, *logged], key=_moment)
    if not entries:
        raise ValueError(_nothing(collector))
    sessions = tuple(entry.session for entry in entries)
    workouts = tuple(entry.workout for entry in entries if entry.workout is not None)
    understood = _understood(collector, sessions, workouts)
    return History(
        sessions,
        workouts,
        ReadingReport(
            tuple(understood), tuple(collector.left_out), tuple(_notes(collector, sessions))
        ),
    )


def _moment(entry: _Entry) -> tuple[date, float]:
    start = entry.start
    return (
        entry.session.date,
        0.0 if start is None else 60.0 * start.hour + start.minute + start.second / 60.0,
    )


def _each_once(collector: _Collector) -> list[_Entry]:
    """Return the recordings, of two of the same session the first by format."""
    ranks = {".fit": 0, ".tcx": 1, ".gpx": 2}

    def rank(entry: _Entry) -> int:
        name = entry.file.lower().removesuffix(".gz")
        return ranks.get(name[-4:], 3)

    kept: list[_Entry] = []
    for entry in sorted(collector.recorded, key=lambda e: e.start.timestamp() if e.start else 0.0):
        twin = next((other for other in kept[-4:] if _same_recording(other, entry)), None)
        if twin is None:
            kept.append(entry)
            continue
        worse, better = (entry, twin) if rank(twin) <= rank(entry) else (twin, entry)
        kept[next(i for i, other in enumerate(kept) if other is twin)] = better
        collector.left_out.append(
            LeftOut(worse.source, "the same session twice", f"as {better.source}")
        )
    return kept


def _same_recording(one: _Entry, other: _Entry) -> bool:
    assert one.start is not None
    assert other.start is not None
    first, second = one.start.timestamp(), other.start.timestamp()
    end = min(first + one.elapsed_s, second + other.elapsed_s)
    shared = end - max(first, second)
    together = shared >= _OVERLAP * max(one.elapsed_s, other.elapsed_s)
    near = together or (abs(first - second) <= _SAME_START_S and shared > 0.0)
    share = _RECORDED_DISTANCE if together else _SAME_DISTANCE
    return near and _close(one.session.distance_m, other.session.distance_m, share)


def _close(one: float, other: float, share: float) -> bool:
    return abs(one - other) <= share * max(one, other)


def _plausible(collector: _Collector, entries: list[_Entry]) -> list[_Entry]:
    """Leave out recordings of an untold sport whose pace is implausible beside the others."""
    options = collector.options
    if options.keep_all or options.sport == "all":
        return entries
    odd = outliers(
        [(entry.session.distance_m, entry.session.minutes) for entry in entries], options.sport
    )
    kept = []
    for index, entry in enumerate(entries):
        if index in odd and not entry.sport_told:
            collector.left_out.append(
                LeftOut(entry.source, "implausible pace beside the others", odd[index])
            )
        else:
            kept.append(entry)
    return kept


def _not_recorded(collector: _Collector, recorded: Sequence[_Entry]) -> list[_Entry]:
    """Return the rows of tables that neither a recording nor an earlier table holds."""
    by_day: dict[date, list[_Entry]] = {}
    for entry in recorded:
        by_day.setdefault(entry.session.date, []).append(entry)
    taken: set[tuple[str, int]] = set()
    kept: list[_Entry] = []
    named = _named_recordings(collector)
    taken |= {(row.file, id(named[id(row)])) for row in collector.logged if id(row) in named}
    for row in collector.logged:
        day = row.session.date
        candidates = (
            [named[id(row)]]
            if id(row) in named
            else [
                entry
                for shift in (0, -1, 1)
                for entry in by_day.get(day + timedelta(days=shift), ())
                if (row.file, id(entry)) not in taken
                and entry.file != row.file
                and _same_row(row, entry)
            ]
        )
        if candidates:
            taken.add((row.file, id(candidates[0])))
            collector.left_out.append(
                LeftOut(row.source, "the same session twice", f"as {candidates[0].source}")
            )
            continue
        kept.append(row)
    rows_of_day: dict[date, list[_Entry]] = {}
    unique: list[_Entry] = []
    for row in kept:
        day = row.session.date
        twin = next(
            (
                other
                for shift in (0, -1, 1)
                for other in rows_of_day.get(day + timedelta(days=shift), ())
                if (row.file, id(other)) not in taken
                and other.file != row.file
                and _same_row(row, other)
            ),
            None,
        )
        if twin is not None:
            taken.add((row.file, id(twin)))
            collector.left_out.append(
                LeftOut(row.source, "the same session twice", f"as {twin.source}")
            )
            continue
        rows_of_day.setdefault(day, []).append(row)
        unique.append(row)
    return unique


def _named_recordings(collector: _Collector) -> dict[int, _Entry]:
    """Return the recordings that rows of tables name by their file, by the row's ``id``."""
    by_file: dict[str, list[_Entry]] = {}
    for entry in collector.recorded:
        by_file.setdefault(_file_name(entry.file), []).append(entry)
    named = {}
    for row in collector.logged:
        for entry in by_file.get(_file_name(row.recording), ()):
            # An export may write its times in UTC; another name of the same file is none of it.
            if abs((entry.session.date - row.session.date).days) <= 1:
                named[id(row)] = entry
                break
    return named


def _file_name(path: str) -> str:
    """Return the name of a file in a folder or archive, without what a packer adds to it."""
    return path.replace(":", "/").rpartition("/")[2].lower().removesuffix(".gz")


def _same_row(row: _Entry, entry: _Entry) -> bool:
    """Return whether a row of a table and another record are of one session."""
    minutes, other = row.session.minutes, entry.session.minutes
    share = _ROUGH_DISTANCE if _close(minutes, other, _ROUNDED_TIME) else _SAME_DISTANCE
    if not _close(row.session.distance_m, entry.session.distance_m, share):
        return False
    if not math.isnan(minutes) and not math.isnan(other):
        long_enough = entry.elapsed_s / 60.0 * (1.0 + _SAME_TIME)
        if not (_close(minutes, other, _SAME_TIME) or other <= minutes <= long_enough):
            return False
    if row.start is None or entry.start is None:
        # Without a time of day, a date is that on the wall; the other one may be in UTC.
        same_day = row.session.date == entry.session.date
        dated = entry if row.start is None else row
        return same_day or (dated.start is not None and not dated.zone_told)
    apart = abs((row.start - entry.start.replace(tzinfo=None)).total_seconds()) / 60.0
    if row.zone_told and entry.zone_told:
        return apart <= _CLOCK_TOLERANCE_MIN
    remainder = min(apart % _QUARTER_MIN, _QUARTER_MIN - apart % _QUARTER_MIN)
    return apart <= _LARGEST_OFFSET_MIN and remainder <= _CLOCK_TOLERANCE_MIN


def _nothing(collector: _Collector) -> str:
    details = [
        f"{item.source}: {item.reason}{f' ({item.detail})' if item.detail else ''}"
        for item in collector.left_out[:_EXAMPLES]
    ]
    more = len(collector.left_out) - len(details)
    sports = {
        item.reason.removeprefix("sport is ")
        for item in collector.left_out
        if item.reason.startswith("sport is ")
    }
    remedy = f"; --sport reads {' or '.join(sorted(sports))}" if sports else ""
    if not collector.left_out:
        remedy = "there is no file in it; give a folder or archive with recordings or logs"
    return (
        f"nothing to read for sport {collector.options.sport!r}: {'; '.join(details)}"
        f"{f'; and {more} more' if more > 0 else ''}{remedy}"
    )


def _understood(
    collector: _Collector, sessions: Sequence[LoggedSession], workouts: Sequence[Workout]
) -> list[tuple[str, str]]:
    counts = ", ".join(f"{number} {kind}" for kind, number in sorted(collector.files.items()))
    rows = [("files", counts)]
    readings: dict[tuple[str, str], list[str]] = {}
    for name, table in collector.tables:
        for reading in table.understood:
            readings.setdefault(reading, []).append(name)
    rows += [
        (f"{_of_tables(collector, names)}{quantity}", how)
        for (quantity, how), names in readings.items()
    ]
    if collector.recorded:
        with_heart = sum(bool(workout.valid.any()) for workout in workouts)
        rows.append(("recordings", f"{len(workouts)}, {with_heart} with heart rate"))
    rows.append(
        ("sessions", f"{len(sessions)} used, {len(collector.left_out)} row(s) or file(s) left out")
    )
    rows.append(("dates", f"{sessions[0].date} to {sessions[-1].date}"))
    timed = [session for session in sessions if session.minutes > 0.0]
    if timed:
        pace = median(session.minutes / session.distance_m for session in timed) * 1000.0
        rows.append(("median pace", f"{pace_text(pace, 'km')}, {pace_text(pace, 'miles')}"))
    reasons: dict[str, list[LeftOut]] = {}
    for item in collector.left_out:
        reasons.setdefault(item.reason, []).append(item)
    for reason, items in sorted(reasons.items(), key=lambda pair: -len(pair[1])):
        rows.append((f"left out: {len(items)}", f"{reason}: {_examples(items)}"))
    return rows


def _of_tables(collector: _Collector, names: Sequence[str]) -> str:
    """Return what stands before how tables were read: nothing, a file's name, or how many."""
    if len(collector.tables) == 1:
        return ""
    return f"{len(names)} tables " if len(names) > 1 else f"{Path(names[0]).name} "


def _examples(items: Sequence[LeftOut]) -> str:
    shown = [
        f"{Path(item.source).name}{f' ({item.detail[:90]})' if item.detail else ''}"
        for item in items[:_EXAMPLES]
    ]
    more = len(items) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _notes(collector: _Collector, sessions: Sequence[LoggedSession]) -> Iterable[str]:
    notes: dict[str, list[str]] = {}
    for name, table in collector.tables:
        for note in table.notes:
            notes.setdefault(note, []).append(name)
    for note, names in notes.items():
        yield f"{_of_tables(collector, names).strip()}: {note}".removeprefix(": ")
    for note, number in collector.notes.items():
        yield f"{number} recording(s): {note}"
    if collector.without_zone:
        yield (
            f"{collector.without_zone} recording(s) tell no local time: their dates and times are "
            "in UTC"
        )
    if collector.without_sport:
        yield (
            f"{collector.without_sport} recording(s) tell no sport: taken as "
            f"{collector.options.sport}"
        )
    days = [session.date.toordinal() for session in sessions]
    if (gap := first_gap(days)) is not None:
        yield (
            f"{sessions[gap].date} is more than three years after the session before it, "
            f"{sessions[gap - 1].date}: a fit needs the sessions of one side only"
        )
