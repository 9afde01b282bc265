"""The vector environment: many environments in one compiled loop, behind ``gym.make_vec``."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self, Unpack

import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from fitgym.common.validation import require_choice, require_integer
from fitgym.envs import kernel
from fitgym.envs.actions import read_actions, read_continuous_actions
from fitgym.envs.context import complete
from fitgym.envs.cost import CostMeter
from fitgym.envs.custom import step_batch_in_python
from fitgym.envs.generators import Generators, Seeds, checked_seeds
from fitgym.envs.groups import Group
from fitgym.envs.infos import NO_PLAN, batch_infos, vector_rewards
from fitgym.envs.records import OUTCOME, STATE
from fitgym.envs.render import EpisodeRenderer
from fitgym.envs.setting import RENDER_FPS, RENDER_MODES, IndividualLike, Setting
from fitgym.envs.task import OBSERVATIONS, Person, TaskArguments
from fitgym.model.noise import split_mix
from fitgym.people.individual import Individual

Observations = NDArray[np.float32]
Steps = tuple[
    Observations, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]
]

# Which of the environments of a batch of one.
_ONLY = np.ones(1, dtype=np.bool_)


class FitnessFatigueVectorEnv(Setting, VectorEnv[Observations, Any, NDArray[Any]]):
    """``num_envs`` environments of one kind in one compiled loop; see ``FitnessFatigueEnv``.

    It behaves as ``gymnasium.vector.SyncVectorEnv`` of as many ``FitnessFatigueEnv`` does, to the
    bit and many times as fast: environment ``i`` of ``reset(seed=s)`` has the episodes of a scalar
    environment of ``reset(seed=s + i)``, for as many as follow.

    ## Arguments
    Those of ``FitnessFatigueEnv``, and

    - ``num_envs``: how many environments.
    - ``autoreset_mode``: an ``AutoresetMode`` or its value. With ``"NextStep"`` the step after a
      terminal one resets, whatever the action, with reward 0. With ``"SameStep"`` the terminal
      step itself resets; the last observations stand in ``infos["final_obs"]``, (num_envs, width)
      and NaN where an episode goes on, the last infos in ``infos["final_info"]``. With
      ``"Disabled"`` it is for the user to reset, with ``reset_mask``.

    Custom adherence is Python's matter: it is called for one environment after the other.
    ``render`` returns a tuple of what the scalar environments would.

    ``reset(seed=...)`` takes a number or one for each environment. ``reset(options=...)`` takes
    ``reset_mask``, (num_envs,) of bool: which environments to reset, and ``individual``: the
    person of their next episode alone, or a sequence of one for each environment. ``infos`` holds
    an array for each key of the scalar ``info`` and under ``_key`` which environments have it, as
    everywhere in Gymnasium.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012
        "render_modes": list(RENDER_MODES),
        "render_fps": RENDER_FPS,
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }

    def __init__(
        self,
        num_envs: int = 1,
        *,
        individual: IndividualLike = "recreational-runner",
        render_mode: str | None = None,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        **task: Unpack[TaskArguments],
    ) -> None:
        """Build the environments; see the class for the arguments.

        Raises:
            ValueError: If an argument is out of range.
            TypeError: If an argument is unknown or has the wrong type.
        """
        self.num_envs = require_integer("num_envs", num_envs, 1)
        if not isinstance(autoreset_mode, AutoresetMode):
            modes = [mode.value for mode in AutoresetMode]
            autoreset_mode = AutoresetMode(require_choice("autoreset_mode", autoreset_mode, modes))
        self.autoreset_mode = autoreset_mode
        self.metadata = {**self.metadata, "autoreset_mode": autoreset_mode}
        super().__init__(individual, render_mode, task)
        self.single_observation_space: spaces.Box = self._box
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.single_action_space = self.task.action_space()
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self._action_masks = np.tile(self._action_mask, (self.num_envs, 1))

        self._compiled = self._usual.adherence.compiled
        # A model in Python may remember: each environment has one of its own.
        self._usual_persons = [
            self._usual if self._compiled else self.task.prepare(self._usual.individual)
            for _ in range(self.num_envs)
        ]
        self._persons = list(self._usual_persons)
        # The first group is the usual one; those of other individuals come and go.
        size = None if self.population is None else self.num_envs
        self._groups = [Group.of(self._usual, size)]
        self._group_of = np.zeros(self.num_envs, dtype=np.int64)

        self._all = np.ones(self.num_envs, dtype=np.bool_)
        self._states = np.zeros(self.num_envs, dtype=STATE)
        # What the last day of each, or its reset, brought.
        self._outcomes = np.zeros(self.num_envs, dtype=OUTCOME)
        self._cost_meter = CostMeter(self.num_envs) if self.task.cost else None
        self._contexts = np.tile(self._usual.context, (self.num_envs, 1))
        self._generators = Generators(self.num_envs)
        # Random numbers of adherence models in Python.
        self._noise = [np.random.default_rng(0)] * self.num_envs
        self._started = False
        self._ended = np.zeros(self.num_envs, dtype=np.bool_)
        self._renderers = (
            [EpisodeRenderer(render_mode, self.task) for _ in range(self.num_envs)]
            if render_mode
            else []
        )

    def reset(
        self,
        *,
        seed: Seeds = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Observations, dict[str, Any]]:
        """Start an episode in every environment, or in some.

        Args:
            seed: Seed ``s``, for ``s + i`` in environment ``i``; or one for each environment;
                None goes on with the present generators.
            options: May hold ``reset_mask`` and ``individual``, see the class.

        Raises:
            ValueError: If a seed is negative, ``options`` has any other key or a wrong mask, or
                the individual does not fit into the observation space.
            TypeError: If a seed is no integer, or the mask no array of bool.
            ResetNeeded: If some environments are to be reset before all of them ever were.
        """
        # Everything is checked before a generator is seeded.
        others = self._other_individuals(options)
        chosen = self._reset_mask(options)
        seeds = checked_seeds(seed, self.num_envs)
        for index in np.flatnonzero(chosen).tolist():
            one = seeds[index]
            if one is not None:
                self._generators.seed(index, one)
        outcomes = np.zeros(self.num_envs, dtype=OUTCOME)
        self._begin(chosen, outcomes, others)
        self._started = True
        self._ended &= ~chosen
        plans = np.full(self.num_envs, NO_PLAN)
        self._outcomes = np.where(chosen, outcomes, self._outcomes)
        return self._observe(), self._infos(outcomes, chosen, plans, plans)

    def step(self, actions: Any) -> Steps:
        """Push a plan in every environment and take a step.

        Args:
            actions: (num_envs,) of 0 for no plan or 1 to 10 for a plan; with continuous plans
                (num_envs, 1) in [-1, 1].

        Returns:
            Observations (num_envs, width), rewards, terminated, truncated (never), each
            (num_envs,), and infos, all of them fresh arrays. Vector rewards are (num_envs, 3).

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
        plans, plans_trimp = self._read(actions, stepped)
        asked = plans
        if self.task.forbidden == "nearest":
            asked = np.where(stepped, np.asarray(actions), NO_PLAN)
        # New ones in each step, since infos are views of them: every environment fills in its own.
        outcomes = np.empty(self.num_envs, dtype=OUTCOME)
        ended = self._advance(stepped, outcomes, plans, plans_trimp)
        if self._cost_meter is not None:
            self._cost_meter.add(self._states, stepped)
        self._outcomes = outcomes
        infos: dict[str, Any] = {}
        if self.autoreset_mode is AutoresetMode.SAME_STEP:
            rewards = self._rewards(outcomes)
            if np.count_nonzero(ended):
                infos = self._final(ended, outcomes, plans, asked)
                self._begin(ended, outcomes)
                plans, asked = (np.where(ended, NO_PLAN, numbers) for numbers in (plans, asked))
        else:
            if np.count_nonzero(waiting):
                self._begin(waiting, outcomes)
            rewards = self._rewards(outcomes)
            self._ended = ended
        infos |= self._infos(outcomes, self._all, plans, asked)
        never = np.zeros(self.num_envs, dtype=np.bool_)
        return self._observe(), rewards, ended.copy(), never, infos

    def branch(self, seed: Seeds = None) -> Self:
        """Return a copy in the same states with other futures; see ``FitnessFatigueEnv.branch``.

        Args:
            seed: Seeds of the copy's generators, as in ``reset``; None for random ones.

        Raises:
            ValueError: If a seed is negative, or they are too few.
            TypeError: If a seed is no integer.
        """
        drawn = [seeding.np_random(one) for one in checked_seeds(seed, self.num_envs)]
        twin = copy.deepcopy(self)
        twin._give_generators(*zip(*drawn, strict=True))
        return twin

    def action_masks(self) -> NDArray[np.bool_]:
        """Return which actions may be taken in each environment, (num_envs, 11)."""
        return self._action_masks.astype(np.bool_)

    @property
    def individuals(self) -> tuple[Individual, ...]:
        """Who lives through the episode of each environment."""
        return tuple(person.individual for person in self._persons)

    @property  # type: ignore[override]
    def np_random(self) -> tuple[np.random.Generator, ...]:
        """The generator of each environment.

        Assigning others draws the noise of the steps to come anew where an episode is running.
        """
        return self._generators.all

    @np_random.setter  # type: ignore[override]
    def np_random(self, generators: Sequence[np.random.Generator]) -> None:
        self._give_generators(generators, [-1] * self.num_envs)

    @property
    def np_random_seed(self) -> tuple[int | None, ...]:  # type: ignore[override]
        """The seed of each environment's generator; -1 for a generator that was assigned."""
        return self._generators.seeds

    @property
    def states(self) -> NDArray[np.void]:
        """What each episode carries along, hidden motivation included, (num_envs,) of ``STATE``.

        A copy, for privileged references and tests, not for agents that are to be compared.
        """
        return self._states.copy()

    @property
    def people(self) -> NDArray[np.void]:
        """What the compiled step knows of each person, (num_envs,) of ``PERSON``; a copy.

        For privileged references, critics in training and tests, as ``states``.
        """
        return np.concatenate([person.record for person in self._persons])

    def batch(self) -> kernel.Batch:
        """Return the environments' own arrays, for compiled loops that step them in place.

        A learner's loop calls ``kernel.step_batch`` and ``kernel.observe_batch`` with them. It
        must end where an episode ends, and then call ``reset``; the next loop asks for the arrays
        again.

        Raises:
            ResetNeeded: If no episode is running.
            NotImplementedError: If the adherence is not a built-in one, plans are continuous,
                rewards are vectors, infos tell costs, some environments were reset with other
                individuals, or they render.
        """
        if not self._started or self._ended.any():
            raise ResetNeeded("batch was called with no episode running: call reset() first")
        if not self.has_batch or len(self._groups) > 1:
            raise NotImplementedError(
                "a batch is of environments with a built-in adherence, discrete plans, scalar "
                "rewards, no costs, no individual of their own and no rendering"
            )
        # The infos of the last step are views of its outcomes.
        self._outcomes = self._outcomes.copy()
        kind, _ = OBSERVATIONS[self.task.observation]
        group = self._groups[0]
        return kernel.Batch(
            self._states,
            self._outcomes,
            group.people,
            self._contexts,
            group.targets_trimp,
            group.models[0].code,
            group.tables,
            self.task.days,
            kind,
            self.task.observation == "person",
        )

    @property
    def has_batch(self) -> bool:
        """Whether ``batch`` can be called."""
        plain = self.task.reward == "scalar" and not self.task.cost and not self.task.continuous
        return self._compiled and plain and not self._renderers

    def preview_rewards(self) -> NDArray[np.float64]:
        """Return the reward that each action would earn today, (num_envs, 11), not taking it.

        It reads the noise of the day, so it is foresight: for references and tests, not for
        agents that are to be compared. Forbidden actions earn minus infinity.

        Raises:
            NotImplementedError: If the adherence is not a built-in one.
        """
        rewards = np.full((self.num_envs, self._action_mask.size), -np.inf)
        for action in np.flatnonzero(self._action_mask).tolist():
            actions = np.full(self.num_envs, action)
            rewards[:, action] = self.preview(actions)["reward"]
        return rewards

    def preview(self, actions: Any) -> NDArray[np.void]:
        """Return what today would bring with these actions, (num_envs,) of ``OUTCOME``.

        Nothing is taken, and the noise is the day's own: another call tells what other actions
        would have brought, so that differences are causal effects. For references, trials and
        tests, not for agents that are to be compared.

        Args:
            actions: As for ``step``.

        Raises:
            NotImplementedError: If the adherence is not a built-in one.
            ValueError: If an action may not be taken.
        """
        if not self._compiled:
            raise NotImplementedError("a custom adherence cannot be previewed")
        states, outcomes = self._states.copy(), np.zeros(self.num_envs, dtype=OUTCOME)
        ended = np.zeros(self.num_envs, dtype=np.bool_)
        _, plans_trimp = self._read(actions, self._all)
        for group, members in self._members(self._all):
            kernel.step_batch(
                states,
                outcomes,
                group.people,
                members,
                plans_trimp,
                group.models[0].code,
                group.tables,
                ended,
            )
        return outcomes

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """Return an attribute of each environment, as ``SyncVectorEnv`` does."""
        if name == "individual":
            return self.individuals
        if name == "state":
            return tuple(np.split(self.states, self.num_envs))
        return (getattr(self, name),) * self.num_envs

    def render(self) -> Any:
        """Return a tuple of what every environment renders; see ``FitnessFatigueEnv.render``.

        Raises:
            ResetNeeded: If no episode was started.
        """
        if not self._has_render_mode():
            return None
        return tuple(renderer.render() for renderer in self._renderers)

    def _other_individuals(self, options: dict[str, Any] | None) -> list[Person] | None:
        """Return who lives through the next episode of each environment, prepared; see ``reset``.

        Raises:
            ValueError: If there are too few or too many, or one does not fit into the space.
        """
        given = options.get("individual") if isinstance(options, Mapping) else None
        if options is None or not isinstance(given, Sequence) or isinstance(given, str):
            individual = self._other_individual(options, "reset_mask")
            return None if individual is None else [self.task.prepare(individual)] * self.num_envs
        rest = {name: value for name, value in options.items() if name != "individual"}
        self._other_individual(rest, "reset_mask")
        if len(given) != self.num_envs:
            raise ValueError(
                f"options['individual'] must name one person, or one for each of {self.num_envs} "
                f"environments, got {len(given)}"
            )
        prepared = {}
        for one in given:
            if id(one) not in prepared:
                prepared[id(one)] = self.task.prepare(self._fitting(one))
        return [prepared[id(one)] for one in given]

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

    def _give_generators(
        self, generators: Sequence[np.random.Generator], seeds: Sequence[int]
    ) -> None:
        """Replace all generators, and the noise of the steps to come of running episodes."""
        self._generators.give(generators, seeds)
        if self._started:
            running = np.flatnonzero(~self._ended).tolist()
            # Mixed, for a generator may be seeded as the episode's own was.
            keys = [split_mix(key, 0) for key in self._generators.keys(running)]
            self._states["key"][running] = keys
            self._begin_noise(running, keys)

    def _begin_noise(self, indices: Sequence[int], keys: Iterable[np.uint64]) -> None:
        """Give adherence models in Python their random numbers of the steps to come."""
        if not self._compiled:
            for index, key in zip(indices, keys, strict=True):
                self._noise[index] = np.random.default_rng(int(key))

    def _begin(
        self,
        chosen: NDArray[np.bool_],
        outcomes: NDArray[np.void],
        others: list[Person] | None = None,
    ) -> None:
        """Start an episode in the chosen environments.

        Args:
            chosen: (num_envs,) which of them.
            outcomes: Record array of ``OUTCOME`` (num_envs,), filled in for the chosen.
            others: The person of the episode in each environment; None for the usual ones.
        """
        indices = np.flatnonzero(chosen).tolist()
        keys = np.zeros(self.num_envs, dtype=np.uint64)
        # As in the scalar environment, the key is drawn before the person.
        keys[indices] = self._generators.keys(indices)
        self._begin_noise(indices, keys[indices])
        if self._cost_meter is not None:
            self._cost_meter.begin(chosen)
        for index in indices:
            person = self._next_person(index, others)
            self._persons[index] = person
            self._contexts[index] = person.context
        self._group_of[chosen] = 0
        group = self._groups[0]
        if others is not None:
            # A group for each of the people named, however many.
            numbers = {id(other): number for number, other in enumerate(others)}
            who = np.array([numbers[id(other)] for other in others])
            for number in np.unique(who[chosen]).tolist():
                living = (who == number) & chosen
                group = Group.of(others[number])
                self._group_of[living] = len(self._groups)
                self._groups.append(group)
                kernel.begin_batch(self._states, outcomes, group.people, living, group.starts, keys)
        elif self.population is None:
            kernel.begin_batch(self._states, outcomes, group.people, chosen, group.starts, keys)
        else:
            for index in indices:
                # Each person starts with other stocks.
                one, starts = slice(index, index + 1), self._persons[index].starts
                kernel.begin_batch(
                    self._states[one], outcomes[one], group.people[one], _ONLY, starts, keys[one]
                )
        self._drop_empty_groups()
        for index in indices if self._renderers else ():
            self._renderers[index].begin(outcomes[index], self._persons[index])

    def _next_person(self, index: int, others: list[Person] | None) -> Person:
        """Return the person of the next episode of one environment."""
        if others is not None:
            other = others[index]
            return other if self._compiled else self.task.prepare(other.individual)
        if self.population is None:
            return self._usual_persons[index]
        person = self.task.prepare(self.population.draw(self._generators.of(index)))
        group, table = self._groups[0].with_model(person.adherence)
        self._groups[0] = group
        group.people[index] = person.record[0]
        group.people["table"][index] = table
        return person

    def _drop_empty_groups(self) -> None:
        """Drop the groups that no environment is in any more, but for the usual one."""
        if len(self._groups) > 1:
            kept, self._group_of = np.unique(np.append(0, self._group_of), return_inverse=True)
            self._group_of = self._group_of[1:]
            self._groups = [self._groups[number] for number in kept]

    def _members(self, chosen: NDArray[np.bool_]) -> list[tuple[Group, NDArray[np.bool_]]]:
        """Return each group with those of the chosen environments that are in it."""
        if len(self._groups) == 1:
            return [(self._groups[0], chosen)]
        return [
            (group, chosen & (self._group_of == number))
            for number, group in enumerate(self._groups)
        ]

    def _read(
        self, actions: Any, chosen: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return numbers, ``NO_PLAN`` where there are none, and points of the plans pushed."""
        plans = np.full(self.num_envs, NO_PLAN, dtype=np.int64)
        plans_trimp = np.zeros(self.num_envs)
        for group, members in self._members(chosen):
            if self.task.continuous:
                read_continuous_actions(actions, members, group.targets_trimp, plans_trimp)
            else:
                read_actions(
                    actions, members, self._pushed, group.targets_trimp, plans, plans_trimp
                )
        return plans, plans_trimp

    def _advance(
        self,
        chosen: NDArray[np.bool_],
        outcomes: NDArray[np.void],
        plans: NDArray[np.int64],
        plans_trimp: NDArray[np.float64],
    ) -> NDArray[np.bool_]:
        """Take a step in the chosen environments, and return which episodes have ended."""
        before = self._states.copy() if self._renderers else self._states
        ended = np.zeros(self.num_envs, dtype=np.bool_)
        for group, members in self._members(chosen):
            if self._compiled:
                kernel.step_batch(
                    self._states,
                    outcomes,
                    group.people,
                    members,
                    plans_trimp,
                    group.models[0].code,
                    group.tables,
                    ended,
                )
            else:
                step_batch_in_python(
                    self._states,
                    outcomes,
                    group.people,
                    members,
                    plans_trimp,
                    [person.adherence for person in self._persons],
                    self._noise,
                    ended,
                )
        for index in np.flatnonzero(chosen).tolist() if self._renderers else ():
            self._renderers[index].add(outcomes[index], int(plans[index]), before[index])
        return ended

    def _rewards(self, outcomes: NDArray[np.void]) -> NDArray[np.float64]:
        """Return what the step earned, (num_envs,), or (num_envs, 3) with vector rewards."""
        if self.task.reward == "vector":
            return vector_rewards(outcomes, self._states["day"])
        return outcomes["reward"].copy()

    def _observe(self) -> Observations:
        kind, width = OBSERVATIONS[self.task.observation]
        observations = np.empty((self.num_envs, width), dtype=np.float32)
        kernel.observe_batch(self._states, self.task.days, kind, observations)
        if self.task.observation == "person":
            complete(observations, self._outcomes, self._contexts)
        return observations

    def _infos(
        self,
        outcomes: NDArray[np.void],
        present: NDArray[np.bool_],
        plans: NDArray[np.int64],
        asked: NDArray[np.int64],
    ) -> dict[str, Any]:
        """Return batched infos.

        Args:
            outcomes: Record array of ``OUTCOME`` (num_envs,), zero where there is no info.
            present: (num_envs,) which environments have an info.
            plans: (num_envs,) numbers of the plans that were pushed.
            asked: (num_envs,) numbers of the plans that were asked for.
        """
        own: dict[str, NDArray[Any]] = {}
        if not self.task.continuous:
            own = {"plan": plans, "action_mask": self._action_masks.copy()}
            if self.task.forbidden == "nearest":
                own["asked_plan"] = asked
        if self._cost_meter is not None:
            own["cost"] = self._cost_meter.costs.copy()
        if own and np.count_nonzero(present) < self.num_envs:
            own = {name: values.copy() for name, values in own.items()}
            for values in own.values():
                values[~present] = 0
        return batch_infos(outcomes, self._info_numbers, present, own)

    def _final(
        self,
        ended: NDArray[np.bool_],
        outcomes: NDArray[np.void],
        plans: NDArray[np.int64],
        asked: NDArray[np.int64],
    ) -> dict[str, Any]:
        """Return the last observations and infos of the episodes that have ended."""
        # One array of numbers, where SyncVectorEnv has one of objects that torch cannot take.
        final = self._observe()
        final[~ended] = np.nan
        info = self._infos(np.where(ended, outcomes, np.zeros(1, OUTCOME)), ended, plans, asked)
        return {
            "final_obs": final,
            "_final_obs": ended.copy(),
            "final_info": info,
            "_final_info": ended.copy(),
        }
