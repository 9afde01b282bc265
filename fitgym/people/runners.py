"""Version 1's population of runners: hearts, fitness, habits and responses that differ.

A person has one of 32 hearts (resting and maximum heart rate, gender, and the VDOT that a service
makes paces for), so that people share tables. Everything else is drawn anew: the VDOT that the
person really has, a lasting offset of the heart, habits, and the response to training. The person
starts where these habits lead to, so that nothing changes much without a service. Distributions
are ours unless a source is named; all are cut at two standard deviations, so that observations are
bounded.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from fitgym.common.json_files import parse_json
from fitgym.people.individual import Habit, Individual, Motivation, Physiology, StageParameters

# The individuals that ship for version 1.
RUNNERS = ("novice-runner", "club-runner", "competitive-runner", "logged-runner")

_CUT = 2.0
_NORMAL = NormalDist()

# Error of log VDOT as watches estimate it: between that of estimates from exercise (limits of
# agreement of some 9.8 ml/kg/min, so a standard deviation of 5.0) and from rest (15.2, so 7.8), of
# some 45 (Molina-Garcia et al. 2022, Sports Medicine 52: 1577-1597).
VDOT_ERROR_SD = 0.14
# Spread of a runner's lasting offset in bpm: that of the predictor's errors on strangers'
# runs (``spread_of_runs`` of its card).
HEART_RATE_OFFSET_SD = 12.0
# Utilities of fitness and fatigue in units of u = B_0^sigma; docs/model.md gives the reasons.
FITNESS_UTILITY = {"acquisition": 0.115, "retention": 4.6}
FATIGUE_UTILITY = {"acquisition": 0.1725, "retention": 1.22}
# Middles of equally likely parts of a standard normal number.
_QUANTILES = np.array([_NORMAL.inv_cdf((i + 0.5) / 200) for i in range(200)])
# ``kappa``: what fatigue costs beside the faster heart that it brings (half of version 0's).
FATIGUE_EFFECT = 2.0
# ``s_C``: with the offsets of strangers' hearts, some 0.2 in the log of a load, what is tolerated
# spreads as in version 0 (0.30).
TOLERANCE_SD = 0.22
# The shortest time constant of fitness that is published (Int. J. Sports Physiol. Perform. 17: 810,
# 2022, finds 4 to 51 days in earlier studies).
_SHORTEST_FITNESS_DAYS = 4.0


@dataclass(frozen=True, kw_only=True)
class Response:
    """How a body answers to training, in units in which people are alike.

    Attributes:
        fitness_days: Days in which fitness falls to 1/e.
        fatigue_days: Days in which fatigue does.
        fitness_exponent: ``gamma_F``.
        fatigue_exponent: ``gamma_G``.
        base_decay: ``delta``.
        fitness_factor: On ``FITNESS_UTILITY``.
        fatigue_factor: On ``FATIGUE_UTILITY``.
    """

    fitness_days: float = 42.0
    fatigue_days: float = 7.0
    fitness_exponent: float = 0.6
    fatigue_exponent: float = 1.5
    base_decay: float = 0.99
    fitness_factor: float = 1.0
    fatigue_factor: float = 1.0


def stage_at_habits(
    stage: str, vdot: float, habit: Habit, response: Response, base_level: float | None = None
) -> StageParameters:
    """Return the parameters of a stage for somebody who has trained by habit for long.

    Stocks are those to which sessions of the habit lead, in expectation and for a constant base
    level: ``F = q E[f] / (1 - e^-alpha)`` in acquisition and ``F = u (e^(q E[ln(1 + f/u)]) - 1)``
    in retention; performance is the VDOT given.

    Args:
        stage: ``"acquisition"`` or ``"retention"``.
        vdot: Performance at the start.
        habit: How the person trains alone.
        response: How the body answers.
        base_level: ``B_0``; None for the one at which the habit keeps it.
    """
    if base_level is None:
        base_level = habitual_base_level(habit, response.base_decay)
    relative = _habit_sessions(habit) / base_level
    stocks = []
    for exponent, days in (
        (response.fitness_exponent, response.fitness_days),
        (response.fatigue_exponent, response.fatigue_days),
    ):
        if stage == "acquisition":
            kept = math.exp(-1.0 / days)
            stock = habit.probability * float(np.mean(relative**exponent)) / (1.0 - kept)
        else:
            stock = math.expm1(habit.probability * float(np.mean(np.log1p(relative**exponent))))
        stocks.append(base_level * stock)
    fitness, fatigue = stocks
    fitness_utility = FITNESS_UTILITY[stage] * response.fitness_factor / base_level
    fatigue_utility = FATIGUE_UTILITY[stage] * response.fatigue_factor / base_level
    return StageParameters(
        fitness_decay=1.0 / response.fitness_days,
        fatigue_decay=1.0 / response.fatigue_days,
        fitness_exponent=response.fitness_exponent,
        fatigue_exponent=response.fatigue_exponent,
        base_decay=response.base_decay,
        fitness_utility=fitness_utility,
        fatigue_utility=fatigue_utility,
        base_scaling=1.0,
        baseline_performance=vdot - fitness_utility * fitness + fatigue_utility * fatigue,
        initial_base_level=base_level,
        initial_fitness=fitness,
        initial_fatigue=fatigue,
    )


def habitual_base_level(habit: Habit, base_decay: float = 0.99) -> float:
    """Return the base level, points, at which a habit keeps it.

    Its logarithm falls by ``-ln delta`` a day and rises to that of each harder session, so it
    stays where ``q E[max(ln x - ln B, 0)] = -ln delta``.

    Args:
        habit: How the person trains alone.
        base_decay: ``delta`` < 1.
    """
    logs = np.log(_habit_sessions(habit))

    def rises(log_level: float) -> float:
        rise = habit.probability * float(np.mean(np.maximum(logs - log_level, 0.0)))
        return rise + math.log(base_decay)

    # A habit that is too weak to hold any of these levels holds its median.
    low, high = math.log(habit.median_trimp), float(logs[-1])
    if rises(low) <= 0.0:
        return habit.median_trimp
    return math.exp(float(brentq(rises, low, high)))


def _habit_sessions(habit: Habit) -> NDArray[np.float64]:
    """Return equally likely habit sessions, points."""
    sessions = habit.median_trimp * np.exp(habit.log_sd * _QUANTILES)
    return np.asarray(np.minimum(sessions, habit.maximum_trimp))


@cache
def hearts() -> tuple[Physiology, ...]:
    """Return the hearts that people of the population share."""
    path = resources.files("fitgym") / "data" / "hearts.json"
    return tuple(Physiology(**heart) for heart in parse_json(path.read_bytes(), "hearts.json"))


@dataclass(frozen=True, kw_only=True)
class _Traits:
    """What differs between people; each is drawn on its own."""

    heart: Physiology
    vdot_error: float = 0.0
    heart_rate_offset: float = 0.0
    habit_factor: float = 1.0
    habit_probability: float = 0.40
    fitness_decay_factor: float = 1.0
    fatigue_decay_factor: float = 1.0
    fitness_utility_factor: float = 1.0
    fatigue_utility_factor: float = 1.0
    failure_effect_factor: float = 1.0
    fitness_exponent: float = 0.6
    fatigue_exponent: float = 1.5
    base_decay: float = 0.99
    reference_completion: float = 0.55


@dataclass(frozen=True, kw_only=True)
class RunnerPopulation:
    """Distributions over individuals of version 1; ``draw`` gives a new one.

    Attributes:
        sds: Standard deviations of the normally distributed traits.
        log_sds: Standard deviations of the logarithm of the factors.
        ranges: Ranges of the uniformly drawn traits.
    """

    sds: tuple[tuple[str, float], ...] = (
        ("vdot_error", VDOT_ERROR_SD),
        ("heart_rate_offset", HEART_RATE_OFFSET_SD),
    )
    log_sds: tuple[tuple[str, float], ...] = (
        ("habit_factor", 0.25),
        ("fitness_decay_factor", 0.15),
        ("fatigue_decay_factor", 0.20),
        ("fitness_utility_factor", 0.20),
        ("fatigue_utility_factor", 0.20),
        ("failure_effect_factor", 0.20),
    )
    ranges: tuple[tuple[str, float, float], ...] = (
        ("fitness_exponent", 0.55, 0.65),
        ("fatigue_exponent", 1.4, 1.6),
        ("base_decay", 0.988, 0.992),
        ("reference_completion", 0.40, 0.70),
        ("habit_probability", 0.20, 0.60),
    )

    def draw(self, generator: np.random.Generator) -> Individual:
        """Return a new individual.

        Args:
            generator: Source of the random numbers.
        """
        heart = hearts()[int(generator.integers(len(hearts())))]
        traits: dict[str, Any] = {}
        for name, sd in self.sds:
            traits[name] = sd * _cut_normal(generator)
        for name, log_sd in self.log_sds:
            traits[name] = math.exp(log_sd * _cut_normal(generator))
        for name, low, high in self.ranges:
            traits[name] = float(generator.uniform(low, high))
        return _individual(_Traits(heart=heart, **traits), "drawn from the population")

    def typical(self) -> Individual:
        """Return the individual with the middle of every distribution."""
        middle = sorted(hearts(), key=_vdot)[len(hearts()) // 2]
        return _individual(_Traits(heart=middle), "typical of the population")

    def extremes(self) -> Iterator[Individual]:
        """Yield individuals whose fitness, fatigue and motivation bound those of all others.

        Performance grows and falls with the utilities, stocks with slow decay, with a high base
        level and with an even base level; with the exponents they grow in one direction or the
        other, so both ends are given. A loads' bound depends on gender and the range of heart rate
        alone, so every heart is among them.
        """
        ends = {name: (low, high) for name, low, high in self.ranges}
        factors = {name: math.exp(_CUT * log_sd) for name, log_sd in self.log_sds}
        lowest, highest = min(hearts(), key=_vdot), max(hearts(), key=_vdot)
        for heart, habit_factor, probability, fitness, fatigue, decay in itertools.product(
            (lowest, highest),
            (1.0 / factors["habit_factor"], factors["habit_factor"]),
            ends["habit_probability"],
            ends["fitness_exponent"],
            ends["fatigue_exponent"],
            ends["base_decay"],
        ):
            yield _individual(
                _Traits(
                    heart=heart,
                    habit_factor=habit_factor,
                    habit_probability=probability,
                    fitness_exponent=fitness,
                    fatigue_exponent=fatigue,
                    base_decay=decay,
                    fitness_decay_factor=1.0 / factors["fitness_decay_factor"],
                    fatigue_decay_factor=1.0 / factors["fatigue_decay_factor"],
                    fitness_utility_factor=factors["fitness_utility_factor"],
                    fatigue_utility_factor=factors["fatigue_utility_factor"],
                    failure_effect_factor=factors["failure_effect_factor"],
                ),
                "at an extreme of the population",
            )
        for heart in hearts():
            yield _individual(_Traits(heart=heart), "with a heart of the population")


def _cut_normal(generator: np.random.Generator) -> float:
    lowest = _NORMAL.cdf(-_CUT)
    return _NORMAL.inv_cdf(lowest + (1.0 - 2.0 * lowest) * float(generator.random()))


def doubt_of(individual: Individual, stage: str) -> str | None:
    """Return why an individual is hardly one of version 1, whose rates are per day, or None.

    Where a fit counts sessions, or its log does not identify decay, fitness is gone from one
    session to the next while every session still pays.

    Args:
        individual: The person.
        stage: ``"acquisition"`` or ``"retention"``.
    """
    days = 1.0 / individual.stage(stage).fitness_decay
    if days >= _SHORTEST_FITNESS_DAYS:
        return None
    return (
        f"individual {individual.name!r} keeps fitness for {days:.2g} days in {stage}, where "
        "4 to 51 are published: its rates are per session, or its log does not tell them. Version "
        "1 counts days, so returns and performance will mean little: take version 0 of the "
        "environment, or make an individual of version 1 with `fitgym profile`"
    )


def _vdot(heart: Physiology) -> float:
    return heart.vdot


def _individual(traits: _Traits, source: str) -> Individual:
    """Return a runner with these traits."""
    heart = traits.heart
    # A session by habit is harder the fitter people are: 16 points at VDOT 41 (ours).
    median = 16.0 * math.exp(0.04 * (heart.vdot - 41.0)) * traits.habit_factor
    habit = Habit(
        probability=traits.habit_probability, median_trimp=median, log_sd=0.5, maximum_trimp=60.0
    )
    response = Response(
        fitness_days=42.0 / traits.fitness_decay_factor,
        fatigue_days=7.0 / traits.fatigue_decay_factor,
        fitness_exponent=traits.fitness_exponent,
        fatigue_exponent=traits.fatigue_exponent,
        base_decay=traits.base_decay,
        fitness_factor=traits.fitness_utility_factor,
        fatigue_factor=traits.fatigue_utility_factor,
    )
    vdot = heart.vdot * math.exp(traits.vdot_error)
    usual = Motivation()
    return Individual(
        name="population",
        source=source,
        acquisition=stage_at_habits("acquisition", vdot, habit, response),
        retention=stage_at_habits("retention", vdot, habit, response),
        physiology=Physiology(
            vdot=heart.vdot,
            resting_heart_rate=heart.resting_heart_rate,
            maximum_heart_rate=heart.maximum_heart_rate,
            gender=heart.gender,
            heart_rate_offset=traits.heart_rate_offset,
        ),
        motivation=Motivation(
            reference_completion=traits.reference_completion,
            failure_effect=usual.failure_effect * traits.failure_effect_factor,
            fatigue_effect=FATIGUE_EFFECT,
            tolerance_sd=TOLERANCE_SD,
        ),
        habit=habit,
    )
