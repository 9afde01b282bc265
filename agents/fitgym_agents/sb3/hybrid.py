"""The paper's hybrid network for the algorithms of SB3 that have no memory: a stacked history.

What a person was observed to be on the last days stands in one observation, the LSTM runs over it
from zero, and the fully connected layers read what it knows on the last day.
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

__all__ = ["History", "HybridExtractor"]


@dataclass(frozen=True, eq=False)
class History:
    """What is observed on K days, scaled, the last day last; zeros before a season's first day.

    Days are scaled before they are stacked, and by scales that stay. ``VecNormalize`` around the
    stack would count those zeros among the observations, and scale each day of it otherwise.

    Attributes:
        normalisation: Scales of the observations.
        days: K.
    """

    normalisation: Normalisation
    days: int

    def environments(self, seasons: VecEnv) -> VecEnv:
        """Return environments whose observations are histories, (N, K I)."""
        return VecFrameStack(_ScaledObservations(seasons, self.normalisation), self.days)

    def extend(
        self,
        history: Observations | None,
        observation: Observations,
        episode_start: NDArray[np.bool_] | None = None,
    ) -> Observations:
        """Return the history with one more day, as the environments would show it.

        Args:
            history: Up to the day before, (N, K I); None if there is none.
            observation: Of the day, not scaled, (N, I).
            episode_start: For whom a season has just begun, (N,), which clears their history.
        """
        scaled = self.normalisation.observations(observation).numpy()
        width = scaled.shape[1]
        extended: Observations = np.zeros((len(scaled), self.days * width), dtype=np.float32)
        if history is not None:
            extended[:, :-width] = history[:, width:]
        if episode_start is not None:
            extended[np.asarray(episode_start)] = 0.0
        extended[:, -width:] = scaled
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
            observation_space: Of histories, (K I,).
            history: Days in them, K.
            memory_size: Units of the LSTM.
            hidden_sizes: Units of the fully connected layers, at least one.
        """
        *inner, last = hidden_sizes
        super().__init__(observation_space, features_dim=last)
        self._days = history
        # The output of this network is the last fully connected layer, but for its activation.
        self.network = HybridNetwork(
            observation_space.shape[0] // history,
            last,
            memory_size=memory_size,
            hidden_sizes=inner,
        )
        self.activation = nn.Tanh()

    def forward(self, observations: Tensor) -> Tensor:
        """Return features (N, F) of histories (N, K I)."""
        days = observations.reshape(len(observations), self._days, -1).transpose(0, 1)
        memory: Any = self.network.memory
        hidden, _ = memory(days)
        features: Tensor = self.activation(self.network.layers(hidden[-1]))
        return features


class _ScaledObservations(VecEnvWrapper):
    """Environments whose observations are scaled, those at the end of a season included."""

    def __init__(self, venv: VecEnv, normalisation: Normalisation) -> None:
        space = spaces.Box(-np.inf, np.inf, venv.observation_space.shape, np.float32)
        super().__init__(venv, observation_space=space)
        self._normalisation = normalisation

    def reset(self) -> NDArray[Any]:
        return self._scaled(self.venv.reset())

    def step_wait(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], list[dict[str, Any]]]:
        observations, rewards, dones, infos = self.venv.step_wait()
        for index in np.flatnonzero(dones).tolist():
            infos[index]["terminal_observation"] = self._scaled(
                infos[index]["terminal_observation"]
            )
        return self._scaled(observations), rewards, dones, infos

    def _scaled(self, observations: Any) -> NDArray[Any]:
        return self._normalisation.observations(observations).numpy()
