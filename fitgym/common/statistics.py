"""Estimates with confidence intervals from episodes, people and a few training seeds.

Training seeds are all scored on the same episodes, so both are resampled, independently of each
other, and crossed: a drawn seed brings its scores in the drawn episodes (Owen 2007, "The pigeonhole
bootstrap"). Statistics of runs follow Agarwal et al. 2021, "Deep reinforcement learning at the edge
of the statistical precipice".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fitgym.common.validation import require_integer, require_number

Floats = NDArray[np.float64]

# From the scores of resampled runs, one array (resamples, runs) per group, to (resamples,).
_Statistic = Callable[[Sequence[Floats]], Floats]


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence interval.

    Attributes:
        mean: The estimate; a mean unless said otherwise.
        low: Lower end.
        high: Upper end.
    """

    mean: float
    low: float
    high: float


def percentile_ends(resampled: ArrayLike, confidence: float = 0.95) -> tuple[float, float]:
    """Return the ends of a percentile bootstrap interval (Efron 1979).

    Args:
        resampled: The statistic in each bootstrap sample, (resamples,).
        confidence: In (0, 1).
    """
    require_number("confidence", confidence, 0, 1, low_open=True, high_open=True)
    tail = 0.5 * (1.0 - confidence)
    low, high = np.quantile(np.asarray(resampled, dtype=np.float64), [tail, 1.0 - tail])
    return float(low), float(high)


def bootstrap_interval(
    values: ArrayLike, *, confidence: float = 0.95, resamples: int = 5_000, seed: int = 0
) -> Interval:
    """Return the mean of ``values`` with its percentile bootstrap interval.

    Args:
        values: One number per episode, (E,).
        confidence: In (0, 1).
        resamples: Number of bootstrap samples.
        seed: Seed of the resampling; the same values always give the same interval.

    Raises:
        ValueError: If there are no values, or one of them is not finite.
    """
    sample = _numbers(values, 1)
    counts = _counts(sample.size, resamples, np.random.default_rng(seed))
    ends = percentile_ends(counts @ sample / sample.size, confidence)
    return Interval(float(sample.mean()), *ends)


def ratio_interval(
    numerators: ArrayLike,
    denominators: ArrayLike,
    *,
    confidence: float = 0.95,
    resamples: int = 5_000,
    seed: int = 0,
) -> Interval:
    """Return a ratio of sums, as of plans met to plans given, with its percentile interval.

    Args:
        numerators: One number per unit that is resampled (episode, person), (E,).
        denominators: The same, (E,), with a positive sum.
        confidence: In (0, 1).
        resamples: Number of bootstrap samples.
        seed: Seed of the resampling.

    Raises:
        ValueError: If the numbers are not finite, or the denominators do not add up to more
            than 0.
    """
    above, below = _numbers(numerators, 1), _numbers(denominators, 1)
    if above.shape != below.shape or below.min() < 0.0 or below.sum() <= 0.0:
        raise ValueError(
            "denominators must be as many as numerators, not negative and not all 0, got "
            f"{denominators!r}"
        )
    counts = _counts(above.size, resamples, np.random.default_rng(seed))
    drawn = counts @ below
    kept = drawn > 0.0
    ends = percentile_ends((counts @ above)[kept] / drawn[kept], confidence)
    return Interval(float(above.sum() / below.sum()), *ends)


def crosswise_interval(
    values: ArrayLike, *, confidence: float = 0.95, resamples: int = 5_000, seed: int = 0
) -> Interval:
    """Return the mean over seeds and episodes with an interval for new seeds and new episodes.

    With one seed it is the percentile interval over episodes, for that one training.

    Args:
        values: One number per training seed and evaluation episode, (S, E); column e is the
            same episode for all seeds.
        confidence: In (0, 1).
        resamples: Number of bootstrap samples.
        seed: Seed of the resampling; the same values always give the same interval.

    Raises:
        ValueError: If there are no values, or one of them is not finite.
    """
    matrix = _numbers(values, 2)
    if len(matrix) == 1:
        return bootstrap_interval(matrix[0], confidence=confidence, resamples=resamples, seed=seed)
    return _crossed([matrix], lambda runs: runs[0].mean(axis=-1), confidence, resamples, seed)


def share_interval(
    values: ArrayLike,
    lowest: ArrayLike,
    highest: ArrayLike,
    *,
    confidence: float = 0.95,
) -> Interval:
    """Return how far a mean is on the way from one mean (0) to another (1), with its interval.

    All three were scored on the same episodes, which are resampled together. The share is a ratio
    of means; its interval is that of the linearised ratio.

    Args:
        values: One number per seed and episode, (S, E).
        lowest: Where the way begins, (E,).
        highest: Where it ends, (E,).
        confidence: In (0, 1).

    Raises:
        ValueError: If a number is not finite, or the way has no length.
    """
    matrix, low, high = _numbers(values, 2), _numbers(lowest, 1), _numbers(highest, 1)
    way = float((high - low).mean())
    if way == 0.0:
        raise ValueError("highest must differ from lowest on average")
    share = (float(matrix.mean()) - float(low.mean())) / way
    return crosswise_interval(
        share + (matrix - low - share * (high - low)) / way, confidence=confidence
    )


def interquartile_mean(scores: ArrayLike) -> float:
    """Return the mean of the middle half of the scores of all runs (Agarwal et al. 2021).

    Args:
        scores: One number per run: its mean over evaluation episodes. Of fewer than four runs
            none is left out.
    """
    return float(_interquartile_means(_numbers(scores, 1)[None])[0])


def interquartile_interval(
    values: ArrayLike, *, confidence: float = 0.95, resamples: int = 5_000, seed: int = 0
) -> Interval:
    """Return the interquartile mean over runs with its interval, resampled as the mean's is.

    Args:
        values: One number per run and episode, (S, E).
        confidence: In (0, 1).
        resamples: Number of bootstrap samples.
        seed: Seed of the resampling.
    """
    matrix = _numbers(values, 2)
    if len(matrix) == 1:
        return bootstrap_interval(matrix[0], confidence=confidence, resamples=resamples, seed=seed)
    return _crossed(
        [matrix], lambda runs: _interquartile_means(runs[0]), confidence, resamples, seed
    )


def probability_of_improvement(
    values: ArrayLike,
    others: ArrayLike,
    *,
    confidence: float = 0.95,
    resamples: int = 5_000,
    seed: int = 0,
) -> Interval:
    """Return the probability that a run scores more than another's run (Agarwal et al. 2021).

    Equal scores count half. Where every run of one side beats every run of the other, resampling
    cannot tell how sure that is, and the interval has no width.

    Args:
        values: One number per run and episode, (S, E).
        others: The same of the other side, (R, E), scored on the same episodes.
        confidence: In (0, 1).
        resamples: Number of bootstrap samples.
        seed: Seed of the resampling.

    Raises:
        ValueError: If the two were not scored on as many episodes.
    """
    ours, theirs = _numbers(values, 2), _numbers(others, 2)
    if ours.shape[1] != theirs.shape[1]:
        raise ValueError(
            f"others must have the {ours.shape[1]} episodes of values, got {theirs.shape[1]}"
        )

    def statistic(runs: Sequence[Floats]) -> Floats:
        difference = runs[0][..., :, None] - runs[1][..., None, :]
        wins: Floats = (0.5 * (1.0 + np.sign(difference))).mean(axis=(-2, -1))
        return wins

    return _within_0_and_1(_crossed([ours, theirs], statistic, confidence, resamples, seed))


def performance_profile(
    values: ArrayLike,
    thresholds: Sequence[float],
    *,
    confidence: float = 0.95,
    resamples: int = 5_000,
    seed: int = 0,
) -> list[Interval]:
    """Return the share of runs that score at least each threshold (Agarwal et al. 2021).

    Args:
        values: One number per run and episode, (S, E).
        thresholds: The scores asked for.
        confidence: In (0, 1), for each threshold alone.
        resamples: Number of bootstrap samples.
        seed: Seed of the resampling.
    """
    matrix = _numbers(values, 2)

    def share_above(threshold: float) -> _Statistic:
        return lambda runs: (runs[0] >= threshold).mean(axis=-1)

    return [
        _within_0_and_1(_crossed([matrix], share_above(one), confidence, resamples, seed))
        for one in thresholds
    ]


def _crossed(
    groups: Sequence[Floats],
    statistic: _Statistic,
    confidence: float,
    resamples: int,
    seed: int,
) -> Interval:
    """Return a statistic of runs with its interval from the crosswise bootstrap.

    With few seeds a percentile interval is too narrow: the variance lacks a factor of S / (S - 1),
    and its quantiles are those of a normal distribution. So the variance is put together from
    resampled seeds, resampled episodes and, subtracted since both contain it, what both have in
    common. The quantile is a third Satterthwaite's, a little short for three seeds, and two thirds
    Cochran and Cox's, a little long (``scripts/interval_coverage.py`` prints the coverage).

    Args:
        groups: Scores of each group of runs on common episodes, (S, E) each.
        statistic: What is estimated.
        confidence: In (0, 1).
        resamples: Number of bootstrap samples.
        seed: Seed of the resampling.
    """
    from scipy.special import stdtrit

    require_number("confidence", confidence, 0, 1, low_open=True, high_open=True)
    require_integer("resamples", resamples, 2)
    generator = np.random.default_rng(seed)
    episodes = groups[0].shape[1]
    counts = _counts(episodes, resamples, generator)
    by_episodes, by_seeds, by_both = [], [], []
    for scores in groups:
        drawn = generator.integers(len(scores), size=(resamples, len(scores)))
        of_episodes = counts @ scores.T / episodes
        by_episodes.append(of_episodes)
        by_seeds.append(scores.mean(axis=1)[drawn])
        by_both.append(np.take_along_axis(of_episodes, drawn, axis=1))
    estimate = float(statistic([scores.mean(axis=1)[None] for scores in groups])[0])
    episode_part, seed_part, both = (
        float(statistic(runs).var()) for runs in (by_episodes, by_seeds, by_both)
    )
    common = max(both - episode_part - seed_part, 0.0)
    seeds = min((len(scores) for scores in groups if len(scores) > 1), default=1)
    free = {"seeds": seeds - 1, "episodes": episodes - 1}
    parts = {
        "seeds": seed_part * seeds / free["seeds"] if free["seeds"] else 0.0,
        "episodes": episode_part * episodes / free["episodes"] if free["episodes"] else 0.0,
    }
    variance = max(sum(parts.values()) - common, *parts.values())
    if variance == 0.0:
        return Interval(estimate, estimate, estimate)
    tail = 0.5 * (1.0 + confidence)
    freedom = variance**2 / sum(part**2 / free[name] for name, part in parts.items() if part)
    of_seeds = max(parts["seeds"] - 0.5 * common, 0.0) / variance
    mixed = sum(
        weight * stdtrit(free[name], tail)
        for name, weight in (("seeds", of_seeds), ("episodes", 1.0 - of_seeds))
        if weight
    )
    half = (stdtrit(freedom, tail) + 2.0 * mixed) / 3.0 * math.sqrt(variance)
    return Interval(estimate, estimate - half, estimate + half)


def _interquartile_means(scores: Floats) -> Floats:
    """Return the interquartile mean of each row of scores, (rows, runs)."""
    ordered = np.sort(scores, axis=-1)
    runs = ordered.shape[-1]
    means: Floats = ordered[..., runs // 4 : runs - runs // 4].mean(axis=-1)
    return means


def _within_0_and_1(interval: Interval) -> Interval:
    return Interval(interval.mean, max(interval.low, 0.0), min(interval.high, 1.0))


def _counts(size: int, resamples: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Return how often each of ``size`` values is drawn in each sample, (resamples, size)."""
    require_integer("resamples", resamples, 1)
    # How often each value is drawn is multinomial, which spares the drawing of indices.
    return generator.multinomial(size, np.full(size, 1.0 / size), size=resamples)


def _numbers(values: ArrayLike, dimensions: int) -> Floats:
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.ndim != dimensions or numbers.size == 0 or not np.isfinite(numbers).all():
        kind = "row" if dimensions == 1 else "matrix"
        raise ValueError(f"values must be a {kind} of finite numbers, got {values!r}")
    return numbers
