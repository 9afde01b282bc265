"""Training into a folder: what is saved when, and how it is gone on with."""

from __future__ import annotations

import json

import numpy as np
import pytest

from fitgym.common.provenance import commit
from fitgym_agents import training as training_module
from fitgym_agents.files import load_agent
from fitgym_agents.references.simple import FixedPlan
from fitgym_agents.training import Training, read_record, train

COUNTING = Training(agent="counting_learner:Counting", env_id="fitgym/Acquisition-v0")


def sessions(folder):
    return [session["from_timesteps"] for session in read_record(folder)["sessions"]]


def test_the_folder_holds_agent_curve_and_origin(tmp_path) -> None:
    seen = []
    train(COUNTING, 30, tmp_path, command="x y", watch=lambda agent, steps: seen.append(steps))
    assert seen == [0, 10, 20, 30]
    assert load_agent(tmp_path).timesteps == 30
    curve = np.loadtxt(tmp_path / "learning_curve.csv", delimiter=",", skiprows=1)
    assert curve.tolist() == [[10, 10], [20, 20], [30, 30]]
    record = read_record(tmp_path)
    assert record["timesteps"] == 30
    assert record["training"]["agent"] == COUNTING.agent
    (session,) = record["sessions"]
    assert session["command"] == "x y"
    assert session["commit"] == commit()
    assert {"fitgym", "numpy", "python"} <= set(session["versions"])


def test_called_again_it_goes_on_to_the_new_total(tmp_path) -> None:
    train(COUNTING, 30, tmp_path)
    seen = []
    agent = train(COUNTING, 50, tmp_path, watch=lambda agent, steps: seen.append(steps))
    assert seen == [30, 40, 50]
    assert agent.timesteps == load_agent(tmp_path).timesteps == 50
    assert sessions(tmp_path) == [0, 30]
    # Nothing is left to do.
    before = (tmp_path / "training.json").read_bytes()
    assert train(COUNTING, 50, tmp_path).timesteps == 50
    assert (tmp_path / "training.json").read_bytes() == before


def test_stopped_from_the_keyboard_it_saves_and_goes_on(tmp_path) -> None:
    stopping = Training(agent=COUNTING.agent, env_id=COUNTING.env_id, configuration={"stop_at": 20})
    with pytest.raises(KeyboardInterrupt):
        train(stopping, 50, tmp_path)
    assert read_record(tmp_path)["timesteps"] == load_agent(tmp_path).timesteps == 20
    assert train(stopping, 50, tmp_path).timesteps == 50
    assert sessions(tmp_path) == [0, 20]


def test_a_killed_training_goes_on_from_the_last_save(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(training_module, "_SECONDS_BETWEEN_SAVES", -1.0)

    def die(agent, steps):
        if steps == 40:
            raise SystemExit

    with pytest.raises(SystemExit):
        train(COUNTING, 50, tmp_path, watch=die)
    assert load_agent(tmp_path).timesteps == 30
    assert train(COUNTING, 50, tmp_path).timesteps == 50
    assert sessions(tmp_path) == [0, 30]


def test_a_failure_keeps_what_was_saved_before(tmp_path) -> None:
    broken = Training(agent="counting_learner:Broken", env_id=COUNTING.env_id)
    with pytest.raises(RuntimeError, match="no idea"):
        train(broken, 40, tmp_path)
    assert load_agent(tmp_path).timesteps == 0


def test_an_agent_that_does_not_tell_its_steps_starts_anew_unless_finished(tmp_path) -> None:
    forgetful = Training(agent="counting_learner:Forgetful", env_id=COUNTING.env_id)
    train(forgetful, 30, tmp_path)
    assert read_record(tmp_path)["timesteps"] == 30
    train(forgetful, 30, tmp_path)
    assert sessions(tmp_path) == [0]
    train(forgetful, 40, tmp_path)
    assert sessions(tmp_path) == [0]
    assert read_record(tmp_path)["timesteps"] == 40
    stopping = Training(agent=forgetful.agent, env_id=COUNTING.env_id, seed=1)

    def stop(agent, steps):
        agent.timesteps = 0
        if steps == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(stopping, 30, tmp_path / "other", watch=stop)
    train(stopping, 30, tmp_path / "other")
    assert sessions(tmp_path / "other") == [0]


def test_a_training_that_failed_at_its_start_does_not_hold_the_folder(tmp_path) -> None:
    broken = Training(agent="counting_learner:Broken", env_id=COUNTING.env_id)
    with pytest.raises(RuntimeError, match="no idea"):
        train(broken, 10, tmp_path)
    assert read_record(tmp_path)["timesteps"] == 0
    train(COUNTING, 30, tmp_path)
    assert read_record(tmp_path)["training"]["agent"] == COUNTING.agent
    assert load_agent(tmp_path).timesteps == 30


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 1}, "its seed is 0, not 1"),
        ({"env_id": "fitgym/Retention-v0"}, "its env_id is 'fitgym/Acquisition-v0', not"),
        ({"configuration": {"stop_at": 20}}, r"its configuration is \{\}, not"),
    ],
)
def test_another_training_is_not_mixed_in(tmp_path, change, message) -> None:
    train(COUNTING, 10, tmp_path)
    other = Training(**{"agent": COUNTING.agent, "env_id": COUNTING.env_id, **change})
    with pytest.raises(ValueError, match=message):
        train(other, 10, tmp_path)


def test_wrong_folders_and_agents_are_clear_errors(tmp_path) -> None:
    with pytest.raises(ValueError, match="'coach' does not learn"):
        train(Training(agent="coach", env_id=COUNTING.env_id), 10, tmp_path)
    with pytest.raises(ValueError, match="total_timesteps must be"):
        train(COUNTING, 0, tmp_path)
    FixedPlan(1).save(tmp_path)
    with pytest.raises(ValueError, match=r"holds an agent, but no training\.json"):
        train(COUNTING, 10, tmp_path)
    for text in ("{", "[]", json.dumps({"training": {}})):
        (tmp_path / "training.json").write_text(text)
        with pytest.raises(ValueError, match=r"training\.json is no record of a training"):
            train(COUNTING, 10, tmp_path)
