"""Calibration of one stage on one time base, and the individual made of two of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fitgym.calibration.least_squares import FitSettings, fit
from fitgym.calibration.references import Accuracy, accuracy, reference_predictions
from fitgym.calibration.sessions import Sessions, load_series, plan_grid
from fitgym.calibration.uncertainty import (
    BLOCK_SESSIONS,
    Estimate,
    Sensitivity,
    assess_estimates,
    bootstrap,
    sensitivity,
)
from fitgym.common.validation import require_integer
from fitgym.people.individual import Individual, Physiology, StageParameters


@dataclass(frozen=True, kw_only=True, eq=False)
class Calibration:
    """The fit of one stage to one log: parameters, their uncertainty, errors.

    Attributes:
        log: Name of the log.
        stage: ``"acquisition"`` or ``"retention"``.
        time_base: ``"session"`` or ``"day"``.
        settings: How the stage was fitted.
        parameters: The stage's parameters, as environments take them.
        estimates: The estimated ones with intervals and verdicts.
        sensitivity: What the Jacobian says of them.
        accuracy: Errors by predictor: ``"dynamics"``, ``"dynamics, one ahead"`` (fitted anew, each
            session explained by those before it) and the references.
        agreement: Number of descents that ended within 0.1 % of the best training error.
        replications: Size of the bootstrap.
        date: Day of each session with a performance, shape (n,).
        observed: Performance of those sessions, VDOT, shape (n,).
        fitted: What the dynamics say it was, shape (n,).
        training: Whether the session was fitted, shape (n,).
    """

    log: str
    stage: str
    time_base: str
    settings: FitSettings
    parameters: StageParameters
    estimates: tuple[Estimate, ...]
    sensitivity: Sensitivity
    accuracy: dict[str, Accuracy]
    agreement: int
    replications: int
    date: npt.NDArray[np.datetime64]
    observed: npt.NDArray[np.float64]
    fitted: npt.NDArray[np.float64]
    training: npt.NDArray[np.bool_]

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the series as plain mappings, lists, numbers and strings."""
        return {
            "log": self.log,
            "stage": self.stage,
            "time_base": self.time_base,
            "training_sessions": int(self.training.sum()),
            "test_sessions": int((~self.training).sum()),
            "settings": asdict(self.settings),
            "parameters": self.parameters.to_dict(),
            "estimates": [asdict(estimate) for estimate in self.estimates],
            "sensitivity": asdict(self.sensitivity),
            "bootstrap": {
                "kind": "moving blocks of residuals",
                "replications": self.replications,
                "block_sessions": BLOCK_SESSIONS,
            },
            "rmse_vdot": {name: asdict(error) for name, error in self.accuracy.items()},
            "descents_at_the_best": self.agreement,
            "findings": self.findings(),
        }

    def findings(self) -> list[str]:
        """Return in words whether the dynamics predict better than the references."""
        error = {name: value.test for name, value in self.accuracy.items()}

        def against(predictor: str, *references: str) -> str:
            parts = [_compared(error[predictor], error[name], name) for name in references]
            return ", ".join(parts[:-1]) + (" and " if parts[:-1] else "") + parts[-1]

        return [
            "Test error with x_t known, which is made from the pace of the session that is "
            "predicted, so that part of it is leakage: the dynamics "
            f"{against('dynamics', 'train mean', 'static curve', 'static curve and trend')}.",
            "Test error one session ahead, without leakage: the dynamics "
            f"{against('dynamics, one ahead', 'train mean', 'trend', 'running mean')}.",
        ]


def _compared(error: float, reference: float, name: str) -> str:
    """Return in words whether an error is below a reference's; 2 % are no difference (ours)."""
    ratio = error / reference
    verb = "equal" if abs(ratio - 1.0) <= 0.02 else "beat" if ratio < 1.0 else "lose to"
    return f"{verb} the {name} ({error:.2f} against {reference:.2f})"


def calibrate(
    sessions: Sessions,
    stage: str,
    time_base: str = "session",
    settings: FitSettings | None = None,
    *,
    replications: int = 0,
    progress: bool = False,
) -> Calibration:
    """Fit one stage to a log; return the fit with its uncertainty and errors.

    Args:
        sessions: The log with intensities and performances, from ``assess_sessions``.
        stage: ``"acquisition"`` or ``"retention"``.
        time_base: ``"session"`` (Fang et al. 2022) or ``"day"``.
        settings: How to fit; None for the defaults.
        replications: Size of the bootstrap; 0 for no intervals.
        progress: Whether to show a progress bar for the bootstrap.

    Raises:
        ValueError: If an argument is not allowed or the log is too short.
    """
    settings = settings or FitSettings()
    require_integer("replications", replications, 0, 100_000)
    series = load_series(sessions, time_base)
    best = fit(series, stage, settings)
    ahead = fit(series, stage, settings, ahead=True)
    information = sensitivity(best, settings)
    resampled = bootstrap(series, stage, settings, best, replications, progress=progress)
    predictions = {
        "dynamics": best.fitted,
        "dynamics, one ahead": ahead.fitted,
        **reference_predictions(series),
    }
    return Calibration(
        log=sessions.log.name,
        stage=stage,
        time_base=time_base,
        settings=settings,
        parameters=best.parameters,
        estimates=assess_estimates(best, settings, resampled, information),
        sensitivity=information,
        accuracy={name: accuracy(series, values) for name, values in predictions.items()},
        agreement=sum(end <= 1.001 * best.ends[0] for end in best.ends),
        replications=replications,
        date=sessions.log.dates[sessions.log.timed],
        observed=series.performance,
        fitted=best.fitted,
        training=series.training,
    )


def calibrated_individual(
    name: str, sessions: Sessions, acquisition: Calibration, retention: Calibration
) -> Individual:
    """Return the individual that a log describes, ready for every environment.

    Args:
        name: How to call the person.
        sessions: The log; its intensities become the individual's own sessions, and the
            benchmark VDOT of the last one sets the paces.
        acquisition: Calibration of the acquisition stage.
        retention: Calibration of the retention stage, on the same time base.

    Raises:
        ValueError: If the calibrations differ in time base or are of the wrong stages.
    """
    stages = (acquisition.stage, retention.stage)
    if stages != ("acquisition", "retention") or acquisition.time_base != retention.time_base:
        raise ValueError(
            "an individual needs an acquisition and a retention stage on one time base, got "
            f"{stages} on {acquisition.time_base!r} and {retention.time_base!r}"
        )
    time_base = acquisition.time_base
    return Individual(
        name=name,
        source=(
            f"least squares on the log {sessions.log.name!r}, {time_base} time, "
            f"{len(sessions.log)} sessions from {sessions.log.dates[0]} to "
            f"{sessions.log.dates[-1]} (fitgym.calibration)"
        ),
        acquisition=acquisition.parameters,
        retention=retention.parameters,
        physiology=Physiology(vdot=float(sessions.benchmark_vdot[-1])),
        plans_trimp=plan_grid(sessions.intensity_trimp),
        sessions_trimp=tuple(load_series(sessions, time_base).intensity_trimp.tolist()),
    )
