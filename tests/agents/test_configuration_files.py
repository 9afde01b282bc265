"""Settings as text: YAML that is strict about keys, and words of a command line."""

from __future__ import annotations

from pathlib import Path

import gymnasium as gym
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fitgym_agents
from fitgym_agents.configuration_files import (
    check_configuration,
    configuration_for,
    named_values,
    read_configurations,
    shipped_configurations,
    split_agent,
)
from fitgym_agents.registry import BUILT_IN, find_agent


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("agent", sorted(shipped_configurations()))
def test_every_shipped_section_suits_its_agent_and_environment(agent: str) -> None:
    assert agent in BUILT_IN
    for env_id, section in shipped_configurations()[agent].items():
        assert env_id in gym.registry
        assert section.total_timesteps is not None
        check_configuration(find_agent(agent), section.configuration, section.source)


def test_the_shipped_files_are_where_the_package_is() -> None:
    folder = Path(fitgym_agents.__file__).parent / "configurations"
    assert {path.stem for path in folder.iterdir()} == set(shipped_configurations())


def test_values_are_read_as_what_they_are(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "fitgym/Acquisition-v0:\n"
        "  total_timesteps: 2_000\n"
        "  configuration:\n"
        "    learning_rate: 1e-3\n"
        "    discount: 0.9\n"
        "    hidden_sizes: [32, 16]\n"
        "fitgym/Retention-v0: {}\n",
    )
    section = configuration_for("ppo", "fitgym/Acquisition-v0", path)
    assert section.total_timesteps == 2_000
    assert section.configuration == {
        "learning_rate": 0.001,
        "discount": 0.9,
        "hidden_sizes": [32, 16],
    }
    empty = configuration_for("ppo", "fitgym/Retention-v0", path)
    assert (empty.total_timesteps, dict(empty.configuration)) == (None, {})
    with pytest.raises(ValueError, match="no section 'fitgym/Other-v0'; it has fitgym/Acq"):
        configuration_for("ppo", "fitgym/Other-v0", path)
    assert configuration_for("nobody", "fitgym/Other-v0").total_timesteps is None


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("a: [", ValueError, r"mine\.yaml is not valid YAML"),
        ("", ValueError, "must hold a section per environment, got None"),
        ("- a", ValueError, "must hold a section per environment"),
        ("env: 3", TypeError, r"mine\.yaml: env must hold keys and values, got 3"),
        ("env: {steps: 3}", ValueError, r"mine\.yaml: env has unknown keys \['steps'\]; allowed"),
        ("env: {total_timesteps: 0}", ValueError, "env: total_timesteps must be .* got 0"),
        ("env: {total_timesteps: many}", TypeError, "env: total_timesteps must be .* got 'many'"),
        ("env: {configuration: [1]}", TypeError, "env: configuration must hold keys"),
        ("env: {}\nenv: {}", ValueError, "the key 'env' is given twice"),
        ("env: !!python/object:os.system {}", ValueError, "not valid YAML"),
    ],
)
def test_a_malformed_file_is_a_clear_error(tmp_path, text, error, message) -> None:
    with pytest.raises(error, match=message):
        read_configurations(written(tmp_path, text))


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(8)
)


@pytest.mark.parametrize("text", [BOMB, f"env: {BOMB!r}", "[" * 5000, "- " * 3000 + "x"])
def test_small_files_that_would_grow_are_refused_in_a_short_message(tmp_path, text) -> None:
    with pytest.raises((ValueError, TypeError)) as caught:
        read_configurations(written(tmp_path, text))
    assert len(str(caught.value)) < 1000
    assert "mine.yaml" in str(caught.value)


def test_aliases_are_refused_where_they_stand(tmp_path) -> None:
    with pytest.raises(ValueError, match=r"aliases \(\*\) are not allowed .*line 2, column 4"):
        read_configurations(written(tmp_path, "a: &a {}\nb: *a\n"))


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"speed": 1}, ValueError, r"here: PPOConfiguration has unknown keys \['speed'\]"),
        ({"discount": 2}, ValueError, "here: discount must be"),
        ({"epochs": "many"}, TypeError, "here: epochs must be"),
    ],
)
def test_wrong_settings_name_their_source(settings, error, message) -> None:
    with pytest.raises(error, match=message):
        check_configuration(find_agent("ppo"), settings, "here")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_on_the_command_line_are_read_exactly(number: float) -> None:
    for text in (repr(number), f"{number:.17e}"):
        value = named_values("--set", [f"a={text}"])["a"]
        assert isinstance(value, float)
        assert value == number


def test_words_of_the_command_line() -> None:
    words = ["a=3", "b=true", "c=[64, 64]", "d=full", "e=x=y", "f="]
    assert named_values("--set", words) == {
        "a": 3,
        "b": True,
        "c": [64, 64],
        "d": "full",
        "e": "x=y",
        "f": None,
    }
    assert split_agent("my.agents:Rule") == ("my.agents:Rule", {})
    assert split_agent("fixed,plan=7") == ("fixed", {"plan": 7})
    for word in ("a", "=3"):
        with pytest.raises(ValueError, match="--set must be NAME=VALUE"):
            named_values("--set", [word])
    with pytest.raises(ValueError, match="--set a cannot be"):
        named_values("--set", ["a=2026-01-01"])
    with pytest.raises(ValueError, match="--set a is not valid YAML"):
        named_values("--set", ["a=["])
    for word in ("a=.nan", "a=[1, -.inf]"):
        with pytest.raises(ValueError, match="--set a cannot be"):
            named_values("--set", [word])
    for word in ("a=2026-13-45", f"a={'9' * 5000}"):
        with pytest.raises(ValueError, match="--set a is not valid YAML"):
            named_values("--set", [word])
