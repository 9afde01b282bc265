"""Off-policy evaluation against the exact values of a small process."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fitgym_agents.trials.estimators import Estimate
from fitgym_agents.trials.off_policy import (
    LoggedEpisodes,
    doubly_robust,
    fitted_q_evaluation,
    importance_sampling,
    weighted_importance_sampling,
)

# Two states, two actions, three steps: probability of state 1 next, mean reward, policies.
NEXT = np.array([[0.2, 0.7], [0.4, 0.9]])
REWARD = np.array([[0.0, 1.0], [2.0, -1.0]])
BEHAVIOUR = np.array([[0.5, 0.5], [0.6, 0.4]])
TARGET = np.array([[0.3, 0.7], [0.8, 0.2]])
STEPS = 3
START = 0.5


def exact(policy: Any) -> float:
    value = np.zeros(2)
    for _ in range(STEPS):
        worth = REWARD + (1.0 - NEXT) * value[0] + NEXT * value[1]
        value = (policy * worth).sum(axis=1)
    return float((1.0 - START) * value[0] + START * value[1])


def logged(episodes: int, seed: int) -> LoggedEpisodes:
    generator = np.random.default_rng(seed)
    states, actions = np.empty((2, episodes, STEPS), dtype=np.int64)
    now = (generator.random(episodes) < START).astype(np.int64)
    for step in range(STEPS):
        states[:, step] = now
        actions[:, step] = generator.random(episodes) < BEHAVIOUR[now, 1]
        now = (generator.random(episodes) < NEXT[now, actions[:, step]]).astype(np.int64)
    rewards = REWARD[states, actions] + generator.normal(size=states.shape)
    return LoggedEpisodes(
        features=states[..., None].astype(np.float64),
        actions=actions,
        rewards=rewards,
        behaviour=BEHAVIOUR[states, actions],
        target=TARGET[states],
    )


ESTIMATORS: list[Callable[[LoggedEpisodes], Estimate]] = [
    importance_sampling,
    weighted_importance_sampling,
    doubly_robust,
    lambda data: fitted_q_evaluation(data, resamples=40),
]


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_estimates_come_to_the_exact_value(estimator: Any) -> None:
    assert abs(exact(TARGET) - exact(BEHAVIOUR)) > 0.3
    found = estimator(logged(20_000, 1))
    assert found.value == pytest.approx(exact(TARGET), abs=4.0 * found.error)
    assert found.error < 0.06


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_intervals_hold_the_exact_value_as_often_as_they_say(estimator: Any) -> None:
    trials, truth = 300, exact(TARGET)
    found = [estimator(logged(200, 100 + trial)) for trial in range(trials)]
    held = np.mean([one.low <= truth <= one.high for one in found])
    # Five in a hundred outside, give or take three standard errors of 300 trials.
    assert 0.91 < held < 0.99
    errors = np.std([one.value for one in found])
    assert np.mean([one.error for one in found]) == pytest.approx(errors, rel=0.15)


def test_doubly_robust_varies_less_than_importance_sampling() -> None:
    data = logged(2_000, 3)
    assert doubly_robust(data).error < 0.8 * importance_sampling(data).error


def test_doubly_robust_needs_no_good_values() -> None:
    """Features that say nothing make values wrong, and fitted Q with them."""
    data = dataclasses.replace(logged(20_000, 5), features=np.zeros((20_000, STEPS, 1)))
    found = doubly_robust(data)
    assert found.value == pytest.approx(exact(TARGET), abs=4.0 * found.error)
    wrong = fitted_q_evaluation(data, resamples=20)
    assert abs(wrong.value - exact(TARGET)) > 4.0 * wrong.error


def test_the_policy_itself_is_worth_its_mean_return() -> None:
    data = logged(50, 0)
    states = data.features[..., 0].astype(np.int64)
    same = dataclasses.replace(data, target=BEHAVIOUR[states])
    mean = data.rewards.sum(axis=1).mean()
    assert importance_sampling(same).value == pytest.approx(mean)
    assert weighted_importance_sampling(same).value == pytest.approx(mean)
    assert same.effective_episodes() == pytest.approx(50)
    assert data.effective_episodes() < 50


def test_importance_sampling_step_by_step() -> None:
    data = logged(30, 2)
    total = 0.0
    for episode in range(30):
        ratio = 1.0
        for step in range(STEPS):
            action = data.actions[episode, step]
            ratio *= data.target[episode, step, action] / data.behaviour[episode, step]
            total += ratio * data.rewards[episode, step]
    assert importance_sampling(data).value == pytest.approx(total / 30)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"behaviour": np.zeros((30, STEPS))}, "behaviour must hold probabilities above 0"),
        ({"target": np.ones((30, STEPS, 2))}, "sum to 1"),
        ({"actions": np.full((30, STEPS), 2)}, "actions must be from 0 to 1"),
        ({"features": np.zeros((30, STEPS))}, "features must begin with shape"),
    ],
)
def test_wrong_logs_are_refused(changes: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(logged(30, 0), **changes)
