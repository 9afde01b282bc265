"""Statistics of recordings by sport, the same for real and for simulated ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fitgym.common.tables import MISSING
from fitgym.logs.workout import GRID_STEP_S, Workout
from fitgym.predictor.channels import sport_family

# Lags among which the best is sought for each workout, in seconds.
LAGS_S = (15.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 240.0)


def exponential_mean(values: NDArray[np.float64], lag_s: float) -> NDArray[np.float64]:
    """Return the causal exponential mean of ``values`` (T,) with a time constant in seconds."""
    share = -np.expm1(-GRID_STEP_S / lag_s)
    smooth = np.empty(len(values))
    mean = float(values[0])
    for step, value in enumerate(values):
        mean += share * (value - mean)
        smooth[step] = mean
    return smooth


def _memory(residual: NDArray[np.float64]) -> float:
    """Return the correlation of successive residuals; NaN where there are too few, or no spread."""
    before, after = residual[:-1], residual[1:]
    if len(residual) < 3 or not before.std() or not after.std():
        return np.nan
    return float(np.corrcoef(before, after)[0, 1])


def workout_figures(workout: Workout) -> dict[str, float]:
    """Return the figures of one workout (heart rates in bpm).

    The regression is on lagged speed, the logarithm of time and, where known, lagged climb, at the
    lag that fits best.
    """
    measured = workout.valid
    heart_rate = workout.heart_rate_bpm[measured]
    best: tuple[float, float, NDArray[np.float64], NDArray[np.float64]] | None = None
    log_minutes = np.log1p(workout.time_s / 60.0)
    climb = np.diff(workout.altitude_m, prepend=workout.altitude_m[0]) / GRID_STEP_S
    for lag in LAGS_S:
        columns = [np.ones(len(workout)), exponential_mean(workout.speed_m_s, lag), log_minutes]
        if climb.any():
            columns.append(exponential_mean(climb, lag))
        design = np.stack(columns, axis=1)[measured]
        coefficients = np.linalg.lstsq(design, heart_rate, rcond=None)[0]
        residual = heart_rate - design @ coefficients
        error = float(np.mean(residual**2))
        if best is None or error < best[0]:
            best = error, lag, coefficients, residual
    assert best is not None
    error, lag, coefficients, residual = best
    figures = {
        "mean": float(heart_rate.mean()),
        "sd within": float(heart_rate.std()),
        "first half minute": float(heart_rate[:3].mean()),
        "lag (s)": lag,
        "per m/s": float(coefficients[1]),
        "per log-minute": float(coefficients[2]),
        "residual sd": float(np.sqrt(error)),
        "residual memory": _memory(residual),
        "speed (m/s)": float(workout.speed_m_s.mean()),
        "minutes": len(workout) * GRID_STEP_S / 60.0,
    }
    if climb.any():
        figures["per m/s climb"] = float(coefficients[3])
    return figures


def recording_figures(workouts: Sequence[Workout]) -> dict[str, dict[str, tuple[float, ...]]]:
    """Return the distribution of each figure over the workouts of each sport.

    Args:
        workouts: Recordings; those without measured heart rate are left out.

    Returns:
        For each sport and figure: 10th, 50th and 90th percentile and the mean, NaN for a figure
        that no workout has.
    """
    collected: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for workout in workouts:
        if not workout.valid.any():
            continue
        for name, value in workout_figures(workout).items():
            collected[sport_family(workout.sport)][name].append(value)
    return {
        sport: {name: _distribution(np.array(values)) for name, values in figures.items()}
        for sport, figures in collected.items()
    }


def _distribution(values: NDArray[np.float64]) -> tuple[float, ...]:
    known = values[~np.isnan(values)]
    if not known.size:
        return (np.nan,) * 4
    return (*np.percentile(known, [10, 50, 90]).tolist(), float(known.mean()))


def recording_table(sets: Mapping[str, Mapping[str, Mapping[str, tuple[float, ...]]]]) -> str:
    """Return the figures of several sets of recordings side by side, as Markdown.

    Args:
        sets: By name, what ``recording_figures`` returned.
    """
    lines = []
    for sport in dict.fromkeys(sport for figures in sets.values() for sport in figures):
        present = [name for name in sets if sport in sets[name]]
        lines += [
            f"**{sport}**: median (10 % to 90 %)",
            "",
            f"| figure | {' | '.join(present)} |",
            f"|{'---|' * (len(present) + 1)}",
        ]
        for figure in sets[present[0]][sport]:
            cells = []
            for name in present:
                low, middle, high, _ = sets[name][sport].get(figure, (np.nan,) * 4)
                unknown = np.isnan(middle)
                cells.append(MISSING if unknown else f"{middle:.2f} ({low:.2f} to {high:.2f})")
            lines.append(f"| {figure} | {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)
