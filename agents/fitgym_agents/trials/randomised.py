"""Randomised trials of services: each person is assigned to one arm for the whole trial.

Everybody is simulated under every arm on the same noise, so what a person would have done in the
other arms is known, and with it the exact effect that the trial estimates.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.common.files import write_text
from fitgym.common.validation import require_choice, require_integer, require_seed
from fitgym_agents.agent import Agent
from fitgym_agents.evaluation import Evaluation, evaluate
from fitgym_agents.trials.estimators import Estimate, difference_of_means

Floats = NDArray[np.float64]

# What is measured of a person over the trial.
OUTCOMES: dict[str, Callable[[Evaluation], Floats]] = {
    "performance": lambda one: one.performance_gain,
    "points": lambda one: one.weekly_load,
    "return": lambda one: one.returns,
}


@dataclass(frozen=True, eq=False)
class RandomisedTrial:
    """A randomised trial that was run.

    Attributes:
        arms: Name of each arm; the first is what the others are compared with.
        assigned: Arm of each person, (N,).
        outcomes: By name of ``OUTCOMES``, of everybody under every arm, (arms, N). A real trial
            sees of each person that of the assigned arm.
    """

    arms: tuple[str, ...]
    assigned: NDArray[np.int64]
    outcomes: Mapping[str, Floats]

    def estimates(self, outcome: str) -> list[Estimate]:
        """Return the effect of each arm but the first, from what the trial saw.

        Raises:
            ValueError: If the outcome is unknown or an arm has fewer than two people.
        """
        values = self._of(outcome)
        first = values[0, self.assigned == 0]
        return [
            difference_of_means(first, values[arm, self.assigned == arm], name)
            for arm, name in enumerate(self.arms)
            if arm > 0
        ]

    def truth(self, outcome: str) -> dict[str, float]:
        """Return the effect of each arm but the first on all people of the trial, exactly."""
        values = self._of(outcome)
        return {
            name: float((values[arm] - values[0]).mean())
            for arm, name in enumerate(self.arms)
            if arm > 0
        }

    def part(self, people: slice) -> RandomisedTrial:
        """Return the trial of some of the people."""
        outcomes = {name: values[:, people] for name, values in self.outcomes.items()}
        return RandomisedTrial(self.arms, self.assigned[people], outcomes)

    def write_csv(self, path: Path) -> None:
        """Write one row per person, with the outcomes under the assigned arm, atomically."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["person", "arm", *self.outcomes])
        for person, arm in enumerate(self.assigned.tolist()):
            seen = [f"{values[arm, person]:.4f}" for values in self.outcomes.values()]
            writer.writerow([person + 1, self.arms[arm], *seen])
        write_text(path, text.getvalue())

    def _of(self, outcome: str) -> Floats:
        require_choice("outcome", outcome, self.outcomes)
        return self.outcomes[outcome]


def run_randomised(
    arms: Sequence[tuple[str, Agent]],
    env_id: str,
    people: int,
    *,
    env_kwargs: Mapping[str, Any] | None = None,
    seed: int = 0,
    block: int | None = None,
) -> RandomisedTrial:
    """Run a randomised trial.

    Args:
        arms: Name and agent of each arm, the one that the others are compared with first.
        env_id: Registered id.
        people: Number of people, N.
        env_kwargs: Arguments of the environment; ``days`` is how long the trial lasts.
        seed: Of the people, their days and the assignment.
        block: Arms are balanced within each so many people; None for all of them.

    Raises:
        ValueError: If there are fewer than two arms, two have one name, or people are too few.
    """
    names = tuple(name for name, _ in arms)
    if len(names) < 2 or len(set(names)) < len(names):
        raise ValueError(f"arms must be at least two with different names, got {names}")
    require_integer("people", people, 2 * len(arms))
    require_seed("seed", seed)
    size = people if block is None else require_integer("block", block, 2 * len(arms), people)
    draws = np.random.default_rng([seed, 2])
    assigned = np.concatenate(
        [
            draws.permutation(np.arange(min(size, people - first)) % len(arms))
            for first in range(0, people, size)
        ]
    )
    evaluations = [
        evaluate(agent, env_id, episodes=people, seed=seed, env_kwargs=env_kwargs)
        for _, agent in arms
    ]
    outcomes = {
        name: np.stack([measure(one) for one in evaluations]) for name, measure in OUTCOMES.items()
    }
    return RandomisedTrial(names, assigned, outcomes)
