"""The ablation of the heart on few people and a very coarse grid."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fitgym.cli.main import main
from fitgym.planning import heart_ablation
from fitgym.planning.grid import GridSize
from fitgym.planning.heart_ablation import PARTS, HeartAblation, run_ablation

ENVIRONMENT = "fitgym/Acquisition-v1"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    size = GridSize(base_level=3, fitness=3, fatigue=3, motivation=5, shares=2, habits=2)
    for name, value in {"SIZE": size, "_AVERAGED": 3, "_EPISODES": 4, "_STATES": 9}.items():
        monkeypatch.setattr(heart_ablation, name, value)
    monkeypatch.setattr("fitgym.planning.scouting._SEASONS", 5)


def test_the_parts_of_the_spread_add_up(tmp_path: Path) -> None:
    result = HeartAblation(ENVIRONMENT).run(0, exchange=False)
    sums = {name: np.array(rows[1]) for name, rows in result.spread.items()}
    np.testing.assert_allclose(sum(sums[part] for part in PARTS), sums["all"])
    np.testing.assert_allclose(sums["all"] - sums["offset"], sums["told"])
    assert set(result.exchanged) == {"own", "twin"}
    assert result.none < result.own


def test_the_twin_of_somebody_with_mean_loads_loses_nothing() -> None:
    """Where every heart is the same there is nothing to know."""
    ablation = HeartAblation(ENVIRONMENT)
    environment = ablation._environment(ablation._person(1))
    tables = environment.adherence.tables
    ablation._mean_loads = tables.loads[0, 0].astype(np.float64)
    ablation._mean_slopes = tables.load_slopes[0, 0]
    flat = ablation._twin(environment)
    again = ablation._twin(flat)
    one, other = (
        heart_ablation.solve(each, heart_ablation.SIZE, cache=False) for each in (flat, again)
    )
    np.testing.assert_array_equal(one.values, other.values)
    assert not np.array_equal(one.values, _own(environment).values)


def _own(environment: Any) -> Any:
    return heart_ablation.solve(environment, heart_ablation.SIZE, cache=False)


def test_a_stopped_run_goes_on_to_the_same_report(tmp_path: Path) -> None:
    first = run_ablation(ENVIRONMENT, 1, 1, tmp_path / "a")
    assert first["people"] == 1
    resumed = run_ablation(ENVIRONMENT, 2, 1, tmp_path / "a")
    at_once = run_ablation(ENVIRONMENT, 2, 1, tmp_path / "b")
    assert resumed == at_once
    with pytest.raises(ValueError, match="holds results of another run"):
        run_ablation(ENVIRONMENT, 2, 1, tmp_path / "a", seed=1)


def test_the_command_prints_figures_and_refuses_version_0(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["predictor", "ablation", "--people", "2", "--exchanged", "2", "--quiet"]
    assert not main([*arguments, "--output", str(tmp_path), "--json"])
    report = json.loads(capsys.readouterr().out)
    assert set(report["exchanged"]) == {"equation", "linear", "stranger", "own"}
    assert 0.0 < report["spread"]["share_told"] < 1.0
    assert json.loads((tmp_path / "report.json").read_text()) == report
    assert "constant twin" in (tmp_path / "report.md").read_text()
    other = [*arguments, "--output", str(tmp_path / "x"), "--env-id", "fitgym/Acquisition-v0"]
    assert main(other) == 2
    assert "env_id must be an id of version 1" in capsys.readouterr().err


def test_version_0_hardly_spreads_within_a_plan() -> None:
    spread = heart_ablation.version0_spread(6, seed=0)
    assert spread.shape == (10,)
    assert spread.max() < 0.12
