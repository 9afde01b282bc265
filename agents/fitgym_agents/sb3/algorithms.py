"""Stable-Baselines3's DQN, PPO, A2C and RecurrentPPO as agents, set up for these environments.

The algorithms are used as they are. What is here are the environments they learn in, the
normalisation that is kept with the weights, and files without pickle.

DQN, PPO and A2C come with SB3's MLP or with the hybrid network over a stack of observations (see
``fitgym_agents.sb3.hybrid``). RecurrentPPO's ``MlpLstmPolicy`` is the hybrid network as it stands:
an LSTM for policy and value each, then the fully connected layers, then a linear output.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
import sb3_contrib
import stable_baselines3
import torch
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.running_mean_std import RunningMeanStd
from stable_baselines3.common.utils import LinearSchedule
from stable_baselines3.common.vec_env import VecMonitor, VecNormalize

from fitgym.common.validation import require_integer
from fitgym_agents.agent import Actions, Observations, Progress
from fitgym_agents.deep.normalisation import Normalisation
from fitgym_agents.environments import make_vector_env
from fitgym_agents.sb3.hybrid import HybridExtractor, ObservationHistory
from fitgym_agents.sb3.settings import (
    A2CConfiguration,
    DQNConfiguration,
    HistoryConfiguration,
    PPOConfiguration,
    RecurrentPPOConfiguration,
)
from fitgym_agents.sb3.vector_env import StaggeredEpisodes, VectorEnvAdapter
from fitgym_agents.settings import Configuration
from fitgym_agents.torch_state import (
    module_arrays,
    optimiser_arrays,
    restore_module,
    restore_optimiser,
)
from fitgym_agents.trained import CurveRecorder, TrainedAgent, part

Settings = TypeVar("Settings", bound=Configuration)


class StableBaselinesAgent(TrainedAgent[Settings]):
    """An algorithm of Stable-Baselines3 or sb3-contrib behind the agents' interface.

    Training seeds the global generators of Python, numpy and torch, as SB3 does.

    Attributes:
        name: The algorithm's name, and whether its network is the hybrid one.
        model: SB3's model.
        history: The stack of observations that the hybrid network sees; None with the MLP.
    """

    # Whether the first training episodes are cut short so that they end at different times.
    staggered: ClassVar[bool] = True
    # Whether the policy has two networks, an actor and a critic.
    actor_critic: ClassVar[bool] = True
    model: BaseAlgorithm

    def __init__(
        self,
        env_id: str,
        *,
        env_kwargs: Mapping[str, Any] | None = None,
        seed: int = 0,
        settings: Settings | None = None,
        normalisation: Normalisation | None = None,
    ) -> None:
        """Make the training environments and an untrained model; see ``TrainedAgent``.

        Args:
            env_id: Registered id.
            env_kwargs: Arguments of the environment.
            seed: Seed of weights, exploration and training episodes.
            settings: The configuration; None for the defaults.
            normalisation: Of the stacked observations; None to measure it in episodes of random
                actions.

        Raises:
            ValueError: If an argument is out of range, actions are continuous, or the environment
                refuses forbidden plans, which these algorithms cannot mask.
            TypeError: If an argument has the wrong type.
        """
        super().__init__(env_id, env_kwargs=env_kwargs, seed=seed, settings=settings)
        environments = make_vector_env(env_id, self.settings.environments, env_kwargs)
        adapter = (StaggeredEpisodes if self.staggered else VectorEnvAdapter)(environments)
        monitored = VecMonitor(adapter)
        nearest = getattr(monitored.get_attr("task")[0], "forbidden", "error") == "nearest"
        if not (nearest or self.mask.all()):
            raise ValueError(
                f"{self.name} chooses among all plans: give it an environment without "
                "forbidden_plans, or with forbidden='nearest'"
            )
        # The environment then takes the nearest allowed plan, so that any may be chosen.
        self.mask = torch.ones_like(self.mask)
        discount = self.settings.discount
        self.history: ObservationHistory | None = None
        if isinstance(self.settings, HistoryConfiguration) and self.settings.network == "hybrid":
            self.name = f"{self.name} (hybrid)"
            self.history = ObservationHistory(
                normalisation
                or Normalisation.measure(
                    environments, self.episode_length, discount, self.training_seed()
                ),
                self.settings.history,
            )
            self._environments = VecNormalize(
                self.history.environments(monitored), norm_obs=False, gamma=discount
            )
        else:
            self._environments = VecNormalize(monitored, gamma=discount)
        self.model = self._make_model()
        # Without a logger of our own, SB3 leaves a folder in the temporary directory.
        self.model.set_logger(Logger(folder=None, output_formats=[]))

    @abstractmethod
    def _make_model(self) -> BaseAlgorithm:
        """Return SB3's model for ``self._environments`` and ``self.settings``."""

    def _shared_arguments(self) -> dict[str, Any]:
        """Return the arguments of SB3's model that all four algorithms share."""
        policy: dict[str, Any] = {"net_arch": list(self.settings.hidden_sizes)}
        if isinstance(self.settings, HistoryConfiguration) and self.history is not None:
            policy = {
                "net_arch": [],
                "features_extractor_class": HybridExtractor,
                "features_extractor_kwargs": {
                    "history": self.settings.history,
                    "memory_size": self.settings.memory_size,
                    "hidden_sizes": self.settings.hidden_sizes,
                },
            }
            if self.actor_critic:
                policy["share_features_extractor"] = False
        return {
            "env": self._environments,
            "learning_rate": LinearSchedule(self.settings.learning_rate, 0.0, 1.0),
            "gamma": self.settings.discount,
            "policy_kwargs": policy,
            "seed": self.seed,
            "device": "cpu",
        }

    @property
    def parameters(self) -> int:
        """Number of weights that are learnt."""
        groups = self.model.policy.optimizer.param_groups
        return sum(weight.numel() for group in groups for weight in group["params"])

    def predict(
        self,
        observation: Observations,
        state: Any = None,
        episode_start: NDArray[np.bool_] | None = None,
        deterministic: bool = True,
    ) -> tuple[Actions, Any]:
        """Choose actions by the policy learnt so far; see ``Agent.predict``.

        The deterministic action is the most probable, or for DQN the most valuable one. Others
        are drawn with torch's global generator; DQN never draws.
        """
        # The policy's own method: DQN's would explore at the rate of its last training step.
        predict = self.model.policy.predict
        if self.history is not None:
            state = self.history.extend(state, observation, episode_start)
            actions, _ = predict(state, deterministic=deterministic)
        else:
            seen = self._environments.normalize_obs(observation)
            actions, state = predict(seen, state, episode_start, deterministic)
        return np.asarray(actions, dtype=np.int64), state

    def learn(self, total_timesteps: int, *, progress: Progress | None = None) -> Self:
        """Learn for some more environment steps; see ``TrainedAgent.learn``.

        A loaded agent keeps weights, optimiser and normalisation; DQN starts with an empty replay
        buffer.
        """
        require_integer("total_timesteps", total_timesteps, 1)
        torch.set_num_threads(1)
        # A seed for this call alone, so that its result does not depend on what the process did
        # before.
        self.model.set_random_seed(self.training_seed())
        self.model.learn(
            total_timesteps,
            callback=_Watch(self, progress),
            reset_num_timesteps=False,
        )
        return self

    def configuration(self) -> dict[str, Any]:
        """Return environment, seed, settings, progress and learning curve."""
        return {**super().configuration(), "updates": self.model._n_updates}

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return weights, the optimiser's state and the normalisation."""
        policy = self.model.policy
        arrays = module_arrays(policy, "policy") | optimiser_arrays(policy.optimizer, "optimizer")
        for name, moments in self._moments().items():
            for moment in ("mean", "var", "count"):
                array = np.asarray(getattr(moments, moment), dtype=np.float64)
                arrays[f"{name}.{moment}"] = array
        if self.history is not None:
            for name, array in self.history.normalisation.tensors().items():
                arrays[f"history.{name}"] = array
        return arrays

    @classmethod
    def _untrained(
        cls, configuration: dict[str, Any], settings: Settings, tensors: dict[str, NDArray[Any]]
    ) -> Self:
        saved = part(tensors, "history")
        return cls(
            configuration["env_id"],
            env_kwargs=configuration["env_kwargs"],
            seed=configuration["seed"],
            settings=settings,
            normalisation=Normalisation.from_tensors(saved) if saved else None,
        )

    def _restore(self, configuration: dict[str, Any], tensors: dict[str, NDArray[Any]]) -> None:
        self.model.num_timesteps = self.timesteps
        self.model._n_updates = require_integer("updates", configuration["updates"], 0)
        policy = self.model.policy
        restore_module(policy, part(tensors, "policy"))
        restore_optimiser(policy.optimizer, part(tensors, "optimizer"))
        if self.history is not None:
            self.history.normalisation.require_size(self.inputs)
        for name, moments in self._moments().items():
            mean, variance = tensors[f"{name}.mean"], tensors[f"{name}.var"]
            if not (mean.shape == variance.shape == moments.mean.shape and (variance >= 0).all()):
                raise ValueError(
                    f"{name} must have means and variances of shape {moments.mean.shape}, the "
                    f"latter not below 0, got {mean.shape} and {variance.tolist()}"
                )
            moments.mean, moments.var = mean, variance
            moments.count = float(tensors[f"{name}.count"])

    def _moments(self) -> dict[str, RunningMeanStd]:
        moments = {"normalisation.returns": self._environments.ret_rms}
        if self.history is None:
            observations = self._environments.obs_rms
            assert isinstance(observations, RunningMeanStd)
            moments["normalisation.observations"] = observations
        return moments


class PPO(StableBaselinesAgent[PPOConfiguration]):
    """SB3's proximal policy optimisation."""

    name = "PPO"
    settings_class = PPOConfiguration

    def _make_model(self) -> BaseAlgorithm:
        return stable_baselines3.PPO(
            "MlpPolicy",
            n_steps=self.settings.steps,
            batch_size=self.settings.minibatch,
            n_epochs=self.settings.epochs,
            gae_lambda=self.settings.advantage_decay,
            clip_range=self.settings.clip_range,
            ent_coef=self.settings.entropy_bonus,
            **self._shared_arguments(),
        )


class RecurrentPPO(StableBaselinesAgent[RecurrentPPOConfiguration]):
    """sb3-contrib's recurrent proximal policy optimisation."""

    name = "RecurrentPPO"
    # Its batches are whole episodes from the first step to the last.
    staggered = False
    settings_class = RecurrentPPOConfiguration

    def _make_model(self) -> BaseAlgorithm:
        arguments = self._shared_arguments()
        arguments["policy_kwargs"]["lstm_hidden_size"] = self.settings.memory_size
        return sb3_contrib.RecurrentPPO(
            "MlpLstmPolicy",
            n_steps=self.episode_length,
            batch_size=self.episode_length * self.settings.environments,
            n_epochs=self.settings.epochs,
            gae_lambda=self.settings.advantage_decay,
            clip_range=self.settings.clip_range,
            ent_coef=self.settings.entropy_bonus,
            **arguments,
        )


class A2C(StableBaselinesAgent[A2CConfiguration]):
    """SB3's advantage actor-critic."""

    name = "A2C"
    settings_class = A2CConfiguration

    def _make_model(self) -> BaseAlgorithm:
        return stable_baselines3.A2C(
            "MlpPolicy",
            n_steps=self.settings.steps,
            gae_lambda=self.settings.advantage_decay,
            ent_coef=self.settings.entropy_bonus,
            **self._shared_arguments(),
        )


class DQN(StableBaselinesAgent[DQNConfiguration]):
    """SB3's deep Q-learning."""

    name = "DQN"
    actor_critic = False
    settings_class = DQNConfiguration

    def _make_model(self) -> BaseAlgorithm:
        return stable_baselines3.DQN(
            "MlpPolicy",
            buffer_size=self.settings.buffer_size,
            learning_starts=self.settings.learning_starts,
            batch_size=self.settings.minibatch,
            train_freq=1,
            gradient_steps=self.settings.gradient_steps,
            target_update_interval=self.settings.target_update,
            exploration_fraction=self.settings.exploration_share,
            exploration_final_eps=self.settings.final_exploration,
            **self._shared_arguments(),
        )


# What SB3's algorithms call their losses when they log them; DQN has one, of its action values.
_POLICY_LOSSES = ("train/policy_gradient_loss", "train/policy_loss")
_VALUE_LOSSES = ("train/value_loss", "train/loss")


class _Watch(BaseCallback):
    """Notes timesteps, returns of finished episodes and losses, and reports progress."""

    def __init__(self, agent: StableBaselinesAgent[Any], progress: Progress | None) -> None:
        super().__init__()
        self._agent = agent
        self._progress = progress
        self._start = 0
        self._curve = CurveRecorder(agent)

    def _on_training_start(self) -> None:
        self._start = self.num_timesteps

    def _on_step(self) -> bool:
        self._agent.timesteps = self.num_timesteps
        if self.locals["dones"].any():
            # VecMonitor sits below VecNormalize: these are true rewards. Episodes that the
            # staggering cut short are left out.
            episodes = [info["episode"] for info in self.locals["infos"] if "episode" in info]
            whole = [e["r"] for e in episodes if e["l"] == self._agent.episode_length]
            if self._curve.add(whole):
                self._note_losses()
        if self._progress is not None:
            self._progress(self.num_timesteps - self._start)
        return True

    def _note_losses(self) -> None:
        """Note what the last update logged, if there was one."""
        logged = self.logger.name_to_value
        policy, value = (
            next((float(logged[name]) for name in names if name in logged), None)
            for names in (_POLICY_LOSSES, _VALUE_LOSSES)
        )
        if policy is not None or value is not None:
            self._agent.learning_losses.append((self.num_timesteps, policy, value))
