"""The hybrid network for the algorithms of SB3 without a recurrent policy: a stack of observations.

The last K observations stand in one, the LSTM runs over them from zero, and the fully connected
layers read its last hidden state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper, VecFrameStack
from torch import Tensor, nn

from fitgym_agents.agent import Observations
from fitgym_agents.deep.networks import HybridNetwork
from fitgym_agents.deep.normalisation import Normalisation


@dataclass(frozen=True, eq=False)
class ObservationHistory:
    """A stack of the last K normalised observations, the latest last; zeros before an episode.

    Observations are normalised before they are stacked, and by a fixed normalisation.
    ``VecNormalize`` around the stack would count those zeros among the observations, and scale
    each observation of it otherwise.

    Attributes:
        normalisation: Of the observations.
        length: K.
    """

    normalisation: Normalisation
    length: int

    def environments(self, environments: VecEnv) -> VecEnv:
        """Return environments whose observations are stacks, (N, K I)."""
        return VecFrameStack(_NormalisedObservations(environments, self.normalisation), self.length)

    def extend(
        self,
        stack: Observations | None,
        observation: Observations,
        episode_start: NDArray[np.bool_] | None = None,
    ) -> Observations:
        """Return the stack with one more observation, as the environments would show it.

        Args:
            stack: Up to the step before, (N, K I); None if there is none.
            observation: Not normalised, (N, I).
            episode_start: Where an episode has just begun, (N,), which clears the stack.
        """
        normalised = self.normalisation.observations(observation).numpy()
        width = normalised.shape[1]
        extended: Observations = np.zeros((len(normalised), self.length * width), dtype=np.float32)
        if stack is not None:
            extended[:, :-width] = stack[:, width:]
        if episode_start is not None:
            extended[np.asarray(episode_start)] = 0.0
        extended[:, -width:] = normalised
        return extended


class HybridExtractor(BaseFeaturesExtractor):
    """The hybrid network up to its last hidden layer; SB3's policies add the linear output."""

    def __init__(
        self,
        observation_space: spaces.Box,
        *,
        history: int,
        memory_size: int,
        hidden_sizes: Sequence[int],
    ) -> None:
        """Make an untrained network with torch's global generator.

        Args:
            observation_space: Of stacks, (K I,).
            history: Observations in them, K.
            memory_size: Units of the LSTM.
            hidden_sizes: Units of the fully connected layers, at least one.
        """
        *inner, last = hidden_sizes
        super().__init__(observation_space, features_dim=last)
        self._length = history
        # The output of this network is the last fully connected layer, but for its activation.
        self.network = HybridNetwork(
            observation_space.shape[0] // history,
            last,
            memory_size=memory_size,
            hidden_sizes=inner,
        )
        self.activation = nn.Tanh()

    def forward(self, observations: Tensor) -> Tensor:
        """Return features (N, F) of stacks (N, K I)."""
        steps = observations.reshape(len(observations), self._length, -1).transpose(0, 1)
        lstm: Any = self.network.memory
        hidden, _ = lstm(steps)
        features: Tensor = self.activation(self.network.layers(hidden[-1]))
        return features


class _NormalisedObservations(VecEnvWrapper):
    """Environments with normalised observations, those at the end of an episode included."""

    def __init__(self, venv: VecEnv, normalisation: Normalisation) -> None:
        space = spaces.Box(-np.inf, np.inf, venv.observation_space.shape, np.float32)
        super().__init__(venv, observation_space=space)
        self._normalisation = normalisation

    def reset(self) -> NDArray[Any]:
        return self._normalised(self.venv.reset())

    def step_wait(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], list[dict[str, Any]]]:
        observations, rewards, dones, infos = self.venv.step_wait()
        for index in np.flatnonzero(dones).tolist():
            infos[index]["terminal_observation"] = self._normalised(
                infos[index]["terminal_observation"]
            )
        return self._normalised(observations), rewards, dones, infos

    def _normalised(self, observations: Any) -> NDArray[Any]:
        return self._normalisation.observations(observations).numpy()
