"""What Gymnasium and Stable-Baselines3 demand of every registered id."""

import json
import pickle
import subprocess
import sys
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env
from numpy.testing import assert_equal

import fitgym  # noqa: F401

IDS = sorted(name for name in gym.registry if name.startswith("fitgym/"))
MODES = [None, "ansi", "rgb_array"]


def test_the_promised_ids_are_registered():
    assert {"fitgym/AcquisitionReplay-v0", "fitgym/RetentionReplay-v0"} <= set(IDS)


def test_importing_the_package_loads_nothing_heavy():
    code = (
        "import sys, fitgym; "
        "print(sorted({'torch', 'numba', 'matplotlib', 'scipy', 'stable_baselines3'} "
        "& set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("env_id", IDS)
def test_gymnasium_finds_nothing_to_complain_of(env_id, mode):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Gymnasium says so of every version but the last.
        warnings.filterwarnings("ignore", message=".*is out of date")
        env = gym.make(env_id, render_mode=mode)
        check_env(env.unwrapped, skip_render_check=mode is None)
        env.close()
        env.close()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("env_id", IDS)
def test_stable_baselines_finds_nothing_to_complain_of(env_id, mode):
    check_env_sb3 = pytest.importorskip("stable_baselines3.common.env_checker").check_env
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*is out of date")
        check_env_sb3(gym.make(env_id, render_mode=mode).unwrapped)


@pytest.mark.parametrize("env_id", IDS)
def test_an_episode_has_finite_numbers_inside_its_bounds(env_id):
    env = gym.make(env_id)
    for seed in range(5):
        env.action_space.seed(seed)
        observation, info = env.reset(seed=seed)
        for day in range(90):
            assert observation in env.observation_space
            assert observation.dtype == np.float32
            observation, reward, terminated, truncated, info = env.step(env.action_space.sample())
            assert type(reward) is float
            assert type(terminated) is bool
            assert type(truncated) is bool
            assert truncated is False
            assert terminated is (day == 89)
            assert sum(info["reward_terms"].values()) == pytest.approx(reward, abs=1e-9)
        assert observation in env.observation_space
        assert observation[5] == 0.0


@pytest.mark.parametrize("env_id", IDS)
def test_the_same_seed_gives_the_same_season_and_another_one_a_different(env_id):
    def season(seed):
        env = gym.make(env_id)
        env.action_space.seed(7)
        rows = [env.reset(seed=seed)[0]]
        for _ in range(90):
            observation, reward, *_ = env.step(env.action_space.sample())
            rows.append(np.append(observation, reward))
        return np.concatenate(rows)

    np.testing.assert_array_equal(season(3), season(3))
    assert not np.array_equal(season(3), season(4))


@pytest.mark.parametrize("env_id", IDS)
def test_a_season_goes_on_after_pickling_in_the_middle(env_id):
    env = gym.make(env_id).unwrapped
    env.reset(seed=11)
    env.action_space.seed(2)
    actions = [env.action_space.sample() for _ in range(90)]
    for action in actions[:40]:
        env.step(action)
    twin = pickle.loads(pickle.dumps(env))
    for action in actions[40:]:
        assert_equal(env.step(action), twin.step(action))
    assert_equal(env.reset(), twin.reset())


@pytest.mark.parametrize("env_id", IDS)
def test_the_specification_survives_json(env_id):
    spec = gym.make(env_id, days=30).spec
    text = spec.to_json()
    json.loads(text)
    env, twin = gym.make(spec), gym.make(EnvSpec.from_json(text))
    assert_equal(env.reset(seed=1), twin.reset(seed=1))
    assert twin.unwrapped.days == 30


def _factory(env_id):
    """Return a function, importable by a fresh process, that makes the environment."""
    return _Factory(env_id)


class _Factory:
    def __init__(self, env_id):
        self.env_id = env_id

    def __call__(self):
        return gym.make(f"fitgym:{self.env_id}")


@pytest.mark.parametrize("env_id", IDS[:1])
def test_subprocess_environments_of_both_libraries_work_with_spawn(env_id):
    alone = gym.make(env_id)
    expected, _ = alone.reset(seed=21)
    after, reward, *_ = alone.step(3)
    vec_env = pytest.importorskip("stable_baselines3.common.vec_env")
    batch = vec_env.SubprocVecEnv([_factory(env_id)] * 2, start_method="spawn")
    try:
        batch.seed(21)
        np.testing.assert_array_equal(batch.reset()[0], expected)
        observations, rewards, _, infos = batch.step(np.array([3, 3]))
        np.testing.assert_array_equal(observations[0], after)
        assert rewards[0] == reward
        assert infos[0]["plan"] == 3
    finally:
        batch.close()
    batch = gym.vector.AsyncVectorEnv([_factory(env_id)] * 2, context="spawn")
    try:
        np.testing.assert_array_equal(batch.reset(seed=21)[0][0], expected)
        observations, rewards, *_ = batch.step(np.array([3, 3]))
        np.testing.assert_array_equal(observations[0], after)
        assert rewards[0] == reward
    finally:
        batch.close()
