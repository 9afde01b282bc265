"""One day of an environment, compiled: the only place where an episode moves on.

People, states and outcomes are numpy record arrays, so that fields have names here and one call
serves one person or many. The scalar environment, the batched one, the references and the tests
all come through ``step``; it draws no numbers of its own (see noise).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.adherence.base import REPLAY
from fitgym.compilation import compiled
from fitgym.dynamics import accumulate, next_base_level, performance, stimulus, stimulus_unit
from fitgym.individual import StageParameters
from fitgym.noise import EPISODE, uniform

__all__ = [
    "OUTCOME",
    "PERSON",
    "STATE",
    "begin",
    "observe",
    "pack_person",
    "performance_of",
    "starting_states",
    "step",
    "step_with_response",
    "transition",
]

# The stage's parameters under their own names, and what the task adds.
PERSON = np.dtype(
    [(name, np.float64) for name in StageParameters.__dataclass_fields__]
    + [
        ("unit", np.float64),  # u = B_0^sigma
        ("completion_bonus", np.float64),  # mu
        ("shortfall_penalty", np.float64),  # rho
        ("days", np.int64),  # T
        ("retention", np.bool_),
        ("planned_utility", np.bool_),
    ],
    align=True,
)

# s_t = (x_{t-1}, B_t, F_{t-1}, G_{t-1}) and what an episode carries along.
STATE = np.dtype(
    [
        ("intensity", np.float64),
        ("base_level", np.float64),
        ("fitness", np.float64),
        ("fatigue", np.float64),
        ("plan_trimp", np.float64),  # a_{t-1}, 0 for none
        ("key", np.uint64),  # of the episode's noise tape
        ("day", np.int64),
        ("session", np.int64),  # next row of the log, in replay
    ],
    align=True,
)

# What a day brought; all float64, so that it reads as one row of numbers.
OUTCOME = np.dtype(
    [
        (name, np.float64)
        for name in (
            "reward",
            "performance_term",
            "completion_term",
            "shortfall_term",
            "plan_trimp",
            "done_trimp",
            "completion",
            "met",
            "base_level",
            "fitness",
            "fatigue",
            "performance",
        )
    ]
)


def pack_person(
    parameters: StageParameters,
    *,
    retention: bool,
    days: int,
    completion_bonus: float,
    shortfall_penalty: float,
    planned_utility: bool,
) -> NDArray[np.void]:
    """Return a record array of length 1 (dtype ``PERSON``) for the compiled functions.

    Args:
        parameters: Parameters of the stage.
        retention: Whether the stage is retention.
        days: ``T``, length of an episode.
        completion_bonus: ``mu``.
        shortfall_penalty: ``rho``.
        planned_utility: Whether the reward counts the performance predicted for the plan.
    """
    person = np.zeros(1, dtype=PERSON)
    for name in StageParameters.__dataclass_fields__:
        person[name] = getattr(parameters, name)
    person["unit"] = stimulus_unit(parameters.initial_base_level, parameters.base_scaling)
    person["completion_bonus"] = completion_bonus
    person["shortfall_penalty"] = shortfall_penalty
    person["days"] = days
    person["retention"] = retention
    person["planned_utility"] = planned_utility
    return person


@compiled
def begin(states: Any, index: int, starts: Any, key: Any) -> None:
    """Start an episode: ``states[index]`` becomes one of ``starts``, chosen by the key.

    Args:
        states: Record array of ``STATE``, changed in place.
        index: Which of them.
        starts: Record array of ``STATE``: one for a fixed start, many for replay's windows.
        key: The episode's noise key, uint64.
    """
    chosen = int(uniform(key, 0, EPISODE) * starts.size)
    states[index] = starts[chosen]
    states[index].key = key


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
        person.fitness_decay,
        person.unit,
    )
    state.fatigue = accumulate(
        person.retention,
        fatigue_before,
        stimulus(intensity, base_level, scaling, person.fatigue_exponent),
        person.fatigue_decay,
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
                person.fitness_decay,
                person.unit,
            ),
            accumulate(
                person.retention,
                fatigue_before,
                stimulus(plan_trimp, base_level, scaling, person.fatigue_exponent),
                person.fatigue_decay,
                person.unit,
            ),
            person.baseline_performance,
            person.fitness_utility,
            person.fatigue_utility,
        )
    state.base_level = next_base_level(base_level, intensity, person.base_decay)
    state.intensity = intensity
    state.plan_trimp = plan_trimp
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


@compiled
def step(
    states: Any,
    outcomes: Any,
    people: Any,
    index: int,
    plan_trimp: float,
    adherence: int,
    sessions: Any,
) -> bool:
    """Move person ``index`` on by one day under one of the built-in adherence models.

    Args:
        states: Record array of ``STATE``, changed in place.
        outcomes: Record array of ``OUTCOME``, filled in.
        people: Record array of ``PERSON``: one shared by all, or one each.
        index: Which of them.
        plan_trimp: ``a_t``, 0 for no plan.
        adherence: Code of the model, see ``fitgym.adherence.base``.
        sessions: The log's intensities (float64), used by replay.

    Returns:
        Whether the season is over.
    """
    intensity = plan_trimp
    if adherence == REPLAY:
        intensity = sessions[states[index].session]
    met = plan_trimp > 0.0 and intensity >= plan_trimp
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
    return starts


@compiled
def performance_of(states: Any, index: int, people: Any) -> float:
    """Return the performance of person ``index`` with the present stocks, in VDOT."""
    person = people[index if people.size > 1 else 0]
    return performance(
        states[index].fitness,
        states[index].fatigue,
        person.baseline_performance,
        person.fitness_utility,
        person.fatigue_utility,
    )


@compiled
def observe(states: Any, index: int, days: int, observations: Any) -> None:
    """Write what the agent sees of person ``index`` into ``observations[index]``.

    Args:
        states: Record array of ``STATE``.
        index: Which of them.
        days: ``T``, length of an episode.
        observations: Array (N, 6), float32: x_{t-1}, B_t, F_{t-1}, G_{t-1}, a_{t-1} and the
            fraction of days left.
    """
    state = states[index]
    row = observations[index]
    row[0] = state.intensity
    row[1] = state.base_level
    row[2] = state.fitness
    row[3] = state.fatigue
    row[4] = state.plan_trimp
    row[5] = (days - state.day) / days
