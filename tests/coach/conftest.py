"""A person to coach, and a quick loop."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from coached_people import SMALL, profile_of

from fitgym.coach import loop
from fitgym.coach.person import Coached, coached_of
from fitgym.coach.program import SeasonProgram
from fitgym.people.individual import load_individual
from fitgym.profile import Profile


@pytest.fixture(scope="session")
def profile() -> Profile:
    loads = np.random.default_rng(0).choice([0.0, 12.0, 20.0], 42, p=[0.6, 0.2, 0.2])
    return profile_of(load_individual("club-runner"), tuple(loads.tolist()))


@pytest.fixture(scope="session")
def coached(profile: Profile) -> Coached:
    return coached_of(profile)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the loop plan on a very coarse grid."""
    monkeypatch.setattr(loop, "SeasonProgram", partial(SeasonProgram, size=SMALL))
