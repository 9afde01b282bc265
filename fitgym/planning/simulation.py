"""Whole seasons of many people at once, each policy on the same noise: for references and figures.

Season ``i`` of a simulation seeded ``s`` is, to the bit, the one that the environment plays when
it is reset with seed ``s + i``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.utils import seeding
from numpy.typing import NDArray

from fitgym.common.compilation import compiled
from fitgym.envs import kernel
from fitgym.envs.records import OUTCOME, STATE
from fitgym.envs.task import Person, Task

# From the states of E people, (E,) of STATE and all on the same day, to their actions, (E,).
Policy = Callable[[NDArray[np.void]], NDArray[np.int64]]


@dataclass(frozen=True, eq=False)
class Seasons:
    """What happened in E seasons of T days.

    Attributes:
        states: State before each day and after the last, (T + 1, E), dtype ``STATE``.
        actions: Plans pushed, (T, E).
        outcomes: What each day brought, (T, E), dtype ``OUTCOME``.
    """

    states: NDArray[np.void]
    actions: NDArray[np.int64]
    outcomes: NDArray[np.void]

    @property
    def returns(self) -> NDArray[np.float64]:
        """Undiscounted return of each season, (E,)."""
        return np.asarray(self.outcomes["reward"].sum(axis=0))


def simulate(task: Task, person: Person, policy: Policy, *, episodes: int, seed: int) -> Seasons:
    """Play seasons of one person under a policy.

    Args:
        task: The task of the environment.
        person: The person, made ready by the task.
        policy: Who decides; it sees whole states, so it may be privileged.
        episodes: How many seasons, E.
        seed: Seed of the first season; season ``i`` has ``seed + i``.

    Raises:
        NotImplementedError: If the adherence model is not compiled.
    """
    if not person.adherence.compiled:
        raise NotImplementedError("seasons of a custom adherence cannot be simulated here")
    states = np.zeros((task.days + 1, episodes), dtype=STATE)
    outcomes = np.zeros((task.days, episodes), dtype=OUTCOME)
    actions = np.zeros((task.days, episodes), dtype=np.int64)
    for i in range(episodes):
        generator, _ = seeding.np_random(seed + i)
        # The one number that an environment draws at reset.
        key = generator.integers(0, 2**64, dtype=np.uint64)
        kernel.begin(states[0], person.record, i, person.starts, key)
    targets = np.asarray(person.targets_trimp)
    for day in range(task.days):
        actions[day] = policy(states[day])
        states[day + 1] = states[day]
        _step_all(
            states[day + 1],
            outcomes[day],
            person.record,
            targets[actions[day]],
            person.adherence.code,
            person.adherence.tables,
        )
    return Seasons(states, actions, outcomes)


def fixed_plan(action: int) -> Policy:
    """Return the policy that pushes the same plan every day."""
    return lambda states: np.full(states.size, action, dtype=np.int64)


def random_plan(action_mask: NDArray[np.int8], seed: int = 0) -> Policy:
    """Return the policy that draws any allowed action with equal probability."""
    generator = np.random.default_rng(seed)
    allowed = np.flatnonzero(action_mask)
    return lambda states: generator.choice(allowed, size=states.size)


@compiled
def _step_all(
    states: Any, outcomes: Any, people: Any, plans_trimp: Any, adherence: int, tables: Any
) -> None:
    for i in range(states.size):
        kernel.step(states, outcomes, people, i, plans_trimp[i], adherence, tables)
