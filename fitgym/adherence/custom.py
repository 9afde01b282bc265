"""Adherence models written outside the package, in Python."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fitgym.adherence.base import Adherence


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

    Give the class to an environment by import path, so that its specification stays plain text, as
    in ``gym.make("fitgym/Acquisition-v0", adherence="my_package.my_module:MyAdherence")``.

    It is built as ``MyAdherence(individual)``. All randomness must come from
    ``situation.generator``, which is seeded anew for every episode.
    """

    compiled: ClassVar[bool] = False

    @abstractmethod
    def respond(self, situation: Situation) -> Response:
        """Return what the person does in ``situation``."""
