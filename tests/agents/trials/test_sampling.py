"""Pooled sampling against the posterior written out, and trials that follow it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from fitgym_agents.trials.micro_randomised import MicroRandomisedTrial, run_micro_randomised
from fitgym_agents.trials.sampling import LEAST, MOST, PooledSampling


def _learnt(effect: float, seed: int = 0) -> PooledSampling:
    draws = np.random.default_rng(seed)
    sampling = PooledSampling(people=20, block=10)
    for _ in range(30):
        week, push = draws.uniform(0.0, 40.0, 20), (draws.random(20) < 0.5).astype(np.float64)
        # Only the first trial's pushes do anything.
        outcome = 5.0 + 0.3 * week + effect * push * (np.arange(20) < 10) + draws.normal(size=20)
        sampling.update(week, push, outcome, np.ones(20, dtype=np.bool_))
    return sampling


def test_without_data_a_push_is_as_likely_as_none() -> None:
    np.testing.assert_allclose(PooledSampling(4, 2).probabilities(np.arange(4.0)), 0.5)


def test_what_is_found_in_one_trial_moves_that_trial_alone() -> None:
    weeks = np.full(20, 20.0)
    helped, harmed = (_learnt(effect).probabilities(weeks) for effect in (8.0, -8.0))
    assert (helped[:10] == MOST).all()
    assert (harmed[:10] == LEAST).all()
    np.testing.assert_array_equal(helped[10:], harmed[10:])


def test_probabilities_are_those_of_the_posterior() -> None:
    draws = np.random.default_rng(1)
    sampling = PooledSampling(6, 6)
    rows, outcomes = [], []
    for _ in range(5):
        week, push = draws.uniform(0.0, 40.0, 6), (draws.random(6) < 0.5).astype(np.float64)
        outcome, there = draws.normal(10.0, 20.0, 6), draws.random(6) < 0.8
        sampling.update(week, push, outcome, there)
        x = week / 20.0
        rows.append(np.stack([np.ones(6), x, push, push * x], axis=1)[there])
        outcomes.append(outcome[there])
    design, seen = np.concatenate(rows), np.concatenate(outcomes)
    noise = 400.0
    for _ in range(2):
        covariance = np.linalg.inv(design.T @ design / noise + np.eye(4) / 400.0)
        mean = covariance @ design.T @ seen / noise
        noise = (((seen - design @ mean) ** 2).sum() + 10 * 400.0) / (seen.size + 10)
    weeks = np.linspace(0.0, 50.0, 6)
    expected = []
    for week in weeks:
        row = np.array([0.0, 0.0, 1.0, week / 20.0])
        likely = 1.0 - stats.norm.cdf(0.0, row @ mean, np.sqrt(row @ covariance @ row))
        expected.append(min(max(likely, LEAST), MOST))
    np.testing.assert_allclose(sampling.probabilities(weeks), expected, rtol=1e-10)


def test_a_pooled_trial_keeps_its_probabilities_and_effects() -> None:
    trial = MicroRandomisedTrial(people=12, days=20, sampling="pooled", availability=0.8, seed=2)
    data = run_micro_randomised(trial, exact=True)
    given = data.probability[data.available]
    assert (given >= LEAST).all()
    assert (given <= MOST).all()
    np.testing.assert_array_equal(data.probability[~data.available], 0.0)
    # Everybody starts alike, and the pushes help, so they become likelier.
    np.testing.assert_allclose(data.probability[:, 0][data.available[:, 0]], 0.5)
    assert data.probability[:, -5:][data.available[:, -5:]].mean() > 0.5
    again = run_micro_randomised(trial, exact=True)
    np.testing.assert_array_equal(data.outcome, again.outcome)


def test_trials_next_to_each_other_share_nothing() -> None:
    def probabilities(block: int | None) -> np.ndarray:
        trial = MicroRandomisedTrial(people=12, days=10, sampling="pooled", seed=5)
        return run_micro_randomised(trial, block=block).probability

    # The first six are a trial of their own with a block of six, and pool all twelve without.
    assert (probabilities(6) != probabilities(None)).any()
    with pytest.raises(ValueError, match="sampling must be one of 'constant', 'pooled'"):
        MicroRandomisedTrial(sampling="thompson")
