"""The personal correction of the heart-rate predictor, and its worth on held-out workouts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.logs.workout import Workout
from fitgym.predictor.correction import PersonalCorrection, SessionErrors, session_features
from fitgym.predictor.sessions import Session

Array = NDArray[np.float64]

# Newest workouts that are read, and how many of them are shown as held out (ours).
MOST_READ, MOST_HELD_OUT = 60, 10
# Grid steps between the points of a curve that is kept.
_KEPT_EVERY = 3


@dataclass(frozen=True)
class HeldOutWorkout:
    """A workout, and what was expected of it from the earlier ones alone.

    Attributes:
        identifier: Its name.
        day: Days since 1970-01-01.
        earlier: How many workouts were known.
        error_alone_bpm: Mean absolute error of the predictor that knows nothing of the person.
        error_bpm: Of the forecast with the personal correction.
        measured_bpm: Every third measured heart rate, None where it was not measured.
        forecast_bpm: The forecast at the same steps.
        alone_bpm: The predictor alone.
    """

    identifier: str
    day: float
    earlier: int
    error_alone_bpm: float
    error_bpm: float
    measured_bpm: tuple[float | None, ...] = ()
    forecast_bpm: tuple[float, ...] = ()
    alone_bpm: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class HeartCheck:
    """The correction and its test.

    Attributes:
        correction: What all workouts say of the person's errors, for a JSON file.
        workouts: How many were read.
        held_out: The newest ones, each forecast from those before it.
    """

    correction: dict[str, Any]
    workouts: int
    held_out: tuple[HeldOutWorkout, ...]

    @property
    def error_alone_bpm(self) -> float | None:
        """Mean absolute error of the predictor alone over the held-out workouts."""
        return _mean([one.error_alone_bpm for one in self.held_out])

    @property
    def error_bpm(self) -> float | None:
        """The same of the forecast with the personal correction."""
        return _mean([one.error_bpm for one in self.held_out])


def check_heart(workouts: Sequence[Workout]) -> HeartCheck | None:
    """Return the personal correction from recorded workouts; None without heart rate.

    Each held-out workout is forecast from those before it, so no forecast knows what it is
    compared with.

    Args:
        workouts: One person's, in any order.
    """
    read = sorted((one for one in workouts if one.valid.any()), key=lambda one: one.day)
    read = read[-MOST_READ:]
    if not read:
        return None
    from fitgym.predictor.attributes import Attributes
    from fitgym.predictor.fitrec2.inference import load_body_predictor
    from fitgym.predictor.fitrec2.recorded import forecast_recordings
    from fitgym.predictor.threads import one_thread

    with one_thread():
        predictor = load_body_predictor()
        alone = predictor.predict([Session.of(one) for one in read], [None], [Attributes()])
        forecasts = forecast_recordings(predictor, read)
    correction = PersonalCorrection(predictor.components)
    for workout, expected in zip(read, alone, strict=True):
        features = session_features(workout.speed_m_s, workout.altitude_m, workout.has_altitude)
        errors = (workout.heart_rate_bpm - expected)[workout.valid]
        correction = correction.update(
            SessionErrors.of(workout.sport, features[workout.valid], errors)
        )
    first = max(1, len(read) - min(MOST_HELD_OUT, max(len(read) // 3, 1)))
    held_out = [
        _held_out(read[number], number, forecasts[number], alone[number])
        for number in range(first, len(read))
    ]
    return HeartCheck(correction.as_dict(), len(read), tuple(held_out))


def _held_out(workout: Workout, earlier: int, forecast: Array, alone: Array) -> HeldOutWorkout:
    valid = workout.valid
    kept = slice(None, None, _KEPT_EVERY)
    return HeldOutWorkout(
        identifier=workout.identifier,
        day=workout.day,
        earlier=earlier,
        error_alone_bpm=float(np.abs(workout.heart_rate_bpm - alone)[valid].mean()),
        error_bpm=float(np.abs(workout.heart_rate_bpm - forecast)[valid].mean()),
        measured_bpm=tuple(
            round(float(bpm), 1) if known else None
            for bpm, known in zip(workout.heart_rate_bpm[kept], valid[kept], strict=True)
        ),
        forecast_bpm=tuple(np.round(forecast[kept], 1).tolist()),
        alone_bpm=tuple(np.round(alone[kept], 1).tolist()),
    )


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
