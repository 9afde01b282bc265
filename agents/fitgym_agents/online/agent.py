"""The interface of an agent that learns while it serves people who live one season each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fitgym.envs.task import Task

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Rows:
    """Arrays with a row for each person, decision or day."""

    def rows(self, chosen: Any) -> Self:
        """Return some of the rows, as numpy's indices or a mask choose them."""
        return type(self)(**{one.name: getattr(self, one.name)[chosen] for one in fields(self)})


@dataclass(frozen=True, eq=False)
class Profiles(_Rows):
    """What a service knows of people who join, n of them.

    Attributes:
        person: Number of each in the cohort, (n,).
        vdot: Running performance that the paces are made for, (n,).
        performance: VDOT measured on joining, (n,).
        resting_heart_rate: bpm, (n,).
        maximum_heart_rate: bpm, (n,).
        plans_trimp: Points that each action asks for, (n, 11), 0 first.
        observation: The environment's first observation, (n, W), float32.
    """

    person: Integers
    vdot: Floats
    performance: Floats
    resting_heart_rate: Floats
    maximum_heart_rate: Floats
    plans_trimp: Floats
    observation: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Observations(_Rows):
    """What is known in the morning of the people who can be pushed today, n of them.

    Attributes:
        person: Number of each in the cohort, (n,).
        day: Day of each one's season, from 0, (n,).
        values: The environment's observation as last received, (n, W), float32; W is 6, or 15 for
            agents with ``observation = "person"``.
        age: How many days ago that was the state; 0 where all data have come, (n,).
    """

    person: Integers
    day: Integers
    values: NDArray[np.float32]
    age: Integers


@dataclass(frozen=True, eq=False)
class Outcomes(_Rows):
    """Days of people that have come in, m of them: in order for each person, gaps left out.

    Attributes:
        person: Number of each in the cohort, (m,).
        day: Day of that person's season, from 0, (m,).
        decided: Whether the agent decided; else nobody could be pushed, or the fallback did, (m,).
        action: Plan pushed, 0 for none, (m,).
        probabilities: Those that the action was drawn with, (m, 11).
        reward: The environment's reward of the day, (m,).
        completion: Share of the plan done, 0 without one, (m,).
        done_trimp: Points done, (m,).
        performance: VDOT after the day, (m,).
        mean_heart_rate: Of the session in bpm, 0 without one, (m,).
        internal_load: Of the session, 0 without one, (m,).
        before: The environment's observation in the morning, (m, W), float32.
        after: That of the next morning, (m, W), float32.
    """

    person: Integers
    day: Integers
    decided: NDArray[np.bool_]
    action: Integers
    probabilities: Floats
    reward: Floats
    completion: Floats
    done_trimp: Floats
    performance: Floats
    mean_heart_rate: Floats
    internal_load: Floats
    before: NDArray[np.float32]
    after: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Service:
    """What is fixed before anybody joins.

    Attributes:
        env_id: Registered id of the environment.
        task: Its arguments, all but the individual.
        people: How many will join, N.
        allowed: Which actions may be taken, (11,).
        exploration: Share of the probability that is spread evenly at least, see
            ``clip_probabilities``.
        seed: Of everything that the agent draws.
    """

    env_id: str
    task: Task
    people: int
    allowed: NDArray[np.bool_]
    exploration: float
    seed: int


class OnlineAgent(ABC):
    """A policy that learns while it serves; ``probabilities`` is all that a subclass needs.

    The cohort's runner calls, in this order: ``begin`` once; ``join`` on the morning that people
    join; ``act`` each morning; ``observe`` each night with the days whose data came in; ``update``
    at the service's rhythm. So what has been observed should change decisions in ``update`` alone.

    Attributes:
        name: How tables call the agent.
        observation: What it is shown, ``"state"`` or ``"person"`` (see ``FitnessFatigueEnv``);
            ``begin`` may still change it.
        service: What ``begin`` was told.
    """

    name: str
    observation: str = "state"
    service: Service

    def begin(self, service: Service) -> None:
        """Start anew for a cohort; a subclass that overrides it calls this one first."""
        self.service = service
        self._draws = np.random.default_rng([service.seed, 1])

    def join(self, profiles: Profiles) -> None:  # noqa: B027
        """Meet people who join."""

    @abstractmethod
    def probabilities(self, observations: Observations) -> Floats:
        """Return with which probability each action is wanted, (n, 11), rows adding up to 1."""

    def act(self, observations: Observations) -> tuple[Integers, Floats]:
        """Draw an action for each person.

        Returns:
            Actions (n,), and the probabilities that they were drawn with, (n, 11): those wanted,
            after ``clip_probabilities``.
        """
        probabilities = clip_probabilities(
            self.probabilities(observations), self.service.allowed, self.service.exploration
        )
        return draw_actions(probabilities, self._draws), probabilities

    def observe(self, outcomes: Outcomes) -> None:  # noqa: B027
        """Take in what came in tonight."""

    def update(self) -> None:  # noqa: B027
        """Learn from what has been observed."""


def clip_probabilities(
    wanted: Floats, allowed: NDArray[np.bool_], exploration: float = 0.2
) -> Floats:
    """Return the probabilities nearest to those wanted that never rule out an allowed action.

    Each of the A allowed actions keeps at least ``exploration / A``; those above share what is left
    in proportion. With two actions and 0.2 this is the usual clipping to [0.1, 0.9]; with eleven no
    plan has less than 0.018 or more than 0.818.

    Args:
        wanted: (n, actions), not negative, rows adding up to 1.
        allowed: (actions,) which may be taken at all.
        exploration: In [0, 1].

    Raises:
        ValueError: If a row is no distribution over the allowed actions.
    """
    if wanted.ndim != 2 or wanted.shape[1] != allowed.size:
        raise ValueError(f"wanted must have shape (n, {allowed.size}), got {wanted.shape}")
    good = np.isfinite(wanted).all() and (wanted >= 0.0).all()
    if not good or not np.allclose(wanted.sum(axis=1), 1.0, atol=1e-6):
        raise ValueError("wanted must be probabilities: not negative, each row adding up to 1")
    if (wanted[:, ~allowed] > 0.0).any():
        raise ValueError("wanted must be 0 for actions that are not allowed")
    floor = exploration / int(np.count_nonzero(allowed))
    at_floor = np.zeros(wanted.shape, dtype=np.bool_)
    result = wanted
    # Lifting some to the floor lowers the others, of which some may then fall below it.
    for _ in range(allowed.size):
        left = 1.0 - floor * at_floor.sum(axis=1)
        above = np.where(at_floor | ~allowed, 0.0, wanted)
        total = above.sum(axis=1)
        scale = np.divide(left, total, out=np.zeros_like(total), where=total > 0.0)
        result = np.where(at_floor, floor, above * scale[:, None])
        below = allowed & ~at_floor & (result < floor)
        if not below.any():
            break
        at_floor |= below
    return np.asarray(result / result.sum(axis=1, keepdims=True))


def draw_actions(probabilities: Floats, generator: np.random.Generator) -> Integers:
    """Return an action for each row of probabilities (n, actions), drawn with them."""
    ends = probabilities.cumsum(axis=1)
    drawn = generator.random(len(probabilities))[:, None] * ends[:, -1:]
    return np.asarray((drawn >= ends).sum(axis=1))
