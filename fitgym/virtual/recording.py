"""What a watch records of a virtual person's sessions, on the 10-second grid.

The heart rate is the second edition's for this body and today's VDOT after the last session, with
the offset of the person and of the day that decided how much was done (docs/model.md), and a
remaining fluctuation. Speed carries the error of satellites. Spreads are those of the simulator
that the predictor was trained on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from fitgym.logs.workout import (
    GRID_STEP_S,
    MAXIMUM_HEART_RATE_BPM,
    MINIMUM_HEART_RATE_BPM,
    Workout,
)
from fitgym.model.internal_load import offset_weight
from fitgym.people.individual import Physiology

Array = NDArray[np.float64]

# The fluctuation of the predictor's virtual people (fitgym.predictor.fitrec2.people), in bpm, and
# its correlation from one step to the next; the error of speed is ours, that of a foot pod.
FLUCTUATION_BPM, FLUCTUATION_MEMORY = 4.0, 0.86
SPEED_ERROR, SPEED_MEMORY = 0.01, 0.5
# Ours: as the offset does, the fluctuation fades towards the maximum, to what a sensor errs.
LEAST_FLUCTUATION = 0.25
# By how many bpm a recording may pass the maximum.
OVER_MAXIMUM_BPM = 4.0


@dataclass(frozen=True, eq=False)
class Run:
    """A session that was run, before a watch recorded it.

    Attributes:
        day: Days since 1970-01-01 at its start.
        speed_m_s: (T,) true speed on the 10-second grid, on the flat; T >= 2.
        vdot: VDOT of the person that day.
        offset_bpm: Offset of the heart that day.
    """

    day: float
    speed_m_s: Array
    vdot: float
    offset_bpm: float


def expected_heart_rates(runs: Sequence[Run], physiology: Physiology) -> list[Array]:
    """Return what the second edition expects of each run (T,) after the one before it, in bpm.

    As in the table of adherence, the last session's heart rate is what is expected of it without a
    history, and it was yesterday or three days ago.
    """
    from fitgym.predictor.attributes import RANGES, Attributes
    from fitgym.predictor.fitrec2.inference import load_body_predictor
    from fitgym.predictor.sessions import PreviousWorkout, Session
    from fitgym.predictor.threads import one_thread

    if not runs:
        return []
    lowest, highest = RANGES["vdot"]
    sessions = [
        Session(run.speed_m_s, np.zeros(len(run.speed_m_s)), gender=physiology.gender)
        for run in runs
    ]
    bodies = [
        Attributes(
            resting_bpm=physiology.resting_heart_rate,
            maximum_bpm=physiology.maximum_heart_rate,
            vdot=float(np.clip(run.vdot, lowest, highest)),
        )
        for run in runs
    ]
    numbers = range(len(runs))
    with one_thread():
        predictor = load_body_predictor()
        alone = predictor.predict(sessions, [None], bodies, [(i, 0, i) for i in numbers])
        histories: list[PreviousWorkout | None] = [None]
        for i in numbers[:-1]:
            days = 1.0 if runs[i + 1].day - runs[i].day < 1.5 else 3.0
            histories.append(PreviousWorkout(sessions[i], alone[i], days))
        return predictor.predict(sessions, histories, bodies, [(i, i, i) for i in numbers])


def record_runs(
    runs: Sequence[Run], physiology: Physiology, generator: np.random.Generator, user: str
) -> tuple[Workout, ...]:
    """Return the runs as a watch records them.

    Args:
        runs: The runs, in order of time.
        physiology: Whose heart.
        generator: Source of the fluctuation and of the errors of speed.
        user: What the person is called.
    """
    resting, maximum = physiology.resting_heart_rate, physiology.maximum_heart_rate
    highest = min(maximum + OVER_MAXIMUM_BPM, MAXIMUM_HEART_RATE_BPM)
    workouts = []
    for number, (run, expected) in enumerate(
        zip(runs, expected_heart_rates(runs, physiology), strict=True)
    ):
        steps = len(run.speed_m_s)
        beats = expected + offset_weight(expected, resting, maximum) * run.offset_bpm
        fluctuation = autoregressive(generator, steps, FLUCTUATION_BPM, FLUCTUATION_MEMORY)
        room = offset_weight(beats, resting, maximum)
        beats = beats + np.maximum(room, LEAST_FLUCTUATION) * fluctuation
        error = autoregressive(generator, steps, SPEED_ERROR, SPEED_MEMORY)
        workouts.append(
            Workout(
                identifier=f"{user}-{number:04d}",
                user=user,
                sport="run",
                gender=physiology.gender,
                day=run.day,
                time_s=GRID_STEP_S * np.arange(steps, dtype=np.float64),
                heart_rate_bpm=np.clip(beats, MINIMUM_HEART_RATE_BPM, highest),
                valid=np.ones(steps, dtype=np.bool_),
                speed_m_s=np.maximum(run.speed_m_s * (1.0 + error), 0.0),
                altitude_m=np.zeros(steps),
                has_altitude=True,
            )
        )
    return tuple(workouts)


def autoregressive(generator: np.random.Generator, steps: int, sd: float, memory: float) -> Array:
    """Return stationary first-order autoregressive noise (steps,) of the given spread."""
    draws = sd * np.sqrt(1.0 - memory**2) * generator.standard_normal(steps)
    start = [memory * sd * float(generator.standard_normal())]
    return np.asarray(lfilter([1.0], [1.0, -memory], draws, zi=start)[0])
