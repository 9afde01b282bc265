"""Demonstrations are what a learner would have seen; files keep them; what is wrong is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from numpy.testing import assert_equal
from safetensors import safe_open
from safetensors.numpy import save_file

from fitgym.adherence import CustomAdherence, Response
from fitgym.cli.main import main
from fitgym.people.individual import load_individual
from fitgym_agents.deep.gail.demonstrations import (
    FIRST_DEMONSTRATION_SEED,
    Demonstrations,
    expert_for,
    record,
)
from fitgym_agents.evaluation import EVALUATION_SEED, FIRST_TRAINING_SEED
from fitgym_agents.references.planning import DynamicProgramming
from fitgym_agents.references.simple import FixedPlan, Foresight, RandomPlan
from fitgym_agents.registry import BUILT_IN

ENV_ID = "fitgym/Acquisition-v0"
FITREC = {"days": 10}


@pytest.fixture(scope="module")
def shown() -> Demonstrations:
    return record(RandomPlan(), ENV_ID, env_kwargs=FITREC, episodes=4, seed=3)


def _environment(env_id: str = ENV_ID, **env_kwargs: Any) -> Any:
    return gym.make(f"fitgym:{env_id}", **env_kwargs).unwrapped


def _same(a: Demonstrations, b: Demonstrations) -> None:
    for name in ("observations", "actions", "returns"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), strict=True)
    for name in ("env_id", "env_kwargs", "agent", "seed", "versions"):
        assert getattr(a, name) == getattr(b, name)


def test_recorded_seasons_are_those_of_the_environment(shown: Demonstrations) -> None:
    env = _environment(**FITREC)
    assert shown.observations.shape == (4, 10, 6)
    for i in range(4):
        observation, _ = env.reset(seed=FIRST_DEMONSTRATION_SEED + 3 + i)
        total, ended = 0.0, False
        for day in range(10):
            assert not ended
            np.testing.assert_array_equal(shown.observations[i, day], observation)
            observation, reward, ended, *_ = env.step(int(shown.actions[i, day]))
            total += reward
        assert ended
        assert shown.returns[i] == pytest.approx(total, rel=1e-12)


def test_seasons_are_the_experts_and_their_own() -> None:
    shown = record(FixedPlan(4), ENV_ID, env_kwargs=FITREC, episodes=2)
    assert (shown.actions == 4).all()
    assert shown.agent == "fixed plan 4"
    # Evaluation's seeds lie below, those of learning above.
    last = FIRST_TRAINING_SEED - FIRST_DEMONSTRATION_SEED
    assert EVALUATION_SEED < FIRST_DEMONSTRATION_SEED
    record(FixedPlan(4), ENV_ID, env_kwargs={"days": 1}, episodes=2, seed=last - 2)
    with pytest.raises(ValueError, match="seed must be an integer"):
        record(FixedPlan(4), ENV_ID, env_kwargs=FITREC, episodes=2, seed=last - 1)


def test_the_expert_sees_more_than_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_: tmp_path)
    expert = DynamicProgramming(refinement=0.3)
    shown = record(expert, ENV_ID, env_kwargs={"days": 4}, episodes=40)
    # All seasons start alike to the learner's eye, but the expert sees how motivated one is.
    assert len(np.unique(shown.observations[:, 0], axis=0)) == 1
    assert len(np.unique(shown.actions[:, 0])) > 1


def test_equal_seeds_record_equal_seasons(shown: Demonstrations) -> None:
    _same(record(RandomPlan(), ENV_ID, env_kwargs=FITREC, episodes=4, seed=3), shown)
    other = record(RandomPlan(), ENV_ID, env_kwargs=FITREC, episodes=4, seed=4)
    np.testing.assert_array_equal(other.actions, shown.actions)
    # Season i of a seed is season i - 1 of the next: here other plans were drawn for it.
    assert not np.array_equal(other.observations, shown.observations)


def test_round_trip_through_a_file(shown: Demonstrations, tmp_path: Path) -> None:
    path = tmp_path / "new" / "shown.safetensors"
    shown.save(path)
    _same(Demonstrations.load(path), shown)
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    with safe_open(path, framework="numpy") as content:
        assert set(content.keys()) == {"observations", "actions", "returns"}


class Willing(CustomAdherence):
    """Does as asked."""

    def respond(self, situation: Any) -> Response:
        return Response(intensity=situation.plan_trimp, met=situation.plan_trimp > 0)


def test_custom_adherence(certain: dict[str, Any]) -> None:
    builtin = record(RandomPlan(), ENV_ID, env_kwargs=certain, episodes=3)
    willing = {**certain, "adherence": f"{__name__}:Willing"}
    own = record(RandomPlan(), ENV_ID, env_kwargs=willing, episodes=3)
    np.testing.assert_array_equal(own.observations, builtin.observations)


def test_a_person_is_kept_written_out(tmp_path: Path) -> None:
    person = load_individual("recreational-runner")
    shown = record(FixedPlan(1), ENV_ID, env_kwargs={"individual": person, "days": 2}, episodes=1)
    shown.save(tmp_path / "a")
    loaded = Demonstrations.load(tmp_path / "a")
    assert load_individual(loaded.env_kwargs["individual"]) == person
    # Named, written out or by default: it is the same person.
    loaded.require_suitable(_environment(days=2))
    loaded.require_suitable(_environment(individual="recreational-runner", days=2))


def test_what_does_not_fit_is_named(shown: Demonstrations) -> None:
    shown.require_suitable(_environment(**FITREC))
    for environment, message in (
        (_environment("fitgym/Retention-v0", **FITREC), "stage is 'acquisition' in place of"),
        (_environment(days=11), "days is 10 in place of 11"),
        (_environment(**FITREC, observation="full"), "observation is 'state' in place of 'full'"),
        (_environment(**FITREC, completion_bonus=2.0), "completion_bonus is 1.0 in place of 2.0"),
        (_environment(**FITREC, individual="population"), "individual is 'recreational-runner'"),
    ):
        with pytest.raises(ValueError, match=message):
            shown.require_suitable(environment)
    environment = _environment(**FITREC)
    wide = replace(shown, observations=np.zeros((4, 10, 7), np.float32))
    with pytest.raises(ValueError, match="6 numbers per observation, got 7"):
        wide.require_suitable(environment)
    part = replace(shown, observations=shown.observations[:, 1:], actions=shown.actions[:, 1:])
    with pytest.raises(ValueError, match="whole episodes of 10 steps, got 9"):
        part.require_suitable(environment)
    unknown = replace(shown, actions=shown.actions + 5)
    with pytest.raises(ValueError, match=r"among the actions \[0, .*, 10\], got \[11"):
        unknown.require_suitable(environment)
    forbidding = record(FixedPlan(1), ENV_ID, env_kwargs={"days": 2, "forbidden_plans": [3]})
    with pytest.raises(ValueError, match="got \\[3\\]"):
        replace(forbidding, actions=np.full_like(forbidding.actions, 3)).require_suitable(
            _environment(days=2, forbidden_plans=[3])
        )
    with pytest.raises(ValueError, match="at least 5 demonstrated episodes, got 4"):
        shown.first(5)
    np.testing.assert_array_equal(shown.first(2).actions, shown.actions[:2])


def test_malformed_arrays_and_files_are_refused(shown: Demonstrations, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="actions must be int64 with 2 axes"):
        replace(shown, actions=shown.actions.astype(float))
    with pytest.raises(ValueError, match="as many episodes and steps"):
        replace(shown, returns=shown.returns[:2])
    broken = shown.observations.copy()
    broken[1, 0, 2] = np.nan
    with pytest.raises(ValueError, match=r"observations must be finite, got nan at \[1, 0, 2\]"):
        replace(shown, observations=broken)
    path = tmp_path / "shown"
    with pytest.raises(FileNotFoundError):
        Demonstrations.load(path)
    with pytest.raises(IsADirectoryError, match="must be a safetensors file, is a folder"):
        Demonstrations.load(tmp_path)
    path.write_bytes(b"nonsense")
    with pytest.raises(ValueError, match="shown is no readable safetensors file"):
        Demonstrations.load(path)
    save_file({"observations": shown.observations}, path)
    with pytest.raises(ValueError, match="shown must hold 'fitgym demonstrations 1', got {}"):
        Demonstrations.load(path)
    save_file({"actions": shown.actions}, path, {"format": "fitgym demonstrations 1"})
    with pytest.raises(ValueError, match="shown is damaged: .*missing"):
        Demonstrations.load(path)


def test_the_same_episodes_are_the_same_file_and_those_of_version_0_1_are_read(
    shown: Demonstrations, tmp_path: Path
) -> None:
    for name in "abcdef":
        shown.save(tmp_path / name)
    assert len({(tmp_path / name).read_bytes() for name in "abcdef"}) == 1
    with safe_open(tmp_path / "a", framework="numpy") as content:
        (facts,) = content.metadata().values()
        tensors = {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118
    old = {"format": "fitgym demonstrations 1", "facts": facts}
    save_file(tensors, tmp_path / "old", old)
    assert_equal(Demonstrations.load(tmp_path / "old").observations, shown.observations)


def test_experts(replay: dict[str, Any], certain: dict[str, Any]) -> None:
    assert isinstance(expert_for(ENV_ID), DynamicProgramming)
    foresight = expert_for("fitgym/AcquisitionReplay-v0", replay)
    assert isinstance(foresight, Foresight)
    record(foresight, "fitgym/AcquisitionReplay-v0", env_kwargs=replay, episodes=2)
    with pytest.raises(ValueError, match="needs adherence 'fitrec' or 'fitrec2', got 'certain'"):
        record(expert_for(ENV_ID, certain), ENV_ID, env_kwargs=certain, episodes=2)


def test_the_command_writes_what_record_returns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "shown.safetensors"
    words = ["record", "fitgym/AcquisitionReplay-v0", "--episodes", "3", "--out", str(path)]
    assert main([*words, "--seed", "5"]) == 0
    printed = capsys.readouterr().out
    loaded = Demonstrations.load(path)
    # What learners train on: rollouts of the log's first part.
    kwargs = {"log_part": "train"}
    direct = record(
        Foresight(), "fitgym/AcquisitionReplay-v0", env_kwargs=kwargs, episodes=3, seed=5
    )
    _same(loaded, direct)
    assert f"3 episodes, mean return {loaded.returns.mean():.1f}" in printed
    assert str(path) in printed
    assert main([*words, "--agent", "habit"]) == 0
    assert Demonstrations.load(path).agent == "habit"
    FixedPlan(2).save(tmp_path / "agent")
    person = ["--individual", "marathon-runner"]
    assert main([*words, "--agent", str(tmp_path / "agent"), *person]) == 0
    loaded = Demonstrations.load(path)
    assert (loaded.agent, loaded.env_kwargs) == (
        "fixed plan 2",
        {"log_part": "train", "individual": "marathon-runner"},
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fitgym/Nowhere-v0"], "ENV_ID must be a registered environment"),
        ([ENV_ID, "--agent", "nobody"], f"agent must be one of '{min(BUILT_IN)}'"),
        ([ENV_ID, "--agent", "random", "--episodes", "0"], "episodes must be an integer"),
        (
            ["fitgym/RetentionReplay-v0", "--agent", "dynamic-programming"],
            "needs adherence 'fitrec'",
        ),
    ],
)
def test_the_command_says_what_is_wrong(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["record", *words, "--out", str(tmp_path / "a")]) == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
