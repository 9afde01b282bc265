"""Individuals: round trips, and a clear error for every parameter out of range."""

import dataclasses
import json
import math

import pytest

from fitgym.people.individual import (
    DEFAULT_PLANS_TRIMP,
    Habit,
    Motivation,
    Physiology,
    StageParameters,
    load_individual,
    shipped_individuals,
)

RUNNER = load_individual("recreational-runner")
STAGE = RUNNER.acquisition.to_dict()

OUT_OF_RANGE = {
    StageParameters: {
        "fitness_decay": [0.0, -0.1],
        "fatigue_decay": [0.0, -0.1],
        "fitness_exponent": [0.0, 1.1],
        "fatigue_exponent": [0.9, 5.1],
        "base_decay": [0.0, 1.1],
        "fitness_utility": [0.0, -1.0],
        "fatigue_utility": [-0.1],
        "base_scaling": [-0.1, 1.1],
        "baseline_performance": [-1.0],
        "initial_base_level": [0.5],
        "initial_fitness": [-1.0],
        "initial_fatigue": [-1.0],
    },
    Physiology: {
        "vdot": [10.0, 95.0],
        "resting_heart_rate": [20.0, 120.0],
        "maximum_heart_rate": [100.0, 240.0],
    },
    Motivation: {
        "reference_plan": [0, 11],
        "reference_completion": [0.0, 1.0],
        "base_level_effect": [-0.1],
        "fatigue_effect": [-0.1],
        "tolerance_sd": [0.0],
        "persistence": [-0.1, 1.0],
        "success_effect": [-0.1],
        "failure_effect": [-0.1],
        "motivation_sd": [-0.1],
        "initial_motivation_sd": [-0.1],
    },
    Habit: {
        "probability": [0.0, 1.0],
        "median_trimp": [0.0],
        "log_sd": [-0.1],
        "maximum_trimp": [0.0],
    },
}
CASES = [
    (record, field, value)
    for record, limits in OUT_OF_RANGE.items()
    for field, values in limits.items()
    for value in [*values, math.nan, math.inf, "1", None, True]
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


def test_every_numeric_field_is_covered_above():
    for record, limits in OUT_OF_RANGE.items():
        numeric = {field.name for field in dataclasses.fields(record)} - {"gender"}
        assert set(limits) == numeric


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
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(ValueError, match=r"broken.json is not valid JSON"):
        load_individual(tmp_path / "broken.json")
    with pytest.raises(FileNotFoundError):
        load_individual(tmp_path / "missing.json")


@pytest.mark.parametrize(
    ("plans", "message"),
    [
        (DEFAULT_PLANS_TRIMP[:9], "must hold 10 targets, got 9"),
        (tuple(reversed(DEFAULT_PLANS_TRIMP)), "must rise strictly"),
        ((0.0, *DEFAULT_PLANS_TRIMP[1:]), "must rise strictly from above 0"),
        ((*DEFAULT_PLANS_TRIMP[:9], math.nan), r"plans_trimp\[9\] must be"),
        ("abc", "must be a sequence of numbers"),
    ],
)
def test_plan_grids_are_checked(plans, message):
    with pytest.raises((ValueError, TypeError), match=message):
        dataclasses.replace(RUNNER, plans_trimp=plans)


def test_heart_rate_range_must_be_wide_enough():
    physiology = Physiology(vdot=41, resting_heart_rate=100, maximum_heart_rate=130)
    with pytest.raises(ValueError, match="by at least 40 bpm, got 130 and 100"):
        dataclasses.replace(RUNNER, physiology=physiology)


def test_stage_names_are_checked():
    assert RUNNER.stage("retention") is RUNNER.retention
    with pytest.raises(ValueError, match="stage must be one of 'acquisition', 'retention'"):
        RUNNER.stage("taper")
