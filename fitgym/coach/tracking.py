"""Stocks and belief day by day, from what was planned and done; the equations are the kernel's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from fitgym.adherence.fitrec_step import remember
from fitgym.adherence.response import nearest_plan, next_motivation, recorded_history
from fitgym.coach.person import MOTIVATIONS, Morning, environment_of
from fitgym.envs import kernel
from fitgym.envs.records import OUTCOME
from fitgym.envs.scalar import FitnessFatigueEnv
from fitgym.people.individual import Individual
from fitgym.planning.belief import MotivationFilter
from fitgym.planning.grid import hat_weights, normal_nodes

Array = NDArray[np.float64]


@dataclass(frozen=True)
class DayDone:
    """What a day was.

    Attributes:
        plan_trimp: Points asked for; 0 for no plan.
        points: Points done, of the plan where there was one.
        internal_load: Load that a watch measured during the plan; 0 where none did.
        free: Whether there was time for a session; without one its absence tells nothing.
    """

    plan_trimp: float
    points: float
    internal_load: float = 0.0
    free: bool = True


class Tracker:
    """Moves states and beliefs of one person on by a day.

    Args:
        individual: The person as the model knows one.
        environment: The person's environment, if there is one already.
    """

    def __init__(
        self, individual: Individual, environment: FitnessFatigueEnv | None = None
    ) -> None:
        """Lay out the filter."""
        environment = environment or environment_of(individual)
        self.record = environment.person
        self.tables = environment.adherence.tables
        self.targets = np.array([0.0, *individual.plans_trimp])
        low, high = float(MOTIVATIONS[0]), float(MOTIVATIONS[-1])
        self._filter = MotivationFilter(environment, low, high, MOTIVATIONS.size)
        self._skipped = self._moved(True, 0.0)
        self._without_time = self._moved(False, 0.0)

    def _moved(self, planned: bool, share: float) -> Array:
        """Return how a belief moves, (M, M), when a day tells nothing of the motivation before."""
        nodes, weights = normal_nodes()
        person = self.record[0]
        rows = []
        for motivation in MOTIVATIONS:
            after = (
                next_motivation(
                    float(motivation),
                    float(person["persistence"]),
                    float(person["success_effect"]),
                    float(person["failure_effect"]),
                    planned,
                    share,
                    0.0,
                )
                - float(person["burden"]) * planned
            )
            noise = float(person["motivation_sd"]) * nodes
            rows.append(weights @ hat_weights(MOTIVATIONS, after + noise))
        return np.array(rows)

    def after(
        self, states: NDArray[np.void], beliefs: Array, days: Sequence[DayDone]
    ) -> tuple[NDArray[np.void], Array]:
        """Return states (N,) and beliefs (N, M) after a day.

        A plan that was not begun tells nothing of what is tolerated that day, and costs motivation
        as in ``fitgym.profile``.

        Args:
            states: Those before it, (N,) of ``STATE``.
            beliefs: (N, M).
            days: What each day was, N of them.
        """
        after = states.copy()
        outcome = np.zeros(states.size, dtype=OUTCOME)
        for i, day in enumerate(days):
            met = day.plan_trimp > 0.0 and day.points >= day.plan_trimp
            kernel.step_with_response(
                after, outcome, self.record, i, day.plan_trimp, day.points, met
            )
            history = 0
            if day.points > 0.0:
                asked = day.plan_trimp if day.plan_trimp > 0.0 else day.points
                plan = int(nearest_plan(self.targets[1:], asked))
                history = int(recorded_history(plan, min(day.points / asked, 1.0)))
            remember(after[i], history)
        after["internal_load"] = [day.internal_load for day in days]
        moved = self._filter.update(beliefs, states, after)
        skipped = [day.plan_trimp > 0.0 and day.points <= 0.0 for day in days]
        moved[skipped] = beliefs[skipped] @ self._skipped
        idle = [not day.free and day.plan_trimp <= 0.0 and day.points <= 0.0 for day in days]
        moved[idle] = beliefs[idle] @ self._without_time
        return after, moved


def replay_days(tracker: Tracker, morning: Morning, days: Sequence[DayDone]) -> Morning:
    """Return the morning after some days, rest days included."""
    state, belief = morning.state(), np.array([morning.belief])
    for day in days:
        state, belief = tracker.after(state, belief, [day])
    end = date.fromisoformat(morning.date) + timedelta(days=len(days))
    return Morning.of(end, state, belief[0])
