"""Errors of the heart rate of held-out recordings after 1, 3 and 10 workouts of a person.

    python scripts/profile_heart_rate.py --recordings FOLDER

Of everybody with more than so many recordings the first ones are known, as a profile reads them,
and the later ones are forecast: by the predictor alone, by the personal correction, by the network
told the profile's body and offset, and by the mean heart rate of the known ones. Recordings that
the shipped weights were trained on are in sample for all but the last.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from fitgym.common.tables import markdown_table
from fitgym.logs import History, Workout, read_recordings
from fitgym.model.internal_load import offset_weight
from fitgym.predictor.attributes import Attributes
from fitgym.predictor.fitrec2.inference import BodyPredictor, load_body_predictor
from fitgym.predictor.fitrec2.recorded import forecast_recordings
from fitgym.predictor.metrics import bootstrap_interval
from fitgym.predictor.sessions import Session
from fitgym.predictor.threads import one_thread
from fitgym.profile import profile_from

COUNTS = (1, 3, 10)
ALONE, CORRECTED, BODY, MEAN = (
    "predictor alone",
    "personal correction",
    "profile's body and offset",
    "mean of the known workouts",
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recordings", type=Path, required=True)
    options = parser.parse_args()
    people: dict[str, list[Workout]] = defaultdict(list)
    for workout in read_recordings(options.recordings):
        if workout.valid.any():
            people[workout.user].append(workout)
    with one_thread():
        predictor = load_body_predictor()
        rows = [row for count in COUNTS for row in rows_of(predictor, people, count)]
    head = ("known", "sports", "workouts (people)", ALONE, CORRECTED, BODY, MEAN, "gain (95 %)")
    print("mean absolute error in bpm over all measured steps; gain of the correction over alone\n")
    print(markdown_table(head, rows))


def rows_of(
    predictor: BodyPredictor, people: dict[str, list[Workout]], count: int
) -> list[list[str]]:
    """Return a row for all sports and one for runs, after ``count`` workouts."""
    errors: list[dict[str, Any]] = []
    for user, workouts in people.items():
        ordered = sorted(workouts, key=lambda workout: workout.day)
        known, rest = ordered[:count], ordered[count:]
        if len(known) == count:
            errors += [errors_of(predictor, user, known, workout) for workout in rest]
    found = []
    for sports in ("all", "run"):
        chosen = [one for one in errors if sports in ("all", one["sport"])]
        steps = np.array([one["steps"] for one in chosen], dtype=float)
        users = np.array([one["user"] for one in chosen])
        cells = []
        for method in (ALONE, CORRECTED, BODY, MEAN):
            sums = np.array([one["sums"].get(method, np.nan) for one in chosen])
            told = np.isfinite(sums)
            cell = f"{sums[told].sum() / steps[told].sum():.2f}" if told.any() else "-"
            cells.append(cell if told.all() else f"{cell} (of {told.sum()})")
        gains = np.array([one["sums"][ALONE] - one["sums"][CORRECTED] for one in chosen])
        low, high = bootstrap_interval(users, gains, steps)
        gain = f"{gains.sum() / steps.sum():+.2f} ({low:+.2f} to {high:+.2f})"
        people_tested = len(set(users.tolist()))
        found.append([str(count), sports, f"{len(chosen)} ({people_tested})", *cells, gain])
    return found


def errors_of(
    predictor: BodyPredictor, user: str, known: list[Workout], workout: Workout
) -> dict[str, Any]:
    """Return sums over measured steps of absolute errors, by method."""
    session = Session.of(workout)
    valid = workout.valid
    measured = workout.heart_rate_bpm[valid]
    (alone,) = predictor.predict([session], [None], [Attributes()])
    corrected = forecast_recordings(predictor, [*known, workout])[-1]
    usual = np.concatenate([one.heart_rate_bpm[one.valid] for one in known]).mean()
    forecasts = {ALONE: alone, CORRECTED: corrected, MEAN: np.full(len(workout), usual)}
    if workout.sport.startswith("run") and (told := body_of(user, known)) is not None:
        body, offset = told
        (expected,) = predictor.predict([session], [None], [body])
        weight = offset_weight(expected, body.resting_bpm, body.maximum_bpm)
        forecasts[BODY] = expected + weight * offset
    return {
        "user": user,
        "sport": "run" if workout.sport.startswith("run") else workout.sport,
        "steps": int(valid.sum()),
        "sums": {
            name: float(np.abs(measured - values[valid]).sum())
            for name, values in forecasts.items()
        },
    }


_BODIES: dict[tuple[str, int], tuple[Attributes, float] | None] = {}


def body_of(user: str, known: list[Workout]) -> tuple[Attributes, float] | None:
    """Return the body and the offset that a profile of known workouts finds; None without a run."""
    key = user, len(known)
    if key not in _BODIES:
        try:
            profile = profile_from(History((), tuple(_placed(one) for one in known)))
        except ValueError:
            _BODIES[key] = None
            return None
        told = profile.individual.physiology
        _BODIES[key] = (
            Attributes(
                resting_bpm=told.resting_heart_rate,
                maximum_bpm=told.maximum_heart_rate,
                vdot=min(max(profile.state.vdot, 10.0), 95.0),
            ),
            told.heart_rate_offset,
        )
    return _BODIES[key]


def _placed(workout: Workout) -> Workout:
    """Return a workout whose days count from a day on which there were watches."""
    values = {name: getattr(workout, name) for name in Workout.__dataclass_fields__}
    return Workout(**{**values, "day": workout.day + 15_000.0})


if __name__ == "__main__":
    main()
