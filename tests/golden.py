"""Fingerprints of what every version-0 environment and shipped agent does: data and how it is made.

``python tests/golden.py`` writes ``golden.json`` anew; do so only when a change is meant to
change what people do, and say so in the changelog.
"""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

import fitgym  # noqa: F401  registers the environments
from fitgym.adherence.fitrec import shipped_table_requests
from fitgym.model.noise import normal
from fitgym_agents.evaluation import evaluate
from fitgym_agents.pretrained import load_pretrained, pretrained_agents, provenance_of

FILE = Path(__file__).parent / "golden.json"
EPISODES = 20
AGENT_EPISODES = 5
SEED = 20_220_400

ENVIRONMENTS = {
    f"{stage}{kind}": (f"fitgym/{stage}{kind}-v0", {})
    for kind in ("", "Continuous", "Replay")
    for stage in ("Acquisition", "Retention")
} | {
    f"{stage} {what}": (f"fitgym/{stage}-v0", arguments)
    for stage in ("Acquisition", "Retention")
    for what, arguments in {
        "population": {"individual": "population"},
        "full": {"observation": "full", "individual": "sedentary-beginner"},
        "wearable": {"observation": "wearable", "individual": "literature-athlete"},
        "certain": {"adherence": "certain"},
        "equation": {"predictor": "ode"},
    }.items()
}

_DAY = ("plan_trimp", "done_trimp", "completion", "base_level", "fitness", "fatigue", "performance")


def actions(continuous: bool, days: int) -> NDArray[Any]:
    """Return the actions of all episodes, (days, EPISODES) or (days, EPISODES, 1)."""
    generator = np.random.default_rng(SEED)
    if continuous:
        return generator.uniform(-1.0, 1.0, (days, EPISODES, 1)).astype(np.float32)
    return generator.integers(0, 11, (days, EPISODES))


def scalar_trajectories(env_id: str, arguments: dict[str, Any]) -> NDArray[np.float64]:
    """Return rewards, infos and observations, (days, EPISODES, numbers), one episode at a time."""
    environment = gym.make(env_id, **arguments)
    days = environment.unwrapped.days
    chosen = actions(isinstance(environment.action_space, gym.spaces.Box), days)
    rows = []
    for episode in range(EPISODES):
        environment.reset(seed=SEED + episode)
        for day in range(days):
            observation, reward, terminated, _, info = environment.step(chosen[day, episode])
            rows.append([reward, *(info[name] for name in _DAY), *observation])
        assert terminated
    return np.array(rows).reshape(EPISODES, days, -1).swapaxes(0, 1)


def vector_trajectories(env_id: str, arguments: dict[str, Any]) -> NDArray[np.float64]:
    """Return what ``scalar_trajectories`` returns, all episodes at once."""
    environments = gym.make_vec(env_id, EPISODES, autoreset_mode="Disabled", **arguments)
    days = environments.get_attr("days")[0]
    chosen = actions(isinstance(environments.single_action_space, gym.spaces.Box), days)
    environments.reset(seed=SEED)
    rows = []
    for day in range(days):
        observations, rewards, terminated, _, infos = environments.step(chosen[day])
        rows.append(np.column_stack([rewards, *(infos[name] for name in _DAY), observations]))
    assert terminated.all()
    return np.array(rows)


def fingerprint(trajectories: NDArray[np.float64]) -> list[list[float]]:
    """Return numbers per episode that change when any number of it does, to ten digits.

    They are the return, the sum of every column with a weight for each day, and what is last.
    """
    days = len(trajectories)
    weights = np.cos(np.arange(1, days + 1))
    sums = np.einsum("d,dec->ec", weights, trajectories)
    columns = np.column_stack([trajectories[..., 0].sum(axis=0), sums, trajectories[-1]])
    return [[float(f"{number:.10g}") for number in row] for row in columns.tolist()]


def bits(trajectories: NDArray[np.float64]) -> str:
    """Return a hash of every bit of the trajectories."""
    return hashlib.sha256(np.ascontiguousarray(trajectories).tobytes()).hexdigest()[:16]


def arithmetic() -> str:
    """Return a hash of this machine's elementary functions, whose last bits processors differ in.

    Where it is the recorded one, trajectories are the recorded ones to the bit.
    """
    grid = np.linspace(-5.0, 5.0, 10_001)
    compiled = [normal(np.uint64(key), 0, 0) for key in range(2_000)]
    plain = [math.exp(x) for x in grid] + [math.log(1.0 + x * x) for x in grid]
    arrays = [np.exp(grid), np.log(1.0 + grid**2), np.exp(grid.astype(np.float32)), compiled, plain]
    content = b"".join(np.asarray(array).tobytes() for array in arrays)
    return hashlib.sha256(content).hexdigest()[:16]


def agent_record(name: str, env_id: str) -> dict[str, Any]:
    """Return the plans that a shipped agent pushes in its first episodes, and what it earns."""
    played = evaluate(
        load_pretrained(name, env_id),
        env_id,
        episodes=AGENT_EPISODES,
        env_kwargs=provenance_of(name, env_id).evaluation_kwargs,
    )
    # One character an action, "a" for the hardest plan.
    plans = ["".join(f"{action:x}" for action in row) for row in played.actions.tolist()]
    return {"plans": plans, "returns": [round(value, 6) for value in played.returns.tolist()]}


def record() -> dict[str, Any]:
    """Return everything that ``golden.json`` holds."""
    environments = {}
    for label, (env_id, arguments) in ENVIRONMENTS.items():
        trajectories = scalar_trajectories(env_id, arguments)
        environments[label] = {
            "episodes": fingerprint(trajectories),
            "bits": bits(trajectories),
        }
    return {
        "arithmetic": arithmetic(),
        "environments": environments,
        "agents": {
            f"{name} in {env_id}": agent_record(name, env_id)
            for name, env_id in pretrained_agents()
        },
        "load_tables": sorted(shipped_table_requests()),
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(record(), separators=(",", ":")) + "\n", encoding="utf-8")
