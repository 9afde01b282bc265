"""Input and interface of heart-rate predictors: sessions and the workouts before them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fitgym.common.validation import require_choice, require_integer, require_number
from fitgym.logs.workout import (
    GENDERS,
    MAXIMUM_ALTITUDE_M,
    MAXIMUM_HEART_RATE_BPM,
    MAXIMUM_SPEED_M_S,
    MINIMUM_HEART_RATE_BPM,
    Workout,
    require_range,
)


@dataclass(frozen=True, eq=False)
class Session:
    """A planned or recorded session without its heart rate: speed, altitude and attributes.

    Attributes:
        speed_m_s: (T,) speed in m/s on the 10-s grid, T >= 1.
        altitude_m: (T,) altitude in metres above any origin; all zero on the flat.
        has_altitude: Whether the altitude is known.
        sport: Name of the sport; predictors treat one they do not know as ``other``.
        gender: One of ``fitgym.logs.workout.GENDERS``.
        user: Name of the person; predictors treat one they do not know as ``unknown``.

    Raises:
        ValueError: If an array is empty, of the wrong shape, not finite or out of range.
    """

    speed_m_s: NDArray[np.float64]
    altitude_m: NDArray[np.float64]
    has_altitude: bool = True
    sport: str = "run"
    gender: str = "unknown"
    user: str = "unknown"

    def __post_init__(self) -> None:
        require_choice("gender of a session", self.gender, GENDERS)
        speed = _vector("speed_m_s", self.speed_m_s)
        altitude = _vector("altitude_m", self.altitude_m)
        if len(speed) != len(altitude):
            raise ValueError(
                f"altitude_m of a session must have the length of speed_m_s ({len(speed)}), "
                f"got {len(altitude)}"
            )
        require_range("a session", "speed_m_s", speed, 0.0, MAXIMUM_SPEED_M_S)
        require_range("a session", "altitude_m", altitude, -MAXIMUM_ALTITUDE_M, MAXIMUM_ALTITUDE_M)
        object.__setattr__(self, "speed_m_s", speed)
        object.__setattr__(self, "altitude_m", altitude)

    def __len__(self) -> int:
        """Return the number of grid steps T."""
        return len(self.speed_m_s)

    @classmethod
    def of(cls, workout: Workout) -> Session:
        """Return the session that ``workout`` recorded."""
        return cls(
            speed_m_s=workout.speed_m_s,
            altitude_m=workout.altitude_m,
            has_altitude=workout.has_altitude,
            sport=workout.sport,
            gender=workout.gender,
            user=workout.user,
        )


@dataclass(frozen=True, eq=False)
class PreviousWorkout:
    """The previous workout of the same person, as far as it was done.

    Attributes:
        session: What was done.
        heart_rate_bpm: (T,) its heart rate.
        days_since: Days from its start to the start of the session to predict, >= 0.

    Raises:
        ValueError: If the heart rate is not finite, out of range or not as long as the session.
    """

    session: Session
    heart_rate_bpm: NDArray[np.float64]
    days_since: float

    def __post_init__(self) -> None:
        """Check days and heart rate, and make the array read-only."""
        require_number("days_since of a previous workout", self.days_since, 0.0)
        heart_rate = _vector("heart_rate_bpm", self.heart_rate_bpm)
        if len(heart_rate) != len(self.session):
            raise ValueError(
                f"heart_rate_bpm of a previous workout must have the length of its session "
                f"({len(self.session)}), got {len(heart_rate)}"
            )
        low, high = MINIMUM_HEART_RATE_BPM, MAXIMUM_HEART_RATE_BPM
        require_range("a previous workout", "heart_rate_bpm", heart_rate, low, high)
        object.__setattr__(self, "heart_rate_bpm", heart_rate)

    @classmethod
    def of(cls, workout: Workout, days_since: float) -> PreviousWorkout:
        """Return what a recorded workout leaves behind; its heart rate must be measured."""
        return cls(Session.of(workout), fill_heart_rate(workout), days_since)


def previous_workouts(workouts: Sequence[Workout]) -> list[PreviousWorkout | None]:
    """Return for each workout the same person's previous one that holds heart rate.

    Workouts are ordered by day, and within a day as they are given.
    """
    last: dict[str, Workout] = {}
    found: dict[str, PreviousWorkout | None] = {}
    for workout in sorted(workouts, key=lambda workout: workout.day):
        previous = last.get(workout.user)
        found[workout.identifier] = (
            None if previous is None else PreviousWorkout.of(previous, workout.day - previous.day)
        )
        if workout.valid.any():
            last[workout.user] = workout
    return [found[workout.identifier] for workout in workouts]


class Predictor(Protocol):
    """The interface of heart-rate predictors: the whole course of a session, beforehand."""

    def predict(
        self,
        sessions: Sequence[Session],
        histories: Sequence[PreviousWorkout | None],
        pairs: Sequence[tuple[int, int]] | None = None,
    ) -> list[NDArray[np.float64]]:
        """Predict the heart rate of sessions after previous workouts.

        Args:
            sessions: The sessions.
            histories: The previous workouts; None stands for no earlier session.
            pairs: Which (session index, history index) to predict; None means every session after
                every history, all histories of the first session first.

        Returns:
            For each pair the heart rate in bpm, (T,) with T the length of its session.
        """
        ...


def all_pairs(
    sessions: int, histories: int, pairs: Sequence[tuple[int, int]] | None
) -> list[tuple[int, int]]:
    """Return ``pairs`` after checking their indices, or every pair where it is None."""
    if pairs is None:
        return [(s, h) for s in range(sessions) for h in range(histories)]
    return [
        (
            require_integer("session index of a pair", session, 0, sessions - 1),
            require_integer("history index of a pair", history, 0, histories - 1),
        )
        for session, history in pairs
    ]


def fill_heart_rate(workout: Workout) -> NDArray[np.float64]:
    """Return the heart rate (T,) with unmeasured steps interpolated, ends holding the nearest.

    Raises:
        ValueError: If no step was measured.
    """
    if not workout.valid.any():
        raise ValueError(f"workout {workout.identifier!r} has no measured heart rate")
    measured = workout.valid
    filled: NDArray[np.float64] = np.interp(
        workout.time_s, workout.time_s[measured], workout.heart_rate_bpm[measured]
    )
    return filled


def _vector(name: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
    array = np.array(values, dtype=np.float64)
    if array.ndim != 1 or not array.size:
        raise ValueError(f"{name} must be a one-dimensional, non-empty array, got {array.shape}")
    array.setflags(write=False)
    return array
