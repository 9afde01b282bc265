"""Version 0 stays what it was: trajectories, shipped agents and load tables as recorded."""

from __future__ import annotations

import json

import golden
import numpy as np
import pytest

from fitgym.adherence.fitrec import shipped_table_requests
from fitgym_agents.pretrained import pretrained_agents

RECORDED = json.loads(golden.FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("label", golden.ENVIRONMENTS)
def test_trajectories_are_the_recorded_ones(label: str) -> None:
    recorded = RECORDED["environments"][label]
    scalar = golden.scalar_trajectories(*golden.ENVIRONMENTS[label])
    vector = golden.vector_trajectories(*golden.ENVIRONMENTS[label])
    np.testing.assert_array_equal(scalar, vector)
    np.testing.assert_allclose(golden.fingerprint(scalar), recorded["episodes"], rtol=1e-6)
    if golden.arithmetic() == RECORDED["arithmetic"]:
        assert golden.bits(scalar) == recorded["bits"]


@pytest.mark.parametrize(("name", "env_id"), pretrained_agents())
def test_shipped_agents_repeat_their_first_episodes(name: str, env_id: str) -> None:
    recorded = RECORDED["agents"][f"{name} in {env_id}"]
    played = golden.agent_record(name, env_id)
    assert played["plans"] == recorded["plans"]
    np.testing.assert_allclose(played["returns"], recorded["returns"], rtol=1e-6)


def test_load_tables_keep_their_keys() -> None:
    assert sorted(shipped_table_requests()) == RECORDED["load_tables"]
