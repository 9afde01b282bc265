"""The course of fitness and fatigue over a history, in the model's terms and under usual names.

CTL and ATL are the chronic and acute training load as watches and services show them, exponential
means of daily points over 42 and 7 days; TSB, the form, is yesterday's CTL less yesterday's ATL
(Banister and Calvert 1976; names after Allen and Coggan, *Training and Racing with a Power Meter*).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitgym.model.dynamics import accumulate, next_base_level, stimulus
from fitgym.model.strain import workload_ratio
from fitgym.people.individual import StageParameters

Array = NDArray[np.float64]

CHRONIC_DAYS, ACUTE_DAYS = 42.0, 7.0


@dataclass(frozen=True, eq=False)
class TrainingLoad:
    """Daily load under its usual names; (T,) each.

    Attributes:
        chronic: CTL after each day, points a day.
        acute: ATL after each day.
        balance: TSB of each day: CTL less ATL of the day before.
        ratio: Acute:chronic workload ratio of 7 over 28 days (``fitgym.model.strain``).
    """

    chronic: Array
    acute: Array
    balance: Array
    ratio: Array


def training_load(points: Sequence[float] | Array) -> TrainingLoad:
    """Return the usual measures of load of daily points (T,).

    Both means begin at the mean of the first six weeks, or of all days if there are fewer.
    """
    daily = np.asarray(points, dtype=np.float64)
    start = float(daily[: int(CHRONIC_DAYS)].mean()) if daily.size else 0.0
    chronic, acute, balance = np.zeros((3, daily.size))
    long_term = short_term = start
    for day, done in enumerate(daily):
        balance[day] = long_term - short_term
        long_term += (done - long_term) / CHRONIC_DAYS
        short_term += (done - short_term) / ACUTE_DAYS
        chronic[day], acute[day] = long_term, short_term
    return TrainingLoad(chronic, acute, balance, workload_ratio(daily))


@dataclass(frozen=True, eq=False)
class Course:
    """Stocks of the acquisition stage before each day and after the last, (T + 1,) each."""

    base_level: Array
    fitness: Array
    fatigue: Array
    vdot: Array


def replay(parameters: StageParameters, points: Sequence[float] | Array) -> Course:
    """Return where daily points (T,) lead from the initial state of ``parameters``."""
    daily = np.asarray(points, dtype=np.float64)
    level, fitness, fatigue = (
        parameters.initial_base_level,
        parameters.initial_fitness,
        parameters.initial_fatigue,
    )
    kept = math.exp(-parameters.fitness_decay), math.exp(-parameters.fatigue_decay)
    scaling = parameters.base_scaling
    rows = [(level, fitness, fatigue)]
    for done in daily.tolist():
        response = stimulus(done, level, scaling, parameters.fitness_exponent)
        fitness = accumulate(False, fitness, response, kept[0], 1.0)
        response = stimulus(done, level, scaling, parameters.fatigue_exponent)
        fatigue = accumulate(False, fatigue, response, kept[1], 1.0)
        level = next_base_level(level, done, parameters.base_decay)
        rows.append((level, fitness, fatigue))
    levels, stocks, tired = np.array(rows).T
    vdot = (
        parameters.baseline_performance
        + parameters.fitness_utility * stocks
        - parameters.fatigue_utility * tired
    )
    return Course(levels, stocks, tired, vdot)
