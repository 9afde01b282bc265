"""Baselines every result of the network stands beside.

All know the same as the network: the training workouts, the person's own workouts among them, and
the previous workout. ``own`` is what is known of the person himself; where it is empty, the
personal baselines fall back on the pooled ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fitgym.predictor.channels import denormalise_heart_rate, sport_family
from fitgym.predictor.datasets import Example
from fitgym.predictor.recording_statistics import LAGS_S, exponential_mean

Array = NDArray[np.float64]

BASELINES = (
    "global mean",
    "user mean",
    "lagged linear, pooled",
    "lagged linear, pooled by sport",
    "lagged linear, per user",
    "lagged linear, per user and sport",
)
# Steps of own data that weigh as much as the pooled coefficients in the personal regression: those
# that predict training people's workouts best from their others.
SHRINKAGES_STEPS = (20.0, 60.0, 200.0, 600.0, 2000.0)
# Likewise of a sport, towards all sports.
_SPORT_SHRINKAGE_STEPS = 60.0
# Only keeps a regressor that is constant from being singular.
_SINGULAR = 1e-6
# Likewise, towards zero, in the regression of another method's errors.
_RESIDUAL_SHRINKAGE_STEPS = 60.0


class Baselines:
    """The baselines, fitted to training examples.

    The lagged linear ones regress heart rate on the exponential means of speed and of climb and on
    log(1 + minutes), at the lag that fits the training examples best; climb is zero where unknown.
    A sport that is not among the training examples has the coefficients of all sports.

    Args:
        training: Examples to fit to.
    """

    def __init__(self, training: Sequence[Example]) -> None:
        heart_rates = np.concatenate([_measured(example) for example in training])
        self.mean = float(heart_rates.mean())
        errors = {}
        for lag in LAGS_S:
            coefficients = _fit(training, lag)
            errors[lag] = sum(
                float(np.sum((_measured(e) - _design(e, lag)[e.valid] @ coefficients) ** 2))
                for e in training
            )
        self.lag_s = min(errors, key=errors.__getitem__)
        self.pooled = _fit(training, self.lag_s)
        sports = {_sport(example) for example in training}
        self.by_sport = {
            sport: _fit(
                [e for e in training if _sport(e) == sport],
                self.lag_s,
                self.pooled,
                _SPORT_SHRINKAGE_STEPS,
            )
            for sport in sorted(sports)
        }
        self.shrinkage_steps = self._best_shrinkage(training)

    def predict(self, name: str, example: Example, own: Sequence[Example]) -> Array:
        """Return the heart rate (T,) in bpm that baseline ``name`` predicts.

        Args:
            name: One of ``BASELINES``.
            example: What to predict; its own heart rate is not used.
            own: Known workouts of the same person.
        """
        by_sport = self.by_sport.get(_sport(example), self.pooled)
        if name == "global mean":
            return np.full(len(example), self.mean)
        if name == "user mean":
            known = [_measured(other) for other in own]
            mean = float(np.concatenate(known).mean()) if known else self.mean
            return np.full(len(example), mean)
        if name == "lagged linear, pooled":
            coefficients = self.pooled
        elif name == "lagged linear, pooled by sport":
            coefficients = by_sport
        elif name == "lagged linear, per user":
            coefficients = self._personal(own, self.pooled)
        elif name == "lagged linear, per user and sport":
            alike = [other for other in own if _sport(other) == _sport(example)]
            coefficients = self._personal(alike, by_sport)
        else:
            raise ValueError(f"name must be one of {', '.join(BASELINES)}, got {name!r}")
        return _design(example, self.lag_s) @ coefficients

    def _personal(self, own: Sequence[Example], centre: Array) -> Array:
        """Return the coefficients of a person, those of all where nothing is known of it."""
        return _fit(own, self.lag_s, centre, self.shrinkage_steps) if own else centre

    def _best_shrinkage(self, training: Sequence[Example]) -> float:
        """Return the shrinkage at which each person's workouts are told best by the others.

        Workouts are left out one at a time, within person and sport; where nobody has two, nothing
        tells, and the middle one is taken.
        """
        squares = dict.fromkeys(SHRINKAGES_STEPS, 0.0)
        groups: dict[tuple[str, str], list[Example]] = defaultdict(list)
        for example in training:
            groups[example.workout.user, _sport(example)].append(example)
        for (_, sport), alike in groups.items():
            if len(alike) < 2:
                continue
            designs = [_design(example, self.lag_s)[example.valid] for example in alike]
            errors = [
                _measured(example) - design @ self.by_sport[sport]
                for example, design in zip(alike, designs, strict=True)
            ]
            grams = [design.T @ design for design in designs]
            moments = [design.T @ error for design, error in zip(designs, errors, strict=True)]
            gram, moment = sum(grams), sum(moments)
            for penalty in SHRINKAGES_STEPS:
                for i, (design, error) in enumerate(zip(designs, errors, strict=True)):
                    left = gram - grams[i] + penalty * np.eye(design.shape[1])
                    coefficients = np.linalg.solve(left, moment - moments[i])
                    squares[penalty] += float(np.sum((error - design @ coefficients) ** 2))
        if not any(squares.values()):
            return SHRINKAGES_STEPS[len(SHRINKAGES_STEPS) // 2]
        return min(squares, key=squares.__getitem__)


class Residuals:
    """Each person's lagged linear regression of another method's errors, drawn towards zero.

    Args:
        known: Workouts of the people.
        predictions: What the method predicts for each, (T,) in bpm.
    """

    LAG_S = 60.0

    def __init__(self, known: Sequence[Example], predictions: Sequence[Array]) -> None:
        designs: dict[str, list[Array]] = defaultdict(list)
        errors: dict[str, list[Array]] = defaultdict(list)
        for example, prediction in zip(known, predictions, strict=True):
            user, valid = example.workout.user, example.valid
            designs[user].append(_design(example, self.LAG_S)[valid])
            errors[user].append(_measured(example) - prediction[valid])
        self._coefficients = {
            user: _ridge(
                np.concatenate(designs[user]),
                np.concatenate(errors[user]),
                _RESIDUAL_SHRINKAGE_STEPS,
            )
            for user in designs
        }

    def predict(self, example: Example) -> Array:
        """Return the error (T,) to expect; zero for a person not known."""
        coefficients = self._coefficients.get(example.workout.user, np.zeros(4))
        return _design(example, self.LAG_S) @ coefficients


def _sport(example: Example) -> str:
    return sport_family(example.workout.sport)


def _measured(example: Example) -> Array:
    """Return the measured heart rates in bpm."""
    return denormalise_heart_rate(example.target[example.valid])


@lru_cache(maxsize=20_000)
def _design(example: Example, lag_s: float) -> Array:
    """Return the regressors (T, 4) of an example."""
    channels = example.channels.astype(np.float64)
    return np.stack(
        [
            np.ones(len(example)),
            exponential_mean(channels[:, 0], lag_s),
            exponential_mean(channels[:, 1], lag_s),
            channels[:, 4],
        ],
        axis=1,
    )


def _fit(
    examples: Sequence[Example],
    lag_s: float,
    centre: Array | None = None,
    penalty: float = _SINGULAR,
) -> Array:
    """Return least-squares coefficients (4,), drawn towards ``centre`` where it is given."""
    design = np.concatenate([_design(example, lag_s)[example.valid] for example in examples])
    target = np.concatenate([_measured(example) for example in examples])
    if centre is None:
        return _ridge(design, target, penalty)
    return centre + _ridge(design, target - design @ centre, penalty)


def _ridge(design: Array, target: Array, penalty: float) -> Array:
    gram = design.T @ design + penalty * np.eye(design.shape[1])
    coefficients: Array = np.asarray(np.linalg.solve(gram, design.T @ target), dtype=np.float64)
    return coefficients
