"""Errors of heart-rate predictions, pooled and per workout, with a bootstrap over people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.predictor.channels import denormalise_heart_rate
from fitgym.predictor.datasets import Example

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Errors:
    """Errors over the measured steps of W workouts.

    Attributes:
        users: (W,) names of the people.
        absolute: (W,) sums of absolute errors in bpm.
        squared: (W,) sums of squared errors.
        steps: (W,) numbers of measured steps.
    """

    users: NDArray[np.str_]
    absolute: Array
    squared: Array
    steps: Array


@dataclass(frozen=True)
class ErrorSummary:
    """Errors in bpm.

    Attributes:
        pooled_mae: Mean absolute error over all steps.
        pooled_mae_low: Lower end of its 95 % interval by a bootstrap over people.
        pooled_mae_high: Upper end.
        workout_mae: Mean over workouts of each one's mean absolute error.
        pooled_rmse: Root of the mean squared error over all steps.
    """

    pooled_mae: float
    pooled_mae_low: float
    pooled_mae_high: float
    workout_mae: float
    pooled_rmse: float

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name."""
        return asdict(self)


def collect_errors(examples: Sequence[Example], predictions: Sequence[Array]) -> Errors:
    """Return the errors of predictions, each (T,) in bpm, for ``examples``."""
    absolute, squared, steps = [], [], []
    for example, prediction in zip(examples, predictions, strict=True):
        error = (prediction - denormalise_heart_rate(example.target))[example.valid]
        absolute.append(np.abs(error).sum())
        squared.append(np.square(error).sum())
        steps.append(error.size)
    users = np.array([example.workout.user for example in examples])
    return Errors(users, np.array(absolute), np.array(squared), np.array(steps, dtype=float))


def join_errors(parts: Sequence[Errors]) -> Errors:
    """Return the errors of several sets of workouts as one."""
    return Errors(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("users", "absolute", "squared", "steps")
        )
    )


def mean_errors(runs: Sequence[Errors]) -> Errors:
    """Return the mean over runs (seeds) of errors on the same workouts."""
    return Errors(
        runs[0].users,
        np.mean([run.absolute for run in runs], axis=0),
        np.mean([run.squared for run in runs], axis=0),
        runs[0].steps,
    )


def summarise_errors(errors: Errors) -> ErrorSummary:
    """Return the three errors and the interval of the first."""
    low, high = bootstrap_interval(errors.users, errors.absolute, errors.steps)
    return ErrorSummary(
        pooled_mae=float(errors.absolute.sum() / errors.steps.sum()),
        pooled_mae_low=low,
        pooled_mae_high=high,
        workout_mae=float(np.mean(errors.absolute / errors.steps)),
        pooled_rmse=float(np.sqrt(errors.squared.sum() / errors.steps.sum())),
    )


def bootstrap_interval(
    users: NDArray[np.str_], sums: Array, steps: Array, resamples: int = 4000, seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % interval of ``sum(sums) / sum(steps)`` when people are drawn anew.

    Args:
        users: (W,) names.
        sums: (W,) any sum over a workout's steps, of errors or of differences of errors.
        steps: (W,) numbers of steps.
        resamples: How often all people are drawn, with replacement.
        seed: Seed of the draws.
    """
    _, index = np.unique(users, return_inverse=True)
    person_sums = np.bincount(index, weights=sums)
    person_steps = np.bincount(index, weights=steps)
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, len(person_sums), (resamples, len(person_sums)))
    ratios = person_sums[drawn].sum(axis=1) / person_steps[drawn].sum(axis=1)
    low, high = np.percentile(ratios, [2.5, 97.5])
    return float(low), float(high)
