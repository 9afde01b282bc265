"""The records that the compiled step reads and writes: a person, a state, what a day brought.

They are numpy record arrays, so that fields have names in compiled code and one call serves one
person or many.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fitgym.envs.effects import Effect
from fitgym.model.dynamics import kept_share, stimulus_unit
from fitgym.model.internal_load import OFFSET_FADE
from fitgym.people.individual import Individual, Motivation, StageParameters

# The stage's parameters under their own names, and what the task adds.
PERSON = np.dtype(
    [(name, np.float64) for name in StageParameters.__dataclass_fields__]
    + [
        ("unit", np.float64),  # u = B_0^sigma
        ("fitness_kept", np.float64),  # e^-alpha
        ("fatigue_kept", np.float64),  # e^-beta
        ("log_reference_tolerance", np.float64),  # ln C_0
        ("base_level_effect", np.float64),  # zeta
        ("fatigue_effect", np.float64),  # kappa
        ("tolerance_sd", np.float64),  # s_C
        ("persistence", np.float64),  # phi
        ("success_effect", np.float64),  # e_c
        ("failure_effect", np.float64),  # e_f
        ("motivation_sd", np.float64),  # s_m
        ("initial_motivation_sd", np.float64),
        ("habit_log_odds", np.float64),  # logit(q)
        ("habit_log_median", np.float64),
        ("habit_log_sd", np.float64),
        ("habit_maximum", np.float64),
        ("completion_bonus", np.float64),  # mu
        ("shortfall_penalty", np.float64),  # rho
        ("uptake", np.float64),  # u
        ("habituation", np.float64),  # h
        ("burden", np.float64),
        ("heart_rate_offset", np.float64),  # lasting, bpm
        ("heart_rate_sd", np.float64),  # s_HR
        ("heart_rate_limit", np.float64),  # largest offset on a day, bpm
        ("maximum_heart_rate", np.float64),
        ("days", np.int64),  # T
        ("table", np.int64),  # which load table
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
        ("motivation", np.float64),  # m_t
        ("dosage", np.float64),  # d_t, recent pushes
        ("completion", np.float64),  # c_{t-1}
        ("mean_heart_rate", np.float64),  # of the last session
        ("internal_load", np.float64),  # of the last session
        ("history", np.int64),  # the last session as FitRec sees it, see response.history_row
        ("days_since", np.int64),  # since that session, from 1
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
            "motivation",
            "mean_heart_rate",
            "internal_load",
        )
    ]
)


def pack_person(
    individual: Individual,
    *,
    retention: bool,
    days: int,
    completion_bonus: float,
    shortfall_penalty: float,
    planned_utility: bool,
    effect: Effect,
    log_reference_tolerance: float,
    heart_rate_sd: float,
) -> NDArray[np.void]:
    """Return a record array of length 1 (dtype ``PERSON``) for the compiled functions.

    Args:
        individual: The person.
        retention: Whether the stage is retention.
        days: ``T``, length of an episode.
        completion_bonus: ``mu``.
        shortfall_penalty: ``rho``.
        planned_utility: Whether the reward counts the performance predicted for the plan.
        effect: How a push acts beyond what it asks for.
        log_reference_tolerance: ``ln C_0``.
        heart_rate_sd: ``s_HR`` in bpm.
    """
    parameters = individual.retention if retention else individual.acquisition
    motivation, habit = individual.motivation, individual.habit
    person = np.zeros(1, dtype=PERSON)
    for name in StageParameters.__dataclass_fields__:
        person[name] = getattr(parameters, name)
    for name in Motivation.__dataclass_fields__:
        if not name.startswith("reference"):
            person[name] = getattr(motivation, name)
    person["unit"] = stimulus_unit(parameters.initial_base_level, parameters.base_scaling)
    person["fitness_kept"] = kept_share(parameters.fitness_decay)
    person["fatigue_kept"] = kept_share(parameters.fatigue_decay)
    person["log_reference_tolerance"] = log_reference_tolerance
    person["habit_log_odds"] = math.log(habit.probability / (1.0 - habit.probability))
    person["habit_log_median"] = math.log(habit.median_trimp)
    person["habit_log_sd"] = habit.log_sd
    person["habit_maximum"] = habit.maximum_trimp
    physiology = individual.physiology
    reserve = physiology.maximum_heart_rate - physiology.resting_heart_rate
    person["heart_rate_offset"] = physiology.heart_rate_offset
    person["heart_rate_sd"] = heart_rate_sd
    person["heart_rate_limit"] = reserve / OFFSET_FADE
    person["maximum_heart_rate"] = physiology.maximum_heart_rate
    person["completion_bonus"] = completion_bonus
    person["shortfall_penalty"] = shortfall_penalty
    person["uptake"] = effect.uptake
    person["habituation"] = effect.habituation
    person["burden"] = effect.burden
    person["days"] = days
    person["retention"] = retention
    person["planned_utility"] = planned_utility
    return person
