"""The quick benchmark covers all agents, trains and tests apart, and runs from the command line."""

from __future__ import annotations

import json
import re
from functools import partial

import pytest

from fitgym.cli.main import main
from fitgym_agents.files import load_agent
from fitgym_agents.pretrained import pretrained_agents
from fitgym_benchmarks.cli import benchmark as cli
from fitgym_benchmarks.report.tables import CEILINGS
from fitgym_benchmarks.suites.quick import (
    ENVIRONMENTS,
    EPISODES,
    LEARNERS,
    first_tables,
    quick_runs,
)

LEARNER_NAMES = ("RecurrentPPO", "DQN", "A2C", "PPO", "A3C hybrid")


def test_every_learner_and_every_reference_meets_the_same_unseen_seasons() -> None:
    runs = quick_runs(seed=5)
    assert len({run.key for run in runs}) == len(runs)
    for environment in ENVIRONMENTS:
        mine = [run for run in runs if run.environment == environment]
        learners = [run for run in mine if run.steps]
        assert sorted(run.agent for run in learners) == sorted(LEARNERS)
        replay = "Replay" in environment
        assert all(
            run.training_kwargs == ({"log_part": "train"} if replay else {}) for run in learners
        )
        assert all(run.seed == 5 for run in learners)
        assert {
            (str(run.evaluation_kwargs), run.episodes, run.evaluation_seed) for run in mine
        } == {
            (
                str({"log_part": "test"} if replay else {}),
                EPISODES,
                mine[0].evaluation_seed,
            )
        }
        references = [run.agent.rpartition(":")[2] for run in mine if not run.steps]
        assert references.count("FixedPlan") == 11
        assert {"RandomPlan", "HabitPlan", "Myopic", "CoachRule"} <= set(references)
        assert ("Foresight" in references) == replay
    assert CEILINGS == ("foresight",)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--seed", "-1"],
            "--seed must be an integer of at least 0 and at most",
        ),
        (
            ["--steps", "0"],
            "--steps must be an integer of at least 1 and at most",
        ),
        (
            ["--workers", "0"],
            "--workers must be an integer of at least 1 and at most",
        ),
    ],
)
def test_bad_options_are_refused_in_one_line(arguments, message, tmp_path, capsys) -> None:
    assert main(["benchmark", "quick", "--out", str(tmp_path / "out"), *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["quick", "algorithms", "search", "speed"])
def test_a_place_that_cannot_be_written_to_is_told_before_anything_starts(
    command, tmp_path, capsys, monkeypatch
) -> None:
    def start(*_: object) -> None:
        raise AssertionError("work has started")

    for name in ("run_all", "first_tables", "run_search"):
        monkeypatch.setattr(cli, name, start)
    (tmp_path / "file").write_text("in the way")
    words = [command, *(["a3c"] if command == "search" else [])]
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        assert main(["benchmark", *words, "--out", str(place)]) == 2
        error = capsys.readouterr().err
        assert f"--out must be a folder that can be written to, got '{place}'" in error
        assert error.count("\n") == 1


def test_stopping_tells_how_to_go_on(tmp_path, capsys, monkeypatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "first_tables", stop)
    assert main(["benchmark", "quick", "--out", str(tmp_path)]) == 130
    assert "start the same command again to go on" in capsys.readouterr().err


def test_the_first_table_holds_references_and_shipped_agents() -> None:
    text = first_tables("fitgym/Acquisition-v0", episodes=3)
    for name, env_id in pretrained_agents():
        if env_id == "fitgym/Acquisition-v0":
            assert re.search(rf"^pretrained:{name} ", text, flags=re.M)
    assert "-population" not in text
    for name in ("no service", "coach", "myopic", "fixed plan 10"):
        assert re.search(rf"^{name} ", text, flags=re.M)


def test_a_small_quick_benchmark_from_end_to_end(tmp_path, monkeypatch, log, capsys) -> None:
    # The least that the command does: one environment, few seasons and a ready calibration.
    small = partial(quick_runs, episodes=4)
    monkeypatch.setattr(cli, "quick_runs", small)
    monkeypatch.setattr(cli, "first_tables", partial(first_tables, episodes=4))
    monkeypatch.setattr(cli, "calibrate_log", lambda: log)
    arguments = ["quick", "--out", str(tmp_path), "--steps", "50"]
    arguments += ["--environment", ENVIRONMENTS[-1]]
    assert main(["benchmark", *arguments]) == 0
    output = capsys.readouterr().out
    first, trained = output.split("Training ...")
    for name in ("no service", "foresight"):
        assert name in first
    for name in (*LEARNER_NAMES, "no service", "foresight"):
        assert name in trained
    page = (tmp_path / "report.html").read_bytes()
    content = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    rows = content["environments"][ENVIRONMENTS[-1]]["rows"]
    learnt = [row for row in rows if row["kind"] == "learnt"]
    assert {row["agent"] for row in learnt} == {*LEARNER_NAMES}
    for row in learnt:
        assert load_agent(tmp_path / "runs" / row["run"] / "agent").name == row["agent"]

    # A second time nothing is left to do, and nothing changes.
    assert main(["benchmark", *arguments]) == 0
    assert capsys.readouterr().out.count(" returns ") == 0
    assert (tmp_path / "report.html").read_bytes() == page
