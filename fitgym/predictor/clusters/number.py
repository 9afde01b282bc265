"""How many groups there are: one, unless points clump more than a single population's would.

The gap statistic (Tibshirani, Walther and Hastie 2001) compares the spread within groups to that
of sets drawn from one population, and takes the fewest groups after which one more gains nothing.
More than one are believed only if the best silhouette, too, is beyond those that one population
gives. K-means cuts any cloud into pieces: without the comparison there would always be groups.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitgym.common.validation import require_integer
from fitgym.predictor.clusters.kmeans import Labels, adjusted_rand_index, kmeans, silhouette

Array = NDArray[np.float64]
# Draws a set of points as one population would give it.
Null = Callable[[np.random.Generator], Array]

MOST_CLUSTERS = 6
NULL_SETS, RESAMPLES = 100, 100
RESAMPLED_SHARE = 0.8
SIGNIFICANCE = 0.05


@dataclass(frozen=True, eq=False)
class Grouping:
    """How points fall into groups.

    Attributes:
        clusters: The number that is argued for; one means no groups.
        gap_choice: The number that the gap statistic takes by itself.
        gaps: By number of groups from 1 on, the gap.
        gap_errors: Their standard errors.
        silhouettes: By number of groups from 2 on, the mean silhouette.
        null_silhouettes: By number from 2 on, 5th, 50th and 95th percentile under one population.
        silhouette_p: How often one population has as good a best silhouette.
        labels: (P,) groups at ``shown`` groups.
        shown: ``clusters``, or 2 where that is one, to show what a cut would be worth.
        stability: Adjusted Rand index of ``labels`` with the groups of resampled people: mean, 5th
            and 95th percentile.
        null_stability: Mean of the same under one population.
    """

    clusters: int
    gap_choice: int
    gaps: list[float]
    gap_errors: list[float]
    silhouettes: list[float]
    null_silhouettes: list[list[float]]
    silhouette_p: float
    labels: Labels
    shown: int
    stability: tuple[float, float, float]
    null_stability: float


def group_points(
    points: Array,
    null: Null,
    *,
    most: int = MOST_CLUSTERS,
    null_sets: int = NULL_SETS,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Grouping:
    """Group points and argue the number of groups.

    Args:
        points: (P, D) with P at least 10.
        null: Draws sets of points of one population.
        most: Largest number of groups that is tried.
        null_sets: Number of such sets.
        resamples: How often four fifths of the points are grouped anew.
        seed: Seed of everything random.

    Raises:
        ValueError: If there are too few points.
    """
    if len(points) < 10:
        raise ValueError(f"points must be of at least 10 people, got {len(points)}")
    require_integer("most", most, 2, len(points) // 2)
    spread, silhouettes, labels = _cut(points, most, np.random.default_rng([seed, 0]))
    null_spreads, null_silhouettes = [], []
    for number in range(null_sets):
        rng = np.random.default_rng([seed, 1, number])
        of_null = _cut(null(rng), most, rng)
        null_spreads.append(of_null[0])
        null_silhouettes.append(of_null[1])
    reference, best = np.array(null_spreads), np.array(null_silhouettes)
    gaps = reference.mean(axis=0) - np.array(spread)
    errors = reference.std(axis=0) * np.sqrt(1.0 + 1.0 / null_sets)
    choice = next(
        (k for k in range(1, most) if gaps[k - 1] >= gaps[k] - errors[k]),
        most,
    )
    exceeding = int((best.max(axis=1) >= max(silhouettes)).sum())
    p_value = (1.0 + exceeding) / (1.0 + null_sets)
    clusters = choice if p_value < SIGNIFICANCE else 1
    shown = max(clusters, 2)
    stability = resampled_stability(points, labels[shown - 1], resamples, seed)
    null_stability = []
    for number in range(max(null_sets // 10, 1)):
        drawn = null(np.random.default_rng([seed, 1, number]))
        own, _ = kmeans(drawn, shown, np.random.default_rng([seed, 2, number]))
        null_stability.append(resampled_stability(drawn, own, max(resamples // 5, 1), seed).mean())
    return Grouping(
        clusters=clusters,
        gap_choice=choice,
        gaps=gaps.tolist(),
        gap_errors=errors.tolist(),
        silhouettes=silhouettes,
        null_silhouettes=np.percentile(best, [5, 50, 95], axis=0).T.tolist(),
        silhouette_p=p_value,
        labels=labels[shown - 1],
        shown=shown,
        stability=(
            float(stability.mean()),
            float(np.percentile(stability, 5)),
            float(np.percentile(stability, 95)),
        ),
        null_stability=float(np.mean(null_stability)),
    )


def resampled_stability(points: Array, labels: Labels, resamples: int, seed: int) -> Array:
    """Return the adjusted Rand index (R,) of labels with groups of four fifths of the points."""
    clusters = len(np.unique(labels))
    size = max(round(RESAMPLED_SHARE * len(points)), clusters)
    found = []
    for number in range(resamples):
        rng = np.random.default_rng([seed, 3, number])
        chosen = rng.choice(len(points), size, replace=False)
        again, _ = kmeans(points[chosen], clusters, rng)
        found.append(adjusted_rand_index(labels[chosen], again))
    return np.array(found)


def one_normal(points: Array) -> Null:
    """Return what draws from a normal distribution with mean and covariance of points (P, D)."""
    mean, covariance = points.mean(axis=0), np.atleast_2d(np.cov(points.T))

    def draw(rng: np.random.Generator) -> Array:
        return rng.multivariate_normal(mean, covariance, len(points), method="eigh")

    return draw


def _cut(
    points: Array, most: int, rng: np.random.Generator
) -> tuple[list[float], list[float], list[Labels]]:
    """Return log of the spread within 1..most groups, silhouettes of 2..most, and labels."""
    spreads, silhouettes, labels = [], [], []
    for clusters in range(1, most + 1):
        own, within = kmeans(points, clusters, rng)
        spreads.append(float(np.log(max(within, 1e-300))))
        labels.append(own)
        if clusters > 1:
            silhouettes.append(silhouette(points, own))
    return spreads, silhouettes, labels
