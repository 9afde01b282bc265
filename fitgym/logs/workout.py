"""The record of one workout on the 10-second grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitgym.common.validation import require_choice, require_number

GRID_STEP_S = 10.0
GENDERS = ("unknown", "female", "male")

# Ours: no recorded heart of an awake adult beats slower or faster; values beyond are sensor faults.
MINIMUM_HEART_RATE_BPM = 30.0
MAXIMUM_HEART_RATE_BPM = 240.0
# Ours: 144 km/h, above any cyclist's descent; values beyond are positioning faults.
MAXIMUM_SPEED_M_S = 40.0
MAXIMUM_ALTITUDE_M = 9000.0
# Ours: the year 2737 of the calendar; a time in seconds or milliseconds is no day.
MAXIMUM_DAY = 1e6


@dataclass(frozen=True, eq=False)
class Workout:
    """One workout of one person, sampled every ``GRID_STEP_S`` seconds.

    Attributes:
        identifier: Name of the workout, unique in its collection.
        user: Name of the person.
        sport: Name of the sport, for instance ``run``, ``bike`` or ``walk``.
        gender: One of ``GENDERS``.
        day: Day it began, counted from any origin common to the user's workouts, in [0, 1e6].
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
        object.__setattr__(
            self, "day", require_number(f"day of {where}", self.day, 0.0, MAXIMUM_DAY)
        )
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
