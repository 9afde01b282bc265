"""How a plan becomes a session under FitRec adherence, compiled: load, tolerance, completion.

Ours, after Banister (TRIMPexp) for the load and the goal-setting and self-efficacy models of Aswani
et al. 2019 and Zhou et al. 2018 for motivation; docs/model.md has every equation.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fitgym.compilation import compiled

__all__ = [
    "CURVE",
    "PLAN",
    "SEGMENT",
    "Tables",
    "at_share",
    "days_entry",
    "history_row",
    "log_tolerance",
    "nearest_plan",
    "next_motivation",
    "plan_done",
    "recorded_history",
]

# A plan's target and the range of its segments.
PLAN = np.dtype([("target", np.float64), ("first", np.int64), ("last", np.int64)], align=True)
# Points and minutes of a plan up to the end of a segment.
SEGMENT = np.dtype([("points", np.float64), ("minutes", np.float64)])
# Internal load, and heart rate times minutes, up to the end of a segment.
CURVE = np.dtype([("load", np.float32), ("beats", np.float32)])


class Tables(NamedTuple):
    """The arrays that the compiled step reads.

    Attributes:
        sessions_trimp: (n,) intensities of the person's log, float64; empty where none is used.
        plans: (plans,) record array of ``PLAN``.
        segments: (S,) record array of ``SEGMENT``.
        curves: (tables, rows, S) record array of ``CURVE``: one table per person, or one for all.
    """

    sessions_trimp: NDArray[np.float64]
    plans: NDArray[np.void]
    segments: NDArray[np.void]
    curves: NDArray[np.void]


@compiled
def log_tolerance(
    reference: float,
    base_level_ratio: float,
    base_level_effect: float,
    relative_fatigue: float,
    fatigue_effect: float,
    motivation: float,
    noise: float,
) -> float:
    """Return ``ln C_t = ln C_0 + zeta ln(B_t / B_0) - kappa G' + m_t + eps_t``.

    Args:
        reference: ``ln C_0``.
        base_level_ratio: ``B_t / B_0``.
        base_level_effect: ``zeta``.
        relative_fatigue: ``G' = k_G G / max(p_0 + k_F F, 1)``.
        fatigue_effect: ``kappa``.
        motivation: ``m_t``.
        noise: ``eps_t``.
    """
    return (
        reference
        + base_level_effect * math.log(base_level_ratio)
        - fatigue_effect * relative_fatigue
        + motivation
        + noise
    )


@compiled
def days_entry(days_since: int) -> int:
    """Return which entry of ``DAYS_SINCE`` stands for a number of days, from 1."""
    if days_since <= 3:
        return days_since - 1
    return 3 if days_since <= 7 else 4


@compiled
def history_row(history: int, days_since: int) -> int:
    """Return the row of the load table.

    Args:
        history: 0 without a last session, else ``1 + plan * 10 + tenths - 1``.
        days_since: Days since that session, from 1.
    """
    if history == 0:
        return 0
    return 1 + (history - 1) * 5 + days_entry(days_since)


@compiled
def recorded_history(plan: int, share: float) -> int:
    """Return the history that a session leaves, in tenths; 0 if too little was done to count.

    Args:
        plan: Index of the plan, from 0.
        share: Share of its points done.
    """
    # Half a tenth and more counts; +0.5 and not round(), which sends .5 to the even side.
    tenths = int(share * 10.0 + 0.5)
    return 0 if tenths == 0 else 1 + plan * 10 + tenths - 1


@compiled
def nearest_plan(plans: Any, intensity: float) -> int:
    """Return the index (from 0) of the plan whose target is nearest to ``intensity``.

    Of two as near it is the easier one. Targets rise, so that the first minimum is the only one.
    """
    best = 0
    while best + 1 < plans.size and abs(plans[best + 1].target - intensity) < abs(
        plans[best].target - intensity
    ):
        best += 1
    return best


@compiled
def _share_at_load(
    curve: Any, segments: Any, first: int, last: int, tolerance: float
) -> tuple[float, int]:
    """Return the share of a plan's points done when the load first exceeds ``tolerance``.

    And the segment in which it does; the last one if it never does.
    """
    if curve[last - 1].load <= tolerance:
        return 1.0, last - 1
    low, high = first, last - 1
    while low < high:
        middle = (low + high) // 2
        # Two choices and no branch: where a search goes next cannot be predicted.
        over = curve[middle].load > tolerance
        high = middle if over else high
        low = low if over else middle + 1
    load_before, points_before = 0.0, 0.0
    if low > first:
        load_before = curve[low - 1].load
        points_before = segments[low - 1].points
    # The first segment whose end exceeds the tolerance has load, so this never divides by zero.
    inside = (tolerance - load_before) / (curve[low].load - load_before)
    points = points_before + inside * (segments[low].points - points_before)
    return float(min(points / segments[last - 1].points, 1.0)), low


@compiled
def _segment_at(segments: Any, first: int, last: int, points: float) -> int:
    """Return the first segment of a plan by whose end ``points`` are done."""
    low, high = first, last - 1
    while low < high:
        middle = (low + high) // 2
        if segments[middle].points >= points:
            high = middle
        else:
            low = middle + 1
    return low


@compiled
def _at_points(
    curve: Any, segments: Any, first: int, segment: int, points: float
) -> tuple[float, float, float]:
    """Return load, heart rate times minutes, and minutes when ``points`` are done."""
    load_before, beats_before, minutes_before, points_before = 0.0, 0.0, 0.0, 0.0
    if segment > first:
        load_before = curve[segment - 1].load
        beats_before = curve[segment - 1].beats
        minutes_before = segments[segment - 1].minutes
        points_before = segments[segment - 1].points
    inside = (points - points_before) / (segments[segment].points - points_before)
    return (
        load_before + inside * (curve[segment].load - load_before),
        beats_before + inside * (curve[segment].beats - beats_before),
        minutes_before + inside * (segments[segment].minutes - minutes_before),
    )


@compiled
def at_share(
    curve: Any, segments: Any, first: int, last: int, share: float
) -> tuple[float, float, float]:
    """Return load, heart rate times minutes, and minutes when a share of the points is done."""
    points = share * segments[last - 1].points
    segment = _segment_at(segments, first, last, points)
    return _at_points(curve, segments, first, segment, points)


@compiled
def plan_done(
    plans: Any, segments: Any, curve: Any, plan_trimp: float, tolerance: float
) -> tuple[float, float, float]:
    """Return how far a plan is carried out: its share, the internal load, the mean heart rate.

    A target between two plans has the load curve interpolated between theirs at equal share of the
    session, which is an approximation; below the smallest plan, between nothing and that plan.

    Args:
        plans: Record array of ``PLAN``, targets rising.
        segments: Record array of ``SEGMENT``.
        curve: Record array of ``CURVE``: the row of the present history.
        plan_trimp: Target, > 0 and at most the largest plan.
        tolerance: ``C_t``; the session stops when the load first exceeds it.
    """
    upper = 0
    while plans[upper].target < plan_trimp:
        upper += 1
    first, last = plans[upper].first, plans[upper].last
    if plans[upper].target == plan_trimp:
        share, segment = _share_at_load(curve, segments, first, last, tolerance)
        points = share * segments[last - 1].points
        # The session stops in the segment just found, but for a rounding at its ends.
        while segment > first and segments[segment - 1].points >= points:
            segment -= 1
        while segments[segment].points < points:
            segment += 1
        load, beats, minutes = _at_points(curve, segments, first, segment, points)
        return share, load, beats / minutes if minutes > 0.0 else 0.0

    lower_target = plans[upper - 1].target if upper > 0 else 0.0
    weight = (plan_trimp - lower_target) / (plans[upper].target - lower_target)
    low, high = 0.0, 1.0
    share = 1.0
    # The first round asks for the whole session; the others halve the bracket of the crossing.
    for _ in range(54):
        load, beats, minutes = at_share(curve, segments, first, last, share)
        load, beats, minutes = weight * load, weight * beats, weight * minutes
        if upper > 0:
            other = plans[upper - 1]
            lower = at_share(curve, segments, other.first, other.last, share)
            load += (1.0 - weight) * lower[0]
            beats += (1.0 - weight) * lower[1]
            minutes += (1.0 - weight) * lower[2]
        if load > tolerance:
            high = share
        elif share == 1.0:
            break
        else:
            low = share
        share = 0.5 * (low + high)
    return share, load, beats / minutes if minutes > 0.0 else 0.0


@compiled
def next_motivation(
    motivation: float,
    persistence: float,
    success_effect: float,
    failure_effect: float,
    planned: bool,
    share: float,
    noise: float,
) -> float:
    """Return ``m_{t+1} = phi m_t + e_c 1{c = 1} - e_f (1 - c) + s_m xi``.

    Args:
        motivation: ``m_t``.
        persistence: ``phi``.
        success_effect: ``e_c``.
        failure_effect: ``e_f``.
        planned: Whether there was a plan; without one neither effect counts.
        share: ``c_t``.
        noise: ``s_m xi_t``.
    """
    after = persistence * motivation + noise
    if planned:
        after += success_effect if share >= 1.0 else -failure_effect * (1.0 - share)
    return after
