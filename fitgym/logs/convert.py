"""From an activity's raw points to a workout on the 10-second grid and to a row of a log."""

from __future__ import annotations

from datetime import UTC

import numpy as np
from numpy.typing import NDArray

from fitgym.logs.activity import Activity
from fitgym.logs.training_log import LoggedSession
from fitgym.logs.workout import GRID_STEP_S, Workout

SECONDS_PER_DAY = 86_400.0

# Ours: heart rate between two readings further apart than five steps of the grid was not measured.
MAXIMUM_GAP_S = 5 * GRID_STEP_S


def to_workout(activity: Activity) -> Workout:
    """Put an activity on the 10-second grid by linear interpolation in time.

    The speed is the recorded one where there is one, else the distance covered since the step
    before; so it is within gaps of more than ``MAXIMUM_GAP_S`` seconds, as of a pause. Heart rate
    across such a gap, and before the first and after the last reading, is flagged as not measured.
    The day counts from 1970-01-01, in the time zone of the start.

    Args:
        activity: The raw points.

    Raises:
        ValueError: If the activity has neither speed nor distance, is shorter than one step of the
            grid, or its measurements are outside what ``Workout`` allows; the message names it.
    """
    grid_s = _grid_s(activity)
    heart_rate = np.full(len(grid_s), np.nan)
    valid = np.zeros(len(grid_s), dtype=np.bool_)
    known = _known_points(activity, activity.heart_rate_bpm)
    if known is not None:
        time_s, readings = known
        heart_rate = np.interp(grid_s, time_s, readings)
        valid = np.isin(grid_s, time_s)
        if len(time_s) > 1:
            after = np.clip(np.searchsorted(time_s, grid_s), 1, len(time_s) - 1)
            between = (grid_s >= time_s[0]) & (grid_s <= time_s[-1])
            valid |= between & (time_s[after] - time_s[after - 1] <= MAXIMUM_GAP_S)
    altitude = _interpolated(activity, activity.altitude_m, grid_s)
    return Workout(
        identifier=activity.identifier,
        user=activity.user,
        sport=activity.sport,
        gender=activity.gender,
        day=activity.start.replace(tzinfo=UTC).timestamp() / SECONDS_PER_DAY,
        time_s=grid_s,
        heart_rate_bpm=heart_rate,
        valid=valid,
        speed_m_s=grid_speed_m_s(activity),
        altitude_m=np.zeros(len(grid_s)) if altitude is None else altitude,
        has_altitude=altitude is not None,
    )


def to_session(activity: Activity) -> LoggedSession:
    """Return an activity as a row of a training log: date where it began, distance, time.

    The distance is the recorded one where there is one, else the speed integrated over time; the
    time is that of the timer where there is one.

    Args:
        activity: The raw points.

    Raises:
        ValueError: If the activity has neither distance nor speed, or its distance, time or mean
            speed is impossible; the message names it.
    """
    known = _known_points(activity, activity.distance_m)
    if known is not None:
        distance_m = float(known[1][-1])
    else:
        speed = _interpolated(activity, activity.speed_m_s, activity.time_s)
        if speed is None:
            raise ValueError(f"{activity.source}: has neither distance nor speed")
        distance_m = float(np.sum(0.5 * (speed[1:] + speed[:-1]) * np.diff(activity.time_s)))
    seconds = float(activity.time_s[-1]) if activity.moving_s is None else activity.moving_s
    try:
        return LoggedSession(activity.start.date(), distance_m, seconds / 60.0)
    except ValueError as error:
        raise ValueError(f"{activity.source}: {error}") from None


def grid_speed_m_s(activity: Activity) -> NDArray[np.float64]:
    """Return (T,) speed on the 10-second grid in m/s, recorded or, also in gaps, from the distance.

    Raises:
        ValueError: If the activity has neither, or is shorter than one step of the grid.
    """
    grid_s = _grid_s(activity)
    recorded = _interpolated(activity, activity.speed_m_s, grid_s)
    distance = _interpolated(activity, activity.distance_m, grid_s)
    if distance is None:
        if recorded is None:
            raise ValueError(f"{activity.source}: has neither distance nor speed")
        return recorded
    speed = np.diff(distance) / GRID_STEP_S
    # Nothing is known before the first point, so the first step takes the second's speed.
    covered = np.concatenate([speed[:1], speed])
    if recorded is None:
        return covered
    after = np.clip(np.searchsorted(activity.time_s, grid_s), 1, len(activity) - 1)
    before_s, after_s = activity.time_s[after - 1], activity.time_s[after]
    within = (after_s - before_s > MAXIMUM_GAP_S) & (before_s < grid_s) & (grid_s < after_s)
    return np.where(within, covered, recorded)


def _grid_s(activity: Activity) -> NDArray[np.float64]:
    steps = int(activity.time_s[-1] // GRID_STEP_S) + 1
    if steps < 2:
        raise ValueError(
            f"{activity.source}: must last at least {GRID_STEP_S:g} s, got "
            f"{activity.time_s[-1]:g} s"
        )
    return np.arange(steps, dtype=np.float64) * GRID_STEP_S


def _known_points(
    activity: Activity, values: NDArray[np.float64] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return times and values of the points where a column is known, None where at none."""
    if values is None:
        return None
    known = ~np.isnan(values)
    return (activity.time_s[known], values[known]) if known.any() else None


def _interpolated(
    activity: Activity, values: NDArray[np.float64] | None, at_s: NDArray[np.float64]
) -> NDArray[np.float64] | None:
    """Return a column at other times, its ends held, or None where it is known at no point."""
    known = _known_points(activity, values)
    return None if known is None else np.interp(at_s, *known)
