"""Agents that plan with the model: the dynamic-programming reference, seeing motivation or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.common.validation import require_number
from fitgym.envs.scalar import FitnessFatigueEnv
from fitgym.envs.task import Task
from fitgym.people.individual import Individual
from fitgym.planning.belief import MotivationFilter
from fitgym.planning.dynamic_programming import DynamicProgram, solve
from fitgym.planning.grid import GridSize, hat_weights
from fitgym.planning.observed import observed_states, recall_histories
from fitgym_agents.agent import Actions, Agent, Observations
from fitgym_agents.references.privileged import PrivilegedAgent
from fitgym_agents.references.simple import single_environment


class _Planner(Agent):
    """Solves the task it is prepared for by dynamic programming."""

    def __init__(self, refinement: float = 1.0) -> None:
        """Choose the grid.

        Args:
            refinement: Times as many grid points along each axis as by default, in [0.2, 10].
        """
        self.refinement = require_number("refinement", refinement, 0.2, 10)
        self._environment: FitnessFatigueEnv | None = None
        self._program: DynamicProgram | None = None

    def prepare(self, task: Task, people: Sequence[Individual]) -> None:
        """Solve the task for the person, who must be the same in all rows; values are cached.

        Raises:
            ValueError: If the people differ, or the task cannot be solved.
        """
        if any(person != people[0] for person in people[1:]):
            raise ValueError(f"agent {self.name!r} needs environments of one person")
        self._environment = single_environment(task, people[0])
        self._program = solve(self._environment, GridSize().refined(self.refinement))

    def configuration(self) -> dict[str, Any]:
        """Return the refinement of the grid."""
        return {"refinement": self.refinement}

    def _prepared(self) -> tuple[FitnessFatigueEnv, DynamicProgram]:
        if self._environment is None or self._program is None:
            raise RuntimeError(
                f"agent {self.name!r} needs to know the environments: call prepare() before "
                "predict()"
            )
        return self._environment, self._program

    def _observed(self, observation: Observations) -> NDArray[np.void]:
        environment, _ = self._prepared()
        states = observed_states(environment, observation)
        recall_histories(states, environment.adherence.tables.targets_trimp)
        return states


class DynamicProgramming(_Planner, PrivilegedAgent):
    """Pushes the plan with the largest expected return; it knows person, model and motivation.

    Motivation is read from the observation where it is observed, and else from the environments:
    a privileged reference, and the ceiling against which learners are reported.
    """

    name = "dynamic programming"

    def predict(
        self,
        observation: Observations,
        state: Any = None,
        episode_start: NDArray[np.bool_] | None = None,
        deterministic: bool = True,
    ) -> tuple[Actions, Any]:
        """Choose the best plan for each person; see ``Agent.predict``."""
        environment, program = self._prepared()
        if environment.task.observation == "full":
            return program.actions(self._observed(observation)), state
        getter: Any = self._environments
        return program.actions(np.concatenate(getter.get_attr("state"))), state


class BeliefPolicy(_Planner):
    """Plans as ``DynamicProgramming`` does, with a belief about motivation in place of the truth.

    It knows person and model, and filters the motivation from what was done (see
    ``fitgym.planning.belief``): what an agent with memory could reach, but for plans that are
    pushed to learn.
    """

    name = "belief"

    def prepare(self, task: Task, people: Sequence[Individual]) -> None:
        """Solve the task and lay out the filter; see ``DynamicProgramming``."""
        super().prepare(task, people)
        environment, program = self._prepared()
        axis = program.axes[3]
        self._filter = MotivationFilter(environment, axis[0], axis[-1])
        self._coarser = hat_weights(axis, self._filter.motivations)

    def predict(
        self,
        observation: Observations,
        state: Any = None,
        episode_start: NDArray[np.bool_] | None = None,
        deterministic: bool = True,
    ) -> tuple[Actions, Any]:
        """Choose the plan that is best on average over the belief; see ``Agent.predict``.

        The state holds the states last seen, (N,), and the beliefs, (N, grid points).
        """
        _, program = self._prepared()
        states = self._observed(observation)
        beliefs = self._filter.start(len(states))
        if state is not None:
            going_on = np.ones(len(states), np.bool_) if episode_start is None else ~episode_start
            before, old = state
            beliefs[going_on] = self._filter.update(
                old[going_on], before[going_on], states[going_on]
            )
        return program.actions(states, beliefs @ self._coarser), (states, beliefs)
