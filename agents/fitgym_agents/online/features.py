"""What the bandits are linear in: the state of a person, and what an action asks of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fitgym_agents.online.agent import Observations, Outcomes, Profiles

Floats = NDArray[np.float64]

BASELINE = 5
EFFECTS = 5
# Days over which the completion of plans is averaged, and what it is before there was one; ours.
_MEMORY_DAYS = 5.0
_FIRST_COMPLETION = 0.5


class Features:
    """Features of people from what has come in of them, relative to what they joined with.

    The baseline is linear in 1, ``F / F_0``, ``G / G_0``, ``ln(B / B_0)`` and the days that are
    left; the effect of an action in whether there is a plan, in its share ``a`` of the hardest, in
    ``a^2``, and in ``a`` times the mean completion of recent plans and times ``G / G_0``.
    """

    def __init__(self, people: int) -> None:
        """Make room for so many people."""
        self._start = np.ones((people, 3))
        self._shares = np.zeros((people, 11))
        self._completion = np.full(people, _FIRST_COMPLETION)

    def join(self, profiles: Profiles) -> None:
        """Note what people join with."""
        base_level = profiles.observation[:, 1:2].astype(np.float64)
        stocks = np.maximum(profiles.observation[:, 2:4], base_level)
        self._start[profiles.person] = np.hstack([base_level, stocks])
        self._shares[profiles.person] = profiles.plans_trimp / profiles.plans_trimp[:, -1:]

    def observe(self, outcomes: Outcomes) -> None:
        """Note how much of their plans people did, in the order of their days."""
        for day in np.unique(outcomes.day):
            one = outcomes.rows((outcomes.day == day) & (outcomes.action > 0))
            self._completion[one.person] += (
                one.completion - self._completion[one.person]
            ) / _MEMORY_DAYS

    def of(self, observations: Observations) -> tuple[Floats, Floats]:
        """Return the baseline's features (n, ``BASELINE``), and each action's (n, 11, ``EFFECTS``).

        Those of no plan are 0.
        """
        person = observations.person
        values = observations.values.astype(np.float64)
        start = self._start[person]
        level = np.log(values[:, 1] / start[:, 0])
        fitness, fatigue = (values[:, 2:4] / start[:, 1:]).T
        ones = np.ones(person.size)
        baseline = np.stack([ones, fitness - 1.0, fatigue - 1.0, level, values[:, 5]], axis=1)
        share = self._shares[person]
        effects = np.stack(
            [
                (share > 0.0).astype(np.float64),
                share,
                share**2,
                share * self._completion[person][:, None],
                share * (fatigue - 1.0)[:, None],
            ],
            axis=2,
        )
        return baseline, effects
