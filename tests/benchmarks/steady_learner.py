"""Learners that cost nothing, for tests of what happens around learning."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np

from fitgym_agents.agent import Agent


class Steady(Agent):
    """Learns to push a plan: none before half of its training, plan 2 from then on."""

    name = "steady"

    def __init__(self, plan=0):
        self.plan = plan

    def predict(self, observation, state=None, episode_start=None, deterministic=True):
        return np.full(len(observation), self.plan, dtype=np.int64), state

    def learn(self, total_timesteps, *, progress=None):
        for steps in range(1, total_timesteps + 1):
            self.plan = 2 if 2 * steps > total_timesteps else 0
            if progress is not None:
                progress(steps)
        return self

    def configuration(self):
        return {"plan": self.plan}


class Waiting(Steady):
    """Notes its process in ``pids`` of a folder and learns once there is a file ``go``."""

    name = "waiting"

    def __init__(self, folder):
        super().__init__()
        self.folder = Path(folder)

    def learn(self, total_timesteps, *, progress=None):
        (self.folder / "pids" / str(os.getpid())).touch()
        while not (self.folder / "go").exists():
            time.sleep(0.05)
        return super().learn(total_timesteps, progress=progress)

    def configuration(self):
        return {"folder": str(self.folder)}


class Dying(Steady):
    """Takes its process with it."""

    def learn(self, total_timesteps, *, progress=None):
        os._exit(1)


class Failing(Steady):
    """Cannot learn."""

    def learn(self, total_timesteps, *, progress=None):
        raise ValueError("no idea")
