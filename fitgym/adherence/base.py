"""The interface every adherence model keeps, and the way to plug in one's own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fitgym.adherence.response import SEGMENT, Tables
from fitgym.people.individual import Individual

__all__ = [
    "CERTAIN",
    "CUSTOM",
    "FITREC",
    "REPLAY",
    "Adherence",
    "CustomAdherence",
    "Response",
    "Situation",
]

# What the compiled step branches on.
CUSTOM = -1
CERTAIN = 0
REPLAY = 1
FITREC = 2


class Adherence:
    """How a plan becomes a session: the data of one model for one individual.

    The built-in models are computed inside the compiled step, which asks for ``code`` and the
    arrays; one's own are subclasses of ``CustomAdherence``.

    Attributes:
        code: Which branch of the compiled step to take.
        individual: The person.
        tables: What the compiled step reads: the log that the model draws on, and the plans' load
            curves, each empty where the model needs none.
        log_reference_tolerance: ``ln C_0``; 0 but for FitRec adherence.
    """

    code: ClassVar[int]

    def __init__(self, individual: Individual) -> None:
        self.individual = individual
        self.tables = Tables(
            sessions_trimp=np.zeros(0),
            targets_trimp=np.zeros(0),
            first_segments=np.zeros(1, np.int64),
            segments=np.zeros(0, SEGMENT),
            loads=np.zeros((1, 0, 0), np.float32),
            beats=np.zeros((1, 0, 0), np.float32),
        )
        self.log_reference_tolerance = 0.0

    @property
    def largest_session_trimp(self) -> float:
        """The largest intensity that can be realised, points; observations are bounded by it."""
        return self.individual.plans_trimp[-1]

    def start_rows(self, days: int) -> NDArray[np.int64]:
        """Return the rows of the log at which an episode of ``days`` may start; here only 0."""
        return np.zeros(1, dtype=np.int64)


@dataclass(frozen=True)
class Situation:
    """What a person is in when asked to follow a plan.

    Attributes:
        day: Day of the episode, from 0.
        plan_trimp: Target of the plan, points; 0 for no plan.
        intensity: ``x_{t-1}``, points really done last.
        base_level: ``B_t``, points.
        fitness: ``F_{t-1}``.
        fatigue: ``G_{t-1}``.
        generator: The episode's random numbers.
    """

    day: int
    plan_trimp: float
    intensity: float
    base_level: float
    fitness: float
    fatigue: float
    generator: np.random.Generator


@dataclass(frozen=True)
class Response:
    """What the person did.

    Attributes:
        intensity: ``x_t``, points, between 0 and the model's ``largest_session_trimp``.
        met: Whether a plan was given and met.
    """

    intensity: float
    met: bool


class CustomAdherence(Adherence, ABC):
    """Base of adherence models written outside the package.

    Give the class to an environment by import path, so that its specification stays plain text::

        gym.make("fitgym/Acquisition-v0", adherence="my_package.my_module:MyAdherence")

    It is built as ``MyAdherence(individual)``. All randomness must come from
    ``situation.generator``, which is seeded anew for every episode.
    """

    code: ClassVar[int] = CUSTOM

    @abstractmethod
    def respond(self, situation: Situation) -> Response:
        """Return what the person does in ``situation``."""
