"""The benchmark over people: its runs, its tables and its command."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fitgym.cli.main import main
from fitgym.planning.people_references import people_references
from fitgym_agents.people import PeopleReturns
from fitgym_agents.references.simple import CoachRule, FixedPlan
from fitgym_benchmarks.suites.people import (
    POPULATION_ROWS,
    ServedPeople,
    people_tables,
    population_runs,
    serve,
)

ACQUISITION = "fitgym/Acquisition-v1"


def test_trainings_are_on_other_people_than_the_test() -> None:
    groups = population_runs([ACQUISITION], seeds=2)
    runs = [run for group in groups.values() for run in group]
    assert len(runs) == 2 * len(POPULATION_ROWS)
    assert {run.training_kwargs["individual"] for run in runs} == {"population:train"}
    assert {run.evaluation_kwargs["individual"] for run in runs} == {"population:validation"}
    # Whoever else is drawn from would be another run.
    assert len({run.key for run in runs}) == len(runs)


def test_the_table_is_of_each_persons_own_way() -> None:
    """No service is at 0 and the coach where the shipped references put it."""
    tables = people_tables(ACQUISITION, {"nobody": FixedPlan(0), "rule": CoachRule()}, everybody=0)
    rows = {line.split(" | ")[0].strip("| "): line.split(" | ") for line in tables[1].splitlines()}
    assert rows["nobody"][1].startswith("0.0 % ")
    assert rows["rule"][1:7] == rows["coach"][1:7]
    references = people_references(ACQUISITION)
    shares = np.array([one.share(one.coach) for one in references])
    assert rows["nobody"][5] == "0.0 %"
    assert rows["coach"][1].startswith(f"{100 * shares.mean():.1f} % (")
    assert rows["coach"][3] == f"{100 * np.percentile(shares, 25):.1f} %"
    assert rows["coach"][5] == f"{100 * (shares < 0).mean():.1f} %"


def by_return(one: PeopleReturns) -> np.ndarray:
    return one.returns


def test_a_learner_is_ranked_by_the_better_of_its_actions() -> None:
    def returns(mean: float, deterministic: bool) -> PeopleReturns:
        return PeopleReturns("it", deterministic, np.full(3, mean), np.zeros(3))

    drawn = ServedPeople("it", returns(1.0, True), returns(2.0, False))
    assert drawn.better(by_return) is drawn.drawn
    likeliest = ServedPeople("it", returns(2.0, True), returns(1.0, False))
    assert likeliest.better(by_return) is likeliest.likeliest


def test_references_are_served_once_only() -> None:
    served = serve("rule", CoachRule(), ACQUISITION, people=2, episodes=2)
    assert served.drawn is None
    assert served.better(by_return).returns.shape == (2,)


@pytest.mark.parametrize("words", [["--row", "A3C"], ["--seeds", "2"], ["--backend", "ray"]])
def test_options_of_training_need_training(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
) -> None:
    monkeypatch.setattr("fitgym_benchmarks.cli.backends.is_installed", lambda name: True)
    assert main(["benchmark", "people", *words, "--out", str(tmp_path)]) == 2
    assert "give --train" in capsys.readouterr().err
