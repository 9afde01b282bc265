"""SB3's algorithms with the hybrid network: histories are right, and so are the agents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from stable_baselines3.common.vec_env import VecMonitor

from fitgym_agents.deep.networks import HybridNetwork
from fitgym_agents.deep.normalisation import Normalisation
from fitgym_agents.environments import make_vector_env
from fitgym_agents.evaluation import evaluate
from fitgym_agents.files import load_agent
from fitgym_agents.sb3.algorithms import A2C, DQN, PPO, RecurrentPPO, StableBaselinesAgent
from fitgym_agents.sb3.hybrid import HybridExtractor, ObservationHistory
from fitgym_agents.sb3.vector_env import StaggeredEpisodes

ENV_ID = "fitgym/AcquisitionReplay-v0"
ALGORITHMS = [A2C, DQN, PPO]
SMALL: dict[type, dict[str, Any]] = {
    A2C: {},
    DQN: {"learning_starts": 50, "buffer_size": 500, "target_update": 100, "minibatch": 32},
    PPO: {"steps": 16, "minibatch": 64, "epochs": 2},
}


def small(algorithm: type[StableBaselinesAgent[Any]], env_kwargs: Any, **changes: Any) -> Any:
    configuration = {
        "network": "hybrid",
        "environments": 4,
        "history": 3,
        "memory_size": 5,
        "hidden_sizes": [8, 7],
        **SMALL[algorithm],
        **changes,
    }
    return algorithm.create(ENV_ID, env_kwargs=env_kwargs, seed=3, configuration=configuration)


def _history() -> ObservationHistory:
    scales = Normalisation(np.arange(6.0), np.arange(1.0, 7.0), 0.0, 1.0)
    return ObservationHistory(scales, length=4)


def _stacked(days: list[np.ndarray], history: ObservationHistory) -> np.ndarray:
    """Return the last days, scaled and clipped at 10, after as many zeros as there is room."""
    scaled = [
        np.clip((day - np.arange(6.0)) / np.arange(1.0, 7.0), -10.0, 10.0)
        for day in days[-history.length :]
    ]
    empty = [np.zeros(6)] * (history.length - len(scaled))
    return np.concatenate([*empty, *scaled]).astype(np.float32)


def test_histories_in_training_and_acting_equal_a_slow_reference(certain: dict[str, Any]) -> None:
    history = _history()
    single = StaggeredEpisodes(make_vector_env(ENV_ID, 3, certain))
    twin = VecMonitor(StaggeredEpisodes(make_vector_env(ENV_ID, 3, certain)))
    environments = history.environments(VecMonitor(single))
    environments.seed(5)
    twin.seed(5)
    stacks, observations = environments.reset(), twin.reset()
    seen = [[observation] for observation in observations]
    acting = history.extend(None, observations, np.ones(3, dtype=bool))
    rng = np.random.default_rng(0)
    ends = 0
    for _ in range(30):
        expected = np.stack([_stacked(days, history) for days in seen])
        np.testing.assert_allclose(stacks, expected, rtol=1e-6)
        np.testing.assert_array_equal(acting, stacks)
        actions = rng.integers(0, 11, 3)
        stacks, _, dones, infos = environments.step(actions)
        observations, _, _, plain = twin.step(actions)
        for person, done in enumerate(dones):
            if done:
                ends += 1
                final = [*seen[person], plain[person]["terminal_observation"]]
                np.testing.assert_allclose(
                    infos[person]["terminal_observation"], _stacked(final, history), rtol=1e-6
                )
                seen[person] = []
            seen[person].append(observations[person])
        acting = history.extend(acting, observations, dones)
    assert ends > 6
    # A reset of all clears everything.
    np.testing.assert_array_equal(environments.reset()[:, :18], 0.0)


def test_without_episode_start_only_the_first_call_starts() -> None:
    history = _history()
    first, second = np.full((2, 6), 7.0, np.float32), np.full((2, 6), 9.0, np.float32)
    state = history.extend(history.extend(None, first), second)
    np.testing.assert_allclose(state[1], _stacked([first[1], second[1]], history), rtol=1e-6)


def test_extractor_is_the_hybrid_network_a_day_at_a_time(certain: dict[str, Any]) -> None:
    agent = small(PPO, certain)
    policy = agent.model.policy
    extractor = policy.pi_features_extractor
    assert isinstance(extractor, HybridExtractor)
    stacks = torch.randn(9, 3 * 6)
    memory = extractor.network.initial_hidden(9)
    for day in range(3):
        outputs, memory = extractor.network.step(stacks[:, 6 * day : 6 * day + 6], memory)
    logits = policy.action_net(torch.tanh(outputs))
    expected = policy.get_distribution(stacks).distribution.logits
    torch.testing.assert_close(torch.log_softmax(logits, -1), expected)


@pytest.mark.parametrize("algorithm", [A2C, PPO, RecurrentPPO])
def test_actor_and_critic_are_hybrid_networks_each(
    algorithm: type[StableBaselinesAgent[Any]], certain: dict[str, Any]
) -> None:
    """RecurrentPPO's own recurrent policy is the hybrid network as it stands."""
    sizes: dict[str, Any] = {"memory_size": 5, "hidden_sizes": [8, 7]}
    changes = {} if algorithm is RecurrentPPO else {"network": "hybrid"}
    agent = algorithm.create(ENV_ID, env_kwargs=certain, configuration={**sizes, **changes})
    nets = [HybridNetwork(6, outputs, **sizes) for outputs in (11, 1)]
    weights = sum(weight.numel() for net in nets for weight in net.parameters())
    assert agent.parameters == weights  # type: ignore[attr-defined]


def test_dqn_learns_a_hybrid_network_and_keeps_a_target(certain: dict[str, Any]) -> None:
    agent = small(DQN, certain)
    net = HybridNetwork(6, 11, memory_size=5, hidden_sizes=(8, 7))
    assert agent.parameters == sum(weight.numel() for weight in net.parameters())


def test_dqn_remembers_histories_as_they_were_seen(certain: dict[str, Any]) -> None:
    agent = small(DQN, certain)
    agent.learn(100)
    buffer = agent.model.replay_buffer
    stored = buffer.pos
    ended = buffer.dones[:stored].astype(bool)
    assert ended.any()
    before, after = buffer.observations[:stored], buffer.next_observations[:stored]
    # What came is what was there, a day older, and a new day: at the end of a season too.
    np.testing.assert_allclose(after[..., :12], before[..., 6:], rtol=1e-5, atol=1e-6)
    # The last column tells of the days left: none after the last.
    left = after[..., -1] * agent.history.normalisation.deviation[-1]
    left = left + agent.history.normalisation.mean[-1]
    np.testing.assert_allclose(left[ended], 0.0, atol=1e-5)
    assert (left[~ended] > 0.05).all()
    # A season begins with a history of one day.
    np.testing.assert_array_equal(before[1:][ended[:-1]][:, :12], 0.0)


def decisions(agent: Any) -> list[list[int]]:
    """Return what the agent does in three seasons it is shown."""
    observations = np.random.default_rng(0).uniform(1, 30, size=(10, 3, 6)).astype(np.float32)
    actions, state = [], None
    for day, observation in enumerate(observations):
        chosen, state = agent.predict(observation, state, np.full(3, day in (0, 6)))
        actions.append(chosen.tolist())
    return actions


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_save_and_load_decide_alike_and_learn_on(
    algorithm: type[StableBaselinesAgent[Any]], certain: dict[str, Any], tmp_path: Path
) -> None:
    agent = small(algorithm, certain).learn(600)
    assert agent.name == f"{algorithm.name} (hybrid)"
    agent.save(tmp_path)
    loaded: Any = load_agent(tmp_path)
    assert loaded.name == agent.name
    assert decisions(loaded) == decisions(agent)
    assert json.dumps(loaded.configuration()) == json.dumps(agent.configuration())
    saved = agent.tensors()
    restored = {name: value.copy() for name, value in loaded.tensors().items()}
    assert saved.keys() == restored.keys()
    for name in saved:
        np.testing.assert_array_equal(saved[name], restored[name], err_msg=name)
    loaded.learn(300)
    changed = loaded.tensors()
    for name in saved:
        if "memory.weight" in name:
            assert (restored[name] != changed[name]).any(), name
        if name.startswith("history."):
            np.testing.assert_array_equal(restored[name], changed[name])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_learning_repeats_with_its_seed(
    algorithm: type[StableBaselinesAgent[Any]], certain: dict[str, Any]
) -> None:
    first, again = (small(algorithm, certain).learn(200).tensors() for _ in range(2))
    for name in first:
        np.testing.assert_array_equal(first[name], again[name], err_msg=name)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_learning_finds_the_known_best_plan(
    algorithm: type[StableBaselinesAgent[Any]], replay: dict[str, Any]
) -> None:
    """Sessions of 10 points exactly: plan 2 (7 points) is always met, plan 3 never is."""
    person = {**replay["individual"], "sessions_trimp": [10.0] * 20}
    env_kwargs = {**replay, "individual": person, "days": 5, "log_part": "all"}
    configuration = {
        A2C: {"learning_rate": 3e-3},
        DQN: {"learning_starts": 200, "target_update": 200, "minibatch": 128},
        PPO: {"minibatch": 256, "learning_rate": 3e-3},
    }[algorithm]
    shared: dict[str, Any] = {
        "environments": 16,
        "discount": 0.0,
        "network": "hybrid",
        "memory_size": 16,
    }
    shared["history"] = 2
    agent = algorithm.create(
        ENV_ID, env_kwargs=env_kwargs, configuration={**shared, **configuration}
    )
    agent.learn(5_000)
    evaluation = evaluate(agent, ENV_ID, episodes=4, env_kwargs=env_kwargs)
    assert (np.isin(evaluation.actions, [1, 2])).all()
    assert evaluation.completion_rate == 1.0


def test_a_hybrid_network_needs_a_hidden_layer(certain: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="hidden_sizes must not be empty"):
        small(PPO, certain, hidden_sizes=[])
