"""What belief and dynamic program earn on a cohort's days, and the regret of an agent to them.

Both know the person, which no service does; the dynamic program knows the motivation, too. They
live the same seasons on the same noise, and cannot push on the days on which the agent could not.
They are not bound to keep a probability for every action.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fitgym.envs.scalar import FitnessFatigueEnv
from fitgym.envs.task import Task
from fitgym.people.individual import Individual
from fitgym.planning.belief import belief_policy
from fitgym.planning.dynamic_programming import solve
from fitgym.planning.grid import GridSize
from fitgym.planning.people_references import PERSON_SIZE
from fitgym.planning.simulation import Policy, fixed_plan, simulate
from fitgym_agents.online.cohort import Cohort, CohortLog

Floats = NDArray[np.float64]

# Over people, in the summary.
PERCENTILES = (10, 25, 50, 75, 90)


@dataclass(frozen=True, eq=False)
class CohortReferences:
    """Rewards of the references, of the first R people of a cohort, (R, T).

    Attributes:
        none: Of no service.
        belief: Of the belief policy.
        ceiling: Of the dynamic program.
    """

    none: Floats
    belief: Floats
    ceiling: Floats

    @property
    def people(self) -> int:
        """How many people have references, R."""
        return len(self.belief)

    def regret(self, log: CohortLog, to: str = "belief") -> Floats:
        """Return what the agent earned less than a reference, per person and day, (R, T).

        Args:
            log: The agent's.
            to: ``"belief"`` or ``"ceiling"``.
        """
        rewards: Floats = getattr(self, to)
        return rewards - log.reward[: self.people]

    def summary(self, log: CohortLog) -> dict[str, float]:
        """Return regret a day and percentiles over people, and how far the agent came.

        The way goes from no service (0) to the dynamic program (1), of mean returns.
        """
        result = {}
        for name in ("belief", "ceiling"):
            regret = self.regret(log, name)
            a_day = regret.mean(axis=1)
            result[f"regret to {name}"] = float(a_day.mean())
            result[f"regret to {name}, last 30 days"] = float(regret[:, -30:].mean())
            for percent in PERCENTILES:
                result[f"regret to {name}, percentile {percent}"] = float(
                    np.percentile(a_day, percent)
                )
        none, ceiling = self.none.sum(), self.ceiling.sum()
        own = log.reward[: self.people]
        result["share of the way"] = float((own.sum() - none) / (ceiling - none))
        worse = own.sum(axis=1) < self.none.sum(axis=1)
        result["served worse than by none"] = float(worse.mean())
        return result


def cohort_references(
    cohort: Cohort,
    task: Task,
    individuals: Sequence[Individual],
    people: int | None = None,
    *,
    size: GridSize | None = None,
    progress: bool = False,
) -> CohortReferences:
    """Live the days of the first people of a cohort under each reference.

    Args:
        cohort: Whose days.
        task: The environment's arguments.
        individuals: Who lives in the cohort, as ``CohortLog`` has them.
        people: How many have references, R; None for all.
        size: How fine the grids are; None for the default where all are the same individual, and
            for a coarser one else.
        progress: Whether to show a bar.
    """
    count = cohort.people if people is None else min(people, cohort.people)
    available = cohort.available()[:count]
    result = np.zeros((3, count, cohort.days))
    same = all(one == individuals[0] for one in individuals)
    # Where everybody is somebody else, each is solved on a coarser grid, in some seconds.
    size = size or (GridSize() if same else PERSON_SIZE)
    groups = [np.arange(count)] if same else [np.array([row]) for row in range(count)]
    for rows in tqdm(groups, desc="references", unit="person", disable=not progress):
        environment = FitnessFatigueEnv(individual=individuals[rows[0]], **asdict(task))
        program = solve(environment, size)
        policies = (fixed_plan(0), belief_policy(environment, program), program.actions)
        person = task.prepare(individuals[rows[0]])
        for index, policy in enumerate(policies):
            seasons = simulate(
                task,
                person,
                _where_available(policy, available[rows]),
                episodes=rows.size,
                seed=cohort.seed + int(rows[0]),
            )
            result[index, rows] = seasons.outcomes["reward"].T
    return CohortReferences(*result)


def _where_available(policy: Policy, available: NDArray[np.bool_]) -> Policy:
    """Return a policy that pushes only on days on which people can be pushed, (people, days)."""

    def act(states: NDArray[np.void]) -> NDArray[np.int64]:
        reachable = available[:, int(states["day"][0])]
        return np.where(reachable, policy(states), 0)

    return act
