"""Intervals cover what they say, and the statistics are those of their definitions."""

from __future__ import annotations

import inspect
import itertools
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from fitgym.common.statistics import (
    bootstrap_interval,
    crosswise_interval,
    interquartile_interval,
    interquartile_mean,
    percentile_ends,
    performance_profile,
    probability_of_improvement,
    ratio_interval,
    share_interval,
)


def test_percentile_ends_leave_half_of_the_rest_on_either_side() -> None:
    resampled = np.random.default_rng(0).permutation(1001.0 * np.arange(1001) / 1001)
    assert percentile_ends(resampled) == pytest.approx((25.0, 975.0))
    assert percentile_ends(resampled, 0.8) == pytest.approx((100.0, 900.0))


def test_bootstrap_interval_agrees_with_scipy_and_with_theory() -> None:
    values = np.random.default_rng(1).gamma(2.0, 3.0, size=80)
    ours = bootstrap_interval(values)
    # SciPy before 1.15 calls it random_state.
    named = (
        "rng" if "rng" in inspect.signature(scipy.stats.bootstrap).parameters else "random_state"
    )
    random: dict[str, Any] = {named: np.random.default_rng(0)}
    scipys = scipy.stats.bootstrap(
        (values,), np.mean, method="percentile", **random
    ).confidence_interval
    standard_error = values.std() / np.sqrt(values.size)
    assert ours.mean == pytest.approx(values.mean())
    assert ours.low == pytest.approx(scipys.low, abs=0.1 * standard_error)
    assert ours.high == pytest.approx(scipys.high, abs=0.1 * standard_error)
    assert ours.high - ours.low == pytest.approx(2 * 1.96 * standard_error, rel=0.05)
    assert bootstrap_interval(values) == ours
    narrower = bootstrap_interval(values, confidence=0.5)
    assert ours.low < narrower.low < narrower.high < ours.high


@pytest.mark.parametrize("values", [[], [1.0, np.nan], [[1.0]]])
def test_bootstrap_interval_refuses_what_has_no_mean(values: Any) -> None:
    with pytest.raises(ValueError, match="values must be a row of finite numbers"):
        bootstrap_interval(values)


def test_a_ratio_of_sums_has_the_standard_error_of_survey_sampling() -> None:
    generator = np.random.default_rng(2)
    given_plans = generator.integers(20, 90, size=400).astype(float)
    met = generator.binomial(given_plans.astype(int), 0.7).astype(float)
    interval = ratio_interval(met, given_plans)
    ratio = met.sum() / given_plans.sum()
    assert interval.mean == pytest.approx(ratio)
    # Cochran 1977, Sampling Techniques, equation 2.45.
    error = (met - ratio * given_plans).std(ddof=1) / given_plans.mean() / np.sqrt(400)
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * error, rel=0.06)
    with pytest.raises(ValueError, match="denominators"):
        ratio_interval([0.0, 0.0], [0.0, 0.0])


def simulated(seeds: int, share: float, generator: np.random.Generator) -> Any:
    """Return returns (seeds, 60) around 0; ``share`` of the mean's variance is the seeds'."""
    episodes = 40
    by_seed = np.sqrt(share * seeds) * generator.normal(size=(seeds, 1))
    both = generator.normal(size=(seeds, episodes))
    by_episode = generator.normal(size=(1, episodes)) + 0.5 * both
    return by_seed + np.sqrt((1.0 - share) * episodes) * by_episode


@pytest.mark.parametrize(("seeds", "share"), [(3, 0.0), (3, 0.5), (3, 0.95), (5, 0.8), (10, 0.5)])
def test_the_crosswise_interval_covers_the_mean_as_often_as_it_says(
    seeds: int, share: float
) -> None:
    generator = np.random.default_rng(5)
    trials = 1500
    intervals = [
        crosswise_interval(simulated(seeds, share, generator), resamples=300) for _ in range(trials)
    ]
    covered = sum(interval.low <= 0.0 <= interval.high for interval in intervals)
    assert 0.93 <= covered / trials <= 0.97


def test_many_seeds_give_the_standard_error_of_crossed_random_effects() -> None:
    values = 5.0 + simulated(40, 0.7, np.random.default_rng(3))
    seeds, episodes = values.shape
    rows, columns = values.mean(axis=1), values.mean(axis=0)
    rest = values - rows[:, None] - columns + values.mean()
    # Mean squares of the two-way layout, one observation per cell.
    common = (rest**2).sum() / ((seeds - 1) * (episodes - 1)) / values.size
    variance = rows.var(ddof=1) / seeds + columns.var(ddof=1) / episodes - common
    interval = crosswise_interval(values, resamples=20_000)
    assert interval.mean == pytest.approx(values.mean())
    assert interval.high - interval.low == pytest.approx(2 * 2.0 * np.sqrt(variance), rel=0.04)


def test_one_seed_is_resampled_over_its_episodes() -> None:
    values = np.random.default_rng(4).normal(size=(1, 50))
    assert crosswise_interval(values) == bootstrap_interval(values[0])
    assert interquartile_interval(values) == bootstrap_interval(values[0])


def test_a_share_of_the_way_moves_with_both_of_its_ends() -> None:
    generator = np.random.default_rng(6)
    luck = generator.normal(size=400)
    lowest, highest = 100.0 + 30.0 * luck, 300.0 + 30.0 * luck
    values = np.array([250.0 + 30.0 * luck])
    # Whatever luck an episode brings, it brings to all three.
    interval = share_interval(values, lowest, highest)
    assert (interval.mean, interval.low, interval.high) == pytest.approx((0.75, 0.75, 0.75))
    # Against drawing whole episodes and taking the ratio again.
    values = values + 40.0 * generator.normal(size=(1, 400))
    highest = highest + 60.0 * generator.normal(size=400)
    drawn = generator.integers(400, size=(4000, 400))
    shares = (values[0][drawn].mean(1) - lowest[drawn].mean(1)) / (
        highest[drawn].mean(1) - lowest[drawn].mean(1)
    )
    interval = share_interval(values, lowest, highest)
    low, high = np.quantile(shares, [0.025, 0.975])
    assert interval.low == pytest.approx(low, abs=0.003)
    assert interval.high == pytest.approx(high, abs=0.003)
    with pytest.raises(ValueError, match="highest"):
        share_interval(values, lowest, lowest)


@settings(deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30))
def test_interquartile_mean_is_the_trimmed_mean(scores: list[float]) -> None:
    expected = scipy.stats.trim_mean(scores, 0.25)
    assert interquartile_mean(scores) == pytest.approx(expected, rel=1e-9, abs=1e-6)


def test_the_interquartile_interval_ignores_a_run_that_failed() -> None:
    values = np.random.default_rng(7).normal(loc=np.arange(8.0)[:, None], size=(8, 100))
    fallen = values.copy()
    fallen[0] -= 1000.0
    interval = interquartile_interval(fallen)
    assert interval.mean == pytest.approx(interquartile_mean(values.mean(axis=1)))
    assert interval.low < interval.mean < interval.high
    assert crosswise_interval(fallen).low < -300.0 < interval.low


def test_probability_of_improvement_counts_pairs_of_runs() -> None:
    generator = np.random.default_rng(8)
    ours, theirs = generator.normal(0.5, 1.0, (6, 1)), generator.normal(0.0, 1.0, (4, 1))
    theirs[0] = ours[0]
    pairs = [
        1.0 if a > b else 0.5 if a == b else 0.0
        for a, b in itertools.product(ours[:, 0], theirs[:, 0])
    ]
    same = np.zeros((1, 30))
    interval = probability_of_improvement(ours + same, theirs + same)
    assert interval.mean == pytest.approx(np.mean(pairs))
    assert 0.0 <= interval.low < interval.mean < interval.high <= 1.0
    turned = probability_of_improvement(theirs + same, ours + same)
    assert turned.mean == pytest.approx(1.0 - interval.mean)
    with pytest.raises(ValueError, match="30 episodes"):
        probability_of_improvement(ours + same, np.zeros((2, 3)))


def test_the_profile_falls_from_all_runs_to_none() -> None:
    scores = np.array([[0.2], [0.5], [0.5], [0.9]]) + np.zeros((1, 10))
    profile = performance_profile(scores, [0.1, 0.5, 0.6, 1.0])
    assert [point.mean for point in profile] == [1.0, 0.75, 0.25, 0.0]
    assert all(0.0 <= point.low <= point.mean <= point.high <= 1.0 for point in profile)


def test_a_vector_is_no_matrix() -> None:
    with pytest.raises(ValueError, match="values must be a matrix of finite numbers"):
        crosswise_interval([1.0, 2.0])
