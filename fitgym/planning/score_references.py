"""Simulate the references of one environment, all on the same seasons."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fitgym.common.validation import require_integer
from fitgym.envs.scalar import FitnessFatigueEnv
from fitgym.planning.belief import belief_policy
from fitgym.planning.dynamic_programming import DynamicProgram
from fitgym.planning.one_step import myopic_policy
from fitgym.planning.scores import ReferenceScores, Score, fixed_name
from fitgym.planning.simulation import Policy, Seasons, fixed_plan, random_plan, simulate

_SEEING = "dynamic programming"
_BELIEVING = "belief"
_BLIND = "dynamic programming that takes motivation as 0"
_MYOPIC = "myopic"
_FORESIGHT = "foresight"
# Two standard errors, near enough, hold 95 % of the means of many seasons.
_NORMAL_95 = 1.959964


@dataclass(frozen=True, eq=False, kw_only=True)
class SimulatedScores(ReferenceScores):
    """What the references earn, and what the dynamic program did.

    Attributes:
        value: Expected return of the dynamic program by its own tables.
        outside: Share of the days of its seasons that lie beyond its grid.
        seasons: Its seasons.
    """

    value: float
    outside: float
    seasons: Seasons


def reference_scores(
    environment: FitnessFatigueEnv,
    program: DynamicProgram,
    *,
    episodes: int = 1000,
    seed: int = 1_000_000,
    progress: bool = False,
) -> SimulatedScores:
    """Simulate every reference that applies under FitRec adherence.

    The blind policy is the dynamic program that takes motivation as 0. The myopic one is left out
    where the environment observes as a watch does, which does not tell the state.

    Args:
        environment: The unwrapped environment.
        program: Its solution.
        episodes: How many seasons, from 2.
        seed: Seed of the first season.
        progress: Whether to show a bar.

    Raises:
        ValueError: If an argument is out of range.
    """
    policies = _simple_policies(environment)
    policies[_BLIND] = _blind(program)
    policies[_BELIEVING] = belief_policy(environment, program)
    policies[_SEEING] = program.actions
    played = _play(environment, policies, episodes, seed, progress)
    seeing = played[_SEEING]
    returns = {name: seasons.returns for name, seasons in played.items()}
    best_fixed = _best_fixed(environment, returns)
    fixed = fixed_name(best_fixed)
    pairs = [(_SEEING, fixed), (_SEEING, _BELIEVING), (_BELIEVING, _BLIND), (_BELIEVING, fixed)]
    return SimulatedScores(
        individual=environment.individual.name,
        episodes=episodes,
        seed=seed,
        ceiling=_SEEING,
        best_fixed=best_fixed,
        value=program.value,
        outside=program.outside(seeing.states),
        scores=_scores(returns, _SEEING, _floor(environment, episodes, seed)),
        differences=_differences(returns, pairs),
        seasons=seeing,
    )


def is_reproduced(environment: FitnessFatigueEnv, scores: ReferenceScores) -> bool:
    """Return whether the environment still gives the best fixed plan the return that it has here.

    The same seasons are simulated again, so that any change of the model shows, constants and
    load tables included.

    Args:
        environment: The unwrapped environment.
        scores: Made in it, by this version or an earlier one.
    """
    seasons = simulate(
        environment.task,
        environment.task.prepare(environment.individual),
        fixed_plan(scores.best_fixed),
        episodes=scores.episodes,
        seed=scores.seed,
    )
    stored = scores.scores[fixed_name(scores.best_fixed)].mean
    return math.isclose(float(seasons.returns.mean()), stored, rel_tol=1e-6)


def replay_scores(
    environment: FitnessFatigueEnv,
    *,
    episodes: int = 1000,
    seed: int = 1_000_000,
    progress: bool = False,
) -> ReferenceScores:
    """Simulate every reference that applies under replay adherence.

    The ceiling is perfect foresight: no plan changes what follows, so the largest reward of each
    day, the log in view, is what the best of all sequences of plans earns.

    Args:
        environment: The unwrapped environment.
        episodes: How many seasons, from 2.
        seed: Seed of the first season.
        progress: Whether to show a bar.

    Raises:
        ValueError: If an argument is out of range, or the environment has another adherence.
    """
    if not environment.adherence.exogenous:
        raise ValueError(
            f"perfect foresight needs adherence 'replay', got {environment.task.adherence!r}"
        )
    played = _play(environment, _simple_policies(environment), episodes, seed, progress)
    returns = {name: seasons.returns for name, seasons in played.items()}
    rewards = [played[fixed_name(action)].outcomes["reward"] for action in _allowed(environment)]
    returns[_FORESIGHT] = np.max(rewards, axis=0).sum(axis=0)
    best_fixed = _best_fixed(environment, returns)
    pairs = [(_FORESIGHT, _MYOPIC), (_MYOPIC, fixed_name(best_fixed))]
    return ReferenceScores(
        individual=environment.individual.name,
        episodes=episodes,
        seed=seed,
        ceiling=_FORESIGHT,
        best_fixed=best_fixed,
        value=None,
        outside=None,
        scores=_scores(returns, _FORESIGHT, _floor(environment, episodes, seed)),
        differences=_differences(returns, pairs),
    )


def _allowed(environment: FitnessFatigueEnv) -> list[int]:
    return [int(action) for action in np.flatnonzero(environment.action_mask)]


def _simple_policies(environment: FitnessFatigueEnv) -> dict[str, Policy]:
    """Return the policies that need no solution."""
    policies: dict[str, Policy] = {
        fixed_name(action): fixed_plan(action) for action in _allowed(environment)
    }
    policies["random"] = random_plan(environment.action_mask)
    if environment.task.observation != "wearable":
        policies[_MYOPIC] = myopic_policy(environment)
    return policies


def _blind(program: DynamicProgram) -> Policy:
    """Return the policy of the dynamic program that takes motivation as 0."""

    def act(states: NDArray[np.void]) -> NDArray[np.int64]:
        unmotivated = states.copy()
        unmotivated["motivation"] = 0.0
        return program.actions(unmotivated)

    return act


def _play(
    environment: FitnessFatigueEnv,
    policies: dict[str, Policy],
    episodes: int,
    seed: int,
    progress: bool,
) -> dict[str, Seasons]:
    require_integer("episodes", episodes, 2)
    person = environment.task.prepare(environment.individual)
    return {
        name: simulate(environment.task, person, policy, episodes=episodes, seed=seed)
        for name, policy in tqdm(
            policies.items(), desc="simulating", unit="policy", disable=not progress
        )
    }


def _floor(environment: FitnessFatigueEnv, episodes: int, seed: int) -> float:
    """Return the mean return of no service, even where it is forbidden to an agent."""
    person = environment.task.prepare(environment.individual)
    floor = simulate(environment.task, person, fixed_plan(0), episodes=episodes, seed=seed)
    return float(floor.returns.mean())


def _best_fixed(environment: FitnessFatigueEnv, returns: dict[str, NDArray[np.float64]]) -> int:
    """Return the plan that earns most day after day; no service only where no plan is allowed."""
    plans = [action for action in _allowed(environment) if action > 0] or [0]
    return max(plans, key=lambda plan: float(returns[fixed_name(plan)].mean()))


def _scores(
    returns: dict[str, NDArray[np.float64]], ceiling: str, lowest: float
) -> dict[str, Score]:
    way = float(returns[ceiling].mean()) - lowest
    return {
        name: _score(of_one, (float(of_one.mean()) - lowest) / way)
        for name, of_one in returns.items()
    }


def _differences(
    returns: dict[str, NDArray[np.float64]], pairs: list[tuple[str, str]]
) -> dict[str, Score]:
    return {
        f"{a} less {b}": _score(returns[a] - returns[b])
        for a, b in pairs
        if a in returns and b in returns
    }


def _score(values: NDArray[np.float64], share: float = math.nan) -> Score:
    mean = float(values.mean())
    half = _NORMAL_95 * float(values.std(ddof=1)) / math.sqrt(values.size)
    return Score(mean, mean - half, mean + half, share)
