"""Training logs: one row per session, with date, distance and time."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from fitgym.logs.dates import first_gap, problem_of_date
from fitgym.model.daniels import METRES_PER_MILE

# Heart rates of sessions, bpm. Ours: outside is an error, a percentage or a pulse at rest.
SESSION_HEART_RATES_BPM = (60.0, 230.0)

# Mean speeds of a session on foot, m/min: below 25 Daniels' oxygen cost is not positive; above
# 650 (39 km/h) no human has run. They catch hours read as minutes and miles as kilometres. Ours.
_SPEED_RANGE = (25.0, 650.0)


@dataclass(frozen=True)
class LoggedSession:
    """One row of a training log.

    Attributes:
        date: The day, from 1950-01-01 to today.
        distance_m: Distance in metres, positive.
        minutes: Time in minutes, NaN where it was not recorded.
        mean_heart_rate_bpm: Mean heart rate that a log tells, in ``SESSION_HEART_RATES_BPM``; None
            where it tells none. Recordings hold theirs in their workout.
        max_heart_rate_bpm: The highest one, likewise.

    Raises:
        ValueError: If the date or a heart rate is out of range, or distance, time or mean speed is
            impossible.
    """

    date: date
    distance_m: float
    minutes: float
    mean_heart_rate_bpm: float | None = None
    max_heart_rate_bpm: float | None = None

    def __post_init__(self) -> None:
        problem = problem_of_date(self.date)
        low, high = SESSION_HEART_RATES_BPM
        for beats in (self.mean_heart_rate_bpm, self.max_heart_rate_bpm):
            if beats is not None and not low <= beats <= high:
                problem = f"a heart rate must be in [{low:g}, {high:g}] bpm, got {beats:g}"
        if problem is None and (quantity := _problem_of_session(self.distance_m, self.minutes)):
            problem = quantity[1]
        if problem is not None:
            raise ValueError(problem)


@dataclass(frozen=True, eq=False)
class TrainingLog:
    """Sessions in time order; arrays of shape (n,), read-only.

    Attributes:
        dates: Day of each session, ``datetime64[D]``, from 1950-01-01 to today, without a gap of
            more than three years; several sessions may share a day.
        distance_m: Distance in metres, positive.
        minutes: Time in minutes, NaN where it was not recorded.
        name: What the log is called in tables and figures.

    Raises:
        ValueError: If the arrays differ in length, are empty or not in time order, if a date is
            out of range or comes more than three years after the one before, or if a distance,
            time or mean speed is impossible. The message names the row, counted from 1.
    """

    dates: npt.NDArray[np.datetime64]
    distance_m: npt.NDArray[np.float64]
    minutes: npt.NDArray[np.float64]
    name: str = "log"

    def __post_init__(self) -> None:
        arrays = {
            "dates": np.array(self.dates, dtype="datetime64[D]"),
            "distance_m": np.array(self.distance_m, dtype=np.float64),
            "minutes": np.array(self.minutes, dtype=np.float64),
        }
        shapes = {name: array.shape for name, array in arrays.items()}
        if len(set(shapes.values())) != 1 or arrays["dates"].ndim != 1 or not arrays["dates"].size:
            raise ValueError(f"the arrays of a log must share one shape (n,), n > 0, got {shapes}")
        if np.isnat(arrays["dates"]).any() or np.any(np.diff(arrays["dates"]).astype(int) < 0):
            raise ValueError("dates must be known and in time order")
        rows = zip(*(array.tolist() for array in arrays.values()), strict=True)
        for row, values in enumerate(rows, start=1):
            try:
                LoggedSession(*values)
            except ValueError as error:
                raise ValueError(f"row {row}: {error}") from None
        days = arrays["dates"].astype(np.int64).tolist()
        if (gap := first_gap(days)) is not None:
            raise ValueError(
                f"row {gap + 1}: {_problem_of_gap(*arrays['dates'][[gap - 1, gap]].tolist())}"
            )
        for name, array in arrays.items():
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    @classmethod
    def of(cls, sessions: Iterable[LoggedSession], name: str) -> TrainingLog:
        """Return the log of sessions in any order, those of one day in the order given."""
        rows = sorted(sessions, key=lambda session: session.date)
        return cls(
            np.array([row.date for row in rows], dtype="datetime64[D]"),
            np.array([row.distance_m for row in rows]),
            np.array([row.minutes for row in rows]),
            name,
        )

    def __len__(self) -> int:
        """Return the number of sessions n."""
        return len(self.dates)

    @property
    def repeated_rows(self) -> int:
        """How many sessions have date, distance and time (or no time) of an earlier one."""
        # NaN, which is no time, equals nothing; its text does.
        times = map(str, self.minutes.tolist())
        rows = set(zip(self.dates.tolist(), self.distance_m.tolist(), times, strict=True))
        return len(self) - len(rows)

    @property
    def timed(self) -> npt.NDArray[np.bool_]:
        """Whether the time of each session is known, shape (n,)."""
        return ~np.isnan(self.minutes)

    @property
    def years(self) -> npt.NDArray[np.int64]:
        """Calendar year of each session, shape (n,)."""
        return self.dates.astype("datetime64[Y]").astype(np.int64) + 1970

    @property
    def pace_min_per_mile(self) -> npt.NDArray[np.float64]:
        """Mean pace of each session in minutes per mile, shape (n,); NaN without a time."""
        pace: npt.NDArray[np.float64] = self.minutes / (self.distance_m / METRES_PER_MILE)
        return pace


def _problem_of_gap(before: date, after: date) -> str:
    return (
        f"{after} is more than three years after the session before it, {before}: correct the "
        "date, or keep the sessions of one side only"
    )


def _problem_of_session(distance_m: float, minutes: float) -> tuple[str, str] | None:
    """Return what is wrong with a session as (quantity, message), or None."""
    if not 0.0 < distance_m < math.inf:
        return "distance", f"the distance must be positive, got {distance_m:g} m"
    if math.isnan(minutes):
        return None
    if not 0.0 < minutes < math.inf:
        return "time", f"the time must be positive (or empty), got {minutes:g} min"
    speed, (slowest, fastest) = distance_m / minutes, _SPEED_RANGE
    if not slowest <= speed <= fastest:
        return "time", (
            f"{distance_m:g} m in {minutes:g} min is {speed:.4g} m/min, "
            f"which must be in [{slowest:g}, {fastest:g}]"
        )
    return None
