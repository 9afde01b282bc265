"""The table of algorithms, from runs to page."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fitgym.cli.main import main
from fitgym_agents.registry import find_agent
from fitgym_benchmarks.runs import STAGES
from fitgym_benchmarks.suites import algorithms

# Of no consequence for a test of the table, and quick.
PLANS = {f"fixed plan {plan}": ("fixed", {"plan": plan}) for plan in (1, 2)}
REFERENCES = {
    "no service": ("fixed", {"plan": 0}),
    **PLANS,
    "dynamic programming": ("coach", {}),
}


def test_every_row_names_an_agent_and_settings_it_knows() -> None:
    for name, changes in algorithms.ROWS.values():
        settings: Any = find_agent(name).settings_class
        settings.from_mapping(changes)
    runs = algorithms.algorithm_runs(steps=10, seeds=3)
    keys = [run.key for group in runs.values() for run in group]
    assert len(set(keys)) == len(keys) == 2 * (3 * len(algorithms.ROWS) + 14)
    assert {run.steps for group in runs.values() for run in group} == {0, 10}


def test_the_command_writes_a_table_per_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(algorithms, "_REFERENCES", REFERENCES)
    words = ["algorithms", "--steps", "64", "--seeds", "2", "--row", "A2C", "--out", str(tmp_path)]
    words += ["--episodes", "10"]
    assert main(["benchmark", *words]) == 0
    page = (tmp_path / "algorithms.md").read_text(encoding="utf-8")
    for environment in STAGES:
        assert f"**{environment}**" in page
    rows = [line.split(" | ") for line in page.splitlines() if line.startswith("| A2C")]
    # Returns, people and learning in each stage.
    assert len(rows) == 6
    assert all(
        len({row.count("|") for row in block.splitlines()}) == 1
        for block in page.split("\n\n")
        if block.startswith("|")
    )
    assert page in capsys.readouterr().out
    # No service is where the way begins, and the last reference where it ends.
    shares = {
        line.split(" | ")[0]: line.split(" | ")[4]
        for block in page.split("\n\n")
        if "IQM of runs" in block
        for line in block.splitlines()
    }
    assert shares["| no service"] == "0.0 (0.0 to 0.0)"
    assert shares["| dynamic programming"] == "100.0 (100.0 to 100.0)"
    # Of the two fixed plans the better one stays, which beats itself by nothing.
    assert page.count("| fixed plan") == 4
    assert page.count("| +0.0 (+0.0 to +0.0) |") == 2
    # A second time nothing is trained.
    finished = {path: path.stat().st_mtime_ns for path in tmp_path.glob("runs/*/result.json")}
    assert main(["benchmark", *words]) == 0
    assert {p: p.stat().st_mtime_ns for p in tmp_path.glob("runs/*/result.json")} == finished


def test_convergence_is_when_the_learning_curve_first_gets_there() -> None:
    curve = [(100, 1.0), (200, 5.0), (300, 4.0)]
    result: Any = SimpleNamespace(training_seconds=50.0, timesteps=1000, curve=curve)
    assert algorithms._seconds_to(4.5, result) == 10.0
    assert algorithms._seconds_to(6.0, result) == np.inf


def test_wrong_numbers_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["benchmark", "algorithms", "--seeds", "0", "--out", str(tmp_path)]) == 2
    assert "--seeds must be an integer of at least 1" in capsys.readouterr().err
