"""The cost of a day against the workload ratio of the whole history."""

from __future__ import annotations

import copy
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from numpy.testing import assert_allclose

from fitgym.model.strain import workload_ratio

DAYS = 40


def plans(count: int, episodes: int = 2) -> Any:
    """Return easy weeks, hard weeks and weeks of rest, each person's in another order."""
    weeks = [[1, 1, 1, 7, 9, 0][(week + shift) % 6] for week in range(6) for shift in range(count)]
    hardness = np.tile(np.repeat(np.reshape(weeks, (6, count)), 7, axis=0), (episodes, 1))
    return np.maximum(hardness - np.random.default_rng(4).integers(0, 2, hardness.shape), 0)


def expected(done: Any) -> Any:
    return np.maximum(workload_ratio(done) - 1.3, 0.0)


@pytest.mark.parametrize("env_id", ["fitgym/Acquisition-v1", "fitgym/AcquisitionReplay-v0"])
def test_a_cost_is_the_ratio_above_the_limit_of_this_episode(env_id: str) -> None:
    env = gym.make(env_id, days=DAYS, cost=True)
    for episode in range(2):
        _, info = env.reset(seed=episode)
        assert info["cost"] == 0.0
        done, costs = [], []
        for day in range(DAYS):
            info = env.step(int(plans(1)[day, 0]))[4]
            done.append(info["done_trimp"])
            costs.append(info["cost"])
        assert_allclose(costs, expected(np.array(done)), atol=1e-8)
        assert max(costs) > 0.01 or "Replay" in env_id


@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
def test_environments_of_a_vector_have_costs_of_their_own(mode: str) -> None:
    env: Any = gym.make_vec("fitgym/Acquisition-v1", 3, days=DAYS, cost=True, autoreset_mode=mode)
    env.reset(seed=0)
    done: list[list[float]] = [[], [], []]
    for day, actions in enumerate(plans(3)):
        if day == 10:
            # From now on they are on different days.
            env.reset(options={"reset_mask": np.array([False, True, False])})
            done[1] = []
        if mode == "Disabled" and env._ended.any():
            mask = env._ended.copy()
            _, infos = env.reset(options={"reset_mask": mask})
            for index in np.flatnonzero(mask):
                done[index] = []
        _, _, ended, _, infos = env.step(actions)
        final = infos.get("final_info", infos)
        for index in range(3):
            if mode == "SameStep" and ended[index]:
                assert infos["cost"][index] == 0.0
                done[index].append(final["done_trimp"][index])
                cost = expected(np.array(done[index]))[-1]
                assert_allclose(final["cost"][index], cost, atol=1e-8)
                done[index] = []
            elif np.isnan(infos["done_trimp"][index]):
                assert infos["cost"][index] == 0.0
                done[index] = []
            else:
                done[index].append(infos["done_trimp"][index])
                cost = expected(np.array(done[index]))[-1]
                assert_allclose(infos["cost"][index], cost, atol=1e-8)


def test_copies_and_branches_have_weeks_of_their_own() -> None:
    env: Any = gym.make(
        "fitgym/Acquisition-v1", days=DAYS, cost=True, adherence="certain"
    ).unwrapped
    env.reset(seed=0)
    for _ in range(20):
        env.step(1)
    twin, branch = copy.deepcopy(env), env.branch(1)
    for _ in range(3):
        branch.step(10)
    for _ in range(3):
        after = twin.step(6)[4]
        assert env.step(6)[4]["cost"] == after["cost"]


def test_infos_already_given_keep_their_costs() -> None:
    env: Any = gym.make_vec("fitgym/Acquisition-v1", 1, days=DAYS, cost=True, adherence="certain")
    env.reset(seed=0)
    given = [env.step([plan])[4]["cost"] for plan in [1] * 14 + [10] * 3]
    costs = np.array(given)[:, 0]
    assert costs[:14].max() == 0.0
    assert (np.diff(costs[14:]) > 0.0).all()


@pytest.mark.parametrize("env_id", ["fitgym/Acquisition-v1", "fitgym/RetentionContinuous-v1"])
def test_who_does_not_ask_is_told_nothing_and_lives_the_same(env_id: str) -> None:
    told: Any = gym.make_vec(env_id, 2, days=DAYS, cost=True, autoreset_mode="SameStep")
    other: Any = gym.make_vec(env_id, 2, days=DAYS, autoreset_mode="SameStep")
    told.action_space.seed(0)
    more, less = told.reset(seed=0)[1], other.reset(seed=0)[1]
    for _ in range(2 * DAYS):
        assert set(more) - set(less) == {"cost", "_cost"}
        assert set(less) <= set(more)
        actions = told.action_space.sample()
        (seen, rewards, *_, more), (expected, earned, *_, less) = (
            env.step(actions) for env in (told, other)
        )
        np.testing.assert_array_equal(seen, expected)
        np.testing.assert_array_equal(rewards, earned)
        if "final_info" in more:
            assert "cost" not in less["final_info"]
            assert more["final_info"]["cost"].shape == (2,)
    assert "cost" not in gym.make(env_id).reset()[1]


def test_a_cost_is_asked_for_by_true_or_false() -> None:
    with pytest.raises(TypeError, match="cost must be True or False, got 1"):
        gym.make("fitgym/Acquisition-v1", cost=1)
