"""The agents' interface: finding, making, saving and loading."""

from __future__ import annotations

import json
import pickle
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fitgym_agents import agent as agent_module
from fitgym_agents import registry
from fitgym_agents.agent import Agent
from fitgym_agents.environments import EnvironmentFactory, import_free_id
from fitgym_agents.files import load_agent
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


def test_factories_can_be_sent_to_another_process(replay: dict[str, Any]) -> None:
    assert import_free_id("fitgym/RetentionReplay-v0") == "fitgym:fitgym/RetentionReplay-v0"
    assert import_free_id("other:fitgym/X-v0") == "other:fitgym/X-v0"
    factory = pickle.loads(pickle.dumps(EnvironmentFactory("fitgym/RetentionReplay-v0", replay)))
    assert factory().unwrapped.days == 12
    with pytest.raises(TypeError, match="CartPole"):
        EnvironmentFactory("CartPole-v1")()
