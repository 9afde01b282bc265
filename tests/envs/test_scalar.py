"""The scalar environment: what it computes, and how it answers wrong input."""

import dataclasses
import math

import gymnasium as gym
import numpy as np
import pytest
from fuzzing import examples
from gymnasium.error import ResetNeeded
from hypothesis import given, settings
from hypothesis import strategies as st

from fitgym.adherence import CustomAdherence, Response
from fitgym.envs.scalar import FitnessFatigueEnv
from fitgym.envs.spaces import observation_space
from fitgym.envs.vector import FitnessFatigueVectorEnv
from fitgym.people.individual import load_individual

RUNNER = load_individual("recreational-runner")
PLANS = (0.0, *RUNNER.plans_trimp)
actions_of_a_season = st.lists(st.integers(0, 10), min_size=90, max_size=90)


def reference_rewards(
    actions, sessions, parameters, *, retention, bonus, penalty, planned, base, fitness, fatigue
):
    """Live through a season in plain Python; return rewards and final (x, B, F, G)."""
    p = parameters
    unit = p.initial_base_level**p.base_scaling

    def after(x):
        f = base**p.base_scaling * (x / base) ** p.fitness_exponent
        g = base**p.base_scaling * (x / base) ** p.fatigue_exponent
        kept_f, kept_g = math.exp(-p.fitness_decay), math.exp(-p.fatigue_decay)
        if retention:
            return (
                (unit + fitness) ** kept_f * (unit + f) ** (1 - kept_f) - unit,
                (unit + fatigue) ** kept_g * (unit + g) ** (1 - kept_g) - unit,
            )
        return kept_f * fitness + f, kept_g * fatigue + g

    rewards = []
    for action, x in zip(actions, sessions, strict=True):
        a = PLANS[action]
        new = after(x)
        counted = after(a) if planned and action else new
        reward = p.fitness_utility * counted[0] - p.fatigue_utility * counted[1]
        if action:
            reward += bonus * (x >= a) - penalty * max(a - x, 0.0)
        rewards.append(reward)
        fitness, fatigue = new
        base = max(1.0, p.base_decay * max(base, x))
    return rewards, (sessions[-1], base, fitness, fatigue)


@settings(max_examples=examples(25), deadline=None)
@given(actions_of_a_season, st.sampled_from(["acquisition", "retention"]))
def test_certain_adherence_equals_a_slow_reference(actions, stage):
    env = FitnessFatigueEnv(stage=stage, adherence="certain")
    env.reset(seed=0)
    parameters = RUNNER.stage(stage)
    rewards, final = reference_rewards(
        actions,
        [PLANS[action] for action in actions],
        parameters,
        retention=stage == "retention",
        bonus=1.0,
        penalty=0.05,
        planned=False,
        base=parameters.initial_base_level,
        fitness=parameters.initial_fitness,
        fatigue=parameters.initial_fatigue,
    )
    steps = [env.step(action) for action in actions]
    np.testing.assert_allclose([step[1] for step in steps], rewards, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(steps[-1][0][:4], final, rtol=1e-6)


@pytest.mark.parametrize("stage", ["acquisition", "retention"])
@pytest.mark.parametrize("utility", ["planned", "realised"])
def test_replay_equals_a_slow_reference_on_a_window_of_the_log(logged_runner, stage, utility):
    env = FitnessFatigueEnv(
        stage=stage,
        individual=logged_runner,
        adherence="replay",
        completion_bonus=60.0,
        shortfall_penalty=2.0,
        utility=utility,
    )
    parameters = logged_runner.stage(stage)
    log = logged_runner.sessions_trimp
    generator = np.random.default_rng(1)
    starts = set()
    for seed in range(10):
        _, info = env.reset(seed=seed)
        actions = generator.integers(0, 11, 90)
        steps = [env.step(action) for action in actions]
        done = [step[4]["done_trimp"] for step in steps]
        (start,) = (row for row in range(len(log) - 89) if np.allclose(log[row : row + 90], done))
        starts.add(start)
        # The stocks at the window's start are those accumulated from the start of the log.
        initial = {
            "base": parameters.initial_base_level,
            "fitness": parameters.initial_fitness,
            "fatigue": parameters.initial_fatigue,
        }
        common = {"retention": stage == "retention", "bonus": 60.0, "penalty": 2.0}
        if start:
            _, (_, base, fitness, fatigue) = reference_rewards(
                [0] * start, log[:start], parameters, planned=False, **common, **initial
            )
            initial = {"base": base, "fitness": fitness, "fatigue": fatigue}
        assert info["base_level"] == pytest.approx(initial["base"])
        assert info["fitness"] == pytest.approx(initial["fitness"])
        assert info["fatigue"] == pytest.approx(initial["fatigue"])
        rewards, _ = reference_rewards(
            actions, done, parameters, planned=utility == "planned", **common, **initial
        )
        np.testing.assert_allclose([step[1] for step in steps], rewards, rtol=1e-9, atol=1e-9)
    assert len(starts) > 5


@settings(max_examples=examples(20), deadline=None)
@given(actions_of_a_season, actions_of_a_season, st.integers(0, 10**6))
@pytest.mark.parametrize("stage", ["acquisition", "retention"])
def test_under_replay_actions_never_change_what_happens_next(
    logged_runner, stage, actions, others, seed
):
    seasons = []
    for choice in (actions, others):
        env = FitnessFatigueEnv(stage=stage, individual=logged_runner, adherence="replay")
        env.reset(seed=seed)
        seasons.append([env.step(action)[0][:4] for action in choice])
    np.testing.assert_array_equal(*seasons)


def test_replay_takes_windows_from_the_part_asked_for(logged_runner):
    split = int(0.8 * len(logged_runner.sessions_trimp))
    logs = {
        "train": logged_runner.sessions_trimp[:split],
        "test": logged_runner.sessions_trimp[split:],
    }
    for part, rows in logs.items():
        env = FitnessFatigueEnv(
            individual=logged_runner, adherence="replay", log_part=part, days=30
        )
        for seed in range(20):
            env.reset(seed=seed)
            done = [env.step(0)[4]["done_trimp"] for _ in range(30)]
            assert any(np.array_equal(rows[row : row + 30], done) for row in range(len(rows) - 29))


def test_no_service_earns_the_realised_performance_and_nothing_else(logged_runner):
    env = FitnessFatigueEnv(
        individual=logged_runner, adherence="replay", completion_bonus=60, utility="planned"
    )
    env.reset(seed=0)
    for _ in range(90):
        _, reward, _, _, info = env.step(0)
        baseline = logged_runner.acquisition.baseline_performance
        assert reward == pytest.approx(info["performance"] - baseline)
        assert info["reward_terms"]["completion"] == info["reward_terms"]["shortfall"] == 0.0
        assert info["met"] is False


@pytest.mark.parametrize("stage", ["acquisition", "retention"])
@pytest.mark.parametrize("scaling", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("plan", [0, 1, 10])
def test_bounds_hold_at_the_extremes(stage, scaling, plan):
    parameters = dataclasses.replace(RUNNER.stage(stage), base_scaling=scaling, base_decay=0.5)
    individual = dataclasses.replace(RUNNER, **{stage: parameters})
    env = FitnessFatigueEnv(stage=stage, individual=individual, adherence="certain", days=1000)
    observation, _ = env.reset(seed=0)
    for day in range(1000):
        assert observation in env.observation_space
        # Long rests let the base level fall to its floor, where the next session weighs most.
        observation, *_ = env.step(0 if day % 100 < 50 else plan)
    assert observation in env.observation_space


@given(
    st.sampled_from([True, False]),
    st.floats(1.0, 200.0),
    st.floats(0.01, 1.0),
    st.floats(1.0, 5.0),
    st.floats(0.0, 1.0),
)
def test_bounds_are_finite_and_ordered(retention, base, exponent, convexity, scaling):
    parameters = dataclasses.replace(
        RUNNER.acquisition,
        initial_base_level=base,
        fitness_exponent=exponent,
        fatigue_exponent=convexity,
        base_scaling=scaling,
    )
    stage = "retention" if retention else "acquisition"
    person = dataclasses.replace(RUNNER, **{stage: parameters})
    space = observation_space([person], stage, largest_session_trimp=122.5, days=90, steps=90)
    assert np.all(np.isfinite(space.low))
    assert np.all(np.isfinite(space.high))
    assert np.all(space.low < space.high)


def test_every_reset_and_step_returns_fresh_objects():
    env = FitnessFatigueEnv()
    first, info = env.reset(seed=0)
    kept = first.copy(), info["action_mask"].copy()
    info["action_mask"][:] = 0
    second, _, _, _, later = env.step(3)
    np.testing.assert_array_equal(first, kept[0])
    np.testing.assert_array_equal(later["action_mask"], kept[1])
    assert not np.shares_memory(first, second)


def test_forbidden_plans_are_masked_and_refused():
    env = FitnessFatigueEnv(forbidden_plans=[9, 10])
    _, info = env.reset(seed=0)
    assert info["action_mask"].tolist() == [1] * 9 + [0, 0]
    with pytest.raises(ValueError, match=r"action must be one of \[0, 1, .* 8\], got 9"):
        env.step(9)
    env.step(8)


@pytest.mark.parametrize("action", [-1, 11, 3.0, "3", None, True, np.array([1, 2]), math.nan])
def test_wrong_actions_are_refused_and_change_nothing(action):
    env = FitnessFatigueEnv()
    env.reset(seed=0)
    with pytest.raises((ValueError, TypeError), match=r"action must be an integer of at least 0"):
        env.step(action)
    twin = FitnessFatigueEnv()
    twin.reset(seed=0)
    np.testing.assert_array_equal(env.step(5)[0], twin.step(np.int64(5))[0])


def test_stepping_outside_an_episode_is_an_error():
    env = FitnessFatigueEnv(days=2)
    with pytest.raises(ResetNeeded, match="call reset"):
        env.step(0)
    with pytest.raises(ResetNeeded, match="call reset"):
        env.preview_reward(0)
    env.reset(seed=0)
    env.step(0)
    assert env.step(0)[2] is True
    with pytest.raises(ResetNeeded, match="terminated=True"):
        env.step(0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"stage": "taper"}, "stage must be one of 'acquisition', 'retention', got 'taper'"),
        ({"individual": "nobody"}, "individual must be one of .* got 'nobody'"),
        ({"adherence": "sometimes"}, "adherence must be one of .*'fitrec'.* got 'sometimes'"),
        ({"adherence": "nowhere:Nothing"}, "'nowhere:Nothing' cannot be imported"),
        ({"adherence": "math:pi"}, "must be a subclass of CustomAdherence, got 3.14"),
        ({"adherence": "replay"}, "needs an individual with a log, and 'recreational-runner'"),
        ({"days": 0}, "days must be an integer of at least 1 and at most 3650, got 0"),
        ({"days": 30.5}, "days must be an integer .* got 30.5"),
        ({"completion_bonus": -1}, r"completion_bonus must be .*\[0, 1e\+06\], got -1"),
        ({"shortfall_penalty": math.nan}, "shortfall_penalty must be .* got nan"),
        ({"utility": "hoped"}, "utility must be one of 'realised', 'planned', got 'hoped'"),
        ({"forbidden_plans": [11]}, "forbidden_plans must be .* at most 10, got 11"),
        ({"forbidden_plans": range(11)}, "must leave at least one"),
        ({"forbidden_plans": "9"}, "forbidden_plans must be actions from 0 to 10, got '9'"),
        ({"forbidden_plans": 9}, "forbidden_plans must be actions from 0 to 10, got 9"),
        ({"forbidden": "perhaps"}, "forbidden must be one of 'error', 'nearest', got 'perhaps'"),
        ({"dayz": 30}, r"unknown arguments \['dayz'\]: .*individual.*render_mode.*days"),
        ({"render_mode": "human"}, "render_mode must be one of 'ansi', 'rgb_array', got 'human'"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        FitnessFatigueEnv(**arguments)


@pytest.mark.parametrize("name", ["completion_bonus", "shortfall_penalty"])
def test_rewards_stay_finite_under_the_largest_weights(name):
    env = FitnessFatigueEnv(**{name: 1e6})
    env.reset(seed=0)
    assert np.isfinite([env.step(9)[1] for _ in range(60)]).all()
    with pytest.raises(ValueError, match=rf"{name} must be a finite number in \[0, 1e\+06\]"):
        FitnessFatigueEnv(**{name: 1e308})


def test_wrong_log_parts_windows_and_options_are_refused(logged_runner):
    with pytest.raises(ValueError, match="log_part must be one of 'all', 'train', 'test'"):
        FitnessFatigueEnv(individual=logged_runner, adherence="replay", log_part="some")
    with pytest.raises(ValueError, match="days must be at most 40, .* 'test' .* got 90"):
        FitnessFatigueEnv(individual=logged_runner, adherence="replay", log_part="test")
    with pytest.raises(ValueError, match="log_part must be one of 'all', 'train', 'test'"):
        FitnessFatigueEnv(log_part="some")
    for options in (1, [], "individual"):
        with pytest.raises(TypeError, match="options must be a mapping or None, got"):
            FitnessFatigueEnv().reset(options=options)
    with pytest.raises(ValueError, match=r"options has unknown keys \['weather'\]"):
        FitnessFatigueEnv().reset(options={"weather": "rain"})


@pytest.mark.parametrize(
    ("seed", "error"), [(-1, ValueError), (1.0, TypeError), (True, TypeError), ("1", TypeError)]
)
def test_wrong_seeds_are_refused(seed, error):
    with pytest.raises(error, match="seed must be an integer of at least 0"):
        FitnessFatigueEnv().reset(seed=seed)
    np.testing.assert_array_equal(
        FitnessFatigueEnv(observation="full").reset(seed=np.int64(3))[0],
        FitnessFatigueEnv(observation="full").reset(seed=3)[0],
    )


def test_a_reset_that_is_refused_changes_nothing():
    env, twin = FitnessFatigueEnv(observation="full"), FitnessFatigueEnv(observation="full")
    for one in (env, twin):
        one.reset(seed=1)
    for options in (
        {"weather": "rain"},
        {"individual": "nobody"},
        {"individual": "marathon-runner"},
    ):
        with pytest.raises(ValueError, match="weather|nobody|does not fit"):
            env.reset(seed=2, options=options)
    np.testing.assert_array_equal(env.step(4)[0], twin.step(4)[0])
    np.testing.assert_array_equal(env.reset()[0], twin.reset()[0])


class Halfway(CustomAdherence):
    """Half of every plan, now and then all of it."""

    def respond(self, situation):
        share = 1.0 if situation.generator.random() < 0.2 else 0.5
        return Response(intensity=share * situation.plan_trimp, met=share == 1.0)


class TooMuch(CustomAdherence):
    """More than can be done."""

    def respond(self, situation):
        return Response(intensity=1e6, met=True)


def test_a_custom_adherence_is_plugged_in_by_import_path():
    env = gym.make(
        "fitgym/AcquisitionReplay-v0",
        individual="recreational-runner",
        adherence=f"{__name__}:Halfway",
    )
    seasons = []
    for _ in range(2):
        env.reset(seed=3)
        infos = [env.step(7)[4] for _ in range(90)]
        assert {info["done_trimp"] for info in infos} == {PLANS[7], PLANS[7] / 2}
        assert all(info["met"] == (info["done_trimp"] == PLANS[7]) for info in infos)
        seasons.append([info["done_trimp"] for info in infos])
    assert seasons[0] == seasons[1]
    with pytest.raises(NotImplementedError):
        FitnessFatigueEnvWithReset(adherence=f"{__name__}:Halfway").preview_reward(1)
    many = FitnessFatigueVectorEnv(2, adherence=f"{__name__}:Halfway")
    many.reset(seed=3)
    with pytest.raises(NotImplementedError):
        many.preview_rewards()


def FitnessFatigueEnvWithReset(**arguments):
    env = FitnessFatigueEnv(**arguments)
    env.reset(seed=0)
    return env


def test_a_custom_adherence_out_of_range_is_an_error():
    env = FitnessFatigueEnvWithReset(adherence=f"{__name__}:TooMuch")
    with pytest.raises(ValueError, match="the adherence's intensity must be .* got 1000000.0"):
        env.step(1)


@pytest.mark.parametrize("action", range(11))
def test_a_preview_is_the_reward_and_changes_nothing(logged_runner, action):
    env = FitnessFatigueEnv(individual=logged_runner, adherence="replay", utility="planned")
    env.reset(seed=4)
    env.step(2)
    previews = [env.preview_reward(other) for other in range(11)]
    assert env.step(action)[1] == previews[action]
