"""How suddenly training load rises: the acute:chronic workload ratio."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Days of the rolling means of Hulin et al. 2014 (British Journal of Sports Medicine 48:708).
ACUTE_DAYS = 7
CHRONIC_DAYS = 28

# Gabbett 2016 (British Journal of Sports Medicine 50:273): injuries are fewest between ratios of
# 0.8 and 1.3, and most above 1.5.
HIGH_RATIO = 1.3
DANGEROUS_RATIO = 1.5


def workload_ratio(done_trimp: ArrayLike) -> NDArray[np.float64]:
    """Return the ratio of acute to chronic workload on each day.

    The acute workload is the mean of the last seven days and the chronic one that of the last 28,
    today included in both. Nothing is known of the days before the first: until there are 28 days
    both means are over the days so far, so that the ratio is 1 in the first week and rises
    from the eighth day on. Without any load it is 0.

    The ratio tells how steep a rise is and is no cause of injury by itself (Impellizzeri et al.
    2020, International Journal of Sports Physiology and Performance 15:907).

    Args:
        done_trimp: Points really done on each day, (..., T).

    Returns:
        The ratios, (..., T), between 0 and 4.

    Raises:
        ValueError: If a number of points is negative or not finite.
    """
    points = np.asarray(done_trimp, dtype=np.float64)
    if points.ndim == 0 or not np.isfinite(points).all() or (points < 0.0).any():
        raise ValueError(
            "done_trimp must hold finite numbers of at least 0 for each day, got "
            f"{done_trimp!r:.100}"
        )
    acute, chronic = _rolling_mean(points, ACUTE_DAYS), _rolling_mean(points, CHRONIC_DAYS)
    return np.divide(acute, chronic, out=np.zeros_like(acute), where=chronic > 0.0)


def _rolling_mean(points: NDArray[np.float64], days: int) -> NDArray[np.float64]:
    """Return the mean of the last ``days`` days, or of those there are, (..., T)."""
    means = np.empty_like(points)
    for day in range(points.shape[-1]):
        means[..., day] = points[..., max(0, day + 1 - days) : day + 1].mean(axis=-1)
    return means
