"""What can be known of the hidden motivation: a Bayes filter on a grid.

How much of a plan was done tells what was tolerated that day, which is motivation plus noise and
things that are observed; whether a person trained without a plan tells of motivation too. The
filter starts from the distribution at reset, weighs each motivation with the likelihood of what
was seen (exact: normal for a plan that was stopped, its tail for one completed, logistic without
a plan) and moves it on by the equation of motivation. On a fine grid this is the exact filter
but for the grid (Jazwinski 1970, Stochastic Processes and Filtering Theory, chapter 6).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.adherence.fitrec2_step import body_curve, fitness_place, slope_at
from fitgym.adherence.fitrec_step import habit_probability, log_tolerance_of
from fitgym.adherence.response import (
    Curve,
    at_share,
    history_row,
    nearest_plan,
    next_motivation,
)
from fitgym.common.compilation import compiled, compiled_allocating
from fitgym.common.validation import require_integer
from fitgym.envs.scalar import FitnessFatigueEnv
from fitgym.planning.dynamic_programming import DynamicProgram
from fitgym.planning.grid import hat_weights, normal_nodes
from fitgym.planning.simulation import Policy


class MotivationFilter:
    """The probability of each motivation of a grid, for many people at once.

    Attributes:
        motivations: The grid, (P,), even.
    """

    def __init__(
        self, environment: FitnessFatigueEnv, low: float, high: float, points: int = 161
    ) -> None:
        """Lay out the grid.

        Args:
            environment: The unwrapped environment; its person and load table are known.
            low: Smallest motivation of the grid.
            high: Largest motivation of the grid.
            points: Number of grid points, P.

        Raises:
            ValueError: If pushes may be ignored, see ``fitgym.envs.effects``.
        """
        environment.task.require_taken_up("the belief filter")
        self.motivations = np.linspace(low, high, require_integer("points", points, 2))
        self._person = environment.person
        self._tables = environment.adherence.tables
        nodes, self._weights = normal_nodes()
        sd = float(self._person["initial_motivation_sd"][0])
        self._start = self._weights @ hat_weights(self.motivations, sd * nodes)
        self._noises = float(self._person["motivation_sd"][0]) * nodes

    def start(self, count: int) -> NDArray[np.float64]:
        """Return the belief at the start of a season, for each of ``count`` people, (N, P)."""
        return np.tile(self._start, (count, 1))

    def update(
        self, beliefs: NDArray[np.float64], before: NDArray[np.void], after: NDArray[np.void]
    ) -> NDArray[np.float64]:
        """Return the beliefs after a day.

        Args:
            beliefs: Those before it, (N, P).
            before: States before it, (N,) of ``STATE``; the motivation is not looked at.
            after: States after it, of which plan and intensity are read, and the internal load
                unless it is 0, as it is where no watch tells it.
        """
        result = np.zeros_like(beliefs)
        _update(
            beliefs,
            before.copy(),
            after,
            self._person,
            self._tables,
            self.motivations,
            self._noises,
            self._weights,
            result,
        )
        return result


def belief_policy(environment: FitnessFatigueEnv, program: DynamicProgram) -> Policy:
    """Return the policy that pushes the plan with the best value on average over the belief.

    It uses the values of the dynamic program, which knows the motivation, so it takes no plan for
    the sake of learning (QMDP: Littman, Cassandra and Kaelbling 1995). It serves one simulation:
    states on day 0 start the beliefs anew.
    """
    axis = program.axes[3]
    motivation_filter = MotivationFilter(environment, axis[0], axis[-1])
    coarser = hat_weights(axis, motivation_filter.motivations)
    memory: list[Any] = []

    def act(states: NDArray[np.void]) -> NDArray[np.int64]:
        if states["day"][0] == 0:
            beliefs = motivation_filter.start(states.size)
        else:
            beliefs = motivation_filter.update(memory[1], memory[0], states)
        memory[:] = [states.copy(), beliefs]
        return program.actions(states, beliefs @ coarser)

    return act


@compiled
def load_at_share(
    before: Any, person: Any, tables: Any, plan_trimp: float, share: float
) -> tuple[float, float]:
    """Return the log of the load at a share of a plan, and the spread of the noise around it.

    The offset of the heart on that day is unknown, so it adds to the noise of tolerance.
    """
    table, nodes = person.table, tables.load_slopes.shape[1]
    plan = nearest_plan(tables.targets_trimp, plan_trimp)
    first, last = tables.first_segments[plan], tables.first_segments[plan + 1]
    if nodes == 0:
        row = history_row(before.history, before.days_since)
        load, _, _ = at_share(tables, Curve(table, row, row, 0.0), first, last, share)
        return math.log(max(load, 1e-300)), person.tolerance_sd
    node, part = fitness_place(before, person, tables.nodes[table], nodes)
    curve = body_curve(before, table, node, part, tables)
    load, _, _ = at_share(tables, curve, first, last, share)
    slope = slope_at(tables.load_slopes[table], node, part, plan)
    session = slope * person.heart_rate_sd
    sd = math.sqrt(person.tolerance_sd * person.tolerance_sd + session * session)
    return math.log(max(load, 1e-300)) + slope * person.heart_rate_offset, sd


@compiled_allocating
def _update(
    beliefs: Any,
    before: Any,
    after: Any,
    people: Any,
    tables: Any,
    motivations: Any,
    noises: Any,
    weights: Any,
    result: Any,
) -> None:
    """Fill ``result`` (N, P), zero before, with the beliefs after a day."""
    person = people[0]
    points = motivations.size
    log_likelihood = np.empty(points)
    low, step = motivations[0], motivations[1] - motivations[0]
    for i in range(before.size):
        plan_trimp, intensity = after[i].plan_trimp, after[i].intensity
        planned = plan_trimp > 0.0
        share, log_load, sd = 0.0, 0.0, 1.0
        if planned:
            share = min(intensity / plan_trimp, 1.0)
            if after[i].internal_load > 0.0:
                # A plan stops at the load that is tolerated, and a watch tells that load.
                log_load, sd = math.log(after[i].internal_load), person.tolerance_sd
            else:
                log_load, sd = load_at_share(before[i], person, tables, plan_trimp, share)
        for m in range(points):
            before[i].motivation = motivations[m]
            if planned:
                tolerance = log_tolerance_of(before[i], person, 0.0)
                margin = (log_load - tolerance) / sd
                if share >= 1.0:
                    completed = 0.5 * math.erfc(margin / math.sqrt(2.0))
                    log_likelihood[m] = math.log(max(completed, 1e-300))
                else:
                    log_likelihood[m] = -0.5 * margin * margin
            else:
                strikes = habit_probability(before[i], person)
                log_likelihood[m] = math.log(strikes if intensity > 0.0 else 1.0 - strikes)
        largest = log_likelihood.max()
        total = 0.0
        for m in range(points):
            weight = beliefs[i, m] * math.exp(log_likelihood[m] - largest)
            if weight < 1e-12:
                continue
            for q in range(noises.size):
                motivation = next_motivation(
                    motivations[m],
                    person.persistence,
                    person.success_effect,
                    person.failure_effect,
                    planned,
                    share,
                    noises[q],
                )
                if planned:
                    motivation -= person.burden
                place = min(max((motivation - low) / step, 0.0), points - 1.0)
                cell = min(int(place), points - 2)
                part = place - cell
                result[i, cell] += weight * weights[q] * (1.0 - part)
                result[i, cell + 1] += weight * weights[q] * part
            total += weight
        if total > 0.0:
            result[i] /= total
        else:
            # What was seen is impossible under the belief: trust the belief alone.
            result[i] = beliefs[i]
