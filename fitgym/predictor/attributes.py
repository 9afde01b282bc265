"""What is known of a person's body: attributes told, and those that earlier workouts show.

An attribute that is not known is None here and NaN in arrays. What is told (by a profile, or by the
environment) and what earlier workouts show are attributes of their own: the highest heart rate
seen so far is a lower bound of the maximum, not the maximum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from fitgym.common.validation import require_number
from fitgym.logs.workout import GRID_STEP_S, Workout
from fitgym.model.daniels import vdot
from fitgym.predictor.channels import sport_family

Array = NDArray[np.float64]

# Ranges in which an attribute is accepted.
RANGES = {
    "resting_bpm": (25.0, 110.0),
    "maximum_bpm": (120.0, 230.0),
    "vdot": (10.0, 95.0),
    "age": (10.0, 100.0),
    "seen_maximum_bpm": (30.0, 240.0),
    "shown_vdot": (1.0, 95.0),
}
# Population values where nothing is told. The maximum by age is that of Tanaka et al. 2001.
TYPICAL_RESTING_BPM, TYPICAL_MAXIMUM_BPM, TYPICAL_VDOT = 60.0, 185.0, 44.0
TANAKA_BPM, TANAKA_PER_YEAR = 208.0, 0.7
# The best stretch of training is run at some seven eighths of what the runner could race (ours).
SHOWN_FACTOR = 1.15
# Stretches that show a VDOT, in minutes; shorter ones rest on reserves, longer ones on endurance.
STRETCH_MINUTES = (10, 20, 30, 40)
SLOWEST_STRETCH_M_S = 1.5
# A heart rate counts as seen when it was held for half of a minute: single values are artefacts.
SEEN_STEPS = 6


@dataclass(frozen=True)
class Attributes:
    """A person's body as far as it is known; None where it is not.

    Attributes:
        resting_bpm: Resting heart rate.
        maximum_bpm: Maximum heart rate, as told.
        vdot: Today's VDOT, as told.
        age: Years.
        seen_maximum_bpm: Highest heart rate of earlier workouts.
        shown_vdot: VDOT of the best stretch of earlier runs.

    Raises:
        TypeError: If a value is no number.
        ValueError: If a value is out of range, or the maximum is within 40 bpm of the resting one.
    """

    resting_bpm: float | None = None
    maximum_bpm: float | None = None
    vdot: float | None = None
    age: float | None = None
    seen_maximum_bpm: float | None = None
    shown_vdot: float | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, require_number(name, value, low, high))
        if (
            self.resting_bpm is not None
            and self.maximum_bpm is not None
            and self.maximum_bpm < self.resting_bpm + 40.0
        ):
            raise ValueError(
                f"maximum_bpm must be at least 40 above resting_bpm ({self.resting_bpm:g}), "
                f"got {self.maximum_bpm:g}"
            )

    def row(self) -> Array:
        """Return the values (A,) in the order of ``NAMES``, NaN where unknown."""
        values = [getattr(self, name) for name in NAMES]
        return np.array([np.nan if value is None else value for value in values])


NAMES = tuple(field.name for field in fields(Attributes))


def reference_values(rows: Array) -> Array:
    """Return resting heart rate, maximum and VDOT (P, 3) to expect of attributes (P, A)."""
    resting, maximum, told_vdot, age, seen, shown = rows.T
    by_age = np.where(
        np.isnan(age), TYPICAL_MAXIMUM_BPM, TANAKA_BPM - TANAKA_PER_YEAR * np.nan_to_num(age)
    )
    shown_vdot = SHOWN_FACTOR * np.nan_to_num(shown)
    return np.stack(
        [
            np.where(np.isnan(resting), TYPICAL_RESTING_BPM, resting),
            np.where(np.isnan(maximum), np.fmax(by_age, seen), maximum),
            np.where(np.isnan(told_vdot), np.maximum(TYPICAL_VDOT, shown_vdot), told_vdot),
        ],
        axis=1,
    )


def attributes_shown(earlier: Sequence[Workout]) -> Attributes:
    """Return what a person's earlier workouts show of his body."""
    seen = [value for workout in earlier if (value := seen_maximum(workout)) is not None]
    shown = [value for workout in earlier if (value := shown_vdot(workout)) is not None]
    return Attributes(seen_maximum_bpm=max(seen, default=None), shown_vdot=max(shown, default=None))


def seen_maximum(workout: Workout) -> float | None:
    """Return the highest heart rate held in a workout: of medians over a minute, in bpm."""
    measured = workout.heart_rate_bpm[workout.valid]
    if not measured.size:
        return None
    if measured.size < SEEN_STEPS:
        return float(np.median(measured))
    windows = np.lib.stride_tricks.sliding_window_view(measured, SEEN_STEPS)
    return float(np.median(windows, axis=1).max())


def shown_vdot(workout: Workout) -> float | None:
    """Return the VDOT that the best stretch of a run shows, a lower bound; None if none does."""
    if sport_family(workout.sport) != "run":
        return None
    distance = np.concatenate([[0.0], np.cumsum(workout.speed_m_s) * GRID_STEP_S])
    best: float | None = None
    for minutes in STRETCH_MINUTES:
        steps = round(60.0 * minutes / GRID_STEP_S)
        if len(workout) < steps:
            break
        longest = float((distance[steps:] - distance[:-steps]).max())
        if longest < SLOWEST_STRETCH_M_S * 60.0 * minutes:
            continue
        value = min(vdot(longest, float(minutes)), RANGES["shown_vdot"][1])
        best = value if best is None else max(best, value)
    return best
