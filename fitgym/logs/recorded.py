"""What recordings of every format become: cleaned points of one activity, distance and time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
from numpy.typing import NDArray

from fitgym.logs.activity import Activity
from fitgym.logs.dates import problem_of_date
from fitgym.logs.endomondo import EARTH_RADIUS_KM
from fitgym.logs.words import sport_family
from fitgym.logs.workout import (
    MAXIMUM_ALTITUDE_M,
    MAXIMUM_HEART_RATE_BPM,
    MAXIMUM_SPEED_M_S,
    MINIMUM_HEART_RATE_BPM,
)

Array = NDArray[np.float64]

# Ours: a clock that goes back by more, or on by more, was set; what is less is a late point.
_CLOCK_BACK_S, _CLOCK_ON_S = 60.0, 12 * 3600.0
# Ours: without a timer, so long without a point and hardly any way is a pause.
_PAUSE_S, _PAUSE_SPEED_M_S = 20.0, 0.5
# Ours: a distance that falls to less than this share of what it was has begun anew.
_RESTART_SHARE = 0.05
# Ours: a whole may be told as a little more than its parts, by rounding.
_TIMER_TOLERANCE = 1.02
# Ours: no device recorded before, so that its clock was not set.
_FIRST_RECORDINGS = date(1995, 1, 1)
# Ours: a position further away than this speed and margin allow is an error of the satellites;
# so many errors that agree with each other are a new place.
_FASTEST_M_S = {"run": 12.0, "walk": 12.0, "hike": 12.0, "bike": 35.0, "ski": 45.0}
_FASTEST_OTHER_M_S, _POSITION_MARGIN_M, _NEW_PLACE = 60.0, 30.0, 10
# Ours: a whole and its points that differ by more are told.
_WHOLE_TOLERANCE = 0.2
# What is outside cannot be so of anybody.
_RANGES = {
    "heart_rate_bpm": (MINIMUM_HEART_RATE_BPM, MAXIMUM_HEART_RATE_BPM),
    "speed_m_s": (0.0, MAXIMUM_SPEED_M_S),
    "altitude_m": (-MAXIMUM_ALTITUDE_M, MAXIMUM_ALTITUDE_M),
    "power_w": (0.0, 3000.0),
    "cadence_rpm": (0.0, 300.0),
}


@dataclass(frozen=True, eq=False)
class Recorded:
    """One activity of a file.

    Attributes:
        source: File, and number of the activity in it where there are several.
        sport: Its sport in the predictor's words; None where the file tells none.
        start: When it began, local time where the file tells it, else UTC.
        zone_told: Whether the file tells the local time.
        distance_m: Distance, NaN where it is not known.
        moving_s: Time that the timer ran, or without a timer the time without pauses.
        elapsed_s: Time from the first point to the last, pauses included.
        activity: The points; None where there are fewer than two.
        notes: What was odd about it.
    """

    source: str
    sport: str | None
    start: datetime
    zone_told: bool
    distance_m: float
    moving_s: float
    elapsed_s: float
    activity: Activity | None
    notes: tuple[str, ...] = ()


@dataclass
class Points:
    """Raw points as a file holds them, and what the device says of the whole.

    Attributes:
        source: What to call the activity.
        sport: Its sport, None where not told.
        time_s: (P,) Unix time, NaN where a point has none.
        columns: Names of columns of ``Activity`` and their values (P,).
        segment: (P,) number of the segment or lap's track that each point is in, which a pause
            separates; None where nothing does.
        offset_s: Local time minus UTC in seconds, None where not told.
        told_start: When it began, Unix time, NaN where not told.
        told_distance_m: Distance by the device, NaN where not told.
        told_moving_s: Time that the timer ran, NaN where not told.
        told_elapsed_s: Time with pauses, NaN where not told.
        notes: What was odd about it.
    """

    source: str
    sport: str | None
    time_s: Array
    columns: dict[str, Array]
    segment: Array | None = None
    offset_s: float | None = None
    told_start: float = math.nan
    told_distance_m: float = math.nan
    told_moving_s: float = math.nan
    told_elapsed_s: float = math.nan
    notes: list[str] = field(default_factory=list)


def _without_null_island(columns: dict[str, NDArray[np.float64]]) -> None:
    """Take the point where equator and prime meridian meet for no position: what is not known yet.

    Args:
        columns: By name; the positions are changed.
    """
    names = ("latitude_deg", "longitude_deg")
    if all(name in columns for name in names):
        nowhere = (columns[names[0]] == 0.0) & (columns[names[1]] == 0.0)
        for name in names:
            columns[name] = np.where(nowhere, np.nan, columns[name])


def to_recorded(points: Points, *, positions: bool) -> Recorded:
    """Return the activity that raw points make.

    Points without time and those that come late are dropped, a clock that was set is put right,
    zero heart rate and impossible values count as not measured.

    Raises:
        ValueError: If there is neither a point nor a summary with a time, or the date is
            impossible.
    """
    notes = list(points.notes)
    time_s, columns, segment = _in_order(points, notes)
    for name, (low, high) in _RANGES.items():
        if name in columns:
            wrong = (columns[name] < low) | (columns[name] > high)
            columns[name] = np.where(wrong, np.nan, columns[name])
    _without_null_island(columns)
    elapsed = float(time_s[-1] - time_s[0]) if time_s.size else 0.0
    start_s = float(time_s[0]) if time_s.size else points.told_start
    if not math.isfinite(start_s):
        raise ValueError(
            "holds no point with a time: a planned route? Give the recording of the activity"
        )
    covered = _distance(columns, segment, time_s, points.sport, notes)
    if covered is not None:
        columns["distance_m"] = covered
    if not positions:
        columns.pop("latitude_deg", None)
        columns.pop("longitude_deg", None)
    columns = {name: values for name, values in columns.items() if not np.isnan(values).all()}
    distance = points.told_distance_m
    if not distance > 0.0:
        distance = math.nan
        if covered is not None and not np.isnan(covered).all():
            distance = float(np.nanmax(covered))
        elif "speed_m_s" in columns and time_s.size > 1:
            speed = np.nan_to_num(columns["speed_m_s"])
            distance = float(np.sum(speed[1:] * np.minimum(np.diff(time_s), _PAUSE_S)))
    elif covered is not None and not np.isnan(covered).all():
        whole = float(np.nanmax(covered))
        if abs(whole - distance) > _WHOLE_TOLERANCE * max(whole, distance) and whole > 0.0:
            notes.append("the summary tells another distance than the points: the summary is taken")
    told_elapsed = points.told_elapsed_s
    if told_elapsed > elapsed:
        elapsed = float(told_elapsed)
    moving = points.told_moving_s
    if not 0.0 < moving <= _TIMER_TOLERANCE * elapsed + 5.0:
        moving = elapsed - _pauses(time_s, columns, segment)
    start = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=start_s)
    if points.offset_s is not None:
        start = start.astimezone(timezone(timedelta(seconds=points.offset_s)))
    if (problem := problem_of_date(start.date())) is not None:
        raise ValueError(problem)
    if start.date() < _FIRST_RECORDINGS:
        raise ValueError(
            f"the clock of the device was not set: its date is {start.date()}; correct the times, "
            "or enter the session in a table"
        )
    activity = None
    if time_s.size >= 2:
        activity = Activity(
            source=points.source,
            identifier=points.source,
            sport=points.sport or "unknown",
            start=start,
            time_s=time_s - time_s[0],
            moving_s=moving,
            distance_m=columns.get("distance_m"),
            speed_m_s=columns.get("speed_m_s"),
            altitude_m=columns.get("altitude_m"),
            heart_rate_bpm=columns.get("heart_rate_bpm"),
            power_w=columns.get("power_w"),
            cadence_rpm=columns.get("cadence_rpm"),
            latitude_deg=columns.get("latitude_deg"),
            longitude_deg=columns.get("longitude_deg"),
        )
    return Recorded(
        points.source,
        points.sport,
        start,
        points.offset_s is not None,
        distance,
        moving,
        elapsed,
        activity,
        tuple(dict.fromkeys(notes)),
    )


def _in_order(points: Points, notes: list[str]) -> tuple[Array, dict[str, Array], Array | None]:
    """Return times, columns and segments with every point after the one before."""
    known = np.isfinite(points.time_s)
    time_s = points.time_s[known]
    columns = {name: values[known] for name, values in points.columns.items()}
    segment = None if points.segment is None else points.segment[known]
    if (~known).any() and time_s.size:
        notes.append(f"{int((~known).sum())} point(s) without a time")
    if not time_s.size:
        return time_s, columns, segment
    steps = np.diff(time_s)
    jumps = np.flatnonzero((steps < -_CLOCK_BACK_S) | (steps > _CLOCK_ON_S))
    if jumps.size:
        time_s = _without_jumps(time_s, jumps)
        notes.append(f"the clock was set {jumps.size} time(s): its jumps are left out")
    # Late points repeat a moment that is past.
    before = np.maximum.accumulate(np.concatenate([[-np.inf], time_s[:-1]]))
    keep = time_s > before
    if (late := int((~keep).sum())) > 0.01 * time_s.size + 1:
        notes.append(f"{late} point(s) at a time that another point has")
    return (
        time_s[keep],
        {name: values[keep] for name, values in columns.items()},
        None if segment is None else segment[keep],
    )


def _without_jumps(time_s: Array, jumps: NDArray[np.int64]) -> Array:
    """Return times in which the clock was never set; the longest stretch between tells the time."""
    bounds = [0, *(int(jump) + 1 for jump in jumps), time_s.size]
    steps = np.diff(time_s)
    steps[jumps] = 1.0
    elapsed = np.concatenate([[0.0], np.cumsum(steps)])
    longest = int(np.argmax(np.diff(bounds)))
    anchor = bounds[longest]
    return np.asarray(elapsed - elapsed[anchor] + time_s[anchor])


def _distance(
    columns: Mapping[str, Array],
    segment: Array | None,
    time_s: Array,
    sport: str | None,
    notes: list[str],
) -> Array | None:
    """Return the distance covered since the start, by the device or by positions."""
    recorded = columns.get("distance_m")
    if recorded is not None and np.isfinite(recorded).sum() > 1 and np.nanmax(recorded) > 0.0:
        return _rising(recorded)
    latitude, longitude = columns.get("latitude_deg"), columns.get("longitude_deg")
    if latitude is None or longitude is None:
        return None
    known = np.isfinite(latitude) & np.isfinite(longitude)
    known &= ~((latitude == 0.0) & (longitude == 0.0))
    if known.sum() < 2:
        return None
    family = sport_family(sport) if sport else "bike"
    fastest = _FASTEST_M_S.get(family, _FASTEST_OTHER_M_S)
    wrong = _impossible(latitude, longitude, np.where(known, time_s, np.nan), segment, fastest)
    if wrong is not None and (number := int(wrong[0].sum() + wrong[1].sum())):
        notes.append(f"{number} position(s) that nobody reaches in the time are left out")
        known &= ~wrong[0]
    steps = _steps(latitude[known], longitude[known])
    if wrong is not None:
        steps[wrong[1][known][1:]] = 0.0
    if segment is not None:
        steps[np.diff(segment[known]) != 0] = 0.0
    distance = np.full(latitude.size, np.nan)
    distance[known] = np.concatenate([[0.0], np.cumsum(steps)])
    return distance


def _steps(latitude: Array, longitude: Array) -> Array:
    """Return the metres from each position to the next."""
    phi, theta = np.radians(latitude), np.radians(longitude)
    chord = (
        np.sin(np.diff(phi) / 2) ** 2
        + np.cos(phi[:-1]) * np.cos(phi[1:]) * np.sin(np.diff(theta) / 2) ** 2
    )
    return np.asarray(2000.0 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(chord, 1.0))))


def _impossible(
    latitude: Array, longitude: Array, time_s: Array, segment: Array | None, fastest_m_s: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]] | None:
    """Return which positions nobody reaches, and which begin a new place; None without any.

    Args:
        latitude: Latitudes.
        longitude: Longitudes.
        time_s: Times, NaN where the position is not known.
        segment: Segment of each position.
        fastest_m_s: The highest speed.
    """
    places = np.flatnonzero(np.isfinite(time_s))
    paused = np.zeros(places.size - 1, dtype=bool)
    if segment is not None:
        paused = np.diff(segment[places]) != 0
    allowed = fastest_m_s * np.diff(time_s[places]) + _POSITION_MARGIN_M
    far = (_steps(latitude[places], longitude[places]) > allowed) & ~paused
    if not far.any():
        return None
    wrong, new = np.zeros(time_s.size, dtype=bool), np.zeros(time_s.size, dtype=bool)

    def reached(one: int, other: int) -> bool:
        pair = [one, other]
        step = float(_steps(latitude[pair], longitude[pair])[0])
        return step <= fastest_m_s * float(time_s[other] - time_s[one]) + _POSITION_MARGIN_M

    last, apart = int(places[0]), list[int]()
    for position in map(int, places[1:]):
        elsewhere = segment is not None and segment[position] != segment[last]
        if elsewhere or reached(last, position):
            last, apart = position, []
            continue
        apart = [*apart, position] if apart and reached(apart[-1], position) else [position]
        wrong[position] = True
        if len(apart) >= _NEW_PLACE:
            wrong[apart], new[apart[0]], last, apart = False, True, position, []
    return wrong, new


def _rising(recorded: Array) -> Array:
    """Return a distance that never falls: one that begins anew is added on, dips are levelled."""
    known = np.flatnonzero(np.isfinite(recorded))
    values = recorded[known]
    restarts = np.flatnonzero(values[1:] < _RESTART_SHARE * values[:-1]) + 1
    added = np.zeros(values.size)
    for place in restarts:
        added[place:] += values[place - 1]
    result = np.full(recorded.size, np.nan)
    result[known] = np.maximum.accumulate(values + added)
    return result


def _pauses(time_s: Array, columns: Mapping[str, Array], segment: Array | None) -> float:
    """Return how long a recording without a timer paused."""
    if time_s.size < 2:
        return 0.0
    steps = np.diff(time_s)
    pause = np.zeros(steps.size, dtype=bool)
    if segment is not None:
        pause |= np.diff(segment) != 0
    distance = columns.get("distance_m")
    if distance is not None:
        known = np.isfinite(distance)
        if known.sum() > 1:
            covered = np.diff(np.interp(time_s, time_s[known], distance[known]))
            pause |= (steps > _PAUSE_S) & (covered < _PAUSE_SPEED_M_S * steps)
    # A pause takes one second of movement with it at most.
    return float(np.sum(np.maximum(steps[pause] - 1.0, 0.0)))
