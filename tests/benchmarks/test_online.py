from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from fitgym.cli.main import main
from fitgym_agents.online.cohort import Cohort
from fitgym_benchmarks.suites.online import regret_csv, run_online

COMMAND = [
    *("benchmark", "online", "--people", "6", "--days", "8", "--references", "2", "--seed", "1"),
    *("--agent", "random", "--agent", "partially-pooled"),
]


def test_the_benchmark_prints_tables_and_writes_curves_and_logs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([*COMMAND, "--out", str(tmp_path)])
    printed = capsys.readouterr().out
    for words in ("partially-pooled", "dynamic program", "updates on time", "fitgym benchmark"):
        assert words in printed
    assert (tmp_path / "online.md").read_text() in printed
    assert (tmp_path / "regret.png").stat().st_size > 1000
    assert {path.name for path in (tmp_path / "logs").glob("*.csv")} == {
        "random.csv",
        "partially-pooled.csv",
    }
    with (tmp_path / "references.csv").open(newline="") as file:
        lived = list(csv.DictReader(file))
    assert [(row["person"], row["day"]) for row in lived] == [
        (str(person), str(day)) for person in range(2) for day in range(8)
    ]
    with (tmp_path / "logs" / "random.csv").open(newline="") as file:
        served = list(csv.DictReader(file))[: len(lived)]
    lost = sum(
        float(reference["belief"]) - float(row["reward"])
        for reference, row in zip(lived, served, strict=True)
    )
    with (tmp_path / "regret.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 2 * 8
    for agent in ("random", "partially-pooled"):
        curve = [row for row in rows if row["agent"] == agent and row["reference"] == "belief"]
        np.testing.assert_allclose(
            np.cumsum([float(row["regret"]) for row in curve]),
            [float(row["cumulative"]) for row in curve],
            atol=1e-4,
        )
        if agent == "random":
            assert float(curve[-1]["cumulative"]) == pytest.approx(lost / 2, abs=1e-2)


def test_curves_are_equal_to_the_bit_when_repeated() -> None:
    cohort = Cohort(people=6, days=8, env_kwargs={"individual": "population"}, seed=1)
    first, again = (
        regret_csv(run_online(cohort, ["random", "partially-pooled"], references=2))
        for _ in range(2)
    )
    assert first == again


@pytest.mark.parametrize(
    "wrong", [["--people", "1"], ["--agent", "nobody"], ["--references", "0"], ["--seed", "-1"]]
)
def test_wrong_options_are_refused(
    wrong: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*COMMAND, *wrong, "--out", str(tmp_path)]) == 2
    assert wrong[0].strip("-") in capsys.readouterr().err
