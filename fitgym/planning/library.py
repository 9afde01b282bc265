"""Somebody who is not known yet, as a mixture of known people whose seasons are solved.

A library holds people drawn from the population with their dynamic programs. A filter weighs them
for each person served by how well they explain what is seen: a particle filter whose particles keep
their parameters, and carry the motivation along as a normal distribution each
(Rao-Blackwellised: Doucet, de Freitas, Murphy, Russell 2000). What is random (how much of a plan
is done, whether and how hard somebody trains by habit) counts by its likelihood; a normal tail and
a logistic are matched by moments and by their mode. What follows for certain from parameters
(stocks, performance), and load and heart rate, which depend on the tables, no two people share
exactly, so it counts as a kernel of the mean squared distance, in units of the library's own
spread.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from fitgym.adherence import adherence_class
from fitgym.adherence.base import Tables
from fitgym.adherence.fitrec2_step import body_curve, fitness_place, with_offset
from fitgym.adherence.fitrec_step import habit_probability, log_tolerance_of
from fitgym.adherence.response import (
    Curve,
    at_share,
    history_row,
    nearest_plan,
    next_motivation,
)
from fitgym.common.compilation import compiled, compiled_allocating
from fitgym.common.validation import require_integer, require_number
from fitgym.envs.groups import Group
from fitgym.envs.records import PERSON
from fitgym.envs.scalar import FitnessFatigueEnv
from fitgym.envs.task import Task
from fitgym.model.dynamics import accumulate, next_base_level, stimulus
from fitgym.planning.belief import load_at_share
from fitgym.planning.dynamic_programming import DynamicProgram, solve
from fitgym.planning.grid import GridSize, hat_weights

Floats = NDArray[np.float64]

LIBRARY_SIZE = GridSize(base_level=6, fitness=6, fatigue=8, motivation=13, shares=4, habits=4)

# Quantities whose distance counts: base level and VDOT on joining, then those of a day.
_QUANTITIES = 8
_BASE_LEVEL, _VDOT, _LEVEL, _FITNESS, _FATIGUE, _GAIN, _LOAD, _HEART_RATE = range(_QUANTITIES)
# A plan that was hardly begun tells as much as one stopped after this share (ours), since the load
# of none has no logarithm.
_LEAST_SHARE = 0.02
# Nodes of the mean over a motivation.
_NODES, _NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(9)
_NODE_WEIGHTS = _NODE_WEIGHTS / _NODE_WEIGHTS.sum()


@dataclass(frozen=True, eq=False)
class Library:
    """People drawn from a population, K of them, with the solutions of their seasons.

    Attributes:
        programs: Their dynamic programs.
        people: Record array of ``PERSON``, (K,).
        tables: Load tables of all of them.
        vdot: Performance at the start, (K,).
    """

    programs: tuple[DynamicProgram, ...]
    people: NDArray[np.void]
    tables: Tables
    vdot: Floats

    @property
    def plans_trimp(self) -> tuple[float, ...]:
        """Targets of the ten plans, which all of them share."""
        return self.programs[0].individual.plans_trimp


def solved_library(
    task: Task, people: int, seed: int = 0, size: GridSize = LIBRARY_SIZE, *, progress: bool = False
) -> Library:
    """Draw people from the population of a task's version, and solve their seasons.

    Solutions are kept in the user's cache.

    Args:
        task: Of the environment.
        people: How many, K, from 2.
        seed: Of the people.
        size: How fine their grids are.
        progress: Whether to show a bar.

    Raises:
        ValueError: If an argument is out of range, or the task cannot be solved.
    """
    require_integer("people", people, 2)
    generator = np.random.default_rng([seed, people])
    population = adherence_class(task.adherence).population()
    drawn = [population.draw(generator) for _ in range(people)]
    programs = []
    for one in tqdm(drawn, desc="library", unit="person", disable=not progress):
        programs.append(solve(FitnessFatigueEnv(individual=one, **asdict(task)), size))
    prepared = [task.prepare(one) for one in drawn]
    group = Group.of(prepared[0], people)
    records = np.zeros(people, dtype=PERSON)
    for index, person in enumerate(prepared):
        group, table = group.with_model(person.adherence)
        records[index] = person.record[0]
        records[index]["table"] = table
    vdot = records["baseline_performance"] + records["fitness_utility"] * records["initial_fitness"]
    vdot -= records["fatigue_utility"] * records["initial_fatigue"]
    return Library(tuple(programs), records, group.tables, vdot)


class LibraryFilter:
    """How well each of a library's people explains each of N people served.

    Attributes:
        library: The library.
        evidence: Log likelihood of what was random, (N, K).
        motivation: Mean motivation of each, if the person were this one, (N, K).
        variance: Its variance, (N, K).
    """

    def __init__(self, library: Library, people: int, width: float = 0.5) -> None:
        """Know nothing of anybody.

        Args:
            library: The library.
            people: N.
            width: Of the kernel, in standard deviations of the library, more than 0.
        """
        self.library = library
        self._width = require_number("width", width, 0.0, 100.0, low_open=True)
        shape = (people, library.people.size)
        self.evidence = np.zeros(shape)
        self.motivation = np.zeros(shape)
        self.variance = np.tile(library.people["initial_motivation_sd"] ** 2, (people, 1))
        # Sums of squared distances, and how many of them there are.
        self._distance = np.zeros((*shape, _QUANTITIES))
        self._counts = np.zeros((people, _QUANTITIES))

    def join(self, person: NDArray[np.int64], base_level: Floats, vdot: Floats) -> None:
        """Weigh by what is measured when people join.

        Args:
            person: Which of the people, (n,).
            base_level: Theirs, points, (n,).
            vdot: Performance, (n,).
        """
        own = self.library.people
        for quantity, seen, known in (
            (_BASE_LEVEL, np.log(base_level), np.log(own["initial_base_level"])),
            (_VDOT, np.log(vdot), np.log(self.library.vdot)),
        ):
            away = (seen[:, None] - known) / known.std()
            self._distance[person, :, quantity] = away**2
            self._counts[person, quantity] = 1.0

    def observe(
        self,
        person: NDArray[np.int64],
        before: NDArray[np.void],
        after: NDArray[np.void],
        gain: Floats,
    ) -> None:
        """Weigh by a day of some people.

        Args:
            person: Which of the people, each once, (n,).
            before: States before the day, (n,) of ``STATE``; motivations are not looked at.
            after: States after it, of which stocks, plan, intensity, load and heart rate are read.
            gain: By how much performance rose, VDOT, (n,); NaN where it is not known.
        """
        _observe(
            person,
            before.copy(),
            after,
            gain,
            self.library.people,
            self.library.tables,
            self.evidence,
            self.motivation,
            self.variance,
            self._distance,
            self._counts,
        )

    def skip(self, person: NDArray[np.int64]) -> None:
        """Move the motivation of people on by a day of which nothing is known."""
        own = self.library.people
        self.motivation[person] *= own["persistence"]
        kept = own["persistence"] ** 2
        # Nobody knows whether there was a failure: half of one, give or take.
        unknown = own["motivation_sd"] ** 2 + (0.5 * own["failure_effect"]) ** 2
        self.variance[person] = kept * self.variance[person] + unknown

    def weights(self, person: NDArray[np.int64]) -> Floats:
        """Return the probability of each of the library's people, (n, K)."""
        counts = np.maximum(self._counts[person], 1.0)[:, None]
        away = (self._distance[person] / counts).sum(axis=2)
        logs = self.evidence[person] - 0.5 * away / self._width**2
        weights = np.exp(logs - logs.max(axis=1, keepdims=True))
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))

    def plan_values(
        self, person: NDArray[np.int64], states: NDArray[np.void], most: int
    ) -> tuple[Floats, Floats]:
        """Return what each plan is worth by the likeliest of the library's people.

        Args:
            person: Which of the people, (n,).
            states: Theirs, (n,) of ``STATE``.
            most: How many of the library's people count for each, L.

        Returns:
            Values (n, L, 11), by their own dynamic program and the belief about motivation, and
            probabilities (n, L).
        """
        weights = self.weights(person)
        most = min(most, weights.shape[1])
        likeliest = np.argsort(-weights, axis=1, kind="stable")[:, :most]
        chosen = np.take_along_axis(weights, likeliest, axis=1)
        values = np.zeros((person.size, most, len(self.library.plans_trimp) + 1))
        for index, program in enumerate(self.library.programs):
            row, place = np.nonzero(likeliest == index)
            if row.size:
                who = person[row]
                beliefs = _normal_weights(
                    program.axes[3], self.motivation[who, index], self.variance[who, index]
                )
                worth = program.plan_values(states[row])
                values[row, place] = np.einsum("nam,nm->na", worth, beliefs)
        return values, chosen / chosen.sum(axis=1, keepdims=True)


def _normal_weights(axis: Floats, mean: Floats, variance: Floats) -> Floats:
    """Return the weights on an even axis (m,) of normal numbers (n,), (n, m)."""
    points = mean[:, None] + np.sqrt(variance)[:, None] * _NODES
    weights = hat_weights(axis, points.ravel()).reshape(mean.size, _NODES.size, axis.size)
    return np.asarray(np.einsum("nqm,q->nm", weights, _NODE_WEIGHTS))


@compiled
def _session(before: Any, person: Any, tables: Any, asked: float, share: float) -> Any:
    """Return log of the load and mean heart rate of a session, as expected of a person."""
    table, nodes = person.table, tables.load_slopes.shape[1]
    log_load, _ = load_at_share(before, person, tables, asked, share)
    plan = nearest_plan(tables.targets_trimp, asked)
    first, last = tables.first_segments[plan], tables.first_segments[plan + 1]
    if nodes == 0:
        row = history_row(before.history, before.days_since)
        _, beats, minutes = at_share(tables, Curve(table, row, row, 0.0), first, last, share)
        return log_load, beats / max(minutes, 1e-9)
    node, part = fitness_place(before, person, tables.nodes[table], nodes)
    curve = body_curve(before, table, node, part, tables)
    _, beats, minutes = at_share(tables, curve, first, last, share)
    heart_rate = with_offset(person, beats / max(minutes, 1e-9), person.heart_rate_offset)
    return log_load, heart_rate


@compiled
def _see_plan(
    log_load: float, sd: float, tolerance: float, done: bool, mean: float, variance: float
) -> tuple[float, float, float]:
    """Return evidence, and mean and variance of motivation, after a plan.

    Args:
        log_load: Log of the load where it was stopped, or of the whole plan.
        sd: Spread of the day's noise.
        tolerance: Log of what is tolerated at motivation 0.
        done: Whether the plan was completed.
        mean: Of the motivation before.
        variance: Of the motivation before.
    """
    spread = math.sqrt(sd * sd + variance)
    away = (tolerance + mean - log_load) / spread
    density = math.exp(-0.5 * away * away) / math.sqrt(2.0 * math.pi)
    if not done:
        evidence = -0.5 * away * away - math.log(spread)
        kept = 1.0 - variance / (spread * spread)
        return evidence, mean - variance / spread * away, variance * kept
    likely = max(0.5 * math.erfc(-away / math.sqrt(2.0)), 1e-12)
    # Far in the tail the ratio tends to the distance itself.
    ratio = density / likely if away > -6.0 else -away
    ratio_fall = ratio * (ratio + away)
    return (
        math.log(likely),
        mean + variance / spread * ratio,
        variance * (1.0 - variance / (spread * spread) * ratio_fall),
    )


@compiled
def _see_habit(state: Any, person: Any, points: float, variance: float) -> Any:
    """Return evidence, and mean and variance of motivation, after a day without a plan.

    Args:
        state: Record of ``STATE`` with the mean motivation before.
        person: Record of ``PERSON``.
        points: Done that day.
        variance: Of the motivation before.
    """
    strikes = habit_probability(state, person)
    trained = 1.0 if points > 0.0 else 0.0
    evidence = math.log(strikes if points > 0.0 else 1.0 - strikes)
    if points > 0.0 and points < person.habit_maximum and person.habit_log_sd > 0.0:
        away = (math.log(points) - person.habit_log_median) / person.habit_log_sd
        evidence -= 0.5 * away * away + math.log(person.habit_log_sd)
    after = 1.0 / (1.0 / max(variance, 1e-12) + strikes * (1.0 - strikes))
    return evidence, state.motivation + after * (trained - strikes), after


@compiled_allocating
def _observe(
    persons: Any,
    before: Any,
    after: Any,
    gain: Any,
    people: Any,
    tables: Any,
    evidence: Any,
    motivation: Any,
    variance: Any,
    distance: Any,
    counts: Any,
) -> None:
    """Weigh the library's people by a day of each person; see ``LibraryFilter.observe``."""
    known = people.size
    expected = np.zeros((known, _QUANTITIES))
    seen = np.zeros(_QUANTITIES)
    for i in range(persons.size):
        n = persons[i]
        state = before[i]
        points, plan_trimp = after[i].intensity, after[i].plan_trimp
        planned = plan_trimp > 0.0
        share = min(points / plan_trimp, 1.0) if planned else 1.0
        felt = points > 0.0 and after[i].internal_load > 0.0
        asked = plan_trimp if planned else points
        seen[_LEVEL] = math.log(after[i].base_level)
        seen[_FITNESS] = math.log(max(after[i].fitness, 1e-9))
        seen[_FATIGUE] = math.log(max(after[i].fatigue, 1e-9))
        seen[_GAIN] = gain[i]
        if felt:
            seen[_LOAD] = math.log(after[i].internal_load)
            seen[_HEART_RATE] = after[i].mean_heart_rate
        for k in range(known):
            person = people[k]
            level, scaling = state.base_level, person.base_scaling
            expected[k, _LEVEL] = math.log(next_base_level(level, points, person.base_decay))
            fitness = accumulate(
                person.retention,
                state.fitness,
                stimulus(points, level, scaling, person.fitness_exponent),
                person.fitness_kept,
                person.unit,
            )
            fatigue = accumulate(
                person.retention,
                state.fatigue,
                stimulus(points, level, scaling, person.fatigue_exponent),
                person.fatigue_kept,
                person.unit,
            )
            expected[k, _FITNESS] = math.log(max(fitness, 1e-9))
            expected[k, _FATIGUE] = math.log(max(fatigue, 1e-9))
            expected[k, _GAIN] = person.fitness_utility * (
                after[i].fitness - state.fitness
            ) - person.fatigue_utility * (after[i].fatigue - state.fatigue)
            if felt:
                log_load, heart_rate = _session(state, person, tables, asked, share)
                expected[k, _LOAD] = log_load
                expected[k, _HEART_RATE] = heart_rate
            state.motivation = motivation[n, k]
            if planned:
                reached = max(share, _LEAST_SHARE)
                log_load, sd = load_at_share(state, person, tables, plan_trimp, reached)
                state.motivation = 0.0
                tolerance = log_tolerance_of(state, person, 0.0)
                told, mean, spread = _see_plan(
                    log_load, sd, tolerance, share >= 1.0, motivation[n, k], variance[n, k]
                )
            else:
                told, mean, spread = _see_habit(state, person, points, variance[n, k])
            evidence[n, k] += told
            motivation[n, k] = next_motivation(
                mean,
                person.persistence,
                person.success_effect,
                person.failure_effect,
                planned,
                share,
                0.0,
            )
            if planned:
                motivation[n, k] -= person.burden
            variance[n, k] = (
                person.persistence * person.persistence * max(spread, 0.0)
                + person.motivation_sd * person.motivation_sd
            )
        for q in range(_LEVEL, _QUANTITIES if felt else _LOAD):
            if math.isnan(seen[q]):
                continue
            middle = 0.0
            for k in range(known):
                middle += expected[k, q] / known
            width = 0.0
            for k in range(known):
                width += (expected[k, q] - middle) ** 2 / known
            # Where all of the library say the same, it tells nobody from another.
            if width > 1e-14:
                counts[n, q] += 1.0
                for k in range(known):
                    distance[n, k, q] += (seen[q] - expected[k, q]) ** 2 / width
