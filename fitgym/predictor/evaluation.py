"""The evaluation: known people, people never seen, and those after a few workouts.

    (a)  later workouts of known people
    (b)  people never seen, by cross-validation over people: without any earlier workout (``cold``)
         and with the previous workout as the only thing known (``previous``)
    (c)  people never seen, after the user embedding was fitted to 0..3 of their workouts

A person with a row is predicted from the row, a stranger from the previous workout: shown both, the
network counts the same evidence twice (the table of (a) shows that variant too).
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

from fitgym.predictor.baselines import BASELINES, Baselines, Residuals
from fitgym.predictor.channels import denormalise_heart_rate
from fitgym.predictor.datasets import Example, Vocabulary, batches, collate, without_history
from fitgym.predictor.fitrec.network import FitRecNetwork
from fitgym.predictor.fitrec.recipe import Recipe, fine_tune, fit_user, without_users
from fitgym.predictor.metrics import (
    Errors,
    bootstrap_interval,
    collect_errors,
    join_errors,
    mean_errors,
    summarise_errors,
)
from fitgym.predictor.splits import (
    FOLDS,
    Split,
    calibration_examples,
    folds_of_people,
    grouped_folds,
    later_workouts,
)

Array = NDArray[np.float64]
Prediction = tuple[Example, Array]
Own = Callable[[Example], list[Example]]
Prepare = Callable[[Sequence[Example]], list[Example]]
Network = tuple[FitRecNetwork, Vocabulary]

MOST_CALIBRATION = 3
FITREC = "FitRec"
MEAN_OF_SEEDS = "FitRec, mean of the seeds' predictions"
HISTORY_HIDDEN = "FitRec, history hidden"
CORRECTED = "FitRec and a personal regression of its errors"
VIRTUAL_ONLY = "FitRec, virtual people only"


def predict_examples(
    model: FitRecNetwork, vocabulary: Vocabulary, examples: Sequence[Example]
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


def check_recordings(examples: Sequence[Example]) -> None:
    """Check, before anything is trained, that every protocol has something to test on.

    Raises:
        ValueError: If there are fewer than five people, or nobody has five workouts.
    """
    folds_of_people(examples)
    later_workouts(examples)


def evaluate_recipe(
    examples: Sequence[Example],
    recipes: Sequence[Recipe],
    pretrained: Sequence[FitRecNetwork],
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

    Raises:
        ValueError: If there are fewer than five people, or nobody has five workouts.
    """

    def tuned(number: int, name: str, split: Split) -> Network:
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

    simulated = [without_users(model) for model in pretrained]
    known = later_workouts(examples)
    networks = [tuned(number, "known", known) for number in range(len(recipes))]
    report = {"a": _known_report(known, networks, simulated)}

    folds = folds_of_people(examples)
    folded = [
        [tuned(number, f"fold{index}", fold) for index, fold in enumerate(folds)]
        for number in range(len(recipes))
    ]
    tested = [example for fold in folds for example in fold.test]
    unseen: list[Array] = []
    for name, own, prepare in PROTOCOL_B:
        shown = [prepare(fold.test) for fold in folds]
        predictions = [
            [
                prediction
                for network, inputs in zip(networks, shown, strict=True)
                for prediction in predict_examples(*network, inputs)
            ]
            for networks in folded
        ]
        alone = [predict_examples(*network, prepare(tested)) for network in simulated]
        report[f"b, {name}"] = _summary(
            tested,
            {FITREC: predictions, MEAN_OF_SEEDS: [_mean(predictions)], VIRTUAL_ONLY: alone},
            _baseline_errors(folds, own),
        )
        unseen = predictions[0]
    for count in range(MOST_CALIBRATION + 1):
        report[f"c, {count}"] = _calibration_report(folds, folded, count)
    return report, list(zip(tested, unseen, strict=True))


def _known_report(
    split: Split, networks: Sequence[Network], simulated: Sequence[Network]
) -> dict[str, Any]:
    """Return the report of (a): known people, who are known by their rows."""
    own = _known_of(split)
    hidden = without_history(split.test)
    known = without_history([*split.training, *split.validation])
    predictions = [predict_examples(*network, hidden) for network in networks]
    corrected = []
    for network, predicted in zip(networks, predictions, strict=True):
        residual = Residuals(known, predict_examples(*network, known))
        corrected.append(
            [
                prediction + residual.predict(example)
                for example, prediction in zip(hidden, predicted, strict=True)
            ]
        )
    variants = {
        FITREC: predictions,
        MEAN_OF_SEEDS: [_mean(predictions)],
        "FitRec, history shown as well": [predict_examples(*n, split.test) for n in networks],
        CORRECTED: corrected,
        f"{CORRECTED}, mean of seeds": [_mean(corrected)],
        VIRTUAL_ONLY: [predict_examples(*network, hidden) for network in simulated],
    }
    report = _summary(split.test, variants, _baseline_errors([split], own))
    report["people"] = _by_person([collect_errors(split.test, run) for run in predictions])
    return report


def _calibration_report(
    folds: Sequence[Split], folded: Sequence[Sequence[Network]], count: int
) -> dict[str, Any]:
    """Return the report of (c): unseen people after ``count`` of their workouts were used."""
    tested = [example for fold in folds for _, rest in _personal(fold) for example in rest]
    variants = {FITREC: [_calibrated(networks, folds, count, list) for networks in folded]}
    if count:
        variants[HISTORY_HIDDEN] = [
            _calibrated(networks, folds, count, without_history) for networks in folded
        ]
    return _summary(tested, variants, _calibrated_baselines(folds, count))


def _calibrated(
    networks: Sequence[Network], folds: Sequence[Split], count: int, prepare: Prepare
) -> list[Array]:
    """Return the predictions for the rest after rows were fitted to the first ``count``."""
    predictions: list[Array] = []
    for network, fold in zip(networks, folds, strict=True):
        for first, rest in _personal(fold):
            personal = fit_user(*network, prepare(first[:count])) if count else network
            predictions += predict_examples(*personal, prepare(rest))
    return predictions


def _mean(runs: Sequence[Sequence[Array]]) -> list[Array]:
    """Return the mean over runs of each prediction."""
    return [np.mean(same, axis=0) for same in zip(*runs, strict=True)]


def evaluate_weights(
    model: FitRecNetwork, vocabulary: Vocabulary, examples: Sequence[Example]
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
    predictions: list[Array] = []
    for name, own, prepare in PROTOCOL_B:
        predictions = predict_examples(model, vocabulary, prepare(tested))
        report[f"b, {name}"] = _summary(
            tested, {FITREC: [predictions]}, _baseline_errors(folds, own)
        )
    return report, list(zip(tested, predictions, strict=True))


def _personal(fold: Split) -> list[tuple[list[Example], list[Example]]]:
    return calibration_examples(fold.test, MOST_CALIBRATION)


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


PROTOCOL_B: tuple[tuple[str, Own, Prepare], ...] = (
    ("cold", _nothing_of, without_history),
    ("previous", _previous_of, list),
)


def _merged(known: Sequence[Example], more: Sequence[Example]) -> list[Example]:
    by_identifier = {example.workout.identifier: example for example in (*more, *known)}
    return list(by_identifier.values())


def _summary(
    tested: Sequence[Example],
    variants: Mapping[str, Sequence[Sequence[Array]]],
    baselines: Mapping[str, Errors],
) -> dict[str, Any]:
    """Return the scores of one protocol.

    Args:
        tested: The examples.
        variants: For the network and its variants, the predictions of each run (seed).
        baselines: Their errors.
    """
    runs = {
        name: [collect_errors(tested, run) for run in predictions]
        for name, predictions in variants.items()
    }
    methods: dict[str, Any] = {}
    for name, errors in runs.items():
        methods[name] = summarise_errors(mean_errors(errors)).as_dict()
        methods[name]["seeds"] = [summarise_errors(run).as_dict() for run in errors]
    mean = mean_errors(runs[FITREC])
    for name, baseline in baselines.items():
        gain = baseline.absolute - mean.absolute
        low, high = bootstrap_interval(baseline.users, gain, baseline.steps)
        methods[name] = summarise_errors(baseline).as_dict() | {
            "fitrec_gain": float(gain.sum() / baseline.steps.sum()),
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
