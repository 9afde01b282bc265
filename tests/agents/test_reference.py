"""References do what their names say, and none beats perfect foresight under replay."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from fitgym.adherence import CustomAdherence, Response
from fitgym_agents.evaluation import evaluate
from fitgym_agents.references.simple import (
    CoachRule,
    FixedPlan,
    Foresight,
    HabitPlan,
    Myopic,
    RandomPlan,
    reference_agents,
)

IDS = ["fitgym/AcquisitionReplay-v0", "fitgym/RetentionReplay-v0"]


class Lazy(CustomAdherence):
    def respond(self, situation):
        return Response(intensity=0.0, met=False)


def make(env_kwargs: dict[str, Any]) -> Any:
    return gym.make("fitgym:fitgym/AcquisitionReplay-v0", **env_kwargs).unwrapped


def names(env_kwargs: dict[str, Any]) -> list[str]:
    return [agent.name for agent in reference_agents(make(env_kwargs))]


def test_all_references_are_given_where_they_apply(
    replay: dict[str, Any], certain: dict[str, Any]
) -> None:
    fixed = ["no service", *(f"fixed plan {plan}" for plan in range(1, 11))]
    assert names(replay) == [*fixed, "random", "coach", "habit", "myopic", "foresight"]
    # Where plans have consequences, the best of each day is no bound.
    assert names(certain) == [*fixed, "random", "coach", "habit", "myopic"]
    custom = {**certain, "adherence": f"{__name__}:Lazy"}
    assert names(custom) == [*fixed, "random", "coach", "habit"]
    forbidding = {**replay, "forbidden_plans": [0, 2, 3, 4, 5, 6, 7, 8, 9]}
    assert names(forbidding) == [
        "fixed plan 1", "fixed plan 10", "random", "habit", "myopic", "foresight"
    ]  # fmt: skip
    assert names({**replay, "forbidden_plans": range(1, 11)}) == [
        "no service", "random", "myopic", "foresight"
    ]  # fmt: skip


@pytest.mark.parametrize("forbidden", [(), (0, 2, 5, 6)])
def test_references_never_choose_a_forbidden_plan(
    replay: dict[str, Any], forbidden: tuple[int, ...]
) -> None:
    env_kwargs = {**replay, "forbidden_plans": forbidden}
    for agent in reference_agents(make(env_kwargs)):
        evaluation = evaluate(agent, IDS[0], episodes=3, env_kwargs=env_kwargs)
        assert not np.isin(evaluation.actions, forbidden).any(), agent.name


@pytest.mark.parametrize("env_id", IDS)
def test_foresight_beats_or_equals_every_agent_on_every_season(
    env_id: str, replay: dict[str, Any]
) -> None:
    bound = evaluate(Foresight(), env_id, episodes=20, env_kwargs=replay).returns
    for agent in reference_agents(make(replay)):
        returns = evaluate(agent, env_id, episodes=20, env_kwargs=replay).returns
        assert (returns <= bound + 1e-9).all(), agent.name


@pytest.mark.parametrize("env_id", IDS)
def test_on_the_runners_log_the_easiest_plan_every_day_is_close_to_the_bound(env_id: str) -> None:
    """The paper's protocol leaves little to learn: the log's sessions happen whatever the plan."""
    bound = evaluate(Foresight(), env_id, episodes=20).returns
    easiest = evaluate(FixedPlan(1), env_id, episodes=20).returns
    nothing = evaluate(FixedPlan(0), env_id, episodes=20).returns
    assert (easiest <= bound).all()
    assert easiest.mean() > 0.9 * bound.mean()
    assert nothing.mean() < 0.3 * bound.mean()


def test_fixed_plan_is_constant_and_no_service_is_plan_0(replay: dict[str, Any]) -> None:
    for plan in (0, 4, 10):
        actions = evaluate(FixedPlan(plan), IDS[0], episodes=2, env_kwargs=replay).actions
        assert (actions == plan).all()
    assert np.isnan(evaluate(FixedPlan(0), IDS[0], episodes=2, env_kwargs=replay).completion_rate)


def test_random_is_uniform_and_repeats_with_its_seed() -> None:
    observations = np.zeros((20_000, 6), dtype=np.float32)
    agent = RandomPlan(seed=1)
    actions, state = agent.predict(observations)
    counts = np.bincount(actions, minlength=11)
    # A binomial count with p = 1/11 has standard deviation 41.
    assert np.abs(counts - 20_000 / 11).max() < 5 * 41
    np.testing.assert_array_equal(agent.predict(observations)[0], actions)
    assert (agent.predict(observations, state)[0] != actions).any()
    assert (RandomPlan(seed=2).predict(observations)[0] != actions).any()


def test_habit_is_the_plan_nearest_to_the_running_mean(replay: dict[str, Any]) -> None:
    agent = HabitPlan()
    with pytest.raises(RuntimeError, match="prepare"):
        agent.predict(np.zeros((1, 6), dtype=np.float32))
    environment = make(replay)
    agent.prepare(environment.task, [environment.individual] * 2)
    state = None
    observation = np.zeros((2, 6), dtype=np.float32)
    chosen = []
    for first, second in [(0.0, 30.0), (10.0, 30.0), (20.0, 15.0), (100.0, 26.0)]:
        observation[:, 0] = first, second
        actions, state = agent.predict(observation, state, np.array([False, False]))
        chosen.append(actions.tolist())
    # Means 0, 5, 10, 32.5 and 30, 30, 25, 25.25; plans 1.8, 7, 12.2, 17.4, 22.6, 27.8, 33, ...
    assert chosen == [[1, 6], [2, 6], [3, 5], [7, 6]]
    restarted, _ = agent.predict(observation, state, np.array([True, False]))
    assert restarted.tolist() == [10, 6]


def test_coach_builds_up_holds_and_tapers(certain: dict[str, Any]) -> None:
    coach = CoachRule(easy_plan=2, hard_plan=8, hard_every=3, build_share=0.25, taper_share=0.25)
    evaluation = evaluate(coach, IDS[0], episodes=2, env_kwargs=certain)
    assert evaluation.actions.tolist() == [[2, 2, 2, 8, 2, 2, 8, 2, 2, 2, 2, 2]] * 2
    with pytest.raises(ValueError, match="taper_share"):
        CoachRule(build_share=0.6, taper_share=0.5)
    with pytest.raises(RuntimeError, match="prepare"):
        CoachRule().predict(np.zeros((1, 6), dtype=np.float32))


@pytest.mark.parametrize("stage", ["acquisition", "retention"])
def test_myopic_takes_the_plan_that_pays_most_today(certain: dict[str, Any], stage: str) -> None:
    env_kwargs = {**certain, "stage": stage}
    evaluation = evaluate(Myopic(), IDS[0], episodes=1, env_kwargs=env_kwargs)
    environment = make(env_kwargs)
    environment.reset(seed=0)
    for action in evaluation.actions[0]:
        rewards = [environment.preview_reward(plan) for plan in range(11)]
        assert rewards[action] == max(rewards)
        environment.step(int(action))
