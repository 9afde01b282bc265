"""Minari datasets: read back, they are the episodes that the environment gives step by step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from fitgym.planning.scores import load_reference_scores
from fitgym_agents.minari_export import export_minari
from fitgym_agents.references.simple import RandomPlan

minari: Any = pytest.importorskip("minari")
pytest.importorskip("h5py")

ENV_ID = "fitgym/Acquisition-v1"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))


@pytest.mark.parametrize("kwargs", [{}, {"individual": "population", "days": 12}])
def test_a_dataset_holds_the_environments_episodes(kwargs: dict[str, Any]) -> None:
    export_minari(RandomPlan(), ENV_ID, "fitgym/test-v0", env_kwargs=kwargs, episodes=3, seed=7)
    dataset = minari.load_dataset("fitgym/test-v0")
    env = dataset.recover_environment()
    assert env.unwrapped.days == kwargs.get("days", 90)
    assert dataset.total_episodes == 3
    played = gym.make(ENV_ID, **kwargs)
    for number, episode in enumerate(dataset.iterate_episodes()):
        observation, _ = played.reset(seed=7 + number)
        np.testing.assert_array_equal(episode.observations[0], observation)
        for day, action in enumerate(episode.actions):
            observation, reward, terminated, _, _ = played.step(int(action))
            np.testing.assert_array_equal(episode.observations[day + 1], observation)
            assert episode.rewards[day] == reward
            assert episode.terminations[day] == terminated
        assert terminated
    metadata = dataset.storage.metadata
    if kwargs:
        assert metadata.get("ref_max_score") is None
    else:
        scores = load_reference_scores(ENV_ID)
        assert metadata["ref_min_score"] == scores.scores["no service"].mean
        assert metadata["ref_max_score"] == scores.scores["dynamic programming"].mean


def test_a_name_is_given_once() -> None:
    export_minari(RandomPlan(), ENV_ID, "fitgym/test-v0", env_kwargs={"days": 2}, episodes=1)
    with pytest.raises(ValueError, match="has 'fitgym/test-v0' already"):
        export_minari(RandomPlan(), ENV_ID, "fitgym/test-v0", env_kwargs={"days": 2}, episodes=1)
