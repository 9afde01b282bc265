"""Errors of forecasts beside the baselines, as a stranger and after 1, 3 and 10 workouts.

Every method of one situation is tested on the same steps and knows the same earlier workouts. The
baselines, which need recordings to be fitted to, are cross-validated over the people.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.logs.workout import GRID_STEP_S, Workout
from fitgym.model.internal_load import load_rates
from fitgym.predictor.attributes import TYPICAL_MAXIMUM_BPM, TYPICAL_RESTING_BPM
from fitgym.predictor.baselines import BASELINES, Baselines
from fitgym.predictor.channels import denormalise_heart_rate, sport_family
from fitgym.predictor.correction import VarianceComponents
from fitgym.predictor.datasets import Example, encode_workouts, is_measured
from fitgym.predictor.fitrec2.network import Fitrec2Network
from fitgym.predictor.fitrec2.personal import Forecast, Question, StrangerForecasts, forecast
from fitgym.predictor.metrics import bootstrap_interval, collect_errors, summarise_errors
from fitgym.predictor.splits import FOLDS, grouped_folds

Array = NDArray[np.float64]

CALIBRATIONS = (1, 3, 10)
STRONGEST = "lagged linear, per user and sport"
NETWORK = "FitRec, second edition"
PERSONAL = "FitRec, second edition, and personal correction"
# Other ways to use the same network, scored beside the forecast.
CORRECTION_ONLY = "the personal correction alone"
GROWING_SHARE = "a share of the correction that grows with the workouts, n / (n + 1)"
WITH_BASELINE = "mean of network, correction and the strongest baseline"
SEEDS_MEAN = "mean of the seeds' predictions"
# Loads below this many units are not compared by their logarithm.
LOWEST_LOAD = 0.1

Forecaster = Callable[[Sequence[Question]], list[Forecast]]


def evaluate_weights(
    model: Fitrec2Network, components: VarianceComponents, workouts: Sequence[Workout]
) -> dict[str, Any]:
    """Test a trained network as it is on recordings of people it does not know.

    Args:
        model: The network.
        components: Spread of its errors.
        workouts: Any recordings.

    Returns:
        ``recordings`` counts the workouts and names those left out, and the sports that are read
        as ``other``; ``situations`` holds for each situation its report, as ``situation_report``
        says. With fewer than two people there are no baselines, which have nobody to be fitted to.

    Raises:
        ValueError: If no workout can be used.
    """
    usable, recordings = describe_recordings(workouts)
    return {
        "recordings": recordings,
        "situations": _evaluate_examples(model, components, encode_workouts(usable)),
    }


def describe_recordings(workouts: Sequence[Workout]) -> tuple[list[Workout], dict[str, Any]]:
    """Return the workouts that hold heart rate, and counts and names of what is left out.

    Raises:
        ValueError: If none does.
    """
    usable = [workout for workout in workouts if is_measured(workout)]
    if not usable:
        raise ValueError(f"none of the {len(workouts)} workouts has measured heart rate")
    kept = {workout.identifier for workout in usable}
    others = {w.sport for w in usable if sport_family(w.sport) == "other" and w.sport != "other"}
    return usable, {
        "workouts": len(usable),
        "people": len({workout.user for workout in usable}),
        "without_heart_rate": [w.identifier for w in workouts if w.identifier not in kept],
        "sports_read_as_other": sorted(others),
    }


def _evaluate_examples(
    model: Fitrec2Network, components: VarianceComponents, examples: Sequence[Example]
) -> dict[str, Any]:
    strangers = StrangerForecasts(model, examples)
    baselines = cross_validated_baselines(examples)
    return {
        name: situation_report(questions, forecast(components, questions, strangers), baselines)
        for name, questions in situations(examples).items()
        if questions
    }


def situations(examples: Sequence[Example]) -> dict[str, list[Question]]:
    """Return the questions of each situation.

    After 1 or 3 calibration workouts a person's workouts from the fourth on are forecast, after 10
    those from the eleventh on; the previous workout is known as well.
    """
    asked: dict[str, list[Question]] = {
        name: []
        for name in (
            "stranger",
            "previous workout",
            *map(_after, CALIBRATIONS),
            "all earlier workouts",
        )
    }
    for own in _by_user(examples).values():
        for number, example in enumerate(own):
            previous = own[max(number - 1, 0) : number]
            asked["stranger"].append(Question(example))
            asked["previous workout"].append(Question(example, tuple(previous)))
            asked["all earlier workouts"].append(Question(example, tuple(own[:number])))
            for count in CALIBRATIONS:
                if number >= max(count, 3):
                    known = [*own[:count], *(previous if number > count else [])]
                    asked[_after(count)].append(Question(example, tuple(known)))
    return asked


def _after(count: int) -> str:
    """Return the name of the situation after a number of calibration workouts."""
    return f"{count} calibration workout{'' if count == 1 else 's'}"


def cross_validated_baselines(examples: Sequence[Example]) -> Mapping[str, Baselines]:
    """Return, by user, baselines fitted to the other people; empty with fewer than two people."""
    people = len({example.workout.user for example in examples})
    if people < 2:
        return {}
    fitted = {}
    for fold in grouped_folds(examples, min(FOLDS, people), seed=0):
        baselines = Baselines([*fold.training, *fold.validation])
        fitted.update({example.workout.user: baselines for example in fold.test})
    return fitted


def situation_report(
    questions: Sequence[Question],
    forecasts: Sequence[Forecast],
    baselines: Mapping[str, Baselines],
) -> dict[str, Any]:
    """Return the scores of one situation.

    Args:
        questions: What was asked.
        forecasts: The answers.
        baselines: By user, baselines that know nobody of his fold.

    Returns:
        Numbers of workouts, people and steps, and ``methods`` by name: pooled MAE with its
        interval over people, workout MAE, pooled RMSE, median session-load error (absolute
        logarithm of predicted over measured), by sport and by person; for a baseline also the gain
        of the personal forecast over it, for the forecast the coverage of 80 % intervals.
    """
    tested = [question.example for question in questions]
    personal = [answer.heart_rate_bpm for answer in forecasts]
    named = [STRONGEST, *(name for name in BASELINES if name != STRONGEST)] if baselines else []
    predicted = {
        name: [
            baselines[q.example.workout.user].predict(name, q.example, q.known) for q in questions
        ]
        for name in named
    }
    methods = {
        name: score(tested, predictions) | _gain(tested, personal, predictions)
        for name, predictions in predicted.items()
    }
    ours = {
        PERSONAL: score(tested, personal) | {"interval_coverage": coverage(tested, forecasts)},
        NETWORK: score(tested, [answer.network_bpm for answer in forecasts]),
    }
    variants = {
        CORRECTION_ONLY: [answer.corrected_bpm for answer in forecasts],
        GROWING_SHARE: [
            answer.mixed(len(question.known) / (len(question.known) + 1.0))
            for question, answer in zip(questions, forecasts, strict=True)
        ],
    }
    if baselines:
        variants[WITH_BASELINE] = [
            (answer.network_bpm + answer.corrected_bpm + strongest) / 3.0
            for answer, strongest in zip(forecasts, predicted[STRONGEST], strict=True)
        ]
    ours |= {name: score(tested, predictions) for name, predictions in variants.items()}
    first = dict(list(methods.items())[:1])
    return {
        "workouts": len(tested),
        "people_tested": len({example.workout.user for example in tested}),
        "steps": int(sum(example.valid.sum() for example in tested)),
        "methods": first | ours | methods,
    }


def coverage(tested: Sequence[Example], forecasts: Sequence[Forecast]) -> float:
    """Return the share of workouts whose mean heart rate lies in its 80 % interval."""
    inside = [
        ratio < answer.interval_sd
        for ratio, answer in zip(mean_error_ratios(tested, forecasts), forecasts, strict=True)
    ]
    return float(np.mean(inside))


def mean_error_ratios(tested: Sequence[Example], forecasts: Sequence[Forecast]) -> Array:
    """Return, by workout, the absolute error of its mean heart rate in standard deviations."""
    ratios = []
    for example, answer in zip(tested, forecasts, strict=True):
        error = (answer.heart_rate_bpm - denormalise_heart_rate(example.target))[example.valid]
        ratios.append(abs(float(error.mean())) / answer.mean_sd_bpm)
    return np.array(ratios)


def load_errors(tested: Sequence[Example], predictions: Sequence[Array]) -> Array:
    """Return for each workout |log(predicted / measured load)|, for a typical rest and maximum."""
    errors = []
    for example, prediction in zip(tested, predictions, strict=True):
        valid = example.valid
        predicted = _load(prediction[valid])
        measured = _load(denormalise_heart_rate(example.target)[valid])
        errors.append(abs(np.log(max(predicted, LOWEST_LOAD) / max(measured, LOWEST_LOAD))))
    return np.array(errors)


def _load(heart_rate: Array) -> float:
    rates = load_rates(heart_rate, TYPICAL_RESTING_BPM, TYPICAL_MAXIMUM_BPM, False)
    return float(rates.sum()) * GRID_STEP_S / 60.0


def score(tested: Sequence[Example], predictions: Sequence[Array]) -> dict[str, Any]:
    """Return the scores of predictions, each (T,) in bpm, also by sport and by person."""
    errors = collect_errors(tested, predictions)
    loads = load_errors(tested, predictions)
    sports = np.array([sport_family(example.workout.sport) for example in tested])

    def part(chosen: NDArray[np.bool_]) -> dict[str, Any]:
        return {
            "workouts": int(chosen.sum()),
            "pooled_mae": float(errors.absolute[chosen].sum() / errors.steps[chosen].sum()),
            "load_error": float(np.median(loads[chosen])),
        }

    return {
        **summarise_errors(errors).as_dict(),
        "load_error": float(np.median(loads)),
        "by_sport": {str(sport): part(sports == sport) for sport in np.unique(sports)},
        "by_person": {str(user): part(errors.users == user) for user in np.unique(errors.users)},
    }


def _gain(
    tested: Sequence[Example], personal: Sequence[Array], predictions: Sequence[Array]
) -> dict[str, float]:
    """Return by how many bpm of pooled MAE the personal forecast is better, with its interval."""
    ours, theirs = collect_errors(tested, personal), collect_errors(tested, predictions)
    gain = theirs.absolute - ours.absolute
    low, high = bootstrap_interval(theirs.users, gain, theirs.steps)
    return {
        "gain": float(gain.sum() / theirs.steps.sum()),
        "gain_low": low,
        "gain_high": high,
    }


def _by_user(examples: Sequence[Example]) -> dict[str, list[Example]]:
    by_user: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        by_user[example.workout.user].append(example)
    return {user: sorted(own, key=lambda e: e.workout.day) for user, own in by_user.items()}
