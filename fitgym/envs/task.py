"""The task a service is given, and the people it meets: what an environment is made from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from fitgym.adherence import Adherence, adherence_class, make_adherence
from fitgym.common.validation import require_choice, require_integer, require_number
from fitgym.envs.kernel import (
    FULL_OBSERVATION,
    STATE_OBSERVATION,
    WEARABLE_OBSERVATION,
    look_up_targets,
    starting_states,
)
from fitgym.envs.records import pack_person
from fitgym.envs.spaces import observation_space
from fitgym.people.individual import (
    Individual,
    StageParameters,
    load_individual,
    shipped_individuals,
)

__all__ = ["OBSERVATIONS", "Person", "Task"]

# How the kernel calls each kind of observation, and how many numbers it has.
OBSERVATIONS = {
    "state": (STATE_OBSERVATION, 6),
    "full": (FULL_OBSERVATION, 7),
    "wearable": (WEARABLE_OBSERVATION, 6),
}

_ACTIONS = 11


@dataclass(frozen=True, eq=False)
class Person:
    """An individual made ready for the compiled step.

    Attributes:
        individual: Who it is.
        parameters: The individual's parameters of the task's stage.
        adherence: The individual's adherence model.
        record: Record array of length 1, dtype ``PERSON``.
        starts: Record array of ``STATE``: where an episode may start.
        targets_trimp: Points that each action asks for, 0 first.
    """

    individual: Individual
    parameters: StageParameters
    adherence: Adherence
    record: NDArray[np.void]
    starts: NDArray[np.void]
    targets_trimp: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Task:
    """Everything about an environment but the person; see ``FitnessFatigueEnv`` for the fields."""

    stage: str
    adherence: str
    predictor: str
    days: int
    completion_bonus: float
    shortfall_penalty: float
    utility: str
    observation: str
    continuous: bool
    forbidden_plans: Sequence[int]
    log_part: str

    def __post_init__(self) -> None:
        """Check every field.

        Raises:
            ValueError: If a value is not allowed, or two do not go together.
            TypeError: If a value has the wrong type.
        """
        require_choice("stage", self.stage, ("acquisition", "retention"))
        require_integer("days", self.days, 1, 3650)
        require_number("completion_bonus", self.completion_bonus, 0)
        require_number("shortfall_penalty", self.shortfall_penalty, 0)
        require_choice("utility", self.utility, ("realised", "planned"))
        require_choice("observation", self.observation, OBSERVATIONS)
        model = adherence_class(self.adherence)
        if self.observation != "state" and not (model.has_motivation and model.has_heart_rate):
            raise ValueError(
                f"observation must be 'state' with adherence {self.adherence!r}, which has neither "
                f"motivation nor heart rate, got {self.observation!r}"
            )
        if not isinstance(self.continuous, bool):
            raise TypeError(f"continuous must be True or False, got {self.continuous!r}")
        for plan in self.forbidden_plans:
            require_integer("forbidden_plans", plan, 0, _ACTIONS - 1)
        if self.continuous and self.forbidden_plans:
            raise ValueError(
                f"forbidden_plans must be empty when continuous is True, got "
                f"{self.forbidden_plans!r}"
            )
        if not self.action_mask().any():
            raise ValueError("forbidden_plans must leave at least one of the actions 0 to 10")

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

    def observation_space(self, people: Iterable[Individual]) -> spaces.Box:
        """Return a space that holds whatever the people given can reach."""
        everybody = list(people)
        model = adherence_class(self.adherence)
        if model.compiled:
            # Bounds need no load table, so none is looked up or built for them.
            largest_session = max(model.largest_session_of(one) for one in everybody)
        else:
            models = [self._adherence_of(one) for one in everybody]
            largest_session = max(model.largest_session_trimp for model in models)
        return observation_space(
            everybody,
            self.stage,
            largest_session_trimp=largest_session,
            days=self.days,
            observation=self.observation,
            largest_internal_load=max(model.largest_load_of(one) for one in everybody),
        )

    def everybody(self, people: Iterable[Individual]) -> list[Individual]:
        """Return ``people`` and, under FitRec adherence, those who ship.

        With room for them all, ``reset(options={"individual": ...})`` can change the person
        without changing the space.
        """
        shipped = shipped_individuals() if self.adherence == "fitrec" else ()
        return [*people, *(load_individual(name) for name in shipped)]

    def require_room(self, individual: Individual, space: spaces.Box) -> None:
        """Check that everything ``individual`` can reach lies in ``space``.

        Raises:
            ValueError: If something does not.
        """
        needed = self.observation_space([individual])
        if np.any(needed.high > space.high) or np.any(needed.low < space.low):
            raise ValueError(
                f"options['individual'] {individual.name!r} can reach observations up to "
                f"{needed.high.tolist()}, beyond this environment's {space.high.tolist()}: make "
                "an environment with individual=... instead"
            )

    def meet(self, individual: Individual) -> Person:
        """Return ``individual`` made ready for the compiled step.

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
            log_reference_tolerance=adherence.log_reference_tolerance,
        )
        starts = starting_states(
            parameters,
            record,
            adherence.tables.sessions_trimp,
            adherence.start_rows(self.days),
        )
        targets = (0.0, *individual.plans_trimp)
        return Person(individual, parameters, adherence, record, starts, targets)

    def target_trimp(
        self, action: Any, targets_trimp: tuple[float, ...], mask: NDArray[np.int8]
    ) -> float:
        """Return the points that an action asks for, 0 for no plan.

        Args:
            action: What was given to ``step``.
            targets_trimp: Points of each plan, 0 first.
            mask: The action mask.

        Raises:
            ValueError: If the action is not an allowed one.
            TypeError: If it has the wrong type.
        """
        if not self.continuous:
            plan = require_integer("action", action, 0, len(targets_trimp) - 1)
            if not mask[plan]:
                allowed = np.flatnonzero(mask).tolist()
                raise ValueError(
                    f"action must be one of {allowed}, got {plan}: the plan is forbidden"
                )
            return targets_trimp[plan]
        value = np.asarray(action)
        if value.shape != (1,) or value.dtype.kind not in "fiu" or not -1.0 <= value[0] <= 1.0:
            raise ValueError(f"action must be an array of shape (1,) in [-1, 1], got {action!r}")
        return float(_interpolated(float(value[0]), targets_trimp))

    def targets_trimp(
        self,
        actions: Any,
        chosen: NDArray[np.bool_],
        targets_trimp: NDArray[np.float64],
        mask: NDArray[np.int8],
    ) -> NDArray[np.float64]:
        """Return the points that each of N actions asks for; see ``target_trimp``.

        Args:
            actions: One action for each, (N,) or with continuous plans (N, 1).
            chosen: (N,) whose actions count; the others' are neither read nor checked.
            targets_trimp: Points of each plan, 0 first.
            mask: The action mask.

        Raises:
            ValueError: If an action is not an allowed one.
            TypeError: If they have the wrong type.
        """
        values = np.asarray(actions)
        shape = (chosen.size, 1) if self.continuous else (chosen.size,)
        kinds, allowed = ("fiu", "numbers") if self.continuous else ("iu", "integers")
        if values.dtype.kind not in kinds:
            raise TypeError(f"actions must be {allowed}, got an array of {values.dtype}")
        if values.shape != shape:
            raise ValueError(f"actions must have shape {shape}, got {values.shape}")
        if self.continuous:
            numbers = values.reshape(-1).astype(np.float64)
            wrong = chosen & ~(np.abs(numbers) <= 1.0)
            first_wrong = int(wrong.argmax()) if wrong.any() else -1
            allowed = "in [-1, 1]"
            plans_trimp = np.asarray(_interpolated(numbers, targets_trimp))
        else:
            plans_trimp = np.zeros(chosen.size)
            first_wrong = look_up_targets(
                np.asarray(values, np.int64), chosen, targets_trimp, mask, plans_trimp
            )
            allowed = f"one of {np.flatnonzero(mask).tolist()}" if first_wrong >= 0 else ""
        if first_wrong >= 0:
            raise ValueError(f"actions[{first_wrong}] must be {allowed}, got {values[first_wrong]}")
        return plans_trimp

    def _adherence_of(self, individual: Individual) -> Adherence:
        return make_adherence(self.adherence, individual, self.predictor, self.log_part)


def _interpolated(action: Any, targets_trimp: tuple[float, ...] | NDArray[np.float64]) -> Any:
    """Return the points that an action in [-1, 1], or an array of them, asks for.

    Below half the easiest plan there is no plan.
    """
    target = 0.5 * (action + 1.0) * targets_trimp[-1]
    return target * (target >= 0.5 * targets_trimp[1])
