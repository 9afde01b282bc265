"""The adapter shows SB3 what its own DummyVecEnv would."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3 import PPO
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import DummyVecEnv, VecMonitor, VecNormalize

from fitgym.adherence import CustomAdherence, Response
from fitgym.envs.vector import FitnessFatigueVectorEnv
from fitgym_agents.environments import EnvironmentFactory, make_vector_env
from fitgym_agents.sb3.vector_env import VectorEnvAdapter

IDS = sorted(name for name in gym.registry if name.startswith("fitgym/"))


class Halfway(CustomAdherence):
    """Half of every plan."""

    def respond(self, situation: Any) -> Response:
        return Response(intensity=0.5 * situation.plan_trimp, met=False)


@pytest.mark.parametrize(
    ("env_id", "kwargs"),
    [
        *((env_id, {}) for env_id in IDS),
        ("fitgym/Acquisition-v0", {"individual": "population"}),
        ("fitgym/Acquisition-v0", {"adherence": f"{__name__}:Halfway"}),
    ],
)
def test_it_equals_dummy_vec_env(env_id: str, kwargs: dict[str, Any]) -> None:
    kwargs = {"days": 6, **kwargs}
    ours: Any = VecMonitor(VectorEnvAdapter(make_vector_env(env_id, 3, kwargs)))
    theirs: Any = VecMonitor(DummyVecEnv([EnvironmentFactory(env_id, kwargs)] * 3))
    assert ours.observation_space == theirs.observation_space
    assert ours.action_space == theirs.action_space
    rng = np.random.default_rng(0)
    for _ in range(2):
        ours.seed(5)
        theirs.seed(5)
        np.testing.assert_array_equal(ours.reset(), theirs.reset())
        for _ in range(20):
            actions = rng.integers(0, 11, 3)
            if isinstance(ours.action_space, gym.spaces.Box):
                actions = rng.uniform(-1, 1, (3, 1)).astype(np.float32)
            mine, other = ours.step(actions), theirs.step(actions)
            for one, two in zip(mine[:3], other[:3], strict=True):
                assert one.dtype == two.dtype
                np.testing.assert_array_equal(one, two)
            for done, info, full in zip(mine[2], mine[3], other[3], strict=True):
                if done:
                    np.testing.assert_array_equal(
                        info["terminal_observation"], full["terminal_observation"]
                    )
                    assert info["TimeLimit.truncated"] is full["TimeLimit.truncated"] is False
                    assert info["episode"]["l"] == full["episode"]["l"] == 6
                    assert info["episode"]["r"] == full["episode"]["r"]
                else:
                    assert info == {}
    # Without a seed both go on with their generators.
    np.testing.assert_array_equal(ours.reset(), theirs.reset())


def test_options_and_attributes() -> None:
    env = VectorEnvAdapter(make_vector_env("fitgym/Retention-v0", 2, {"individual": "population"}))
    assert isinstance(env.env, FitnessFatigueVectorEnv)
    env.set_options({"individual": "recreational-runner"})
    env.seed(0)
    runner = env.reset()
    env.seed(0)
    assert (runner != env.reset()).any()
    env.set_options([{"individual": "recreational-runner"}, {}])
    with pytest.raises(ValueError, match="the same for all"):
        env.reset()
    assert env.get_attr("stage", [1]) == ["retention"]
    assert env.has_attr("days")
    assert not env.has_attr("weather")
    assert env.env_is_wrapped(gym.Wrapper) == [False, False]
    with pytest.raises(NotImplementedError):
        env.set_attr("days", 3)
    with pytest.raises(NotImplementedError):
        env.env_method("reset")
    env.close()


def test_infos_of_different_environments_are_different_objects() -> None:
    env = VectorEnvAdapter(make_vector_env("fitgym/Retention-v0", 3))
    env.reset()
    infos = env.step(np.zeros(3, dtype=np.int64))[3]
    infos[0]["mine"] = 1
    assert infos[1:] == [{}, {}]


def test_masks_are_those_of_the_environments_asked_for() -> None:
    kwargs = {"forbidden_plans": [9, 10]}
    ours = VectorEnvAdapter(make_vector_env("fitgym/Acquisition-v0", 3, kwargs))
    theirs = DummyVecEnv([EnvironmentFactory("fitgym/Acquisition-v0", kwargs)] * 3)
    masks = ours.env_method("action_masks")
    np.testing.assert_array_equal(masks, theirs.env_method("action_masks"))
    assert len(ours.env_method("action_masks", indices=[0, 2])) == 2


def test_custom_adherence_needs_no_other_environment() -> None:
    kwargs = {"adherence": f"{__name__}:Halfway"}
    made = make_vector_env("fitgym/Acquisition-v0", 2, kwargs)
    assert isinstance(made.unwrapped, FitnessFatigueVectorEnv)


def test_wrong_environments_are_refused() -> None:
    with pytest.raises(ValueError, match="autoreset_mode='SameStep', got .*NEXT_STEP"):
        VectorEnvAdapter(gym.make_vec("fitgym/Acquisition-v0", num_envs=2))
    with pytest.raises(TypeError, match="must name an environment of fitgym, got 'CartPole-v1'"):
        make_vector_env("CartPole-v1", 2)


def test_stock_ppo_learns_with_it() -> None:
    env = VecNormalize(
        VecMonitor(VectorEnvAdapter(make_vector_env("fitgym/Acquisition-v0", 8, {"days": 10})))
    )
    model = PPO("MlpPolicy", env, n_steps=16, batch_size=64, n_epochs=1, device="cpu")
    model.learn(256)
    _, lengths = evaluate_policy(model, env, n_eval_episodes=8, return_episode_rewards=True)
    assert set(lengths) == {10}
