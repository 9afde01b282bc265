"""A virtual person whose truth is known, with and without a service."""

from __future__ import annotations

import numpy as np
import pytest
from histories import START

from fitgym.people.individual import Individual
from fitgym.people.runners import RunnerPopulation
from fitgym.profile import PushedPlans
from fitgym.virtual.season import VirtualSeason, plans_now_and_then, simulate_history


@pytest.fixture(scope="session")
def person() -> Individual:
    return RunnerPopulation().draw(np.random.default_rng([7, 1]))


@pytest.fixture(scope="session")
def season(person: Individual) -> VirtualSeason:
    pytest.importorskip("torch")
    return simulate_history(
        person, days=150, seed=1, start=START, policy=plans_now_and_then(0.5, first_day=40)
    )


@pytest.fixture(scope="session")
def plans(season: VirtualSeason) -> PushedPlans:
    by_date = dict(zip(season.dates, season.plans_trimp.tolist(), strict=True))
    return PushedPlans(by_date, season.individual.physiology.vdot)
