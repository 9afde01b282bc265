"""Agents that do not learn: what every learner is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, TypeVar

import numpy as np
from gymnasium.vector import SyncVectorEnv
from numpy.typing import NDArray

from fitgym.common.validation import require_integer, require_number
from fitgym.envs.scalar import FitnessFatigueEnv
from fitgym.envs.task import Task
from fitgym.people.individual import Individual
from fitgym.planning.one_step import can_solve, expected_rewards, foresight_rewards
from fitgym.planning.rules import (
    BUILD_SHARE,
    EASY_PLAN,
    HARD_EVERY,
    HARD_PLAN,
    TAPER_SHARE,
    rule_of_thumb,
)
from fitgym_agents.agent import Actions, Agent, Observations
from fitgym_agents.references.privileged import PrivilegedAgent

_PLANS = 10
Known = TypeVar("Known")


class FixedPlan(Agent):
    """Pushes the same plan every day; plan 0 is no service."""

    def __init__(self, plan: int) -> None:
        """Choose the plan, 0 for none and 1 to 10 from the easiest to the hardest."""
        self.plan = require_integer("plan", plan, 0, _PLANS)
        self.name = f"fixed plan {plan}" if plan else "no service"

    def predict(
        self,
        observation: Observations,
        state: Any = None,
        episode_start: NDArray[np.bool_] | None = None,
        deterministic: bool = True,
    ) -> tuple[Actions, Any]:
        """Choose the plan for everyone; see ``Agent.predict``."""
        return np.full(len(observation), self.plan, dtype=np.int64), state

    def configuration(self) -> dict[str, Any]:
        """Return the plan."""
        return {"plan": self.plan}


class RandomPlan(Agent):
    """Pushes any allowed action, no plan included, with equal probability."""

    name = "random"

    def __init__(self, seed: int = 0) -> None:
        """Fix the seed: every evaluation draws the same plans."""
        self.seed = require_integer("seed", seed, 0)
        self._allowed = np.ones(_PLANS + 1, dtype=np.bool_)

    def prepare(self, task: Task, people: Sequence[Individual]) -> None:
        """Note which actions are allowed."""
        self._allowed = task.action_mask().astype(np.bool_)

    def predict(
        self,
        observation: Observations,
        state: Any = None,
        episode_start: NDArray[np.bool_] | None = None,
        deterministic: bool = True,
    ) -> tuple[Actions, Any]:
        """Draw a plan for each person; see ``Agent.predict``."""
        generator = np.random.default_rng(self.seed) if state is None else state
        actions = generator.choice(np.flatnonzero(self._allowed), size=len(observation))
        return actions.astype(np.int64), generator

    def configuration(self) -> dict[str, Any]:
        """Return the seed."""
        return {"seed": self.seed}


class HabitPlan(Agent):
    """Pushes the plan nearest to what the person does on average: the running mean of ``x``."""

    name = "habit"

    def __init__(self) -> None:
        """Nothing to choose; the plans' targets are read from the environments."""
        self._plans_trimp: NDArray[np.float64] | None = None

    def prepare(self, task: Task, people: Sequence[Individual]) -> None:
        """Note the targets of each person's allowed plans; forbidden ones are infinitely far."""
        targets = np.array([person.plans_trimp for person in people])
        self._plans_trimp = np.where(task.action_mask()[1:], targets, np.inf)

    def predict(
        self,
        observation: Observations,
        state: Any = None,
        episode_start: NDArray[np.bool_] | None = None,
        deterministic: bool = True,
    ) -> tuple[Actions, Any]:
        """Choose the nearest plan; see ``Agent.predict``.

        The state holds the sum and the number of the intensities observed so far, (2, N).
        """
        plans_trimp = _prepared(self.name, self._plans_trimp)
        totals = np.zeros((2, len(observation))) if state is None else state.copy()
        if episode_start is not None:
            totals[:, episode_start] = 0.0
        totals += [observation[:, 0], np.ones(len(observation))]
        distance = np.abs(plans_trimp - (totals[0] / totals[1])[:, None])
        return 1 + distance.argmin(axis=1), totals


class CoachRule(Agent):
    """Trains as a coach would; see ``fitgym.planning.rules``."""

    name = "coach"

    def __init__(
        self,
        easy_plan: int = EASY_PLAN,
        hard_plan: int = HARD_PLAN,
        hard_every: int = HARD_EVERY,
        build_share: float = BUILD_SHARE,
        taper_share: float = TAPER_SHARE,
    ) -> None:
        """Shape the episode: build-up, block and taper.

        Args:
            easy_plan: Plan of the build-up, the easy days and the taper, 0 to 10.
            hard_plan: Plan of the hard days of the block, 0 to 10.
            hard_every: A hard day comes every so many days of the block, from 1.
            build_share: Share of the episode's days given to the build-up.
            taper_share: Share of the episode's days given to the taper.

        Raises:
            ValueError: If an argument is out of range or the shares add up to more than 1.
        """
        self.easy_plan = require_integer("easy_plan", easy_plan, 0, _PLANS)
        self.hard_plan = require_integer("hard_plan", hard_plan, 0, _PLANS)
        self.hard_every = require_integer("hard_every", hard_every, 1)
        self.build_share = require_number("build_share", build_share, 0, 1)
        self.taper_share = require_number("taper_share", taper_share, 0, 1 - self.build_share)
        self._days = 0

    def prepare(self, task: Task, people: Sequence[Individual]) -> None:
        """Note how long an episode is."""
        self._days = task.days

    def predict(
        self,
        observation: Observations,
        state: Any = None,
        episode_start: NDArray[np.bool_] | None = None,
        deterministic: bool = True,
    ) -> tuple[Actions, Any]:
        """Choose the plan of the day; see ``Agent.predict``. The state is the day, (N,)."""
        if not self._days:
            _prepared(self.name, None)
        day = np.zeros(len(observation), dtype=np.int64) if state is None else state.copy()
        if episode_start is not None:
            day[episode_start] = 0
        plans = rule_of_thumb(
            day,
            self._days,
            self.easy_plan,
            self.hard_plan,
            self.hard_every,
            self.build_share,
            self.taper_share,
        )
        return plans, day + 1

    def configuration(self) -> dict[str, Any]:
        """Return the shape of the episode."""
        return {
            "easy_plan": self.easy_plan,
            "hard_plan": self.hard_plan,
            "hard_every": self.hard_every,
            "build_share": self.build_share,
            "taper_share": self.taper_share,
        }


class Myopic(Agent):
    """Pushes the plan with the largest expected reward today; it knows person and model."""

    name = "myopic"

    def __init__(self) -> None:
        """Nothing to choose; person and model are read from the environments."""
        self._known: list[tuple[FitnessFatigueEnv, NDArray[np.int64]]] | None = None

    def prepare(self, task: Task, people: Sequence[Individual]) -> None:
        """Note whose rewards to expect in which rows."""
        self._known = [
            (single_environment(task, people[rows[0]]), np.array(rows))
            for rows in _rows_by_person(people)
        ]

    def predict(
        self,
        observation: Observations,
        state: Any = None,
        episode_start: NDArray[np.bool_] | None = None,
        deterministic: bool = True,
    ) -> tuple[Actions, Any]:
        """Choose the best plan for today; see ``Agent.predict``."""
        actions = np.zeros(len(observation), dtype=np.int64)
        for environment, rows in _prepared(self.name, self._known):
            actions[rows] = expected_rewards(environment, observation[rows]).argmax(axis=1)
        return actions, state


class Foresight(PrivilegedAgent):
    """Pushes the plan that earns most today, knowing what will be done: replay's exact bound."""

    name = "foresight"

    def __init__(self) -> None:
        """Nothing to choose; the days to come are read from the environments."""
        self._environments: Any = None

    def predict(
        self,
        observation: Observations,
        state: Any = None,
        episode_start: NDArray[np.bool_] | None = None,
        deterministic: bool = True,
    ) -> tuple[Actions, Any]:
        """Choose the best plan for today; see ``Agent.predict``."""
        environments = _prepared(self.name, self._environments)
        if isinstance(environments, SyncVectorEnv):
            singles = [environment.unwrapped for environment in environments.envs]
            rewards = np.array([foresight_rewards(single) for single in singles])  # type: ignore[arg-type]
        else:
            rewards = environments.preview_rewards()
        return rewards.argmax(axis=1), state


def single_environment(task: Task, individual: Individual) -> FitnessFatigueEnv:
    """Return an environment of one person, for what is computed from person and model."""
    return FitnessFatigueEnv(individual=individual, **asdict(task))


def _rows_by_person(people: Sequence[Individual]) -> list[list[int]]:
    """Return the rows of each person."""
    found: list[list[int]] = []
    for row, person in enumerate(people):
        for rows in found:
            if people[rows[0]] is person:
                rows.append(row)
                break
        else:
            found.append([row])
    return found


def _prepared(name: str, known: Known | None) -> Known:
    if known is None:
        raise RuntimeError(
            f"agent {name!r} needs to know the environments: call prepare() before predict()"
        )
    return known


def reference_agents(environment: FitnessFatigueEnv) -> list[Agent]:
    """Return every reference that applies to an environment, from the simplest to the best.

    Fixed plans that the environment forbids are left out, and so is a coach's rule that would
    need one; the myopic agent needs an adherence model that ``fitgym.planning.one_step`` knows;
    perfect foresight is a bound under replay alone.

    Args:
        environment: The unwrapped environment.
    """
    allowed = np.flatnonzero(environment.action_mask).tolist()
    agents: list[Agent] = [FixedPlan(plan) for plan in allowed]
    agents += [RandomPlan(), CoachRule()] if len(allowed) == _PLANS + 1 else [RandomPlan()]
    if any(allowed):
        agents.append(HabitPlan())
    if can_solve(environment):
        agents.append(Myopic())
    if environment.adherence.exogenous:
        agents.append(Foresight())
    return agents
