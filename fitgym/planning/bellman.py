"""One day of backward induction, compiled: what each plan is worth, and the best of them.

The state of the dynamic program is (ln B, F, G, m); see ``fitgym.planning.dynamic_programming``.
Dynamics, tolerance and reward are those of the kernel: nothing here has an equation of its own but
the probability of each outcome.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fitgym.adherence.fitrec2_step import fitness_place, slope_at
from fitgym.adherence.fitrec_step import habit_probability, log_tolerance_of
from fitgym.adherence.response import Curve, at_share
from fitgym.common.compilation import (
    compiled,
    compiled_allocating,
    compiled_parallel,
    parallel_range,
)
from fitgym.envs import kernel

# Outcomes less likely than this, at every motivation, are left out.
_NEGLIGIBLE = 1e-7


@compiled
def fill_log_loads(tables: Any, table: int, log_loads: Any) -> None:
    """Fill ``log_loads[row, plan, k]`` with the log of the load at the k-th share of a plan."""
    rows, plans, edges = log_loads.shape
    for row in range(rows):
        curve = Curve(table, row, row, 0.0)
        for plan in range(plans):
            first, last = tables.first_segments[plan], tables.first_segments[plan + 1]
            for k in range(edges):
                load, _, _ = at_share(tables, curve, first, last, k / (edges - 1))
                log_loads[row, plan, k] = math.log(max(load, 1e-300))


@compiled
def todays_loads(state: Any, person: Any, loads: Any, tables: Any, result: Any, sds: Any) -> None:
    """Fill in the log of the loads of a state's plans, and the spread of the day's noise.

    Where loads depend on today's fitness they are interpolated between its nodes, as a step does,
    and raised by the lasting offset of the heart; that of the session adds to the noise.

    Args:
        state: Record of ``STATE``.
        person: Record of ``PERSON``.
        loads: Load of each plan at equal shares, by node, (nodes, plans, shares + 1).
        tables: ``fitgym.adherence.base.Tables`` of the model.
        result: (plans, shares + 1), filled in.
        sds: (plans,), filled in.
    """
    nodes, plans, edges = loads.shape
    if nodes == 1:
        for j in range(plans):
            sds[j] = person.tolerance_sd
            for k in range(edges):
                result[j, k] = math.log(loads[0, j, k])
        return
    slopes = tables.load_slopes[person.table]
    node, part = fitness_place(state, person, tables.nodes[person.table], nodes)
    for j in range(plans):
        slope = slope_at(slopes, node, part, j)
        shift = slope * person.heart_rate_offset
        session = slope * person.heart_rate_sd
        sds[j] = math.sqrt(person.tolerance_sd * person.tolerance_sd + session * session)
        for k in range(edges):
            low = loads[node, j, k]
            result[j, k] = math.log(low + part * (loads[node + 1, j, k] - low)) + shift


@compiled
def _cell(axis: Any, point: float) -> tuple[int, float]:
    """Return the cell of an even axis that a point lies in, and how far, 0 to 1, in it."""
    place = (point - axis[0]) / (axis[1] - axis[0])
    place = min(max(place, 0.0), axis.size - 1.0)
    cell = min(int(place), axis.size - 2)
    return cell, place - cell


@compiled
def interpolate(values: Any, axes: Any, state: Any, result: Any) -> None:
    """Fill ``result`` (m,) with the values (ln B, F, G, m) at the stocks of a state."""
    b, b_part = _cell(axes[0], math.log(state.base_level))
    f, f_part = _cell(axes[1], state.fitness)
    g, g_part = _cell(axes[2], state.fatigue)
    result[:] = 0.0
    for corner in range(8):
        i, j, k = corner >> 2, (corner >> 1) & 1, corner & 1
        weight = (
            (b_part if i else 1.0 - b_part)
            * (f_part if j else 1.0 - f_part)
            * (g_part if k else 1.0 - g_part)
        )
        if weight > 0.0:
            row = values[b + i, f + j, g + k]
            for m in range(row.size):
                result[m] += weight * float(row[m])


@compiled_allocating
def _plan_values(
    scratch: Any,
    outcome: Any,
    people: Any,
    targets: Any,
    loads: Any,
    tables: Any,
    habits: Any,
    expected: Any,
    axes: Any,
    work: Any,
    log_loads: Any,
    sds: Any,
    result: Any,
) -> None:
    """Fill ``result[plan, m]`` with what each plan is worth at the stocks of ``scratch[1]``.

    Args:
        scratch: Record array of ``STATE``, (2,): the state is the second, the first is work space.
        outcome: Record array of ``OUTCOME``, (1,), work space.
        people: Record array of ``PERSON``, (1,).
        targets: Points of each action, 0 first.
        loads: Load of each plan at equal shares, by node of fitness, (nodes, 10, shares + 1).
        tables: ``fitgym.adherence.base.Tables`` of the model.
        habits: Equally likely habit sessions, points.
        expected: See ``fitgym.planning.dynamic_programming.DynamicProgram.expected``.
        axes: Grid points along ln B, F, G and m.
        work: (5, m), work space.
        log_loads: (10, shares + 1), work space.
        sds: (10,), work space.
        result: (11, m).
    """
    person = people[0]
    motivations = axes[3]
    shares = log_loads.shape[1] - 1
    tolerance, strikes, below, likely, ahead = work[0], work[1], work[2], work[3], work[4]
    for m in range(motivations.size):
        scratch[1].motivation = motivations[m]
        tolerance[m] = log_tolerance_of(scratch[1], person, 0.0)
        strikes[m] = habit_probability(scratch[1], person)
    result[:] = 0.0
    todays_loads(scratch[1], person, loads, tables, log_loads, sds)

    for j in range(targets.size):
        outcomes = shares + 1 if j > 0 else habits.size + 1
        below[:] = 0.0
        for k in range(outcomes):
            met = False
            kind = shares + 1
            if j > 0:
                # A plan stops in share k if the load at the end of it is not tolerated but that
                # at its start is; it is completed if the load at the end of the plan is.
                kind = k
                met = k == shares
                intensity = targets[j] * (1.0 if met else (k + 0.5) / shares)
                for m in range(motivations.size):
                    up_to = 1.0
                    if not met:
                        margin = (log_loads[j - 1, k + 1] - tolerance[m]) / sds[j - 1]
                        up_to = 0.5 * math.erfc(-margin / math.sqrt(2.0))
                    likely[m] = up_to - below[m]
                    below[m] = up_to
            elif k < habits.size:
                intensity = habits[k]
                for m in range(motivations.size):
                    likely[m] = strikes[m] / habits.size
            else:
                intensity = 0.0
                for m in range(motivations.size):
                    likely[m] = 1.0 - strikes[m]
            if likely.max() < _NEGLIGIBLE:
                continue
            scratch[0] = scratch[1]
            kernel.step_with_response(scratch, outcome, people, 0, targets[j], intensity, met)
            interpolate(expected[kind], axes, scratch[0], ahead)
            reward = outcome[0].reward
            for m in range(motivations.size):
                result[j, m] += likely[m] * (reward + ahead[m])


@compiled_allocating
def look_ahead(
    states: Any,
    scratch: Any,
    outcome: Any,
    people: Any,
    targets: Any,
    loads: Any,
    rows: Any,
    tables: Any,
    habits: Any,
    expected: Any,
    axes: Any,
    result: Any,
) -> None:
    """Fill ``result[i, plan, m]`` with what each plan is worth in state i; see ``_plan_values``.

    ``loads`` is by row and node, (rows, nodes, 10, shares + 1); ``rows`` (N,) says which.
    """
    work = np.empty((5, axes[3].size))
    log_loads = np.empty(loads.shape[2:])
    sds = np.empty(loads.shape[2])
    for i in range(states.size):
        scratch[1] = states[i]
        _plan_values(
            scratch,
            outcome,
            people,
            targets,
            loads[rows[i]],
            tables,
            habits,
            expected,
            axes,
            work,
            log_loads,
            sds,
            result[i],
        )


@compiled_parallel
def induce(
    scratch: Any,
    outcome: Any,
    people: Any,
    targets: Any,
    allowed: Any,
    loads: Any,
    tables: Any,
    habits: Any,
    expected: Any,
    axes: Any,
    values: Any,
) -> None:
    """Fill ``values`` (ln B, F, G, m) with the best over the allowed plans; see ``_plan_values``.

    ``scratch`` and ``outcome`` have a row for each pair of base level and fitness, so that no two
    threads share one.
    """
    base_levels, fitness, fatigue, motivations = axes
    for pair in parallel_range(base_levels.size * fitness.size):
        b = pair // fitness.size
        f = pair % fitness.size
        state = scratch[pair]
        work = np.empty((5, motivations.size))
        log_loads = np.empty(loads.shape[1:])
        sds = np.empty(loads.shape[1])
        result = np.empty((targets.size, motivations.size))
        for g in range(fatigue.size):
            state[1].base_level = math.exp(base_levels[b])
            state[1].fitness = fitness[f]
            state[1].fatigue = fatigue[g]
            _plan_values(
                state,
                outcome[pair],
                people,
                targets,
                loads,
                tables,
                habits,
                expected,
                axes,
                work,
                log_loads,
                sds,
                result,
            )
            for m in range(motivations.size):
                best = -math.inf
                for j in range(targets.size):
                    if allowed[j] and result[j, m] > best:
                        best = result[j, m]
                values[b, f, g, m] = best
