"""The search for settings goes on where it stopped and tells what it tried."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("optuna")

from fitgym.cli.main import main
from fitgym_benchmarks.search import SPACES, Search, as_markdown, run_search

TINY = Search(
    agent="a3c",
    environments=("fitgym/Acquisition-v0",),
    steps=50,
    episodes=2,
    fixed={"workers": 0, "environments": 4, "memory_size": 4, "hidden_sizes": [4]},
    env_kwargs={"days": 5},
)


def test_a_search_goes_on_and_begins_with_the_defaults(tmp_path: Path) -> None:
    lines: list[str] = []
    first = run_search(TINY, 2, tmp_path, report=lines.append).trials
    assert first[0].params == TINY.defaults()
    assert len(lines) == 2
    second = run_search(TINY, 3, tmp_path, report=lines.append)
    assert len(lines) == 3
    assert [trial.params for trial in second.trials[:2]] == [trial.params for trial in first]
    assert len({str(trial.params) for trial in second.trials}) == 3
    run_search(TINY, 3, tmp_path, report=lines.append)
    assert len(lines) == 3
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".journal", ".md"]
    table = (tmp_path / f"{TINY.name}.md").read_text()
    assert table == as_markdown(TINY, second)
    rows = [line for line in table.splitlines() if line.startswith("| ")][2:]
    values = [float(row.split(" | ")[1]) for row in rows]
    assert len(values) == 3
    assert values == sorted(values, reverse=True)
    assert "0 (defaults)" in table


def test_a_trials_value_is_the_mean_over_seeds_and_environments(tmp_path: Path) -> None:
    search = Search(
        agent="a3c",
        environments=("fitgym/Acquisition-v0", "fitgym/Retention-v0"),
        seeds=2,
        steps=20,
        episodes=2,
        fixed=TINY.fixed,
        env_kwargs=TINY.env_kwargs,
    )
    trial = run_search(search, 1, tmp_path, report=lambda line: None).best_trial
    assert len(trial.user_attrs["returns"]) == 4
    assert trial.value == pytest.approx(sum(trial.user_attrs["returns"]) / 4)


def test_another_search_has_another_name() -> None:
    assert TINY.name == Search(**vars(TINY)).name
    assert TINY.name != Search(**{**vars(TINY), "steps": 51}).name


@pytest.mark.parametrize("agent", SPACES)
def test_defaults_lie_in_the_space_that_is_searched(agent: str) -> None:
    search = Search(agent=agent, environments=("fitgym/Acquisition-v0",), steps=1)
    for name, default in search.defaults().items():
        assert search.space[name].allows(default), name


def test_the_command_refuses_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--out", str(tmp_path)]
    assert main(["benchmark", "search", "a3c", "--trials", "0", *out]) == 2
    assert "--trials" in capsys.readouterr().err
    assert (
        main(["benchmark", "search", "a3c", "--steps", "10", "--fixed", '{"epochs": 3}', *out]) == 2
    )
    assert "unknown keys ['epochs']" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--environment", "nowhere"), "ENV_ID must be a registered environment"),
        (("--environment", "CartPole-v1"), "must name an environment of fitgym"),
        (("--sampler-seed", "-1"), "--sampler-seed must be an integer"),
        (("--sampler-seed", "4294967296"), "--sampler-seed must be an integer"),
        (("--seeds", "99999999999"), "--seeds must be an integer of at least 1 and at most 1000"),
        (("--steps", "-1"), "--steps must be an integer"),
        (("--fixed", "[]"), "argument --fixed: must be a JSON object, got '[]'"),
        (("--fixed", "{"), "argument --fixed: must be a JSON object: '{' is not valid JSON"),
        (("--fixed", '{"discount": NaN}'), "argument --fixed: must be a JSON object"),
    ],
)
def test_wrong_words_are_told_before_the_first_trial(
    words: tuple[str, ...],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    try:
        status: object = main(["benchmark", "search", "a2c", *words, "--out", str(tmp_path)])
    except SystemExit as error:
        status = error.code
    assert status == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
