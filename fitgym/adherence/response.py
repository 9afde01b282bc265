"""How a plan becomes a session under FitRec adherence, compiled: load, tolerance, completion.

Ours, after Banister (TRIMPexp) for the load and the goal-setting and self-efficacy models of Aswani
et al. 2019 and Zhou et al. 2018 for motivation; docs/model.md has every equation.
Loads and beats are float32 in memory; every one read becomes a float, as arithmetic with less
precise numbers differs between compiled code and Python.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from fitgym.common.compilation import compiled


class Curve(NamedTuple):
    """Where the load and the beats of all plans stand: between two rows of a table.

    Attributes:
        table: Which table.
        row: The first row.
        next_row: The second row; the first again where there is but one.
        part: How far, 0 to 1, the curve lies from the first row towards the second.
    """

    table: int
    row: int
    next_row: int
    part: float


@compiled
def load_at(tables: Any, curve: Curve, segment: int) -> float:
    """Return the load up to the end of a segment.

    Args:
        tables: ``fitgym.adherence.base.Tables``.
        curve: Where it stands.
        segment: Index among the segments of all plans.
    """
    low = float(tables.loads[curve.table, curve.row, segment])
    if curve.part == 0.0:
        return low
    high = float(tables.loads[curve.table, curve.next_row, segment])
    return low + curve.part * (high - low)


@compiled
def beats_at(tables: Any, curve: Curve, segment: int) -> float:
    """Return heart rate times minutes up to the end of a segment; see ``load_at``."""
    low = float(tables.beats[curve.table, curve.row, segment])
    high = float(tables.beats[curve.table, curve.next_row, segment])
    return low + curve.part * (high - low)


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
def _plan_not_below(targets_trimp: Any, plan_trimp: float) -> int:
    """Return the index (from 0) of the easiest plan that asks for as much, or of the hardest."""
    index = 0
    # Counts, where a search would branch in a way that cannot be predicted.
    for easier in range(targets_trimp.size - 1):
        index += targets_trimp[easier] < plan_trimp
    return index


@compiled
def _nearer(targets_trimp: Any, upper: int, intensity: float) -> int:
    """Return ``upper``, the easiest plan not below, or the one before it if that is as near."""
    if upper > 0 and intensity - targets_trimp[upper - 1] <= targets_trimp[upper] - intensity:
        return upper - 1
    return upper


@compiled
def nearest_plan(targets_trimp: Any, intensity: float) -> int:
    """Return the index (from 0) of the plan whose target is nearest to ``intensity``.

    Of two as near it is the easier one.
    """
    return _nearer(targets_trimp, _plan_not_below(targets_trimp, intensity), intensity)


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
def _stopping_segment(tables: Any, curve: Curve, first: int, last: int, tolerance: float) -> int:
    """Return the segment of a plan in which the load first exceeds ``tolerance``.

    The last one if it never does.
    """
    # A binary search whose branches can be predicted: seven rounds, enough for 128 segments, of
    # which the last change nothing in a shorter plan, and more in a longer one.
    segment, left = first, last - first
    for _ in range(7):
        half = left // 2
        segment = (
            segment + half if load_at(tables, curve, segment + half - 1) <= tolerance else segment
        )
        left -= half
    while left > 1:
        half = left // 2
        segment = (
            segment + half if load_at(tables, curve, segment + half - 1) <= tolerance else segment
        )
        left -= half
    return segment


@compiled
def _before(
    tables: Any, curve: Curve, first: int, segment: int
) -> tuple[float, float, float, float]:
    """Return load, heart rate times minutes, minutes and points of a plan before a segment."""
    if segment == first:
        return 0.0, 0.0, 0.0, 0.0
    last = segment - 1
    segments = tables.segments
    return (
        load_at(tables, curve, last),
        beats_at(tables, curve, last),
        segments[last].minutes,
        segments[last].points,
    )


@compiled
def at_share(
    tables: Any, curve: Curve, first: int, last: int, share: float
) -> tuple[float, float, float]:
    """Return load, heart rate times minutes, and minutes when a share of the points is done."""
    segments = tables.segments
    points = share * segments[last - 1].points
    segment = _segment_at(segments, first, last, points)
    load, done, minutes, points_before = _before(tables, curve, first, segment)
    inside = (points - points_before) / (segments[segment].points - points_before)
    return (
        load + inside * (load_at(tables, curve, segment) - load),
        done + inside * (beats_at(tables, curve, segment) - done),
        minutes + inside * (segments[segment].minutes - minutes),
    )


@compiled
def _until_tolerance(
    tables: Any, curve: Curve, first: int, last: int, tolerance: float
) -> tuple[float, float, float, float]:
    """Return share, load, heart rate times minutes, and minutes when ``tolerance`` is reached."""
    segments = tables.segments
    whole = load_at(tables, curve, last - 1)
    if whole <= tolerance:
        return 1.0, whole, beats_at(tables, curve, last - 1), segments[last - 1].minutes
    segment = _stopping_segment(tables, curve, first, last, tolerance)
    load, done, minutes, points = _before(tables, curve, first, segment)
    # The first segment whose end exceeds the tolerance has load, so this never divides by zero.
    inside = (tolerance - load) / (load_at(tables, curve, segment) - load)
    points += inside * (segments[segment].points - points)
    return (
        min(points / segments[last - 1].points, 1.0),
        tolerance,
        done + inside * (beats_at(tables, curve, segment) - done),
        minutes + inside * (segments[segment].minutes - minutes),
    )


@compiled
def plan_done(
    tables: Any, curve: Curve, plan_trimp: float, tolerance: float
) -> tuple[int, float, float, float]:
    """Return the nearest plan, and how far it is done: share, internal load, mean heart rate.

    A target between two plans has the load curve interpolated between theirs at equal share of the
    session, which is an approximation; below the smallest plan, between nothing and that plan.

    Args:
        tables: ``fitgym.adherence.base.Tables`` of the model.
        curve: Load and beats after the present history.
        plan_trimp: Target, > 0 and at most the largest plan.
        tolerance: ``C_t``; the session stops when the load first exceeds it.
    """
    targets_trimp, first_segments = tables.targets_trimp, tables.first_segments
    upper = _plan_not_below(targets_trimp, plan_trimp)
    first, last = first_segments[upper], first_segments[upper + 1]
    if targets_trimp[upper] == plan_trimp:
        share, load, done, minutes = _until_tolerance(tables, curve, first, last, tolerance)
        return upper, share, load, done / minutes if minutes > 0.0 else 0.0

    lower_target = targets_trimp[upper - 1] if upper > 0 else 0.0
    weight = (plan_trimp - lower_target) / (targets_trimp[upper] - lower_target)
    low, high = 0.0, 1.0
    share = 1.0
    # The first round asks for the whole session; the others halve the bracket of the crossing.
    for _ in range(54):
        load, done, minutes = at_share(tables, curve, first, last, share)
        load, done, minutes = weight * load, weight * done, weight * minutes
        if upper > 0:
            lower = at_share(tables, curve, first_segments[upper - 1], first, share)
            load += (1.0 - weight) * lower[0]
            done += (1.0 - weight) * lower[1]
            minutes += (1.0 - weight) * lower[2]
        if load > tolerance:
            high = share
        elif share == 1.0:
            break
        else:
            low = share
        share = 0.5 * (low + high)
    nearest = _nearer(targets_trimp, upper, plan_trimp)
    return nearest, share, load, done / minutes if minutes > 0.0 else 0.0


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
