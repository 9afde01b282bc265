"""Print what simulated trials of the presets of ``effect`` find, as a Markdown table.

    python scripts/effect_trials.py [PEOPLE]

``heartsteps`` is a micro-randomised trial of 42 days: every day a push with probability 0.6, of a
plan drawn from the first six; the effect compares days with and without one. ``pearl`` is a
randomised trial of 60 days: a push every day against none; the effect compares the two groups in
each month. Both are in points done, in per cent of those without a push, in fitgym/Acquisition-v1.
"""

from __future__ import annotations

import sys
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

import fitgym  # noqa: F401
from fitgym.common.tables import markdown_table

ENV_ID = "fitgym/Acquisition-v1"
# Easy and middling plans, as a service for people who do not train much would push.
PLANS = 6
HEARTSTEPS_DAYS, PEARL_DAYS, MONTH = 42, 60, 30
PUSH_PROBABILITY = 0.6


def season(
    effect: str, people: int, days: int, probability: float, seed: int
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Return who was pushed on each day, and the points done, both (days, people)."""
    environments: Any = gym.make_vec(ENV_ID, people, effect=effect, days=days)
    environments.reset(seed=seed)
    draws = np.random.default_rng(seed)
    pushed = draws.random((days, people)) < probability
    actions = np.where(pushed, draws.integers(1, PLANS + 1, (days, people)), 0)
    done = np.empty((days, people))
    for day in range(days):
        done[day] = environments.step(actions[day])[4]["done_trimp"]
    environments.close()
    return pushed, done


def relative(with_push: NDArray[np.float64], without: NDArray[np.float64]) -> tuple[float, float]:
    """Return by how many per cent the first mean is above the second, with its standard error."""
    base = without.mean()
    error = np.hypot(with_push.std() / with_push.size**0.5, without.std() / without.size**0.5)
    return 100.0 * float(with_push.mean() / base - 1.0), 100.0 * float(error / base)


def heartsteps(people: int, seed: int = 0) -> dict[str, tuple[float, float]]:
    """Return the effect in the first week, in the last and over all weeks, per cent."""
    pushed, done = season("heartsteps", people, HEARTSTEPS_DAYS, PUSH_PROBABILITY, seed)
    periods = {"first day": slice(1), "last week": slice(-7, None), "six weeks": slice(None)}
    return {
        name: relative(done[days][pushed[days]], done[days][~pushed[days]])
        for name, days in periods.items()
    }


def pearl(people: int, seed: int = 0) -> dict[str, tuple[float, float]]:
    """Return the effect in the first month and in the second, per cent."""
    _, done = season("pearl", people, PEARL_DAYS, 1.0, seed)
    _, control = season("pearl", people, PEARL_DAYS, 0.0, seed)
    periods = {"first month": slice(MONTH), "second month": slice(MONTH, None)}
    return {
        name: relative(done[days].mean(axis=0), control[days].mean(axis=0))
        for name, days in periods.items()
    }


def main() -> None:
    """Print the table."""
    people = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    published = {
        "heartsteps": {"first day": "66", "last week": "-", "six weeks": "14"},
        "pearl": {"first month": "5.3", "second month": "3.7"},
    }
    rows = [
        (name, period, f"{effect:+.1f} ± {error:.1f}", published[name][period])
        for name, trial in (("heartsteps", heartsteps), ("pearl", pearl))
        for period, (effect, error) in trial(people).items()
    ]
    print(markdown_table(("preset", "period", "simulated, %", "published, %"), rows))


if __name__ == "__main__":
    main()
