"""Evaluation of speed prediction: known people's later workouts, and people never seen.

    known       the last fifth of each known person's workouts, the earlier ones trained on
    stranger    people never seen, of whom nothing is known, by cross-validation over people
    previous    the same people with the previous workout known

Every method is tested on the same steps, those with measured heart rate, and knows the same
earlier workouts of the person. Errors are in m/s; over all sports those of rides weigh most.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.common.statistics import ratio_interval
from fitgym.predictor.channels import sport_family
from fitgym.predictor.datasets import Example
from fitgym.predictor.fitrec2.data import BodyExample, stranger
from fitgym.predictor.fitting import EpochRecord
from fitgym.predictor.speed.baselines import (
    SPEED_BASELINES,
    SpeedBaselines,
    design,
    recorded_speed,
    regress,
)
from fitgym.predictor.speed.network import SpeedNetwork
from fitgym.predictor.speed.training import SpeedTraining, fine_tune, predict_speed, pretrain
from fitgym.predictor.splits import Split, folds_of_people, later_workouts

Array = NDArray[np.float64]

NETWORK = "FitRec, speed as target"
PERSONAL = "FitRec, speed as target, and the person's regression of its errors"
# Steps of own data that weigh as much as no correction at all: errors last for minutes, and the
# network has read the previous workout already (ours).
CORRECTION_STEPS = 600.0
SITUATIONS = {
    "known": "later workouts of known people",
    "stranger": "people never seen, nothing known",
    "previous": "people never seen, previous workout known",
}


def evaluate_speed(
    encoded: Sequence[BodyExample],
    config: SpeedTraining,
    folder: str | os.PathLike[str],
    *,
    progress: bool = False,
) -> dict[str, Any]:
    """Train anew under each protocol and test, beside the baselines.

    Args:
        encoded: All recordings.
        config: How to train.
        folder: Holds a checkpoint per training, from which a later call resumes.
        progress: Whether to show progress bars.

    Returns:
        For each of ``SITUATIONS`` what ``speed_report`` gives.
    """
    root = Path(folder)
    examples = [each.example for each in encoded]
    own = {id(each.example): each for each in encoded}
    pretrained, _ = pretrain(config, root, progress=progress)
    rows: dict[str, list[TestedWorkout]] = defaultdict(list)
    for number, fold in enumerate(folds_of_people(examples)):
        model, _ = tune(pretrained, fold, own, config, root, f"fold{number}", progress=progress)
        tested = [own[id(example)] for example in fold.test]
        rows["stranger"] += ask(model, [stranger(each) for each in tested], {}, fold)
        before = {each.workout.identifier: _previous(each.example) for each in tested}
        rows["previous"] += ask(model, tested, before, fold, _encoded_by_name(encoded))
    split = later_workouts(examples)
    model, _ = tune(pretrained, split, own, config, root, "known", progress=progress)
    trained: dict[str, list[Example]] = defaultdict(list)
    for example in (*split.training, *split.validation):
        trained[example.workout.user].append(example)
    known = {example.workout.identifier: trained[example.workout.user] for example in split.test}
    tested = [own[id(example)] for example in split.test]
    rows["known"] = ask(model, tested, known, split, _encoded_by_name(encoded))
    return {name: speed_report(rows[name]) for name in SITUATIONS}


def tune(
    pretrained: SpeedNetwork,
    split: Split,
    own: Mapping[int, BodyExample],
    config: SpeedTraining,
    root: Path,
    label: str,
    *,
    progress: bool = False,
) -> tuple[SpeedNetwork, list[EpochRecord]]:
    """Fine-tune on a split's training workouts, stopped by its validation workouts."""
    return fine_tune(
        pretrained,
        [own[id(example)] for example in split.training],
        [own[id(example)] for example in split.validation],
        config,
        checkpoint=root / f"{label}.safetensors",
        progress=progress,
        label=label,
    )


class TestedWorkout:
    """One tested workout: its example, and what each method predicts.

    Args:
        example: The workout.
        predictions: (T,) in m/s by method.
    """

    def __init__(self, example: Example, predictions: dict[str, Array]) -> None:
        """Sum up each method's errors over the measured steps."""
        valid = example.valid
        truth = recorded_speed(example)[valid]
        self.user = example.workout.user
        self.sport = sport_family(example.workout.sport)
        self.steps = float(valid.sum())
        errors = {name: (speed[valid] - truth) for name, speed in predictions.items()}
        self.absolute = {name: float(np.abs(error).sum()) for name, error in errors.items()}
        self.squared = {name: float(np.square(error).sum()) for name, error in errors.items()}


def ask(
    model: SpeedNetwork,
    tested: Sequence[BodyExample],
    known: Mapping[str, Sequence[Example]],
    split: Split,
    encoded: Mapping[str, BodyExample] | None = None,
) -> list[TestedWorkout]:
    """Predict workouts by every method.

    Args:
        model: The trained network.
        tested: The workouts, as the network is shown them.
        known: By workout, the person's earlier workouts that are known.
        split: Whose training and validation workouts the baselines are fitted to.
        encoded: All recordings by name, which the known ones are looked up in.
    """
    baselines = SpeedBaselines([*split.training, *split.validation])
    networks = predict_speed(model, tested)
    wanted = {e.workout.identifier for earlier in known.values() for e in earlier}
    lookup = {} if encoded is None else {name: encoded[name] for name in sorted(wanted)}
    earlier_speed = dict(zip(lookup, predict_speed(model, list(lookup.values())), strict=True))
    rows = []
    for each, speed in zip(tested, networks, strict=True):
        example = each.example
        own = known.get(example.workout.identifier, [])
        predictions = {name: baselines.predict(name, example, own) for name in SPEED_BASELINES}
        predictions[NETWORK] = speed
        predictions[PERSONAL] = np.maximum(speed + _correction(example, own, earlier_speed), 0.0)
        rows.append(TestedWorkout(example, predictions))
    return rows


def _correction(example: Example, own: Sequence[Example], predicted: Mapping[str, Array]) -> Array:
    """Return the network's error (T,) to expect from the person's earlier workouts in the sport."""
    sport = sport_family(example.workout.sport)
    alike = [other for other in own if sport_family(other.workout.sport) == sport]
    if not alike:
        return np.zeros(len(example))
    errors = [recorded_speed(e) - predicted[e.workout.identifier] for e in alike]
    return design(example) @ regress(alike, errors, penalty=CORRECTION_STEPS)


def _previous(example: Example) -> list[Example]:
    return [] if example.previous is None else [example.previous]


def _encoded_by_name(encoded: Sequence[BodyExample]) -> dict[str, BodyExample]:
    return {each.workout.identifier: each for each in encoded}


def speed_report(rows: Sequence[TestedWorkout]) -> dict[str, Any]:
    """Return the errors by method, over all workouts and by sport.

    Returns:
        Numbers of workouts and people, ``methods`` and, by sport, ``by_sport``: for each method
        pooled MAE and RMSE in m/s and, of the baselines, by how much the personal network's MAE is
        smaller, with a 95 % bootstrap interval over people.
    """
    sports = sorted({row.sport for row in rows})
    return _part(rows) | {
        "by_sport": {sport: _part([row for row in rows if row.sport == sport]) for sport in sports}
    }


def _part(rows: Sequence[TestedWorkout]) -> dict[str, Any]:
    steps = sum(row.steps for row in rows)
    methods: dict[str, Any] = {}
    for name in (NETWORK, PERSONAL, *SPEED_BASELINES):
        methods[name] = {
            "mae_m_s": sum(row.absolute[name] for row in rows) / steps,
            "workout_mae_m_s": float(np.mean([row.absolute[name] / row.steps for row in rows])),
            "rmse_m_s": float(np.sqrt(sum(row.squared[name] for row in rows) / steps)),
        }
        if name in SPEED_BASELINES:
            methods[name]["gain"] = _gain(rows, name)
    return {
        "workouts": len(rows),
        "people": len({row.user for row in rows}),
        "methods": methods,
    }


def _gain(rows: Sequence[TestedWorkout], name: str) -> list[float]:
    """Return by how many m/s the personal network is better: mean, low and high over people."""
    gains: dict[str, float] = defaultdict(float)
    steps: dict[str, float] = defaultdict(float)
    for row in rows:
        gains[row.user] += row.absolute[name] - row.absolute[PERSONAL]
        steps[row.user] += row.steps
    interval = ratio_interval(list(gains.values()), list(steps.values()))
    return [interval.mean, interval.low, interval.high]
