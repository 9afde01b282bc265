"""LinUCB (Li et al. 2010): the plan with the best optimistic guess of today's reward."""

import gymnasium as gym
import numpy as np

from fitgym_agents.agent import Agent
from fitgym_agents.evaluation import FIRST_TRAINING_SEED

PLANS = 11


class LinUCB(Agent):
    """Fits a linear model of the day's reward for each plan, and explores where it is unsure."""

    name = "LinUCB"

    def __init__(self, alpha=10.0):
        self.alpha, self.counts, self.sums = alpha, None, None

    @classmethod
    def create(cls, env_id, *, env_kwargs=None, seed=0, configuration=None):
        agent = cls(**(configuration or {}))
        agent.env_id, agent.env_kwargs, agent.seed = env_id, env_kwargs or {}, seed
        size = gym.make(f"fitgym:{env_id}", **agent.env_kwargs).observation_space.shape[0] + 1
        agent.counts, agent.sums = np.tile(np.eye(size), (PLANS, 1, 1)), np.zeros((PLANS, size))
        return agent

    def models(self):
        inverse = np.linalg.inv(self.counts)
        return np.einsum("aij,aj->ai", inverse, self.sums), inverse

    def explore(self, features, generator):
        means, inverse = self.models()
        unsure = np.sqrt(np.einsum("ni,aij,nj->na", features, inverse, features))
        return (features @ means.T + self.alpha * unsure).argmax(axis=1)

    def predict(self, observation, state=None, episode_start=None, deterministic=True):
        return (features_of(observation) @ self.models()[0].T).argmax(axis=1), state

    def learn(self, total_timesteps, *, progress=None):
        environments = gym.make_vec(
            f"fitgym:{self.env_id}", 16, autoreset_mode="SameStep", **self.env_kwargs
        )
        generator = np.random.default_rng(self.seed)
        observation, _ = environments.reset(seed=FIRST_TRAINING_SEED + 10_000 * self.seed)
        for steps in range(0, total_timesteps, 16):
            features = features_of(observation)
            actions = self.explore(features, generator)
            observation, rewards, *_ = environments.step(actions)
            np.add.at(self.counts, actions, features[:, :, None] * features[:, None, :])
            np.add.at(self.sums, actions, features * rewards[:, None])
            if progress is not None:
                progress(steps + 16)
        return self

    def configuration(self):
        return {"alpha": self.alpha}

    def tensors(self):
        return {"counts": self.counts, "sums": self.sums}

    @classmethod
    def from_saved(cls, configuration, tensors):
        agent = cls(**configuration)
        agent.counts, agent.sums = tensors["counts"], tensors["sums"]
        return agent


def features_of(observation):
    """Return 1 and the logarithms of what is observed, (N, observation size + 1)."""
    return np.column_stack([np.ones(len(observation)), np.log1p(observation)])
