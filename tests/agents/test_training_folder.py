"""Training into a folder: what is saved when, and how it is gone on with."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path

import numpy as np
import pytest

from fitgym.common.files import lock_folder
from fitgym.common.provenance import commit
from fitgym_agents import training as training_module
from fitgym_agents.agent import Agent
from fitgym_agents.files import load_agent
from fitgym_agents.references.simple import FixedPlan
from fitgym_agents.registry import find_agent
from fitgym_agents.training import (
    Training,
    read_curve,
    read_losses,
    read_record,
    saved_timesteps,
    train,
    write_evaluation,
)

COUNTING = Training(agent="counting_learner:Counting", env_id="fitgym/Acquisition-v0")


def sessions(folder):
    return [session["from_timesteps"] for session in read_record(folder)["sessions"]]


def test_the_folder_holds_agent_curve_and_origin(tmp_path) -> None:
    seen = []
    train(COUNTING, 30, tmp_path, command="x y", watch=lambda agent, steps: seen.append(steps))
    assert seen == [0, 10, 20, 30]
    assert load_agent(tmp_path).timesteps == 30
    assert read_curve(tmp_path) == ((10, 10), (20, 20), (30, 30))
    assert read_losses(tmp_path) == ((20, None, 0.5),)
    record = read_record(tmp_path)
    assert record["timesteps"] == 30
    assert record["training"]["agent"] == COUNTING.agent
    (session,) = record["sessions"]
    assert session["command"] == "x y"
    assert session["commit"] == commit()
    assert {"fitgym", "numpy", "python"} <= set(session["versions"])


def test_a_learning_curve_without_losses_is_read(tmp_path) -> None:
    (tmp_path / "learning_curve.csv").write_text("timesteps,mean_return\n90,1.5\n")
    assert read_curve(tmp_path) == ((90, 1.5),)
    assert read_losses(tmp_path) == ()


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "timesteps,mean_return\nx,1\n"])
def test_a_damaged_learning_curve_is_refused(tmp_path, text) -> None:
    (tmp_path / "learning_curve.csv").write_text(text)
    with pytest.raises(ValueError, match=r"learning_curve.csv is no learning curve"):
        read_curve(tmp_path)


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


class Killed(BaseException):
    """Nobody catches it, as nobody catches SIGKILL."""


WEIGHING = Training(agent="counting_learner:Weighing", env_id=COUNTING.env_id)


def steps_saved(folder: Path) -> int:
    return load_agent(folder).timesteps if (folder / "agent.json").exists() else 0


def train_until(monkeypatch, folder: Path, moment: int) -> bool:
    """Train until a number of files were replaced or removed; return whether it was enough."""
    before = steps_saved(folder)
    left = moment

    def counted(operation):
        def call(*arguments, **keywords):
            nonlocal left, before
            # Whoever reads now finds the old agent or a new one.
            now = steps_saved(folder)
            assert now >= before
            before = now
            if left == 0:
                raise Killed
            left -= 1
            return operation(*arguments, **keywords)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", counted(os.replace))
        patch.setattr(Path, "unlink", counted(Path.unlink))
        try:
            train(WEIGHING, 30, folder)
        except Killed:
            return False
    return True


@pytest.mark.parametrize("first", [0, 10])
def test_killed_at_any_moment_the_same_call_goes_on(tmp_path, monkeypatch, first) -> None:
    monkeypatch.setattr(training_module, "_SECONDS_BETWEEN_SAVES", -1.0)
    # Asks git, which takes the longest here.
    monkeypatch.setattr(training_module, "commit", lambda: None)
    finished = False
    for moment in itertools.count():
        folder = tmp_path / str(moment)
        if first:
            train(WEIGHING, first, folder)
        finished = train_until(monkeypatch, folder, moment)
        kept, seen = steps_saved(folder), []
        train(WEIGHING, 30, folder, watch=lambda agent, steps, seen=seen: seen.append(steps))
        assert seen[0] == kept
        assert steps_saved(folder) == read_record(folder)["timesteps"] == 30
        curve = np.array(read_curve(folder))
        assert curve[:, 0].tolist() == [10, 20, 30]
        if finished:
            break
    # Weights, card, curve and record are written for each of the steps left.
    assert moment >= 4 * 2 * (30 - first) // 10


def test_a_folder_is_trained_in_by_one_process_at_a_time(tmp_path) -> None:
    with (
        lock_folder(tmp_path),
        pytest.raises(BlockingIOError, match=f"{tmp_path} is in use: another process"),
    ):
        train(COUNTING, 10, tmp_path)
    assert train(COUNTING, 10, tmp_path).timesteps == 10


def test_fewer_steps_than_before_are_an_error_that_tells_both(tmp_path) -> None:
    assert train(COUNTING, 45, tmp_path).timesteps == 50
    # The last ten steps were finished; that is what 45 mean to this learner.
    assert train(COUNTING, 45, tmp_path).timesteps == 50
    assert train(COUNTING, 48, tmp_path).timesteps == 50
    with pytest.raises(ValueError, match="trained for 50 steps, more than the 20 asked for"):
        train(COUNTING, 20, tmp_path)


def test_a_save_that_fails_on_the_way_is_a_warning(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(training_module, "_SECONDS_BETWEEN_SAVES", -1.0)
    full = False

    def save(self, folder):
        if full:
            raise OSError(28, "No space left on device")
        Agent.save(self, folder)

    def fill(agent, steps):
        nonlocal full
        full = steps in (20, *last)

    monkeypatch.setattr(find_agent(COUNTING.agent), "save", save)
    last = ()
    with pytest.warns(RuntimeWarning, match="cannot save in .*No space left") as told:
        assert train(COUNTING, 40, tmp_path, watch=fill).timesteps == 40
    assert len(told) == 1
    assert load_agent(tmp_path).timesteps == 40
    last = (60,)
    with (
        pytest.warns(RuntimeWarning, match="training goes on"),
        pytest.raises(OSError, match="No space left"),
    ):
        train(COUNTING, 60, tmp_path, watch=fill)
    assert load_agent(tmp_path).timesteps == 50


def test_the_steps_of_a_training_that_are_saved(tmp_path) -> None:
    assert saved_timesteps(COUNTING, tmp_path) == 0
    train(COUNTING, 30, tmp_path)
    assert saved_timesteps(COUNTING, tmp_path) == 30
    assert saved_timesteps(WEIGHING, tmp_path) == 0
    (tmp_path / "agent.json").unlink()
    assert saved_timesteps(COUNTING, tmp_path) == 0


def test_an_evaluation_needs_a_training(tmp_path) -> None:
    with pytest.raises(ValueError, match=r"holds no training\.json"):
        write_evaluation(tmp_path, {})


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
    whole = {"training": {}, "timesteps": 0, "sessions": [{}]}
    parts = [
        {"training": 1},
        {"timesteps": "many"},
        {"timesteps": -1},
        {"timesteps": True},
        {"sessions": []},
        {"sessions": [1]},
    ]
    wrong = [json.dumps(whole | part) for part in parts]
    for text in ("{", "[]", json.dumps({"training": {}}), *wrong):
        (tmp_path / "training.json").write_text(text)
        with pytest.raises(ValueError, match=r"training\.json is no record of a training"):
            train(COUNTING, 10, tmp_path)
