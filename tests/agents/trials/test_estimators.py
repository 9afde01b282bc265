"""Estimators of trials against direct formulas, simulation and statsmodels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from fitgym_agents.trials.estimators import difference_of_means, weighted_centred_least_squares


def _trial(seed: int, people: int = 12, decisions: int = 9) -> dict[str, Any]:
    draws = np.random.default_rng(seed)
    shape = (people, decisions)
    control = draws.normal(size=shape)
    probability = 1.0 / (1.0 + np.exp(-0.5 * control))
    treatment = (draws.random(shape) < probability).astype(float)
    person = draws.normal(size=(people, 1))
    day = np.tile(np.arange(decisions, dtype=float), (people, 1))
    outcome = 1.0 + control + person + treatment * (2.0 - 0.1 * day) + draws.normal(size=shape)
    return {
        "outcome": outcome,
        "treatment": treatment,
        "probability": probability,
        "moderators": np.stack([np.ones(shape), day], axis=2),
        "controls": np.stack([np.ones(shape), control], axis=2),
        "available": draws.random(shape) < 0.8,
    }


def _directly(trial: dict[str, Any], numerator: float, *, corrected: bool) -> Any:
    """Return coefficients and covariance by the textbook's matrices, person by person."""
    blocks = []
    for person in range(len(trial["outcome"])):
        use = trial["available"][person]
        treatment, likely = trial["treatment"][person][use], trial["probability"][person][use]
        design = np.hstack(
            [
                trial["controls"][person][use],
                (treatment - numerator)[:, None] * trial["moderators"][person][use],
            ]
        )
        ratio = np.where(treatment == 1, numerator / likely, (1 - numerator) / (1 - likely))
        blocks.append((design, np.diag(ratio), trial["outcome"][person][use]))
    bread = np.linalg.inv(sum(x.T @ w @ x for x, w, _ in blocks))
    coefficients = bread @ sum(x.T @ w @ y for x, w, y in blocks)
    meat = np.zeros_like(bread)
    for x, w, y in blocks:
        error = y - x @ coefficients
        if corrected:
            error = np.linalg.inv(np.eye(len(y)) - x @ bread @ x.T @ w) @ error
        score = x.T @ w @ error
        meat += np.outer(score, score)
    return coefficients, bread @ meat @ bread


@pytest.mark.parametrize("seed", range(5))
def test_it_is_the_textbooks_estimator(seed: int) -> None:
    trial = _trial(seed)
    found = weighted_centred_least_squares(**trial, numerator=0.4, names=("average", "day"))
    coefficients, covariance = _directly(trial, 0.4, corrected=True)
    freedom = 12 - 4
    for index, estimate in enumerate(found, start=2):
        assert estimate.value == pytest.approx(coefficients[index])
        assert estimate.error == pytest.approx(covariance[index, index] ** 0.5)
        half = stats.t.ppf(0.975, freedom) * estimate.error
        assert estimate.high - estimate.value == pytest.approx(half)
        assert (estimate.p_value < 0.05) == (not estimate.low <= 0.0 <= estimate.high)


def test_without_weights_it_is_clustered_least_squares() -> None:
    api = pytest.importorskip("statsmodels.api")
    trial = _trial(3) | {"probability": np.full((12, 9), 0.5), "available": None}
    estimate = weighted_centred_least_squares(**trial, numerator=0.5)[0]
    design = np.concatenate(
        [trial["controls"], (trial["treatment"] - 0.5)[..., None] * trial["moderators"]], axis=2
    ).reshape(-1, 4)
    fitted = api.OLS(trial["outcome"].ravel(), design).fit(
        cov_type="cluster",
        cov_kwds={"groups": np.repeat(np.arange(12), 9), "use_correction": False},
    )
    assert estimate.value == pytest.approx(fitted.params[2])
    # The correction for few people only widens.
    assert fitted.bse[2] < estimate.error < 1.5 * fitted.bse[2]


def test_its_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """The randomisation depends on a covariate that moves the outcome, and people differ."""
    held, errors = 0, []
    for seed in range(1000):
        trial = _trial(seed, people=40)
        day = trial["moderators"][..., 1]
        found = weighted_centred_least_squares(
            **{**trial, "moderators": trial["moderators"][..., :1]}
        )[0]
        truth = 2.0 - 0.1 * day.mean()
        held += found.low <= truth <= found.high
        errors.append(found.value - truth)
    # The correction for few people errs on the wide side.
    assert 0.93 <= held / 1000 <= 0.98
    assert abs(np.mean(errors)) < 4 * np.std(errors) / 1000**0.5 + 0.02


@pytest.mark.parametrize("seed", range(3))
def test_the_difference_is_welchs(seed: int) -> None:
    draws = np.random.default_rng(seed)
    first, second = draws.normal(size=7), draws.normal(1.0, 3.0, size=11)
    found = difference_of_means(first, second)
    expected = stats.ttest_ind(second, first, equal_var=False)
    interval = expected.confidence_interval(0.95)
    assert found.value == pytest.approx(second.mean() - first.mean())
    assert found.p_value == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"treatment": np.zeros((12, 8))}, r"treatment must have the shape of outcome \(12, 9\)"),
        ({"probability": np.ones((12, 9))}, r"probability must be in \(0, 1\)"),
        ({"controls": np.ones((12, 9, 2))}, "must not be collinear"),
        ({"numerator": 1.0}, r"numerator must be .*\(0, 1\)"),
    ],
)
def test_bad_input(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        weighted_centred_least_squares(**{**_trial(0), **changes})


def test_too_few_people() -> None:
    with pytest.raises(ValueError, match="people must be more than the 4 coefficients, got 4"):
        weighted_centred_least_squares(**_trial(0, people=4))
    with pytest.raises(ValueError, match="at least 2 people, got 1 and 3"):
        difference_of_means(np.zeros(1), np.zeros(3))
