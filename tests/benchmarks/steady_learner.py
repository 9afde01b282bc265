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
        day = 0 if state is None else state
        plan = self.plan if deterministic else self.plan + day % 2
        return np.full(len(observation), plan, dtype=np.int64), day + 1

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


class Counted(Steady):
    """Notes how far it is, and is interrupted once on the way."""

    def __init__(self, fail_at, timesteps=0, plan=2):
        super().__init__(plan)
        self.fail_at, self.timesteps = fail_at, timesteps
        self.learning_curve = []

    def learn(self, total_timesteps, *, progress=None):
        start = self.timesteps
        for steps in range(1, total_timesteps + 1):
            self.timesteps = start + steps
            if start == 0 and self.timesteps == self.fail_at:
                raise KeyboardInterrupt
            progress(steps)
        self.learning_curve = [(self.timesteps, 1.0)]
        return self

    def configuration(self):
        return {"fail_at": self.fail_at, "timesteps": self.timesteps, "plan": self.plan}
