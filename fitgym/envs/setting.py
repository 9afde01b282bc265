"""What the scalar and the vector class share: task, individuals, masks and specification."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec
from numpy.typing import NDArray

from fitgym.adherence import adherence_class
from fitgym.common.validation import require_choice
from fitgym.envs.actions import pushed_plans
from fitgym.envs.infos import info_numbers
from fitgym.envs.task import Task
from fitgym.people.individual import Individual, load_individual
from fitgym.people.splits import read_population

RENDER_MODES = ("ansi", "rgb_array")
# Days are drawn slower than they can be, so that one can read them.
RENDER_FPS = 10

IndividualLike = str | os.PathLike[str] | Mapping[str, Any] | Individual


class Setting:
    """Base of both environment classes: the task and those who live through its episodes.

    Attributes:
        task: Every argument but the individual and how to render.
        population: Where an individual is drawn from at every reset; None for always the same.
        render_mode: ``"ansi"``, ``"rgb_array"`` or None.
        reward_space: Of vector rewards, where the task has them, as MO-Gymnasium reads it.
        reward_dim: How many numbers they have, likewise.
    """

    render_mode: str | None
    reward_space: spaces.Box
    reward_dim: int
    _spec: EnvSpec | None = None

    def __init__(
        self, individual: IndividualLike, render_mode: str | None, arguments: Mapping[str, Any]
    ) -> None:
        """Check the arguments, and prepare the individual.

        Args:
            individual: In any form that the environments take.
            render_mode: How to render.
            arguments: Those of the task.

        Raises:
            ValueError: If an argument is out of range.
            TypeError: If an argument is unknown or has the wrong type.
        """
        self.task = Task.from_arguments(arguments)
        if render_mode is not None:
            require_choice("render_mode", render_mode, RENDER_MODES)
        self.render_mode = render_mode
        model = adherence_class(self.task.adherence)
        self.population = read_population(individual, model.population())
        usual = self.population.typical() if self.population else load_individual(individual)
        self._warn_of(usual)
        self._usual = self.task.prepare(usual)
        people = tuple(self.population.extremes()) if self.population else (usual,)
        self._box = self.task.observation_space(people)
        if self.task.reward == "vector":
            self.reward_space = self.task.reward_space(people)
            self.reward_dim = 3
        self._info_numbers = info_numbers(model)
        self._action_mask = self.task.action_mask()
        self._pushed = pushed_plans(self._action_mask, self.task.forbidden)

    @property
    def stage(self) -> str:
        """``"acquisition"`` or ``"retention"``."""
        return self.task.stage

    @property
    def days(self) -> int:
        """``T``, length of an episode."""
        return self.task.days

    @property
    def action_mask(self) -> NDArray[np.int8]:
        """1 for the actions that may be taken and 0 for the forbidden ones, (11,); a copy."""
        return self._action_mask.copy()

    @property
    def spec(self) -> EnvSpec | None:
        """How the environment was made, arguments as JSON-able values."""
        return self._spec

    @spec.setter
    def spec(self, spec: EnvSpec | None) -> None:
        if spec is not None:
            arguments = {name: self._plain(name, value) for name, value in spec.kwargs.items()}
            spec = replace(spec, kwargs=arguments)
        self._spec = spec

    def _plain(self, name: str, value: Any) -> Any:
        """Return an argument as a JSON-able value, which makes the same environment."""
        if name == "individual":
            if isinstance(value, str):
                return value
            if isinstance(value, os.PathLike):
                return os.fspath(value)
            return self._usual.individual.to_dict()
        if name == "forbidden_plans":
            # A generator that was given is empty by now.
            return list(self.task.forbidden_plans)
        if isinstance(value, Enum):
            return value.value
        return value.item() if isinstance(value, np.generic) else value

    def _other_individual(
        self, options: Mapping[str, Any] | None, *others: str
    ) -> Individual | None:
        """Return the individual of the next episode that ``reset``'s options name, checked.

        Args:
            options: What was given to ``reset``.
            others: Which other keys are allowed.

        Raises:
            TypeError: If the options are no mapping.
            ValueError: If there is another key, or the individual does not fit into the space.
        """
        if options is not None and not isinstance(options, Mapping):
            raise TypeError(f"options must be a mapping or None, got {options!r}")
        allowed = ("individual", *others)
        unknown = sorted(str(name) for name in options or () if name not in allowed)
        if unknown:
            raise ValueError(f"options has unknown keys {unknown}; allowed are {allowed}")
        if not options or "individual" not in options:
            return None
        return self._fitting(options["individual"])

    def _fitting(self, individual: IndividualLike) -> Individual:
        """Return the individual, loaded, if everything about it fits into the space.

        Raises:
            ValueError: If not.
        """
        loaded = load_individual(individual)
        self.task.check_fits(loaded, self._box)
        self._warn_of(loaded)
        return loaded

    def _warn_of(self, individual: Individual) -> None:
        """Warn if what the environment says of ``individual`` will mean little."""
        doubt = adherence_class(self.task.adherence).doubt_of(individual, self.stage)
        if doubt is not None:
            gym.logger.warn(doubt)

    def _has_render_mode(self) -> bool:
        """Return whether there is something to render, and warn if not."""
        if self.render_mode is None:
            gym.logger.warn(
                "render was called without a render_mode: give one when making the environment, "
                f'for example render_mode="rgb_array" for {self.spec.id if self.spec else self}'
            )
        return self.render_mode is not None
