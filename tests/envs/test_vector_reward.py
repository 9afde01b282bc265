"""Vector rewards: the terms of the scalar reward, in the form that MO-Gymnasium reads."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from numpy.testing import assert_allclose, assert_array_equal

from fitgym_agents.environments import EnvironmentFactory, make_vector_env

ENV_ID = "fitgym/Acquisition-v1"
CASES: list[tuple[str, dict[str, Any]]] = [
    (ENV_ID, {}),
    ("fitgym/Retention-v1", {"individual": "population"}),
    ("fitgym/AcquisitionReplay-v0", {}),
    ("fitgym/RetentionContinuous-v1", {}),
    ("fitgym/Retention-v0", {"adherence": "certain", "utility": "planned"}),
]


def make(env_id: str, **arguments: Any) -> Any:
    # Gymnasium's checker warns of rewards that are no numbers; mo_gymnasium.make leaves it out.
    return gym.make(env_id, disable_env_checker=True, **arguments)


@pytest.mark.parametrize(("env_id", "arguments"), CASES)
def test_terms_sum_to_the_scalar_reward(env_id: str, arguments: dict[str, Any]) -> None:
    one = make(env_id, reward="vector", **arguments)
    other = make(env_id, **arguments)
    one.action_space.seed(0)
    space = one.unwrapped.reward_space
    assert space.shape == (one.unwrapped.reward_dim,) == (3,)
    for episode in range(2):
        one.reset(seed=episode)
        other.reset(seed=episode)
        terminated = False
        while not terminated:
            action = one.action_space.sample()
            observation, reward, terminated, _, info = one.step(action)
            expected = other.step(action)
            assert reward.shape == (3,)
            assert reward.dtype == np.float64
            assert reward in space
            assert_allclose(reward.sum(), expected[1], rtol=1e-12, atol=1e-12)
            assert_array_equal(reward, list(info["reward_terms"].values()))
            assert_array_equal(observation, expected[0])


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
def test_a_batch_has_the_vectors_of_its_environments(mode: str) -> None:
    batch: Any = gym.make_vec(ENV_ID, 3, days=6, reward="vector", autoreset_mode=mode)
    scalar: Any = gym.make_vec(ENV_ID, 3, days=6, autoreset_mode=mode)
    batch.reset(seed=0)
    scalar.reset(seed=0)
    generator = np.random.default_rng(0)
    for _ in range(20):
        actions = generator.integers(11, size=3)
        rewards, expected = batch.step(actions)[1], scalar.step(actions)[1]
        assert rewards.shape == (3, 3)
        assert_allclose(rewards.sum(axis=1), expected, rtol=1e-12)
    assert batch.reward_space.shape == (3,)


def test_the_last_day_is_paid_where_the_step_resets() -> None:
    batch: Any = gym.make_vec(
        ENV_ID, 1, days=2, reward="vector", adherence="certain", autoreset_mode="SameStep"
    )
    batch.reset(seed=0)
    batch.step([5])
    _, rewards, ended, _, infos = batch.step([5])
    assert ended.all()
    assert_array_equal(rewards[0], [v[0] for k, v in infos["final_info"]["reward_terms"].items()
                                    if not k.startswith("_")])  # fmt: skip
    assert rewards[0, 1] > 0.0


def test_the_argument_survives_json() -> None:
    env = make(ENV_ID, reward="vector")
    twin: Any = gym.make(EnvSpec.from_json(env.unwrapped.spec.to_json()))
    assert twin.unwrapped.task.reward == "vector"


def test_scalar_environments_have_no_reward_space() -> None:
    assert not hasattr(make(ENV_ID).unwrapped, "reward_space")


@pytest.mark.parametrize("maker", [lambda *a: make_vector_env(a[0], 2, a[1]),
                                   lambda *a: EnvironmentFactory(*a)()])  # fmt: skip
def test_agents_refuse_them(maker: Any) -> None:
    with pytest.raises(ValueError, match="need reward='scalar', got reward='vector'"):
        maker(ENV_ID, {"reward": "vector"})


def test_other_names_are_refused() -> None:
    with pytest.raises(ValueError, match="reward must be one of"):
        make(ENV_ID, reward="terms")


def test_mo_gymnasium_reads_them() -> None:
    mo: Any = pytest.importorskip("mo_gymnasium")
    env = mo.make(ENV_ID, reward="vector", days=10)
    scalar = mo.wrappers.LinearReward(env, weight=np.ones(3))
    reference = make(ENV_ID, days=10)
    scalar.reset(seed=4)
    reference.reset(seed=4)
    for plan in range(10):
        assert_allclose(scalar.step(plan)[1], reference.step(plan)[1])
