"""Infos have the same structure after every reset and step, as collectors of data sets ask."""

from __future__ import annotations

import math
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from fitgym.adherence import CustomAdherence, Response
from fitgym.envs.vector import FitnessFatigueVectorEnv


class Absent(CustomAdherence):
    """Does nothing."""

    def respond(self, situation: Any) -> Response:
        return Response(intensity=0.0, met=False)


CASES: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in sorted(gym.registry) if name.startswith("fitgym/")),
    ("fitgym/Acquisition-v0", {"individual": "population", "observation": "wearable"}),
    ("fitgym/Retention-v0", {"adherence": "certain"}),
    ("fitgym/Retention-v0", {"adherence": f"{__name__}:Absent"}),
    ("fitgym/Retention-v0", {"forbidden_plans": [2, 10], "forbidden": "nearest"}),
]


def structure(value: Any) -> Any:
    """Return keys, types, dtypes and shapes, nested as they are."""
    if isinstance(value, dict):
        return {key: structure(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return value.dtype, value.shape
    return type(value)


def sample(env: Any, generator: np.random.Generator, *size: int) -> Any:
    """Return an action; every other day none is asked for, if that can be."""
    space = getattr(env, "single_action_space", env.action_space)
    if isinstance(space, gym.spaces.Box):
        return generator.uniform(-1.0, 1.0, (*size, 1)).astype(np.float32)
    return generator.choice([0, 0, 0, 4, 8], size or None)


@pytest.mark.parametrize(("env_id", "kwargs"), CASES)
def test_the_structure_never_changes(env_id: str, kwargs: dict[str, Any]) -> None:
    env = gym.make(env_id, days=25, **kwargs)
    generator = np.random.default_rng(0)
    _, first = env.reset(seed=0)
    expected = structure(first)
    assert type(first["met"]) is bool
    without_session = 0
    for _ in range(3):
        for _ in range(25):
            info = env.step(sample(env, generator))[4]
            assert structure(info) == expected
            without_session += info["done_trimp"] == 0.0
            if "mean_heart_rate" in info:
                # Not NaN, which Gymnasium's checker takes for a step that is not deterministic.
                assert (info["mean_heart_rate"] == 0.0) == (info["done_trimp"] == 0.0)
                assert (info["internal_load"] == 0.0) == (info["done_trimp"] == 0.0)
        assert structure(env.reset()[1]) == expected
    assert without_session or "Replay" in env_id


def test_a_reset_has_nothing_of_a_day() -> None:
    _, info = gym.make("fitgym/Acquisition-v0").reset(seed=0)
    nothing = {name for name, value in info.items() if isinstance(value, float) and value != value}
    assert nothing == {
        "plan_trimp",
        "done_trimp",
        "completion",
        "mean_heart_rate",
        "internal_load",
    }
    assert all(math.isnan(term) for term in info["reward_terms"].values())
    assert (info["plan"], info["met"]) == (-1, False)


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
@pytest.mark.parametrize(("env_id", "kwargs"), CASES)
def test_the_structure_of_batches_never_changes(
    env_id: str, kwargs: dict[str, Any], mode: str
) -> None:
    env = gym.make_vec(env_id, num_envs=3, days=7, autoreset_mode=mode, **kwargs)
    assert isinstance(env, FitnessFatigueVectorEnv)
    generator = np.random.default_rng(0)
    _, first = env.reset(seed=0)
    expected = structure(first)
    assert all(first[f"_{key}"].all() for key in first if not key.startswith("_"))
    env.step(sample(env, generator, 3))
    # The episodes end on different days.
    env.reset(options={"reset_mask": np.array([True, False, False])})
    for _ in range(20):
        infos = env.step(sample(env, generator, 3))[4]
        final = infos.pop("final_info", first)
        infos = {key: value for key, value in infos.items() if "final" not in key}
        assert structure(infos) == structure(final) == expected
        assert all(infos[f"_{key}"].all() for key in infos if not key.startswith("_"))
