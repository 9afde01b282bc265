"""Daniels' running formula: VDOT, training zones, paces and points, as pure functions.

Distances are in metres, times in minutes, speeds in metres per minute, oxygen uptake and VDOT in
ml/kg/min, paces in minutes per mile (the unit of Daniels' tables), training load in points
(TRIMP). Sources: Daniels and Gilbert 1979, *Oxygen Power* (the two regressions behind VDOT);
Daniels 2014, *Daniels' Running Formula*, 3rd edition (zones, pace tables, points per minute, the
latter as quoted by Fang, Lee and Wang 2022, arXiv 2204.00961).
"""

from __future__ import annotations

import math
from enum import IntEnum
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from fitgym.common.validation import require_number

METRES_PER_MILE = 1609.344  # the international mile, by definition
MARATHON_M = 42195.0  # the official distance


class Zone(IntEnum):
    """Training zones of Daniels, from the slowest to the fastest."""

    EASY = 0
    MARATHON = 1
    THRESHOLD = 2
    INTERVAL = 3
    REPETITION = 4

    @property
    def letter(self) -> str:
        """Daniels' letter of the zone: E, M, T, I or R."""
        return self.name[0]


# Points per minute in each zone, in the order of `Zone` (Daniels 2014, as in Fang et al. 2022).
POINTS_PER_MINUTE = (0.2, 0.4, 0.6, 1.0, 1.5)

# Share of VDOT at which each zone but M is run. Daniels' printed paces are met within 2 %
# (tests/test_daniels.py). E is a range of 63 to 73.5 %; its midpoint is the speed plans use, ours.
EASY_SHARE_RANGE = (0.63, 0.735)
_SHARE_OF_VDOT = {
    Zone.EASY: sum(EASY_SHARE_RANGE) / 2.0,
    Zone.THRESHOLD: 0.88,
    Zone.INTERVAL: 0.975,
    Zone.REPETITION: 1.089,
}

# Benchmark paces in min/mile of zones M, T, I, R (Daniels 2014, table 5.2), for the five VDOTs
# at which Fang et al. 2022 classify the marathon runner's sessions.
_BENCHMARK_TABLE = {
    39.0: (9.039, 8.369, 7.725, 7.153),
    41.0: (8.637, 8.047, 7.403, 6.884),
    42.0: (8.476, 7.886, 7.269, 6.706),
    46.0: (7.805, 7.323, 6.759, 6.169),
    48.0: (7.537, 7.081, 6.518, 5.990),
}

# The VDOTs for which paces can be asked: wider than Daniels' tables (30 to 85), and as far as the
# regressions make sense. Ours.
VDOT_RANGE = (10.0, 100.0)

# Coefficients of the oxygen cost of running (Daniels and Gilbert 1979).
_COST_CONSTANT, _COST_LINEAR, _COST_SQUARE = -4.60, 0.182258, 0.000104

FloatOrArray = TypeVar("FloatOrArray", float, npt.NDArray[np.float64])


def oxygen_cost(speed: FloatOrArray) -> FloatOrArray:
    """Return the oxygen cost of running, ``VO2(v) = -4.60 + 0.182258 v + 0.000104 v^2``.

    Args:
        speed: Metres per minute, positive; a float or an array. Below about 25 m/min the
            regression, which was made for running, gives no positive cost.

    Returns:
        ml/kg/min, shaped as ``speed``.

    Raises:
        ValueError: If a speed is not positive and finite.
    """
    _require_positive("speed", speed)
    return _COST_CONSTANT + _COST_LINEAR * speed + _COST_SQUARE * speed**2


def speed_at_oxygen_cost(cost: FloatOrArray) -> FloatOrArray:
    """Return the speed with oxygen cost ``cost``, the inverse of ``oxygen_cost``.

    Args:
        cost: ml/kg/min, positive; a float or an array.

    Returns:
        Metres per minute, shaped as ``cost``.

    Raises:
        ValueError: If a cost is not positive and finite.
    """
    _require_positive("cost", cost)
    root: FloatOrArray = (_COST_LINEAR**2 - 4.0 * _COST_SQUARE * (_COST_CONSTANT - cost)) ** 0.5
    return (root - _COST_LINEAR) / (2.0 * _COST_SQUARE)


def sustainable_share(time_min: FloatOrArray) -> FloatOrArray:
    """Return the share of maximal oxygen uptake that can be held for ``time_min`` minutes.

    ``0.8 + 0.1894393 e^(-0.012778 t) + 0.2989558 e^(-0.1932605 t)`` (Daniels and Gilbert 1979).

    Args:
        time_min: Minutes, positive; a float or an array.

    Returns:
        The share, shaped as ``time_min``; above 1 for efforts of less than about 10 minutes.

    Raises:
        ValueError: If a time is not positive and finite.
    """
    _require_positive("time_min", time_min)
    # numpy's exp in both cases, so that one session and a log of sessions give the same bits.
    share: FloatOrArray = (
        0.8 + 0.1894393 * np.exp(-0.012778 * time_min) + 0.2989558 * np.exp(-0.1932605 * time_min)
    )
    return share


def vdot(distance_m: FloatOrArray, time_min: FloatOrArray) -> FloatOrArray:
    """Return VDOT of runs of ``distance_m`` in ``time_min``: oxygen cost over sustainable share.

    It is the runner's ability if the run was a race; of a training run it is a lower bound.

    Args:
        distance_m: Metres, positive; a float or an array.
        time_min: Minutes, positive; of the same shape.

    Returns:
        VDOT in ml/kg/min, in the same shape.

    Raises:
        ValueError: If a distance or a time is not positive and finite.
    """
    _require_positive("distance_m", distance_m)
    _require_positive("time_min", time_min)
    value: FloatOrArray = oxygen_cost(distance_m / time_min) / sustainable_share(time_min)
    return value


def race_time(vdot_value: float, distance_m: float) -> float:
    """Return the minutes that a runner of VDOT ``vdot_value`` needs to race ``distance_m``.

    The time at which ``vdot(distance_m, time)`` equals ``vdot_value``, by root finding.

    Args:
        vdot_value: VDOT in [10, 100].
        distance_m: Metres, in [800, 100000] (Daniels' tables run from 1500 m to the marathon).

    Raises:
        TypeError: If an argument is not a real number.
        ValueError: If an argument is outside its range.
    """
    from scipy.optimize import brentq

    value = require_number("vdot_value", vdot_value, *VDOT_RANGE)
    distance = require_number("distance_m", distance_m, 800.0, 100_000.0)
    # The share lies between 0.8 and 1.3, so the speeds at 0.75 and 1.3 enclose the root; VDOT
    # falls with the time between them.
    fastest, slowest = (distance / speed_at_oxygen_cost(share * value) for share in (1.3, 0.75))
    return float(brentq(lambda time: vdot(distance, time) - value, fastest, slowest, xtol=1e-12))


def zone_speeds(vdot_value: float) -> npt.NDArray[np.float64]:
    """Return the speed of each zone for a runner of VDOT ``vdot_value``.

    M is the race pace of the marathon; T, I and R are run at 88, 97.5 and 108.9 % of VDOT, E at
    68.25 %, the middle of its range of 63 to 73.5 %.

    Args:
        vdot_value: VDOT in [10, 100].

    Returns:
        Metres per minute, shape (5,), in the order of ``Zone``: they rise.

    Raises:
        TypeError: If ``vdot_value`` is not a real number.
        ValueError: If ``vdot_value`` is outside its range.
    """
    value = require_number("vdot_value", vdot_value, *VDOT_RANGE)
    speeds = np.empty(len(Zone))
    speeds[Zone.MARATHON] = MARATHON_M / race_time(value, MARATHON_M)
    for zone, share in _SHARE_OF_VDOT.items():
        speeds[zone] = speed_at_oxygen_cost(share * value)
    return speeds


def benchmark_paces(vdot_value: float) -> npt.NDArray[np.float64]:
    """Return the paces against which sessions of a runner of this VDOT are classified.

    Daniels' printed table for VDOT 39, 41, 42, 46 and 48 (those of the marathon log), the
    formulas of ``zone_speeds`` for every other value.

    Args:
        vdot_value: VDOT in [10, 100].

    Returns:
        Minutes per mile, shape (4,), of zones M, T, I and R: they fall.

    Raises:
        TypeError: If ``vdot_value`` is not a real number.
        ValueError: If ``vdot_value`` is outside its range.
    """
    value = require_number("vdot_value", vdot_value, *VDOT_RANGE)
    if value in _BENCHMARK_TABLE:
        return np.array(_BENCHMARK_TABLE[value])
    paces: npt.NDArray[np.float64] = METRES_PER_MILE / zone_speeds(value)[Zone.MARATHON :]
    return paces


def classify(
    pace_min_per_mile: npt.ArrayLike, paces: npt.NDArray[np.float64]
) -> npt.NDArray[np.int64]:
    """Return the zone of each session: the fastest whose benchmark it ran at least as fast as.

    A session slower than the benchmark of M is easy, and so is one whose pace is not known (NaN).

    Args:
        pace_min_per_mile: Mean paces of the sessions, shape (n,) or a scalar.
        paces: Benchmarks of M, T, I and R in minutes per mile, falling: shape (4,), or (n, 4) for
            a benchmark of its own for each session.

    Returns:
        Values of ``Zone``, shape (n,).

    Raises:
        ValueError: If a pace is not positive or the benchmarks do not fall from M to R.
    """
    pace = np.atleast_1d(np.asarray(pace_min_per_mile, dtype=np.float64))
    if np.any(pace <= 0.0):
        raise ValueError(f"pace_min_per_mile must be positive, got {pace[pace <= 0.0][0]:g}")
    if paces.shape[-1] != len(Zone) - 1 or np.any(np.diff(paces, axis=-1) >= 0.0):
        raise ValueError("paces must be four benchmarks, M, T, I and R, each faster than the last")
    # Benchmarks fall, so the number of them that were reached is the zone.
    zones: npt.NDArray[np.int64] = (pace[:, np.newaxis] <= paces).sum(axis=1)
    return zones


def trimp(time_min: npt.ArrayLike, zone: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the points of sessions run wholly in one zone: minutes times points per minute.

    Args:
        time_min: Minutes, not negative; NaN (time not known) counts as 0 points.
        zone: Values of ``Zone``, of the same shape.

    Returns:
        Points, in the same shape.

    Raises:
        ValueError: If a time is negative or infinite, or a zone is not one of ``Zone``.
    """
    minutes = np.asarray(time_min, dtype=np.float64)
    zones = np.asarray(zone)
    if np.any(minutes < 0.0) or np.any(np.isinf(minutes)):
        raise ValueError("time_min must be at least 0 and finite (NaN where it is not known)")
    if not np.isin(zones, list(Zone)).all():
        raise ValueError(f"zone must hold whole numbers from 0 (E) to 4 (R), got {zone!r}")
    points = np.nan_to_num(minutes) * np.asarray(POINTS_PER_MINUTE)[zones]
    return np.asarray(points, dtype=np.float64)


def _require_positive(name: str, values: float | npt.NDArray[np.float64]) -> None:
    """Raise unless every value is a positive finite number."""
    if isinstance(values, float | int):
        require_number(name, values, 0.0, low_open=True)
        return
    wrong = ~((values > 0.0) & (values < math.inf))
    if np.any(wrong):
        raise ValueError(f"{name} must be positive and finite, got {np.asarray(values)[wrong][0]}")
