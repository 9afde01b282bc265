"""The example bandits fit the models that they say, and go to disk and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from fitgym_agents.evaluation import FIRST_TRAINING_SEED, evaluate
from fitgym_agents.files import load_agent
from fitgym_agents.registry import find_agent

ENV_ID = "fitgym/AcquisitionReplay-v0"


@pytest.fixture(autouse=True)
def examples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "examples"))


@pytest.mark.parametrize("name", ["linucb:LinUCB", "thompson:Thompson"])
def test_each_plan_s_model_is_the_ridge_regression_of_its_rewards(
    name: str, tmp_path: Path
) -> None:
    agent: Any = find_agent(name).create(ENV_ID, seed=3)
    chosen: list[Any] = []
    explore = agent.explore

    def noted(features: Any, generator: Any) -> Any:
        actions = explore(features, generator)
        chosen.append((features, actions))
        return actions

    agent.explore = noted
    agent.learn(1600)
    features = np.concatenate([features for features, _ in chosen])
    actions = np.concatenate([actions for _, actions in chosen])
    environments = gym.make_vec(f"fitgym:{ENV_ID}", 16, autoreset_mode="SameStep")
    environments.reset(seed=FIRST_TRAINING_SEED + 30_000)
    rewards = np.concatenate([environments.step(one)[1] for one in np.split(actions, 100)])
    means, _ = agent.models()
    for plan in np.unique(actions):
        x, y = features[actions == plan], rewards[actions == plan]
        expected = np.linalg.solve(x.T @ x + np.eye(x.shape[1]), x.T @ y)
        np.testing.assert_allclose(means[plan], expected, rtol=1e-6, atol=1e-8)

    del agent.explore
    agent.save(tmp_path)
    loaded = load_agent(tmp_path)
    for deterministic in (True, False):
        before, after = (
            evaluate(one, ENV_ID, episodes=3, deterministic=deterministic)
            for one in (agent, loaded)
        )
        np.testing.assert_array_equal(before.actions, after.actions)


def test_a_bandit_learns_what_replay_leaves_to_learn() -> None:
    agent = find_agent("linucb:LinUCB").create(ENV_ID)
    before = evaluate(agent, ENV_ID, episodes=20).mean
    assert evaluate(agent.learn(16_000), ENV_ID, episodes=20).mean > 2.0 * before
