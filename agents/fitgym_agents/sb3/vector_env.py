"""Gymnasium's vector environments as Stable-Baselines3 wants them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv


class VectorEnvAdapter(VecEnv):
    """A ``gymnasium.vector.VectorEnv`` behind SB3's interface, without a loop over environments.

    The infos are empty but for the end of an episode, when they hold ``terminal_observation`` and
    ``TimeLimit.truncated``.

    Attributes:
        env: The vector environment.
    """

    def __init__(self, env: VectorEnv[Any, Any, Any]) -> None:
        """Wrap a vector environment.

        Args:
            env: It must reset within the step (``AutoresetMode.SAME_STEP``), as SB3's do.

        Raises:
            ValueError: If it does not.
        """
        mode = env.metadata.get("autoreset_mode")
        if mode is not AutoresetMode.SAME_STEP:
            raise ValueError(
                f"env must have autoreset_mode={AutoresetMode.SAME_STEP.value!r}, got {mode}"
            )
        self.env = env
        self._actions: NDArray[Any] | None = None
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)

    def reset(self) -> NDArray[Any]:
        """Start an episode in every environment, with the seeds and options set before.

        Raises:
            ValueError: If the options differ between environments.
        """
        options = self._options[0]
        if any(other != options for other in self._options[1:]):
            raise ValueError("options must be the same for all environments")
        seeds: Any = list(self._seeds)
        observations, _ = self.env.reset(seed=seeds, options=dict(options) or None)
        self._reset_seeds()
        self._reset_options()
        return np.asarray(observations)

    def step_async(self, actions: NDArray[Any]) -> None:
        """Remember the actions for ``step_wait``."""
        self._actions = actions

    def step_wait(
        self,
    ) -> tuple[NDArray[Any], NDArray[np.float32], NDArray[np.bool_], list[dict[str, Any]]]:
        """Take the step; see ``VecEnv``."""
        observations, rewards, terminated, truncated, batched = self.env.step(self._actions)
        dones = terminated | truncated
        infos: list[dict[str, Any]] = list(map(dict, repeat((), self.num_envs)))
        for index in np.flatnonzero(dones).tolist():
            infos[index] = {
                "terminal_observation": batched["final_obs"][index],
                "TimeLimit.truncated": bool(truncated[index] and not terminated[index]),
            }
        return np.asarray(observations), rewards.astype(np.float32), dones, infos

    def close(self) -> None:
        """Close the environments."""
        self.env.close()

    def get_attr(self, attr_name: str, indices: int | Iterable[int] | None = None) -> list[Any]:
        """Return an attribute of the environments asked for."""
        if hasattr(self.env, "get_attr"):
            values = self.env.get_attr(attr_name)
        else:
            values = (getattr(self.env, attr_name),) * self.num_envs
        return [values[index] for index in self._get_indices(indices)]

    def set_attr(
        self, attr_name: str, value: Any, indices: int | Iterable[int] | None = None
    ) -> None:
        """Refuse: the environments are one object."""
        raise NotImplementedError(f"{attr_name} cannot be set: make environments with it instead")

    def env_method(
        self,
        method_name: str,
        *method_args: Any,
        indices: int | Iterable[int] | None = None,
        **method_kwargs: Any,
    ) -> list[Any]:
        """Return each environment's ``action_masks``, as MaskablePPO asks for them.

        Raises:
            NotImplementedError: If another method is asked for: the environments are one object.
        """
        if method_name != "action_masks":
            raise NotImplementedError(f"{method_name} cannot be called for single environments")
        environments: Any = self.env
        masks = environments.action_masks(*method_args, **method_kwargs)
        return [masks[index] for index in self._get_indices(indices)]

    def env_is_wrapped(
        self,
        wrapper_class: type[gym.Wrapper[Any, Any, Any, Any]],
        indices: int | Iterable[int] | None = None,
    ) -> list[bool]:
        """Return False for each: a vector environment's wrappers wrap all of them at once."""
        return [False] * len(list(self._get_indices(indices)))


class StaggeredEpisodes(VectorEnvAdapter):
    """Environments whose first episodes are at different steps when training starts.

    Were all environments in step, every update would see the same few steps of the episode, and
    the values of the others would be unlearnt in between.
    """

    def __init__(self, env: VectorEnv[Any, Any, Any]) -> None:
        """Wrap a vector environment; see ``VectorEnvAdapter``."""
        super().__init__(env)
        length = self.get_attr("days")[0]
        # Steps of each environment's first episode that are over when training starts.
        self._leads: NDArray[np.int64] | None = np.arange(self.num_envs) * length // self.num_envs

    def reset(self) -> NDArray[Any]:
        """Start an episode in every environment, at first each at another step of it."""
        seed = self._seeds[0]
        observations = super().reset()
        if self._leads is not None:
            # All take random actions together, and begin anew when their own should start.
            self.env.action_space.seed(seed)
            for lead in reversed(range(self._leads.max())):
                observations, *_ = self.env.step(self.env.action_space.sample())
                starting = self._leads == lead
                if starting.any():
                    observations, _ = self.env.reset(options={"reset_mask": starting})
            self._leads = None
        return observations
