"""The training history of a virtual person, and the truth behind it, through the same model.

Days move on in the compiled step of the environments: plans are carried out as far as the heart and
the day allow, and on days without one habit strikes. Now and then the person races 5 km at what
fitness and fatigue allow that day; nothing else in a log shows what somebody can do. A race is a
session without a plan to the model.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from gymnasium.utils import seeding
from numpy.typing import NDArray

from fitgym.adherence.fitrec2_step import heart_rate_offset
from fitgym.adherence.fitrec_step import move_motivation, remember
from fitgym.adherence.response import nearest_plan, recorded_history
from fitgym.common.validation import require_integer, require_seed
from fitgym.envs import kernel
from fitgym.envs.records import OUTCOME, STATE
from fitgym.envs.task import Person, Task
from fitgym.logs.dates import latest_date, problem_of_date
from fitgym.logs.history import History
from fitgym.logs.training_log import LoggedSession
from fitgym.logs.workout import GRID_STEP_S
from fitgym.model.daniels import race_time
from fitgym.model.internal_load import load_rates, offset_weight
from fitgym.model.noise import HEART_RATE, normal
from fitgym.model.plans import plan_segments, session_course
from fitgym.model.session_points import session_points
from fitgym.people.anchor import completion_from
from fitgym.people.individual import Individual
from fitgym.planning.simulation import Policy
from fitgym.virtual.recording import Run, record_runs

Array = NDArray[np.float64]

RACE_DISTANCE_M = 5000.0
# Ours: a race falls short of what is possible by this share of VDOT, half normal.
RACE_SHORTFALL = 0.02
# Ours: everybody starts at six in the evening, local time.
START_OF_SESSIONS = 0.75
# Ours: shorter sessions are neither logged nor recorded.
SHORTEST_MINUTES = 1.0
# Longest plan whose course is known (fitgym.model.plans).
_LARGEST_COURSE_TRIMP = 200.0


@dataclass(frozen=True, eq=False)
class VirtualSeason:
    """What a log and a watch hold of a virtual person, and what was really so.

    Attributes:
        individual: Who it is; the season starts at its initial state.
        stage: ``"acquisition"`` or ``"retention"``.
        start: First day.
        history: Sessions, and recorded workouts unless only a log was asked for.
        actions: (T,) plan pushed each day, 0 for none; on days of races none was.
        plans_trimp: (T,) points asked for, 0 for none.
        races: (T,) whether the person raced.
        states: (T + 1,) of ``STATE``, before each day and after the last.
        outcomes: (T,) of ``OUTCOME``: what each day brought.
    """

    individual: Individual
    stage: str
    start: date
    history: History
    actions: NDArray[np.int64]
    plans_trimp: Array
    races: NDArray[np.bool_]
    states: NDArray[np.void]
    outcomes: NDArray[np.void]

    @property
    def days(self) -> int:
        """Number of days, T."""
        return int(self.actions.size)

    @property
    def dates(self) -> tuple[date, ...]:
        """The days, T of them."""
        return tuple(self.start + timedelta(days=day) for day in range(self.days))

    @property
    def base_level(self) -> Array:
        """(T + 1,) true base level in points, before each day and after the last."""
        return np.asarray(self.states["base_level"])

    @property
    def fitness(self) -> Array:
        """(T + 1,) true fitness, before each day and after the last."""
        return np.asarray(self.states["fitness"])

    @property
    def fatigue(self) -> Array:
        """(T + 1,) true fatigue, before each day and after the last."""
        return np.asarray(self.states["fatigue"])

    @property
    def motivation(self) -> Array:
        """(T + 1,) true motivation, before each day and after the last."""
        return np.asarray(self.states["motivation"])

    @property
    def load_trimp(self) -> Array:
        """(T,) points really done."""
        return np.asarray(self.outcomes["done_trimp"])

    @property
    def performance(self) -> Array:
        """(T + 1,) true VDOT, before each day and after the last."""
        theta = self.individual.stage(self.stage)
        return np.asarray(
            theta.baseline_performance
            + theta.fitness_utility * self.fitness
            - theta.fatigue_utility * self.fatigue
        )


def simulate_history(
    individual: Individual,
    *,
    days: int = 180,
    seed: int = 0,
    policy: Policy | None = None,
    stage: str = "acquisition",
    start: date | None = None,
    race_every: int = 42,
    recordings: bool = True,
    user: str = "me",
) -> VirtualSeason:
    """Return a virtual person's history with the truth behind it; the same for the same seed.

    Args:
        individual: The person of version 1, as an environment takes one.
        days: How many days, T, in [1, 1000].
        seed: Seed of everything random.
        policy: Who pushes plans, as in ``fitgym.planning.simulation``: it sees the states, one
            person's, and returns the plan of the day; None for nobody, so that all is habit.
        stage: ``"acquisition"`` or ``"retention"``.
        start: First day; None for the one that makes yesterday the last.
        race_every: Days between races over 5 km, the first one after that many; 0 for none.
        recordings: Whether a watch recorded the sessions, which needs the ``predictor`` extra if
            there is one to record; otherwise there is only the log.
        user: What the person is called in the recordings.

    Raises:
        ValueError: If an argument is out of range, or the season would not end by today.
        ImportError: If recordings are asked for and the ``predictor`` extra is not installed.
    """
    require_integer("days", days, 1, 1000)
    require_integer("race_every", race_every, 0, 1000)
    require_seed("seed", seed)
    first = latest_date() - timedelta(days=days + 1) if start is None else start
    for end in (first, first + timedelta(days=days - 1)):
        if (problem := problem_of_date(end)) is not None:
            raise ValueError(f"start and days: {problem}")
    task = Task(stage=stage, adherence="fitrec2", days=days)
    person = task.prepare(individual)
    generator = np.random.default_rng([seed, 1])
    states = np.zeros((days + 1, 1), dtype=STATE)
    outcomes = np.zeros((days, 1), dtype=OUTCOME)
    actions = np.zeros(days, dtype=np.int64)
    races = np.zeros(days, dtype=np.bool_)
    # As an environment that is reset with this seed.
    key = seeding.np_random(seed)[0].integers(0, 2**64, dtype=np.uint64)
    kernel.begin(states[0], person.record, 0, person.starts, key)
    sessions: list[LoggedSession] = []
    runs: list[Run] = []
    origin = (first - date(1970, 1, 1)).days
    for day in range(days):
        before, after = states[day], states[day + 1]
        after[:] = before
        ability = float(kernel.performance_of(before, 0, person.record))
        races[day] = race_every > 0 and day > 0 and day % race_every == 0
        if races[day]:
            shown = ability * (1.0 - RACE_SHORTFALL * abs(float(generator.standard_normal())))
            speed, minutes = _race(max(shown, 10.0))
            _step_race(after, outcomes[day], person, minutes, speed)
        else:
            if policy is not None:
                actions[day] = require_integer(
                    "action of policy", int(policy(before)[0]), 0, len(person.targets_trimp) - 1
                )
            target = person.targets_trimp[actions[day]]
            kernel.step(
                after,
                outcomes[day],
                person.record,
                0,
                target,
                person.adherence.code,
                person.adherence.tables,
            )
            speed, minutes = _course(
                target, float(outcomes["done_trimp"][day, 0]), individual.physiology.vdot
            )
        if minutes < SHORTEST_MINUTES:
            continue
        distance = _distance(speed, minutes)
        sessions.append(LoggedSession(first + timedelta(days=day), distance, minutes))
        offset = heart_rate_offset(person.record[0], normal(key, day, HEART_RATE))
        runs.append(
            Run(
                day=origin + day + START_OF_SESSIONS,
                speed_m_s=speed[: max(int(60.0 * minutes // GRID_STEP_S), 2)],
                vdot=ability,
                offset_bpm=float(offset),
            )
        )
    workouts = record_runs(runs, individual.physiology, generator, user) if recordings else ()
    return VirtualSeason(
        individual=individual,
        stage=stage,
        start=first,
        history=History(tuple(sessions), workouts),
        actions=actions,
        plans_trimp=np.asarray(person.targets_trimp)[actions],
        races=races,
        states=states[:, 0],
        outcomes=outcomes[:, 0],
    )


def individual_at(season: VirtualSeason, day: int) -> Individual:
    """Return the person whose episodes begin as a season of acquisition was on a morning.

    Args:
        season: The season.
        day: Which morning, from 0 to T.

    Raises:
        ValueError: If the season is not of acquisition, or the day is out of range.
    """
    if season.stage != "acquisition":
        raise ValueError(f"season must be of acquisition, got one of {season.stage}")
    require_integer("day", day, 0, season.days)
    individual = season.individual
    theta, level = individual.acquisition, float(season.base_level[day])
    before = theta.initial_base_level
    return replace(
        individual,
        source=f"{individual.source}, on day {day} of a season",
        acquisition=replace(
            theta,
            initial_base_level=level,
            initial_fitness=float(season.fitness[day]),
            initial_fatigue=float(season.fatigue[day]),
        ),
        motivation=replace(
            individual.motivation,
            reference_completion=completion_from(individual.motivation, before, level),
        ),
    )


def plans_now_and_then(share: float = 0.5, *, first_day: int = 0, seed: int = 0) -> Policy:
    """Return a service that pushes a random plan on a share of the days, from some day on.

    Args:
        share: Share of the days with a plan, in [0, 1].
        first_day: Day, from 0, on which it begins.
        seed: Seed of its choices.
    """
    generator = np.random.default_rng(seed)

    def act(states: NDArray[np.void]) -> NDArray[np.int64]:
        plans = generator.integers(1, 11, size=states.size)
        pushed = (generator.random(states.size) < share) & (states["day"] >= first_day)
        return np.where(pushed, plans, 0).astype(np.int64)

    return act


def _course(target: float, done: float, vdot: float) -> tuple[Array, float]:
    """Return speed (T,) on the grid and minutes of what was done of a plan, or by habit."""
    if done <= 0.0:
        return np.zeros(2), 0.0
    asked = min(target or done, _LARGEST_COURSE_TRIMP)
    course = session_course(plan_segments(asked), vdot)
    ends = np.cumsum(course.points)
    share = min(done / (target or done), 1.0)
    elapsed = np.append(course.elapsed_s, course.duration_s.sum())
    seconds = float(np.interp(share * ends[-1], np.append(0.0, ends), elapsed))
    # The grid is even, while a course's steps are cut where the zone changes.
    at_s = GRID_STEP_S * np.arange(max(int(np.ceil(seconds / GRID_STEP_S)), 2)) + 0.5 * GRID_STEP_S
    step = np.minimum(np.searchsorted(elapsed, at_s, side="right") - 1, course.zone.size - 1)
    return course.speed_m_s[step], seconds / 60.0


def _race(vdot: float) -> tuple[Array, float]:
    """Return speed (T,) on the grid and minutes of a race over 5 km."""
    minutes = race_time(min(vdot, 95.0), RACE_DISTANCE_M)
    steps = int(np.ceil(60.0 * minutes / GRID_STEP_S))
    return np.full(steps, RACE_DISTANCE_M / (60.0 * minutes)), minutes


def _distance(speed_m_s: Array, minutes: float) -> float:
    """Return the metres run in so many minutes at a speed on the grid."""
    ends = GRID_STEP_S * np.arange(len(speed_m_s) + 1)
    metres = np.append(0.0, np.cumsum(speed_m_s) * GRID_STEP_S)
    return float(np.interp(60.0 * minutes, ends, metres))


def _step_race(
    state: NDArray[np.void],
    outcome: NDArray[np.void],
    person: Person,
    minutes: float,
    speed_m_s: Array,
) -> None:
    """Move the person on by a day with a race, which nobody planned."""
    physiology = person.individual.physiology
    points = float(session_points(RACE_DISTANCE_M, minutes, physiology.vdot))
    record = person.record[0]
    offset = heart_rate_offset(record, normal(state["key"][0], int(state["day"][0]), HEART_RATE))
    resting, maximum = physiology.resting_heart_rate, physiology.maximum_heart_rate
    # A race over 5 km is run near the maximum (tests/predictor/test_fitrec2_range.py): what the
    # state remembers of its heart rate is only shown to policies.
    beats = maximum - 5.0
    beats += float(offset_weight(beats, resting, maximum)) * float(offset)
    state["mean_heart_rate"] = beats
    state["internal_load"] = minutes * float(
        load_rates(beats, resting, maximum, physiology.gender == "female")
    )
    nearest = int(nearest_plan(person.adherence.tables.targets_trimp, points))
    remember(state[0], recorded_history(nearest, 1.0))
    move_motivation(state[0], record, False, 0.0)
    kernel.step_with_response(state, outcome, person.record, 0, 0.0, points, False)
