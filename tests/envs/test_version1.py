"""Version 1 of the environments against a re-implementation in plain Python.

The re-implementation was written from docs/model.md alone; it shares with the package only the
courses of the plans, the heart rates of a ``BodyTable`` and the noise generator.
"""

from __future__ import annotations

import bisect
import copy
import dataclasses
import itertools
import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import fitgym  # noqa: F401
from fitgym.adherence.fitrec2 import find_body_table
from fitgym.model.noise import normal, uniform
from fitgym.model.plans import plan_segments, session_course
from fitgym.people.individual import Individual, Physiology, load_individual
from fitgym.people.runners import RunnerPopulation

TOLERANCE_CHANNEL, MOTIVATION_CHANNEL, HABIT_CHANNEL, STRIKE_CHANNEL = 0, 1, 2, 3
START_CHANNEL, HEART_CHANNEL = 5, 10
BONUS = {"acquisition": 0.3, "retention": 0.25}
PENALTY = 0.02
SPREAD_OF_RUNS = 5.29
LOAD_PER_BASE_LEVEL = 5.19
STANDARD_NORMAL = NormalDist()
DAYS = 90


def minutes_and_points(target: float) -> tuple[list[float], list[float]]:
    """Return length and points of a plan's segments: at most a minute, cut at zone edges."""
    course = session_course(plan_segments(target), 41.0)
    minutes: list[float] = []
    points: list[float] = []
    zone = None
    for step in range(len(course.zone)):
        length = float(course.duration_s[step]) / 60.0
        if course.zone[step] != zone or minutes[-1] + length > 1.0 + 1e-9:
            minutes.append(0.0)
            points.append(0.0)
            zone = course.zone[step]
        minutes[-1] += length
        points[-1] += float(course.points[step])
    return minutes, points


def running_sum(numbers: list[float]) -> list[float]:
    total, sums = 0.0, []
    for number in numbers:
        total += number
        sums.append(total)
    return sums


def mixed(first: list[float], second: list[float], share: float) -> list[float]:
    return [(1.0 - share) * a + share * b for a, b in zip(first, second, strict=True)]


def read(corners: list[float], curve: list[float], share: float) -> float:
    """Return a curve, linear between its corners, where a share of the points is done."""
    place = share * corners[-1]
    i = min(bisect.bisect_left(corners, place), len(corners) - 1)
    left, start = (corners[i - 1], curve[i - 1]) if i else (0.0, 0.0)
    return start + (curve[i] - start) * (place - left) / (corners[i] - left)


class Heart:
    """Load and beats of one person's plans at every node, without a lasting offset."""

    def __init__(self, physiology: Physiology, plans: tuple[float, ...]) -> None:
        table = find_body_table(plans, physiology)
        self.bpm: Any = table.heart_rate_bpm
        self.rest = physiology.resting_heart_rate
        self.maximum = physiology.maximum_heart_rate
        women = physiology.gender == "female"
        self.weight, self.exponent = (0.86, 1.67) if women else (0.64, 1.92)
        first, last = (1.4 * physiology.vdot) ** -2, (0.65 * physiology.vdot) ** -2
        self.nodes = [first + node * (last - first) / 5 for node in range(6)]
        self.segments = [minutes_and_points(plan) for plan in plans]
        self.first = [0, *running_sum([float(len(minutes)) for minutes, _ in self.segments])]
        self._curves: dict[tuple[int, int, int], tuple[list[float], list[float]]] = {}
        self._slopes: dict[tuple[int, int], float] = {}

    def rate(self, bpm: float) -> float:
        """Return the internal load of a minute."""
        strain = min(max((bpm - self.rest) / (self.maximum - self.rest), 0.0), 1.0)
        return strain * self.weight * math.exp(self.exponent * strain)

    def offset_weight(self, bpm: float) -> float:
        reserve = self.maximum - self.rest
        return min(max(4.0 * (self.maximum - bpm) / reserve, 0.0), 1.0)

    def heart_rates(self, node: int, row: int, plan: int) -> list[float]:
        part = self.bpm[node, row, int(self.first[plan]) : int(self.first[plan + 1])]
        return [float(bpm) for bpm in part]

    def curves(self, node: int, row: int, plan: int) -> tuple[list[float], list[float]]:
        """Return load and beats of a plan at the end of each segment."""
        if (node, row, plan) not in self._curves:
            minutes = self.segments[plan][0]
            rates = self.heart_rates(node, row, plan)
            loads = [length * self.rate(bpm) for length, bpm in zip(minutes, rates, strict=True)]
            beats = [length * bpm for length, bpm in zip(minutes, rates, strict=True)]
            self._curves[node, row, plan] = running_sum(loads), running_sum(beats)
        return self._curves[node, row, plan]

    def slope(self, node: int, plan: int) -> float:
        """Return by how much the log of a whole plan's load rises with a bpm of offset."""
        if (node, plan) not in self._slopes:
            minutes, rates = self.segments[plan][0], self.heart_rates(node, 0, plan)
            logs = []
            for offset in (-5.0, 5.0):
                load = 0.0
                for length, bpm in zip(minutes, rates, strict=True):
                    load += length * self.rate(bpm + offset * self.offset_weight(bpm))
                logs.append(math.log(load))
            self._slopes[node, plan] = (logs[1] - logs[0]) / 10.0
        return self._slopes[node, plan]

    def between(self, performance: float) -> tuple[int, float]:
        """Return the node below a VDOT's place, and the share of the next one."""
        if performance <= 0.0:
            return 4, 1.0
        place = 5.0 * (performance**-2 - self.nodes[0]) / (self.nodes[-1] - self.nodes[0])
        place = min(max(place, 0.0), 5.0)
        node = min(int(place), 4)
        return node, place - node


@dataclass
class Day:
    """What a day was like."""

    done: float
    completion: float
    met: bool
    reward: float
    performance: float
    heart_rate: float
    load: float
    # By how little rounding could have made another day of it; 1 if by none.
    margin: float


class Episode:
    """One episode of one person, from docs/model.md."""

    def __init__(self, person: Individual, stage: str, key: Any, heart: Heart) -> None:
        self.person, self.stage, self.key, self.heart = person, stage, key, heart
        self.theta = person.stage(stage)
        self.plans = person.plans_trimp
        self.day = 0
        self.base = self.theta.initial_base_level
        self.fitness = self.theta.initial_fitness
        self.fatigue = self.theta.initial_fatigue
        self.motivation = person.motivation.initial_motivation_sd * normal(key, 0, START_CHANNEL)
        # Plan and entry of (fifth, half, whole) of the last session, and the days since.
        self.last: tuple[int, int] | None = None
        self.days_since = 0

    def row(self) -> int:
        if self.last is None:
            return 0
        plan, done = self.last
        return 1 + (plan * 3 + done) * 2 + (0 if self.days_since == 1 else 1)

    def tolerated(self) -> float:
        theta, traits = self.theta, self.person.motivation
        quantile = STANDARD_NORMAL.inv_cdf
        shift = quantile(traits.reference_completion) - quantile(0.55)
        log_c = math.log(LOAD_PER_BASE_LEVEL * theta.initial_base_level)
        log_c += traits.tolerance_sd * shift
        log_c += traits.base_level_effect * math.log(self.base / theta.initial_base_level)
        form = max(theta.baseline_performance + theta.fitness_utility * self.fitness, 1.0)
        log_c -= traits.fatigue_effect * theta.fatigue_utility * self.fatigue / form
        log_c += self.motivation
        log_c += traits.tolerance_sd * normal(self.key, self.day, TOLERANCE_CHANNEL)
        return math.exp(log_c)

    def offset(self) -> float:
        quarter = (self.heart.maximum - self.heart.rest) / 4.0
        lasting = self.person.physiology.heart_rate_offset
        today = lasting + SPREAD_OF_RUNS * normal(self.key, self.day, HEART_CHANNEL)
        return min(max(today, -quarter), quarter)

    def performance(self) -> float:
        theta = self.theta
        gain = theta.fitness_utility * self.fitness - theta.fatigue_utility * self.fatigue
        return theta.baseline_performance + gain

    def nearest(self, points: float) -> int:
        distances = [abs(plan - points) for plan in self.plans]
        return distances.index(min(distances))

    def session(self, target: float, tolerated: float) -> tuple[float, float, float, float]:
        """Return completion, mean heart rate, load, and by how little the plan was (not) done."""
        heart = self.heart
        node, share = heart.between(self.performance())
        row = self.row()
        nearest = self.nearest(target)
        slope = mixed([heart.slope(node, nearest)], [heart.slope(node + 1, nearest)], share)[0]
        offset = self.offset()
        limit = tolerated * math.exp(-slope * offset)
        plans = self.neighbours(target)
        curves = []
        for plan, weight in plans:
            below, above = heart.curves(node, row, plan), heart.curves(node + 1, row, plan)
            loads, beats = (mixed(*pair, share) for pair in zip(below, above, strict=True))
            minutes, points = (running_sum(part) for part in heart.segments[plan])
            curves.append((weight, points, loads, minutes, beats))
        # Between two corners of any of the curves everything is linear in the share done.
        shares = {point / points[-1] for _, points, *_ in curves for point in points}
        load = time = heard = reached = 0.0
        whole = sum(weight * loads[-1] for weight, _, loads, *_ in curves)
        for corner in sorted(shares):
            next_load, next_time, next_heard = (
                sum(curve[0] * read(curve[1], curve[which], corner) for curve in curves)
                for which in (2, 3, 4)
            )
            part = 1.0 if next_load <= limit else (limit - load) / (next_load - load)
            load += part * (next_load - load)
            time += part * (next_time - time)
            heard += part * (next_heard - heard)
            reached += part * (corner - reached)
            if part < 1.0:
                break
        completion = 1.0 if whole <= limit else reached
        mean = heard / time if time else 0.0
        mean += heart.offset_weight(mean) * offset
        margin = abs(1.0 - whole / limit)
        return completion, mean, load * math.exp(slope * offset), margin

    def neighbours(self, target: float) -> list[tuple[int, float]]:
        """Return the plans whose curves make that of a target, and their weights."""
        if target in self.plans:
            return [(self.plans.index(target), 1.0)]
        if target < self.plans[0]:
            return [(0, target / self.plans[0])]
        after = next(plan for plan, points in enumerate(self.plans) if points > target)
        gap = self.plans[after] - self.plans[after - 1]
        share = (target - self.plans[after - 1]) / gap
        return [(after - 1, 1.0 - share), (after, share)]

    def habit_points(self) -> float:
        habit = self.person.habit
        log = [points for points in self.person.sessions_trimp if points > 0.0]
        if log:
            return log[int(uniform(self.key, self.day, HABIT_CHANNEL) * len(log))]
        drawn = habit.log_sd * normal(self.key, self.day, HABIT_CHANNEL)
        return min(habit.median_trimp * math.exp(drawn), habit.maximum_trimp)

    def step(self, target: float) -> Day:
        theta, traits, habit = self.theta, self.person.motivation, self.person.habit
        margin = 1.0
        completion = heart_rate = load = done = 0.0
        trained: tuple[int, int] | None = None
        if target > 0.0:
            completion, heart_rate, load, margin = self.session(target, self.tolerated())
            done = completion * target
            tenths = math.floor(10.0 * completion + 0.5)
            margin = min(margin, abs(10.0 * completion - 0.5 - round(10.0 * completion - 0.5)))
            if tenths > 0:
                entry = 0 if tenths <= 3 else 1 if tenths <= 6 else 2
                trained = self.nearest(target), entry
        else:
            logit = math.log(habit.probability / (1.0 - habit.probability)) + self.motivation
            if uniform(self.key, self.day, STRIKE_CHANNEL) < 1.0 / (1.0 + math.exp(-logit)):
                done = self.habit_points()
                _, heart_rate, load, _ = self.session(self.plans[self.nearest(done)], math.inf)
                trained = self.nearest(done), 2
        met = target > 0.0 and completion == 1.0
        self.motivation *= traits.persistence
        if target > 0.0:
            self.motivation += traits.success_effect * met
            self.motivation -= traits.failure_effect * (1.0 - completion)
        self.motivation += traits.motivation_sd * normal(self.key, self.day, MOTIVATION_CHANNEL)
        self.train(done)
        if trained is not None:
            self.last, self.days_since = trained, 0
        self.days_since += 1
        self.day += 1
        performance = self.performance()
        reward = performance - theta.baseline_performance
        if target > 0.0:
            reward += BONUS[self.stage] * met - PENALTY * max(target - done, 0.0)
        self.base = max(theta.base_decay * max(self.base, done), 1.0)
        return Day(done, completion, met, reward, performance, heart_rate, load, margin)

    def train(self, done: float) -> None:
        """Add a session's points to the stocks."""
        theta = self.theta
        scale = self.base**theta.base_scaling
        gain = scale * (done / self.base) ** theta.fitness_exponent
        cost = scale * (done / self.base) ** theta.fatigue_exponent
        kept, left = math.exp(-theta.fitness_decay), math.exp(-theta.fatigue_decay)
        if self.stage == "acquisition":
            self.fitness = kept * self.fitness + gain
            self.fatigue = left * self.fatigue + cost
        else:
            unit = theta.initial_base_level**theta.base_scaling
            self.fitness = (unit + self.fitness) ** kept * (unit + gain) ** (1.0 - kept) - unit
            self.fatigue = (unit + self.fatigue) ** left * (unit + cost) ** (1.0 - left) - unit


# Loads are kept in single precision, 6e-8 of a number; stocks add a season of it up.
ROUNDING = 2e-6
SHIPPED = ("novice-runner", "club-runner", "competitive-runner", "logged-runner")
# What must have happened for the comparison to mean something.
HAPPENED = {
    "completed",
    "stopped",
    "hardly begun",
    "to a fifth",
    "to a half",
    "nearly done",
    "habit struck",
    "rested",
    "first session",
    "after a day",
    "after days",
    "fitter than the nodes",
    "less fit than the nodes",
    "offset cut",
    "maximum heart rate",
    "base level rose",
}


def unusual_people() -> list[Individual]:
    """Return people who lead to the ends of every range."""
    club = load_individual("club-runner")

    def person(
        heart: dict[str, Any], habit: dict[str, Any], motivation: dict[str, Any], **theta: float
    ) -> Individual:
        return dataclasses.replace(
            club,
            acquisition=dataclasses.replace(club.acquisition, **theta),
            retention=dataclasses.replace(club.retention, **theta),
            physiology=dataclasses.replace(club.physiology, **heart),
            habit=dataclasses.replace(club.habit, **habit),
            motivation=dataclasses.replace(club.motivation, **motivation),
        )

    # Half way between two plans, where both are as near in floating point.
    tie = next(
        0.5 * (easier + harder)
        for easier, harder in itertools.pairwise(club.plans_trimp)
        if 0.5 * (easier + harder) - easier == harder - 0.5 * (easier + harder)
    )
    return [
        person(
            {"heart_rate_offset": 40.0},
            {"probability": 0.9, "median_trimp": 1.2 * tie, "maximum_trimp": tie},
            {"reference_completion": 0.9, "tolerance_sd": 0.6},
            baseline_performance=80.0,
            base_scaling=0.5,
            base_decay=0.9,
        ),
        person(
            {"heart_rate_offset": -40.0},
            {"probability": 0.2},
            {"tolerance_sd": 1.5, "reference_completion": 0.2, "fatigue_effect": 0.5},
            baseline_performance=10.0,
            base_scaling=0.0,
            base_decay=0.5,
            initial_base_level=1.5,
        ),
    ]


def hearts_of(people: dict[Physiology, Heart], person: Individual) -> Heart:
    """Return a person's heart, whose lasting offset is not in its table."""
    physiology = dataclasses.replace(person.physiology, heart_rate_offset=0.0)
    if physiology not in people:
        people[physiology] = Heart(physiology, person.plans_trimp)
    return people[physiology]


@pytest.fixture(scope="module")
def hearts() -> dict[Physiology, Heart]:
    return {}


def events(before: Episode, day: Day, target: float, offset: float) -> set[str]:
    """Return what happened on a day, of ``HAPPENED``."""
    found = set()
    if target > 0.0:
        tenths = 10.0 * day.completion
        found.add("completed" if day.met else "stopped")
        found.add(
            "hardly begun"
            if tenths < 0.5
            else "to a fifth"
            if tenths < 3.5
            else "to a half"
            if tenths < 6.5
            else "nearly done"
        )
        found.add(
            "first session"
            if before.last is None
            else "after a day"
            if before.days_since == 1
            else "after days"
        )
        place = before.performance() / before.person.physiology.vdot
        if place > 1.4:
            found.add("fitter than the nodes")
        if place < 0.65:
            found.add("less fit than the nodes")
        heart = before.heart
        if abs(offset) == (heart.maximum - heart.rest) / 4.0:
            found.add("offset cut")
        if day.heart_rate > 0.95 * heart.maximum:
            found.add("maximum heart rate")
    else:
        found.add("habit struck" if day.done > 0.0 else "rested")
    if day.done > before.base:
        found.add("base level rose")
    return found


def compare_episode(
    env: Any, stage: str, seed: int, person: Individual | None, hearts: dict[Physiology, Heart]
) -> tuple[int, set[str]]:
    """Compare one episode of random actions; return the days compared and what happened."""
    _, info = env.reset(seed=seed)
    generator = np.random.Generator(np.random.PCG64(seed))
    key = generator.integers(0, 2**64, dtype=np.uint64)
    if person is None:
        person = RunnerPopulation().draw(generator)
        assert person == env.individual
    episode = Episode(person, stage, key, hearts_of(hearts, person))
    assert info["motivation"] == pytest.approx(episode.motivation, rel=1e-12)
    actions = np.random.default_rng(seed)
    happened: set[str] = set()
    for number in range(env.task.days):
        if env.task.continuous:
            action: Any = actions.uniform(-1.0, 1.0, 1)
            target = 0.5 * (float(action[0]) + 1.0) * person.plans_trimp[-1]
            target = target if target >= 0.5 * person.plans_trimp[0] else 0.0
        else:
            action = int(actions.integers(11))
            target = (0.0, *person.plans_trimp)[action]
        before = copy.copy(episode)
        day = episode.step(target)
        _, reward, terminated, _, info = env.step(action)
        if day.margin < ROUNDING:
            # Rounding decides what this day was, so what follows may differ.
            return number, happened
        happened |= events(before, day, target, before.offset())
        mine = {
            "done_trimp": day.done,
            "completion": day.completion,
            "met": day.met,
            "mean_heart_rate": day.heart_rate,
            "internal_load": day.load,
            "base_level": episode.base,
            "fitness": episode.fitness,
            "fatigue": episode.fatigue,
            "performance": day.performance,
            "motivation": episode.motivation,
        }
        for name, value in mine.items():
            assert info[name] == pytest.approx(value, rel=ROUNDING, abs=ROUNDING), (number, name)
        assert reward == pytest.approx(day.reward, rel=ROUNDING, abs=ROUNDING), number
        assert terminated == (number == env.task.days - 1)
    return env.task.days, happened


@pytest.mark.parametrize("continuous", [False, True])
@pytest.mark.parametrize("stage", ["acquisition", "retention"])
def test_episodes_equal_those_of_the_plain_reimplementation(
    stage: str, continuous: bool, hearts: dict[Physiology, Heart]
) -> None:
    # 125 episodes for each stage and kind of action, a quarter of them of whole seasons.
    cases: list[tuple[Any, int]] = [(name, 16) for name in SHIPPED]
    cases += [(person, 8) for person in unusual_people()]
    cases += [("population", 45)]
    assert sum(episodes for _, episodes in cases) == 125
    happened: set[str] = set()
    compared = asked = 0
    for number, (who, episodes) in enumerate(cases):
        person = None if who == "population" else load_individual(who)
        for days, share in ((90, 0.25), (30, 0.75)):
            kind = "Continuous" if continuous else ""
            name = f"fitgym/{stage.capitalize()}{kind}-v1"
            env = gym.make(name, individual=who, days=days).unwrapped
            first = round(episodes * (days == 30) * 0.25)
            for episode in range(first, first + round(episodes * share)):
                seed = 1000 * number + episode
                count, seen = compare_episode(env, stage, seed, person, hearts)
                compared, asked, happened = compared + count, asked + days, happened | seen
    assert compared > 0.99 * asked
    assert happened == HAPPENED
