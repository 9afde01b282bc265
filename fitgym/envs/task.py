"""The task of an environment: its arguments, and what is derived from them for any individual."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self, TypedDict

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from fitgym.adherence import Adherence, adherence_class, make_adherence
from fitgym.adherence.replay import LOG_PARTS
from fitgym.common.validation import require_choice, require_integer, require_number
from fitgym.envs.context import COLUMNS, context
from fitgym.envs.effects import EFFECTS, Effect
from fitgym.envs.kernel import (
    FULL_OBSERVATION,
    STATE_OBSERVATION,
    WEARABLE_OBSERVATION,
    starting_states,
)
from fitgym.envs.records import pack_person
from fitgym.envs.spaces import observation_space, reward_space
from fitgym.people.individual import Individual, StageParameters

# How the kernel calls each kind of observation, and how many numbers it has. Of "person", it fills
# in those of the state.
OBSERVATIONS = {
    "state": (STATE_OBSERVATION, 6),
    "full": (FULL_OBSERVATION, 7),
    "wearable": (WEARABLE_OBSERVATION, 6),
    "person": (STATE_OBSERVATION, COLUMNS),
}

REWARDS = ("scalar", "vector")

_ACTIONS = 11


@dataclass(frozen=True, eq=False)
class Person:
    """An individual prepared for the compiled step.

    Attributes:
        individual: Who it is.
        parameters: The individual's parameters of the task's stage.
        adherence: The individual's adherence model.
        record: Record array of length 1, dtype ``PERSON``.
        starts: Record array of ``STATE``: where an episode may start.
        targets_trimp: Points that each action asks for, 0 first.
        context: What a service knows of the individual, (6,), see ``fitgym.envs.context``.
    """

    individual: Individual
    parameters: StageParameters
    adherence: Adherence
    record: NDArray[np.void]
    starts: NDArray[np.void]
    targets_trimp: tuple[float, ...]
    context: NDArray[np.float32]

    def __deepcopy__(self, memo: dict[int, Any]) -> Person:
        """Return the person itself, whom no step changes, unless the adherence is Python's."""
        if self.adherence.compiled:
            return self
        return replace(self, adherence=copy.deepcopy(self.adherence, memo))


class TaskArguments(TypedDict, total=False):
    """The arguments of ``Task``, all of them optional, for signatures of constructors."""

    stage: str
    adherence: str
    predictor: str | None
    days: int
    completion_bonus: float
    shortfall_penalty: float
    utility: str
    observation: str
    continuous: bool
    forbidden_plans: Iterable[int]
    forbidden: str
    log_part: str
    uptake: float
    habituation: float
    burden: float
    effect: str | None
    reward: str
    cost: bool


class _Largest(TypedDict):
    """What bounds depend on beside the people's parameters."""

    largest_session_trimp: float
    steps: int


# Ours: far above any use, and far below what lets a return become infinite.
_LARGEST_WEIGHT = 1e6


@dataclass(frozen=True, kw_only=True)
class Task:
    """Everything about an environment but the individual; see ``FitnessFatigueEnv`` for the fields.

    It owns the names, defaults and checks of these arguments, for scalar and vector environments.
    """

    stage: str = "acquisition"
    adherence: str = "fitrec"
    predictor: str | None = None
    days: int = 90
    completion_bonus: float = 1.0
    shortfall_penalty: float = 0.05
    utility: str = "realised"
    observation: str = "state"
    continuous: bool = False
    forbidden_plans: Iterable[int] = ()
    forbidden: str = "error"
    log_part: str = "all"
    uptake: float = 1.0
    habituation: float = 0.0
    burden: float = 0.0
    effect: str | None = None
    reward: str = "scalar"
    cost: bool = False

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Any]) -> Self:
        """Return the task that a constructor's arguments describe.

        Raises:
            ValueError: If a value is not allowed, or two do not go together.
            TypeError: If an argument is unknown or has the wrong type.
        """
        allowed = [field.name for field in fields(cls)]
        unknown = [name for name in arguments if name not in allowed]
        if unknown:
            raise TypeError(
                f"unknown arguments {unknown}: beside individual and render_mode, allowed are "
                f"{', '.join(allowed)}"
            )
        return cls(**arguments)

    def __post_init__(self) -> None:
        """Check every field, and turn numbers and plans into plain Python's.

        Raises:
            ValueError: If a value is not allowed, or two do not go together.
            TypeError: If a value has the wrong type.
        """
        require_choice("stage", self.stage, ("acquisition", "retention"))
        self._set("days", require_integer("days", self.days, 1, 3650))
        for name in ("completion_bonus", "shortfall_penalty"):
            self._set(name, require_number(name, getattr(self, name), 0, _LARGEST_WEIGHT))
        require_choice("utility", self.utility, ("realised", "planned"))
        require_choice("observation", self.observation, OBSERVATIONS)
        model = adherence_class(self.adherence)
        if self.observation != "state" and not (model.has_motivation and model.has_heart_rate):
            raise ValueError(
                f"observation must be 'state' with adherence {self.adherence!r}, which has neither "
                f"motivation nor heart rate, got {self.observation!r}"
            )
        for name in ("continuous", "cost"):
            if not isinstance(getattr(self, name), bool):
                raise TypeError(f"{name} must be True or False, got {getattr(self, name)!r}")
        if isinstance(self.forbidden_plans, str) or not isinstance(self.forbidden_plans, Iterable):
            raise TypeError(
                f"forbidden_plans must be actions from 0 to 10, got {self.forbidden_plans!r}"
            )
        # A generator can be read only once.
        plans = tuple(
            require_integer("forbidden_plans", plan, 0, _ACTIONS - 1)
            for plan in self.forbidden_plans
        )
        self._set("forbidden_plans", plans)
        if self.continuous and plans:
            raise ValueError(
                f"forbidden_plans must be empty when continuous is True, got {plans!r}"
            )
        if not self.action_mask().any():
            raise ValueError("forbidden_plans must leave at least one of the actions 0 to 10")
        require_choice("forbidden", self.forbidden, ("error", "nearest"))
        require_choice("log_part", self.log_part, LOG_PARTS)
        require_choice("reward", self.reward, REWARDS)
        self._check_effect(model)

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def _check_effect(self, model: type[Adherence]) -> None:
        """Check how a push acts; see ``__post_init__``."""
        self._set("uptake", require_number("uptake", self.uptake, 0, 1))
        self._set("habituation", require_number("habituation", self.habituation, 0, 10))
        self._set("burden", require_number("burden", self.burden, 0, 1))
        given = {
            name: getattr(self, name)
            for name in ("uptake", "habituation", "burden")
            if getattr(self, name) != getattr(Effect(), name)
        }
        if self.effect is not None:
            require_choice("effect", self.effect, EFFECTS)
            if given:
                raise ValueError(
                    f"effect {self.effect!r} sets uptake, habituation and burden: give either, "
                    f"got {given} beside it"
                )
        if self.push_effect != Effect() and not model.has_motivation:
            raise ValueError(
                "uptake, habituation, burden and effect need an adherence with motivation, got "
                f"adherence {self.adherence!r}"
            )

    def require_taken_up(self, what: str) -> None:
        """Check that every push is taken up, which ``what`` counts on.

        Raises:
            ValueError: If not.
        """
        effect = self.push_effect
        if effect.uptake < 1.0 or effect.habituation > 0.0:
            raise ValueError(f"{what} needs uptake=1 and habituation=0, got {effect}")

    @property
    def push_effect(self) -> Effect:
        """How a push acts beyond what it asks for."""
        if self.effect is not None:
            return EFFECTS[self.effect]
        return Effect(uptake=self.uptake, habituation=self.habituation, burden=self.burden)

    def action_mask(self) -> NDArray[np.int8]:
        """Return 1 for the actions that may be taken and 0 for the forbidden ones, (11,)."""
        mask = np.ones(_ACTIONS, dtype=np.int8)
        mask[list(self.forbidden_plans)] = 0
        return mask

    def action_space(self) -> spaces.Space[Any]:
        """Return the space of the actions."""
        if self.continuous:
            return spaces.Box(-1.0, 1.0, (1,), dtype=np.float32)
        return spaces.Discrete(_ACTIONS)

    def observation_space(self, individuals: Iterable[Individual]) -> spaces.Box:
        """Return a space that holds whatever the individuals given can reach."""
        people = list(individuals)
        model = adherence_class(self.adherence)
        return observation_space(
            people,
            self.stage,
            **self._largest(people),
            days=self.days,
            observation=self.observation,
            largest_internal_load=max(model.largest_load_of(one) for one in people),
            largest_heart_rate=model.largest_heart_rate,
            burden=self.push_effect.burden,
            completion_bonus=self.completion_bonus,
            shortfall_penalty=self.shortfall_penalty,
        )

    def reward_space(self, individuals: Iterable[Individual]) -> spaces.Box:
        """Return a space that holds the vector rewards of whatever the individuals can reach."""
        people = list(individuals)
        return reward_space(
            people,
            self.stage,
            completion_bonus=self.completion_bonus,
            shortfall_penalty=self.shortfall_penalty,
            **self._largest(people),
        )

    def check_fits(self, individual: Individual, space: spaces.Box) -> None:
        """Check that everything ``individual`` can reach lies in ``space``.

        Raises:
            ValueError: If something does not.
        """
        needed = self.observation_space([individual])
        if np.any(needed.high > space.high) or np.any(needed.low < space.low):
            raise ValueError(
                f"options['individual'] {individual.name!r} does not fit: it can reach "
                f"observations from {needed.low.tolist()} to {needed.high.tolist()}, and this "
                f"environment's space is from {space.low.tolist()} to {space.high.tolist()}; make "
                f"an environment with individual={individual.name!r}, or one with "
                "individual='population', whose space holds most runners"
            )

    def prepare(self, individual: Individual) -> Person:
        """Return ``individual`` prepared for the compiled step.

        Raises:
            ValueError: If the adherence model does not suit the individual or the days.
        """
        adherence = self._adherence_of(individual)
        parameters = individual.stage(self.stage)
        record = pack_person(
            individual,
            retention=self.stage == "retention",
            days=self.days,
            completion_bonus=self.completion_bonus,
            shortfall_penalty=self.shortfall_penalty,
            planned_utility=self.utility == "planned",
            effect=self.push_effect,
            log_reference_tolerance=adherence.log_reference_tolerance,
            heart_rate_sd=adherence.heart_rate_sd,
        )
        starts = starting_states(
            parameters,
            record,
            adherence.tables.sessions_trimp,
            adherence.start_rows(self.days),
        )
        targets = (0.0, *individual.plans_trimp)
        return Person(
            individual, parameters, adherence, record, starts, targets, context(individual)
        )

    def _largest(self, people: list[Individual]) -> _Largest:
        """Return the largest session of these people, and the most steps to the last stocks."""
        model = adherence_class(self.adherence)
        if model.compiled:
            # Bounds need no load table, so none is looked up or built for them.
            sessions = [model.largest_session_of(one) for one in people]
            steps = [len(one.sessions_trimp) if model.exogenous else self.days for one in people]
        else:
            models = [self._adherence_of(one) for one in people]
            sessions = [one.largest_session_trimp for one in models]
            steps = [self.days + int(one.start_rows(self.days).max()) for one in models]
        return {"largest_session_trimp": max(sessions), "steps": max(steps)}

    def _adherence_of(self, individual: Individual) -> Adherence:
        return make_adherence(self.adherence, individual, self.predictor, self.log_part)
