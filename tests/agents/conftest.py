"""A short log to replay, small enough that a season is a second's matter."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from fitgym.people.individual import load_individual


@pytest.fixture(scope="session")
def replay() -> dict[str, Any]:
    """Arguments of a season of 12 days from a made-up log of 60 sessions, the paper's reward."""
    person = load_individual("recreational-runner").to_dict()
    person["sessions_trimp"] = np.random.default_rng(5).uniform(0.0, 40.0, size=60).tolist()
    return {"individual": person, "days": 12}


@pytest.fixture(scope="session")
def certain() -> dict[str, Any]:
    """Arguments of a season of 12 days in which every plan is carried out."""
    return {
        "individual": "recreational-runner",
        "adherence": "certain",
        "days": 12,
        "completion_bonus": 1.0,
        "shortfall_penalty": 0.05,
        "utility": "realised",
    }


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let Ctrl-C interrupt; a shell starts what runs in its background with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
