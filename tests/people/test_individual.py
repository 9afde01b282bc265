"""Individuals: round trips, and a clear error for every parameter out of range."""

import dataclasses
import json
import math

import gymnasium as gym
import numpy as np
import pytest
from fuzzing import examples
from hypothesis import given, settings
from hypothesis import strategies as st

import fitgym  # noqa: F401
from fitgym.people.individual import (
    DEFAULT_PLANS_TRIMP,
    Habit,
    Individual,
    Motivation,
    Physiology,
    StageParameters,
    load_individual,
    nearest_name,
    shipped_individuals,
)

RUNNER = load_individual("recreational-runner")
STAGE = RUNNER.acquisition.to_dict()

RANGES = {
    StageParameters: {
        "fitness_decay": (1e-4, 10.0),
        "fatigue_decay": (1e-4, 10.0),
        "fitness_exponent": (0.01, 1.0),
        "fatigue_exponent": (1.0, 5.0),
        "base_decay": (0.01, 1.0),
        "fitness_utility": (1e-6, 1000.0),
        "fatigue_utility": (0.0, 1000.0),
        "base_scaling": (0.0, 1.0),
        "baseline_performance": (0.0, 100.0),
        "initial_base_level": (1.0, 2000.0),
        "initial_fitness": (0.0, 1e9),
        "initial_fatigue": (0.0, 1e9),
    },
    Physiology: {
        "vdot": (15.0, 90.0),
        "resting_heart_rate": (30.0, 110.0),
        "maximum_heart_rate": (120.0, 230.0),
        "heart_rate_offset": (-40.0, 40.0),
    },
    Motivation: {
        "reference_plan": (1, 10),
        "reference_completion": (0.001, 0.999),
        "base_level_effect": (0.0, 10.0),
        "fatigue_effect": (0.0, 100.0),
        "tolerance_sd": (1e-6, 10.0),
        "persistence": (0.0, 0.999),
        "success_effect": (0.0, 10.0),
        "failure_effect": (0.0, 10.0),
        "motivation_sd": (0.0, 10.0),
        "initial_motivation_sd": (0.0, 10.0),
    },
    Habit: {
        "probability": (0.001, 0.999),
        "median_trimp": (0.1, 2000.0),
        "log_sd": (0.0, 5.0),
        "maximum_trimp": (0.1, 2000.0),
    },
}


def beyond(low, high):
    """Return values just and far outside a range."""
    if isinstance(low, int):
        return [low - 1, high + 1, 10**400]
    beneath = [0.999 * low, 1e-320] if low > 0 else [1.001 * low - 0.001]
    return [*beneath, -1e30, 1.001 * high, 1e30, 10**400]


CASES = [
    (record, field, value)
    for record, limits in RANGES.items()
    for field, (low, high) in limits.items()
    for value in [*beyond(low, high), math.nan, math.inf, "1", None, True]
]


def valid(record):
    if record is StageParameters:
        return STAGE
    return record(vdot=41.0).to_dict() if record is Physiology else record().to_dict()


@pytest.mark.parametrize(("record", "field", "value"), CASES)
def test_every_parameter_is_checked(record, field, value):
    with pytest.raises((ValueError, TypeError)) as caught:
        record.from_dict({**valid(record), field: value})
    message = str(caught.value)
    assert field in message
    assert repr(value) in message
    assert "must be" in message


def test_every_numeric_field_is_covered_above_and_both_ends_are_allowed():
    for record, limits in RANGES.items():
        numeric = {field.name for field in dataclasses.fields(record)} - {"gender"}
        assert set(limits) == numeric
        for end in (0, 1):
            ends = {name: both[end] for name, both in limits.items()}
            assert record.from_dict(ends).to_dict() | ends == record.from_dict(ends).to_dict()


def at_the_ends(record):
    return st.fixed_dictionaries(
        {name: st.sampled_from(both) for name, both in RANGES[record].items()}
    )


@settings(max_examples=examples(30), deadline=None)
@given(
    at_the_ends(StageParameters),
    at_the_ends(Motivation),
    at_the_ends(Habit),
    st.sampled_from(["Acquisition", "Retention"]),
    st.sampled_from([DEFAULT_PLANS_TRIMP, tuple(np.linspace(100.0, 1000.0, 10))]),
)
def test_the_space_of_any_individual_is_finite(parameters, motivation, habit, stage, plans):
    person = Individual(
        name="extreme",
        source="a test",
        acquisition=parameters,
        retention=parameters,
        physiology=Physiology(vdot=41.0),
        motivation=motivation,
        habit=habit,
        plans_trimp=plans,
        sessions_trimp=(0.0, 2000.0, 1.0),
    )
    env = gym.make(f"fitgym/{stage}-v0", individual=person, adherence="certain")
    space = env.observation_space
    assert np.isfinite(space.low).all()
    assert np.isfinite(space.high).all()
    assert env.reset(seed=0)[0] in space
    for action in (10, 10, 0):
        observation, reward, *_ = env.step(action)
        assert observation in space
        assert math.isfinite(reward)


@pytest.mark.parametrize("name", ["me", "Anna K.", "run-1_b", "x" * 64])
def test_names_of_people(name):
    assert dataclasses.replace(RUNNER, name=name).name == name
    assert nearest_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        " me",
        ".me",
        "..",
        "x/../../evil",
        "a\\b",
        "a\nb",
        "me\n",
        "C:me",
        "Zoë",
        "x" * 65,
        3,
        None,
    ],
)
def test_names_that_are_no_names_of_files_are_refused(name):
    with pytest.raises(ValueError, match="name must be 1 to 64 letters") as caught:
        load_individual({**RUNNER.to_dict(), "name": name})
    assert repr(name) in str(caught.value)


@given(st.text(max_size=100))
def test_any_text_has_a_nearest_name(text):
    assert dataclasses.replace(RUNNER, name=nearest_name(text)).name


@pytest.mark.parametrize("name", shipped_individuals())
def test_shipped_individuals_load_and_name_their_source(name):
    individual = load_individual(name)
    assert individual.name == name
    assert len(individual.source) > 20


@pytest.mark.parametrize("name", shipped_individuals())
def test_an_individual_survives_a_file(name, tmp_path):
    individual = load_individual(name)
    individual.to_file(tmp_path / "me.json")
    assert load_individual(tmp_path / "me.json") == individual
    assert load_individual(json.loads(json.dumps(individual.to_dict()))) == individual
    assert [path.name for path in tmp_path.iterdir()] == ["me.json"]


def test_the_individual_of_a_profile_is_taken(tmp_path):
    individual = load_individual("club-runner")
    profile = tmp_path / "me.json"
    profile.write_text(json.dumps({"format": 1, "individual": individual.to_dict()}))
    assert load_individual(profile) == individual


def test_unknown_names_and_keys_are_errors(tmp_path):
    with pytest.raises(ValueError, match="'recreational-runner'.*got 'nobody'"):
        load_individual("nobody")
    with pytest.raises(TypeError, match="got 3"):
        load_individual(3)
    with pytest.raises(ValueError, match=r"unknown keys \['hight'\]"):
        load_individual({**RUNNER.to_dict(), "hight": 180})
    with pytest.raises(ValueError, match="lacks the keys 'retention'"):
        load_individual({k: v for k, v in RUNNER.to_dict().items() if k != "retention"})
    with pytest.raises(ValueError, match=r"habit has unknown keys \['often'\]"):
        load_individual({**RUNNER.to_dict(), "habit": {"often": 1}})
    with pytest.raises(TypeError, match="physiology must be a mapping"):
        load_individual({**RUNNER.to_dict(), "physiology": 41})
    with pytest.raises(FileNotFoundError):
        load_individual(tmp_path / "missing.json")


@pytest.mark.parametrize(
    ("plans", "message"),
    [
        (DEFAULT_PLANS_TRIMP[:9], "must hold 10 targets, got 9"),
        (tuple(reversed(DEFAULT_PLANS_TRIMP)), "must rise strictly"),
        ((0.0, *DEFAULT_PLANS_TRIMP[1:]), r"plans_trimp\[0\] must be"),
        ((*DEFAULT_PLANS_TRIMP[:9], 1000.1), r"plans_trimp\[9\] must be"),
        ((*DEFAULT_PLANS_TRIMP[:9], math.nan), r"plans_trimp\[9\] must be"),
        ("abc", "must be a sequence of numbers"),
    ],
)
def test_plan_grids_are_checked(plans, message):
    with pytest.raises((ValueError, TypeError), match=message):
        dataclasses.replace(RUNNER, plans_trimp=plans)


def test_the_own_log_is_checked():
    with pytest.raises(ValueError, match=r"sessions_trimp\[1\] must be .* got 2000.5"):
        dataclasses.replace(RUNNER, sessions_trimp=(0.0, 2000.5))


def test_a_file_that_is_not_json_is_named(tmp_path):
    path = tmp_path / "me.json"
    path.write_text('{"name": "me", "name": "you"}')
    with pytest.raises(
        ValueError, match=r"me\.json is not valid JSON: the key 'name' occurs twice"
    ):
        load_individual(path)


def test_heart_rate_range_must_be_wide_enough():
    physiology = Physiology(vdot=41, resting_heart_rate=100, maximum_heart_rate=130)
    with pytest.raises(ValueError, match="by at least 40 bpm, got 130 and 100"):
        dataclasses.replace(RUNNER, physiology=physiology)


def test_stage_names_are_checked():
    assert RUNNER.stage("retention") is RUNNER.retention
    with pytest.raises(ValueError, match="stage must be one of 'acquisition', 'retention'"):
        RUNNER.stage("taper")
