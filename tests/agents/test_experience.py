"""What is collected is what the environments did, normalised by what was measured in them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.vector import VectorEnv

from fitgym_agents.deep.networks import HybridNetwork
from fitgym_agents.deep.normalisation import Normalisation
from fitgym_agents.deep.rollout import Collector
from fitgym_agents.environments import make_vector_env

ENV_ID = "fitgym/Acquisition-v0"


def _collector(arguments: dict[str, Any], mask: torch.Tensor) -> tuple[Collector, Normalisation]:
    environments = make_vector_env(ENV_ID, 3, arguments)
    normalisation = Normalisation.measure(environments, arguments["days"], 0.9, seed=4)
    return Collector(environments, normalisation, mask, seed=7), normalisation


def test_windows_hold_the_days_of_the_environments(certain: dict[str, Any]) -> None:
    collector, scales = _collector(certain, torch.ones(11, dtype=torch.bool))
    torch.manual_seed(0)
    actor = HybridNetwork(6, 11, memory_size=4)
    rollouts = [collector.collect(actor, 8) for _ in range(3)]
    # Three rollouts of 8 days hold two seasons of 12; play one person's again, alone.
    env = gym.make(ENV_ID, **certain)
    observation, _ = env.reset(seed=8)
    total = 0.0
    days = [(rollout, day) for rollout in rollouts for day in range(8)]
    for number, (rollout, day) in enumerate(days):
        torch.testing.assert_close(rollout.observations[day, 1], scales.observations(observation))
        assert bool(rollout.starting[day, 1]) == (number % 12 == 0)
        observation, reward, ended, *_ = env.step(int(rollout.actions[day, 1]))
        torch.testing.assert_close(rollout.rewards[day, 1:2], scales.rewards(np.array([reward])))
        total += float(reward)
        assert bool(rollout.ended[day, 1]) == ended == (number % 12 == 11)
        if ended:
            assert rollout.finished_returns[1] == np.float64(total)
            total = 0.0
            observation, _ = env.reset()
    # The bridge from one rollout to the next.
    for before, after in pairwise(rollouts):
        torch.testing.assert_close(before.observations[-1], after.observations[0])
        assert torch.equal(before.starting[-1], after.starting[0])


def test_replay_of_a_window_gives_the_logits_it_was_lived_with(certain: dict[str, Any]) -> None:
    collector, _ = _collector(certain, torch.ones(11, dtype=torch.bool))
    torch.manual_seed(0)
    actor = HybridNetwork(6, 11, memory_size=4)
    # With certain logits the drawn action is the likeliest, so that actions tell of logits.
    with torch.no_grad():
        actor.layers[-1].weight.mul_(1e4)
    for _ in range(3):
        rollout = collector.collect(actor, 8)
        with torch.no_grad():
            logits, _ = actor(rollout.observations[:-1], rollout.hidden, rollout.starting[:-1])
        assert torch.equal(logits.argmax(-1), rollout.actions)


def test_forbidden_plans_are_not_lived(certain: dict[str, Any]) -> None:
    mask = torch.ones(11, dtype=torch.bool)
    mask[[0, 3, 10]] = False
    collector, _ = _collector(certain, mask)
    actions = collector.collect(HybridNetwork(6, 11), 60).actions
    assert set(actions.flatten().tolist()) == {1, 2, 4, 5, 6, 7, 8, 9}


def test_random_episodes_are_normalised() -> None:
    arguments = {"days": 20, "forbidden_plans": [10]}
    environments = make_vector_env(ENV_ID, 512, arguments)
    scales = Normalisation.measure(environments, 20, 0.9, seed=1)
    rng = np.random.default_rng(0)
    observations, rewards = [], np.empty((20, 512))
    current, _ = environments.reset(seed=99)
    for day in range(20):
        observations.append(scales.observations(current).numpy())
        current, reward, *_ = environments.step(rng.integers(0, 10, 512))
        rewards[day] = scales.rewards(reward)
    everything = np.concatenate(observations)
    np.testing.assert_allclose(everything.mean(axis=0), 0.0, atol=0.15)
    np.testing.assert_allclose(everything.std(axis=0), 1.0, atol=0.15)
    to_come = [(0.9 ** np.arange(20 - day)) @ rewards[day:] for day in range(20)]
    np.testing.assert_allclose(np.std(to_come), 1.0, atol=0.15)
    np.testing.assert_allclose(rewards.mean(), 0.0, atol=0.1)


class Scripted(VectorEnv[Any, Any, Any]):
    """Two environments whose rewards and observations are those of a table, whatever is done."""

    rewards = np.array([[1.0, 10.0], [2.0, -20.0], [4.0, 45.0]])
    num_envs = 2

    def get_attr(self, name: str) -> tuple[Any, ...]:
        return ({"action_mask": np.ones(3, dtype=np.int8)}[name],) * 2

    def reset(self, *, seed: Any = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        self._step = 0
        return self._observe(), {}

    def step(self, actions: Any) -> tuple[Any, ...]:
        reward = self.rewards[self._step]
        self._step = (self._step + 1) % 3
        ended = np.full(2, self._step == 0)
        return self._observe(), reward, ended, np.zeros_like(ended), {}

    def _observe(self) -> Any:
        return np.array([[self._step, 7.0], [10.0 * self._step, 7.0]], dtype=np.float32)


@pytest.mark.parametrize("discount", [0.0, 0.5, 0.99, 1.0])
def test_moments_of_scripted_episodes_by_hand(discount: float) -> None:
    found = Normalisation.measure(Scripted(), 3, discount, seed=0)
    assert found.reward_mean == pytest.approx(7.0)
    to_come = []
    for first, second, third in ((-6.0, -5.0, -3.0), (3.0, -27.0, 38.0)):
        to_come += [third, second + discount * third]
        to_come.append(first + discount * second + discount**2 * third)
    assert found.return_deviation == pytest.approx(np.std(to_come))
    np.testing.assert_allclose(found.mean, [np.mean([0, 1, 2, 0, 10, 20]), 7.0])
    # What never varies keeps its unit.
    np.testing.assert_allclose(found.deviation, [np.std([0, 1, 2, 0, 10, 20]), 1.0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"deviation": np.array([1.0, 0.0])}, "must be above 0"),
        ({"deviation": np.array([1.0, np.nan])}, "must be above 0"),
        ({"deviation": np.ones(3)}, "vectors of the same size"),
        ({"return_deviation": 0.0}, "must be above 0"),
    ],
)
def test_moments_that_cannot_be_are_refused(changes: dict[str, Any], message: str) -> None:
    fields: dict[str, Any] = {"mean": np.zeros(2), "deviation": np.ones(2)}
    fields |= {"reward_mean": 0.0, "return_deviation": 1.0}
    with pytest.raises(ValueError, match=message):
        Normalisation(**{**fields, **changes})


def test_far_observations_are_clipped_and_rewards_are_not() -> None:
    found = Normalisation(np.array([1.0, 1.0]), np.array([2.0, 1e-3]), 0.0, 0.01)
    far = np.array([[22.0, 1.0], [-1e30, 1.005], [1e30, 2.0]])
    expected = [[10.0, 0.0], [-10.0, 5.0], [10.0, 10.0]]
    np.testing.assert_allclose(found.observations(far), expected, rtol=1e-4)
    np.testing.assert_allclose(found.rewards(np.array([5.0])), [500.0])


def test_the_normalisation_survives_a_file() -> None:
    scales = Normalisation(np.arange(3.0), np.ones(3), 2.0, 3.0)
    again = Normalisation.from_tensors(scales.tensors())
    values = np.array([[1.0, 2.0, 3.0]])
    assert torch.equal(scales.observations(values), again.observations(values))
    assert torch.equal(scales.rewards(values), again.rewards(values))
