"""Stable-Baselines3's DQN, PPO, A2C and RecurrentPPO as agents, set up for these environments.

The algorithms are used as they are. What is here are the environments they learn in, the
normalisation that is kept with the weights, and files without pickle; the settings, which serve
seasons of 90 days on two cores, are in ``fitgym_agents.settings``.

DQN, PPO and A2C come with SB3's MLP or with the paper's hybrid network over a stacked history (see
``fitgym_agents.sb3.hybrid``). RecurrentPPO's ``MlpLstmPolicy`` is the hybrid network as it stands:
an LSTM for policy and value each, then the fully connected layers, then a linear output.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, ClassVar, Generic, Self, TypeVar

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
from fitgym.envs.task import Task
from fitgym.people.individual import Individual
from fitgym_agents.agent import Actions, Agent, Observations, Progress
from fitgym_agents.deep.learner import part
from fitgym_agents.deep.normalisation import Normalisation
from fitgym_agents.environments import json_able, make_vector_env, require_as_trained
from fitgym_agents.evaluation import FIRST_TRAINING_SEED
from fitgym_agents.sb3.hybrid import History, HybridExtractor
from fitgym_agents.sb3.vector_env import StaggeredSeasons, VectorEnvAdapter
from fitgym_agents.settings import (
    A2CConfiguration,
    Configuration,
    DQNConfiguration,
    HistoryConfiguration,
    PPOConfiguration,
    RecurrentPPOConfiguration,
    require_settings,
)

__all__ = ["A2C", "DQN", "PPO", "RecurrentPPO", "StableBaselinesAgent"]

Settings = TypeVar("Settings", bound=Configuration)


class StableBaselinesAgent(Agent, Generic[Settings]):
    """An algorithm of Stable-Baselines3 or sb3-contrib behind the agents' interface.

    Learning seeds the global generators of Python, numpy and torch, as SB3 does, and keeps torch
    to one thread, which is several times faster for networks of this size.

    Attributes:
        name: The algorithm's name, and whether its network is the hybrid one.
        settings: The configuration.
        model: SB3's model.
        days: Length of a season.
        observation: Which observation is seen.
        history: What the hybrid network sees; None where the network sees the day.
        learning_curve: See ``Agent``; a point is the mean of as many seasons as there are
            environments, in the reward's own units.
    """

    settings_class: ClassVar[type[Configuration]]
    # Whether the training seasons start at different times.
    staggered: ClassVar[bool] = True
    # Whether the policy has two networks, an actor and a critic.
    actor_critic: ClassVar[bool] = True
    settings: Settings
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
        """Make the training environments and an untrained model.

        Args:
            env_id: Registered id.
            env_kwargs: Arguments of the environment.
            seed: Seed of weights, exploration and training seasons.
            settings: The configuration; None for the defaults.
            normalisation: Scales of a history's observations; None to measure them in seasons of
                random plans.

        Raises:
            ValueError: If an argument is out of range, or the environment forbids plans, which
                these algorithms cannot respect.
            TypeError: If an argument has the wrong type.
        """
        self.env_id = env_id
        self.env_kwargs = dict(env_kwargs or {})
        self.seed = require_integer("seed", seed, 0)
        self.settings = require_settings(self.name, settings, self.settings_class)
        self.timesteps = 0
        self.learning_curve: list[tuple[int, float]] = []
        torch.set_num_threads(1)
        count = self.settings.environments
        environments = make_vector_env(env_id, count, env_kwargs)
        if self.staggered:
            adapter: VectorEnvAdapter = StaggeredSeasons(environments)
        else:
            adapter = VectorEnvAdapter(environments)
        seasons = VecMonitor(adapter)
        if not np.all(seasons.get_attr("action_mask")):
            raise ValueError(
                f"{self.name} chooses among all plans: give it an environment without "
                "forbidden_plans"
            )
        self.days = int(seasons.get_attr("days")[0])
        self.observation = str(seasons.get_attr("task")[0].observation)
        discount = self.settings.discount
        self.history: History | None = None
        if isinstance(self.settings, HistoryConfiguration) and self.settings.network == "hybrid":
            self.name = f"{self.name} (hybrid)"
            scales = normalisation or Normalisation.measure(
                environments, self.days, discount, self._training_seed(0)
            )
            self.history = History(scales, self.settings.history)
            self._environments = VecNormalize(
                self.history.environments(seasons), norm_obs=False, gamma=discount
            )
        else:
            self._environments = VecNormalize(seasons, gamma=discount)
        self.model = self._make_model()
        # Without a logger of our own, SB3 leaves a folder in the temporary directory.
        self.model.set_logger(Logger(folder=None, output_formats=[]))

    @classmethod
    def create(
        cls,
        env_id: str,
        *,
        env_kwargs: Mapping[str, Any] | None = None,
        seed: int = 0,
        configuration: Mapping[str, Any] | None = None,
    ) -> Self:
        """Return an untrained agent; see ``Agent.create``."""
        settings: Any = cls.settings_class.from_mapping(configuration or {})
        return cls(env_id, env_kwargs=env_kwargs, seed=seed, settings=settings)

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

    def prepare(self, task: Task, people: Sequence[Individual]) -> None:
        """Check that the agent was trained on this observation, and that no plan is forbidden.

        Raises:
            ValueError: If observations mean something else, or a plan is forbidden.
        """
        every_plan = np.ones(task.action_mask().shape, dtype=np.bool_)
        require_as_trained(self.name, self.observation, every_plan, task)

    def predict(
        self,
        observation: Observations,
        state: Any = None,
        episode_start: NDArray[np.bool_] | None = None,
        deterministic: bool = True,
    ) -> tuple[Actions, Any]:
        """Choose plans with the policy learnt so far; see ``Agent.predict``.

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
        """Learn for some more environment steps; see ``Agent.learn``.

        Learning goes on from where the last call stopped. In a loaded agent weights, optimiser
        and normalisation do; it starts new seasons, and DQN an empty memory.
        """
        require_integer("total_timesteps", total_timesteps, 1)
        torch.set_num_threads(1)
        # A seed for this call alone, so that its result does not hang on what the process did
        # before, and no two calls or agents train on the same seasons.
        self.model.set_random_seed(self._training_seed(self.model.num_timesteps))
        self.model.learn(
            total_timesteps,
            callback=_Watch(self, progress),
            reset_num_timesteps=False,
        )
        return self

    def _training_seed(self, timesteps: int) -> int:
        sequence = np.random.SeedSequence([self.seed, timesteps])
        return int(sequence.generate_state(1)[0]) | FIRST_TRAINING_SEED

    def configuration(self) -> dict[str, Any]:
        """Return environment, seed, settings, progress and learning curve."""
        return {
            "env_id": self.env_id,
            "env_kwargs": json_able(self.env_kwargs),
            "seed": self.seed,
            "settings": asdict(self.settings),
            "timesteps": self.timesteps,
            "updates": self.model._n_updates,
            "learning_curve": self.learning_curve,
        }

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return weights, the optimiser's state and the normalisation."""
        policy = self.model.policy
        tensors = {f"policy.{name}": value for name, value in policy.state_dict().items()}
        for index, state in policy.optimizer.state_dict()["state"].items():
            for name, value in state.items():
                tensors[f"optimizer.{index}.{name}"] = torch.as_tensor(value)
        arrays = {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}
        for name, moments in self._moments().items():
            for moment in ("mean", "var", "count"):
                array = np.asarray(getattr(moments, moment), dtype=np.float64)
                arrays[f"{name}.{moment}"] = array
        if self.history is not None:
            for name, scale in self.history.normalisation.tensors().items():
                arrays[f"history.{name}"] = scale
        return arrays

    @classmethod
    def from_saved(cls, configuration: dict[str, Any], tensors: dict[str, NDArray[Any]]) -> Self:
        """Rebuild the agent, ready to act and to learn on."""
        settings: Any = cls.settings_class.from_mapping(configuration["settings"])
        scales = part(tensors, "history")
        agent = cls(
            configuration["env_id"],
            env_kwargs=configuration["env_kwargs"],
            seed=configuration["seed"],
            settings=settings,
            normalisation=Normalisation.from_tensors(scales) if scales else None,
        )
        agent.timesteps = agent.model.num_timesteps = configuration["timesteps"]
        agent.model._n_updates = configuration["updates"]
        agent.learning_curve = [(int(t), float(r)) for t, r in configuration["learning_curve"]]
        policy = agent.model.policy
        policy.load_state_dict(
            {
                name.removeprefix("policy."): torch.from_numpy(value)
                for name, value in tensors.items()
                if name.startswith("policy.")
            }
        )
        optimizer = policy.optimizer.state_dict()
        for name, value in tensors.items():
            if name.startswith("optimizer."):
                _, index, value_name = name.split(".")
                optimizer["state"].setdefault(int(index), {})[value_name] = torch.from_numpy(value)
        policy.optimizer.load_state_dict(optimizer)
        for name, moments in agent._moments().items():
            for moment in ("mean", "var"):
                setattr(moments, moment, tensors[f"{name}.{moment}"])
            moments.count = float(tensors[f"{name}.count"])
        return agent

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
    # Its batches are whole seasons from the first day to the last.
    staggered = False
    settings_class = RecurrentPPOConfiguration

    def _make_model(self) -> BaseAlgorithm:
        arguments = self._shared_arguments()
        arguments["policy_kwargs"]["lstm_hidden_size"] = self.settings.memory_size
        return sb3_contrib.RecurrentPPO(
            "MlpLstmPolicy",
            n_steps=self.days,
            batch_size=self.days * self.settings.environments,
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


class _Watch(BaseCallback):
    """Notes the returns of finished seasons and tells how far learning is."""

    def __init__(self, agent: StableBaselinesAgent[Any], progress: Progress | None) -> None:
        super().__init__()
        self._agent = agent
        self._progress = progress
        self._start = 0
        self._returns: list[float] = []

    def _on_training_start(self) -> None:
        self._start = self.num_timesteps

    def _on_step(self) -> bool:
        self._agent.timesteps = self.num_timesteps
        if self.locals["dones"].any():
            # VecMonitor sits below VecNormalize: these are true rewards. A season that had begun
            # before learning did is not counted whole, and left out.
            episodes = [info["episode"] for info in self.locals["infos"] if "episode" in info]
            self._returns += [e["r"] for e in episodes if e["l"] == self._agent.days]
        if len(self._returns) >= self._agent.settings.environments:
            self._agent.learning_curve.append((self.num_timesteps, float(np.mean(self._returns))))
            self._returns.clear()
        if self._progress is not None:
            self._progress(self.num_timesteps - self._start)
        return True
