"""Baselines of speed prediction: means, and linear regressions on heart rate, climb and time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fitgym.logs.workout import GRID_STEP_S
from fitgym.predictor.channels import sport_family
from fitgym.predictor.datasets import Example

Array = NDArray[np.float64]

MEAN_OF_SPORT = "mean of the sport"
MEAN_OF_PERSON = "the person's mean in the sport"
LINEAR = "linear, by sport"
LINEAR_PERSON = "linear, per user and sport"
SPEED_BASELINES = (MEAN_OF_SPORT, MEAN_OF_PERSON, LINEAR, LINEAR_PERSON)

# Heart rate answers speed with a lag of about a minute, so its change over the last minute says
# how far the present speed lies from the one it still answers.
CHANGE_STEPS = round(60.0 / GRID_STEP_S)
# Steps of own data that weigh as much as the others' coefficients, as for heart rate.
SHRINKAGE_STEPS = 60.0
REGRESSORS = 5


def design(example: Example) -> Array:
    """Return the regressors (T, 5): one, heart rate, its change, climb rate, log time."""
    heart_rate = example.target.astype(np.float64)
    earlier = np.maximum(np.arange(len(heart_rate)) - CHANGE_STEPS, 0)
    return np.stack(
        [
            np.ones(len(heart_rate)),
            heart_rate,
            heart_rate - heart_rate[earlier],
            example.channels[:, 1].astype(np.float64),
            example.channels[:, 4].astype(np.float64),
        ],
        axis=1,
    )


def recorded_speed(example: Example) -> Array:
    """Return the recorded speed (T,) in m/s."""
    return example.workout.speed_m_s[: len(example)]


def regress(
    examples: Sequence[Example],
    targets: Sequence[Array],
    centre: Array | None = None,
    penalty: float = SHRINKAGE_STEPS,
) -> Array:
    """Return ridge coefficients (5,) over measured steps, drawn towards ``centre``.

    Args:
        examples: Whose regressors.
        targets: For each (T,) what is to be explained.
        centre: Coefficients to draw towards; None means zero.
        penalty: Steps that the centre weighs as much as.
    """
    middle = np.zeros(REGRESSORS) if centre is None else centre
    rows = np.concatenate([design(example)[example.valid] for example in examples])
    values = np.concatenate([t[e.valid] for t, e in zip(targets, examples, strict=True)])
    gram = rows.T @ rows + penalty * np.eye(REGRESSORS)
    coefficients: Array = middle + np.linalg.solve(gram, rows.T @ (values - rows @ middle))
    return coefficients


class SpeedBaselines:
    """The baselines, fitted to training examples.

    Args:
        training: Examples to fit to.
    """

    def __init__(self, training: Sequence[Example]) -> None:
        self._pooled = _Sport(training)
        sports = {_sport(example) for example in training}
        self._sports = {
            sport: _Sport([e for e in training if _sport(e) == sport]) for sport in sorted(sports)
        }

    def predict(self, name: str, example: Example, own: Sequence[Example]) -> Array:
        """Return the speed (T,) in m/s that baseline ``name`` predicts.

        Args:
            name: One of ``SPEED_BASELINES``.
            example: What to predict; its own speed is not used.
            own: Known workouts of the same person.
        """
        sport = self._sports.get(_sport(example), self._pooled)
        alike = [other for other in own if _sport(other) == _sport(example)]
        if name == MEAN_OF_SPORT or (name == MEAN_OF_PERSON and not alike):
            return np.full(len(example), sport.mean)
        if name == MEAN_OF_PERSON:
            return np.full(len(example), _mean_speed(alike))
        if name == LINEAR or (name == LINEAR_PERSON and not alike):
            coefficients = sport.coefficients
        elif name == LINEAR_PERSON:
            coefficients = regress(alike, list(map(recorded_speed, alike)), sport.coefficients)
        else:
            raise ValueError(f"name must be one of {', '.join(SPEED_BASELINES)}, got {name!r}")
        return np.maximum(design(example) @ coefficients, 0.0)


class _Sport:
    """Mean and regression of the workouts of one sport."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self.mean = _mean_speed(examples)
        # The penalty only keeps a regressor that is constant from being singular.
        self.coefficients = regress(examples, list(map(recorded_speed, examples)), penalty=1e-6)


def _mean_speed(examples: Sequence[Example]) -> float:
    return float(np.concatenate([recorded_speed(e)[e.valid] for e in examples]).mean())


def _sport(example: Example) -> str:
    return sport_family(example.workout.sport)
