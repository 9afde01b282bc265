"""The reference scores that ship, and the command that makes them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from fitgym.cli.main import main
from fitgym.cli.scores import scores_tables
from fitgym.people.individual import load_individual, shipped_individuals
from fitgym.people.runners import RUNNERS
from fitgym.planning.dynamic_programming import FORMAT
from fitgym.planning.one_step import foresight_rewards, myopic_policy
from fitgym.planning.score_references import is_reproduced, replay_scores
from fitgym.planning.scores import (
    ReferenceScores,
    load_reference_scores,
    read_entries,
    scored_pairs,
    shipped_scores,
)
from fitgym.planning.simulation import simulate
from fitgym_agents.evaluation import evaluate
from fitgym_agents.references.simple import Myopic

DOCS = Path(__file__).parents[2] / "docs" / "dynamic-programming.md"
IDS = sorted(name for name in gym.registry if name.startswith("fitgym/"))
PAIRS = scored_pairs()


def make(env_id: str, **kwargs: Any) -> Any:
    return gym.make(f"fitgym:{env_id}", **kwargs).unwrapped


def loaded() -> dict[tuple[str, str], ReferenceScores]:
    return {pair: load_reference_scores(*pair) for pair in PAIRS}


def test_every_id_and_individual_that_goes_with_it_is_scored() -> None:
    of_version_0 = set(shipped_individuals()) - set(RUNNERS)
    for env_id in IDS:
        suitable = set(RUNNERS) if env_id.endswith("-v1") else of_version_0
        if "Replay" in env_id:
            suitable = {name for name in suitable if load_individual(name).sessions_trimp}
        for name in suitable:
            scores = load_reference_scores(env_id, name)
            assert scores.individual == name
            assert (scores.episodes, scores.seed) == (1000, 1_000_000)
            assert scores.ceiling == ("foresight" if "Replay" in env_id else "dynamic programming")
    entries = read_entries(shipped_scores())
    assert list(entries) == PAIRS
    for entry in entries.values():
        assert entry["settings"]["solver_format"] == FORMAT
        assert {"fitgym", "numpy", "numba", "date"} < set(entry)


def test_the_shipped_scores_are_up_to_date(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every person, task, version and setting is still the one that was scored."""

    def fail(*_: object, **__: object) -> None:
        raise AssertionError("nothing should be made anew")

    monkeypatch.setattr("fitgym.cli.scores._entry", fail)
    assert main(["scores"]) == 0
    assert capsys.readouterr().out.strip() == scores_tables(loaded())


def test_the_documentation_shows_the_shipped_scores() -> None:
    assert scores_tables(loaded()) in DOCS.read_text(encoding="utf-8")


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_the_references_are_in_order(pair: tuple[str, str]) -> None:
    scores = load_reference_scores(*pair)
    assert scores.references["no service"].share == 0.0
    assert scores.references[scores.ceiling].share == 1.0
    for score in scores.scores.values():
        assert score.low <= score.mean <= score.high
        assert score.mean <= scores.scores[scores.ceiling].mean
        assert score.share == pytest.approx(scores.share(score.mean))
    assert scores.references["best fixed plan"].mean == max(
        score.mean for name, score in scores.scores.items() if name.startswith("fixed plan")
    )
    for name, difference in scores.differences.items():
        first, second = (scores.scores[one].mean for one in name.split(" less "))
        assert difference.mean == pytest.approx(first - second)
    if scores.ceiling == "foresight":
        assert "belief" not in scores.references
        assert scores.value is None
        # Foresight is a bound season by season, so nothing of the interval lies below 0.
        assert scores.differences["foresight less myopic"].low > 0.0
    else:
        assert scores.value is not None
        assert scores.outside is not None
        # The novice's stocks range widest, and rounds of laying out the grid run out.
        assert scores.outside <= (0.005 if scores.individual == "novice-runner" else 0.001)
        # What the solver thinks it earns, it earns; nothing beats it beyond chance, and the belief
        # is worth something.
        assert scores.value == pytest.approx(scores.scores[scores.ceiling].mean, rel=0.05)
        for name, difference in scores.differences.items():
            assert difference.high > 0.0, name
        blind = "dynamic programming that takes motivation as 0"
        assert scores.differences[f"belief less {blind}"].low > 0.0


@pytest.mark.parametrize("pair", scored_pairs(), ids=" ".join)
def test_a_stored_score_is_reproduced_by_the_model_as_it_is_now(pair: tuple[str, str]) -> None:
    """Whatever changes the model, a constant or a table, leaves no stored score behind."""
    stored = load_reference_scores(*pair)
    assert is_reproduced(make(pair[0], individual=pair[1]), stored)


def test_a_changed_constant_makes_stored_scores_out_of_date() -> None:
    environment = make("fitgym/Retention-v1", individual="novice-runner")
    stored = load_reference_scores("fitgym/Retention-v1", "novice-runner")
    person = environment.individual
    motivation = replace(person.motivation, fatigue_effect=2.001)
    changed = make("fitgym/Retention-v1", individual=replace(person, motivation=motivation))
    assert is_reproduced(environment, stored)
    assert not is_reproduced(changed, stored)


@pytest.fixture(scope="module")
def replayed() -> tuple[Any, ReferenceScores]:
    environment = make("fitgym/RetentionReplay-v0")
    return environment, replay_scores(environment, episodes=20, seed=9)


def test_stored_scores_of_replay_are_reproduced(replayed: Any) -> None:
    _, scores = replayed
    stored = load_reference_scores("fitgym/RetentionReplay-v0")
    assert scores.best_fixed == stored.best_fixed
    assert scores.scores.keys() == stored.scores.keys()
    for name, score in scores.scores.items():
        assert abs(score.mean - stored.scores[name].mean) < 2.0 * score.half_width


def test_foresight_is_the_best_plan_of_each_day(replayed: Any) -> None:
    environment, scores = replayed
    total = 0.0
    for episode in range(20):
        environment.reset(seed=9 + episode)
        terminated = False
        while not terminated:
            rewards = foresight_rewards(environment)
            total += rewards.max()
            # What is pushed does not matter.
            terminated = environment.step(episode % 11)[2]
    assert scores.scores["foresight"].mean == pytest.approx(total / 20)


def test_foresight_needs_replay() -> None:
    with pytest.raises(ValueError, match="'fitrec'"):
        replay_scores(make("fitgym/Retention-v0"), episodes=2)


@pytest.mark.parametrize("observation", ["state", "full"])
def test_the_myopic_policy_is_the_myopic_agent(observation: str) -> None:
    kwargs = {"days": 20, "observation": observation}
    environment = make("fitgym/Acquisition-v0", **kwargs)
    person = environment.task.prepare(environment.individual)
    seasons = simulate(environment.task, person, myopic_policy(environment), episodes=6, seed=70)
    result = evaluate(Myopic(), "fitgym/Acquisition-v0", episodes=6, seed=70, env_kwargs=kwargs)
    np.testing.assert_array_equal(seasons.actions.T, result.actions)
    np.testing.assert_allclose(seasons.returns, result.returns)


def test_ten_plans_earn_the_same_where_plans_are_continuous() -> None:
    """So that the scores of the ten plans stand for continuous ids, too."""
    discrete = make("fitgym/Acquisition-v0")
    continuous = make("fitgym/AcquisitionContinuous-v0")
    targets = np.array([0.0, *discrete.individual.plans_trimp])
    asked = (2.0 * targets / targets[-1] - 1.0).astype(np.float32)
    plans = np.random.default_rng(1).integers(0, 11, 90)
    for environment in (discrete, continuous):
        environment.reset(seed=4)
    for plan in plans.tolist():
        reward = discrete.step(plan)[1]
        assert continuous.step(asked[[plan]])[1] == pytest.approx(reward, rel=1e-5)
    ten = load_reference_scores("fitgym/Acquisition-v0")
    assert load_reference_scores("fitgym:fitgym/AcquisitionContinuous-v0").to_dict() == (
        ten.to_dict()
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("CartPole-v1",), "env_id"),
        (("fitgym/Acquisition-v7",), "env_id"),
        (("fitgym/Acquisition-v0", "nobody"), "individual"),
        (("fitgym/Acquisition-v0", "population"), "individual"),
        (("fitgym/RetentionReplay-v0", "sedentary-beginner"), "marathon-runner"),
    ],
)
def test_no_scores(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_reference_scores(*arguments)


def test_the_command_makes_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = [
        ("fitgym/Retention-v0", "recreational-runner"),
        ("fitgym/RetentionReplay-v0", "marathon-runner"),
    ]
    monkeypatch.setattr("fitgym.planning.scores.scored_pairs", lambda: pairs)
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_: tmp_path / "cache")
    out, page = tmp_path / "scores.json", tmp_path / "page.md"
    page.write_text(
        "before\n<!-- written by fitgym scores -->outdated<!-- end of the scores -->\nafter\n"
    )

    def run(*words: object) -> str:
        small = ("--refine", "0.2", "--episodes", "3", "--out", out)
        assert main(["scores", *map(str, (*small, *words))]) == 0
        return capsys.readouterr().err

    assert "2 of 2 made now" in run("--markdown", page)
    first = json.loads(out.read_text())
    assert [(one["env_id"], one["scores"]["individual"]) for one in first["entries"]] == pairs
    scores = {
        pair: ReferenceScores.from_dict(entry["scores"])
        for pair, entry in read_entries(out).items()
    }
    text = page.read_text()
    assert scores_tables(scores) in text
    assert "outdated" not in text
    assert text.startswith("before\n<!--")
    assert text.endswith("-->\nafter\n")

    assert "0 of 2 made now" in run()
    assert json.loads(out.read_text()) == first
    # As after an interruption: the one that is missing is made, and comes out the same.
    out.write_text(json.dumps({"entries": first["entries"][:1]}))
    assert "1 of 2 made now" in run()
    assert json.loads(out.read_text()) == first
    assert "1 of 2 made now" in _with_another_grid(out, first, run)


def _with_another_grid(out: Path, content: dict[str, Any], run: Any) -> str:
    """Run the command over a file of which one entry was made on another grid."""
    content["entries"][0]["settings"]["grid"]["fatigue"] += 1
    out.write_text(json.dumps(content))
    return str(run())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--episodes", "1"), "--episodes"),
        (("--seed", "-1"), "--seed"),
        (("--refine", "99"), "factor"),
        (("--out", "broken.json"), "broken.json is no file of reference scores"),
        (("--markdown", "bare.md"), "bare.md"),
        (("--markdown", "missing.md"), "missing.md"),
    ],
)
def test_wrong_input_is_one_line(
    words: tuple[str, ...],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.json").write_text('{"entries": [{"env_id": 3}]}')
    (tmp_path / "bare.md").write_text("no tables here")
    assert main(["scores", *words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
