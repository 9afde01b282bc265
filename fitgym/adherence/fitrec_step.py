"""FitRec adherence on the records of the compiled step: what a person does today, and its traces.

The rules stand in ``fitgym.adherence.response``; here they read and change states.
"""

from __future__ import annotations

import math
from typing import Any

from fitgym.adherence.response import (
    Curve,
    history_row,
    log_tolerance,
    nearest_plan,
    next_motivation,
    plan_done,
    recorded_history,
)
from fitgym.common.compilation import compiled
from fitgym.model.noise import (
    HABIT_INTENSITY,
    HABIT_STRIKES,
    MOTIVATION,
    TOLERANCE,
    normal,
    uniform,
)

FITREC = 2


@compiled
def plan_tolerated(state: Any, person: Any, plan_trimp: float, tables: Any) -> tuple[float, bool]:
    """Return the points done today and whether a plan was met, under FitRec adherence.

    Args:
        state: Record of ``STATE``; motivation and what is remembered of sessions change.
        person: Record of ``PERSON``.
        plan_trimp: ``a_t``, 0 for no plan.
        tables: ``fitgym.adherence.base.Tables`` of the model.
    """
    planned = plan_trimp > 0.0
    share = 0.0
    if planned:
        share = _follow_plan(state, person, plan_trimp, tables)
        intensity = share * plan_trimp
    else:
        intensity = _follow_habit(state, person, tables)
    move_motivation(state, person, planned, share)
    return intensity, planned and share >= 1.0


@compiled
def log_tolerance_of(state: Any, person: Any, noise: float) -> float:
    """Return the logarithm of the internal load that a person tolerates today.

    Args:
        state: Record of ``STATE``.
        person: Record of ``PERSON``.
        noise: Today's standard normal deviation of log tolerance.
    """
    relative_fatigue = (person.fatigue_utility * state.fatigue) / max(
        person.baseline_performance + person.fitness_utility * state.fitness, 1.0
    )
    return log_tolerance(
        person.log_reference_tolerance,
        state.base_level / person.initial_base_level,
        person.base_level_effect,
        relative_fatigue,
        person.fatigue_effect,
        state.motivation,
        person.tolerance_sd * noise,
    )


@compiled
def plan_response(
    state: Any, person: Any, plan_trimp: float, noise: float, tables: Any
) -> tuple[int, float, float, float]:
    """Return the plan nearest to a target, and what FitRec adherence makes of it.

    Args:
        state: Record of ``STATE``.
        person: Record of ``PERSON``.
        plan_trimp: ``a_t`` > 0.
        noise: Today's standard normal deviation of log tolerance.
        tables: ``fitgym.adherence.base.Tables`` of the model.

    Returns:
        Index of the plan from 0, share done, internal load and mean heart rate.
    """
    tolerance = math.exp(log_tolerance_of(state, person, noise))
    row = history_row(state.history, state.days_since)
    return plan_done(
        tables,
        Curve(person.table, row, row, 0.0),
        plan_trimp,
        tolerance,
    )


@compiled
def habit_probability(state: Any, person: Any) -> float:
    """Return the probability of training by habit without a plan, ``logistic(logit q + m)``."""
    return 1.0 / (1.0 + math.exp(-person.habit_log_odds - state.motivation))


@compiled
def drawn_habit(person: Any, noise: float) -> float:
    """Return a habit session of a person without a log, points, from a standard normal number."""
    intensity = math.exp(person.habit_log_median + person.habit_log_sd * noise)
    return float(min(intensity, person.habit_maximum))


@compiled
def _follow_plan(state: Any, person: Any, plan_trimp: float, tables: Any) -> float:
    """Return the share of today's plan done under FitRec adherence; update the history."""
    noise = normal(state.key, state.day, TOLERANCE)
    plan, share, load, heart_rate = plan_response(state, person, plan_trimp, noise, tables)
    remember(state, recorded_history(plan, share))
    state.internal_load = load
    state.mean_heart_rate = heart_rate
    return share


@compiled
def move_motivation(state: Any, person: Any, planned: bool, share: float) -> None:
    """Move the motivation on to the next day.

    Args:
        state: Record of ``STATE``; the motivation changes.
        person: Record of ``PERSON``.
        planned: Whether there was a plan.
        share: Share of it done.
    """
    state.motivation = next_motivation(
        state.motivation,
        person.persistence,
        person.success_effect,
        person.failure_effect,
        planned,
        share,
        person.motivation_sd * normal(state.key, state.day, MOTIVATION),
    )


@compiled
def session_by_habit(state: Any, person: Any, tables: Any) -> float:
    """Return the points of today's session without a plan, 0 where habit does not strike."""
    if uniform(state.key, state.day, HABIT_STRIKES) >= habit_probability(state, person):
        return 0.0
    sessions = tables.sessions_trimp
    if sessions.size > 0:
        return float(sessions[int(uniform(state.key, state.day, HABIT_INTENSITY) * sessions.size)])
    return drawn_habit(person, normal(state.key, state.day, HABIT_INTENSITY))


@compiled
def _follow_habit(state: Any, person: Any, tables: Any) -> float:
    """Return what is done on a day without a plan under FitRec adherence; update the history."""
    intensity = session_by_habit(state, person, tables)
    if intensity == 0.0:
        remember(state, 0)
        return 0.0
    # To FitRec, a habit session is the nearest plan, completed.
    plan = nearest_plan(tables.targets_trimp, intensity)
    last = tables.first_segments[plan + 1] - 1
    row = history_row(state.history, state.days_since)
    state.internal_load = tables.loads[person.table, row, last]
    beats = float(tables.beats[person.table, row, last])
    state.mean_heart_rate = beats / tables.segments[last].minutes
    remember(state, recorded_history(plan, 1.0))
    return float(intensity)


@compiled
def remember(state: Any, history: int) -> None:
    """Record a session as the last one; 0 stands for none worth recording."""
    if history > 0:
        state.history = history
        state.days_since = 1
    else:
        state.days_since += 1
