"""What the references of one environment earn, on the same seasons for all of them."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fitgym.belief import belief_policy
from fitgym.dynamic_programming import DynamicProgram
from fitgym.envs.scalar import FitnessFatigueEnv
from fitgym.simulation import Policy, Seasons, fixed_plan, random_plan, simulate
from fitgym.validation import require_integer

__all__ = ["ReferenceScores", "Score", "reference_scores"]

SEEING = "dynamic programming"
BELIEVING = "belief"
# Two standard errors, near enough, hold 95 % of the means of many seasons.
_NORMAL_95 = 1.959964


@dataclass(frozen=True)
class Score:
    """A mean return with its 95 % interval (normal, from many independent seasons).

    Attributes:
        mean: The mean.
        low: Lower end.
        high: Upper end.
        share: How far it is on the way from no service (0) to the dynamic program (1); NaN for a
            difference.
    """

    mean: float
    low: float
    high: float
    share: float = math.nan


@dataclass(frozen=True, eq=False)
class ReferenceScores:
    """What the references earn.

    Attributes:
        individual: Name of the person.
        episodes: Seasons simulated.
        seed: Seed of the first of them.
        value: Expected return of the dynamic program by its own tables.
        outside: Share of the days of its seasons that lie beyond its grid.
        best_fixed: The fixed plan that earns most.
        scores: By policy.
        differences: Paired differences between policies, by name.
        seasons: Seasons of the dynamic program.
    """

    individual: str
    episodes: int
    seed: int
    value: float
    outside: float
    best_fixed: int
    scores: dict[str, Score]
    differences: dict[str, Score]
    seasons: Seasons

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the seasons as JSON-able values."""
        return {
            "individual": self.individual,
            "episodes": self.episodes,
            "seed": self.seed,
            "value": self.value,
            "outside": self.outside,
            "best_fixed_plan": self.best_fixed,
            "scores": {name: asdict(score) for name, score in self.scores.items()},
            "paired_differences": {
                name: {"mean": score.mean, "low": score.low, "high": score.high}
                for name, score in self.differences.items()
            },
        }


def reference_scores(
    environment: FitnessFatigueEnv,
    program: DynamicProgram,
    *,
    episodes: int = 1000,
    seed: int = 1_000_000,
    progress: bool = False,
) -> ReferenceScores:
    """Simulate every reference on the same seasons.

    The blind policy is the dynamic program told that the motivation is 0.

    Args:
        environment: The unwrapped environment.
        program: Its solution.
        episodes: How many seasons, from 2.
        seed: Seed of the first season.
        progress: Whether to show a bar.

    Raises:
        ValueError: If an argument is out of range.
    """
    require_integer("episodes", episodes, 2)
    person = environment.task.meet(environment.individual)
    allowed = np.flatnonzero(environment.action_mask).tolist()
    names = {action: f"fixed plan {action}" if action else "no service" for action in allowed}
    policies: dict[str, Policy] = {names[action]: fixed_plan(action) for action in allowed}
    policies["random"] = random_plan(environment.action_mask)
    policies["told m = 0"] = _blind(program)
    policies[BELIEVING] = belief_policy(environment, program)
    policies[SEEING] = program.actions

    seasons = {
        name: simulate(environment.task, person, policy, episodes=episodes, seed=seed)
        for name, policy in tqdm(
            policies.items(), desc="simulating", unit="policy", disable=not progress
        )
    }
    returns = {name: played.returns for name, played in seasons.items()}
    best_fixed = max(allowed, key=lambda action: float(returns[names[action]].mean()))
    # No service is the floor, and measured even where it is forbidden to an agent.
    floor = simulate(environment.task, person, fixed_plan(0), episodes=episodes, seed=seed)
    lowest, highest = float(floor.returns.mean()), float(returns[SEEING].mean())
    scores = {
        name: _score(of_one, (float(of_one.mean()) - lowest) / (highest - lowest))
        for name, of_one in returns.items()
    }
    pairs = [(SEEING, names[best_fixed]), (SEEING, BELIEVING), (BELIEVING, "told m = 0")]
    pairs.append((BELIEVING, names[best_fixed]))
    return ReferenceScores(
        individual=environment.individual.name,
        episodes=episodes,
        seed=seed,
        value=program.value,
        outside=program.outside(seasons[SEEING].states),
        best_fixed=best_fixed,
        scores=scores,
        differences={f"{a} less {b}": _score(returns[a] - returns[b]) for a, b in pairs},
        seasons=seasons[SEEING],
    )


def _blind(program: DynamicProgram) -> Policy:
    """Return the policy of the dynamic program told that the motivation is 0."""

    def act(states: NDArray[np.void]) -> NDArray[np.int64]:
        told = states.copy()
        told["motivation"] = 0.0
        return program.actions(told)

    return act


def _score(values: NDArray[np.float64], share: float = math.nan) -> Score:
    mean = float(values.mean())
    half = _NORMAL_95 * float(values.std(ddof=1)) / math.sqrt(values.size)
    return Score(mean, mean - half, mean + half, share)
