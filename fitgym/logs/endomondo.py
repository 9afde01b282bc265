"""Reader of the Endomondo workouts that FitRec was published with, from a user's own copy.

The file (``endomondoHR_proper.json``) holds one workout a line, written as a Python literal: a
dictionary with the keys ``userId, id, gender, sport, longitude, latitude, altitude, timestamp,
heart_rate, url`` and, in some, ``speed`` in km/h. The sequences have 500 points, unevenly spaced
in time. The data may not be redistributed, so none of them come with this package.

A line that is not in this format is an error; a workout in the format whose measurements are
implausible is left out by the filter, which says why.

Source: Ni, Muhlstein, McAuley, "Modeling heart rate and activity data for personalized fitness
recommendation", WWW 2019.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fitgym.logs.activity import Activity
from fitgym.logs.convert import MAXIMUM_GAP_S, grid_speed_m_s
from fitgym.logs.dates import EARLIEST_DATE, latest_date
from fitgym.logs.workout import GENDERS, MAXIMUM_ALTITUDE_M, MAXIMUM_SPEED_M_S

LICENCE_NOTICE = (
    "The Endomondo workouts may be used for academic research only and may not be redistributed "
    "or used commercially; cite Ni, Muhlstein, McAuley (WWW 2019)."
)

KM_H_PER_M_S = 3.6
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARTH_RADIUS_KM = 6371.0088  # mean radius, IUGG

# Key of the file -> field of the record.
SEQUENCES = {
    "timestamp": "timestamp_s",
    "longitude": "longitude_deg",
    "latitude": "latitude_deg",
    "altitude": "altitude_m",
    "heart_rate": "heart_rate_bpm",
}


@dataclass(frozen=True, eq=False)
class EndomondoRecord:
    """One workout as it stands in the file, its P points unevenly spaced in time.

    Attributes:
        offset: Position of its line in the file, in bytes, for ``read_endomondo_at``.
        identifier: The key ``id`` as text.
        user: The key ``userId`` as text.
        sport: The key ``sport``, for instance ``run``.
        gender: One of ``fitgym.logs.workout.GENDERS``.
        timestamp_s: (P,) Unix time.
        longitude_deg: (P,) longitude in degrees.
        latitude_deg: (P,) latitude in degrees.
        altitude_m: (P,) altitude in metres.
        heart_rate_bpm: (P,) heart rate.
        speed_km_h: (P,) recorded speed, or None where the file has none.
    """

    offset: int
    identifier: str
    user: str
    sport: str
    gender: str
    timestamp_s: NDArray[np.float64]
    longitude_deg: NDArray[np.float64]
    latitude_deg: NDArray[np.float64]
    altitude_m: NDArray[np.float64]
    heart_rate_bpm: NDArray[np.float64]
    speed_km_h: NDArray[np.float64] | None


@dataclass(frozen=True)
class EndomondoFilter:
    """Which workouts to keep; the defaults are this project's, every range is inclusive.

    Attributes:
        sports: Sports to keep, or None for all.
        minimum_duration_s: Shortest workout.
        maximum_duration_s: Longest workout.
        minimum_heart_rate_bpm: A single lower reading rejects the workout.
        maximum_heart_rate_bpm: A single higher reading rejects the workout.
        maximum_gap_s: Longest time between two points, five steps of the grid.
        minimum_speed_km_h: Slowest mean speed (distance over duration). The mean, since every
            runner stands still at some traffic light.
        maximum_speed_km_h: Fastest mean speed.
    """

    sports: tuple[str, ...] | None = ("run",)
    minimum_duration_s: float = 15 * 60.0
    maximum_duration_s: float = 2 * 3600.0
    minimum_heart_rate_bpm: float = 45.0
    maximum_heart_rate_bpm: float = 215.0
    maximum_gap_s: float = MAXIMUM_GAP_S
    minimum_speed_km_h: float = 5.0
    maximum_speed_km_h: float = 40.0

    def rejection(self, record: EndomondoRecord) -> str | None:
        """Return why ``record`` is left out, or None to keep it."""
        if self.sports is not None and record.sport not in self.sports:
            return "sport"
        steps_s = np.diff(record.timestamp_s)
        if steps_s.min() <= 0:
            return "timestamp does not increase"
        if not _is_plausible_time(record.timestamp_s):
            return "date"
        duration_s = float(record.timestamp_s[-1] - record.timestamp_s[0])
        if not self.minimum_duration_s <= duration_s <= self.maximum_duration_s:
            return "duration"
        if steps_s.max() > self.maximum_gap_s:
            return "gap"
        heart_rate = record.heart_rate_bpm
        if heart_rate.min() < self.minimum_heart_rate_bpm:
            return "heart rate"
        if heart_rate.max() > self.maximum_heart_rate_bpm:
            return "heart rate"
        mean_speed_km_h = step_distances_km(record).sum() / duration_s * 3600.0
        if not self.minimum_speed_km_h <= mean_speed_km_h <= self.maximum_speed_km_h:
            return "speed"
        if np.abs(record.altitude_m).max() > MAXIMUM_ALTITUDE_M:
            return "altitude"
        if not _is_plausible_speed(record):
            return "position jumps"
        return None


def read_endomondo(
    path: str | os.PathLike[str], filters: EndomondoFilter | None = None
) -> Iterator[EndomondoRecord]:
    """Yield the workouts of the authors' file one by one, in constant memory.

    The licence notice goes to standard error before the first workout.

    Args:
        path: The user's own copy of ``endomondoHR_proper.json``.
        filters: Which workouts to keep; None keeps all that are in the format.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If a line is malformed; the message names the file, the line and the key.
    """
    print(LICENCE_NOTICE, file=sys.stderr)
    with Path(path).open("rb") as file:
        offset = 0
        for number, line in enumerate(file, start=1):
            if line.strip():
                record = _parse(line, offset, f"{path} line {number}")
                if filters is None or filters.rejection(record) is None:
                    yield record
            offset += len(line)


def read_endomondo_at(path: str | os.PathLike[str], offset: int) -> EndomondoRecord:
    """Return the one workout whose line begins ``offset`` bytes into the file.

    Keeping offsets rather than records lets a training run visit a file larger than memory in
    any order.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If no well-formed workout begins there.
    """
    with Path(path).open("rb") as file:
        file.seek(offset)
        return _parse(file.readline(), offset, f"{path} at byte {offset}")


def read_endomondo_activities(
    path: str | os.PathLike[str], filters: EndomondoFilter | None = None
) -> Iterator[Activity]:
    """Yield the filtered workouts of the authors' file as raw points.

    Args:
        path: The user's own copy of ``endomondoHR_proper.json``.
        filters: Which workouts to keep; None takes the defaults of ``EndomondoFilter``.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If a line is malformed; the message names the file, the line and the key.
    """
    for record in read_endomondo(path, filters or EndomondoFilter()):
        yield to_activity(record)


def to_activity(record: EndomondoRecord) -> Activity:
    """Return the raw points of ``record`` as every reader gives them.

    The distance is that of the positions. The file tells no time zone, so the start is in UTC.

    Raises:
        ValueError: If time does not increase or a value is impossible; the message names the
            workout and the column.
    """
    time_s: NDArray[np.float64] = record.timestamp_s - record.timestamp_s[0]
    if not _is_plausible_time(record.timestamp_s):
        raise ValueError(
            f"timestamp of workout {record.identifier!r} must be Unix time in seconds, from "
            f"{EARLIEST_DATE} to today, got {record.timestamp_s[0]:.0f}"
        )
    speed = None if record.speed_km_h is None else record.speed_km_h / KM_H_PER_M_S
    return Activity(
        source=f"workout {record.identifier!r}",
        identifier=record.identifier,
        sport=record.sport,
        start=_EPOCH + timedelta(seconds=float(record.timestamp_s[0])),
        time_s=time_s,
        distance_m=1000.0 * np.cumsum(step_distances_km(record)),
        speed_m_s=speed,
        altitude_m=record.altitude_m,
        heart_rate_bpm=record.heart_rate_bpm,
        user=record.user,
        gender=record.gender,
    )


def step_distances_km(record: EndomondoRecord) -> NDArray[np.float64]:
    """Return (P,) great-circle distances from each point's predecessor in km, the first 0."""
    longitude = np.radians(record.longitude_deg)
    latitude = np.radians(record.latitude_deg)
    chord = (
        np.sin(np.diff(latitude) / 2) ** 2
        + np.cos(latitude[:-1]) * np.cos(latitude[1:]) * np.sin(np.diff(longitude) / 2) ** 2
    )
    distances = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(chord, 1.0)))
    return np.concatenate([[0.0], distances])


def _is_plausible_time(timestamp_s: NDArray[np.float64]) -> bool:
    earliest, latest = (
        (datetime.combine(day, datetime.min.time(), UTC) - _EPOCH).total_seconds()
        for day in (EARLIEST_DATE, latest_date() + timedelta(days=1))
    )
    return bool(earliest <= timestamp_s[0] and timestamp_s[-1] < latest)


def _is_plausible_speed(record: EndomondoRecord) -> bool:
    if record.speed_km_h is not None and record.speed_km_h.min() < 0:
        return False
    return bool(grid_speed_m_s(to_activity(record)).max() <= MAXIMUM_SPEED_M_S)


def _parse(line: bytes, offset: int, where: str) -> EndomondoRecord:
    try:
        entry = ast.literal_eval(line.decode("utf-8").strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError(f"{where}: must be one Python literal, {error}") from error
    if not isinstance(entry, dict):
        raise ValueError(f"{where}: must be a dictionary, got {type(entry).__name__}")
    for key in ("userId", "id", "gender", "sport", *SEQUENCES):
        if key not in entry:
            raise ValueError(f"{where}: key {key!r} is missing")
    gender = entry["gender"]
    if gender not in GENDERS:
        raise ValueError(f"{where}, key 'gender': must be one of {GENDERS}, got {gender!r}")
    points = len(_sequence(entry, "timestamp", where))
    if points < 2:
        raise ValueError(f"{where}, key 'timestamp': must have at least two points, got {points}")
    sequences = {field: _sequence(entry, key, where, points) for key, field in SEQUENCES.items()}
    return EndomondoRecord(
        offset=offset,
        identifier=_text(entry, "id", where),
        user=_text(entry, "userId", where),
        sport=_text(entry, "sport", where),
        gender=gender,
        speed_km_h=_sequence(entry, "speed", where, points) if "speed" in entry else None,
        **sequences,
    )


def _text(entry: dict[str, object], key: str, where: str) -> str:
    value = entry[key]
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        raise ValueError(f"{where}, key {key!r}: must be a name or whole number, got {value!r}")
    return str(value)


def _sequence(
    entry: dict[str, object], key: str, where: str, points: int | None = None
) -> NDArray[np.float64]:
    """Return the sequence ``key`` after checking its kind, its length and that it is finite."""
    values = entry[key]
    if not isinstance(values, list):
        raise ValueError(f"{where}, key {key!r}: must be a list, got {type(values).__name__}")
    for index, value in enumerate(values):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not abs(value) <= sys.float_info.max:
            raise ValueError(
                f"{where}, key {key!r}: point {index} must be a finite number, got {value!r}"
            )
    if points is not None and len(values) != points:
        raise ValueError(
            f"{where}, key {key!r}: has {len(values)} points, but 'timestamp' has {points}"
        )
    return np.array(values, dtype=np.float64)
