from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fitgym_agents.online.regression import MixedModel, Moments, posterior

Floats = NDArray[np.float64]
WIDTH = 3


def data(people: int, seed: int = 0) -> tuple[NDArray[np.int64], Floats, Floats, Floats]:
    """Return whose data, features, targets, and the coefficients of people who differ."""
    generator = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), generator.integers(1, 12, people))
    own = np.array([1.0, -2.0, 0.5]) + generator.normal(size=(people, WIDTH)) * [0.8, 0.1, 0.4]
    features = generator.normal(size=(person.size, WIDTH))
    targets = (features * own[person]).sum(axis=1) + 0.7 * generator.normal(size=person.size)
    return person, features, targets, own


def moments(people: int, person: NDArray[np.int64], features: Floats, targets: Floats) -> Moments:
    result = Moments.empty(people, WIDTH)
    result.add(person, features, targets)
    return result


def test_posterior_is_that_of_one_person_alone() -> None:
    person, features, targets, _ = data(4)
    mean, prior, noise = np.array([0.3, 0.0, -1.0]), np.diag([2.0, 1.0, 0.5]), 0.6
    means, covariances = posterior(
        moments(4, person, features, targets), mean, np.linalg.inv(prior), noise
    )
    for one in range(4):
        x, y = features[person == one], targets[person == one]
        # The textbook's other form: condition the joint normal of coefficients and data.
        gain = prior @ x.T @ np.linalg.inv(x @ prior @ x.T + noise * np.eye(y.size))
        np.testing.assert_allclose(means[one], mean + gain @ (y - x @ mean), rtol=1e-9)
        np.testing.assert_allclose(covariances[one], prior - gain @ x @ prior, rtol=1e-7)


def test_data_in_parts_and_in_any_order_are_the_same_data() -> None:
    person, features, targets, _ = data(5)
    whole = moments(5, person, features, targets)
    parts = Moments.empty(5, WIDTH)
    for rows in np.array_split(np.random.default_rng(1).permutation(person.size), 4):
        parts.add(person[rows], features[rows], targets[rows])
    np.testing.assert_allclose(parts.gram, whole.gram)
    np.testing.assert_allclose(parts.cross, whole.cross)
    residuals = targets - features @ np.ones(WIDTH)
    expected = np.bincount(person, residuals**2)
    np.testing.assert_allclose(whole.residual_squares(np.ones(WIDTH)), expected)


def test_mixed_model_shrinks_as_the_joint_normal_does() -> None:
    people = 5
    person, features, targets, _ = data(people)
    spread, noise, vague = np.diag([0.6, 0.1, 0.3]) + 0.05, 0.5, np.eye(WIDTH) * 1e-2
    model = MixedModel(np.zeros(WIDTH), spread, noise, vague)
    means, covariances = model.predictions(moments(people, person, features, targets))
    # All coefficients, mu first, and all data as one normal vector.
    prior = np.kron(np.ones((people, people)), np.linalg.inv(vague)) + np.kron(
        np.eye(people), spread
    )
    design = np.zeros((person.size, people * WIDTH))
    for row, one in enumerate(person):
        design[row, one * WIDTH : (one + 1) * WIDTH] = features[row]
    gain = prior @ design.T @ np.linalg.inv(design @ prior @ design.T + noise * np.eye(person.size))
    np.testing.assert_allclose(means.ravel(), gain @ targets, rtol=1e-6)
    left = prior - gain @ design @ prior
    for one in range(people):
        block = left[one * WIDTH : (one + 1) * WIDTH, one * WIDTH : (one + 1) * WIDTH]
        np.testing.assert_allclose(covariances[one], block, rtol=1e-5, atol=1e-8)


def log_likelihood(
    model: MixedModel, people: int, person: NDArray[np.int64], features: Floats, targets: Floats
) -> float:
    total = 0.0
    for one in range(people):
        x, y = features[person == one], targets[person == one]
        variance = x @ model.spread @ x.T + model.noise * np.eye(y.size)
        away = y - x @ model.mean
        total -= 0.5 * (np.linalg.slogdet(variance)[1] + away @ np.linalg.solve(variance, away))
    return total


def test_fitting_raises_the_marginal_likelihood_to_its_top() -> None:
    people = 60
    person, features, targets, own = data(people)
    observed = moments(people, person, features, targets)
    almost_none = 1e-9
    model = MixedModel(np.zeros(WIDTH), np.eye(WIDTH), 1.0, np.eye(WIDTH) * almost_none)
    likelihoods = []
    for _ in range(80):
        model = model.fitted(observed, 3, np.eye(WIDTH), almost_none)
        likelihoods.append(log_likelihood(model, people, person, features, targets))
    assert np.diff(likelihoods).min() > -1e-6
    assert np.diff(likelihoods)[-1] < 1e-3
    # Nothing near it is more likely.
    for factor in (0.9, 1.1):
        for other in (
            MixedModel(model.mean, model.spread * factor, model.noise, model.mean_precision),
            MixedModel(model.mean, model.spread, model.noise * factor, model.mean_precision),
            MixedModel(model.mean * factor, model.spread, model.noise, model.mean_precision),
        ):
            assert log_likelihood(other, people, person, features, targets) < likelihoods[-1]
    means, _ = model.predictions(observed)
    alone, _ = posterior(observed, np.zeros(WIDTH), np.eye(WIDTH) * 1e-3, model.noise)
    assert np.mean((means - own) ** 2) < 0.5 * np.mean((alone - own) ** 2)


def test_somebody_without_data_is_the_mean() -> None:
    person, features, targets, _ = data(6)
    observed = moments(7, person, features, targets)
    model = MixedModel(np.zeros(WIDTH), np.eye(WIDTH), 0.5, np.eye(WIDTH) * 1e-3)
    means, covariances = model.predictions(observed)
    others = [np.linalg.norm(means[one] - means[6]) for one in range(6)]
    assert means[6] == pytest.approx(means[:6].mean(axis=0), abs=max(others))
    assert np.linalg.eigvalsh(covariances[6] - np.eye(WIDTH)).min() > 0.0
