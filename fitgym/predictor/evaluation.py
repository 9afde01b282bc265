"""The evaluation: known people, people never seen, and those after a few workouts.

    (a)  later workouts of known people
    (b)  people never seen, by cross-validation over people: without any earlier workout (``cold``)
         and with the previous workout as the only thing known (``previous``)
    (c)  people never seen, after the user embedding was fitted to 0..3 of their workouts

Every method of one protocol is tested on the same steps and knows the same about the person.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fitgym.predictor.baselines import BASELINES, Baselines
from fitgym.predictor.channels import denormalise_heart_rate
from fitgym.predictor.datasets import Example, Vocabulary, batches, collate, without_history
from fitgym.predictor.fitrec import FitRec
from fitgym.predictor.metrics import (
    Errors,
    bootstrap_interval,
    collect_errors,
    join_errors,
    mean_errors,
    score,
)
from fitgym.predictor.recipe import Recipe, fine_tune, fit_user
from fitgym.predictor.splits import (
    Split,
    calibration_examples,
    grouped_folds,
    later_workouts,
)

__all__ = ["FOLDS", "MOST_CALIBRATION", "evaluate_recipe", "evaluate_weights", "predict_examples"]

Array = NDArray[np.float64]
Prediction = tuple[Example, Array]
Own = Callable[[Example], list[Example]]

FOLDS = 5
MOST_CALIBRATION = 3
FITREC = "FitRec"


def predict_examples(
    model: FitRec, vocabulary: Vocabulary, examples: Sequence[Example]
) -> list[Array]:
    """Return the heart rate (T,) in bpm the network predicts for each example."""
    model.eval()
    predicted: dict[int, Array] = {}
    with torch.inference_mode():
        for chunk in batches(examples, 64):
            output = model(collate(chunk, vocabulary)).numpy()
            for example, row in zip(chunk, output, strict=True):
                predicted[id(example)] = denormalise_heart_rate(row[: len(example)])
    return [predicted[id(example)] for example in examples]


def evaluate_recipe(
    examples: Sequence[Example],
    recipes: Sequence[Recipe],
    pretrained: Sequence[FitRec],
    *,
    folder: str | os.PathLike[str] | None = None,
    progress: bool = False,
) -> tuple[dict[str, Any], list[Prediction]]:
    """Train and test under every protocol, once per recipe, and beside the baselines.

    Args:
        examples: All recordings, each beside its user's previous one.
        recipes: The same recipe with different seeds.
        pretrained: The network pre-trained by each recipe.
        folder: Where to keep a checkpoint per training, from which a later call resumes.
        progress: Whether to show progress bars.

    Returns:
        For each protocol the numbers of workouts, people and steps and, for each method, its
        scores; FitRec's are those of the seeds' mean errors, with each seed's own beside them.
        Beside that the first seed's predictions for people never seen, previous workout known.
    """

    def tuned(number: int, name: str, split: Split) -> tuple[FitRec, Vocabulary]:
        file = f"seed{recipes[number].seed}-{name}.safetensors"
        model, vocabulary, _ = fine_tune(
            pretrained[number],
            split.training,
            split.validation,
            recipes[number],
            checkpoint=None if folder is None else Path(folder) / file,
            progress=progress,
            label=file.removesuffix(".safetensors"),
        )
        return model, vocabulary

    known = later_workouts(examples)
    runs: dict[str, list[Errors]] = {}
    runs["a"] = [
        collect_errors(known.test, predict_examples(*tuned(number, "known", known), known.test))
        for number in range(len(recipes))
    ]
    report = {"a": _summary(runs["a"], _baseline_errors([known], _known_of(known)), known.test)}
    report["a"]["people"] = _by_person(runs["a"])

    folds = grouped_folds(examples, FOLDS, seed=0)
    unseen: list[Prediction] = []
    collected: dict[str, list[list[Errors]]] = {"cold": [], "previous": []}
    calibrated: list[list[list[Errors]]] = []
    for number in range(len(recipes)):
        networks = [tuned(number, f"fold{index}", fold) for index, fold in enumerate(folds)]
        if number == 0:
            for network, fold in zip(networks, folds, strict=True):
                unseen += zip(fold.test, predict_examples(*network, fold.test), strict=True)
        for name, prepare in (("cold", without_history), ("previous", list)):
            collected[name].append(
                [
                    collect_errors(fold.test, predict_examples(*network, prepare(fold.test)))
                    for network, fold in zip(networks, folds, strict=True)
                ]
            )
        calibrated.append(
            [
                _calibrated_errors(networks, folds, known_workouts)
                for known_workouts in range(MOST_CALIBRATION + 1)
            ]
        )
    tested = [example for fold in folds for example in fold.test]
    for name, own in (("cold", _nothing_of), ("previous", _previous_of)):
        runs[name] = [join_errors(parts) for parts in collected[name]]
        report[f"b, {name}"] = _summary(runs[name], _baseline_errors(folds, own), tested)
    for count in range(MOST_CALIBRATION + 1):
        report[f"c, {count}"] = _summary(
            [join_errors(run[count]) for run in calibrated],
            _calibrated_baselines(folds, count),
            [e for fold in folds for _, rest in _personal(fold) for e in rest],
        )
    return report, unseen


def evaluate_weights(
    model: FitRec, vocabulary: Vocabulary, examples: Sequence[Example]
) -> tuple[dict[str, Any], list[Prediction]]:
    """Test a trained network as it is on recordings of people it does not know.

    The baselines, which need recordings to be fitted to, are cross-validated over the people.

    Returns:
        The report of protocol (b) and the predictions, previous workout known.

    Raises:
        ValueError: If there are fewer than two people to cross-validate over.
    """
    people = len({example.workout.user for example in examples})
    if people < 2:
        raise ValueError(f"recordings must be of at least 2 people, got {people}")
    folds = grouped_folds(examples, min(FOLDS, people), seed=0)
    tested = [example for fold in folds for example in fold.test]
    report = {}
    for name, own, prepare in (
        ("b, cold", _nothing_of, without_history),
        ("b, previous", _previous_of, list),
    ):
        predictions = predict_examples(model, vocabulary, prepare(tested))
        errors = collect_errors(tested, predictions)
        report[name] = _summary([errors], _baseline_errors(folds, own), tested)
    return report, list(zip(tested, predictions, strict=True))


def _personal(fold: Split) -> list[tuple[list[Example], list[Example]]]:
    return calibration_examples(fold.test, MOST_CALIBRATION)


def _calibrated_errors(
    networks: Sequence[tuple[FitRec, Vocabulary]], folds: Sequence[Split], count: int
) -> list[Errors]:
    """Return the errors on people never seen after ``count`` of their workouts were used."""
    parts = []
    for (model, vocabulary), fold in zip(networks, folds, strict=True):
        for first, rest in _personal(fold):
            personal = (model, vocabulary)
            if count:
                personal = fit_user(model, vocabulary, first[:count])
            parts.append(collect_errors(rest, predict_examples(*personal, rest)))
    return parts


def _calibrated_baselines(folds: Sequence[Split], count: int) -> dict[str, Errors]:
    """Return the baselines' errors where ``count`` workouts and the previous one are known."""
    parts: dict[str, list[Errors]] = {name: [] for name in BASELINES}
    for fold in folds:
        baselines = Baselines([*fold.training, *fold.validation])
        for first, rest in _personal(fold):
            for name in BASELINES:
                predictions = [
                    baselines.predict(name, example, _merged(first[:count], _previous_of(example)))
                    for example in rest
                ]
                parts[name].append(collect_errors(rest, predictions))
    return {name: join_errors(errors) for name, errors in parts.items()}


def _baseline_errors(splits: Sequence[Split], own: Own) -> dict[str, Errors]:
    parts: dict[str, list[Errors]] = {name: [] for name in BASELINES}
    for split in splits:
        baselines = Baselines([*split.training, *split.validation])
        for name in BASELINES:
            predictions = [baselines.predict(name, e, own(e)) for e in split.test]
            parts[name].append(collect_errors(split.test, predictions))
    return {name: join_errors(errors) for name, errors in parts.items()}


def _known_of(split: Split) -> Own:
    """Return what is known in (a): the person's training workouts and the previous one."""
    known = [*split.training, *split.validation]

    def own(example: Example) -> list[Example]:
        user = example.workout.user
        return _merged([e for e in known if e.workout.user == user], _previous_of(example))

    return own


def _nothing_of(example: Example) -> list[Example]:
    return []


def _previous_of(example: Example) -> list[Example]:
    return [] if example.previous is None else [example.previous]


def _merged(known: Sequence[Example], more: Sequence[Example]) -> list[Example]:
    by_identifier = {example.workout.identifier: example for example in (*more, *known)}
    return list(by_identifier.values())


def _summary(
    runs: Sequence[Errors], baselines: Mapping[str, Errors], tested: Sequence[Example]
) -> dict[str, Any]:
    """Return the scores of one protocol (FitRec's runs are the seeds)."""
    mean = mean_errors(runs)
    methods: dict[str, Any] = {FITREC: score(mean).as_dict()}
    methods[FITREC]["seeds"] = [score(run).as_dict() for run in runs]
    for name, errors in baselines.items():
        gain = errors.absolute - mean.absolute
        low, high = bootstrap_interval(errors.users, gain, errors.steps)
        methods[name] = score(errors).as_dict() | {
            "fitrec_gain": float(gain.sum() / errors.steps.sum()),
            "fitrec_gain_low": low,
            "fitrec_gain_high": high,
        }
    return {
        "workouts": len(tested),
        "people_tested": len({example.workout.user for example in tested}),
        "steps": int(mean.steps.sum()),
        "methods": methods,
    }


def _by_person(runs: Sequence[Errors]) -> list[dict[str, Any]]:
    """Return each tested person's workouts and pooled MAE, without the name."""
    mean = mean_errors(runs)
    people = []
    for user in dict.fromkeys(mean.users.tolist()):
        own = mean.users == user
        people.append(
            {
                "workouts": int(own.sum()),
                "pooled_mae": float(mean.absolute[own].sum() / mean.steps[own].sum()),
            }
        )
    return people
