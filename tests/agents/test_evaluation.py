"""Evaluation against a loop written by hand."""

from __future__ import annotations

import dataclasses
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from fitgym.adherence import CustomAdherence, Response
from fitgym.planning.one_step import foresight_rewards
from fitgym_agents.agent import Agent
from fitgym_agents.evaluation import evaluate, paired_difference
from fitgym_agents.references.simple import FixedPlan, Foresight, HabitPlan, RandomPlan

ENV_ID = "fitgym/AcquisitionReplay-v0"


class Copycat(Agent):
    """Answers each person by what it sees of that person: the day and the last session."""

    name = "copycat"

    def predict(self, observation, state=None, episode_start=None, deterministic=True):
        days = np.zeros(len(observation), dtype=np.int64) if state is None else state
        days = np.where(episode_start, 0, days)
        return (days + observation[:, 0].astype(np.int64)) % 11, days + 1


def play(env_id: str, env_kwargs: dict[str, Any], seed: int) -> dict[str, list[float]]:
    """Return what the copycat does in one episode."""
    environment = gym.make(f"fitgym:{env_id}", **env_kwargs)
    observation, info = environment.reset(seed=seed)
    record: dict[str, list[float]] = {
        "actions": [],
        "rewards": [],
        "done_trimp": [],
        "plans_trimp": [],
        "met": [],
        "performance": [info["performance"]],
    }
    day = 0
    terminated = False
    while not terminated:
        action = (day + int(observation[0])) % 11
        observation, reward, terminated, _, info = environment.step(action)
        record["actions"].append(action)
        record["rewards"].append(reward)
        record["done_trimp"].append(info["done_trimp"])
        record["plans_trimp"].append(info["plan_trimp"])
        record["met"].append(info["met"])
        record["performance"].append(info["performance"])
        day += 1
    return record


class Whim(CustomAdherence):
    """Does a part of the plan, drawn from the episode's own generator."""

    def respond(self, situation: Any) -> Response:
        share = situation.generator.uniform()
        return Response(intensity=share * situation.plan_trimp, met=share > 0.5)


@pytest.mark.parametrize(
    ("env_id", "env_kwargs"),
    [
        (ENV_ID, {}),
        ("fitgym/Acquisition-v0", {}),
        ("fitgym/Retention-v0", {"individual": "population"}),
        ("fitgym/Acquisition-v0", {"adherence": f"{__name__}:Whim"}),
    ],
)
def test_evaluate_equals_a_loop_written_by_hand(env_id: str, env_kwargs: dict[str, Any]) -> None:
    env_kwargs = {**env_kwargs, "days": 12}
    evaluation = evaluate(Copycat(), env_id, episodes=5, seed=70, env_kwargs=env_kwargs)
    records = [play(env_id, env_kwargs, seed) for seed in range(70, 75)]
    for field in records[0]:
        expected = np.array([record[field] for record in records])
        np.testing.assert_array_equal(getattr(evaluation, field), expected, err_msg=field)
    assert evaluation.lengths.tolist() == [12] * 5
    np.testing.assert_allclose(evaluation.returns, [sum(record["rewards"]) for record in records])
    assert evaluation.mean == pytest.approx(evaluation.returns.mean())
    met = sum(sum(record["met"]) for record in records)
    given = sum(action > 0 for record in records for action in record["actions"])
    assert evaluation.completion_rate == pytest.approx(met / given)
    np.testing.assert_allclose(
        evaluation.performance_gain,
        [record["performance"][-1] - record["performance"][0] for record in records],
    )
    np.testing.assert_allclose(
        evaluation.weekly_load, [7 * sum(record["done_trimp"]) / 12 for record in records]
    )


class Curious(FixedPlan):
    """Notes whom it is prepared for."""

    def prepare(self, task: Any, people: Any) -> None:
        self.task, self.people = task, people


def test_an_agent_is_told_the_task_and_the_person_of_each_row() -> None:
    agent, env_kwargs = Curious(2), {"days": 3, "individual": "population"}
    evaluate(agent, "fitgym/Acquisition-v0", episodes=4, seed=9, env_kwargs=env_kwargs)
    assert agent.task.days == 3
    for seed, person in enumerate(agent.people, start=9):
        environment: Any = gym.make("fitgym:fitgym/Acquisition-v0", **env_kwargs).unwrapped
        environment.reset(seed=seed)
        assert person == environment.individual
    assert len(set(agent.people)) == 4


@pytest.mark.parametrize("env_id", [ENV_ID, "fitgym/Acquisition-v0"])
def test_foresight_previews_the_rewards_of_each_environment(env_id: str) -> None:
    env_kwargs = {"days": 6, "forbidden_plans": [3]}
    evaluation = evaluate(Foresight(), env_id, episodes=3, seed=5, env_kwargs=env_kwargs)
    for seed, actions in enumerate(evaluation.actions.tolist(), start=5):
        environment: Any = gym.make(f"fitgym:{env_id}", **env_kwargs).unwrapped
        environment.reset(seed=seed)
        for action in actions:
            rewards = foresight_rewards(environment)
            assert rewards[action] == rewards.max()
            environment.step(action)


def test_drawn_actions_are_the_same_in_every_evaluation() -> None:
    torch = pytest.importorskip("torch")

    class Drawing(FixedPlan):
        def predict(self, observation, state=None, episode_start=None, deterministic=True):
            return torch.randint(0, 11, (len(observation),)).numpy(), state

    first = evaluate(Drawing(1), ENV_ID, episodes=3, deterministic=False).actions
    before = torch.get_rng_state()
    np.testing.assert_array_equal(
        evaluate(Drawing(1), ENV_ID, episodes=3, deterministic=False).actions, first
    )
    assert torch.equal(torch.get_rng_state(), before)


def test_agents_meet_the_same_episodes(replay: dict[str, Any]) -> None:
    a = evaluate(FixedPlan(1), ENV_ID, episodes=6, env_kwargs=replay)
    b = evaluate(RandomPlan(), ENV_ID, episodes=6, env_kwargs=replay)
    # Under replay what is done depends on the seed alone.
    np.testing.assert_array_equal(a.done_trimp, b.done_trimp)
    assert len(np.unique(a.done_trimp[:, 0])) > 1
    difference = paired_difference(a, b)
    assert difference.mean == pytest.approx(a.mean - b.mean)
    assert paired_difference(a, a) == dataclasses.replace(difference, mean=0, low=0, high=0)


def test_evaluation_is_reproducible_and_episodes_do_not_depend_on_their_number(
    replay: dict[str, Any],
) -> None:
    many = evaluate(HabitPlan(), ENV_ID, episodes=6, seed=3, env_kwargs=replay)
    few = evaluate(HabitPlan(), ENV_ID, episodes=2, seed=3, env_kwargs=replay)
    np.testing.assert_array_equal(many.rewards[:2], few.rewards)
    later = evaluate(HabitPlan(), ENV_ID, episodes=2, seed=5, env_kwargs=replay)
    np.testing.assert_array_equal(many.rewards[2:4], later.rewards)


def test_only_the_same_episodes_can_be_paired(replay: dict[str, Any]) -> None:
    a = evaluate(FixedPlan(1), ENV_ID, episodes=2, env_kwargs=replay)
    b = evaluate(FixedPlan(1), ENV_ID, episodes=2, seed=1, env_kwargs=replay)
    c = evaluate(FixedPlan(1), ENV_ID, episodes=3, env_kwargs=replay)
    with pytest.raises(ValueError, match="seed is 1000000 and 1"):
        paired_difference(a, b)
    with pytest.raises(ValueError, match="number of episodes is 2 and 3"):
        paired_difference(a, c)


def test_malformed_actions_are_a_clear_error(replay: dict[str, Any]) -> None:
    class Shapeless(FixedPlan):
        def predict(self, observation, state=None, episode_start=None, deterministic=True):
            return np.zeros((len(observation), 1)), state

    with pytest.raises(ValueError, match=r"integer actions of shape \(2,\), got float64"):
        evaluate(Shapeless(1), ENV_ID, episodes=2, env_kwargs=replay)
    for name, value in (("episodes", 0), ("seed", -1)):
        with pytest.raises(ValueError, match=name):
            evaluate(FixedPlan(1), ENV_ID, env_kwargs=replay, **{name: value})
