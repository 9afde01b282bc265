"""The record of one workout on the 10-second grid, and the reader of a folder of recordings.

A folder of recordings holds two files. ``workouts.csv`` has one row per workout with the columns
``workout, user, sport, gender, day, has_altitude`` (others are ignored); ``day`` may be empty for
a person with a single workout. ``samples.csv`` or ``samples.csv.gz`` has one row per grid step with
the columns ``workout, t, heart_rate, valid, speed, altitude`` (others are ignored); the rows of one
workout follow each other in time order, and ``heart_rate`` may be empty where ``valid`` is 0.
"""

from __future__ import annotations

import csv
import gzip
import math
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from fitgym.validation import require_choice, require_number

__all__ = [
    "GENDERS",
    "GRID_STEP_S",
    "MAXIMUM_HEART_RATE_BPM",
    "MAXIMUM_SPEED_M_S",
    "MINIMUM_HEART_RATE_BPM",
    "Workout",
    "read_recordings",
]

GRID_STEP_S = 10.0
GENDERS = ("unknown", "female", "male")

# Ours: no recorded heart of an awake adult beats slower or faster; values beyond are sensor faults.
MINIMUM_HEART_RATE_BPM = 30.0
MAXIMUM_HEART_RATE_BPM = 240.0
# Ours: 144 km/h, above any cyclist's descent; values beyond are positioning faults.
MAXIMUM_SPEED_M_S = 40.0
MAXIMUM_ALTITUDE_M = 9000.0

WORKOUT_COLUMNS = ("workout", "user", "sport", "gender", "day", "has_altitude")
SAMPLE_COLUMNS = ("workout", "t", "heart_rate", "valid", "speed", "altitude")
TRUTH_VALUES = {"1": True, "true": True, "0": False, "false": False}


@dataclass(frozen=True, eq=False)
class Workout:
    """One workout of one person, sampled every ``GRID_STEP_S`` seconds.

    Attributes:
        identifier: Name of the workout, unique in its collection.
        user: Name of the person.
        sport: Name of the sport, for instance ``run``, ``bike`` or ``walk``.
        gender: One of ``GENDERS``.
        day: Day it began, counted from any origin common to the user's workouts, >= 0.
        time_s: (T,) seconds since the start, ``0, 10, 20, ...`` without gaps; T >= 2.
        heart_rate_bpm: (T,) heart rate; only the entries flagged in ``valid`` were measured, and
            the others may hold anything, NaN included.
        valid: (T,) bool, whether the heart rate was measured at that step.
        speed_m_s: (T,) speed in m/s.
        altitude_m: (T,) altitude in metres above any origin; all zero without altitude.
        has_altitude: Whether the altitude was recorded.

    The arrays are read-only copies.

    Raises:
        ValueError: If any value is missing, not finite or out of range, if the time axis is not
            the unbroken grid, or if there are fewer than two samples. The message names the
            workout, the sample (counted from 0) and the column.
    """

    identifier: str
    user: str
    sport: str
    gender: str
    day: float
    time_s: NDArray[np.float64]
    heart_rate_bpm: NDArray[np.float64]
    valid: NDArray[np.bool_]
    speed_m_s: NDArray[np.float64]
    altitude_m: NDArray[np.float64]
    has_altitude: bool

    def __post_init__(self) -> None:
        for name in ("identifier", "user", "sport"):
            value = getattr(self, name)
            if not isinstance(value, str) or not value:
                raise ValueError(f"{name} of a workout must be a non-empty string, got {value!r}")
        where = f"workout {self.identifier!r}"
        require_choice(f"gender of {where}", self.gender, GENDERS)
        object.__setattr__(self, "day", require_number(f"day of {where}", self.day, 0.0))
        if not isinstance(self.has_altitude, bool):
            raise TypeError(f"has_altitude of {where} must be a bool, got {self.has_altitude!r}")
        length = np.size(self.time_s)
        if length < 2:
            raise ValueError(f"{where} must have at least two samples, got {length}")
        for name in ("time_s", "heart_rate_bpm", "speed_m_s", "altitude_m"):
            self._freeze(where, name, np.float64, length)
        self._freeze(where, "valid", np.bool_, length)
        self._check_time(where)
        measured = np.where(self.valid, self.heart_rate_bpm, MINIMUM_HEART_RATE_BPM)
        require_range(
            where, "heart_rate_bpm", measured, MINIMUM_HEART_RATE_BPM, MAXIMUM_HEART_RATE_BPM
        )
        require_range(where, "speed_m_s", self.speed_m_s, 0.0, MAXIMUM_SPEED_M_S)
        require_range(where, "altitude_m", self.altitude_m, -MAXIMUM_ALTITUDE_M, MAXIMUM_ALTITUDE_M)
        if not self.has_altitude and self.altitude_m.any():
            raise ValueError(f"altitude_m of {where} must be all zero when has_altitude is False")

    def __len__(self) -> int:
        """Return the number of grid steps T."""
        return len(self.time_s)

    def _freeze(self, where: str, name: str, kind: type[np.generic], length: int) -> None:
        values = np.asarray(getattr(self, name))
        if kind is np.bool_ and values.dtype != np.bool_:
            raise TypeError(f"{name} of {where} must be an array of bool, got {values.dtype}")
        try:
            array = np.array(values, dtype=kind)
        except (TypeError, ValueError) as error:
            raise TypeError(f"{name} of {where} must be an array of numbers") from error
        if array.shape != (length,):
            raise ValueError(f"{name} of {where} must have shape ({length},), got {array.shape}")
        array.setflags(write=False)
        object.__setattr__(self, name, array)

    def _check_time(self, where: str) -> None:
        expected = GRID_STEP_S * np.arange(len(self.time_s))
        wrong = np.flatnonzero(self.time_s != expected)
        if not wrong.size:
            return
        sample = int(wrong[0])
        found = self.time_s[sample]
        if sample == 0:
            reason = "must start at 0"
        elif found <= self.time_s[sample - 1]:
            reason = "must increase"
        else:
            reason = f"must advance by {GRID_STEP_S:g} s without gaps"
        raise ValueError(
            f"time_s of {where} {reason}: sample {sample} is {found:g}, "
            f"expected {expected[sample]:g}"
        )


def require_range(
    where: str, name: str, values: NDArray[np.float64], low: float, high: float
) -> None:
    """Raise ValueError naming the first sample of ``values`` (T,) that is outside [low, high]."""
    wrong = np.flatnonzero(~((values >= low) & (values <= high)))
    if wrong.size:
        sample = int(wrong[0])
        raise ValueError(
            f"{name} of {where} must be in [{low:g}, {high:g}], "
            f"got {values[sample]:g} at sample {sample}"
        )


def read_recordings(folder: str | os.PathLike[str]) -> list[Workout]:
    """Read a folder of recordings (its format is described at the top of this module).

    Args:
        folder: Holds ``workouts.csv`` and ``samples.csv`` or ``samples.csv.gz``.

    Returns:
        The workouts, in the order of ``workouts.csv``.

    Raises:
        OSError: If a file is missing or unreadable.
        ValueError: If a file is malformed; the message names the file, row and column (rows are
            counted as an editor does, the header being row 1).
    """
    root = Path(folder)
    samples_path = root / "samples.csv.gz"
    if not samples_path.exists():
        samples_path = root / "samples.csv"
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
    for identifier, (first_row, _) in samples.items():
        if identifier not in seen:
            raise ValueError(
                f"{samples_path} row {first_row}, column workout: "
                f"{identifier!r} is not listed in {path.name}"
            )
    return workouts


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
        reader = csv.DictReader(file)
        missing = [name for name in columns if name not in (reader.fieldnames or ())]
        if missing:
            raise ValueError(f"{path} row 1: missing column(s) {', '.join(missing)}")
        try:
            for record in reader:
                for name in columns:
                    if record[name] is None:
                        raise ValueError(f"{path} row {reader.line_num}, column {name}: no value")
                yield reader.line_num, record
        except (csv.Error, UnicodeDecodeError, EOFError, gzip.BadGzipFile) as error:
            raise ValueError(f"{path} is not a readable CSV file: {error}") from error


@contextmanager
def _open_text(path: Path) -> Iterator[TextIO]:
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            yield file
    else:
        with path.open(encoding="utf-8", newline="") as file:
            yield file


def _number(where: str, column: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{where}, column {column}: must be a finite number, got {text!r}")
    return value


def _truth(where: str, column: str, text: str) -> bool:
    value = TRUTH_VALUES.get(text.strip().lower())
    if value is None:
        raise ValueError(f"{where}, column {column}: must be 0, 1, true or false, got {text!r}")
    return value
