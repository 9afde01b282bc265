"""Table and figure of calibrations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fitgym.calibration.calibrate import Calibration
from fitgym.common.figures import COLOURS, new_figure, tidy_axes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SYMBOLS = {
    "fitness_decay": "alpha",
    "fatigue_decay": "beta",
    "fitness_exponent": "gamma_F",
    "fatigue_exponent": "gamma_G",
    "base_decay": "delta",
    "fitness_utility": "k_F",
    "fatigue_utility": "k_G",
    "baseline_performance": "p_0",
}

# Loadings below this are left out of the printed sloppy direction.
_SMALL_LOADING = 0.2


def calibration_table(calibration: Calibration) -> str:
    """Return estimates, errors and findings as lines of text."""
    settings, parameters = calibration.settings, calibration.parameters
    training = int(calibration.training.sum())
    lines = [
        f"{calibration.stage}, {calibration.time_base} time, log {calibration.log}: "
        f"{training} sessions fitted, {calibration.training.size - training} tested",
        "",
        f"{'parameter':<21}{'symbol':<9}{'estimate':>10}  {'95 % interval':<22}verdict",
    ]
    for estimate in calibration.estimates:
        interval = "-"
        if estimate.interval is not None:
            interval = f"{estimate.interval[0]:.4g} to {estimate.interval[1]:.4g}"
        lines.append(
            f"{estimate.name:<21}{_SYMBOLS[estimate.name]:<9}{estimate.value:>10.4g}  "
            f"{interval:<22}{estimate.verdict}"
        )
    baseline = "" if settings.estimate_baseline else "p_0 = 0, "
    lines += [
        f"not estimated: {baseline}sigma = {parameters.base_scaling:g}, "
        f"B_0 = {parameters.initial_base_level:.4g}, F_0 = {parameters.initial_fitness:.4g}, "
        f"G_0 = {parameters.initial_fatigue:.4g} (steady state of the first six weeks)",
        "",
        f"{'root mean square error (VDOT)':<34}{'train':>7}{'test':>8}",
    ]
    for name, error in calibration.accuracy.items():
        lines.append(f"{name:<34}{error.train:>7.2f}{error.test:>8.2f}")
    direction = sorted(
        calibration.sensitivity.sloppy_direction.items(), key=lambda item: -abs(item[1])
    )
    loadings = " ".join(
        f"{weight:+.2f} {_SYMBOLS[name]}"
        for name, weight in direction
        if abs(weight) >= _SMALL_LOADING
    )
    lines += [
        "",
        f"Jacobian: condition number {calibration.sensitivity.condition_number:.3g}; least "
        f"determined direction {loadings}",
        f"{calibration.agreement} of {settings.starts} descents reach the best error; "
        f"{calibration.replications} bootstrap replications; seed {settings.seed}",
        *(f"- {finding}" for finding in calibration.findings()),
    ]
    return "\n".join(lines)


def calibration_figure(calibrations: Sequence[Calibration]) -> Figure:
    """Return a figure of fitted against observed performance, one row per calibration.

    On the left both over the log's dates, on the right one against the other; the sessions that
    were fitted and those that were tested have colours of their own.
    """
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    figure = new_figure(11.0, 3.8 * len(calibrations))
    rows = figure.subplots(
        len(calibrations), 2, squeeze=False, gridspec_kw={"width_ratios": [2.3, 1.0]}
    )
    for (over_time, scatter), calibration in zip(rows, calibrations, strict=True):
        parts = {
            "train": (calibration.training, COLOURS["grey"], COLOURS["blue"]),
            "test": (~calibration.training, COLOURS["sky"], COLOURS["red"]),
        }
        errors = calibration.accuracy["dynamics"]
        for part, (rows_of_part, pale, strong) in parts.items():
            date = calibration.date[rows_of_part]
            observed = calibration.observed[rows_of_part]
            fitted = calibration.fitted[rows_of_part]
            over_time.plot(date, observed, ".", color=pale, markersize=3, label=f"observed, {part}")
            over_time.plot(date, fitted, color=strong, linewidth=0.9, label=f"fitted, {part}")
            scatter.plot(
                observed,
                fitted,
                ".",
                color=strong,
                markersize=3,
                alpha=0.6,
                label=f"{part}, error {getattr(errors, part):.2f}",
            )
        both = np.concatenate([calibration.observed, calibration.fitted])
        ends = [float(both.min()) - 0.5, float(both.max()) + 0.5]
        scatter.plot(ends, ends, color=COLOURS["ink"], linewidth=0.8)
        scatter.set_xlim(*ends)
        scatter.set_ylim(*ends)
        scatter.set_aspect("equal")
        title = f"{calibration.stage.capitalize()}, {calibration.time_base} time"
        tidy_axes(over_time, title, "", "performance (VDOT)")
        tidy_axes(scatter, "Fitted against observed", "observed (VDOT)", "fitted (VDOT)")
        locator = AutoDateLocator()  # type: ignore[no-untyped-call]
        over_time.xaxis.set_major_locator(locator)
        formatter = ConciseDateFormatter(locator)  # type: ignore[no-untyped-call]
        over_time.xaxis.set_major_formatter(formatter)
        # Room for the legend below the lowest session.
        over_time.set_ylim(ends[0] - 1.5, ends[1])
        over_time.legend(fontsize=7, ncols=4, frameon=False, loc="lower left")
        scatter.legend(fontsize=7, frameon=False, loc="upper left")
    return figure
