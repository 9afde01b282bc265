"""The model-based agent: it weighs who somebody is among solved people, and plans with them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fitgym.adherence.response import nearest_plan, recorded_history
from fitgym.common.validation import require_choice, require_integer
from fitgym.envs.records import STATE
from fitgym.envs.task import Task
from fitgym.planning.library import Library, LibraryFilter, solved_library
from fitgym.planning.observed import OBSERVED_FIELDS, observed_stocks
from fitgym_agents.online.agent import Observations, OnlineAgent, Outcomes, Profiles, Service

Floats = NDArray[np.float64]

PLANNING = ("mean", "sampling")


class ModelBased(OnlineAgent):
    """Plans on the solved seasons of people of a library that resemble the person.

    It knows the population's distribution and the model, and of the person served what comes in.
    With ``planning="mean"`` it takes the plan with the best value on average over the likeliest
    people, with ``"sampling"`` the best plan of one of them as often as that one is likely.
    """

    name = "model-based"

    def __init__(
        self, library: int = 48, planning: str = "mean", most: int = 4, library_seed: int = 0
    ) -> None:
        """Choose the library.

        Args:
            library: How many people it has, from 2.
            planning: One of ``PLANNING``.
            most: How many of them count for a person served.
            library_seed: Of its people.

        Raises:
            ValueError: If an argument is out of range.
        """
        self.size = require_integer("library", library, 2)
        self.planning = require_choice("planning", planning, PLANNING)
        self.most = require_integer("most", most, 1)
        self.library_seed = require_integer("library_seed", library_seed, 0)
        self._solved: tuple[Task, Library] | None = None

    def begin(self, service: Service) -> None:
        """Solve the library, or read it from the cache; nobody is known yet."""
        super().begin(service)
        if self._solved is None or self._solved[0] != service.task:
            library = solved_library(service.task, self.size, self.library_seed, progress=True)
            self._solved = (service.task, library)
        library = self._solved[1]
        self._filter = LibraryFilter(library, service.people)
        self._targets = np.array(library.plans_trimp)
        # What is known of each person: the state on the morning that data last told of.
        self._states = np.zeros(service.people, dtype=STATE)
        self._performance = np.zeros(service.people)
        self._waiting: list[Outcomes] = []

    def join(self, profiles: Profiles) -> None:
        """Weigh the library by what people join with.

        Raises:
            ValueError: If somebody's plans are not those of the library.
        """
        if not (profiles.plans_trimp[:, 1:] == self._targets).all():
            raise ValueError(
                f"agent {self.name!r} needs people with the population's plans "
                f"{self._targets.tolist()}"
            )
        person = profiles.person
        self._states[person] = observed_stocks(profiles.observation)
        self._states["days_since"][person] = 1
        self._performance[person] = profiles.performance
        base_level = self._states["base_level"][person]
        self._filter.join(person, base_level, profiles.performance)

    def observe(self, outcomes: Outcomes) -> None:
        """Keep what came in until the next update."""
        self._waiting.append(outcomes)

    def update(self) -> None:
        """Weigh the library by the days that came in, in their order."""
        for outcomes in self._waiting:
            for day in np.unique(outcomes.day):
                self._live(outcomes.rows(outcomes.day == day), int(day))
        self._waiting = []

    def probabilities(self, observations: Observations) -> Floats:
        """Return 1 for the best plan, or how often it is the best."""
        person = observations.person
        states = self._states[person].copy()
        seen = observed_stocks(observations.values)
        for name in OBSERVED_FIELDS:
            states[name] = seen[name]
        states["day"] = observations.day
        values, weights = self._filter.plan_values(person, states, self.most)
        values[:, :, ~self.service.allowed] = -np.inf
        actions = np.eye(self.service.allowed.size)
        if self.planning == "mean":
            return np.asarray(actions[np.einsum("nla,nl->na", values, weights).argmax(axis=1)])
        return np.asarray(np.einsum("nla,nl->na", actions[values.argmax(axis=2)], weights))

    def _live(self, outcomes: Outcomes, day: int) -> None:
        """Take in one day of some people."""
        person = outcomes.person
        gain = outcomes.performance - self._performance[person]
        # After days that never came in, it is not the gain of this day alone.
        gain[self._states["day"][person] < day] = np.nan
        while (behind := person[self._states["day"][person] < day]).size:
            self._filter.skip(behind)
            self._states["day"][behind] += 1
            self._states["days_since"][behind] += 1
        old = self._states[person]
        before, after = observed_stocks(outcomes.before), observed_stocks(outcomes.after)
        for name in ("history", "days_since", "day"):
            before[name] = after[name] = old[name]
        after["internal_load"] = outcomes.internal_load
        after["mean_heart_rate"] = outcomes.mean_heart_rate
        self._filter.observe(person, before, after, gain)
        for index in range(person.size):
            points, asked = outcomes.done_trimp[index], after["plan_trimp"][index]
            history = 0
            if points > 0.0:
                asked = asked if asked > 0.0 else points
                plan = int(nearest_plan(self._targets, asked))
                history = int(recorded_history(plan, min(points / asked, 1.0)))
            if history:
                after["history"][index], after["days_since"][index] = history, 1
            else:
                after["days_since"][index] += 1
        after["day"] = day + 1
        self._states[person] = after
        self._performance[person] = outcomes.performance
