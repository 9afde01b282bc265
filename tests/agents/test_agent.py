"""The agents' interface: finding, making, saving and loading."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load, save

from fitgym.common.json_files import read_object
from fitgym_agents import agent as agent_module
from fitgym_agents import files as agent_files
from fitgym_agents import registry
from fitgym_agents.agent import Agent
from fitgym_agents.environments import EnvironmentFactory, import_free_id
from fitgym_agents.files import load_agent
from fitgym_agents.pretrained import pretrained_agents
from fitgym_agents.references.simple import CoachRule, FixedPlan, RandomPlan
from fitgym_agents.registry import BUILT_IN, find_agent

OBSERVATION = np.zeros((3, 6), dtype=np.float32)


class Weighted(Agent):
    """An agent of a user's own, with weights."""

    name = "weighted"

    def __init__(self, weights: Any = (1, 2, 3), scale: int = 1) -> None:
        self.weights = np.asarray(weights)
        self.scale = scale

    def predict(self, observation, state=None, episode_start=None, deterministic=True):
        return self.scale * self.weights[: len(observation)], state

    def configuration(self):
        return {"scale": self.scale}

    def tensors(self):
        return {"weights": self.weights}

    @classmethod
    def from_saved(cls, configuration, tensors):
        return cls(tensors["weights"], **configuration)


class NotAnAgent:
    pass


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_built_in_name_leads_to_an_agent_as_described(name: str) -> None:
    found = find_agent(name)
    assert issubclass(found, Agent)
    assert found.learns() is BUILT_IN[name].learns


def test_find_by_import_path_and_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"{__name__}:Weighted"
    assert find_agent(path) is Weighted
    plugin = EntryPoint(name="mine", value=path, group="fitgym.agents")
    monkeypatch.setattr(
        registry, "entry_points", lambda group: EntryPoints([plugin]).select(group=group)
    )
    assert find_agent("mine") is Weighted


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("nobody", ValueError, "'ppo'.*got 'nobody'"),
        ("fitgym_agents.nowhere:Agent", ValueError, "cannot be imported"),
        ("fitgym_agents.references.simple:Nobody", ValueError, "cannot be imported"),
        (f"{__name__}:NotAnAgent", TypeError, "subclass"),
        (":", ValueError, "import path"),
    ],
)
def test_a_wrong_name_is_a_clear_error(name: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        find_agent(name)


def test_create_takes_a_configuration_and_refuses_unknown_keys() -> None:
    agent = FixedPlan.create("fitgym/AcquisitionReplay-v0", configuration={"plan": 4})
    assert agent.plan == 4
    with pytest.raises(ValueError, match="speed"):
        FixedPlan.create("fitgym/AcquisitionReplay-v0", configuration={"plan": 4, "speed": 1})
    with pytest.raises(ValueError, match="plan must be"):
        FixedPlan.create("fitgym/AcquisitionReplay-v0", configuration={"plan": 11})


@pytest.mark.parametrize(
    "agent", [FixedPlan(3), RandomPlan(7), CoachRule(hard_plan=9), Weighted([4, 5, 6], scale=2)]
)
def test_save_and_load_decide_alike(agent: Agent, tmp_path: Path) -> None:
    agent.save(tmp_path / "saved")
    loaded = load_agent(tmp_path / "saved")
    assert type(loaded) is type(agent)
    assert loaded.name == agent.name
    assert loaded.configuration() == agent.configuration()
    if not isinstance(agent, CoachRule):  # which must be prepared first
        np.testing.assert_array_equal(loaded.predict(OBSERVATION)[0], agent.predict(OBSERVATION)[0])


@pytest.mark.parametrize("name", ["a3c", "acktr", "drqn", "gail"])
def test_whoever_starts_an_episode_is_met_as_a_stranger(replay: dict[str, Any], name: str) -> None:
    agent = find_agent(name).create("fitgym/AcquisitionReplay-v0", env_kwargs=replay)
    days = np.random.default_rng(0).uniform(0, 40, (2, 3, 6)).astype(np.float32)
    _, state = agent.predict(days[0])
    _, going_on = agent.predict(days[1], state)
    _, anew = agent.predict(days[1])
    _, mixed = agent.predict(days[1], state, np.array([False, True, False]))
    for before, fresh, found in zip(going_on, anew, mixed, strict=True):
        assert not torch.isclose(before, fresh).all(-1).any()
        torch.testing.assert_close(found[1], fresh[1])
        torch.testing.assert_close(found[[0, 2]], before[[0, 2]])


def test_saving_again_replaces_and_leaves_nothing_behind(tmp_path: Path) -> None:
    Weighted([1, 1, 1]).save(tmp_path)
    Weighted([2, 2, 2]).save(tmp_path)
    assert load_agent(tmp_path).predict(OBSERVATION)[0].tolist() == [2, 2, 2]
    assert len(list(tmp_path.iterdir())) == 2
    FixedPlan(1).save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["agent.json"]


def test_a_failed_save_keeps_the_agent_saved_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Weighted([1, 1, 1]).save(tmp_path)

    def full_disk(*arguments: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(agent_module, "write_text", full_disk)
    with pytest.raises(OSError, match="no space"):
        Weighted([2, 2, 2]).save(tmp_path)
    assert load_agent(tmp_path).predict(OBSERVATION)[0].tolist() == [1, 1, 1]


def test_damaged_files_are_clear_errors(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_agent(tmp_path)
    Weighted().save(tmp_path)
    card = json.loads((tmp_path / "agent.json").read_text())
    weights = tmp_path / card["weights"]
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"is corrupted or does not belong to agent\.json"):
        load_agent(tmp_path)
    weights.unlink()
    with pytest.raises(FileNotFoundError):
        load_agent(tmp_path)
    (tmp_path / "agent.json").write_text("{")
    with pytest.raises(ValueError, match="JSON"):
        load_agent(tmp_path)
    (tmp_path / "agent.json").write_text("[]")
    with pytest.raises(ValueError, match="holds no object"):
        load_agent(tmp_path)
    (tmp_path / "agent.json").write_text(json.dumps({**card, "format": 2}))
    with pytest.raises(ValueError, match="is of format 2; this version reads format 1"):
        load_agent(tmp_path)
    (tmp_path / "agent.json").write_text('{"format": 1}')
    with pytest.raises(ValueError, match="lacks"):
        load_agent(tmp_path)


def restamped(folder: Path, content: bytes) -> None:
    """Put other weights under the card, whose hash is then right."""
    card = json.loads((folder / "agent.json").read_text())
    (folder / card["weights"]).write_bytes(content)
    card["sha256"] = hashlib.sha256(content).hexdigest()
    (folder / "agent.json").write_text(json.dumps(card))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no readable tensors"),
        (b"\xff" * 100, "holds no readable tensors"),
        (save({"weights": np.array([1.0, np.nan])}), "the tensor 'weights' is not finite"),
        (save({"other": np.array([1.0])}), "the agent saved in .* lacks 'weights'"),
    ],
)
def test_wrong_weights_under_the_right_hash_are_clear_errors(
    tmp_path: Path, content: bytes, message: str
) -> None:
    Weighted().save(tmp_path)
    restamped(tmp_path, content)
    with pytest.raises(ValueError, match=message):
        load_agent(tmp_path)


@pytest.mark.parametrize("name", ["a3c", "acktr", "dqn", "drqn", "gail", "ppo", "recurrent-ppo"])
def test_whatever_is_wrong_in_a_saved_learner_is_a_value_error_that_names_the_folder(
    tmp_path: Path, name: str
) -> None:
    shutil.copytree(pretrained_agents()[name, "fitgym/Retention-v0"], tmp_path / "saved")
    path = tmp_path / "saved" / "agent.json"
    card = json.loads(path.read_text())
    weights = path.parent / card["weights"]
    tensors = load(weights.read_bytes())
    for broken in (
        {key: value[..., :1] for key, value in tensors.items() if value.ndim},
        dict(list(tensors.items())[:1]),
    ):
        restamped(path.parent, save({key: value.copy() for key, value in broken.items()}))
        with pytest.raises(ValueError, match="the agent saved in .*saved (lacks|cannot be made)"):
            load_agent(path.parent)
    weights.write_bytes(save(tensors))
    card["sha256"] = sha256(weights)
    for key in ("env_id", "env_kwargs", "seed", "settings", "learning_curve"):
        path.write_text(
            json.dumps({**card, "configuration": card["configuration"] | {key: [None]}})
        )
        with pytest.raises(ValueError, match="the agent saved in .*saved (lacks|cannot be made)"):
            load_agent(path.parent)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_weights_that_are_not_finite_are_not_saved(tmp_path: Path) -> None:
    Weighted([1.0, 2.0, 3.0]).save(tmp_path)
    with pytest.raises(ValueError, match="the tensor 'weights' is not finite"):
        Weighted([1.0, np.inf, 3.0]).save(tmp_path)
    with pytest.raises(ValueError, match="configuration of agent 'weighted' must be JSON-able"):
        Weighted(scale=float("nan")).save(tmp_path)  # type: ignore[arg-type]
    assert load_agent(tmp_path).predict(OBSERVATION)[0].tolist() == [1.0, 2.0, 3.0]


def test_an_agent_replaced_while_it_is_read_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Weighted([0, 0, 0]).save(tmp_path)
    saves = 0

    def read_and_replace(path: Path, keys: Any) -> Any:
        nonlocal saves
        card = read_object(path, keys)
        if saves < most:
            saves += 1
            Weighted([saves, saves, saves]).save(tmp_path)
        return card

    monkeypatch.setattr(agent_files, "read_object", read_and_replace)
    most = 3
    assert load_agent(tmp_path).predict(OBSERVATION)[0].tolist() == [3, 3, 3]
    most = 1000
    with pytest.raises(ValueError, match="replaced too often"):
        load_agent(tmp_path)


def test_saving_leaves_the_weights_of_another_process_until_they_are_old(tmp_path: Path) -> None:
    Weighted([1, 1, 1]).save(tmp_path)
    other = tmp_path / "weights-0123456789ab.safetensors"
    other.touch()
    Weighted([2, 2, 2]).save(tmp_path)
    assert other.exists()
    os.utime(other, (0, 0))
    Weighted([3, 3, 3]).save(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("agents.a3c:A3C", "a3c"),
        ("agents.acktr:ACKTR", "acktr"),
        ("agents.drqn:DRQN", "drqn"),
        ("agents.gail:GAIL", "gail"),
        ("agents.sb3:PPO", "ppo"),
        ("agents.sb3:RecurrentPPO", "recurrent-ppo"),
        ("agents.planning:BeliefPolicy", "belief"),
    ],
)
def test_classes_of_agents_saved_by_version_0_1_are_found(path: str, name: str) -> None:
    assert find_agent(path) is find_agent(name)


def test_an_agent_saved_by_version_0_1_loads(tmp_path: Path) -> None:
    FixedPlan(4).save(tmp_path)
    path = tmp_path / "agent.json"
    path.write_text(path.read_text().replace("fitgym_agents.references.simple", "agents.reference"))
    assert "agents.reference:FixedPlan" in path.read_text()
    assert load_agent(tmp_path).predict(OBSERVATION)[0].tolist() == [4, 4, 4]


def test_a_missing_package_is_told_apart_from_a_wrong_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "needs_much.py").write_text("import a_package_that_nobody_has\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ImportError, match="a_package_that_nobody_has"):
        find_agent("needs_much:Mine")


def test_factories_can_be_sent_to_another_process(replay: dict[str, Any]) -> None:
    assert import_free_id("fitgym/RetentionReplay-v0") == "fitgym:fitgym/RetentionReplay-v0"
    assert import_free_id("other:fitgym/X-v0") == "other:fitgym/X-v0"
    factory = pickle.loads(pickle.dumps(EnvironmentFactory("fitgym/RetentionReplay-v0", replay)))
    assert factory().unwrapped.days == 12
    with pytest.raises(TypeError, match="CartPole"):
        EnvironmentFactory("CartPole-v1")()
