"""A learner that costs nothing, for tests of what happens around learning."""

from __future__ import annotations

import numpy as np

from fitgym_agents.agent import Agent


class Counting(Agent):
    """Counts its steps in tens, notes them as its learning curve, and pushes plan 2."""

    name = "counting"

    def __init__(self, timesteps=0, learning_curve=(), stop_at=None):
        self.timesteps = timesteps
        self.learning_curve = [tuple(point) for point in learning_curve]
        self.stop_at = stop_at

    def predict(self, observation, state=None, episode_start=None, deterministic=True):
        return np.full(len(observation), 2, dtype=np.int64), state

    def learn(self, total_timesteps, *, progress=None):
        for steps in range(10, total_timesteps + 10, 10):
            self.timesteps += 10
            self.learning_curve.append((self.timesteps, float(self.timesteps)))
            if self.timesteps == 20:
                self.learning_losses = [(20, None, 0.5)]
            if progress is not None:
                progress(steps)
            if self.timesteps == self.stop_at:
                self.stop_at = None
                raise KeyboardInterrupt
        return self

    def configuration(self):
        return {
            "timesteps": self.timesteps,
            "learning_curve": self.learning_curve,
            "stop_at": self.stop_at,
        }


class Weighing(Counting):
    """Has weights, which change with every step."""

    name = "weighing"

    def tensors(self):
        return {"steps": np.full(4, self.timesteps, dtype=np.float32)}

    @classmethod
    def from_saved(cls, configuration, tensors):
        agent = cls(**configuration)
        assert (tensors["steps"] == agent.timesteps).all()
        return agent


class Forgetful(Counting):
    """Does not tell how many steps it has learnt."""

    name = "forgetful"

    def learn(self, total_timesteps, *, progress=None):
        super().learn(total_timesteps, progress=progress)
        self.timesteps = 0
        return self


class Broken(Counting):
    """Fails in the middle of learning."""

    name = "broken"

    def learn(self, total_timesteps, *, progress=None):
        super().learn(total_timesteps // 2, progress=progress)
        raise RuntimeError("no idea")
