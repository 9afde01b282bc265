"""What is planned with the model is the same without compiling, where the code runs as Python."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

PLANNED = """
import json
import gymnasium as gym
import numpy as np
import fitgym
from fitgym.planning.belief import belief_policy
from fitgym.planning.dynamic_programming import DynamicProgram
from fitgym.planning.grid import GridSize, grid_limits
from fitgym.planning.one_step import expected_rewards, myopic_policy
from fitgym.planning.simulation import random_plan, simulate

size = GridSize(base_level=2, fitness=3, fatigue=2, motivation=4, shares=2, habits=2)
numbers = []
for env_id, arguments, solved in (
    ("fitgym/Acquisition-v1", {}, True),
    ("fitgym/Retention-v0", {"forbidden_plans": [9, 10]}, True),
    ("fitgym/AcquisitionReplay-v0", {}, False),
    ("fitgym/Acquisition-v1", {"adherence": "certain"}, False),
):
    made = gym.make(env_id, days=4, disable_env_checker=True, **arguments)
    environment = made.unwrapped
    observation, _ = made.reset(seed=3)
    numbers += expected_rewards(environment, observation[None])[0, :9].tolist()
    task, person = environment.task, environment.task.prepare(environment.individual)
    policies = [myopic_policy(environment)]
    if solved:
        mask = environment.action_mask
        scouted = simulate(task, person, random_plan(mask), episodes=6, seed=0).states.ravel()
        limits = grid_limits(scouted)
        program = DynamicProgram(environment, size, scouted, limits)
        program.induce()
        numbers += np.ravel(program.values[0]).tolist()
        policies += [program.actions, belief_policy(environment, program)]
    for policy in policies:
        seasons = simulate(task, person, policy, episodes=3, seed=5)
        numbers += seasons.actions.ravel().tolist() + seasons.returns.tolist()
print(json.dumps(numbers))
"""


def planned(**environment: str) -> list[float]:
    done = subprocess.run(
        [sys.executable, "-c", PLANNED],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return list(map(float, done.stdout.strip("[]\n").split(",")))


def test_plans_and_values_are_the_same_without_compiling() -> None:
    compiled = planned()
    assert len(compiled) > 150
    assert np.isfinite(compiled).all()
    assert planned(NUMBA_DISABLE_JIT="1") == pytest.approx(compiled, rel=1e-6, abs=1e-6)
