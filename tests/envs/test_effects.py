"""Pushes that are ignored, wear off and cost motivation."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import fitgym  # noqa: F401
from fitgym.model.noise import UPTAKE, uniform
from fitgym.planning.belief import MotivationFilter
from fitgym.planning.dynamic_programming import DynamicProgram, solve
from fitgym.planning.grid import GridSize, grid_limits
from fitgym.planning.one_step import expected_rewards
from fitgym.planning.scouting import scout_simple_policies

ENV_ID = "fitgym/Acquisition-v1"
SMALL = GridSize(base_level=3, fitness=3, fatigue=3, motivation=21, shares=3, habits=3)


def _environment(**kwargs: Any) -> Any:
    return gym.make(ENV_ID, disable_env_checker=True, **kwargs).unwrapped


@pytest.mark.parametrize("observation", ["state", "full"])
def test_an_ignored_plan_is_a_day_without_one_but_for_the_reward(observation: str) -> None:
    pushes = np.random.default_rng(0).integers(0, 11, 90)
    uptake, habituation, burden = 0.7, 0.05, 0.02
    ours = _environment(
        uptake=uptake, habituation=habituation, burden=burden, observation=observation
    )
    theirs = _environment(observation="full")
    ours.reset(seed=5)
    theirs.reset(seed=5)
    dosage, ignored = 0.0, 0
    for day, push in enumerate(pushes):
        key = ours.state["key"][0]
        likely = uptake * math.exp(-habituation * dosage)
        taken = push if uniform(key, day, UPTAKE) < likely else 0
        ignored += push != taken
        # The twin lives the same day with the plan that was taken up, and pays the burden by hand.
        before = theirs.state["motivation"][0]
        *_, info = theirs.step(int(taken))
        if push:
            theirs._state["motivation"] -= burden
        _, reward, _, _, own = ours.step(int(push))
        dosage = 0.95 * dosage + (push > 0)
        for name in ("base_level", "fitness", "fatigue", "performance", "done_trimp"):
            assert own[name] == info[name]
        target = own["plan_trimp"]
        assert target == ours.individual.plans_trimp[push - 1] if push else target == 0.0
        terms = own["reward_terms"]
        assert sum(terms.values()) == pytest.approx(reward)
        if push and not taken:
            done = own["done_trimp"]
            assert own["met"] == (done >= target)
            assert own["completion"] == min(done / target, 1.0)
            assert terms["shortfall"] == pytest.approx(-0.02 * max(target - done, 0.0))
        assert ours.state["motivation"][0] == theirs.state["motivation"][0] != before
        assert ours.state["dosage"][0] == pytest.approx(dosage)
    assert 20 < ignored < 80


def test_uptake_is_as_frequent_as_said_and_vectors_agree_with_single_ones() -> None:
    kwargs: dict[str, Any] = {"uptake": 0.6, "habituation": 0.1, "days": 3}
    vector: Any = gym.make_vec(ENV_ID, 4000, **kwargs)
    plain: Any = gym.make_vec(ENV_ID, 4000, days=3)
    vector.reset(seed=1)
    plain.reset(seed=1)
    push = np.full(4000, 10)
    done = vector.step(push)[4]["done_trimp"]
    taken_up = plain.step(push)[4]["done_trimp"] == done
    assert taken_up.mean() == pytest.approx(0.6, abs=3 * math.sqrt(0.24 / 4000))
    single = _environment(**kwargs)
    single.reset(seed=1 + 7)
    assert single.step(10)[4]["done_trimp"] == done[7]


def test_burden_makes_motivation_fall() -> None:
    means = []
    for burden in (0.0, 0.05):
        environments: Any = gym.make_vec(ENV_ID, 2000, burden=burden, observation="full", days=30)
        environments.reset(seed=0)
        for _ in range(29):
            observations = environments.step(np.ones(2000, dtype=int))[0]
        assert environments.single_observation_space.contains(observations[0])
        means.append(observations[:, 6].mean())
    # The easiest plan is completed either way, so that only the burden differs.
    expected = 0.05 * (1 - 0.95**29) / (1 - 0.95)
    assert means[0] - means[1] == pytest.approx(expected, rel=0.05)


def test_presets_return_the_published_effects() -> None:
    path = Path(__file__).parents[2] / "scripts" / "effect_trials.py"
    spec = importlib.util.spec_from_file_location("effect_trials", path)
    assert spec is not None
    assert spec.loader is not None
    trials = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(trials)
    # Klasnja et al. 2019; Lee et al. 2025.
    published = {"first day": 66.0, "six weeks": 14.0, "first month": 5.3, "second month": 3.7}
    found = {**trials.heartsteps(10_000, seed=11), **trials.pearl(40_000, seed=11)}
    for period, effect in published.items():
        mean, error = found[period]
        assert abs(mean - effect) < 3 * error + 0.05 * effect, period
    assert found["last week"][0] < found["six weeks"][0] < found["first day"][0]


def test_the_dynamic_program_counts_the_burden() -> None:
    free, dear = _environment(days=20), _environment(days=20, burden=0.1)
    states = scout_simple_policies(free)
    programs = []
    for environment in (free, dear):
        program = DynamicProgram(environment, SMALL, states, grid_limits(states))
        program.induce()
        programs.append(program)
    assert programs[0].value > programs[1].value + 0.1
    assert dear.person["burden"][0] == 0.1
    # One day before the end tomorrow's motivation is worth nothing.
    last = states[:1].copy()
    last["day"] = 19
    assert np.array_equal(programs[0].plan_values(last), programs[1].plan_values(last))


def test_the_belief_moves_by_the_burden() -> None:
    means = []
    for burden in (0.0, 0.1):
        environment = _environment(burden=burden)
        environment.reset(seed=3)
        belief = MotivationFilter(environment, -3.0, 3.0, 601)
        before = environment.state
        environment.step(1)
        after = environment.state
        beliefs = belief.update(belief.start(1), before, after)
        means.append(float(beliefs[0] @ belief.motivations))
    assert means[0] - means[1] == pytest.approx(0.1, abs=1e-6)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"uptake": 1.5}, r"uptake must be .*\[0, 1\].*1\.5"),
        ({"habituation": -1}, r"habituation must be .*\[0, 10\].*-1"),
        ({"burden": math.nan}, r"burden must be .*nan"),
        ({"effect": "placebo"}, "effect must be one of 'heartsteps', 'pearl', got 'placebo'"),
        ({"effect": "pearl", "burden": 0.1}, r"give either, got \{'burden': 0\.1\}"),
        ({"adherence": "certain", "effect": "pearl"}, "need an adherence with motivation"),
    ],
)
def test_bad_arguments(kwargs: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _environment(**kwargs)


def test_planners_refuse_pushes_that_may_be_ignored() -> None:
    environment = _environment(effect="heartsteps")
    observation, _ = environment.reset(seed=0)
    with pytest.raises(ValueError, match="dynamic program, .* needs uptake=1"):
        solve(environment)
    with pytest.raises(ValueError, match="belief filter needs uptake=1"):
        MotivationFilter(environment, -1.0, 1.0)
    with pytest.raises(ValueError, match="expected reward needs uptake=1"):
        expected_rewards(environment, observation[None])
