"""Making environments for agents, in this process and in others."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import NDArray

from fitgym.envs.scalar import FitnessFatigueEnv
from fitgym.envs.task import Task
from fitgym.people.individual import Individual, load_individual


def import_free_id(env_id: str) -> str:
    """Return ``env_id`` in the form that imports fitgym on the way (``fitgym:fitgym/...``).

    A spawned process, as of ``SubprocVecEnv`` or ``AsyncVectorEnv``, has not imported fitgym, and
    would not know the plain id.
    """
    return f"fitgym:{env_id}" if env_id.startswith("fitgym/") else env_id


def log_part(env_id: str, part: str) -> dict[str, str]:
    """Return the argument that restricts replay to a part of the log; none for other environments.

    Learners train on the part ``"train"``, and all agents are evaluated on the part ``"test"``.
    """
    # Unlike gym.make, gym.spec does not import what stands before the colon.
    module, _, plain = env_id.rpartition(":")
    if module:
        importlib.import_module(module)
    replay = gym.spec(plain).kwargs.get("adherence") == "replay"
    return {"log_part": part} if replay else {}


@dataclass(frozen=True)
class EnvironmentFactory:
    """Makes one environment per call; can be sent to another process.

    Attributes:
        env_id: Registered id, plain or import-free.
        env_kwargs: Arguments of the environment.
    """

    env_id: str
    env_kwargs: Mapping[str, Any] | None = None

    def __call__(self) -> gym.Env[Any, Any]:
        """Return a new environment.

        Raises:
            TypeError: If the id is not one of fitgym's environments.
            ValueError: If an argument is wrong, or rewards are vectors, which no agent here takes.
        """
        environment = gym.make(import_free_id(self.env_id), **dict(self.env_kwargs or {}))
        if not isinstance(environment.unwrapped, FitnessFatigueEnv):
            raise TypeError(
                "env_id must name an environment of fitgym, got "
                f"{self.env_id!r}, a {type(environment.unwrapped).__name__}"
            )
        if environment.unwrapped.task.reward != "scalar":
            raise ValueError(
                "agents and evaluations need reward='scalar', got "
                f"reward={environment.unwrapped.task.reward!r}, which is for multi-objective "
                "algorithms such as those of MO-Gymnasium"
            )
        return environment


def make_vector_env(
    env_id: str,
    num_envs: int,
    env_kwargs: Mapping[str, Any] | None = None,
    autoreset_mode: AutoresetMode = AutoresetMode.SAME_STEP,
) -> VectorEnv[Any, Any, Any]:
    """Return environments of fitgym in one vector environment.

    Args:
        env_id: Registered id, plain or import-free.
        num_envs: How many.
        env_kwargs: Arguments of the environment.
        autoreset_mode: When they reset; by default within the step that ends an episode.

    Raises:
        TypeError: If the id is not one of fitgym's environments.
    """
    # A single one checks the id and the arguments.
    EnvironmentFactory(env_id, env_kwargs)()
    return gym.make_vec(
        import_free_id(env_id),
        num_envs,
        autoreset_mode=autoreset_mode.value,
        **dict(env_kwargs or {}),
    )


def shared_attribute(environments: VectorEnv[Any, Any, Any], name: str) -> Any:
    """Return an attribute that all of the environments of ``make_vector_env`` share."""
    getter: Any = environments
    return getter.get_attr(name)[0]


def require_as_trained(name: str, observation: str, mask: NDArray[np.bool_], task: Task) -> None:
    """Check that the agent was trained on this observation and action space.

    Args:
        name: What to call the agent in messages.
        observation: Which observation it was trained on.
        mask: Which actions it may choose, (actions,).
        task: Task of the environments that it is to act in.

    Raises:
        ValueError: If the task has another observation, or masks an action that it may choose.
    """
    if task.observation != observation:
        raise ValueError(
            f"{name} was trained with observation={observation!r}, and the environment has "
            f"observation={task.observation!r}"
        )
    forbidden = np.flatnonzero(mask & (task.action_mask() == 0)).tolist()
    if forbidden and getattr(task, "forbidden", "error") != "nearest":
        raise ValueError(
            f"{name} may choose plans that the environment forbids: {forbidden}; train it with "
            "the same forbidden_plans"
        )


def json_able(env_kwargs: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return arguments of an environment as JSON-able values that need no other file.

    An individual, or the file of one, is written out; numpy's numbers become Python's.
    """
    arguments = dict(env_kwargs or {})
    person = arguments.get("individual")
    if isinstance(person, Individual | os.PathLike) or str(person).endswith(".json"):
        arguments["individual"] = load_individual(arguments["individual"]).to_dict()
    result: dict[str, Any] = json.loads(json.dumps(arguments, default=_plain))
    return result


def _plain(value: object) -> Any:
    """Return numpy's numbers and arrays as Python's."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(
        f"an argument of the environment cannot be written to a file: {value!r} of type "
        f"{type(value).__name__}"
    )
