"""FitRec adherence of version 1 on the records of the compiled step.

As in version 0 a plan is carried on until its internal load exceeds what is tolerated. Here the
load follows from a heart that knows today's fitness, and that beats differently from day to day:

    HR = predicted(plan, last session, attributes, VDOT p_t) + w(HR) o_t
    o_t = o + s_HR xi_t        the lasting offset of this heart, and the session's
    ln L(o_t) = ln L(0) + kappa_L o_t

with ``w`` of ``fitgym.model.internal_load.offset_weight`` and ``kappa_L`` the slope of the whole
plan, so that a plan stops where the load without offset exceeds ``C_t exp(-kappa_L o_t)``.
"""

from __future__ import annotations

import math
from typing import Any

from fitgym.adherence.fitrec_step import (
    log_tolerance_of,
    move_motivation,
    remember,
    session_by_habit,
)
from fitgym.adherence.response import (
    Curve,
    beats_at,
    load_at,
    nearest_plan,
    plan_done,
    recorded_history,
)
from fitgym.common.compilation import compiled
from fitgym.model.dynamics import performance
from fitgym.model.noise import (
    HEART_RATE,
    TOLERANCE,
    normal,
)

FITREC2 = 3


@compiled
def body_row(history: int, days_since: int) -> int:
    """Return the row of a node of a body table, see ``fitgym.adherence.body_table.BodyTable``.

    Args:
        history: 0 without a last session, else ``1 + plan * 10 + tenths - 1``.
        days_since: Days since that session, from 1.
    """
    if history == 0:
        return 0
    plan, tenths = (history - 1) // 10, (history - 1) % 10 + 1
    # One to three tenths, four to six, and more.
    done = min((tenths - 1) // 3, 2)
    return 1 + (plan * 3 + done) * 2 + (0 if days_since == 1 else 1)


@compiled
def fitness_place(state: Any, person: Any, nodes: Any, count: int) -> tuple[int, float]:
    """Return the node before today's VDOT, and how far, 0 to 1, it lies towards the next.

    Args:
        state: Record of ``STATE``.
        person: Record of ``PERSON``.
        nodes: (2,) first node and step in ``1 / VDOT^2``.
        count: Number of nodes.
    """
    vdot = performance(
        state.fitness,
        state.fatigue,
        person.baseline_performance,
        person.fitness_utility,
        person.fatigue_utility,
    )
    vdot = max(vdot, 1.0)
    place = (1.0 / (vdot * vdot) - nodes[0]) / nodes[1]
    place = min(max(place, 0.0), count - 1.0)
    node = min(int(place), count - 2)
    return node, place - node


@compiled
def heart_rate_offset(person: Any, noise: float) -> float:
    """Return ``o_t``, the offset of a day in bpm, within the person's limits.

    Args:
        person: Record of ``PERSON``.
        noise: The day's standard normal number.
    """
    offset = person.heart_rate_offset + person.heart_rate_sd * noise
    return float(min(max(offset, -person.heart_rate_limit), person.heart_rate_limit))


@compiled
def with_offset(person: Any, heart_rate: float, offset: float) -> float:
    """Return a mean heart rate with its offset, which fades towards the maximum.

    It is ``offset_weight`` of ``fitgym.model.internal_load`` in terms of the limit.
    """
    room = (person.maximum_heart_rate - heart_rate) / person.heart_rate_limit
    return float(heart_rate + offset * min(max(room, 0.0), 1.0))


@compiled
def body_curve(state: Any, table: int, node: int, part: float, tables: Any) -> Curve:
    """Return where load and beats of today's plans stand, without an offset of heart rate."""
    rows = tables.loads.shape[1] // tables.load_slopes.shape[1]
    row = node * rows + body_row(state.history, state.days_since)
    return Curve(table, row, row + rows, part)


@compiled
def fill_curve(state: Any, person: Any, tables: Any, loads: Any, beats: Any) -> None:
    """Fill in today's load and beats up to the end of each segment, without an offset.

    Args:
        state: Record of ``STATE``.
        person: Record of ``PERSON``.
        tables: ``fitgym.adherence.base.Tables`` of the model.
        loads: (S,), filled in.
        beats: (S,), filled in.
    """
    table = person.table
    node, part = fitness_place(state, person, tables.nodes[table], tables.load_slopes.shape[1])
    curve = body_curve(state, table, node, part, tables)
    for segment in range(loads.size):
        loads[segment] = load_at(tables, curve, segment)
        beats[segment] = beats_at(tables, curve, segment)


@compiled
def slope_at(slopes: Any, node: int, part: float, plan: int) -> float:
    """Return a plan's slope (nodes, plans) at today's VDOT."""
    low = slopes[node, plan]
    return float(low + part * (slopes[node + 1, plan] - low))


@compiled
def body_response(
    state: Any, person: Any, plan_trimp: float, noise: float, heart_noise: float, tables: Any
) -> tuple[int, float, float, float]:
    """Return the plan nearest to a target, and what the person makes of it.

    Args:
        state: Record of ``STATE``.
        person: Record of ``PERSON``.
        plan_trimp: ``a_t`` > 0.
        noise: Today's standard normal deviation of log tolerance.
        heart_noise: Today's standard normal deviation of heart rate.
        tables: ``fitgym.adherence.base.Tables`` of the model.

    Returns:
        Index of the plan from 0, share done, internal load and mean heart rate.
    """
    table = person.table
    node, part = fitness_place(state, person, tables.nodes[table], tables.load_slopes.shape[1])
    offset = heart_rate_offset(person, heart_noise)
    # A target between two plans has the slopes of the nearest.
    nearest = nearest_plan(tables.targets_trimp, plan_trimp)
    shift = offset * slope_at(tables.load_slopes[table], node, part, nearest)
    plan, share, load, heart_rate = plan_done(
        tables,
        body_curve(state, table, node, part, tables),
        plan_trimp,
        math.exp(log_tolerance_of(state, person, noise) - shift),
    )
    return (
        plan,
        share,
        load * math.exp(shift),
        with_offset(person, heart_rate, offset),
    )


@compiled
def plan_tolerated_by_body(
    state: Any, person: Any, plan_trimp: float, tables: Any
) -> tuple[float, bool]:
    """Return the points done today and whether a plan was met, under version 1's adherence.

    Args:
        state: Record of ``STATE``; motivation and what is remembered of sessions change.
        person: Record of ``PERSON``.
        plan_trimp: ``a_t``, 0 for no plan.
        tables: ``fitgym.adherence.base.Tables`` of the model.
    """
    planned = plan_trimp > 0.0
    share = 0.0
    heart_noise = normal(state.key, state.day, HEART_RATE)
    if planned:
        noise = normal(state.key, state.day, TOLERANCE)
        plan, share, load, heart_rate = body_response(
            state, person, plan_trimp, noise, heart_noise, tables
        )
        remember(state, recorded_history(plan, share))
        state.internal_load = load
        state.mean_heart_rate = heart_rate
        intensity = share * plan_trimp
    else:
        intensity = _follow_habit(state, person, heart_noise, tables)
    move_motivation(state, person, planned, share)
    return intensity, planned and share >= 1.0


@compiled
def _follow_habit(state: Any, person: Any, heart_noise: float, tables: Any) -> float:
    """Return what is done on a day without a plan; update what is remembered of sessions."""
    intensity = session_by_habit(state, person, tables)
    if intensity == 0.0:
        remember(state, 0)
        return 0.0
    # To the predictor, a habit session is the nearest plan, completed.
    plan = nearest_plan(tables.targets_trimp, intensity)
    last = tables.first_segments[plan + 1] - 1
    table = person.table
    node, part = fitness_place(state, person, tables.nodes[table], tables.load_slopes.shape[1])
    curve = body_curve(state, table, node, part, tables)
    offset = heart_rate_offset(person, heart_noise)
    shift = offset * slope_at(tables.load_slopes[table], node, part, plan)
    state.internal_load = load_at(tables, curve, last) * math.exp(shift)
    heart_rate = beats_at(tables, curve, last) / tables.segments[last].minutes
    state.mean_heart_rate = with_offset(person, heart_rate, offset)
    remember(state, recorded_history(plan, 1.0))
    return float(intensity)
