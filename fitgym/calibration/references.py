"""Reference predictors without dynamics, to compare a calibration with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fitgym.calibration.sessions import LoadSeries

# Ours: weights of the newest session among which the running mean's is chosen.
_RUNNING_MEAN_WEIGHTS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5)


@dataclass(frozen=True)
class Accuracy:
    """Root mean square errors in VDOT.

    Attributes:
        train: Over the sessions that were fitted.
        test: Over the later ones.
    """

    train: float
    test: float


def accuracy(series: LoadSeries, prediction: npt.NDArray[np.float64]) -> Accuracy:
    """Return the root mean square errors of ``prediction``, shape (n,)."""
    squares = (prediction - series.performance) ** 2
    return Accuracy(
        train=float(np.sqrt(squares[series.training].mean())),
        test=float(np.sqrt(squares[~series.training].mean())),
    )


def reference_predictions(series: LoadSeries) -> dict[str, npt.NDArray[np.float64]]:
    """Return the predictions of the references by name, fitted to the training sessions.

    - ``train mean``: one number.
    - ``static curve``: ``a + b ln(1 + x)``, the session's own intensity and nothing else. What it
      explains is the leakage: x is built from the pace that performance is made of.
    - ``static curve and trend``: the same plus a straight line in time.
    - ``trend``: the straight line alone.
    - ``running mean``: exponentially weighted mean of the performances before each session, which
      the dynamics never see; the weight with the smallest training error.

    The last two know nothing of the session that they predict.
    """
    intensity = np.log1p(series.intensity_trimp[series.step])
    time = series.step.astype(np.float64)
    one = np.ones_like(time)
    designs = {
        "train mean": [one],
        "static curve": [one, intensity],
        "static curve and trend": [one, intensity, time],
        "trend": [one, time],
    }
    predictions = {}
    for name, columns in designs.items():
        design = np.column_stack(columns)
        training = series.training
        coefficients, *_ = np.linalg.lstsq(
            design[training], series.performance[training], rcond=None
        )
        predictions[name] = design @ coefficients
    running = [_running_mean(series, weight) for weight in _RUNNING_MEAN_WEIGHTS]
    predictions["running mean"] = min(
        running, key=lambda prediction: accuracy(series, prediction).train
    )
    return predictions


def _running_mean(series: LoadSeries, weight: float) -> npt.NDArray[np.float64]:
    """Return the weighted mean of the performances before each session."""
    mean = float(series.performance[series.training].mean())
    result = np.empty_like(series.performance)
    for index, value in enumerate(series.performance.tolist()):
        result[index] = mean
        mean += weight * (value - mean)
    return result
