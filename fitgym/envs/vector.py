"""Many people at once: the environment class behind every id's ``gym.make_vec``."""

from __future__ import annotations

import operator
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from fitgym.adherence import CustomAdherence, adherence_class
from fitgym.adherence.base import Tables
from fitgym.common.validation import require_choice, require_integer
from fitgym.envs import kernel
from fitgym.envs.records import OUTCOME, PERSON, STATE
from fitgym.envs.task import OBSERVATIONS, Person, Task
from fitgym.people.individual import Individual, Physiology, load_individual
from fitgym.people.population import Population

__all__ = ["FitnessFatigueVectorEnv"]

Observations = NDArray[np.float32]

# Fields of an outcome that infos hold: after a reset too, and after a day with a session.
_STOCKS = ("base_level", "fitness", "fatigue", "performance")
_SESSION = ("mean_heart_rate", "internal_load")
_TERMS = ("performance", "completion", "shortfall")


@dataclass(frozen=True, eq=False)
class _Company:
    """People who share plans, log and tables, so that one compiled call moves them all on.

    Attributes:
        people: Record array of ``PERSON``: one shared by all, or one for each environment.
        starts: Record array of ``STATE``: where an episode may start.
        targets_trimp: Points that each action asks for, 0 first.
        adherence: Code of the adherence model.
        tables: What the compiled step reads.
    """

    people: NDArray[np.void]
    starts: NDArray[np.void]
    targets_trimp: NDArray[np.float64]
    adherence: int
    tables: Tables

    @classmethod
    def of(cls, person: Person) -> _Company:
        """Return the company of people who are all alike."""
        # Copies can be written to, whatever they are copies of, and stay so when pickled: numba
        # compiles anew for arrays that cannot.
        tables = Tables._make(array.copy() for array in person.adherence.tables)
        targets = np.array(person.targets_trimp)
        return cls(person.record, person.starts, targets, person.adherence.code, tables)


class FitnessFatigueVectorEnv(VectorEnv[Observations, Any, NDArray[Any]]):
    """``num_envs`` environments of one kind in one compiled loop; see ``FitnessFatigueEnv``.

    It behaves as ``gymnasium.vector.SyncVectorEnv`` of as many ``FitnessFatigueEnv`` does, to the
    bit and many times as fast: environment ``i`` of ``reset(seed=s)`` lives through the same
    seasons as a scalar environment of ``reset(seed=s + i)``, for as many episodes as follow.

    ## Arguments
    Those of ``FitnessFatigueEnv``, and

    - ``num_envs``: how many environments.
    - ``autoreset_mode``: an ``AutoresetMode`` or its value. With ``"NextStep"`` the step after a
      terminal one resets, whatever the action, with reward 0. With ``"SameStep"`` the terminal
      step itself resets; the last observation and info stand in ``infos["final_obs"]`` and
      ``infos["final_info"]``. With ``"Disabled"`` it is for the user to reset, with
      ``reset_mask``.

    Custom adherence and pictures are Python's matter, one person at a time: for these make
    the environments with ``vectorization_mode="sync"``.

    ``reset(seed=...)`` takes a number or one for each environment. ``reset(options=...)`` takes
    ``reset_mask``, (num_envs,) of bool: which environments to reset, and ``individual``: the
    person of their next episode alone. ``infos`` holds an array for each key of the scalar
    ``info`` and under ``_key`` which environments have it, as everywhere in Gymnasium.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012
        "render_modes": [],
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }

    def __init__(
        self,
        num_envs: int = 1,
        stage: str = "acquisition",
        individual: str | os.PathLike[str] | Mapping[str, Any] | Individual = "recreational-runner",
        adherence: str = "fitrec",
        predictor: str = "fitrec",
        days: int = 90,
        completion_bonus: float = 1.0,
        shortfall_penalty: float = 0.05,
        utility: str = "realised",
        observation: str = "state",
        continuous: bool = False,
        forbidden_plans: Sequence[int] = (),
        log_part: str = "all",
        render_mode: str | None = None,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
    ) -> None:
        """Build the environments; see the class for the arguments.

        Raises:
            ValueError: If an argument is out of range, or asks for what only single
                environments can do.
            TypeError: If an argument has the wrong type.
        """
        self.num_envs = require_integer("num_envs", num_envs, 1)
        self.task = Task(
            stage=stage,
            adherence=adherence,
            predictor=predictor,
            days=days,
            completion_bonus=completion_bonus,
            shortfall_penalty=shortfall_penalty,
            utility=utility,
            observation=observation,
            continuous=continuous,
            forbidden_plans=forbidden_plans,
            log_part=log_part,
        )
        if render_mode is not None:
            raise ValueError(
                f"render_mode must be None here, got {render_mode!r}: draw one environment of "
                'gym.make, or use gym.make_vec(..., vectorization_mode="sync")'
            )
        if not isinstance(autoreset_mode, AutoresetMode):
            modes = [mode.value for mode in AutoresetMode]
            autoreset_mode = AutoresetMode(require_choice("autoreset_mode", autoreset_mode, modes))
        self.autoreset_mode = autoreset_mode
        self._adherence_class = adherence_class(adherence)
        self.metadata = {**self.metadata, "autoreset_mode": autoreset_mode}

        self.population = Population() if individual == "population" else None
        default = self.population.typical() if self.population else load_individual(individual)
        person = self.task.meet(default)
        if isinstance(person.adherence, CustomAdherence):
            raise ValueError(
                f"adherence {adherence!r} is Python code for one person at a time: use "
                'gym.make_vec(..., vectorization_mode="sync"), a SyncVectorEnv'
            )
        people = self.population.extremes() if self.population else (default,)
        self.single_observation_space: spaces.Box = self.task.observation_space(
            self.task.everybody(people)
        )
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.single_action_space = self.task.action_space()
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._action_mask = self.task.action_mask()
        self._action_masks = np.tile(self._action_mask, (self.num_envs, 1))

        # The first company is the usual one; those met by reset's options come and go.
        self._companies = [_Company.of(person)]
        self._company_of = np.zeros(self.num_envs, dtype=np.int64)
        if self.population is not None:
            crowd = np.zeros(self.num_envs, dtype=PERSON)
            self._companies[0] = replace(self._companies[0], people=crowd)
            self._physiologies: list[Physiology] = [default.physiology]

        self._everybody = np.ones(self.num_envs, dtype=np.bool_)
        self._individuals = [default] * self.num_envs
        self._default_individual = default
        self._states = np.zeros(self.num_envs, dtype=STATE)
        self._generators: list[np.random.Generator | None] = [None] * self.num_envs
        self._seeds: list[int | None] = [None] * self.num_envs
        self._started = False
        self._ended = np.zeros(self.num_envs, dtype=np.bool_)

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Observations, dict[str, Any]]:
        """Start an episode in every environment, or in some.

        Args:
            seed: Seed ``s``, for ``s + i`` in environment ``i``; or one for each environment;
                None goes on with the present generators.
            options: May hold ``reset_mask`` and ``individual``, see the class.

        Raises:
            ValueError: If ``options`` has any other key or a wrong mask, or the individual does
                not fit into the observation space.
            TypeError: If the mask is no array of bool.
            ResetNeeded: If some environments are to be reset before all of them ever were.
        """
        unknown = sorted(set(options or {}) - {"individual", "reset_mask"})
        if unknown:
            raise ValueError(
                f"options has unknown keys {unknown}; allowed are 'individual' and 'reset_mask'"
            )
        chosen = self._reset_mask(options)
        individual = None
        if options and "individual" in options:
            individual = load_individual(options["individual"])
            self.task.require_room(individual, self.single_observation_space)
        self._seed(seed, chosen)
        outcomes = np.zeros(self.num_envs, dtype=OUTCOME)
        self._begin(chosen, outcomes, individual)
        self._started = True
        self._ended &= ~chosen
        nobody = np.zeros(self.num_envs, dtype=np.bool_)
        return self._observe(), self._infos(outcomes, chosen, nobody, None)

    def step(
        self, actions: Any
    ) -> tuple[
        Observations, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]
    ]:
        """Push a plan to everybody and live through the day.

        Args:
            actions: (num_envs,) of 0 for no plan or 1 to 10 for a plan; with continuous plans
                (num_envs, 1) in [-1, 1].

        Returns:
            Observations (num_envs, width), rewards, terminated, truncated (never), each
            (num_envs,), and infos, all of them fresh arrays.

        Raises:
            ResetNeeded: If no episode is running.
            ValueError: If an action is not one of the allowed ones, or there are too few.
            TypeError: If the actions have the wrong type.
        """
        if not self._started:
            raise ResetNeeded("step was called with no episode running: call reset() first")
        waiting = self._ended
        if self.autoreset_mode is AutoresetMode.DISABLED and waiting.any():
            raise ResetNeeded(
                f"environments {np.flatnonzero(waiting).tolist()} have ended: call reset with "
                "options={'reset_mask': ...} first"
            )
        stepped = ~waiting
        ended = np.zeros(self.num_envs, dtype=np.bool_)
        asked_trimp = [
            self.task.targets_trimp(actions, stepped, company.targets_trimp, self._action_mask)
            for company in self._companies
        ]
        # New ones each day, since infos are views of them. Everybody fills in their own, by a day
        # or by a beginning.
        outcomes = np.empty(self.num_envs, dtype=OUTCOME)
        for company, chosen, plans_trimp in zip(
            self._companies, self._members(stepped), asked_trimp, strict=True
        ):
            kernel.step_batch(
                self._states,
                outcomes,
                company.people,
                chosen,
                plans_trimp,
                company.adherence,
                company.tables,
                ended,
            )
        infos: dict[str, Any] = {}
        if self.autoreset_mode is AutoresetMode.SAME_STEP:
            rewards = outcomes["reward"].copy()
            if np.count_nonzero(ended):
                final = np.full(self.num_envs, None, dtype=object)
                last = self._observe()
                for index in np.flatnonzero(ended).tolist():
                    final[index] = last[index]
                infos = {
                    "final_obs": final,
                    "_final_obs": ended.copy(),
                    "final_info": self._infos(
                        np.where(ended, outcomes, np.zeros(1, OUTCOME)), ended, ended, actions
                    ),
                    "_final_info": ended.copy(),
                }
                self._begin(ended, outcomes)
                stepped = ~ended
        else:
            if np.count_nonzero(waiting):
                self._begin(waiting, outcomes)
            rewards = outcomes["reward"].copy()
            self._ended = ended
        infos |= self._infos(outcomes, self._everybody, stepped, actions)
        never = np.zeros(self.num_envs, dtype=np.bool_)
        return self._observe(), rewards, ended.copy(), never, infos

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

    @property  # type: ignore[misc]
    def np_random(self) -> tuple[np.random.Generator, ...]:  # type: ignore[override]
        """The generator of each environment."""
        return tuple(self._generator(index) for index in range(self.num_envs))

    @property
    def np_random_seed(self) -> tuple[int | None, ...]:  # type: ignore[override]
        """The seed of each environment's generator."""
        _ = self.np_random
        return tuple(self._seeds)

    @property
    def individuals(self) -> tuple[Individual, ...]:
        """The person of each environment's episode."""
        return tuple(self._individuals)

    @property
    def states(self) -> NDArray[np.void]:
        """What each episode carries along, hidden motivation included, (num_envs,) of ``STATE``.

        A copy, for privileged references and tests, not for agents that are to be compared.
        """
        return self._states.copy()

    def preview_rewards(self) -> NDArray[np.float64]:
        """Return the reward that each action would earn today, (num_envs, 11), not taking it.

        It reads the noise of the day, so it is foresight: for references and tests, not for
        agents that are to be compared. Forbidden actions earn minus infinity.
        """
        rewards = np.full((self.num_envs, self._action_mask.size), -np.inf)
        for action in np.flatnonzero(self._action_mask).tolist():
            states, outcomes = self._states.copy(), np.zeros(self.num_envs, dtype=OUTCOME)
            ended = np.zeros(self.num_envs, dtype=np.bool_)
            for company, chosen in zip(
                self._companies, self._members(self._everybody), strict=True
            ):
                kernel.step_batch(
                    states,
                    outcomes,
                    company.people,
                    chosen,
                    np.full(self.num_envs, company.targets_trimp[action]),
                    company.adherence,
                    company.tables,
                    ended,
                )
            rewards[:, action] = outcomes["reward"]
        return rewards

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """Return an attribute of each environment, as ``SyncVectorEnv`` does."""
        if name == "individual":
            return self.individuals
        if name == "state":
            return tuple(np.split(self.states, self.num_envs))
        return (getattr(self, name),) * self.num_envs

    def render(self) -> None:
        """Warn that there is nothing to see; see the class."""
        gym.logger.warn(
            "a compiled batch cannot be drawn: render one environment of gym.make, or use "
            'gym.make_vec(..., vectorization_mode="sync", render_mode="rgb_array")'
        )

    def _reset_mask(self, options: dict[str, Any] | None) -> NDArray[np.bool_]:
        """Return which environments to reset, checked; a new array."""
        if not options or "reset_mask" not in options:
            return np.ones(self.num_envs, dtype=np.bool_)
        mask = options["reset_mask"]
        if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_:
            raise TypeError(f"options['reset_mask'] must be an array of bool, got {mask!r}")
        if mask.shape != (self.num_envs,) or not mask.any():
            raise ValueError(
                f"options['reset_mask'] must have shape ({self.num_envs},) and at least one True, "
                f"got {mask!r}"
            )
        if not self._started and not mask.all():
            raise ResetNeeded("reset_mask must be all True in the first reset")
        return mask.copy()

    def _seed(self, seed: int | Sequence[int | None] | None, chosen: NDArray[np.bool_]) -> None:
        """Seed the generators of the chosen environments."""
        if seed is None:
            return
        if isinstance(seed, Sequence | np.ndarray):
            seeds = list(seed)
            if len(seeds) != self.num_envs:
                raise ValueError(
                    f"seed must be a number or one for each of {self.num_envs} environments, got "
                    f"{len(seeds)} of them"
                )
        else:
            first = operator.index(seed)
            seeds = list(range(first, first + self.num_envs))
        for index in np.flatnonzero(chosen).tolist():
            if seeds[index] is not None:
                self._generators[index], self._seeds[index] = seeding.np_random(seeds[index])

    def _generator(self, index: int) -> np.random.Generator:
        """Return the generator of one environment, made from entropy if it was never seeded."""
        generator = self._generators[index]
        if generator is None:
            generator, self._seeds[index] = seeding.np_random()
            self._generators[index] = generator
        return generator

    def _begin(
        self,
        chosen: NDArray[np.bool_],
        outcomes: NDArray[np.void],
        individual: Individual | None = None,
    ) -> None:
        """Start an episode in the chosen environments.

        Args:
            chosen: (num_envs,) which of them.
            outcomes: Record array of ``OUTCOME`` (num_envs,), filled in for the chosen.
            individual: The person of the episode; None for the usual one.
        """
        keys = np.zeros(self.num_envs, dtype=np.uint64)
        indices = np.flatnonzero(chosen).tolist()
        # The next 64 bits: what ``integers(0, 2**64)`` returns, in a third of the time. As in the
        # scalar environment, the key is drawn before the person.
        keys[indices] = [self._generator(i).bit_generator.random_raw() for i in indices]
        if individual is None and self.population is not None:
            self._company_of[chosen] = 0
            for index in indices:
                person = self.population.draw(self._generator(index))
                self._individuals[index] = person
                self._meet(index, person, outcomes, keys)
        else:
            number = 0
            if individual is not None:
                number = len(self._companies)
                self._companies.append(_Company.of(self.task.meet(individual)))
            self._company_of[chosen] = number
            for index in indices:
                self._individuals[index] = individual or self._default_individual
            company = self._companies[number]
            kernel.begin_batch(self._states, outcomes, company.people, chosen, company.starts, keys)
        self._forget_companies()

    def _meet(
        self,
        index: int,
        individual: Individual,
        outcomes: NDArray[np.void],
        keys: NDArray[np.uint64],
    ) -> None:
        """Begin environment ``index`` with somebody of the population."""
        person = self.task.meet(individual)
        company = self._companies[0]
        if individual.physiology not in self._physiologies:
            # A VDOT band that nobody here had yet: its table joins the others.
            tables, joining = company.tables, person.adherence.tables
            tables = tables._replace(
                loads=np.concatenate([tables.loads, joining.loads]),
                beats=np.concatenate([tables.beats, joining.beats]),
            )
            company = replace(company, tables=tables)
            self._companies[0] = company
            self._physiologies.append(individual.physiology)
        company.people[index] = person.record[0]
        company.people["table"][index] = self._physiologies.index(individual.physiology)
        one = slice(index, index + 1)
        kernel.begin_batch(
            self._states[one],
            outcomes[one],
            company.people[one],
            np.ones(1, dtype=np.bool_),
            person.starts,
            keys[one],
        )

    def _forget_companies(self) -> None:
        """Drop the companies that nobody is in any more, but for the usual one."""
        if len(self._companies) > 1:
            kept, self._company_of = np.unique(np.append(0, self._company_of), return_inverse=True)
            self._company_of = self._company_of[1:]
            self._companies = [self._companies[number] for number in kept]

    def _members(self, chosen: NDArray[np.bool_]) -> list[NDArray[np.bool_]]:
        """Return who of the chosen is in each company."""
        if len(self._companies) == 1:
            return [chosen]
        return [chosen & (self._company_of == number) for number in range(len(self._companies))]

    def _observe(self) -> Observations:
        kind, width = OBSERVATIONS[self.task.observation]
        observations = np.empty((self.num_envs, width), dtype=np.float32)
        kernel.observe_batch(self._states, self.task.days, kind, observations)
        return observations

    def _infos(
        self,
        outcomes: NDArray[np.void],
        present: NDArray[np.bool_],
        stepped: NDArray[np.bool_],
        actions: Any,
    ) -> dict[str, Any]:
        """Return batched infos, views of ``outcomes`` where possible.

        Args:
            outcomes: Record array of ``OUTCOME`` (num_envs,), zero where there is no info.
            present: (num_envs,) who has an info.
            stepped: (num_envs,) who of them has lived through a day; the others have begun.
            actions: What was given to ``step``; unused if nobody stepped.
        """
        infos: dict[str, Any] = {}
        model = self._adherence_class
        discrete = not self.task.continuous
        began = {name: outcomes[name] for name in _STOCKS}
        if model.has_motivation:
            began["motivation"] = outcomes["motivation"]
        if discrete:
            began["action_mask"] = self._action_masks.copy()
            if np.count_nonzero(present) < self.num_envs:
                began["action_mask"][~present] = 0
        _add(infos, began, present)
        if not np.count_nonzero(stepped):
            return infos
        day = {name: outcomes[name] for name in ("plan_trimp", "done_trimp", "completion")}
        day["met"] = outcomes["met"] > 0.0
        if discrete:
            day["plan"] = np.asarray(actions, dtype=np.int64) * stepped
        terms: dict[str, Any] = {}
        _add(terms, {name: outcomes[f"{name}_term"] for name in _TERMS}, stepped)
        _add(infos, {**day, "reward_terms": terms}, stepped)
        if model.has_heart_rate:
            trained = stepped & (day["done_trimp"] > 0.0)
            if np.count_nonzero(trained):
                _add(infos, {name: outcomes[name] for name in _SESSION}, trained)
        return infos


def _add(infos: dict[str, Any], values: dict[str, Any], mask: NDArray[np.bool_]) -> None:
    """Add values to infos, and one mask for all of them of who has them."""
    mask = mask.copy()
    for name, value in values.items():
        infos[name] = value
        infos[f"_{name}"] = mask
