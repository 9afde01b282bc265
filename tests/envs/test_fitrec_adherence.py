"""FitRec adherence in the environment: a slow reference of whole seasons, and what it promises."""

import dataclasses
import math
import sys

import gymnasium as gym
import numpy as np
import pytest
from fuzzing import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from fitgym.adherence.fitrec import find_load_table
from fitgym.adherence.fitrec_step import plan_response
from fitgym.adherence.load_table import DAYS_SINCE, write_load_table
from fitgym.envs.records import STATE
from fitgym.envs.scalar import FitnessFatigueEnv
from fitgym.model import noise
from fitgym.model.internal_load import load_rates
from fitgym.people.individual import load_individual

RUNNER = load_individual("recreational-runner")
STAGES = ("acquisition", "retention")


@pytest.fixture(scope="module", params=STAGES)
def env(request):
    return FitnessFatigueEnv(stage=request.param)


def reference_season(env, key, actions):
    """Live through a season day by day from the table of heart rates, in plain Python."""
    person, parameters = env.individual, env.parameters
    motivation, habit, physiology = person.motivation, person.habit, person.physiology
    tables = env.adherence.tables
    minutes = np.diff(tables.segments["minutes"], prepend=0.0)
    points = np.diff(tables.segments["points"], prepend=0.0)
    for first in tables.first_segments[:-1]:
        minutes[first] = tables.segments["minutes"][first]
        points[first] = tables.segments["points"][first]

    def heart_rates(row, plan):
        part = slice(*tables.first_segments[plan : plan + 2])
        beats = tables.beats[0, row, part].astype(float)
        return np.diff(beats, prepend=0.0) / minutes[part], minutes[part], points[part]

    def loads(row, plan):
        rates, length, gained = heart_rates(row, plan)
        load = length * load_rates(
            rates, physiology.resting_heart_rate, physiology.maximum_heart_rate, False
        )
        return load, gained, rates, length

    def row_of(last, days_since):
        if last is None:
            return 0
        bucket = next(i for i, top in enumerate((1, 2, 3, 7, 10**9)) if days_since <= top)
        plan, tenths = last
        return 1 + (plan * 10 + tenths - 1) * len(DAYS_SINCE) + bucket

    reference_plan = motivation.reference_plan - 1
    total = loads(row_of((reference_plan, 10), 1), reference_plan)[0].sum()
    # 0.12566 is the normal quantile of the reference probability 0.55.
    log_reference = math.log(total) + 0.125661 * motivation.tolerance_sd

    base, fitness, fatigue = (
        parameters.initial_base_level,
        parameters.initial_fitness,
        parameters.initial_fatigue,
    )
    m = motivation.initial_motivation_sd * noise.normal(key, 0, noise.INITIAL_MOTIVATION)
    unit = parameters.initial_base_level**parameters.base_scaling
    last, days_since = None, 1
    rows = []
    for day, action in enumerate(actions):
        row = row_of(last, days_since)
        share, session = 0.0, None
        if action:
            plan, target = action - 1, person.plans_trimp[action - 1]
            strength = max(
                parameters.baseline_performance + parameters.fitness_utility * fitness, 1.0
            )
            tolerance = math.exp(
                log_reference
                + motivation.base_level_effect * math.log(base / parameters.initial_base_level)
                - motivation.fatigue_effect * parameters.fatigue_utility * fatigue / strength
                + m
                + motivation.tolerance_sd * noise.normal(key, day, noise.TOLERANCE)
            )
            load, gained, _, _ = loads(row, plan)
            done = borne = 0.0
            share = 1.0
            for more, gain in zip(load, gained, strict=True):
                if borne + more > tolerance:
                    share = (done + gain * (tolerance - borne) / more) / gained.sum()
                    break
                done, borne = done + gain, borne + more
            x = share * target
            tenths = math.floor(10 * share + 0.5)
            session = (plan, tenths) if tenths else None
        else:
            q = 1 / (1 + (1 - habit.probability) / habit.probability * math.exp(-m))
            x = 0.0
            if noise.uniform(key, day, noise.HABIT_STRIKES) < q:
                z = noise.normal(key, day, noise.HABIT_INTENSITY)
                x = min(habit.median_trimp * math.exp(habit.log_sd * z), habit.maximum_trimp)
                session = (int(np.argmin(np.abs(np.array(person.plans_trimp) - x))), 10)
        rows.append((x, m, base, fitness, fatigue))
        last, days_since = (session, 1) if session else (last, days_since + 1)
        change = 0.0
        if action:
            change = (
                motivation.success_effect
                if share == 1.0
                else -motivation.failure_effect * (1.0 - share)
            )
        m = (
            motivation.persistence * m
            + change
            + motivation.motivation_sd * noise.normal(key, day, noise.MOTIVATION)
        )
        f = base**parameters.base_scaling * (x / base) ** parameters.fitness_exponent
        g = base**parameters.base_scaling * (x / base) ** parameters.fatigue_exponent
        kept_f, kept_g = math.exp(-parameters.fitness_decay), math.exp(-parameters.fatigue_decay)
        if env.stage == "retention":
            fitness = (unit + fitness) ** kept_f * (unit + f) ** (1 - kept_f) - unit
            fatigue = (unit + fatigue) ** kept_g * (unit + g) ** (1 - kept_g) - unit
        else:
            fitness, fatigue = kept_f * fitness + f, kept_g * fatigue + g
        base = max(1.0, parameters.base_decay * max(base, x))
    return np.array(rows)


@settings(max_examples=examples(15))
@given(st.integers(0, 10**6), st.lists(st.integers(0, 10), min_size=90, max_size=90))
def test_seasons_equal_a_slow_reference(env, seed, actions):
    env.reset(seed=seed)
    key = env._state["key"][0]
    rows = []
    for action in actions:
        before = env._state[["motivation", "base_level", "fitness", "fatigue"]][0].item()
        env.step(action)
        rows.append((env._state["intensity"][0], *before))
    # Load curves are single precision: a stop is found to about six digits.
    np.testing.assert_allclose(rows, reference_season(env, key, actions), rtol=2e-4, atol=2e-4)


def completion(env, plan_trimp, noises, **state):
    """Return the share of ``noises`` with which a plan is completed in a state."""
    states = np.zeros(1, dtype=STATE)
    states["base_level"] = env.parameters.initial_base_level
    states["fitness"] = env.parameters.initial_fitness
    states["fatigue"] = env.parameters.initial_fatigue
    states["days_since"] = 1
    for name, value in state.items():
        states[name] = value
    shares = [
        plan_response(states[0], env.person[0], plan_trimp, noise_today, env.adherence.tables)[1]
        for noise_today in noises
    ]
    return np.mean(np.array(shares) == 1.0), np.mean(shares)


NOISES = np.linspace(-3.0, 3.0, 15)
situations = st.fixed_dictionaries(
    {
        "base_level": st.floats(1.0, 60.0),
        "fitness": st.floats(0.0, 2000.0),
        "fatigue": st.floats(0.0, 400.0),
        "motivation": st.floats(-1.0, 1.0),
        "history": st.integers(0, 100),
        "days_since": st.integers(1, 20),
    }
)


@settings(max_examples=examples(40))
@given(situations)
def test_completion_falls_with_the_plan_s_intensity(env, situation):
    chances = [completion(env, plan, NOISES, **situation)[0] for plan in RUNNER.plans_trimp]
    assert np.all(np.diff(chances) <= 0.0)


@settings(max_examples=examples(40))
@given(situations, st.sampled_from(RUNNER.plans_trimp), st.floats(1.0, 200.0))
def test_completion_falls_with_fatigue(env, situation, plan, more):
    rested = completion(env, plan, NOISES, **situation)
    tired = completion(env, plan, NOISES, **{**situation, "fatigue": situation["fatigue"] + more})
    assert tired[0] <= rested[0]
    assert tired[1] <= rested[1]


@settings(max_examples=examples(40))
@given(situations, st.sampled_from(RUNNER.plans_trimp), st.floats(0.05, 1.0))
def test_completion_falls_with_low_motivation_and_low_base_level(env, situation, plan, less):
    willing = completion(env, plan, NOISES, **situation)
    unwilling = completion(
        env, plan, NOISES, **{**situation, "motivation": situation["motivation"] - less}
    )
    untrained = completion(
        env,
        plan,
        NOISES,
        **{**situation, "base_level": max(1.0, situation["base_level"] * (1 - less / 2))},
    )
    assert unwilling[0] <= willing[0]
    assert unwilling[1] <= willing[1]
    assert untrained[0] <= willing[0]


def test_the_reference_plan_is_completed_with_the_reference_probability(env):
    # Without fatigue, at B_0 and m = 0, the day after the plan was completed.
    plan = RUNNER.plans_trimp[4]
    noises = (np.arange(2000) + 0.5) / 2000
    quantiles = np.sqrt(2) * np.array([_inverse_erf(2 * u - 1) for u in noises])
    chance, _ = completion(env, plan, quantiles, fatigue=0.0, history=1 + 4 * 10 + 9)
    assert chance == pytest.approx(0.55, abs=0.002)


def _inverse_erf(value):
    from scipy.special import erfinv

    return erfinv(value)


def motivation_lost(env, seed):
    """Return how much lower motivation is on each day of hardest plans than of easiest ones."""
    twin = FitnessFatigueEnv(stage=env.stage)
    env.reset(seed=seed)
    twin.reset(seed=seed)
    differences = []
    for _ in range(20):
        # On the same days, the hardest plan fails where the easiest is completed.
        hard, easy = env.step(10)[4], twin.step(1)[4]
        differences.append(hard["motivation"] - easy["motivation"])
        assert easy["completion"] == 1.0
    return np.array(differences)


@settings(max_examples=examples(20))
@given(st.integers(0, 10**6))
def test_motivation_falls_after_failures(env, seed):
    differences = motivation_lost(env, seed)
    assert np.all(differences <= 1e-12)
    assert differences[-1] < -0.1


def test_three_weeks_of_failures_cost_much_motivation(env):
    # A single person may carry out most of a hard plan now and then.
    assert np.mean([motivation_lost(env, seed)[-1] for seed in range(40)]) < -0.5


def test_internal_load_rises_strictly_over_the_ten_plans_after_every_history(env):
    tables = env.adherence.tables
    totals = tables.loads[0][:, tables.first_segments[1:] - 1]
    assert np.all(np.diff(totals, axis=1) > 0.0)


def test_info_has_heart_rate_and_load_where_there_was_a_session(env):
    env.reset(seed=0)
    for action in (5, 0, 0, 0, 0, 0, 0, 3):
        _, _, _, _, info = env.step(action)
        trained = info["done_trimp"] > 0.0
        if trained:
            assert 80.0 < info["mean_heart_rate"] < 200.0
            assert info["internal_load"] > 0.0
        else:
            assert info["mean_heart_rate"] == info["internal_load"] == 0.0


def test_full_observation_adds_the_motivation_and_wearable_shows_a_watch(env):
    full = FitnessFatigueEnv(stage=env.stage, observation="full")
    watch = FitnessFatigueEnv(stage=env.stage, observation="wearable")
    state, info = env.reset(seed=8)
    seen, _ = full.reset(seed=8)
    np.testing.assert_array_equal(seen[:6], state)
    assert seen[6] == np.float32(info["motivation"])
    worn, _ = watch.reset(seed=8)
    assert worn.tolist() == [0.0, 0.0, 0.0, 0.0, 1.0, 1.0]
    for action in (5, 10, 0, 2):
        state, _, _, _, info = env.step(action)
        seen = full.step(action)[0]
        worn = watch.step(action)[0]
        np.testing.assert_array_equal(seen[:6], state)
        assert worn[0] == state[0]
        assert worn[1] == np.float32(info["completion"])
        if "mean_heart_rate" in info:
            assert worn[2] == np.float32(info["mean_heart_rate"])
            assert worn[3] == np.float32(info["internal_load"])
            assert worn[4] == 1.0
        assert worn in watch.observation_space
        assert seen in full.observation_space


@pytest.mark.parametrize("observation", ["full", "wearable"])
@pytest.mark.parametrize("adherence", ["certain", "replay"])
def test_observations_that_need_fitrec_are_refused_without_it(observation, adherence):
    with pytest.raises(
        ValueError, match=f"observation must be 'state' with adherence '{adherence}'"
    ):
        FitnessFatigueEnv(
            individual="marathon-runner", adherence=adherence, observation=observation
        )


@pytest.mark.parametrize("stage", STAGES)
def test_continuous_plans_equal_discrete_ones_at_their_targets(stage):
    discrete = FitnessFatigueEnv(stage=stage)
    continuous = FitnessFatigueEnv(stage=stage, continuous=True)
    discrete.reset(seed=5)
    continuous.reset(seed=5)
    for action in (0, 10, 1, 5, 7, 3):
        target = (0.0, *RUNNER.plans_trimp)[action]
        asked = np.array([2.0 * target / RUNNER.plans_trimp[-1] - 1.0])
        expected, got = discrete.step(action), continuous.step(asked)
        assert got[4]["plan_trimp"] == pytest.approx(target, abs=1e-9)
        np.testing.assert_allclose(got[0], expected[0], rtol=1e-4)
        assert got[1] == pytest.approx(expected[1], rel=1e-4)


@pytest.mark.parametrize("action", [np.array([1.5]), np.array([np.nan]), 0.3, np.zeros(2), "a"])
def test_wrong_continuous_actions_are_refused(action):
    env = FitnessFatigueEnv(continuous=True)
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"action must be an array of shape \(1,\) in \[-1, 1\]"):
        env.step(action)


def test_forbidden_plans_do_not_go_with_continuous_ones():
    with pytest.raises(ValueError, match="forbidden_plans must be empty when continuous is True"):
        FitnessFatigueEnv(continuous=True, forbidden_plans=[3])


def test_the_person_of_an_episode_can_be_chosen_at_reset(env):
    tired = dataclasses.replace(
        RUNNER,
        name="tired",
        **{env.stage: dataclasses.replace(env.parameters, initial_fatigue=0.0)},
    )
    _, info = env.reset(seed=0, options={"individual": tired})
    assert info["fatigue"] == 0.0
    assert env.individual.name == "tired"
    _, info = env.reset(seed=0)
    assert info["fatigue"] == env.parameters.initial_fatigue
    assert env.individual.name == "recreational-runner"


def test_a_person_who_does_not_fit_into_the_space_is_refused(env):
    giant = dataclasses.replace(
        RUNNER,
        name="giant",
        **{env.stage: dataclasses.replace(env.parameters, initial_fitness=1e9)},
    )
    with pytest.raises(ValueError, match=r"options\['individual'\] 'giant' does not fit"):
        env.reset(seed=0, options={"individual": giant})


def test_making_and_stepping_never_loads_torch():
    import subprocess

    code = (
        "import sys, gymnasium as gym\n"
        "env = gym.make('fitgym:fitgym/Acquisition-v0')\n"
        "env.reset(seed=0)\n"
        "env.step(3)\n"
        "print('torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_the_equation_is_a_second_predictor(tmp_path, monkeypatch):
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / name)
    env = gym.make("fitgym/Acquisition-v0", predictor="ode").unwrapped
    assert list((tmp_path / "fitgym" / "load_tables").glob("*.npz"))
    tables = env.adherence.tables
    totals = tables.loads[0][:, tables.first_segments[1:] - 1]
    assert np.all(np.diff(totals, axis=1) > 0.0)
    with pytest.raises(ValueError, match="predictor must be one of 'fitrec', 'ode', got 'crystal"):
        FitnessFatigueEnv(predictor="crystal ball")


def test_a_new_person_s_table_that_cannot_be_kept_serves_all_the_same(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / "file" / name)
    monkeypatch.setattr("fitgym.common.cache._temporary_folder", lambda: None)
    # Nobody else has this VDOT.
    person = {**RUNNER.to_dict(), "name": "new"}
    person["physiology"] = {**person["physiology"], "vdot": 43.21}
    with pytest.warns(RuntimeWarning, match="cannot be cached in .*Not a directory"):
        env = gym.make("fitgym/Acquisition-v0", predictor="ode", individual=person)
    env.reset(seed=0)
    assert env.step(5)[4]["internal_load"] > 0.0


def test_a_cached_table_of_something_else_is_made_anew(tmp_path, monkeypatch):
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / name)
    arguments = (RUNNER.plans_trimp, dataclasses.replace(RUNNER.physiology, vdot=43.22), "ode")
    table = find_load_table(*arguments)
    (path,) = (tmp_path / "fitgym" / "load_tables").iterdir()
    slow_heart = dataclasses.replace(table, heart_rate_bpm=np.full_like(table.heart_rate_bpm, 60.0))
    write_load_table(slow_heart, path, "another key")
    with pytest.warns(RuntimeWarning, match="made anew"):
        again = find_load_table(*arguments)
    np.testing.assert_array_equal(again.heart_rate_bpm, table.heart_rate_bpm)
    np.testing.assert_array_equal(find_load_table(*arguments).heart_rate_bpm, table.heart_rate_bpm)
