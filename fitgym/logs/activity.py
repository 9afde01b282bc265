"""The record of one activity as a device wrote it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from fitgym.common.validation import require_choice, require_number
from fitgym.logs.dates import problem_of_date
from fitgym.logs.workout import GENDERS

# Columns that a device may record.
COLUMNS = (
    "distance_m",
    "speed_m_s",
    "altitude_m",
    "heart_rate_bpm",
    "power_w",
    "cadence_rpm",
    "latitude_deg",
    "longitude_deg",
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Activity:
    """One activity of one person: P points, unevenly spaced in time.

    The arrays are read-only copies. A column is None where the device does not record it, and NaN
    at the points where it did not.

    Attributes:
        source: Where it was read from, for messages.
        identifier: Name of the activity, unique in its collection.
        sport: Name of the sport, for instance ``run``.
        start: When it began, with time zone.
        time_s: (P,) seconds since the start, from 0 on, strictly rising; P >= 2.
        distance_m: (P,) distance covered since the start in metres, never falling.
        speed_m_s: (P,) speed in m/s, >= 0.
        altitude_m: (P,) altitude in metres.
        heart_rate_bpm: (P,) heart rate.
        power_w: (P,) power.
        cadence_rpm: (P,) cadence, of running as the device counts it.
        latitude_deg: (P,) latitude; kept only where asked for.
        longitude_deg: (P,) longitude; kept only where asked for.
        moving_s: Seconds that the timer ran, pauses left out; None where nothing tells.
        user: Name of the person.
        gender: One of ``fitgym.logs.workout.GENDERS``.

    Raises:
        ValueError: If the start has no time zone or is before 1950 or after today, a column has
            another length than the time, or a value is infinite or out of order. The message names
            source, column and point (counted from 0).
    """

    source: str
    identifier: str
    sport: str
    start: datetime
    time_s: NDArray[np.float64]
    distance_m: NDArray[np.float64] | None = None
    speed_m_s: NDArray[np.float64] | None = None
    altitude_m: NDArray[np.float64] | None = None
    heart_rate_bpm: NDArray[np.float64] | None = None
    power_w: NDArray[np.float64] | None = None
    cadence_rpm: NDArray[np.float64] | None = None
    latitude_deg: NDArray[np.float64] | None = None
    longitude_deg: NDArray[np.float64] | None = None
    moving_s: float | None = None
    user: str = "unknown"
    gender: str = "unknown"

    def __post_init__(self) -> None:
        """Check every field and make the arrays read-only."""
        require_choice(f"{self.source}: gender", self.gender, GENDERS)
        if self.start.tzinfo is None:
            raise ValueError(f"{self.source}: start must have a time zone, got {self.start}")
        problem = problem_of_date(self.start.date())
        if problem is not None:
            raise ValueError(f"{self.source}: {problem}")
        points = np.size(self.time_s)
        if points < 2:
            raise ValueError(f"{self.source}: must have at least two points, got {points}")
        if self.moving_s is not None:
            require_number(f"{self.source}: moving_s", self.moving_s, 0.0)
        for name in ("time_s", *COLUMNS):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, self._column(name, points))
        if np.isnan(self.time_s).any() or self.time_s[0] != 0.0:
            raise ValueError(f"{self.source}: time_s must be known at every point and start at 0")
        self._require_steps("time_s", self.time_s, np.diff(self.time_s) > 0.0, "rise")
        if self.distance_m is not None:
            known = self.distance_m[~np.isnan(self.distance_m)]
            self._require_steps("distance_m", known, np.diff(known) >= 0.0, "never fall")
        if self.speed_m_s is not None and (self.speed_m_s < 0.0).any():
            point = int(np.argmax(self.speed_m_s < 0.0))
            raise ValueError(
                f"{self.source}: speed_m_s must not be negative, got {self.speed_m_s[point]:g} at "
                f"point {point}"
            )

    def __len__(self) -> int:
        """Return the number of points P."""
        return len(self.time_s)

    def _column(self, name: str, points: int) -> NDArray[np.float64]:
        values = np.array(getattr(self, name), dtype=np.float64)
        if values.shape != (points,):
            raise ValueError(
                f"{self.source}: {name} must have shape ({points},), got {values.shape}"
            )
        if np.isinf(values).any():
            point = int(np.argmax(np.isinf(values)))
            raise ValueError(f"{self.source}: {name} must be finite, point {point} is not")
        values.setflags(write=False)
        return values

    def _require_steps(
        self, name: str, values: NDArray[np.float64], fine: NDArray[np.bool_], verb: str
    ) -> None:
        if not fine.all():
            point = int(np.argmin(fine)) + 1
            raise ValueError(
                f"{self.source}: {name} must {verb}, {values[point]:g} comes after "
                f"{values[point - 1]:g}"
            )
