"""One-step rewards and the foresight bound against slow references written out here."""

from __future__ import annotations

import math
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from fuzzing import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from fitgym.adherence import CustomAdherence, Response
from fitgym.envs.scalar import FitnessFatigueEnv
from fitgym.people.individual import StageParameters, load_individual
from fitgym.planning.one_step import expected_rewards, foresight_rewards, replayed_sessions


class Lazy(CustomAdherence):
    def respond(self, situation):
        return Response(intensity=0.0, met=False)


def make(stage: str, **changes: Any) -> FitnessFatigueEnv:
    person = load_individual("recreational-runner").to_dict()
    person["sessions_trimp"] = np.random.default_rng(2).uniform(0.0, 60.0, size=40).tolist()
    kwargs = {
        "stage": stage,
        "individual": person,
        "adherence": "replay",
        "days": 10,
        "completion_bonus": 6.0,
        "shortfall_penalty": 0.4,
        **changes,
    }
    return gym.make("fitgym:fitgym/AcquisitionReplay-v0", **kwargs).unwrapped


def slow_performance(
    theta: StageParameters, stage: str, base: float, fitness: float, fatigue: float, x: float
) -> float:
    """Return p_t - p_0 after one session, straight from the equations."""
    unit = theta.initial_base_level**theta.base_scaling

    def after(stock: float, exponent: float, decay: float) -> float:
        response = base**theta.base_scaling * (x / base) ** exponent
        kept = math.exp(-decay)
        if stage == "acquisition":
            return kept * stock + response
        return (unit + stock) ** kept * (unit + response) ** (1 - kept) - unit

    return theta.fitness_utility * after(
        fitness, theta.fitness_exponent, theta.fitness_decay
    ) - theta.fatigue_utility * after(fatigue, theta.fatigue_exponent, theta.fatigue_decay)


def slow_reward(
    environment: FitnessFatigueEnv, row: np.ndarray, plan: int, x: float, planned: bool
) -> float:
    """Return the reward of one day, straight from its definition."""
    a = (0.0, *environment.individual.plans_trimp)[plan]
    counted = a if planned and plan else x
    _, base, fitness, fatigue, *_ = (float(value) for value in row)
    reward = slow_performance(
        environment.parameters, environment.stage, base, fitness, fatigue, counted
    )
    if plan:
        reward += 6.0 * (x >= a) - 0.4 * max(a - x, 0.0)
    return reward


OBSERVATIONS = st.lists(
    st.tuples(
        st.floats(0, 60, width=32),
        st.floats(1, 60, width=32),
        st.floats(0, 900, width=32),
        st.floats(0, 300, width=32),
        st.just(0.0),
        st.floats(0, 1, width=32),
    ),
    min_size=1,
    max_size=4,
)


@pytest.mark.parametrize("stage", ["acquisition", "retention"])
@pytest.mark.parametrize("utility", ["planned", "realised"])
@given(rows=OBSERVATIONS)
@settings(max_examples=examples(15), deadline=None)
def test_replay_expects_the_mean_over_the_log(stage: str, utility: str, rows: Any) -> None:
    environment = make(stage, utility=utility)
    observations = np.array(rows, dtype=np.float32)
    expected = [
        [
            np.mean(
                [
                    slow_reward(environment, row, plan, x, utility == "planned")
                    for x in environment.individual.sessions_trimp
                ]
            )
            for plan in range(11)
        ]
        for row in observations
    ]
    np.testing.assert_allclose(
        expected_rewards(environment, observations), expected, rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("stage", ["acquisition", "retention"])
@pytest.mark.parametrize("utility", ["planned", "realised"])
def test_certain_expects_what_then_happens(stage: str, utility: str) -> None:
    for plan in range(11):
        environment = make(stage, adherence="certain", utility=utility)
        observation, _ = environment.reset(seed=0)
        for _ in range(3):
            expected = expected_rewards(environment, observation[None])
            observation, reward, *_ = environment.step(plan)
            # Observations are float32.
            assert expected[0, plan] == pytest.approx(reward, rel=1e-5)


def test_the_log_part_in_use_is_the_one_expected_over() -> None:
    environment = make("acquisition")
    log = np.array(environment.individual.sessions_trimp)
    np.testing.assert_array_equal(replayed_sessions(environment), log)
    train, test = (make("acquisition", log_part=part, days=5) for part in ("train", "test"))
    np.testing.assert_array_equal(replayed_sessions(train), log[:32])
    np.testing.assert_array_equal(replayed_sessions(test), log[32:])
    assert replayed_sessions(make("acquisition", adherence="certain")).size == 0


@pytest.mark.parametrize("stage", ["acquisition", "retention"])
def test_foresight_is_the_best_of_all_plan_sequences(stage: str) -> None:
    """Under replay the sum of daily bests is the best return of any sequence of plans."""
    allowed = (0, 3, 7)
    days = 4
    forbidden = [plan for plan in range(11) if plan not in allowed]
    environment = make(stage, days=days, forbidden_plans=forbidden)
    environment.reset(seed=8)
    bound = 0.0
    for _ in range(days):
        rewards = foresight_rewards(environment)
        assert set(np.flatnonzero(np.isfinite(rewards))) == set(allowed)
        bound += rewards.max()
        environment.step(int(rewards.argmax()))
    returns = []
    for plans in np.array(np.meshgrid(*[allowed] * days)).reshape(days, -1).T:
        environment.reset(seed=8)
        returns.append(sum(environment.step(int(plan))[1] for plan in plans))
    assert len(returns) == len(allowed) ** days
    assert bound == pytest.approx(max(returns))


def test_foresight_tells_what_a_step_then_earns() -> None:
    environment = make("retention")
    environment.reset(seed=3)
    for plan in range(10):
        rewards = foresight_rewards(environment)
        assert environment.step(plan)[1] == rewards[plan]


def test_forbidden_plans_earn_minus_infinity() -> None:
    environment = make("acquisition", forbidden_plans=[0, 4])
    observation, _ = environment.reset(seed=0)
    rewards = expected_rewards(environment, observation[None])
    assert np.flatnonzero(np.isneginf(rewards[0])).tolist() == [0, 4]


def test_what_cannot_be_solved_is_a_clear_error() -> None:
    custom = make("acquisition", adherence=f"{__name__}:Lazy")
    with pytest.raises(NotImplementedError, match="Lazy"):
        expected_rewards(custom, np.zeros((1, 6), dtype=np.float32))
    with pytest.raises(ValueError, match=r"\(N, 6\)"):
        expected_rewards(make("acquisition"), np.zeros(6, dtype=np.float32))
