"""Forecasts of whole recordings, each workout after all earlier ones of the same person."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fitgym.logs.workout import Workout
from fitgym.predictor.attributes import Attributes
from fitgym.predictor.correction import PersonalCorrection, SessionErrors, session_features
from fitgym.predictor.fitrec2.data import shown_before
from fitgym.predictor.fitrec2.inference import BodyPredictor
from fitgym.predictor.fitrec2.personal import CORRECTION_SHARE
from fitgym.predictor.sessions import Session, previous_workouts

Array = NDArray[np.float64]


def forecast_recordings(predictor: BodyPredictor, workouts: Sequence[Workout]) -> list[Array]:
    """Forecast each workout from its session and the person's earlier workouts.

    This is ``personal.forecast`` for sessions of any length: half the network's reading of the
    history, half the personal correction of what it expects of a stranger.

    Args:
        predictor: The predictor.
        workouts: The workouts; those without heart rate are forecast, and tell nothing.

    Returns:
        For each workout the heart rate (T,) in bpm.
    """
    numbers = range(len(workouts))
    sessions = [Session.of(workout) for workout in workouts]
    shown = shown_before(workouts)
    plain = predictor.predict(sessions, [None], [Attributes()])
    informed = predictor.predict(
        sessions,
        previous_workouts(workouts),
        [shown[workout.identifier] for workout in workouts],
        [(number, number, number) for number in numbers],
    )
    corrections: dict[str, PersonalCorrection] = {}
    forecasts: list[Array] = [np.empty(0)] * len(workouts)
    for number in sorted(numbers, key=lambda number: workouts[number].day):
        workout, expected = workouts[number], plain[number]
        correction = corrections.get(workout.user, PersonalCorrection(predictor.components))
        features = session_features(workout.speed_m_s, workout.altitude_m, workout.has_altitude)
        offset, _ = correction.predict(workout.sport, features)
        difference = expected + offset - informed[number]
        forecasts[number] = informed[number] + CORRECTION_SHARE * difference
        valid = workout.valid
        error = (workout.heart_rate_bpm - expected)[valid]
        corrections[workout.user] = correction.update(
            SessionErrors.of(workout.sport, features[valid], error)
        )
    return forecasts
