"""Print what telling the cost of each day costs in speed, as a Markdown table.

    python scripts/time_cost.py

Environments with ``cost=True`` and without it are stepped in turns (docs/cost.md).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np

import fitgym  # noqa: F401
from fitgym.common.tables import markdown_table
from fitgym_benchmarks.speed.timing import seconds_per_unit, take_turns

ENV_ID = "fitgym/Acquisition-v1"
DAYS = 90
SIZES = (32, 1024)
REPEATS, LEAST_SECONDS = 15, 0.3


def one(cost: bool) -> Callable[[], float]:
    """Return what lives through an episode of a scalar environment, and counts its steps."""
    environment = gym.make(ENV_ID, cost=cost).unwrapped

    def work() -> float:
        environment.reset(seed=0)
        for day in range(DAYS):
            environment.step(day % 11)
        return DAYS

    return work


def many(size: int, cost: bool) -> Callable[[], float]:
    """Return what lives through an episode of a vector environment, and counts its steps."""
    environments: Any = gym.make_vec(ENV_ID, size, cost=cost, autoreset_mode="SameStep")
    environments.reset(seed=0)
    actions = np.arange(size * DAYS).reshape(DAYS, size) % 11

    def work() -> float:
        for day in range(DAYS):
            environments.step(actions[day])
        return float(size * DAYS)

    return work


def row(name: str, make: Callable[[bool], Callable[[], float]]) -> tuple[str, ...]:
    """Return the cells of one kind of environment."""
    timers = [partial(seconds_per_unit, make(cost), LEAST_SECONDS) for cost in (False, True)]
    without, told = take_turns(timers, REPEATS, lambda: None)
    more = [100.0 * (after / before - 1.0) for before, after in zip(without, told, strict=True)]
    low, middle, high = np.percentile(more, (25, 50, 75))
    return (name, f"{middle:+.0f} %", f"{low:+.0f} to {high:+.0f} %")


def main() -> None:
    """Print the table."""
    rows = [row("scalar", one)]
    rows += [row(f"vector of {size}", partial(many, size)) for size in SIZES]
    print(markdown_table(("", "time of a step with cost=True", "middle half of the turns"), rows))


if __name__ == "__main__":
    main()
