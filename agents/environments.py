"""How agents get their environments: by import-free id, so that any process can make them."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv

from fitgym.adherence import CustomAdherence
from fitgym.envs.scalar import FitnessFatigueEnv
from fitgym.individual import Individual

__all__ = [
    "EnvironmentFactory",
    "import_free_id",
    "json_able",
    "log_part",
    "make_vector_env",
    "shared_attribute",
]


def import_free_id(env_id: str) -> str:
    """Return ``env_id`` in the form that imports fitgym on the way (``fitgym:fitgym/...``).

    A spawned process, as of ``SubprocVecEnv`` or ``AsyncVectorEnv``, has not imported fitgym, and
    would not know the plain id.
    """
    return f"fitgym:{env_id}" if env_id.startswith("fitgym/") else env_id


def log_part(env_id: str, part: str) -> dict[str, str]:
    """Return the argument that restricts replay to a part of the log; none for other environments.

    Learners train on windows of ``"train"``, and everybody is evaluated on those of ``"test"``.
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
        """
        environment = gym.make(import_free_id(self.env_id), **dict(self.env_kwargs or {}))
        if not isinstance(environment.unwrapped, FitnessFatigueEnv):
            raise TypeError(
                "env_id must name an environment of fitgym, got "
                f"{self.env_id!r}, a {type(environment.unwrapped).__name__}"
            )
        return environment


def make_vector_env(
    env_id: str, num_envs: int, env_kwargs: Mapping[str, Any] | None = None
) -> VectorEnv[Any, Any, Any]:
    """Return environments that reset within the step, compiled unless their adherence is custom.

    Args:
        env_id: Registered id, plain or import-free.
        num_envs: How many.
        env_kwargs: Arguments of the environment.

    Raises:
        TypeError: If the id is not one of fitgym's environments.
    """
    factory = EnvironmentFactory(env_id, env_kwargs)
    single = factory().unwrapped
    assert isinstance(single, FitnessFatigueEnv)
    if isinstance(single.adherence, CustomAdherence):
        # Somebody's Python class, which the compiled loop cannot call.
        return SyncVectorEnv([factory] * num_envs, autoreset_mode=AutoresetMode.SAME_STEP)
    return gym.make_vec(
        import_free_id(env_id),
        num_envs,
        autoreset_mode=AutoresetMode.SAME_STEP.value,
        **dict(env_kwargs or {}),
    )


def shared_attribute(environments: VectorEnv[Any, Any, Any], name: str) -> Any:
    """Return an attribute that all of the environments of ``make_vector_env`` share."""
    getter: Any = environments
    return getter.get_attr(name)[0]


def json_able(env_kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of an environment with an individual written out, for a file."""
    return {
        name: value.to_dict() if isinstance(value, Individual) else value
        for name, value in env_kwargs.items()
    }
