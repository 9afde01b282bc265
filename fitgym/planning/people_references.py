"""What references earn with the first people of the test split, who are nobody's training people.

The dynamic program of each person, on a grid somewhat coarser than that of the shipped
individuals, is the ceiling; no service is the floor. Everything is simulated on the same noise, so
that an agent that is evaluated on these episodes is compared in pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fitgym.adherence import adherence_class
from fitgym.common.files import write_text
from fitgym.common.json_files import json_text, parse_json, read_object
from fitgym.common.validation import require_choice
from fitgym.envs.scalar import FitnessFatigueEnv
from fitgym.people.individual import Individual
from fitgym.people.splits import PeopleSplit
from fitgym.planning.belief import belief_policy
from fitgym.planning.dynamic_programming import solve
from fitgym.planning.grid import GridSize
from fitgym.planning.rules import rule_of_thumb
from fitgym.planning.simulation import Policy, fixed_plan, simulate

# How many people of the test split have references.
PEOPLE = 100
EPISODES = 100
SEED = 1_000_000
# For many people: between that of the shipped individuals' scores and that of the ablation.
PERSON_SIZE = GridSize(base_level=8, fitness=8, fatigue=10, motivation=17, shares=5, habits=4)

_FILE = "people_references.json"


@dataclass(frozen=True)
class PersonReferences:
    """Mean returns of the references for one person, over the same episodes.

    Attributes:
        number: Of the person, in the test split.
        none: Without a service.
        fixed: Of the best fixed plan.
        fixed_plan: Which plan that is, from 1.
        coach: Of the coach's rule.
        belief: Of the belief policy, which knows the person but not the motivation.
        ceiling: Of the dynamic program, which knows both.
    """

    number: int
    none: float
    fixed: float
    fixed_plan: int
    coach: float
    belief: float
    ceiling: float

    def share(self, mean_return: float) -> float:
        """Return how far a mean return is on the way from no service (0) to the ceiling (1)."""
        return (mean_return - self.none) / (self.ceiling - self.none)


def people_references(env_id: str) -> tuple[PersonReferences, ...]:
    """Return the references that ship for people of the test split, in their order.

    Args:
        env_id: ``"fitgym/Acquisition-v1"`` or ``"fitgym/Retention-v1"``.

    Raises:
        ValueError: If the id is another.
    """
    shipped = _shipped()
    require_choice("env_id", env_id, tuple(shipped))
    return shipped[env_id]


def split_of(env_id: str, name: str) -> PeopleSplit:
    """Return a split of the people that an environment is for.

    Args:
        env_id: Registered id.
        name: ``"train"``, ``"validation"`` or ``"test"``.
    """
    return PeopleSplit(adherence_class(gym.spec(env_id).kwargs["adherence"]).population(), name)


def simulate_references(number: int, env_id: str, person: Individual) -> PersonReferences:
    """Solve one person's task, and simulate the references.

    Args:
        number: Of the person.
        env_id: Registered id with ten plans.
        person: The person.
    """
    made: Any = gym.make(env_id, individual=person, disable_env_checker=True)
    environment: FitnessFatigueEnv = made.unwrapped
    program = solve(environment, PERSON_SIZE, cache=False)

    def mean_return(policy: Policy) -> float:
        prepared = environment.task.prepare(person)
        seasons = simulate(environment.task, prepared, policy, episodes=EPISODES, seed=SEED)
        return round(float(seasons.returns.mean()), 3)

    def coach(states: NDArray[np.void]) -> NDArray[np.int64]:
        plans: NDArray[np.int64] = rule_of_thumb(states["day"], environment.days)
        return plans

    fixed = [mean_return(fixed_plan(plan)) for plan in range(len(person.plans_trimp) + 1)]
    best = int(np.argmax(fixed[1:])) + 1
    return PersonReferences(
        number=number,
        none=fixed[0],
        fixed=fixed[best],
        fixed_plan=best,
        coach=mean_return(coach),
        belief=mean_return(belief_policy(environment, program)),
        ceiling=mean_return(program.actions),
    )


def write_references(path: Path, env_ids: Sequence[str], people: int = PEOPLE) -> None:
    """Simulate the references of the first test people, person by person, and keep each in a file.

    Started again, it goes on where it was.

    Args:
        path: JSON file.
        env_ids: Registered ids.
        people: How many.
    """
    content: dict[str, list[dict[str, Any]]] = read_object(path) if path.exists() else {}
    for env_id in env_ids:
        split = split_of(env_id, "test")
        done = content.setdefault(env_id, [])
        for number in tqdm(range(len(done), people), desc=env_id, unit="person"):
            done.append(asdict(simulate_references(number, env_id, split.person(number))))
            write_text(path, json_text(content))


@cache
def _shipped() -> dict[str, tuple[PersonReferences, ...]]:
    content = parse_json((resources.files("fitgym") / "data" / _FILE).read_bytes(), _FILE)
    return {
        env_id: tuple(PersonReferences(**person) for person in people)
        for env_id, people in content.items()
    }
