"""What a few training seeds tell: means with intervals over seeds and seasons."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fitgym.common.validation import require_integer, require_number
from fitgym_agents.evaluation import Interval

__all__ = ["interquartile_mean", "two_level_interval"]


def two_level_interval(
    values: ArrayLike, *, confidence: float = 0.95, resamples: int = 5_000, seed: int = 0
) -> Interval:
    """Return the mean of a (seeds x seasons) matrix with its two-level bootstrap interval.

    Training seeds are resampled, and of each drawn seed its seasons (Davison and Hinkley 1997,
    section 3.8), so that the interval is for a new training and not for these. With one seed it
    is for that one.

    Args:
        values: One number per training seed and evaluation season, (S, E).
        confidence: In (0, 1).
        resamples: Number of bootstrap samples.
        seed: Seed of the resampling; the same values always give the same interval.

    Raises:
        ValueError: If there are no values, or one of them is not finite.
    """
    matrix = _matrix(values)
    require_number("confidence", confidence, 0, 1, low_open=True, high_open=True)
    require_integer("resamples", resamples, 1)
    generator = np.random.default_rng(seed)
    seeds, seasons = matrix.shape
    means = np.empty(resamples)
    for i in range(resamples):
        rows = matrix[generator.integers(seeds, size=seeds)]
        columns = generator.integers(seasons, size=(seeds, seasons))
        means[i] = np.take_along_axis(rows, columns, axis=1).mean()
    tail = 0.5 * (1.0 - confidence)
    low, high = np.quantile(means, [tail, 1.0 - tail])
    return Interval(float(matrix.mean()), float(low), float(high))


def interquartile_mean(values: ArrayLike) -> float:
    """Return the mean of the middle half of all values (Agarwal et al. 2021).

    Args:
        values: (S, E); the lowest and the highest quarter of all numbers are left out.
    """
    ordered = np.sort(_matrix(values), axis=None)
    cut = ordered.size // 4
    return float(ordered[cut : ordered.size - cut].mean())


def _matrix(values: ArrayLike) -> NDArray[np.float64]:
    matrix = np.asarray(values, dtype=np.float64)
    if matrix.ndim != 2 or matrix.size == 0 or not np.isfinite(matrix).all():
        raise ValueError(f"values must be a matrix of finite numbers, got {values!r}")
    return matrix
