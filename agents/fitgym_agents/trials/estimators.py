"""Estimators of trials: weighted and centred least squares, and the difference of two groups.

Sources: Boruvka, Almirall, Witkiewitz, Murphy 2018, "Assessing time-varying causal effect
moderation in mobile health", JASA 113:1112 (the estimator); Mancl and DeRouen 2001, Biometrics
57:126 (the correction of the sandwich for few people).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from fitgym.common.validation import require_number

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """An estimated effect.

    Attributes:
        name: Of what.
        value: The estimate.
        error: Its standard error.
        low: Lower end of the 95 % interval.
        high: Upper end.
        p_value: Of the hypothesis that it is 0, two-sided.
    """

    name: str
    value: float
    error: float
    low: float
    high: float
    p_value: float


def weighted_centred_least_squares(
    outcome: Floats,
    treatment: Floats,
    probability: Floats,
    moderators: Floats,
    controls: Floats,
    *,
    available: NDArray[np.bool_] | None = None,
    numerator: float | None = None,
    names: tuple[str, ...] = (),
) -> list[Estimate]:
    """Estimate causal excursion effects from a micro-randomised trial.

    The outcome is regressed on the controls and on the centred treatment times the moderators,
    with weights ``(q / p)^A ((1 - q) / (1 - p))^(1 - A)``. Errors are clustered by person, with
    each person's residuals corrected by the hat matrix, and judged by a t distribution with as many
    degrees of freedom as there are people, less the coefficients.

    Args:
        outcome: What followed each decision, (people, decisions).
        treatment: Whether there was a push, 0 or 1, (people, decisions).
        probability: With which probability, in (0, 1), (people, decisions).
        moderators: What the effect is linear in, (people, decisions, q); ones for the effect
            averaged over people and decisions.
        controls: What the outcome without a push is regressed on, (people, decisions, r).
        available: Decisions that count, (people, decisions); None for all.
        numerator: ``q`` in (0, 1), constant; None for the mean treatment of available decisions.
        names: Of the moderators.

    Returns:
        The effect for each moderator.

    Raises:
        ValueError: If shapes differ, a probability is not in (0, 1), there are too few people, or
            the regressors are collinear.
    """
    people = len(outcome)
    for name, array in (("treatment", treatment), ("probability", probability)):
        if array.shape != outcome.shape:
            raise ValueError(
                f"{name} must have the shape of outcome {outcome.shape}, got {array.shape}"
            )
    use = np.ones(outcome.shape, dtype=np.bool_) if available is None else available
    if not np.all((probability[use] > 0.0) & (probability[use] < 1.0)):
        raise ValueError("probability must be in (0, 1) at every available decision")
    effects, others = moderators.shape[2], controls.shape[2]
    freedom = people - effects - others
    if freedom < 1:
        raise ValueError(
            f"people must be more than the {effects + others} coefficients, got {people}"
        )
    centre = float(treatment[use].mean()) if numerator is None else numerator
    require_number("numerator", centre, 0.0, 1.0, low_open=True, high_open=True)
    likely = np.where(use, probability, 0.5)
    weights = np.where(treatment > 0, centre / likely, (1.0 - centre) / (1.0 - likely)) * use
    design = np.concatenate([controls, (treatment - centre)[..., None] * moderators], axis=2)
    weighted = design * weights[..., None]
    grams = np.einsum("ijk,ijl->ikl", weighted, design)
    gram = grams.sum(axis=0)
    if np.linalg.matrix_rank(gram) < effects + others:
        raise ValueError(
            "moderators and controls must not be collinear, as they are over the "
            f"{np.count_nonzero(use)} available decisions: give more days or people"
        )
    coefficients = np.linalg.solve(gram, np.einsum("ijk,ij->k", weighted, outcome))
    residuals = outcome - design @ coefficients
    scores = np.einsum("ijk,ij->ik", weighted, residuals)
    # (I - H)^-1 e = e + X (G - X'WX)^-1 X'W e, so that X'W of it is G (G - X'WX)^-1 X'W e.
    corrected = np.linalg.solve(gram - grams, scores[..., None])
    scores = (gram @ corrected)[..., 0]
    inverse = np.linalg.inv(gram)
    covariance = inverse @ (scores.T @ scores) @ inverse
    labels = names or tuple(f"moderator {index}" for index in range(effects))
    return [
        estimate(
            label, coefficients[others + index], covariance[others + index, others + index], freedom
        )
        for index, label in enumerate(labels)
    ]


def difference_of_means(first: Floats, second: Floats, name: str = "difference") -> Estimate:
    """Return the mean of the second group less that of the first (Welch 1947).

    Args:
        first: Outcomes of one group, (n,), n >= 2.
        second: Of the other, (m,), m >= 2.
        name: What the estimate is called.

    Raises:
        ValueError: If a group has fewer than two people.
    """
    if min(first.size, second.size) < 2:
        raise ValueError(
            f"each group must have at least 2 people, got {first.size} and {second.size}"
        )
    parts = [group.var(ddof=1) / group.size for group in (first, second)]
    variance = float(sum(parts))
    spread = sum(
        part * part / (group.size - 1) for part, group in zip(parts, (first, second), strict=True)
    )
    freedom = variance * variance / float(spread) if spread > 0.0 else np.inf
    return estimate(name, second.mean() - first.mean(), variance, freedom)


def estimate(name: str, value: float, variance: float, freedom: float) -> Estimate:
    """Return an estimate with its t interval.

    Args:
        name: Of what.
        value: The estimate.
        variance: Of the estimate.
        freedom: Degrees of freedom of the t distribution.
    """
    error = float(np.sqrt(variance))
    half = error * float(stats.t.ppf(0.975, freedom))
    p_value = 2.0 * float(stats.t.sf(abs(value) / error, freedom)) if error > 0.0 else float("nan")
    return Estimate(name, float(value), error, float(value) - half, float(value) + half, p_value)
