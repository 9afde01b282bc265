"""Agents that plan with the model: the dynamic-programming reference, seeing motivation or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.common.validation import require_number
from fitgym.envs.scalar import FitnessFatigueEnv
from fitgym.planning.belief import MotivationFilter
from fitgym.planning.dynamic_programming import DynamicProgram, solve
from fitgym.planning.grid import GridSize, hat_weights
from fitgym.planning.observed import observed_states, recall_histories
from fitgym_agents.agent import Actions, Agent, Observations

__all__ = ["BeliefPolicy", "DynamicProgramming"]


class _Planner(Agent):
    """Solves the environments it is prepared for, one dynamic program per person and task."""

    def __init__(self, refinement: float = 1.0) -> None:
        """Choose the grid.

        Args:
            refinement: Times as many grid points along each axis as by default, in [0.2, 10].
        """
        self.refinement = require_number("refinement", refinement, 0.2, 10)
        self._environments: Sequence[FitnessFatigueEnv] = ()
        self._program: DynamicProgram | None = None

    def prepare(self, environments: Sequence[FitnessFatigueEnv]) -> None:
        """Solve the environments, which must be alike; values are cached on disk.

        Raises:
            ValueError: If they differ, or cannot be solved.
        """
        first = environments[0]
        for environment in environments[1:]:
            if (environment.task, environment.individual) != (first.task, first.individual):
                raise ValueError(f"agent {self.name!r} needs environments of one task and person")
        self._environments = environments
        self._program = solve(first, GridSize().refined(self.refinement))

    def configuration(self) -> dict[str, Any]:
        """Return the refinement of the grid."""
        return {"refinement": self.refinement}

    def _prepared(self) -> DynamicProgram:
        if self._program is None:
            raise RuntimeError(
                f"agent {self.name!r} needs to know the environments: call prepare() before "
                "predict()"
            )
        return self._program

    def _observed(self, observation: Observations) -> NDArray[np.void]:
        environment = self._environments[0]
        states = observed_states(environment, observation)
        recall_histories(states, environment.adherence.tables.targets_trimp)
        return states


class DynamicProgramming(_Planner):
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
        program = self._prepared()
        if self._environments[0].task.observation == "full":
            return program.actions(self._observed(observation)), state
        states = np.concatenate([environment.state for environment in self._environments])
        return program.actions(states), state


class BeliefPolicy(_Planner):
    """Plans as ``DynamicProgramming`` does, with a belief about motivation in place of the truth.

    It knows person and model, and filters the motivation from what was done (see
    ``fitgym.planning.belief``): what an agent with memory could reach, but for plans that are
    pushed to learn.
    """

    name = "belief"

    def prepare(self, environments: Sequence[FitnessFatigueEnv]) -> None:
        """Solve the environments and lay out the filter; see ``DynamicProgramming``."""
        super().prepare(environments)
        axis = self._prepared().axes[3]
        self._filter = MotivationFilter(environments[0], axis[0], axis[-1])
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
        program = self._prepared()
        states = self._observed(observation)
        beliefs = self._filter.start(len(states))
        if state is not None:
            going_on = np.ones(len(states), np.bool_) if episode_start is None else ~episode_start
            before, old = state
            beliefs[going_on] = self._filter.update(
                old[going_on], before[going_on], states[going_on]
            )
        return program.actions(states, beliefs @ self._coarser), (states, beliefs)
