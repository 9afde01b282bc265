"""Intensity and performance of the sessions of a training log, time bases, plan grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fitgym.common.validation import require_choice, require_number
from fitgym.logs import TrainingLog
from fitgym.model.daniels import benchmark_paces, classify, trimp, vdot

# Fang et al. 2022, table 1: VDOT of the marathon runner by calendar year, from his five marathons.
MARATHON_BENCHMARKS = {2002: 48.0, 2003: 41.0, 2004: 39.0, 2005: 46.0, 2006: 42.0}

TIME_BASES = ("session", "day")

# Ours. A log rarely says which runs were races, but its best run of half a year is one or comes
# close; Daniels' tables begin at 1500 m, and 3 km is the shortest distance whose mean speed is
# hardly blurred by a stop or a badly measured course.
_BENCHMARK_DAYS = 182
_BENCHMARK_DISTANCE_M = 3000.0

# Ours: the level at which stocks and base level start is the mean of the log's first six weeks,
# about the time constant of fitness in Banister and Calvert 1976.
_INITIAL_DAYS = 42

# Fang et al. 2022: rows in time order, the first 80 % to fit and the rest to test.
_TRAINING_SHARE = 0.8

# Ours: fewer sessions with a time than these say nothing about eight parameters, and of a fit.
_MINIMUM_TRAINING, _MINIMUM_TEST = 40, 10


@dataclass(frozen=True, eq=False)
class Sessions:
    """A log with what was derived from it; arrays of shape (n,), one entry per session.

    Attributes:
        log: The log.
        benchmark_vdot: VDOT against which each session was classified.
        zone: Values of ``fitgym.model.daniels.Zone``; easy where the time is not known.
        intensity_trimp: ``x``, points; 0 where the time is not known.
        performance: VDOT of each session; NaN where the time is not known.
    """

    log: TrainingLog
    benchmark_vdot: npt.NDArray[np.float64]
    zone: npt.NDArray[np.int64]
    intensity_trimp: npt.NDArray[np.float64]
    performance: npt.NDArray[np.float64]


def assess_sessions(
    log: TrainingLog, benchmark: float | Mapping[int, float] | None = None
) -> Sessions:
    """Return intensity and performance of every session of ``log``.

    A session belongs as a whole to the fastest of Daniels' zones whose benchmark pace its mean
    pace reached, and counts its minutes times the points of that zone (Fang et al. 2022). Its
    performance is its own VDOT: a lower bound on the runner's ability unless it was a race.

    Args:
        log: The log.
        benchmark: VDOT that sets the benchmark paces: one value for the whole log, a value per
            calendar year, or None. Without one, the benchmark of a session is the best VDOT of
            any run of at least 3 km within the 182 days up to and with it; sessions of the log's
            first 182 days share the best of those.

    Raises:
        TypeError: If a benchmark is not a number.
        ValueError: If a benchmark is outside [10, 100], a year lacks one, or none can be found.
    """
    performance = np.full(len(log), np.nan)
    performance[log.timed] = vdot(log.distance_m[log.timed], log.minutes[log.timed])
    benchmarks: npt.NDArray[np.float64]
    if benchmark is None:
        benchmarks = _best_recent(log, performance)
    elif isinstance(benchmark, Mapping):
        missing = sorted(set(log.years.tolist()) - set(benchmark))
        if missing:
            raise ValueError(f"benchmark has no VDOT for the years {missing}")
        benchmarks = np.array([float(benchmark[year]) for year in log.years.tolist()])
    else:
        benchmarks = np.full(len(log), require_number("benchmark", benchmark))
    distinct, which = np.unique(benchmarks, return_inverse=True)
    paces = np.array([benchmark_paces(value) for value in distinct.tolist()])[which]
    zone = classify(log.pace_min_per_mile, paces)
    return Sessions(log, benchmarks, zone, trimp(log.minutes, zone), performance)


def _best_recent(log: TrainingLog, performance: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the best VDOT of the half year up to each session."""
    eligible = log.timed & (log.distance_m >= _BENCHMARK_DISTANCE_M)
    values = np.where(eligible, performance, -np.inf)
    days = (log.dates - log.dates[0]).astype(np.int64)
    last = np.maximum(days, _BENCHMARK_DAYS)
    best = np.array(
        [values[(days > day - _BENCHMARK_DAYS - 1) & (days <= day)].max() for day in last.tolist()]
    )
    if not np.isfinite(best).all():
        row = int(np.flatnonzero(~np.isfinite(best))[0])
        raise ValueError(
            f"log {log.name!r} has no timed run of {_BENCHMARK_DISTANCE_M / 1000:g} km or more "
            f"in the {_BENCHMARK_DAYS} days up to {log.dates[row]}: give a VDOT"
        )
    return best


def plan_grid(intensity_trimp: npt.NDArray[np.float64]) -> tuple[float, ...]:
    """Return ten plan targets: the first ten edges of the histogram of a log's intensities.

    The histogram starts at the smallest positive intensity and its bins have Scott's width,
    ``3.5 sd n^(-1/3)`` over all sessions, both to a tenth of a point. The marathon runner's are
    1.8, 7, 12.2, ..., 48.6, those of Fang et al. 2022.

    Args:
        intensity_trimp: Intensities of a log, points, shape (n,).

    Raises:
        ValueError: If no intensity is positive, or they hardly differ.
    """
    positive = intensity_trimp[intensity_trimp > 0.0]
    if positive.size == 0:
        raise ValueError("intensity_trimp must hold a positive intensity")
    start = round(float(positive.min()), 1)
    width = round(3.5 * float(intensity_trimp.std()) * intensity_trimp.size ** (-1 / 3), 1)
    if start <= 0.0 or width <= 0.0:
        raise ValueError(
            f"plans need a smallest intensity and a bin width of at least 0.1 points, got {start} "
            f"and {width}"
        )
    return tuple(round(start + index * width, 1) for index in range(10))


@dataclass(frozen=True, eq=False)
class LoadSeries:
    """Input of the dynamics (intensity per step) and the performances to fit.

    Attributes:
        intensity_trimp: ``x`` of each step, points, shape (steps,).
        step: Step of each session with a performance, shape (n,), rising.
        performance: VDOT of those sessions, shape (n,).
        training: Whether each of them is among the sessions to fit, shape (n,).
        initial_level: Mean intensity of the first six weeks, points per step.
    """

    intensity_trimp: npt.NDArray[np.float64]
    step: npt.NDArray[np.int64]
    performance: npt.NDArray[np.float64]
    training: npt.NDArray[np.bool_]
    initial_level: float


def load_series(sessions: Sessions, time_base: str) -> LoadSeries:
    """Return the sessions on one of the two time bases.

    Args:
        sessions: The sessions of a log.
        time_base: ``"session"``, where a step is a session (Fang et al. 2022), or ``"day"``,
            where a step is a calendar day: rest days have x = 0 and the sessions of one day are
            added up.

    Raises:
        ValueError: If the time base is neither, or fewer than 40 sessions with a time are to be
            fitted or 10 to be tested.
    """
    require_choice("time_base", time_base, TIME_BASES)
    log = sessions.log
    training = (np.arange(len(log)) < int(_TRAINING_SHARE * len(log)))[log.timed]
    if training.sum() < _MINIMUM_TRAINING or (~training).sum() < _MINIMUM_TEST:
        raise ValueError(
            f"a calibration needs at least {_MINIMUM_TRAINING} sessions with a time in the first "
            f"{_TRAINING_SHARE:.0%} of a log and {_MINIMUM_TEST} in the rest, log {log.name!r} has "
            f"{training.sum()} and {(~training).sum()}"
        )
    days = (log.dates - log.dates[0]).astype(np.int64)
    steps: npt.NDArray[np.int64]
    intensity: npt.NDArray[np.float64]
    if time_base == "session":
        steps = np.arange(len(log))
        intensity = sessions.intensity_trimp
        first_steps = int(np.searchsorted(days, _INITIAL_DAYS))
    else:
        steps = days
        intensity = np.bincount(days, weights=sessions.intensity_trimp).astype(np.float64)
        first_steps = _INITIAL_DAYS
    return LoadSeries(
        intensity_trimp=intensity,
        step=steps[log.timed],
        performance=sessions.performance[log.timed],
        training=training,
        initial_level=float(intensity[:first_steps].mean()),
    )
