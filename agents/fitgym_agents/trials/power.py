"""Power and coverage of trials, by running many of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tqdm import tqdm

from fitgym.common.validation import require_integer
from fitgym_agents.trials.estimators import Estimate

_LEVEL = 0.05


@dataclass(frozen=True)
class Operating:
    """How trials of one size do.

    Attributes:
        people: People in each trial.
        trials: Number of trials.
        truth: The effect that they estimate.
        mean: Mean of their estimates.
        coverage: Share whose 95 % interval holds the truth.
        power: Share that finds an effect at the 5 % level.
    """

    people: int
    trials: int
    truth: float
    mean: float
    coverage: float
    power: float


def operating_characteristics(
    estimate: Callable[[slice], Estimate],
    sizes: Sequence[int],
    trials: int,
    truth: float,
) -> list[Operating]:
    """Return how trials of each size do; trials of one size share nobody.

    Args:
        estimate: From some of the people of a pool, who are in random order, to the estimate of
            their trial. The pool must hold ``trials * max(sizes)`` people.
        sizes: People in each trial.
        trials: Number of trials of each size.
        truth: The effect in the population.
    """
    require_integer("trials", trials, 1)
    rows = []
    for size in sizes:
        parts = [slice(size * index, size * (index + 1)) for index in range(trials)]
        # No bar unless standard error is a terminal.
        bar = tqdm(parts, f"trials of {size} people", unit="trial", leave=False, disable=None)
        found = [estimate(part) for part in bar]
        rows.append(
            Operating(
                people=size,
                trials=trials,
                truth=truth,
                mean=sum(one.value for one in found) / trials,
                coverage=sum(one.low <= truth <= one.high for one in found) / trials,
                power=sum(one.p_value < _LEVEL for one in found) / trials,
            )
        )
    return rows
