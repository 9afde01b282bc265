"""Logged trials: probabilities, exact values and the command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fitgym.cli.main import main
from fitgym_agents.references.simple import FixedPlan
from fitgym_agents.trials.logging_trial import run_logged

ENV_ID = "fitgym/Acquisition-v1"
KWARGS: dict[str, Any] = {"days": 3, "individual": "population:train"}


def test_the_probabilities_are_those_of_the_draws() -> None:
    people, explore = 4000, 0.9
    trial = run_logged(
        FixedPlan(3),
        FixedPlan(5),
        ENV_ID,
        people,
        explore=explore,
        env_kwargs={**KWARGS, "days": 2},
        seed=1,
    )
    logged = trial.logged
    usual, other = 1.0 - explore + explore / 11, explore / 11
    np.testing.assert_allclose(logged.behaviour, np.where(logged.actions == 3, usual, other))
    shares = np.bincount(logged.actions.ravel(), minlength=11) / logged.actions.size
    expected = np.full(11, other)
    expected[3] = usual
    np.testing.assert_allclose(shares, expected, atol=0.02)
    assert (logged.target.argmax(axis=2) == 5).all()
    for one in trial.estimates():
        assert one.value == pytest.approx(trial.truth, abs=4.0 * one.error)


def test_who_follows_the_target_earns_what_it_earns() -> None:
    trial = run_logged(
        FixedPlan(5), FixedPlan(5), ENV_ID, 50, explore=0.2, env_kwargs=KWARGS, seed=2
    )
    followed = (trial.logged.actions == 5).all(axis=1)
    assert 10 < followed.sum() < 50
    earned = trial.logged.rewards.sum(axis=1)
    np.testing.assert_allclose(earned[followed], trial.returns[followed])


def test_forbidden_plans_are_not_explored() -> None:
    kwargs: Any = {**KWARGS, "forbidden_plans": [8, 9, 10]}
    trial = run_logged(FixedPlan(1), FixedPlan(2), ENV_ID, 100, explore=1.0, env_kwargs=kwargs)
    assert trial.logged.actions.max() == 7
    np.testing.assert_allclose(trial.logged.behaviour, 1.0 / 8.0)


def test_no_exploration_is_refused() -> None:
    with pytest.raises(ValueError, match="explore"):
        run_logged(FixedPlan(1), FixedPlan(2), ENV_ID, 10, explore=0.0, env_kwargs=KWARGS)


def test_the_command_prints_and_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["trial", "ope", ENV_ID, "--people", "60", "--days", "3", "--trials", "2"]
    main([*words, "--out", str(tmp_path), "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "report.json").read_text())
    assert len(printed["effects"]) == len(printed["coverage"]) == 4
    assert len({one["truth"] for one in printed["effects"]}) == 1
    main([*words, "--out", str(tmp_path)])
    table = capsys.readouterr().out
    assert "doubly robust" in table
    assert "coverage" in table
