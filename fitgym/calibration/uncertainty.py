"""Uncertainty of the estimates: block bootstrap, sensitivity, a verdict for each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fitgym.calibration.least_squares import BOUNDS, Fit, FitSettings, refit
from fitgym.calibration.sessions import LoadSeries

# Ours: the autocorrelation of the marathon runner's residuals is gone after 40 sessions.
BLOCK_SESSIONS = 40

# Ours, the limits of the verdicts. Wide: the 95 % interval is longer than half the estimate, about
# 25 % to either side. Sloppy: the other parameters reproduce 99 % of what this one does to the
# predictions.
_WIDE = 0.5
_SLOPPY_VARIANCE_INFLATION = 100.0


@dataclass(frozen=True)
class Estimate:
    """One estimated parameter with its interval and verdict.

    Attributes:
        name: Field of ``StageParameters``.
        value: The least-squares estimate.
        low_bound: Smallest allowed value.
        high_bound: Largest allowed value.
        interval: 95 % percentile interval of the bootstrap; None without a bootstrap.
        verdict: ``"at lower bound"``, ``"at upper bound"``, ``"no effect"`` (the predictions do
            not depend on it), ``"wide"``, ``"sloppy"``, ``"not assessed"`` (without a bootstrap)
            or ``"identified"``; the first that holds.
    """

    name: str
    value: float
    low_bound: float
    high_bound: float
    interval: tuple[float, float] | None
    verdict: str


@dataclass(frozen=True)
class Sensitivity:
    """What the Jacobian says of the parameters that are not at a bound.

    The columns are scaled to length one, so that units do not matter.

    Attributes:
        condition_number: Largest over smallest singular value; 1 is best.
        sloppy_direction: Combination of parameters that changes the predictions least: weights
            by name, of length one, for parts of a parameter's own effect.
        variance_inflation: By name, ``1 / (1 - R^2)`` of a column regressed on the others.
    """

    condition_number: float
    sloppy_direction: dict[str, float]
    variance_inflation: dict[str, float]


def bootstrap(
    series: LoadSeries,
    stage: str,
    settings: FitSettings,
    fitted: Fit,
    replications: int,
    *,
    progress: bool = False,
) -> npt.NDArray[np.float64]:
    """Return estimates from a moving-block bootstrap of the residuals.

    Residuals and not sessions are resampled, since the stocks need the log in its order. Blocks
    of 40 consecutive training sessions (fewer in short logs) keep the dependence between
    neighbours. Every replication starts from the estimates, so the intervals say nothing of
    other local minima; and they are too narrow for a parameter at its bound.

    Args:
        series: The log on a time base.
        stage: ``"acquisition"`` or ``"retention"``.
        settings: How the stage was fitted; its seed is used.
        fitted: The fit.
        replications: Number of resampled series, at least 0.
        progress: Whether to show a progress bar.

    Returns:
        Shape (replications, estimated parameters).
    """
    from tqdm import tqdm

    generator = np.random.default_rng(settings.seed)
    prediction = fitted.fitted[series.training]
    residuals = series.performance[series.training] - prediction
    residuals = residuals - residuals.mean()
    size = residuals.size
    length = min(BLOCK_SESSIONS, size // 4)
    result = np.empty((replications, fitted.estimates.size))
    rounds = tqdm(range(replications), desc=f"bootstrap, {stage}", disable=not progress)
    for replication in rounds:
        starts = generator.integers(0, size - length + 1, size=-(-size // length))
        rows = (starts[:, np.newaxis] + np.arange(length)).ravel()[:size]
        target = prediction + residuals[rows]
        result[replication] = refit(series, stage, settings, fitted.estimates, target)
    return result


def sensitivity(fitted: Fit, settings: FitSettings) -> Sensitivity:
    """Return what the Jacobian at the estimates says of the free parameters.

    Parameters at a bound, and those on which no prediction depends, are left out.
    """
    lengths = np.linalg.norm(fitted.jacobian, axis=0)
    free = [
        index
        for index, name in enumerate(settings.estimated)
        if lengths[index] > 0.0 and not _at_bound(name, float(fitted.estimates[index]))
    ]
    if not free:
        return Sensitivity(1.0, {}, {})
    names = [settings.estimated[index] for index in free]
    columns = fitted.jacobian[:, free] / lengths[free]
    _, singular, directions = np.linalg.svd(columns, full_matrices=False)
    singular = np.maximum(singular, np.finfo(float).eps * singular[0])
    inflation = ((directions / singular[:, np.newaxis]) ** 2).sum(axis=0)
    return Sensitivity(
        condition_number=float(singular[0] / singular[-1]),
        sloppy_direction=dict(zip(names, directions[-1].tolist(), strict=True)),
        variance_inflation=dict(zip(names, inflation.tolist(), strict=True)),
    )


def assess_estimates(
    fitted: Fit,
    settings: FitSettings,
    replications: npt.NDArray[np.float64],
    information: Sensitivity,
) -> tuple[Estimate, ...]:
    """Return every estimate with its interval and verdict.

    Args:
        fitted: The fit.
        settings: How it was made.
        replications: Estimates of the bootstrap, shape (replications, parameters); none gives
            no intervals, and then no estimate is called wide or identified.
        information: What ``sensitivity`` returned.
    """
    estimates = []
    for index, name in enumerate(settings.estimated):
        value = float(fitted.estimates[index])
        interval = None
        if len(replications):
            low, high = np.percentile(replications[:, index], [2.5, 97.5]).tolist()
            interval = (low, high)
        verdict = "identified"
        if _at_bound(name, value):
            verdict = f"at {'lower' if value == BOUNDS[name].low else 'upper'} bound"
        elif name not in information.variance_inflation:
            verdict = "no effect"
        elif interval is not None and interval[1] - interval[0] > _WIDE * abs(value):
            verdict = "wide"
        elif information.variance_inflation[name] > _SLOPPY_VARIANCE_INFLATION:
            verdict = "sloppy"
        elif interval is None:
            verdict = "not assessed"
        bound = BOUNDS[name]
        estimates.append(Estimate(name, value, bound.low, bound.high, interval, verdict))
    return tuple(estimates)


def _at_bound(name: str, value: float) -> bool:
    return value in (BOUNDS[name].low, BOUNDS[name].high)
