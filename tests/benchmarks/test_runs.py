"""A run's key names everything that decides its result, and a run does what it says."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, replace

import numpy as np
import pytest

import fitgym
from fitgym.people.individual import load_individual
from fitgym_agents.registry import find_agent
from fitgym_agents.sb3.settings import PPOConfiguration
from fitgym_agents.training import read_record
from fitgym_benchmarks.results import execute
from fitgym_benchmarks.runs import Run

RUN = Run(
    agent="ppo",
    environment="fitgym/AcquisitionReplay-v0",
    configuration={"discount": 0.9, "environments": 8},
    training_kwargs={"log_part": "train", "days": 30},
    evaluation_kwargs={"log_part": "test", "days": 30},
    steps=100,
)


def test_key_is_the_same_in_another_process_and_in_another_order_of_arguments() -> None:
    reordered = replace(RUN, training_kwargs={"days": 30, "log_part": "train"})
    assert reordered.key == RUN.key
    program = f"from fitgym_benchmarks.runs import Run\nprint({RUN!r}.key)"
    output = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert output.stdout.strip() == RUN.key
    assert len(RUN.key) == 12
    assert int(RUN.key, 16) >= 0


@pytest.mark.parametrize(
    "change",
    [
        {"agent": "a2c"},
        {"environment": "fitgym/RetentionReplay-v0"},
        {"configuration": {"discount": 0.95, "environments": 8}},
        {"training_kwargs": {"log_part": "all", "days": 30}},
        {"evaluation_kwargs": {"log_part": "all", "days": 30}},
        {"steps": 101},
        {"seed": 1},
        {"episodes": 99},
        {"evaluation_seed": 7},
    ],
    ids=lambda change: next(iter(change)),
)
def test_key_changes_with_whatever_decides_the_result(change) -> None:
    assert replace(RUN, **change).key != RUN.key


def test_key_changes_with_the_package_version(monkeypatch) -> None:
    before = RUN.key
    monkeypatch.setattr(fitgym, "__version__", "99.0")
    assert RUN.key != before


def test_key_changes_with_a_default_that_the_run_does_not_name(monkeypatch) -> None:
    @dataclass(frozen=True, kw_only=True)
    class Slower(PPOConfiguration):
        learning_rate: float = 1e-4

    before = RUN.key
    monkeypatch.setattr(find_agent("ppo"), "settings_class", Slower)
    assert RUN.key != before


def test_key_of_settings_that_the_agent_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match=r"unknown keys \['learning_raet'\]"):
        _ = replace(RUN, configuration={"learning_raet": 1.0}).key


def test_key_is_of_the_individual_s_numbers_not_of_the_name() -> None:
    person = load_individual("marathon-runner").to_dict()
    same = replace(RUN, evaluation_kwargs={**RUN.evaluation_kwargs, "individual": person})
    person = {**person, "sessions_trimp": [*person["sessions_trimp"][:-1], 3.0]}
    other = replace(RUN, evaluation_kwargs={**RUN.evaluation_kwargs, "individual": person})
    assert same.specification(same.evaluation_kwargs) == RUN.specification(RUN.evaluation_kwargs)
    assert other.key != same.key


def test_key_of_what_is_no_plain_text_is_refused() -> None:
    strange = replace(RUN, evaluation_kwargs={"completion_bonus": object()})
    with pytest.raises(TypeError, match="JSON"):
        _ = strange.key


def test_a_run_is_trained_recorded_once_and_evaluated_in_both_modes(make_run, tmp_path) -> None:
    run = make_run(agent="steady_learner:Steady", steps=40)
    heard: list[int] = []
    result = execute(run, tmp_path, heard.append)
    assert heard == list(range(41))
    assert result.training == read_record(tmp_path / "agent")
    assert result.timesteps == 40
    assert result.training["training"]["agent"] == "steady_learner:Steady"
    assert (result.evaluation.actions == 2).all()
    assert result.evaluation.deterministic
    # Drawn, it pushes plan 3 every other day.
    assert result.drawn is not None
    assert not result.drawn.deterministic
    assert np.unique(result.drawn.actions).tolist() == [2, 3]


def test_a_run_goes_on_with_the_training_of_one_that_was_killed(make_run, tmp_path) -> None:
    run = make_run(agent="steady_learner:Counted", configuration={"fail_at": 25}, steps=40)
    with pytest.raises(KeyboardInterrupt):
        execute(run, tmp_path, lambda steps: None)
    heard: list[int] = []
    result = execute(run, tmp_path, heard.append)
    # Not from 0 again.
    assert heard == list(range(25, 41))
    assert result.timesteps == 40
    assert [session["from_timesteps"] for session in result.training["sessions"]] == [0, 25]
    assert result.curve == ((40, 1.0),)
    seconds = result.training_seconds
    assert seconds == sum(session["seconds"] for session in result.training["sessions"])


def test_a_reference_is_evaluated_without_training(make_run, tmp_path) -> None:
    run = make_run(agent="fitgym_agents.references.simple:FixedPlan", configuration={"plan": 3})
    result = execute(run, tmp_path, lambda steps: None)
    assert result.curve == ()
    assert result.training is None
    assert result.drawn is None
    assert result.steps_per_second is None
    assert (result.evaluation.actions == 3).all()
    assert result.evaluation.actions.shape == (5, 6)
