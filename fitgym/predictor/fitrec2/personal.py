"""Forecasts of recorded workouts for a person of whom some earlier workouts are known.

Two readings of the same earlier workouts count for half each: the network's own, which is shown the
previous workout and what the earlier ones show of the body, and the personal correction of the
network's errors as if each workout were a stranger's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from fitgym.logs.workout import Workout
from fitgym.predictor.attributes import Attributes, seen_maximum, shown_vdot
from fitgym.predictor.channels import denormalise_heart_rate
from fitgym.predictor.correction import (
    PersonalCorrection,
    SessionErrors,
    VarianceComponents,
    session_features,
)
from fitgym.predictor.datasets import Example
from fitgym.predictor.fitrec2.data import BodyExample, chunks, collate, workout_uptake
from fitgym.predictor.fitrec2.network import Fitrec2Network

Array = NDArray[np.float64]

# Workouts per call of the network.
CHUNK = 64
# Share of the personal correction beside the network's own reading of the history.
CORRECTION_SHARE = 0.5


@dataclass(frozen=True, eq=False)
class Question:
    """A workout to forecast, and the person's earlier workouts that are known, in time order."""

    example: Example
    known: tuple[Example, ...] = ()

    def key(self) -> tuple[str, ...]:
        """Return the names of the workout and of those known, which tell questions apart."""
        return tuple(each.workout.identifier for each in (self.example, *self.known))


@dataclass(frozen=True, eq=False)
class Forecast:
    """What is expected of a workout.

    Attributes:
        network_bpm: (T,) what the network expects, shown the history.
        corrected_bpm: (T,) what it expects of a stranger, with the personal correction.
        mean_sd_bpm: Standard deviation of the error of the mean over the measured steps.
        interval_sd: Half width of the 80 % interval of that mean in standard deviations.
    """

    network_bpm: Array
    corrected_bpm: Array
    mean_sd_bpm: float
    interval_sd: float

    @property
    def heart_rate_bpm(self) -> Array:
        """(T,) what is expected: the two readings of the same workouts, mixed."""
        return self.mixed(CORRECTION_SHARE)

    def mixed(self, share: float) -> Array:
        """Return (T,) the two readings with a share of the corrected one."""
        return (1.0 - share) * self.network_bpm + share * self.corrected_bpm


class StrangerForecasts:
    """A network's forecasts of workouts, as a stranger's and with a history; each is made once.

    Args:
        model: A trained network, kept as ``model``.
        examples: The workouts.
    """

    def __init__(self, model: Fitrec2Network, examples: Sequence[Example]) -> None:
        """Predict all workouts as a stranger's, in batches."""
        self.model = model
        self._shown = _Shown()
        self._informed: dict[tuple[str, ...], Array] = {}
        distinct = list({example.workout.identifier: example for example in examples}.values())
        predictions = predict_examples(model, [as_stranger(example) for example in distinct])
        self._predictions: dict[str, Array] = {}
        self._features: dict[str, Array] = {}
        self._errors: dict[str, SessionErrors] = {}
        for example, prediction in zip(distinct, predictions, strict=True):
            workout, steps, valid = example.workout, len(example), example.valid
            features = session_features(
                workout.speed_m_s[:steps], workout.altitude_m[:steps], workout.has_altitude
            )
            error = denormalise_heart_rate(example.target) - prediction
            identifier = workout.identifier
            self._predictions[identifier] = prediction
            self._features[identifier] = features
            self._errors[identifier] = SessionErrors.of(
                workout.sport, features[valid], error[valid]
            )

    def prediction(self, example: Example) -> Array:
        """Return the prediction (T,) in bpm."""
        return self._predictions[example.workout.identifier]

    def informed(self, questions: Sequence[Question]) -> list[Array]:
        """Return the predictions (T,) in bpm of a network that is shown the history."""
        keys = [question.key() for question in questions]
        new = {k: q for k, q in zip(keys, questions, strict=True) if k not in self._informed}
        examples = [as_known(q, self._shown.attributes(q.known)) for q in new.values()]
        self._informed |= zip(new, predict_examples(self.model, examples), strict=True)
        return [self._informed[key] for key in keys]

    def features(self, example: Example) -> Array:
        """Return the correction's features (T, 4)."""
        return self._features[example.workout.identifier]

    def errors(self, example: Example) -> SessionErrors:
        """Return what the workout tells of the person's errors."""
        return self._errors[example.workout.identifier]


def forecast(
    components: VarianceComponents,
    questions: Sequence[Question],
    strangers: StrangerForecasts,
) -> list[Forecast]:
    """Forecast workouts from what is known of the person.

    Args:
        components: Spread of the network's errors as a stranger's.
        questions: What to forecast.
        strangers: The network's forecasts of all workouts in the questions.
    """
    results = []
    for question, network in zip(questions, strangers.informed(questions), strict=True):
        example = question.example
        correction = PersonalCorrection(components)
        for earlier in question.known:
            correction = correction.update(strangers.errors(earlier))
        features = strangers.features(example)
        offset, _ = correction.predict(example.workout.sport, features)
        results.append(
            Forecast(
                network_bpm=network,
                corrected_bpm=strangers.prediction(example) + offset,
                mean_sd_bpm=correction.mean_spread(example.workout.sport, features[example.valid]),
                interval_sd=components.interval_sd,
            )
        )
    return results


def predict_examples(model: Fitrec2Network, examples: Sequence[BodyExample]) -> list[Array]:
    """Return the heart rate (T,) in bpm the network predicts for each example."""
    model.eval()
    predicted: dict[int, Array] = {}
    with torch.inference_mode():
        for chunk in chunks(examples, CHUNK):
            output = model(collate(chunk, np.stack([e.attributes for e in chunk]))).numpy()
            for example, row in zip(chunk, output, strict=True):
                predicted[id(example)] = denormalise_heart_rate(row[: len(example)])
    return [predicted[id(example)] for example in examples]


def as_stranger(example: Example) -> BodyExample:
    """Return the example as its user's first workout, of whom nothing is told."""
    alone = replace(example, previous=None, days_since=0.0)
    return BodyExample(
        example=alone,
        attributes=Attributes().row(),
        uptake=workout_uptake(example.workout, len(example)),
        previous_uptake=np.empty(0, np.float32),
    )


def as_known(question: Question, attributes: Attributes) -> BodyExample:
    """Return the example with the attributes shown and, if it is known, the previous workout."""
    example = question.example
    previous = example.previous
    names = {earlier.workout.identifier for earlier in question.known}
    if previous is None or previous.workout.identifier not in names:
        return replace(as_stranger(example), attributes=attributes.row())
    return BodyExample(
        example=example,
        attributes=attributes.row(),
        uptake=workout_uptake(example.workout, len(example)),
        previous_uptake=workout_uptake(previous.workout, len(previous)),
    )


class _Shown:
    """What workouts show of the body, each looked at once."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[float | None, float | None]] = {}

    def attributes(self, known: Sequence[Example]) -> Attributes:
        """Return the best that the workouts show."""
        pairs = [self._look(example.workout) for example in known]
        return Attributes(
            seen_maximum_bpm=max((seen for seen, _ in pairs if seen is not None), default=None),
            shown_vdot=max((shown for _, shown in pairs if shown is not None), default=None),
        )

    def _look(self, workout: Workout) -> tuple[float | None, float | None]:
        if workout.identifier not in self._found:
            self._found[workout.identifier] = (seen_maximum(workout), shown_vdot(workout))
        return self._found[workout.identifier]
