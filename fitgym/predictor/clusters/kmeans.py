"""K-means, silhouettes and the adjusted Rand index."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import comb

from fitgym.common.validation import require_integer

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

RESTARTS, ITERATIONS = 10, 100


def kmeans(points: Array, clusters: int, rng: np.random.Generator) -> tuple[Labels, float]:
    """Group points by k-means with k-means++ starts (Arthur and Vassilvitskii 2007).

    Args:
        points: (P, D).
        clusters: Number of groups, at most P.
        rng: Draws the starts.

    Returns:
        Labels (P,), numbered from the largest group down, and the sum of squared distances to the
        groups' means, the smallest of several starts.
    """
    require_integer("clusters", clusters, 1, len(points))
    best: tuple[float, Labels] | None = None
    for _ in range(1 if clusters == 1 else RESTARTS):
        labels = _lloyd(points, _starts(points, clusters, rng))
        within = _within(points, labels)
        if best is None or within < best[0]:
            best = within, labels
    assert best is not None
    return _by_size(best[1]), best[0]


def silhouette(points: Array, labels: Labels) -> float:
    """Return the mean silhouette (Rousseeuw 1987) of points (P, D): 1 apart, 0 no gap.

    A point alone in its group counts 0; with one group everybody counts 0.
    """
    groups = np.unique(labels)
    if len(groups) < 2:
        return 0.0
    distance = np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=2))
    means = np.stack([distance[:, labels == group].sum(axis=1) for group in groups], axis=1)
    sizes = np.array([(labels == group).sum() for group in groups], dtype=np.float64)
    own = np.searchsorted(groups, labels)
    rows = np.arange(len(points))
    inside = means[rows, own] / np.maximum(sizes[own] - 1.0, 1.0)
    others = means / sizes
    others[rows, own] = np.inf
    nearest = others.min(axis=1)
    values = (nearest - inside) / np.maximum(np.maximum(nearest, inside), 1e-12)
    return float(np.where(sizes[own] > 1.0, values, 0.0).mean())


def adjusted_rand_index(first: Labels, second: Labels) -> float:
    """Return how well two groupings of the same points agree: 1 the same, 0 as by chance.

    Hubert and Arabie 1985. Two groupings that are both one group agree wholly.
    """
    _, rows = np.unique(first, return_inverse=True)
    _, columns = np.unique(second, return_inverse=True)
    table = np.zeros((rows.max() + 1, columns.max() + 1))
    np.add.at(table, (rows, columns), 1.0)
    pairs = float(comb(table, 2).sum())
    of_rows, of_columns = (float(comb(table.sum(axis=axis), 2).sum()) for axis in (1, 0))
    by_chance = of_rows * of_columns / float(comb(len(first), 2))
    most = 0.5 * (of_rows + of_columns)
    return 1.0 if most == by_chance else (pairs - by_chance) / (most - by_chance)


def _starts(points: Array, clusters: int, rng: np.random.Generator) -> Array:
    chosen = [int(rng.integers(len(points)))]
    nearest = ((points - points[chosen[0]]) ** 2).sum(axis=1)
    while len(chosen) < clusters:
        total = nearest.sum()
        shares = nearest / total if total > 0.0 else None
        chosen.append(int(rng.choice(len(points), p=shares)))
        nearest = np.minimum(nearest, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
    return points[chosen].copy()


def _lloyd(points: Array, centres: Array) -> Labels:
    labels = np.full(len(points), -1, dtype=np.int64)
    for _ in range(ITERATIONS):
        distance = ((points[:, None] - centres[None]) ** 2).sum(axis=2)
        new = distance.argmin(axis=1)
        if (new == labels).all():
            break
        labels = new
        for group in range(len(centres)):
            members = points[labels == group]
            if len(members):
                centres[group] = members.mean(axis=0)
    return labels


def _within(points: Array, labels: Labels) -> float:
    return sum(
        float(((points[labels == group] - points[labels == group].mean(axis=0)) ** 2).sum())
        for group in np.unique(labels)
    )


def _by_size(labels: Labels) -> Labels:
    groups, counts = np.unique(labels, return_counts=True)
    order = groups[np.argsort(-counts, kind="stable")]
    numbers = {group: number for number, group in enumerate(order)}
    return np.array([numbers[label] for label in labels], dtype=np.int64)
