"""The compiled likelihood against quadrature, the exact filter and a season that is known."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

import fitgym  # noqa: F401
from fitgym.people.individual import Individual
from fitgym.people.runners import Habit, habitual_base_level
from fitgym.planning.belief import MotivationFilter
from fitgym.planning.simulation import simulate
from fitgym.profile.curves import Curves
from fitgym.profile.days import HABIT, PLANNED, RACE, REST, Days
from fitgym.profile.likelihood import (
    FINALS,
    after_completion,
    after_habit,
    after_stop,
    habitual_level,
    log_likelihoods,
)
from fitgym.profile.posterior import evidence_of, sample_posterior
from fitgym.profile.prior import TRAITS, Given, population_prior
from fitgym.virtual.season import VirtualSeason

START = date(2025, 1, 6)

MEANS = st.floats(-1.0, 1.0)
VARIANCES = st.floats(0.01, 0.3)


def moments(likelihood: Any, mean: float, variance: float) -> tuple[float, float, float]:
    """Return log likelihood, mean and variance of motivation by quadrature on a fine grid."""
    m = np.linspace(mean - 9.0 * math.sqrt(variance), mean + 9.0 * math.sqrt(variance), 20_001)
    weights = likelihood(m) * norm.pdf(m, mean, math.sqrt(variance)) * (m[1] - m[0])
    total = weights.sum()
    first = weights @ m / total
    return math.log(total), first, weights @ (m - first) ** 2 / total


@given(st.floats(-0.5, 0.5), VARIANCES, st.floats(-0.5, 0.5), st.floats(0.2, 0.5))
def test_a_completed_plan_is_weighed_exactly(
    mean: float, variance: float, margin: float, sd: float
) -> None:
    expected = moments(lambda m: norm.cdf((margin + m) / sd), mean, variance)
    assert after_completion(mean, variance, margin, sd) == pytest.approx(
        expected, abs=1e-6, rel=1e-6
    )


@given(st.floats(-0.5, 0.5), VARIANCES, st.floats(-0.5, 0.5), st.floats(0.2, 0.5))
def test_a_stopped_plan_is_weighed_exactly(
    mean: float, variance: float, margin: float, sd: float
) -> None:
    expected = moments(lambda m: norm.pdf(margin + m, 0.0, sd), mean, variance)
    assert after_stop(mean, variance, margin, sd) == pytest.approx(expected, abs=1e-6, rel=1e-6)


@given(MEANS, VARIANCES, st.floats(-2.0, 2.0), st.booleans())
def test_habit_is_weighed_nearly_exactly(
    mean: float, variance: float, log_odds: float, struck: bool
) -> None:
    sign = 1.0 if struck else -1.0
    expected = moments(lambda m: 1.0 / (1.0 + np.exp(-sign * (log_odds + m))), mean, variance)
    assert after_habit(mean, variance, log_odds, struck) == pytest.approx(expected, abs=2e-4)


@given(st.floats(3.0, 40.0), st.floats(0.05, 0.9), st.floats(0.985, 0.995), st.floats(0.2, 0.8))
def test_the_habitual_base_level_is_that_of_the_population(
    median: float, probability: float, decay: float, log_sd: float
) -> None:
    habit = Habit(probability=probability, median_trimp=median, log_sd=log_sd, maximum_trimp=60.0)
    units = log_sd * norm.ppf((np.arange(200) + 0.5) / 200)
    found = habitual_level(math.log(median), probability, decay, units, math.log(60.0))
    assert found == pytest.approx(habitual_base_level(habit, decay), rel=1e-6)


def traits_of(individual: Individual, vdot: float) -> np.ndarray:
    theta, habit = individual.acquisition, individual.habit
    level = theta.initial_base_level
    values = {
        "log_vdot": math.log(vdot),
        "habit_log_median": math.log(habit.median_trimp),
        "habit_log_odds": math.log(habit.probability / (1.0 - habit.probability)),
        "fitness_decay_log_factor": math.log(42.0 * theta.fitness_decay),
        "fatigue_decay_log_factor": math.log(7.0 * theta.fatigue_decay),
        "fitness_utility_log_factor": math.log(theta.fitness_utility * level / 0.115),
        "fatigue_utility_log_factor": math.log(theta.fatigue_utility * level / 0.1725),
        "failure_effect_log_factor": math.log(individual.motivation.failure_effect / 0.15),
        "fitness_exponent": theta.fitness_exponent,
        "fatigue_exponent": theta.fatigue_exponent,
        "base_decay": theta.base_decay,
        "reference_completion": norm.ppf(individual.motivation.reference_completion),
        "heart_rate_offset": individual.physiology.heart_rate_offset,
        "resting_heart_rate": individual.physiology.resting_heart_rate,
        "maximum_heart_rate": individual.physiology.maximum_heart_rate,
    }
    return np.array([[values[name] for name in TRAITS]])


def evidence_as_in_the_population(days: Days, curves: Curves) -> Any:
    """Return the evidence with the population's spread of habit sessions, which is the truth."""
    units = 0.5 * norm.ppf((np.arange(200) + 0.5) / 200)
    found = evidence_of(days, curves, None)
    return found._replace(habit_units=units, habit_log_sd=0.5, habit_maximum=60.0)


def days_and_curves(season: VirtualSeason, loads: np.ndarray) -> tuple[Days, Curves]:
    """Return a season as it really was: no reading, no network, the load of each plan known."""
    plans, done = season.plans_trimp, season.load_trimp
    kind = np.where(done > 0.0, HABIT, REST)
    kind = np.where(plans > 0.0, PLANNED, np.where(season.races, RACE, kind))
    days = Days(
        first=season.start,
        kind=kind.astype(np.int64),
        points=done,
        plan_trimp=plans,
        share=np.where(plans > 0.0, done / np.maximum(plans, 1e-9), 0.0),
        minutes=np.where(done > 0.0, 30.0, 0.0),
        recording=np.full(season.days, -1),
        workouts=(),
        race_day=np.zeros(0, dtype=np.int64),
        race_log_vdot=np.zeros(0),
        race_chance=np.zeros(0),
        plans_known=True,
    )
    planned = np.flatnonzero(plans > 0.0)
    shape = (planned.size, 13, 2)
    curves = Curves(
        day=planned,
        measured=np.full(planned.size, np.nan),
        expected=np.full(shape, 140.0),
        maximum_bend=np.zeros(planned.size),
        resting_slope=np.zeros((planned.size, 2)),
        offset_share=np.ones(shape),
        error_sd=np.ones(planned.size),
        log_load=np.broadcast_to(np.log(loads[planned])[:, None, None], shape).copy(),
        load_resting_slope=np.zeros((planned.size, 2)),
        load_offset_slope=np.zeros(shape),
        centre=(season.individual.physiology.vdot, 180.0, 60.0),
    )
    return days, curves


def test_true_traits_lead_to_the_true_state(season: VirtualSeason) -> None:
    days, curves = days_and_curves(season, season.outcomes["internal_load"])
    finals, result = np.zeros((1, len(FINALS))), np.zeros(1)
    traits = traits_of(season.individual, float(season.performance[0]))
    log_likelihoods(traits, evidence_as_in_the_population(days, curves), finals, result)
    found = dict(zip(FINALS, finals[0], strict=True))
    assert np.isfinite(result[0])
    assert found["base_level"] == pytest.approx(season.base_level[-1], rel=1e-6)
    assert found["fitness"] == pytest.approx(season.fitness[-1], rel=1e-6)
    assert found["fatigue"] == pytest.approx(season.fatigue[-1], rel=1e-6)
    assert found["vdot"] == pytest.approx(season.performance[-1], rel=1e-6)


def test_motivation_is_that_of_the_exact_filter(person: Individual) -> None:
    environment: Any = gym.make(
        "fitgym/Acquisition-v1", individual=person, disable_env_checker=True
    ).unwrapped
    generator = np.random.default_rng(3)
    played = simulate(
        environment.task,
        environment.task.prepare(person),
        lambda states: generator.integers(0, 6, size=states.size),
        episodes=1,
        seed=11,
    )
    exact = MotivationFilter(environment, -3.0, 2.0, 801)
    belief = exact.start(1)
    for day in range(environment.days):
        belief = exact.update(belief, played.states[day], played.states[day + 1])
    mean = float(belief[0] @ exact.motivations)
    sd = math.sqrt(float(belief[0] @ (exact.motivations - mean) ** 2))
    outcomes = played.outcomes[:, 0]
    season = VirtualSeason(
        individual=person,
        stage="acquisition",
        start=START,
        history=None,  # type: ignore[arg-type]
        actions=played.actions[:, 0],
        plans_trimp=outcomes["plan_trimp"],
        races=np.zeros(environment.days, dtype=bool),
        states=played.states[:, 0],
        outcomes=outcomes,
    )
    days, curves = days_and_curves(season, outcomes["internal_load"])
    finals, result = np.zeros((1, len(FINALS))), np.zeros(1)
    traits = traits_of(person, float(season.performance[0]))
    log_likelihoods(traits, evidence_as_in_the_population(days, curves), finals, result)
    assert finals[0, FINALS.index("motivation")] == pytest.approx(mean, abs=0.02)
    variance = finals[0, FINALS.index("motivation_variance")]
    assert math.sqrt(variance) == pytest.approx(sd, abs=0.02)


def test_without_evidence_the_posterior_is_the_prior(season: VirtualSeason) -> None:
    """A day of rest says next to nothing, so every trait keeps the population's distribution."""
    days, curves = days_and_curves(season, season.outcomes["internal_load"])
    one = replace(
        days,
        **{
            name: getattr(days, name)[:1] * 0
            for name in ("kind", "points", "plan_trimp", "share", "minutes")
        },
        recording=np.array([-1]),
    )
    nothing = replace(
        curves,
        **{
            name: getattr(curves, name)[:0]
            for name in (
                "day",
                "measured",
                "expected",
                "maximum_bend",
                "resting_slope",
                "offset_share",
                "error_sd",
                "log_load",
                "load_resting_slope",
                "load_offset_slope",
            )
        },
    )
    prior = population_prior(41.0, 0.14, Given())
    found = sample_posterior(prior, evidence_of(one, nothing, None))
    assert found.effective > 500
    before = prior.traits(np.random.default_rng(0).standard_normal((20_000, len(TRAITS))))
    for number, name in enumerate(TRAITS):
        if name == "habit_log_odds":
            continue
        low, high = found.interval(found.trait(name))
        expected = np.quantile(before[:, number], [0.025, 0.975])
        width = expected[1] - expected[0]
        assert [low, high] == pytest.approx(expected, abs=0.08 * width), name
