"""Settings: every built-in field checks its range, and a user's own take any default."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np
import pytest

from fitgym_agents.deep.a3c.settings import A3CConfiguration
from fitgym_agents.deep.acktr.settings import ACKTRConfiguration
from fitgym_agents.deep.drqn.settings import DRQNConfiguration
from fitgym_agents.deep.gail.settings import GAILConfiguration
from fitgym_agents.deep.settings import NetworkConfiguration
from fitgym_agents.sb3.settings import (
    A2CConfiguration,
    DQNConfiguration,
    PPOConfiguration,
    RecurrentPPOConfiguration,
)
from fitgym_agents.settings import Configuration, count, positive, share

CLASSES = [
    A2CConfiguration,
    A3CConfiguration,
    ACKTRConfiguration,
    DQNConfiguration,
    DRQNConfiguration,
    GAILConfiguration,
    PPOConfiguration,
    RecurrentPPOConfiguration,
]

# What is allowed, by name of the field: a number in [0, 1], above 0, a whole number of at least 1,
# or of at least 0.
SHARES = {
    "advantage_decay",
    "clip_range",
    "discount",
    "entropy_bonus",
    "entropy_penalty",
    "exploration_share",
    "factor_decay",
    "final_exploration",
    "momentum",
    "trace_decay",
}
POSITIVE = {
    "cost_rate",
    "critic_trust_region",
    "damping",
    "discriminator_rate",
    "gradient_norm",
    "gradient_penalty",
    "learning_rate",
    "trust_region",
}
MAY_BE_ZERO = {"workers"}
NAMES = {"activation", "critic", "network", "optimiser"}
OTHERS = {"cost_limit", "demonstrations", "hidden_sizes"}

# DRQN's replay buffer holds at least the episodes of all environments and of the first update.
TOGETHER: dict[str, dict[str, Any]] = {
    "replay_episodes": {"environments": 1, "learning_starts": 1},
}


@pytest.mark.parametrize("settings_class", CLASSES)
def test_every_built_in_field_keeps_to_its_range(settings_class: type[Configuration]) -> None:
    for entry in fields(settings_class):
        name = entry.name
        if name in OTHERS:
            continue
        if name in NAMES:
            allowed, refused = [entry.default], ["other", ""]
        elif name in SHARES:
            allowed, refused = [0, 0.5, 1.0], [-0.001, 1.001]
        elif name in POSITIVE:
            allowed, refused = [1e-9, 2, 1e9], [0.0, -1.0]
        else:
            low = 0 if name in MAY_BE_ZERO else 1
            allowed, refused = [low, 7, np.int64(8)], [low - 1]
            with pytest.raises(TypeError, match=name):
                settings_class.from_mapping({name: 1.5})
        for value in allowed:
            changes = {**TOGETHER.get(name, {}), name: value}
            assert getattr(settings_class.from_mapping(changes), name) == value
        for value in refused:
            with pytest.raises(ValueError, match=name):
                settings_class.from_mapping({name: value})
        for value in (float("nan"), float("inf"), True, None, [1]):
            with pytest.raises((TypeError, ValueError), match=name):
                settings_class.from_mapping({name: value})


def test_sizes_of_layers() -> None:
    settings = A2CConfiguration.from_mapping({"hidden_sizes": [np.int32(3), 4]})
    assert json.loads(json.dumps(asdict(settings)))["hidden_sizes"] == [3, 4]
    assert settings.hidden_sizes == (3, 4)
    for wrong in (8, "8", None):
        with pytest.raises(TypeError, match="hidden_sizes must be a list"):
            A2CConfiguration.from_mapping({"hidden_sizes": wrong})
    with pytest.raises(ValueError, match=r"hidden_sizes\[1\]"):
        A2CConfiguration.from_mapping({"hidden_sizes": [8, 0]})


def test_a_subclass_of_a_users_own_takes_any_default() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Bandit(Configuration):
        warm_up: bool = True
        prior: float = 0.0
        offset: float = -1.0
        seed_plan: int = -3
        title: str | None = None
        arms: list[int] = field(default_factory=list)

    settings = Bandit()
    assert (settings.warm_up, settings.prior, settings.offset, settings.seed_plan) == (
        True,
        0.0,
        -1.0,
        -3,
    )
    assert Bandit.from_mapping({"prior": -5.0, "warm_up": False}).prior == -5.0
    # What is inherited is still checked, and unknown names are refused.
    with pytest.raises(ValueError, match="discount"):
        Bandit(discount=1.5)
    with pytest.raises(ValueError, match=r"unknown keys \['arm'\].*arms"):
        Bandit.from_mapping({"arm": 3})


def test_a_subclass_may_have_its_own_checks() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Checked(NetworkConfiguration):
        quantile: float = share(0.1)
        width: float = positive(2.0)
        rounds: int = count(0, low=0)

    assert Checked(rounds=np.int64(4)).rounds == 4  # type: ignore[arg-type]
    for wrong in ({"quantile": 1.1}, {"width": 0.0}, {"rounds": -1}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Checked.from_mapping(wrong)


def test_settings_are_read_without_torch() -> None:
    modules = sorted({settings_class.__module__ for settings_class in CLASSES})
    code = f"import sys, {', '.join(modules)}; print(sorted(sys.modules))"
    answer = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    loaded = answer.stdout
    assert "'fitgym_agents.deep.a3c.settings'" in loaded
    for heavy in ("'torch'", "'stable_baselines3'", "'sb3_contrib'", "'numba'"):
        assert heavy not in loaded


def test_equal_settings_are_equal_and_hashable() -> None:
    settings: Any = PPOConfiguration(steps=8)
    assert settings == PPOConfiguration.from_mapping({"steps": 8})
    assert hash(settings) == hash(PPOConfiguration(steps=8))


def test_the_names_of_version_01_are_read() -> None:
    assert DRQNConfiguration.from_mapping({"replay_seasons": 100}).replay_episodes == 100
    assert GAILConfiguration.from_mapping({"minibatch_seasons": 4}).minibatch_episodes == 4
