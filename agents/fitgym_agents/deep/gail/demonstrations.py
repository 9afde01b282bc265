"""Demonstrations: recorded episodes of an expert, in a file without pickle."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from fitgym.common.files import write_bytes
from fitgym.common.provenance import versions
from fitgym.common.validation import require_count, require_integer
from fitgym.envs.scalar import FitnessFatigueEnv
from fitgym_agents.agent import Agent
from fitgym_agents.environments import EnvironmentFactory, json_able, make_vector_env
from fitgym_agents.evaluation import FIRST_TRAINING_SEED, play
from fitgym_agents.references.planning import DynamicProgramming
from fitgym_agents.references.simple import Foresight

# The first seed of demonstrated episodes. Those of evaluation begin at a million and those of
# training at 2^31; with a range of its own in between, no episode that an imitator was shown is
# one that it is evaluated on or trains in.
FIRST_DEMONSTRATION_SEED = 2**30

_FORMAT = "fitgym demonstrations 1"


@dataclass(frozen=True, eq=False)
class Demonstrations:
    """Demonstrations: E whole episodes of T steps.

    Attributes:
        observations: What a learner would have seen before each step, (E, T, I), float32, even if
            the expert saw more.
        actions: Taken, (E, T), int64.
        returns: Undiscounted return of each episode, (E,). They tell how good the expert is;
            imitators do not learn from them.
        env_id: Registered id.
        env_kwargs: Arguments of the environment, as JSON-able values.
        agent: Name of the expert.
        seed: Episode i is that of the environment's seed ``FIRST_DEMONSTRATION_SEED + seed + i``.
        versions: Of the packages that they were made with.
    """

    observations: NDArray[np.float32]
    actions: NDArray[np.int64]
    returns: NDArray[np.float64]
    env_id: str
    env_kwargs: dict[str, Any]
    agent: str
    seed: int
    versions: dict[str, str]

    def __post_init__(self) -> None:
        """Check types, shapes and values.

        Raises:
            ValueError: If they are not as described above.
        """
        shape = self.actions.shape
        for name, wanted, dimensions in (
            ("observations", np.float32, 3),
            ("actions", np.int64, 2),
            ("returns", np.float64, 1),
        ):
            array = getattr(self, name)
            if array.dtype != wanted or array.ndim != dimensions or not array.size:
                raise ValueError(
                    f"{name} must be {np.dtype(wanted)} with {dimensions} axes, none of them "
                    f"empty, got {array.dtype} of shape {array.shape}"
                )
            if array.shape[:2] != shape[: min(dimensions, 2)]:
                raise ValueError(
                    f"{name} must be of as many episodes and steps as the actions, {shape}, got "
                    f"the shape {array.shape}"
                )
            wrong = np.argwhere(~np.isfinite(array))
            if wrong.size:
                place = tuple(wrong[0].tolist())
                raise ValueError(f"{name} must be finite, got {array[place]} at {list(place)}")

    @property
    def episodes(self) -> int:
        """Number of episodes, E."""
        return len(self.actions)

    def first(self, episodes: int) -> Self:
        """Return the first episodes.

        Raises:
            ValueError: If there are not as many.
        """
        if episodes > self.episodes:
            raise ValueError(
                f"there must be at least {episodes} demonstrated episodes, got {self.episodes}"
            )
        return replace(
            self,
            observations=self.observations[:episodes],
            actions=self.actions[:episodes],
            returns=self.returns[:episodes],
        )

    def require_suitable(self, environment: FitnessFatigueEnv) -> None:
        """Check that they are whole episodes of the environment that an imitator is to act in.

        Args:
            environment: The unwrapped environment.

        Raises:
            ValueError: If they are of another environment, of parts of episodes, of another
                number of observed numbers, or with plans that cannot be chosen.
        """
        there, here = _facts(_environment(self.env_id, self.env_kwargs)), _facts(environment)
        for name, value in here.items():
            if there[name] != value:
                raise ValueError(
                    "demonstrations must be of the environment that is learnt in, but their "
                    f"{name} is {_short(there[name])} in place of {_short(value)}"
                )
        steps, width = self.observations.shape[1:]
        inputs = environment.observation_space.shape[0]
        if width != inputs:
            raise ValueError(
                f"demonstrations must hold {inputs} numbers per observation, got {width}"
            )
        if steps != environment.days:
            raise ValueError(
                f"demonstrations must be whole episodes of {environment.days} steps, got {steps} "
                "steps"
            )
        allowed = np.flatnonzero(environment.action_mask)
        others = np.setdiff1d(self.actions, allowed).tolist()
        if others:
            raise ValueError(
                f"demonstrations must choose among the actions {allowed.tolist()}, got {others}"
            )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write them to a safetensors file, atomically."""
        from safetensors.numpy import save

        facts = {
            "env_id": self.env_id,
            "env_kwargs": self.env_kwargs,
            "agent": self.agent,
            "seed": self.seed,
            "versions": self.versions,
        }
        tensors = {
            name: np.ascontiguousarray(getattr(self, name))
            for name in ("observations", "actions", "returns")
        }
        # One key alone: safetensors writes several in an order drawn anew each time.
        write_bytes(path, save(tensors, {_FORMAT: json.dumps(facts)}))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Return what ``save`` wrote.

        Raises:
            OSError: If there is no such file, or it is a folder.
            ValueError: If the file is damaged or holds something else.
        """
        from safetensors import SafetensorError, safe_open

        if os.path.isdir(path):
            raise IsADirectoryError(f"{os.fspath(path)} must be a safetensors file, is a folder")
        try:
            with safe_open(path, framework="numpy") as content:
                metadata = content.metadata() or {}
                tensors = {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118
        except SafetensorError as error:
            raise ValueError(
                f"{os.fspath(path)} is no readable safetensors file: {error}"
            ) from None
        facts = metadata.get(_FORMAT)
        if facts is None and metadata.get("format") == _FORMAT:
            # As version 0.1 wrote it.
            facts = metadata.get("facts", "{}")
        if facts is None:
            raise ValueError(f"{os.fspath(path)} must hold {_FORMAT!r}, got {metadata!r:.200}")
        try:
            return cls(**tensors, **json.loads(facts))
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"{os.fspath(path)} is damaged: {error}") from None


def record(
    agent: Agent,
    env_id: str,
    *,
    env_kwargs: Mapping[str, Any] | None = None,
    episodes: int = 100,
    seed: int = 0,
) -> Demonstrations:
    """Let an expert act, and keep what a learner would have seen and what the expert did.

    Args:
        agent: The expert; it acts at its best, without drawing.
        env_id: Registered id.
        env_kwargs: Arguments of the environment.
        episodes: Whole episodes, E.
        seed: Episode i is that of the environment's seed ``FIRST_DEMONSTRATION_SEED + seed + i``.

    Raises:
        ValueError: If an argument is out of range, or the expert cannot act there.
        TypeError: If an argument has the wrong type.
    """
    require_count("episodes", episodes)
    require_integer("seed", seed, 0, FIRST_TRAINING_SEED - FIRST_DEMONSTRATION_SEED - episodes)
    first = FIRST_DEMONSTRATION_SEED + seed
    environments = make_vector_env(env_id, episodes, env_kwargs, AutoresetMode.DISABLED)
    steps = list(play(agent, environments, seed=first))
    environments.close()
    return Demonstrations(
        observations=np.stack([step.observations for step in steps[:-1]], axis=1),
        actions=np.stack([step.actions for step in steps if step.actions is not None], axis=1),
        returns=np.sum([step.rewards for step in steps], axis=0),
        env_id=env_id,
        env_kwargs=json_able(env_kwargs),
        agent=agent.name,
        seed=seed,
        versions=versions(),
    )


def expert_for(env_id: str, env_kwargs: Mapping[str, Any] | None = None) -> Agent:
    """Return the best agent that is known without learning: what an imitator takes as its expert.

    Under replay adherence it is perfect foresight, and else the dynamic program, which refuses
    what it cannot solve when it is prepared.

    Args:
        env_id: Registered id.
        env_kwargs: Arguments of the environment.
    """
    exogenous = _environment(env_id, env_kwargs).adherence.exogenous
    return Foresight() if exogenous else DynamicProgramming()


def _environment(env_id: str, env_kwargs: Mapping[str, Any] | None) -> FitnessFatigueEnv:
    environment = EnvironmentFactory(env_id, env_kwargs)().unwrapped
    assert isinstance(environment, FitnessFatigueEnv)
    return environment


def _facts(environment: FitnessFatigueEnv) -> dict[str, Any]:
    """Return all that makes an environment what it is, by name, as JSON-able values."""
    population = environment.population is not None
    person = "population" if population else environment.individual.to_dict()
    facts = {**asdict(environment.task), "individual": person}
    result: dict[str, Any] = json.loads(json.dumps(facts))
    return result


def _short(value: Any) -> str:
    """Return a value as text; of a person the name."""
    return repr(value.get("name") if isinstance(value, dict) else value)
