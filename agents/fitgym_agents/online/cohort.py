"""A cohort: people join over weeks, live one season each, and are served by an agent that learns.

All agents meet the same people on the same days with the same noise, and the same days on which
somebody cannot be pushed, data come late or never, and an update fails.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from fitgym.common.validation import (
    require_choice,
    require_integer,
    require_number,
    require_seed,
)
from fitgym.envs.task import OBSERVATIONS, Task
from fitgym.people.individual import Individual
from fitgym_agents.environments import EnvironmentFactory, make_vector_env
from fitgym_agents.online.agent import (
    Observations,
    OnlineAgent,
    Outcomes,
    Profiles,
    Service,
    clip_probabilities,
    draw_actions,
)

Floats = NDArray[np.float64]

RHYTHMS = {"nightly": 1, "weekly": 7}
_DAYS_PER_WEEK = 7
# Whoever has not been heard of for longer gets the fallback's plan; ours.
_PATIENCE_DAYS = 3
# The fallback is an easy plan that nearly everybody completes; ours.
_FALLBACK_PLAN = 2

# What an agent may be shown of a morning; both begin with the six numbers of the state.
_OBSERVATIONS = ("state", "person")

# What a day brings, by the name of the environment's info.
_FACTS = (
    "completion",
    "done_trimp",
    "performance",
    "mean_heart_rate",
    "internal_load",
)


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """Who is served, and how well the service runs.

    Attributes:
        env_id: Registered id.
        people: How many, N. Person ``i`` lives the season of ``reset(seed=seed + i)``.
        days: Length of a season, T.
        join_weeks: In how many weeks people join, as many in each.
        rhythm: When agents are updated: one of ``RHYTHMS``.
        availability: Probability that somebody can be pushed on a day, in (0, 1].
        late: Probability that a night's data do not come in; they come with the next that do.
        missing: Probability that a day's data never come.
        outage: Probability that an update that is due fails; the next one makes up for it.
        exploration: Share of the probability that is spread evenly at least, see
            ``clip_probabilities``.
        env_kwargs: Further arguments of the environment.
        seed: Of people, their days and the service's mishaps.
    """

    env_id: str = "fitgym/Acquisition-v1"
    people: int = 100
    days: int = 90
    join_weeks: int = 4
    rhythm: str = "nightly"
    availability: float = 0.95
    late: float = 0.1
    missing: float = 0.02
    outage: float = 0.02
    exploration: float = 0.2
    env_kwargs: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0

    def __post_init__(self) -> None:
        """Check every field."""
        require_integer("people", self.people, 1)
        require_integer("days", self.days, 1, 3650)
        require_integer("join_weeks", self.join_weeks, 1, self.people)
        require_choice("rhythm", self.rhythm, RHYTHMS)
        require_number("availability", self.availability, 0.0, 1.0, low_open=True)
        for name in ("late", "missing", "outage"):
            require_number(name, getattr(self, name), 0.0, 1.0, high_open=True)
        require_number("exploration", self.exploration, 0.0, 1.0)
        require_seed("seed", self.seed)

    @property
    def joined(self) -> NDArray[np.int64]:
        """Day of the calendar on which each person joins, (N,)."""
        return _DAYS_PER_WEEK * (np.arange(self.people) * self.join_weeks // self.people)

    @property
    def arguments(self) -> dict[str, Any]:
        """Arguments of the environment."""
        return {**self.env_kwargs, "days": self.days}

    def available(self) -> NDArray[np.bool_]:
        """Return whether each person can be pushed on each day, (N, T)."""
        draws = np.random.default_rng([self.seed, 11])
        return draws.random((self.people, self.days)) < self.availability

    def arrivals(self) -> NDArray[np.int64]:
        """Return on which day of the season the data of each day come in, (N, T); -1 for never.

        Whatever is still to come comes on the last day.
        """
        draws = np.random.default_rng([self.seed, 12])
        fails = draws.random((self.people, self.days)) < self.late
        fails[:, -1] = False
        lost = draws.random((self.people, self.days)) < self.missing
        come = np.where(fails, self.days, np.arange(self.days))
        arrivals = np.minimum.accumulate(come[:, ::-1], axis=1)[:, ::-1]
        return np.where(lost, -1, arrivals)


@dataclass(frozen=True, eq=False)
class CohortLog:
    """What happened to a cohort; arrays of shape (N, T) unless said otherwise.

    Attributes:
        cohort: Who was served, and how.
        agent: Name of the agent.
        task: The environment's arguments, all but the individual.
        individuals: Who lived, N of them.
        available: Whether the person could be pushed.
        decided: Whether the agent decided; where it did not although the person was available, the
            fallback did.
        action: Plan pushed, 0 for none.
        probabilities: Those the action was drawn with, (N, T, 11).
        reward: The environment's.
        completion: Share of the plan done.
        done_trimp: Points done.
        performance: VDOT after the day.
        mean_heart_rate: Of the session, bpm; 0 without one.
        internal_load: Of the session; 0 without one.
        arrival: On which day of the season the data came in; -1 for never.
        updates_due: How many updates of the agent were due.
        updates_run: How many of them ran.
        seconds: Wall time of the agent, of all people and days.
    """

    cohort: Cohort
    agent: str
    task: Task
    individuals: tuple[Individual, ...]
    available: NDArray[np.bool_]
    decided: NDArray[np.bool_]
    action: NDArray[np.int64]
    probabilities: Floats
    reward: Floats
    completion: Floats
    done_trimp: Floats
    performance: Floats
    mean_heart_rate: Floats
    internal_load: Floats
    arrival: NDArray[np.int64]
    updates_due: int
    updates_run: int
    seconds: float

    @property
    def returns(self) -> Floats:
        """Undiscounted return of each person's season, (N,)."""
        return np.asarray(self.reward.sum(axis=1))

    def fidelity(self) -> dict[str, float]:
        """Return how far the service did as it should, as shares.

        ``probabilities kept`` is the share of decisions, those of the fallback too, whose
        probabilities stand in the log as a distribution in which every action allowed has at least
        the promised floor; ``updates on time`` that of updates which ran when they were due;
        ``fallback`` that of decisions which were the fallback's; ``data on time`` and ``data
        missing`` those of days whose data came in the same night, and never.
        """
        allowed = self.task.action_mask().astype(np.bool_)
        floor = self.cohort.exploration / np.count_nonzero(allowed)
        logged = self.probabilities[self.available]
        kept = (
            (np.abs(logged.sum(axis=1) - 1.0) < 1e-9)
            & (logged[:, allowed] >= floor - 1e-9).all(axis=1)
            & (np.take_along_axis(logged, self.action[self.available][:, None], 1)[:, 0] > 0.0)
        )
        return {
            "probabilities kept": float(kept.mean()),
            "updates on time": self.updates_run / max(self.updates_due, 1),
            "fallback": float(1.0 - self.decided[self.available].mean()),
            "data on time": float((self.arrival == np.arange(self.cohort.days)).mean()),
            "data missing": float((self.arrival < 0).mean()),
        }


def run_cohort(agent: OnlineAgent, cohort: Cohort) -> CohortLog:
    """Let an agent serve a cohort.

    Args:
        agent: Started anew.
        cohort: Who is served, and how.

    Raises:
        ValueError: If the environment cannot be made so, or observes otherwise than ``"state"``, or
            the agent's observation or probabilities are wrong.
    """
    return _Run(agent, cohort).log()


class _Run:
    """One run of an agent: the environments, what has come in, and what is logged."""

    def __init__(self, agent: OnlineAgent, cohort: Cohort) -> None:
        self.agent, self.cohort = agent, cohort
        people, days = cohort.people, cohort.days
        self.joined = cohort.joined
        self.task = _task_of(cohort)
        self.allowed = self.task.action_mask().astype(np.bool_)
        self.available, self.arrival = cohort.available(), cohort.arrivals()
        self.decided = np.zeros((people, days), dtype=np.bool_)
        self.action = np.zeros((people, days), dtype=np.int64)
        self.probabilities = np.zeros((people, days, self.allowed.size))
        self.reward = np.zeros((people, days))
        self.facts = {name: np.zeros((people, days)) for name in _FACTS}
        # The morning that is known of each person, by its day.
        self.known = np.zeros(people, dtype=np.int64)
        self.fallback = np.zeros((1, self.allowed.size))
        plan = _FALLBACK_PLAN if self.allowed[_FALLBACK_PLAN] else int(self.allowed.argmax())
        self.fallback[0, plan] = 1.0
        self.draws = np.random.default_rng([cohort.seed, 13])
        self.mishaps = np.random.default_rng([cohort.seed, 14])
        self.individuals: list[Individual] = []
        self.seconds = 0.0
        self.due = self.run = 0
        self.environments: dict[int, Any] = {}

    def log(self) -> CohortLog:
        """Live through the calendar, and return the log."""
        cohort, agent = self.cohort, self.agent
        agent.begin(
            Service(
                env_id=cohort.env_id,
                task=self.task,
                people=cohort.people,
                allowed=self.allowed,
                exploration=cohort.exploration,
                seed=cohort.seed,
            )
        )
        if agent.observation not in _OBSERVATIONS:
            raise ValueError(
                f"observation of agent {agent.name!r} must be one of {', '.join(_OBSERVATIONS)}, "
                f"got {agent.observation!r}"
            )
        _, width = OBSERVATIONS[agent.observation]
        self.observation = np.zeros((cohort.people, cohort.days + 1, width), dtype=np.float32)
        waves = sorted(set(self.joined.tolist()))
        every = RHYTHMS[cohort.rhythm]
        for today in range(waves[-1] + cohort.days):
            active = [wave for wave in waves if 0 <= today - wave < cohort.days]
            for wave in active:
                if wave == today:
                    self._join(wave)
            # Short seasons may end before the next people join.
            if active:
                self._decide(today, active)
                for wave in active:
                    self._live(wave, today - wave)
                self._deliver(today, active)
            if (today + 1) % every == 0:
                self.due += 1
                if self.mishaps.random() >= cohort.outage:
                    self.run += 1
                    self._timed(agent.update)
        for environments in self.environments.values():
            environments.close()
        return CohortLog(
            cohort=cohort,
            agent=agent.name,
            task=self.task,
            individuals=tuple(self.individuals),
            available=self.available,
            decided=self.decided,
            action=self.action,
            probabilities=self.probabilities,
            reward=self.reward,
            arrival=self.arrival,
            updates_due=self.due,
            updates_run=self.run,
            seconds=self.seconds,
            **self.facts,
        )

    def _timed(self, call: Any, *arguments: Any) -> Any:
        started = time.perf_counter()
        result = call(*arguments)
        self.seconds += time.perf_counter() - started
        return result

    def _members(self, wave: int) -> NDArray[np.int64]:
        return np.flatnonzero(self.joined == wave)

    def _join(self, wave: int) -> None:
        """Let the people of a wave begin their seasons."""
        members = self._members(wave)
        arguments = {**self.cohort.arguments, "observation": self.agent.observation}
        environments: Any = make_vector_env(
            self.cohort.env_id, members.size, arguments, AutoresetMode.DISABLED
        )
        seeds = [self.cohort.seed + person for person in members.tolist()]
        observation, info = environments.reset(seed=seeds)
        self.environments[wave] = environments
        self.observation[members, 0] = observation
        people = environments.unwrapped.individuals
        self.individuals += people
        hearts = [one.physiology for one in people]
        self._timed(
            self.agent.join,
            Profiles(
                person=members,
                vdot=np.array([one.vdot for one in hearts]),
                performance=np.array(info["performance"]),
                resting_heart_rate=np.array([one.resting_heart_rate for one in hearts]),
                maximum_heart_rate=np.array([one.maximum_heart_rate for one in hearts]),
                plans_trimp=np.array([(0.0, *one.plans_trimp) for one in people]),
                observation=observation.copy(),
            ),
        )

    def _decide(self, today: int, active: list[int]) -> None:
        """Choose today's plan of every person."""
        person = np.concatenate([self._members(wave) for wave in active])
        day = today - self.joined[person]
        age = day - self.known[person]
        reachable = self.available[person, day]
        fresh = age <= _PATIENCE_DAYS
        # Who cannot be pushed has no plan for certain.
        self.probabilities[person[~reachable], day[~reachable], 0] = 1.0
        asked = reachable & fresh
        if asked.any():
            who, when = person[asked], day[asked]
            observations = Observations(
                person=who,
                day=when,
                values=self.observation[who, self.known[who]],
                age=age[asked],
            )
            actions, probabilities = self._timed(self.agent.act, observations)
            self._require_promise(actions, probabilities)
            self.action[who, when] = actions
            self.probabilities[who, when] = probabilities
            self.decided[who, when] = True
        left = reachable & ~fresh
        who, when = person[left], day[left]
        clipped = clip_probabilities(self.fallback, self.allowed, self.cohort.exploration)
        probabilities = np.repeat(clipped, who.size, axis=0)
        self.action[who, when] = draw_actions(probabilities, self.draws)
        self.probabilities[who, when] = probabilities

    def _require_promise(self, actions: NDArray[np.int64], probabilities: Floats) -> None:
        floor = self.cohort.exploration / np.count_nonzero(self.allowed)
        least = float(probabilities[:, self.allowed].min())
        if abs(probabilities.sum(axis=1) - 1.0).max() > 1e-9 or least < floor - 1e-9:
            raise ValueError(
                f"probabilities of agent {self.agent.name!r} must add up to 1 and be at least "
                f"{floor:.4f} for each allowed action, got one of {least:.4f}: act must clip them"
            )
        if (np.take_along_axis(probabilities, actions[:, None], axis=1) <= 0.0).any():
            raise ValueError(
                f"agent {self.agent.name!r} must choose actions of more than zero probability"
            )

    def _live(self, wave: int, day: int) -> None:
        """Let a wave live its day."""
        members = self._members(wave)
        observation, reward, _, _, info = self.environments[wave].step(self.action[members, day])
        self.observation[members, day + 1] = observation
        self.reward[members, day] = reward
        for name, values in self.facts.items():
            values[members, day] = info[name]

    def _deliver(self, today: int, active: list[int]) -> None:
        """Hand the agent what comes in tonight."""
        persons, days = [], []
        for wave in active:
            members, now = self._members(wave), today - wave
            come, day = np.nonzero(self.arrival[members, : now + 1] == now)
            persons.append(members[come])
            days.append(day)
        person, day = np.concatenate(persons), np.concatenate(days)
        if person.size == 0:
            return
        np.maximum.at(self.known, person, day + 1)
        at = (person, day)
        outcomes = Outcomes(
            person=person,
            day=day,
            decided=self.decided[at],
            action=self.action[at],
            probabilities=self.probabilities[at],
            reward=self.reward[at],
            before=self.observation[at],
            after=self.observation[person, day + 1],
            **{name: values[at] for name, values in self.facts.items()},
        )
        self._timed(self.agent.observe, outcomes)


def _task_of(cohort: Cohort) -> Task:
    environment: Any = EnvironmentFactory(cohort.env_id, cohort.arguments)().unwrapped
    task: Task = environment.task
    if task.observation != "state" or not isinstance(environment.action_space, gym.spaces.Discrete):
        raise ValueError(
            "the single-life track needs observation='state' and ten plans, got "
            f"observation={task.observation!r} and {environment.action_space}"
        )
    if "mean_heart_rate" not in environment.reset(seed=0)[1]:
        raise ValueError(
            f"the single-life track needs FitRec adherence, got {asdict(task)['adherence']!r}"
        )
    return task
