"""The dynamics against a slow reading of the equations, closed forms and invariants."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitgym.model import dynamics

decays = st.floats(0.001, 2.0)
exponents_fitness = st.floats(0.1, 1.0)
exponents_fatigue = st.floats(1.0, 3.0)
scalings = st.floats(0.0, 1.0)
intensities = st.floats(0.0, 150.0)
base_levels = st.floats(1.0, 150.0)
stocks = st.floats(0.0, 1e4)


def reference_season(intensities, *, retention, theta):
    """The equations of the model as printed in docs/model.md, without the library's functions."""
    alpha, beta, gamma_f, gamma_g, delta, k_f, k_g, sigma, p_0, b_0, f_0, g_0 = theta
    u = b_0**sigma
    base, fitness, fatigue = b_0, f_0, g_0
    performances = []
    for x in intensities:
        f = base**sigma * (x / base) ** gamma_f
        g = base**sigma * (x / base) ** gamma_g
        if retention:
            kept_f, kept_g = math.exp(-alpha), math.exp(-beta)
            fitness = (u + fitness) ** kept_f * (u + f) ** (1 - kept_f) - u
            fatigue = (u + fatigue) ** kept_g * (u + g) ** (1 - kept_g) - u
        else:
            fitness = math.exp(-alpha) * fitness + f
            fatigue = math.exp(-beta) * fatigue + g
        performances.append(p_0 + k_f * fitness - k_g * fatigue)
        base = delta * (base if base > x else x)
        base = base if base > 1.0 else 1.0
    return performances, base, fitness, fatigue


def library_season(intensities, *, retention, theta):
    alpha, beta, gamma_f, gamma_g, delta, k_f, k_g, sigma, p_0, b_0, f_0, g_0 = theta
    unit = dynamics.stimulus_unit(b_0, sigma)
    base, fitness, fatigue = b_0, f_0, g_0
    performances = []
    for x in intensities:
        f = dynamics.stimulus(x, base, sigma, gamma_f)
        g = dynamics.stimulus(x, base, sigma, gamma_g)
        fitness = dynamics.accumulate(retention, fitness, f, math.exp(-alpha), unit)
        fatigue = dynamics.accumulate(retention, fatigue, g, math.exp(-beta), unit)
        performances.append(dynamics.performance(fitness, fatigue, p_0, k_f, k_g))
        base = dynamics.next_base_level(base, x, delta)
    return performances, base, fitness, fatigue


thetas = st.tuples(
    decays,
    decays,
    exponents_fitness,
    exponents_fatigue,
    st.floats(0.5, 1.0),
    st.floats(0.001, 10.0),
    st.floats(0.0, 10.0),
    scalings,
    st.floats(0.0, 60.0),
    base_levels,
    stocks,
    stocks,
)


@given(st.lists(intensities, min_size=1, max_size=60), st.booleans(), thetas)
def test_seasons_equal_a_slow_reference(season, retention, theta):
    expected = reference_season(season, retention=retention, theta=theta)
    got = library_season(season, retention=retention, theta=theta)
    # Performance is a difference of large stocks: the tolerance is relative to those.
    scale = theta[5] * max(expected[2], theta[10]) + theta[6] * max(expected[3], theta[11]) + 1.0
    np.testing.assert_allclose(got[0], expected[0], rtol=1e-9, atol=1e-9 * scale)
    np.testing.assert_allclose(got[1:], expected[1:], rtol=1e-9, atol=1e-9 * (1 + theta[9]))


@given(decays, intensities, base_levels, scalings, exponents_fitness)
def test_constant_training_settles_at_the_geometric_sum_in_acquisition(
    decay, intensity, base, scaling, exponent
):
    response = dynamics.stimulus(intensity, base, scaling, exponent)
    settled = response / (1.0 - math.exp(-decay))
    assert dynamics.acquire(settled, response, math.exp(-decay)) == pytest.approx(
        settled, rel=1e-12
    )


@given(decays, base_levels, scalings, st.floats(0.0, 1e3))
def test_constant_training_settles_at_the_stimulus_in_retention(decay, base, scaling, response):
    unit = dynamics.stimulus_unit(base, scaling)
    stock = 0.0
    for _ in range(math.ceil(40.0 / decay)):
        stock = dynamics.retain(stock, response, math.exp(-decay), unit)
    assert stock == pytest.approx(response, rel=1e-6, abs=1e-9)


@given(decays, st.floats(0.0, 1e3), st.integers(1, 200))
def test_an_impulse_decays_exponentially_in_acquisition(decay, impulse, steps):
    stock = dynamics.acquire(0.0, impulse, math.exp(-decay))
    for _ in range(steps):
        stock = dynamics.acquire(stock, 0.0, math.exp(-decay))
    assert stock == pytest.approx(impulse * math.exp(-decay * steps), rel=1e-9, abs=1e-300)


@given(decays, st.floats(0.0, 1e3), st.integers(1, 100), base_levels, scalings)
def test_an_impulse_decays_in_logarithms_in_retention(decay, start, steps, base, scaling):
    unit = dynamics.stimulus_unit(base, scaling)
    stock = start
    for _ in range(steps):
        stock = dynamics.retain(stock, 0.0, math.exp(-decay), unit)
    # Without stimulus ln(1 + F/u) shrinks by e^-alpha a step.
    expected = unit * math.expm1(math.exp(-decay * steps) * math.log1p(start / unit))
    assert stock == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(st.booleans(), thetas, st.lists(intensities, min_size=1, max_size=40), st.floats(1.0, 5.0))
def test_stocks_are_homogeneous_of_degree_one_when_sigma_is_one(retention, theta, season, factor):
    theta = (*theta[:7], 1.0, *theta[8:])
    scaled = (*theta[:9], *(factor * value for value in theta[9:]))
    # The floor of the base level is the one thing that does not scale: stay above it.
    theta_without_floor = (*theta[:4], max(theta[4], 0.97), *theta[5:9], 10.0, *theta[10:])
    scaled_without_floor = (
        *scaled[:4],
        max(theta[4], 0.97),
        *scaled[5:9],
        10.0 * factor,
        *scaled[10:],
    )
    _, base, fitness, fatigue = library_season(
        season, retention=retention, theta=theta_without_floor
    )
    _, scaled_base, scaled_fitness, scaled_fatigue = library_season(
        [factor * x for x in season], retention=retention, theta=scaled_without_floor
    )
    assert base > dynamics.MINIMUM_BASE_LEVEL
    np.testing.assert_allclose(
        [scaled_base, scaled_fitness, scaled_fatigue],
        factor * np.array([base, fitness, fatigue]),
        rtol=1e-9,
        atol=1e-9 * factor,
    )


@given(stocks, stocks, decays, base_levels, scalings)
def test_a_retention_stock_stays_between_stock_and_stimulus(stock, response, decay, base, scaling):
    unit = dynamics.stimulus_unit(base, scaling)
    after = dynamics.retain(stock, response, math.exp(-decay), unit)
    slack = 1e-9 * (1.0 + max(stock, response))
    assert min(stock, response) - slack <= after <= max(stock, response) + slack


@given(stocks, decays, base_levels, st.floats(0.0, 100.0), st.floats(0.01, 100.0))
def test_the_gain_from_a_stimulus_grows_with_the_stock_in_retention(
    stock, decay, base, response, more
):
    unit, kept = dynamics.stimulus_unit(base, 1.0), dynamics.kept_share(decay)

    def gain(at):
        return dynamics.retain(at, response, kept, unit) - dynamics.retain(at, 0.0, kept, unit)

    assert gain(stock + more) >= gain(stock) - 1e-9 * (1.0 + stock)


@given(base_levels, intensities, st.floats(0.01, 1.0))
def test_the_base_level_follows_the_harder_session_and_keeps_its_floor(base, intensity, decay):
    after = dynamics.next_base_level(base, intensity, decay)
    assert after >= dynamics.MINIMUM_BASE_LEVEL
    assert after <= max(base, intensity, dynamics.MINIMUM_BASE_LEVEL)
    if decay == 1.0:
        assert after == max(base, intensity)


def test_responses_are_concave_for_fitness_and_convex_for_fatigue():
    grid = np.linspace(0.0, 100.0, 201)
    fitness = [dynamics.stimulus(x, 25.0, 1.0, 0.6) for x in grid]
    fatigue = [dynamics.stimulus(x, 25.0, 1.0, 1.5) for x in grid]
    assert np.all(np.diff(fitness, 2) < 0)
    assert np.all(np.diff(fatigue, 2) > 0)


def test_a_higher_base_level_gives_more_fitness_and_less_fatigue_from_the_same_session():
    low, high = (dynamics.stimulus(30.0, base, 1.0, 0.6) for base in (20.0, 40.0))
    assert high > low
    low, high = (dynamics.stimulus(30.0, base, 1.0, 1.5) for base in (20.0, 40.0))
    assert high < low
