"""One day of backward induction under constraints, compiled.

As ``fitgym.planning.bellman``, with three things more: a layer of values for each number of days in
which no hard plan may follow, plans that differ in what is allowed from state to state and from day
to day, and a reward that follows from a goal. Dynamics, tolerance and load are the kernel's.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fitgym.adherence.fitrec_step import log_tolerance_of
from fitgym.common.compilation import (
    compiled,
    compiled_allocating,
    compiled_parallel,
    parallel_range,
)
from fitgym.envs import kernel
from fitgym.planning.bellman import interpolate, todays_loads

# Outcomes less likely than this, at every motivation, are left out.
_NEGLIGIBLE = 1e-7


@compiled
def fill_chances(tolerance: Any, log_loads: Any, sds: Any, chances: Any) -> None:
    """Fill ``chances[plan, k, m]``: of stopping in share k of a plan, and last of completing it.

    Args:
        tolerance: (M,) log of the load tolerated without chance, by motivation.
        log_loads: (plans, shares + 1) log of the load at equal shares.
        sds: (plans,) spread of the day's noise.
        chances: (plans, shares + 1, M), filled in.
    """
    plans, outcomes, motivations = chances.shape
    for j in range(plans):
        for m in range(motivations):
            below = 0.0
            for k in range(outcomes):
                up_to = 1.0
                if k < outcomes - 1:
                    margin = (log_loads[j, k + 1] - tolerance[m]) / sds[j]
                    up_to = 0.5 * math.erfc(-margin / math.sqrt(2.0))
                chances[j, k, m] = up_to - below
                below = up_to


@compiled_allocating
def plan_values(
    scratch: Any,
    outcome: Any,
    people: Any,
    targets: Any,
    loads: Any,
    tables: Any,
    habits: Any,
    habit_odds: float,
    expected: Any,
    axes: Any,
    hard: Any,
    hard_habits: Any,
    weights: Any,
    extra: Any,
    completed: Any,
    result: Any,
) -> None:
    """Fill ``result[layer, plan, m]`` with what each plan is worth at the stocks of ``scratch[1]``.

    Args:
        scratch: Record array of ``STATE``, (2,): the state is the second, the first is work space.
        outcome: Record array of ``OUTCOME``, (1,), work space.
        people: Record array of ``PERSON``, (1,).
        targets: Points of each action, 0 first.
        loads: Load of each plan at equal shares, by node of fitness, (nodes, plans, shares + 1).
        tables: ``fitgym.adherence.base.Tables`` of the model.
        habits: Equally likely habit sessions, points.
        habit_odds: Log odds of the day's habit at motivation 0; minus infinity without time for it.
        expected: Values of tomorrow, (layers, kinds, ln B, F, G, m); see
            ``fitgym.coach.program.SeasonProgram``.
        axes: Grid points along ln B, F, G and m.
        hard: Whether each action is hard.
        hard_habits: Whether each habit session is.
        weights: (2,) of performance, and of completion and shortfall, in the reward.
        extra: Reward of each outcome beside them, (actions, outcomes).
        completed: (plans, M) chance of completing each plan, filled in.
        result: (layers, actions, M), filled in.
    """
    person = people[0]
    motivations = axes[3]
    layers = expected.shape[0]
    plans, edges = loads.shape[1], loads.shape[2]
    tolerance, strikes = np.empty(motivations.size), np.empty(motivations.size)
    likely, ahead = np.empty(motivations.size), np.empty(motivations.size)
    for m in range(motivations.size):
        scratch[1].motivation = motivations[m]
        tolerance[m] = log_tolerance_of(scratch[1], person, 0.0)
        strikes[m] = 1.0 / (1.0 + math.exp(-habit_odds - motivations[m]))
    log_loads, sds = np.empty((plans, edges)), np.empty(plans)
    todays_loads(scratch[1], person, loads, tables, log_loads, sds)
    chances = np.empty((plans, edges, motivations.size))
    fill_chances(tolerance, log_loads, sds, chances)
    completed[:] = chances[:, edges - 1]
    result[:] = 0.0
    for j in range(targets.size):
        for k in range(edges if j > 0 else habits.size + 1):
            met = False
            kind = edges
            is_hard = hard[j]
            if j > 0:
                kind = k
                met = k == edges - 1
                intensity = targets[j] * (1.0 if met else (k + 0.5) / (edges - 1))
                likely[:] = chances[j - 1, k]
            elif k < habits.size:
                intensity = habits[k]
                is_hard = hard_habits[k]
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
            reward = (
                weights[0] * outcome[0].performance_term
                + weights[1] * (outcome[0].completion_term + outcome[0].shortfall_term)
                + extra[j, k]
            )
            reached = -1
            for layer in range(layers):
                # A hard day fills the wait again, any other shortens it.
                after = layers - 1 if is_hard else max(layer - 1, 0)
                if after != reached:
                    interpolate(expected[after, kind], axes, scratch[0], ahead)
                    reached = after
                for m in range(motivations.size):
                    result[layer, j, m] += likely[m] * (reward + ahead[m])


@compiled_allocating
def look_ahead(
    states: Any,
    waits: Any,
    scratch: Any,
    outcome: Any,
    people: Any,
    targets: Any,
    loads: Any,
    rows: Any,
    tables: Any,
    habits: Any,
    habit_odds: float,
    expected: Any,
    axes: Any,
    hard: Any,
    hard_habits: Any,
    weights: Any,
    extra: Any,
    result: Any,
) -> None:
    """Fill ``result[i, action, m]`` with what each plan is worth in state i; see ``plan_values``.

    ``loads`` is by row and node, (rows, nodes, plans, shares + 1); ``rows`` (N,) says which, and
    ``waits`` (N,) how many days no hard plan may follow.
    """
    values = np.empty((expected.shape[0], targets.size, axes[3].size))
    completed = np.empty((targets.size - 1, axes[3].size))
    for i in range(states.size):
        scratch[1] = states[i]
        plan_values(
            scratch,
            outcome,
            people,
            targets,
            loads[rows[i]],
            tables,
            habits,
            habit_odds,
            expected,
            axes,
            hard,
            hard_habits,
            weights,
            extra,
            completed,
            values,
        )
        result[i] = values[waits[i]]


@compiled_allocating
def chances_today(
    state: Any, people: Any, loads: Any, tables: Any, motivations: Any, chances: Any
) -> None:
    """Fill ``chances`` (plans, shares + 1, M) for one state; see ``fill_chances``.

    Args:
        state: Record array of ``STATE``, (1,); its motivation changes.
        people: Record array of ``PERSON``, (1,).
        loads: (nodes, plans, shares + 1) after the state's history.
        tables: ``fitgym.adherence.base.Tables`` of the model.
        motivations: (M,).
        chances: Filled in.
    """
    person = people[0]
    tolerance = np.empty(motivations.size)
    for m in range(motivations.size):
        state[0].motivation = motivations[m]
        tolerance[m] = log_tolerance_of(state[0], person, 0.0)
    log_loads, sds = np.empty(loads.shape[1:]), np.empty(loads.shape[1])
    todays_loads(state[0], person, loads, tables, log_loads, sds)
    fill_chances(tolerance, log_loads, sds, chances)


@compiled_parallel
def induce(
    scratch: Any,
    outcome: Any,
    people: Any,
    targets: Any,
    allowed: Any,
    ceiling: Any,
    least_chance: float,
    loads: Any,
    tables: Any,
    habits: Any,
    habit_odds: float,
    expected: Any,
    axes: Any,
    hard: Any,
    hard_habits: Any,
    weights: Any,
    extra: Any,
    values: Any,
) -> None:
    """Fill ``values`` (layers, ln B, F, G, m) with the best over the plans that are allowed.

    Args:
        scratch: Record array of ``STATE`` with a row for each pair of base level and fitness, so
            that no two threads share one, (pairs, 2).
        outcome: Likewise of ``OUTCOME``, (pairs, 1).
        people: As in ``plan_values``, and so are those not named here.
        targets: Points of each action, 0 first.
        allowed: Whether the day allows each action.
        ceiling: Most points that a state allows, (ln B, F, G).
        least_chance: Smallest chance of completion that a plan may have.
        loads: Mean load of each plan over histories, (nodes, plans, shares + 1).
        tables: See ``plan_values``.
        habits: See ``plan_values``.
        habit_odds: See ``plan_values``.
        expected: See ``plan_values``.
        axes: See ``plan_values``.
        hard: See ``plan_values``.
        hard_habits: See ``plan_values``.
        weights: See ``plan_values``.
        extra: See ``plan_values``.
        values: Filled in.
    """
    base_levels, fitness, fatigue, motivations = axes
    layers = values.shape[0]
    for pair in parallel_range(base_levels.size * fitness.size):
        b = pair // fitness.size
        f = pair % fitness.size
        state = scratch[pair]
        result = np.empty((layers, targets.size, motivations.size))
        completed = np.empty((targets.size - 1, motivations.size))
        for g in range(fatigue.size):
            state[1].base_level = math.exp(base_levels[b])
            state[1].fitness = fitness[f]
            state[1].fatigue = fatigue[g]
            plan_values(
                state,
                outcome[pair],
                people,
                targets,
                loads,
                tables,
                habits,
                habit_odds,
                expected,
                axes,
                hard,
                hard_habits,
                weights,
                extra,
                completed,
                result,
            )
            for layer in range(layers):
                for m in range(motivations.size):
                    # No plan is always allowed.
                    best = result[layer, 0, m]
                    for j in range(1, targets.size):
                        if (
                            allowed[j]
                            and targets[j] <= ceiling[b, f, g]
                            and completed[j - 1, m] >= least_chance
                            and not (hard[j] and layer > 0)
                            and result[layer, j, m] > best
                        ):
                            best = result[layer, j, m]
                    values[layer, b, f, g, m] = best
