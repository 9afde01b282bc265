"""``fitgym solve`` from end to end, and the scores it prints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from fitgym.cli.main import main
from fitgym.people.individual import load_individual
from fitgym.planning.dynamic_programming import solve
from fitgym.planning.figures import policy_figure, policy_map, season_figure, typical_season
from fitgym.planning.grid import GridSize
from fitgym.planning.score_references import reference_scores

SIZE = GridSize().refined(0.3)


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("platformdirs.user_cache_path", lambda *_: folder)
        yield folder


@pytest.fixture(scope="module")
def solved() -> Any:
    environment: Any = gym.make("fitgym:fitgym/Retention-v0", days=60).unwrapped
    program = solve(environment, SIZE)
    return environment, program, reference_scores(environment, program, episodes=200, seed=3)


def run(*words: object) -> int:
    return main(["solve", "--refine", "0.2", "--episodes", "2", *map(str, words)])


def test_table_and_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert run("fitgym/Acquisition-v0", "--out", out) == 0
    printed = capsys.readouterr().out
    for words in ("recreational-runner, 2 episodes", "value of the", "no service", "belief less"):
        assert words in printed
    assert sorted(path.name for path in out.iterdir()) == [
        "policy.png",
        "season.png",
        "solution.json",
    ]
    assert (out / "policy.png").read_bytes().startswith(b"\x89PNG")
    capsys.readouterr()
    assert run("fitgym/Acquisition-v0", "--out", out, "--json") == 0
    content = json.loads(capsys.readouterr().out)
    assert content == json.loads((out / "solution.json").read_text())
    assert len(content["scores"]) == 16


def test_another_individual(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "me.json"
    person = load_individual("sedentary-beginner").to_dict()
    path.write_text(json.dumps({**person, "name": "me"}), encoding="utf-8")
    words = ("fitgym/Retention-v0", "--individual", path, "--out", tmp_path, "--json")
    assert run(*words) == 0
    assert json.loads(capsys.readouterr().out)["individual"] == "me"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("fitgym/Nowhere-v0",), "ENV_ID"),
        (("CartPole-v1",), "environment of fitgym"),
        (("fitgym/AcquisitionReplay-v0",), "foresight"),
        (("fitgym/AcquisitionContinuous-v0",), "continuous"),
        (("fitgym/Acquisition-v0", "--individual", "nobody"), "nobody"),
        (("fitgym/Acquisition-v0", "--episodes", "1"), "episodes"),
        (("fitgym/Acquisition-v0", "--refine", "99"), "factor"),
    ],
)
def test_wrong_input_is_one_line(
    words: tuple[str, ...], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*words, "--out", tmp_path) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_scores_are_on_the_scale_from_no_service_to_the_program(solved: Any) -> None:
    _, program, scores = solved
    assert scores.scores["no service"].share == 0.0
    assert scores.scores["dynamic programming"].share == 1.0
    assert scores.value == program.value
    assert scores.scores[f"fixed plan {scores.best_fixed}"].mean == max(
        score.mean for name, score in scores.scores.items() if name.startswith("fixed")
    )
    for score in (*scores.scores.values(), *scores.differences.values()):
        assert score.low <= score.mean <= score.high


def test_belief_lies_between_blind_and_seeing(solved: Any) -> None:
    _, _, scores = solved
    assert scores.differences["dynamic programming less belief"].low > 0.0
    blind = "dynamic programming that takes motivation as 0"
    assert scores.differences[f"belief less {blind}"].low > 0.0


def test_forbidding_no_service_still_measures_the_scale() -> None:
    environment: Any = gym.make(
        "fitgym:fitgym/Retention-v0", days=5, forbidden_plans=[0, 9]
    ).unwrapped
    scores = reference_scores(environment, solve(environment, SIZE), episodes=5)
    assert "no service" not in scores.scores
    assert "fixed plan 9" not in scores.scores
    assert scores.scores["dynamic programming"].share == 1.0


def test_figures_show_the_policy(solved: Any) -> None:
    _, program, scores = solved
    levels, actions = policy_map(program, scores.seasons, "motivation")
    assert actions.shape == (levels.size, 60)
    # Who is more motivated is asked for more, by and large.
    assert actions[-5:].mean() > actions[:5].mean()
    returns = scores.seasons.returns
    typical = typical_season(scores.seasons)
    # Seasons may tie, as those in which every plan is completed.
    assert np.mean(returns < returns[typical]) <= 0.5 <= np.mean(returns <= returns[typical])
    assert len(policy_figure(program, scores.seasons).axes) == 4
    bars = season_figure(program, scores.seasons).axes[0].patches[:60]
    np.testing.assert_allclose(
        [bar.get_height() for bar in bars], scores.seasons.outcomes["plan_trimp"][:, typical]
    )
