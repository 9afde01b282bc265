"""The Stable-Baselines3 agents keep the agents' promises, and learn."""

from __future__ import annotations

import dataclasses
import itertools
import json
import tempfile
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv
from stable_baselines3.common.utils import set_random_seed
from stable_baselines3.common.vec_env import SubprocVecEnv

from fitgym.adherence import CustomAdherence, Response
from fitgym.envs.vector import FitnessFatigueVectorEnv
from fitgym_agents.environments import EnvironmentFactory
from fitgym_agents.evaluation import EVALUATION_SEED, evaluate
from fitgym_agents.files import load_agent
from fitgym_agents.registry import find_agent
from fitgym_agents.sb3.algorithms import A2C, DQN, PPO, RecurrentPPO, StableBaselinesAgent

ENV_ID = "fitgym/AcquisitionReplay-v0"
ALGORITHMS = [A2C, DQN, PPO, RecurrentPPO]
# Small, for tests that are not about learning well.
SMALL: dict[type, dict[str, Any]] = {
    A2C: {"environments": 4},
    DQN: {"environments": 4, "learning_starts": 50, "buffer_size": 500, "target_update": 100},
    PPO: {"environments": 4, "steps": 16, "minibatch": 64, "epochs": 2},
    RecurrentPPO: {"environments": 4, "epochs": 2, "memory_size": 8},
}


def small(algorithm: type[StableBaselinesAgent], env_kwargs: Any, **changes: Any) -> Any:
    configuration = {"hidden_sizes": [8], **SMALL[algorithm], **changes}
    return algorithm.create(ENV_ID, env_kwargs=env_kwargs, seed=3, configuration=configuration)


def decisions(agent: StableBaselinesAgent, deterministic: bool = True) -> list[list[int]]:
    """Return what the agent does in three seasons it is shown."""
    observations = np.random.default_rng(0).uniform(1, 30, size=(10, 3, 6)).astype(np.float32)
    actions, state = [], None
    for day, observation in enumerate(observations):
        chosen, state = agent.predict(observation, state, np.full(3, day == 0), deterministic)
        actions.append(chosen.tolist())
    return actions


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_save_and_load_decide_alike_and_learn_on(
    algorithm: type[StableBaselinesAgent], certain: dict[str, Any], tmp_path: Path
) -> None:
    agent = small(algorithm, certain).learn(600)
    agent.save(tmp_path)
    loaded = load_agent(tmp_path)
    assert type(loaded) is algorithm
    assert decisions(loaded) == decisions(agent)
    assert json.dumps(loaded.configuration()) == json.dumps(agent.configuration())
    saved, restored = agent.tensors(), loaded.tensors()
    assert saved.keys() == restored.keys()
    for name in saved:
        np.testing.assert_array_equal(saved[name], restored[name], err_msg=name)
    assert any(name.startswith("optimizer.") for name in saved)
    assert saved["normalisation.observations.count"] > 600

    timesteps = loaded.model.num_timesteps
    loaded.learn(600)
    assert loaded.model.num_timesteps >= timesteps + 600
    assert len(loaded.learning_curve) > len(agent.learning_curve)
    weights = [name for name in saved if name.startswith("policy.") and "weight" in name]
    assert any((saved[name] != loaded.tensors()[name]).any() for name in weights)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_learning_repeats_with_its_seed(
    algorithm: type[StableBaselinesAgent], certain: dict[str, Any]
) -> None:
    def learnt(seed: int) -> dict[str, Any]:
        configuration = {"hidden_sizes": [8], **SMALL[algorithm]}
        agent = algorithm.create(ENV_ID, env_kwargs=certain, seed=seed, configuration=configuration)
        set_random_seed(99)  # what the process did before must not matter
        return agent.learn(300).tensors()

    first, again, other = learnt(0), learnt(0), learnt(1)
    for name in first:
        np.testing.assert_array_equal(first[name], again[name], err_msg=name)
    assert any((first[name] != other[name]).any() for name in first)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_learning_finds_the_known_best_plan(
    algorithm: type[StableBaselinesAgent], replay: dict[str, Any]
) -> None:
    """Sessions of 10 points exactly: plan 2 (7 points) is always met, plan 3 never is."""
    person = {**replay["individual"], "sessions_trimp": [10.0] * 20}
    env_kwargs = {**replay, "individual": person, "days": 5, "log_part": "all"}
    configuration = {
        A2C: {"environments": 16, "learning_rate": 3e-3},
        DQN: {"environments": 16, "learning_starts": 200, "target_update": 200},
        PPO: {"environments": 16, "minibatch": 128, "learning_rate": 3e-3},
        RecurrentPPO: {"environments": 16, "learning_rate": 1e-2, "memory_size": 16},
    }[algorithm]
    agent = algorithm.create(
        ENV_ID, env_kwargs=env_kwargs, configuration={"discount": 0.0, **configuration}
    )
    agent.learn(4_000)
    evaluation = evaluate(agent, ENV_ID, episodes=4, env_kwargs=env_kwargs)
    assert (np.isin(evaluation.actions, [1, 2])).all()
    assert evaluation.completion_rate == 1.0


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_learning_curve_and_progress(
    algorithm: type[StableBaselinesAgent], certain: dict[str, Any]
) -> None:
    steps: list[int] = []
    agent = small(algorithm, certain)
    agent.learn(400, progress=steps.append)
    agent.learn(400, progress=steps.append)
    assert all(before < after for before, after in itertools.pairwise(steps[: len(steps) // 2]))
    assert steps[0] == steps[len(steps) // 2] == 4
    assert steps[-1] >= 400
    timesteps, returns = zip(*agent.learning_curve, strict=True)
    assert all(before < after for before, after in itertools.pairwise(timesteps))
    losses = {step: pair for step, *pair in agent.learning_losses}
    assert losses
    assert losses.keys() <= set(timesteps)
    assert all(value >= 0.0 for _, value in losses.values())
    assert all((policy is None) == (algorithm.name == "DQN") for policy, _ in losses.values())
    # True returns of whole seasons, between those of the worst and the best plans.
    best = evaluate(small(algorithm, certain), ENV_ID, episodes=1, env_kwargs=certain)
    assert best.lengths.tolist() == [12]
    everyday = [
        evaluate(find_agent("fixed")(plan), ENV_ID, episodes=1, env_kwargs=certain).mean
        for plan in range(11)
    ]
    assert min(everyday) < min(returns) <= max(returns) < 1.2 * max(everyday)


def test_observations_are_normalised_as_in_training(certain: dict[str, Any]) -> None:
    agent = small(PPO, certain).learn(200)
    tensors = agent.tensors()
    mean = tensors["normalisation.observations.mean"]
    variance = tensors["normalisation.observations.var"]
    raw = np.array([[20, 30, 800, 90, 7, 0.5]], dtype=np.float32)
    by_hand = np.clip((raw - mean) / np.sqrt(variance + 1e-8), -10, 10).astype(np.float32)
    expected, _ = agent.model.policy.predict(by_hand, deterministic=True)
    assert agent.predict(raw)[0] == expected


def test_training_seasons_are_not_evaluation_seasons(
    certain: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = small(A2C, certain)
    seeds: list[int] = []
    reset = FitnessFatigueVectorEnv.reset

    def spy(self: Any, *, seed: Any = None, options: Any = None) -> Any:
        seeds.extend(one for one in seed or () if one is not None)
        return reset(self, seed=seed, options=options)

    monkeypatch.setattr(FitnessFatigueVectorEnv, "reset", spy)
    agent.learn(8)
    assert len(set(seeds)) == 4
    assert min(seeds) >= 2**31 > EVALUATION_SEED + 10**6


@pytest.mark.parametrize(
    ("algorithm", "days_left"), [(A2C, [12, 9, 6, 3]), (RecurrentPPO, [12, 12, 12, 12])]
)
def test_training_seasons_start_at_different_days(
    algorithm: type[StableBaselinesAgent], days_left: list[int], certain: dict[str, Any]
) -> None:
    environments = small(algorithm, certain).model.env
    environments.seed(0)
    environments.reset()
    first = environments.get_original_obs()
    np.testing.assert_allclose(first[:, 5] * 12, days_left, rtol=1e-6)
    # Only the first season is cut short.
    environments.reset()
    np.testing.assert_array_equal(environments.get_original_obs()[:, 5], 1.0)
    environments.seed(0)
    twin = small(algorithm, certain).model.env
    twin.seed(0)
    twin.reset()
    np.testing.assert_array_equal(twin.get_original_obs(), first)


class Willing(CustomAdherence):
    """Does as asked."""

    def respond(self, situation: Any) -> Response:
        return Response(intensity=situation.plan_trimp, met=situation.plan_trimp > 0)


def test_agents_learn_with_custom_adherence(certain: dict[str, Any]) -> None:
    """The same person as with certain adherence, in Python: the same weights come out."""
    custom = {**certain, "adherence": f"{__name__}:Willing"}
    builtin, own = small(A2C, certain).learn(100), small(A2C, custom).learn(100)
    for name, value in builtin.tensors().items():
        np.testing.assert_array_equal(own.tensors()[name], value, err_msg=name)


def test_recurrent_ppo_remembers_and_forgets_at_the_start(certain: dict[str, Any]) -> None:
    agent = small(RecurrentPPO, certain)
    observation = np.ones((2, 6), dtype=np.float32)
    _, state = agent.predict(observation, None, np.ones(2, dtype=bool))
    _, later = agent.predict(observation, state, np.array([True, False]))
    np.testing.assert_allclose(later[0][:, 0], state[0][:, 0], rtol=1e-6)
    assert not np.allclose(later[0][:, 1], state[0][:, 1])


def test_no_folder_is_left_behind(
    certain: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    small(PPO, certain).learn(100)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_wrong_settings_are_clear_errors(
    algorithm: type[StableBaselinesAgent], certain: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=r"unknown keys \['learning_speed'\].*learning_rate"):
        algorithm.create(ENV_ID, env_kwargs=certain, configuration={"learning_speed": 1})
    for field in dataclasses.fields(algorithm.settings_class):
        for wrong in (-1, float("nan"), "many", None):
            with pytest.raises((ValueError, TypeError), match=field.name):
                algorithm.create(ENV_ID, env_kwargs=certain, configuration={field.name: wrong})
    with pytest.raises(ValueError, match="forbidden_plans"):
        algorithm.create(ENV_ID, env_kwargs={**certain, "forbidden_plans": [10]})


@pytest.mark.parametrize("env_id", ["fitgym/AcquisitionReplay-v0", "fitgym/RetentionReplay-v0"])
def test_vector_environments_work_in_spawned_processes(env_id: str) -> None:
    factory = EnvironmentFactory(env_id)
    alone = factory()
    expected, _ = alone.reset(seed=7)
    expected_next, reward, *_ = alone.step(5)

    ours = SubprocVecEnv([factory], start_method="spawn")
    ours.seed(7)
    np.testing.assert_array_equal(ours.reset(), expected[None])
    observations, rewards, *_ = ours.step(np.array([5]))
    np.testing.assert_array_equal(observations, expected_next[None])
    assert rewards[0] == pytest.approx(reward, rel=1e-6)
    ours.close()

    theirs = AsyncVectorEnv([factory], context="spawn")
    np.testing.assert_array_equal(theirs.reset(seed=7)[0], expected[None])
    observations, rewards, *_ = theirs.step(np.array([5]))
    np.testing.assert_array_equal(observations, expected_next[None])
    assert rewards[0] == reward
    theirs.close()


def test_gym_make_vec_by_import_free_id(replay: dict[str, Any]) -> None:
    environments = gym.make_vec(f"fitgym:{ENV_ID}", num_envs=2, vectorization_mode="sync", **replay)
    observations, _ = environments.reset(seed=1)
    assert observations.shape == (2, 6)
    environments.close()
