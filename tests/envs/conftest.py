"""People and environments that the tests of this folder share."""

import dataclasses

import numpy as np
import pytest

from fitgym.people.individual import load_individual


@pytest.fixture(scope="session")
def logged_runner():
    """A runner with a made-up log of 200 sessions, some of them without a time."""
    generator = np.random.default_rng(5)
    sessions = np.round(generator.lognormal(2.9, 0.6, 200), 1)
    sessions[[17, 90]] = 0.0
    return dataclasses.replace(
        load_individual("recreational-runner"), name="logged", sessions_trimp=tuple(sessions)
    )
