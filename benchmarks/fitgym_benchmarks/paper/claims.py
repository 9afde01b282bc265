"""Claims of the paper, and verdicts that stated rules draw from the numbers."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from fitgym.common.statistics import Interval, crosswise_interval, percentile_ends

Floats = NDArray[np.float64]


class Verdict(StrEnum):
    """What became of a claim."""

    REPRODUCES = "reproduces"
    DOES_NOT = "does not reproduce"
    OPEN = "the paper leaves open"


@dataclass(frozen=True)
class Claim:
    """Something that the paper says, and what was found.

    Attributes:
        where: The setting it was looked at in.
        text: What the paper says, in our words.
        rule: By which the verdict is drawn.
        found: The numbers that decide.
        verdict: What the rule says of them.
    """

    where: str
    text: str
    rule: str
    found: str
    verdict: Verdict


def verdict_of(holds: bool) -> Verdict:
    """Return the verdict on a claim that can be judged."""
    return Verdict.REPRODUCES if holds else Verdict.DOES_NOT


def rises(returns: Sequence[Floats], sign: float = 1.0) -> tuple[bool, Interval]:
    """Return whether mean returns rise from setting to setting, and by how much in all.

    They do if the last is above the first, its 95 % interval above 0, and no step from one to the
    next goes down with its interval below 0. Episodes are the same in all settings.

    Args:
        returns: Of each setting, (S, E); where the number of seeds differs, the first are compared.
        sign: -1 asks whether they fall.
    """
    seeds = min(len(one) for one in returns)

    def step(before: Floats, after: Floats) -> Interval:
        return crosswise_interval(sign * (after[:seeds] - before[:seeds]))

    whole = crosswise_interval(returns[-1][:seeds] - returns[0][:seeds])
    down = any(step(*pair).high < 0.0 for pair in itertools.pairwise(returns))
    return min(sign * whole.low, sign * whole.high) > 0.0 and not down, whole


def spread_ratio(before: Floats, after: Floats, *, resamples: int = 2_000) -> Interval:
    """Return the standard deviation of returns after over that before, with its interval.

    Episodes are resampled, the same on both sides; percentile interval.

    Args:
        before: Returns, (S, E).
        after: Returns, (S, E).
        resamples: Number of bootstrap samples.
    """
    first, second = before.mean(axis=0), after.mean(axis=0)
    drawn = np.random.default_rng(0).integers(first.size, size=(resamples, first.size))
    ratios = second[drawn].std(axis=1) / first[drawn].std(axis=1)
    return Interval(float(second.std() / first.std()), *percentile_ends(ratios))


def threshold(values: Sequence[float], differences: Sequence[Interval]) -> float | None:
    """Return where a service starts to pay: the weight at which its difference crosses 0.

    It exists where at the smallest weight the service earns less than none, its interval below 0,
    and at some larger one more, its interval above 0. Between the two neighbours where the mean
    first turns positive it is read off a straight line.

    Args:
        values: Weights of the reward, ascending.
        differences: Mean return less that of no service at each.
    """
    if differences[0].high >= 0.0 or all(one.low <= 0.0 for one in differences):
        return None
    means = [one.mean for one in differences]
    after = next(index for index, mean in enumerate(means) if mean > 0.0)
    left, right = means[after - 1], means[after]
    return values[after - 1] + (values[after] - values[after - 1]) * left / (left - right)


def signed(interval: Interval) -> str:
    """Return a difference with its interval."""
    return f"{interval.mean:+,.1f} ({interval.low:+,.1f} to {interval.high:+,.1f})"
