"""Ratios of costs: things timed in turns within one run, and memory as it is allocated.

A clock drifts, and so does what else a machine does: a bare time says little. What is compared is
done in turns, so that both sides meet the same moments, and the median of the ratios is kept.
"""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from statistics import median

# Does some work and returns how many units of it.
Work = Callable[[], float]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two ways to do a like thing, before they are timed.

    Attributes:
        name: The first way.
        yardstick: The second.
        prepare: Makes the first way's work, and clears up after it.
        prepare_yardstick: The same for the second.
        target: The ratio that the first should reach; None where nothing is asked for.
    """

    name: str
    yardstick: str
    prepare: Callable[[], AbstractContextManager[Work]]
    prepare_yardstick: Callable[[], AbstractContextManager[Work]]
    target: float | None = None


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What two ways cost.

    Attributes:
        name: The first way.
        yardstick: The second.
        cost: Median cost of a unit of the first, in seconds or bytes.
        yardstick_cost: Median cost of a unit of the second.
        ratio: Median over the repeats of the second cost divided by the first: above 1 the first
            is cheaper.
        lowest_ratio: The smallest of those ratios.
        target: The ratio asked for, or None.
        met: Whether the ratio reaches it; None without a target.
    """

    name: str
    yardstick: str
    cost: float
    yardstick_cost: float
    ratio: float
    lowest_ratio: float
    target: float | None
    met: bool | None

    @classmethod
    def of(
        cls,
        name: str,
        yardstick: str,
        costs: Sequence[float],
        yardstick_costs: Sequence[float],
        target: float | None = None,
    ) -> Comparison:
        """Return the comparison of costs that were measured in turns.

        Args:
            name: The first way.
            yardstick: The second.
            costs: Cost of a unit of the first in each repeat.
            yardstick_costs: The same of the second.
            target: The ratio asked for.
        """
        ratios = [other / own for own, other in zip(costs, yardstick_costs, strict=True)]
        ratio = median(ratios)
        return cls(
            name=name,
            yardstick=yardstick,
            cost=median(costs),
            yardstick_cost=median(yardstick_costs),
            ratio=ratio,
            lowest_ratio=min(ratios),
            target=target,
            met=None if target is None else ratio >= target,
        )

    def __str__(self) -> str:
        """Return one line for people to read."""
        return f"{self.name}: ratio {self.ratio:,.2f} to {self.yardstick}"


def seconds_per_unit(work: Work, least_seconds: float) -> float:
    """Do ``work`` again and again for ``least_seconds``, once at least; return seconds per unit."""
    units = 0.0
    start = time.perf_counter()
    while True:
        units += work()
        elapsed = time.perf_counter() - start
        if elapsed >= least_seconds:
            return elapsed / units


def take_turns(
    timers: Sequence[Callable[[], float]], repeats: int, tick: Callable[[], object]
) -> list[list[float]]:
    """Call every timer once a round, and return what each returned.

    Args:
        timers: Each measures one cost.
        repeats: Rounds, after one that warms up.
        tick: Called after every turn.

    Returns:
        For each timer its ``repeats`` costs.
    """
    rounds = []
    for _ in range(repeats + 1):
        costs = []
        for timer in timers:
            costs.append(timer())
            tick()
        rounds.append(costs)
    return [list(costs) for costs in zip(*rounds[1:], strict=True)]


def compare(
    pair: Pair, repeats: int, least_seconds: float, tick: Callable[[], object]
) -> Comparison:
    """Time the two ways of ``pair`` in turns.

    Args:
        pair: What to time.
        repeats: Turns of each that count.
        least_seconds: How long a turn lasts at least.
        tick: Called after every turn.
    """
    with pair.prepare() as work, pair.prepare_yardstick() as yardstick:
        costs, yardstick_costs = take_turns(
            [
                lambda: seconds_per_unit(work, least_seconds),
                lambda: seconds_per_unit(yardstick, least_seconds),
            ],
            repeats,
            tick,
        )
    return Comparison.of(pair.name, pair.yardstick, costs, yardstick_costs, pair.target)


def peak_bytes(work: Callable[[], object]) -> int:
    """Return the most memory that Python and numpy held at once for ``work``, while it ran."""
    gc.collect()
    tracing = tracemalloc.is_tracing()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        work()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        if not tracing:
            tracemalloc.stop()
