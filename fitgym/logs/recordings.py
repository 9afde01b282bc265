"""Reading and writing of folders of recorded workouts.

A folder of recordings holds two files. ``workouts.csv`` has one row per workout with the columns
``workout, user, sport, gender, day, has_altitude`` (others are ignored); ``day`` may be empty for
a person with a single workout. ``samples.csv`` or ``samples.csv.gz`` has one row per grid step with
the columns ``workout, t, heart_rate, valid, speed, altitude`` (others are ignored); the rows of one
workout follow each other in time order, and ``heart_rate`` may be empty where ``valid`` is 0.
"""

from __future__ import annotations

import csv
import gzip
import io
import math
import os
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import numpy as np

from fitgym.common.files import write_bytes, write_text
from fitgym.logs.dates import first_gap
from fitgym.logs.numbers import number_in
from fitgym.logs.workout import Workout

WORKOUT_COLUMNS = ("workout", "user", "sport", "gender", "day", "has_altitude")
SAMPLE_COLUMNS = ("workout", "t", "heart_rate", "valid", "speed", "altitude")
TRUTH_VALUES = {"1": True, "true": True, "0": False, "false": False}


def read_recordings(folder: str | os.PathLike[str]) -> list[Workout]:
    """Read a folder of recordings (its format is described at the top of this module).

    Args:
        folder: Holds ``workouts.csv`` and ``samples.csv`` or ``samples.csv.gz``.

    Returns:
        The workouts, in the order of ``workouts.csv``.

    Raises:
        OSError: If a file is missing or unreadable.
        ValueError: If a file is malformed, or two workouts of one person that follow each other
            are more than three years apart; the message names the file, row and column (rows are
            counted as an editor does, the header being row 1).
    """
    root = Path(folder)
    samples_path = root / "samples.csv.gz"
    if not samples_path.exists():
        samples_path = root / "samples.csv"
    _require_files(root, samples_path)
    samples = _read_samples(samples_path)
    workouts: list[Workout] = []
    seen: set[str] = set()
    path = root / "workouts.csv"
    rows = list(_read_rows(path, WORKOUT_COLUMNS))
    workouts_of_user = Counter(record["user"] for _, record in rows)
    for row, record in rows:
        where = f"{path} row {row}"
        identifier = record["workout"]
        if identifier in seen:
            raise ValueError(f"{where}, column workout: {identifier!r} occurs twice")
        if identifier not in samples:
            raise ValueError(f"{where}, column workout: {identifier!r} has no samples")
        seen.add(identifier)
        first_row, columns = samples[identifier]
        # Without another workout of the same user the day has no meaning, so it may be left out.
        dated = bool(record["day"]) or workouts_of_user[record["user"]] > 1
        day = _number(where, "day", record["day"]) if dated else 0.0
        has_altitude = _truth(where, "has_altitude", record["has_altitude"])
        try:
            workouts.append(
                Workout(
                    identifier=identifier,
                    user=record["user"],
                    sport=record["sport"],
                    gender=record["gender"],
                    day=day,
                    time_s=np.array(columns[0]),
                    heart_rate_bpm=np.array(columns[1]),
                    valid=np.array(columns[2], dtype=bool),
                    speed_m_s=np.array(columns[3]),
                    altitude_m=np.array(columns[4]),
                    has_altitude=has_altitude,
                )
            )
        except ValueError as error:
            raise ValueError(f"{where} (samples from row {first_row}): {error}") from error
    if not workouts:
        raise ValueError(f"{path} lists no workouts")
    _check_gaps(path, workouts, [row for row, _ in rows])
    for identifier, (first_row, _) in samples.items():
        if identifier not in seen:
            raise ValueError(
                f"{samples_path} row {first_row}, column workout: "
                f"{identifier!r} is not listed in {path.name}"
            )
    return workouts


def _require_files(root: Path, samples_path: Path) -> None:
    """Say in a sentence what a folder of recordings lacks."""
    if not root.is_dir():
        raise FileNotFoundError(f"the folder of recordings {root} does not exist")
    missing = [path for path in (root / "workouts.csv", samples_path) if not path.exists()]
    if missing:
        names = " and ".join(path.name for path in missing)
        raise FileNotFoundError(
            f"a folder of recordings must hold workouts.csv and samples.csv or samples.csv.gz: "
            f"{root} lacks {names}"
        )


def _check_gaps(path: Path, workouts: Sequence[Workout], rows: Sequence[int]) -> None:
    """Refuse workouts of one person that follow each other after more than three years."""
    of_user: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for workout, row in zip(workouts, rows, strict=True):
        of_user[workout.user].append((workout.day, row))
    for user, dated in of_user.items():
        dated.sort()
        if (gap := first_gap([day for day, _ in dated])) is not None:
            (before, earlier_row), (day, row) = dated[gap - 1 : gap + 1]
            raise ValueError(
                f"{path} row {row}, column day: {day:g} is more than three years after the workout "
                f"before it of {user!r}, {before:g} (row {earlier_row})"
            )


def write_recordings(folder: str | os.PathLike[str], workouts: Sequence[Workout]) -> None:
    """Write workouts as a folder of recordings from which ``read_recordings`` reads the same.

    Args:
        folder: Gets ``workouts.csv`` and ``samples.csv.gz``; made if missing.
        workouts: The workouts; heart rates that were not measured are left empty.
    """
    root = Path(folder)
    table, samples = io.StringIO(), io.StringIO()
    rows, steps = csv.writer(table, lineterminator="\n"), csv.writer(samples, lineterminator="\n")
    rows.writerow(WORKOUT_COLUMNS)
    steps.writerow(SAMPLE_COLUMNS)
    for workout in workouts:
        attributes = (workout.identifier, workout.user, workout.sport, workout.gender)
        rows.writerow((*attributes, workout.day, workout.has_altitude))
        columns = (
            workout.time_s,
            workout.heart_rate_bpm,
            workout.valid,
            workout.speed_m_s,
            workout.altitude_m,
        )
        for time, heart_rate, valid, speed, altitude in zip(
            *(column.tolist() for column in columns), strict=True
        ):
            beat = heart_rate if valid else ""
            steps.writerow((workout.identifier, f"{time:g}", beat, int(valid), speed, altitude))
    write_text(root / "workouts.csv", table.getvalue())
    # Without a time stamp inside, the same workouts give the same file.
    write_bytes(root / "samples.csv.gz", gzip.compress(samples.getvalue().encode(), mtime=0))


def _read_samples(path: Path) -> dict[str, tuple[int, list[list[float]]]]:
    """Return for each workout its first row and the columns t, heart_rate, valid, speed, altitude.

    Numbers are checked here, ranges by Workout, so that both errors say where.
    """
    samples: dict[str, tuple[int, list[list[float]]]] = {}
    last = ""
    for row, record in _read_rows(path, SAMPLE_COLUMNS):
        where = f"{path} row {row}"
        identifier = record["workout"]
        if identifier != last:
            if identifier in samples:
                raise ValueError(f"{where}, column workout: the rows of {identifier!r} are split")
            samples[identifier] = (row, [[], [], [], [], []])
            last = identifier
        columns = samples[identifier][1]
        valid = _truth(where, "valid", record["valid"])
        heart_rate = record["heart_rate"]
        columns[0].append(_number(where, "t", record["t"]))
        columns[1].append(_number(where, "heart_rate", heart_rate) if valid else math.nan)
        columns[2].append(valid)
        columns[3].append(_number(where, "speed", record["speed"]))
        columns[4].append(_number(where, "altitude", record["altitude"]))
    return samples


def _read_rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (row number, record) of a CSV file after checking that ``columns`` are all there."""
    with _open_text(path) as file:
        reader = csv.DictReader(file, strict=True)
        try:
            header = list(reader.fieldnames or ())
            missing = [name for name in columns if name not in header]
            if missing:
                raise ValueError(f"{path} row 1: missing column(s) {', '.join(missing)}")
            twice = [name for name in columns if header.count(name) > 1]
            if twice:
                raise ValueError(f"{path} row 1: column(s) {', '.join(twice)} occur twice")
            for record in reader:
                if None in record:
                    raise ValueError(
                        f"{path} row {reader.line_num}: has more fields than the header's "
                        f"{len(header)} (numbers have a decimal point)"
                    )
                for name in columns:
                    if record[name] is None:
                        raise ValueError(f"{path} row {reader.line_num}, column {name}: no value")
                yield reader.line_num, record
        # What damaged bytes raise depends on where they are.
        except (csv.Error, UnicodeDecodeError, EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"{path} is not a readable CSV file: {error}") from error


@contextmanager
def _open_text(path: Path) -> Iterator[TextIO]:
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as file:
            yield file
    else:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield file


def _number(where: str, column: str, text: str) -> float:
    value = number_in(text)
    if not math.isfinite(value):
        raise ValueError(f"{where}, column {column}: must be a finite number, got {text!r}")
    return value


def _truth(where: str, column: str, text: str) -> bool:
    value = TRUTH_VALUES.get(text.strip().lower())
    if value is None:
        raise ValueError(f"{where}, column {column}: must be 0, 1, true or false, got {text!r}")
    return value
