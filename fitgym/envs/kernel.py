"""One day of an environment, compiled: the only place where an episode moves on.

People, states and outcomes are numpy record arrays, so that fields have names here and one call
serves one person or many. The scalar environment, the batched one, the references and the tests
all come through ``step``; it draws no numbers of its own (see noise).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fitgym.adherence.base import Tables
from fitgym.adherence.models import respond
from fitgym.common.compilation import compiled
from fitgym.envs.effects import leave_traces, plan_taken_up
from fitgym.envs.records import OUTCOME, STATE
from fitgym.model.dynamics import accumulate, next_base_level, performance, stimulus
from fitgym.model.noise import EPISODE, INITIAL_MOTIVATION, normal, uniform
from fitgym.people.individual import StageParameters

# What is observed; see fitgym.envs.spaces.
STATE_OBSERVATION = 0
FULL_OBSERVATION = 1
WEARABLE_OBSERVATION = 2


class Batch(NamedTuple):
    """What a compiled loop needs in order to step many environments itself.

    Attributes:
        states: Record array of ``STATE`` (N,), which moves on.
        outcomes: Record array of ``OUTCOME`` (N,), which is filled in.
        people: Record array of ``PERSON``: one shared by all, or one each.
        contexts: (N, 6) what ``observation="person"`` tells of each person.
        targets_trimp: Points that each action asks for, 0 first.
        adherence: Code of the model, see ``fitgym.adherence.models``.
        tables: ``fitgym.adherence.base.Tables`` of the model.
        days: ``T``, length of an episode.
        observation: As in ``observe``.
        person_observed: Whether ``fitgym.envs.context.complete`` completes the observations.
    """

    states: NDArray[np.void]
    outcomes: NDArray[np.void]
    people: NDArray[np.void]
    contexts: NDArray[np.float32]
    targets_trimp: NDArray[np.float64]
    adherence: int
    tables: Tables
    days: int
    observation: int
    person_observed: bool


@compiled
def begin(states: Any, people: Any, index: int, starts: Any, key: Any) -> None:
    """Start an episode: ``states[index]`` becomes one of ``starts``, chosen by the key.

    Args:
        states: Record array of ``STATE``, changed in place.
        people: Record array of ``PERSON``: one shared by all, or one each.
        index: Which of them.
        starts: Record array of ``STATE``: one for a fixed start, many for replay's windows.
        key: The episode's noise key, uint64.
    """
    chosen = int(uniform(key, 0, EPISODE) * starts.size)
    states[index] = starts[chosen]
    states[index].key = key
    person = people[index if people.size > 1 else 0]
    states[index].motivation = person.initial_motivation_sd * normal(key, 0, INITIAL_MOTIVATION)


@compiled
def transition(
    state: Any,
    outcome: Any,
    person: Any,
    plan_trimp: float,
    intensity: float,
    completion: float,
    met: bool,
) -> None:
    """Move one person on by one day, given what was planned and what was really done.

    Args:
        state: Record of ``STATE``, changed in place.
        outcome: Record of ``OUTCOME``, filled in.
        person: Record of ``PERSON``.
        plan_trimp: ``a_t``, 0 for no plan.
        intensity: ``x_t``, points really done.
        completion: ``c_t``, share of the plan done; 0 without a plan.
        met: Whether a plan was given and met.
    """
    base_level = state.base_level
    scaling = person.base_scaling
    fitness_before = state.fitness
    fatigue_before = state.fatigue
    state.fitness = accumulate(
        person.retention,
        fitness_before,
        stimulus(intensity, base_level, scaling, person.fitness_exponent),
        person.fitness_kept,
        person.unit,
    )
    state.fatigue = accumulate(
        person.retention,
        fatigue_before,
        stimulus(intensity, base_level, scaling, person.fatigue_exponent),
        person.fatigue_kept,
        person.unit,
    )
    realised = performance(
        state.fitness,
        state.fatigue,
        person.baseline_performance,
        person.fitness_utility,
        person.fatigue_utility,
    )
    counted = realised
    if person.planned_utility and plan_trimp > 0.0:
        # p^_t: the same equations with the plan in place of the session.
        counted = performance(
            accumulate(
                person.retention,
                fitness_before,
                stimulus(plan_trimp, base_level, scaling, person.fitness_exponent),
                person.fitness_kept,
                person.unit,
            ),
            accumulate(
                person.retention,
                fatigue_before,
                stimulus(plan_trimp, base_level, scaling, person.fatigue_exponent),
                person.fatigue_kept,
                person.unit,
            ),
            person.baseline_performance,
            person.fitness_utility,
            person.fatigue_utility,
        )
    state.base_level = next_base_level(base_level, intensity, person.base_decay)
    state.intensity = intensity
    state.plan_trimp = plan_trimp
    state.completion = completion
    state.day += 1
    state.session += 1

    outcome.performance_term = counted - person.baseline_performance
    outcome.completion_term = person.completion_bonus if met else 0.0
    outcome.shortfall_term = 0.0
    if plan_trimp > 0.0:
        outcome.shortfall_term = person.shortfall_penalty * min(intensity - plan_trimp, 0.0)
    outcome.reward = outcome.performance_term + outcome.completion_term + outcome.shortfall_term
    outcome.plan_trimp = plan_trimp
    outcome.done_trimp = intensity
    outcome.completion = completion
    outcome.met = 1.0 if met else 0.0
    outcome.base_level = state.base_level
    outcome.fitness = state.fitness
    outcome.fatigue = state.fatigue
    outcome.performance = realised
    outcome.motivation = state.motivation
    # The state holds those of the last session on days without one, too.
    trained = intensity > 0.0
    outcome.mean_heart_rate = state.mean_heart_rate if trained else 0.0
    outcome.internal_load = state.internal_load if trained else 0.0


@compiled
def step(
    states: Any,
    outcomes: Any,
    people: Any,
    index: int,
    plan_trimp: float,
    adherence: int,
    tables: Any,
) -> bool:
    """Move person ``index`` on by one day under a compiled adherence model.

    Args:
        states: Record array of ``STATE``, changed in place.
        outcomes: Record array of ``OUTCOME``, filled in.
        people: Record array of ``PERSON``: one shared by all, or one each.
        index: Which of them.
        plan_trimp: ``a_t``, 0 for no plan.
        adherence: Code of the model, see ``fitgym.adherence.models``.
        tables: ``fitgym.adherence.base.Tables`` of the model.

    Returns:
        Whether the season is over.
    """
    person = people[index if people.size > 1 else 0]
    taken_trimp = plan_taken_up(states[index], person, plan_trimp)
    intensity, met = respond(states[index], person, taken_trimp, adherence, tables)
    if taken_trimp != plan_trimp:
        # Whoever ignores a plan may do as much of their own accord.
        met = intensity >= plan_trimp
    leave_traces(states[index], person, plan_trimp)
    return step_with_response(states, outcomes, people, index, plan_trimp, intensity, met)


@compiled
def step_with_response(
    states: Any,
    outcomes: Any,
    people: Any,
    index: int,
    plan_trimp: float,
    intensity: float,
    met: bool,
) -> bool:
    """Move person ``index`` on by one day, given what was done.

    Args:
        states: Record array of ``STATE``, changed in place.
        outcomes: Record array of ``OUTCOME``, filled in.
        people: Record array of ``PERSON``: one shared by all, or one each.
        index: Which of them.
        plan_trimp: ``a_t``, 0 for no plan.
        intensity: ``x_t``, points really done.
        met: Whether a plan was given and met.

    Returns:
        Whether the season is over.
    """
    person = people[index if people.size > 1 else 0]
    completion = 0.0
    if plan_trimp > 0.0:
        completion = min(intensity / plan_trimp, 1.0)
    transition(states[index], outcomes[index], person, plan_trimp, intensity, completion, met)
    return bool(states[index].day >= person.days)


@compiled
def _accumulate_log(states: Any, outcomes: Any, people: Any, sessions: Any) -> None:
    """Fill ``states[t + 1]`` with ``states[t]`` after session ``t`` of a log."""
    for row in range(sessions.size):
        states[row + 1] = states[row]
        step_with_response(states, outcomes, people, row + 1, 0.0, sessions[row], False)


def starting_states(
    parameters: StageParameters,
    person: NDArray[np.void],
    sessions: NDArray[np.float64],
    rows: NDArray[np.int64],
) -> NDArray[np.void]:
    """Return the states in which an episode may start, as a record array of ``STATE``.

    Args:
        parameters: Parameters of the stage, with the stocks before the first session.
        person: Record array of length 1, of ``PERSON``.
        sessions: Intensities of the log, points; empty where there is none.
        rows: Rows of the log before which an episode may start.
    """
    states = np.zeros(sessions.size + 1, dtype=STATE)
    states["base_level"][0] = parameters.initial_base_level
    states["fitness"][0] = parameters.initial_fitness
    states["fatigue"][0] = parameters.initial_fatigue
    _accumulate_log(states, np.zeros(states.size, dtype=OUTCOME), person, sessions)
    starts = states[rows]
    starts["day"] = 0
    starts["days_since"] = 1
    return starts


@compiled
def performance_of(states: Any, index: int, people: Any) -> float:
    """Return the performance of person ``index`` with the present stocks, in VDOT."""
    person = people[index if people.size > 1 else 0]
    now = performance(
        states[index].fitness,
        states[index].fatigue,
        person.baseline_performance,
        person.fitness_utility,
        person.fatigue_utility,
    )
    return float(now)


@compiled
def observe(states: Any, index: int, days: int, kind: int, observations: Any) -> None:
    """Write what the agent sees of person ``index`` into ``observations[index]``.

    Args:
        states: Record array of ``STATE``.
        index: Which of them.
        days: ``T``, length of an episode.
        kind: ``STATE_OBSERVATION``, ``FULL_OBSERVATION`` or ``WEARABLE_OBSERVATION``.
        observations: Array (N, width), float32; see ``fitgym.envs.spaces`` for the columns.
    """
    state = states[index]
    row = observations[index]
    days_left = (days - state.day) / days
    row[0] = state.intensity
    if kind == WEARABLE_OBSERVATION:
        row[1] = state.completion
        row[2] = state.mean_heart_rate
        row[3] = state.internal_load
        row[4] = state.days_since
        row[5] = days_left
    else:
        row[1] = state.base_level
        row[2] = state.fitness
        row[3] = state.fatigue
        row[4] = state.plan_trimp
        row[5] = days_left
        if kind == FULL_OBSERVATION:
            row[6] = state.motivation


@compiled
def begin_batch(
    states: Any, outcomes: Any, people: Any, chosen: Any, starts: Any, keys: Any
) -> None:
    """Start an episode for each chosen person, and describe the person in the outcome.

    Args:
        states: Record array of ``STATE`` (N,), changed in place.
        outcomes: Record array of ``OUTCOME`` (N,); those of the chosen get the stocks, the
            performance and the motivation that the episode starts with, reward 0 and no plan met,
            and NaN in all that a day brings.
        people: Record array of ``PERSON``: one shared by all, or one each.
        chosen: (N,) which of them.
        starts: Record array of ``STATE``, as in ``begin``.
        keys: (N,) noise keys, uint64.
    """
    for index in range(states.size):
        if chosen[index]:
            begin(states, people, index, starts, keys[index])
            state, outcome = states[index], outcomes[index]
            outcome.reward = 0.0
            outcome.performance_term = math.nan
            outcome.completion_term = math.nan
            outcome.shortfall_term = math.nan
            outcome.plan_trimp = math.nan
            outcome.done_trimp = math.nan
            outcome.completion = math.nan
            outcome.met = 0.0
            outcome.base_level = state.base_level
            outcome.fitness = state.fitness
            outcome.fatigue = state.fatigue
            outcome.performance = performance_of(states, index, people)
            outcome.motivation = state.motivation
            outcome.mean_heart_rate = math.nan
            outcome.internal_load = math.nan


@compiled
def look_up_targets(
    actions: Any, chosen: Any, pushed: Any, targets_trimp: Any, plans: Any, plans_trimp: Any
) -> int:
    """Write plan and target of each chosen action, and return the index of the first wrong one.

    Args:
        actions: (N,) int64.
        chosen: (N,) whose actions are read.
        pushed: The plan that each action pushes, negative where it may not be taken.
        targets_trimp: Points of each plan, 0 first.
        plans: (N,) int64, filled in for the chosen.
        plans_trimp: (N,) filled in for the chosen.

    Returns:
        The index, or -1 if every action may be taken.
    """
    for index in range(actions.size):
        if chosen[index]:
            action = actions[index]
            if action < 0 or action >= pushed.size or pushed[action] < 0:
                return index
            plans[index] = pushed[action]
            plans_trimp[index] = targets_trimp[pushed[action]]
    return -1


@compiled
def step_batch(
    states: Any,
    outcomes: Any,
    people: Any,
    chosen: Any,
    plans_trimp: Any,
    adherence: int,
    tables: Any,
    ended: Any,
) -> None:
    """Move each chosen person on by one day: ``step`` in a loop.

    Args:
        states: Record array of ``STATE`` (N,), changed in place.
        outcomes: Record array of ``OUTCOME`` (N,), filled in.
        people: Record array of ``PERSON``: one shared by all, or one each.
        chosen: (N,) which of them.
        plans_trimp: (N,) ``a_t``, 0 for no plan.
        adherence: Code of the model, see ``fitgym.adherence.models``.
        tables: ``fitgym.adherence.base.Tables`` of the model.
        ended: (N,) filled in with whether the season is over.
    """
    for index in range(states.size):
        if chosen[index]:
            ended[index] = step(
                states, outcomes, people, index, plans_trimp[index], adherence, tables
            )


@compiled
def observe_batch(states: Any, days: int, kind: int, observations: Any) -> None:
    """Write what the agents see of everybody into ``observations``: ``observe`` in a loop.

    Args:
        states: Record array of ``STATE`` (N,).
        days: ``T``, length of an episode.
        kind: As in ``observe``.
        observations: Array (N, width), float32.
    """
    for index in range(states.size):
        observe(states, index, days, kind, observations)
