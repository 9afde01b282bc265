"""Simulated trials: what they record, and that exact effects are what they say."""

from __future__ import annotations

import copy
import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fitgym.cli.main import main
from fitgym_agents.environments import make_vector_env
from fitgym_agents.references.simple import CoachRule, FixedPlan
from fitgym_agents.trials.micro_randomised import (
    COLUMNS,
    MODERATORS,
    MicroRandomisedTrial,
    TrialData,
    run_micro_randomised,
)
from fitgym_agents.trials.power import operating_characteristics
from fitgym_agents.trials.randomised import run_randomised

POPULATION = {"individual": "population"}


def _trial(**changes: Any) -> MicroRandomisedTrial:
    arguments = {"people": 8, "days": 10, "env_kwargs": POPULATION, "seed": 3}
    return MicroRandomisedTrial(**{**arguments, **changes})


def test_the_record_replays_to_the_same_outcomes() -> None:
    trial = _trial(availability=0.7)
    data = run_micro_randomised(trial, exact=True)
    environments: Any = make_vector_env(trial.env_id, 8, {**POPULATION, "days": 10})
    environments.reset(seed=3)
    for day in range(10):
        info = environments.step(data.plan[:, day])[4]
        done = info["final_info"]["done_trimp"] if day == 9 else info["done_trimp"]
        np.testing.assert_array_equal(done, data.outcome[:, day])
    assert data.treatment[~data.available].sum() == 0.0
    assert np.array_equal(data.plan > 0, data.treatment == 1)
    assert set(np.unique(data.plan)) <= {0, *trial.plans}
    np.testing.assert_allclose(data.outcome_last_week[:, 9], data.outcome[:, 2:9].mean(axis=1))
    assert np.all(data.outcome_last_week[:, 0] == 0.0)
    assert np.array_equal(data.probability > 0, data.available)


def test_an_exact_effect_is_a_day_lived_twice() -> None:
    trial = _trial()
    data = run_micro_randomised(trial, exact=True)
    assert data.effect is not None
    environments: Any = make_vector_env(trial.env_id, 8, {**POPULATION, "days": 10})
    environments.reset(seed=3)
    for day in range(9):
        twin = copy.deepcopy(environments)
        treated = data.plan[:, day] > 0
        without = twin.step(np.zeros(8, dtype=int))[4]["done_trimp"]
        with_push = environments.step(data.plan[:, day])[4]["done_trimp"]
        np.testing.assert_array_equal((with_push - without)[treated], data.effect[treated, day])


def test_the_mean_exact_effect_is_the_difference_of_large_groups() -> None:
    trial = _trial(people=20_000, days=3, env_kwargs={}, seed=1)
    data = run_micro_randomised(trial, exact=True)
    assert data.effect is not None
    for day in range(3):
        pushed = data.treatment[:, day] == 1
        outcome = data.outcome[:, day]
        difference = outcome[pushed].mean() - outcome[~pushed].mean()
        error = np.hypot(outcome[pushed].std(), outcome[~pushed].std()) / 10_000**0.5
        assert abs(difference - data.effect[:, day].mean()) < 4 * error


def test_truth_is_the_regression_of_effects() -> None:
    data = run_micro_randomised(_trial(), exact=True)
    assert data.effect is not None
    assert data.truth()["average"] == pytest.approx(data.effect.mean())
    slope, start = np.polyfit(np.arange(10), data.effect.mean(axis=0), 1)
    assert data.truth(MODERATORS) == pytest.approx({"average": start, "day": slope})
    with pytest.raises(ValueError, match="give exact=True"):
        run_micro_randomised(_trial()).truth()
    with pytest.raises(ValueError, match="moderators must be among average, day, got"):
        data.estimates(("weather",))


def test_estimates_hold_the_truth_and_find_the_effect() -> None:
    trial = _trial(people=2_000, days=10)
    data = run_micro_randomised(trial, exact=True)
    truth = data.truth()["average"]
    few, many = operating_characteristics(
        lambda people: data.part(people).estimates()[0], (8, 20), 100, truth
    )
    for one in (few, many):
        assert 0.88 <= one.coverage <= 1.0
        assert one.mean == pytest.approx(truth, rel=0.15)
    assert many.power > few.power


def test_a_randomised_trial_knows_every_arm() -> None:
    arms = [("none", FixedPlan(0)), ("coach", CoachRule())]
    kwargs = {**POPULATION, "days": 20}
    trial = run_randomised(arms, "fitgym/Acquisition-v1", 40, env_kwargs=kwargs, block=4)
    assert np.all(trial.assigned.reshape(-1, 4).sum(axis=1) == 2)
    gains = trial.outcomes["performance"]
    assert trial.truth("performance")["coach"] == pytest.approx((gains[1] - gains[0]).mean())
    (estimate,) = trial.estimates("performance")
    expected = gains[1, trial.assigned == 1].mean() - gains[0, trial.assigned == 0].mean()
    assert estimate.value == pytest.approx(expected)
    again = run_randomised(arms, "fitgym/Acquisition-v1", 40, env_kwargs=kwargs, block=4)
    np.testing.assert_array_equal(trial.outcomes["return"], again.outcomes["return"])
    with pytest.raises(ValueError, match="outcome must be one of 'performance'"):
        trial.estimates("happiness")


@pytest.mark.parametrize("design", ["mrt", "rct"])
def test_the_command_writes_data_and_report(
    design: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["trial", design, "fitgym/Acquisition-v1", "--people", "12", "--days", "8"]
    words += ["--power", "8", "--trials", "3", "--out", str(tmp_path), "--json"]
    assert main(words) == 0
    report = json.loads(capsys.readouterr().out)
    assert report == json.loads((tmp_path / "report.json").read_text())
    (first, *_), (power,) = report["effects"], report["power"]
    assert first["low"] < first["value"] < first["high"]
    assert power["trials"] == 3
    with (tmp_path / "trial.csv").open() as file:
        rows = list(csv.DictReader(file))
    if design == "mrt":
        assert tuple(rows[0]) == COLUMNS
        assert len(rows) == 12 * 8
    else:
        assert {row["arm"] for row in rows} == {"fixed,plan=0", "coach"}
    assert main(words[:-1]) == 0
    assert "coverage" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["mrt", "--probability", "0"], "probability must be"),
        (["mrt", "--plans", "1,x"], "--plans must be numbers of plans with commas, got '1,x'"),
        (["mrt", "--plans", "11"], "plans must be an integer of at least 1 and at most 10"),
        (["mrt", "--availability", "0"], "availability must be"),
        (["mrt", "--people", "3"], "people must be more than the 5 coefficients"),
        (["mrt", "--days", "0"], "days must be"),
        (["rct", "--arm", "coach"], "arms must be at least two"),
        (["rct", "--arm", "coach", "--arm", "nobody"], "agent must be one of"),
        (["rct", "--people", "3"], "people must be an integer of at least 4"),
    ],
)
def test_wrong_input_is_one_line(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    design, *rest = words
    command = ["trial", design, "fitgym/Acquisition-v1", "--days", "5", *rest]
    assert main([*command, "--out", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_effects_by_twins_are_those_that_randomisation_finds_in_others() -> None:
    def trial(seed: int) -> TrialData:
        arguments = {"individual": "recreational-runner"}
        return run_micro_randomised(
            MicroRandomisedTrial(people=20_000, days=7, env_kwargs=arguments, seed=seed), exact=True
        )

    twins, others = trial(0), trial(10**6)
    assert twins.effect is not None
    squares = 0.0
    for day in range(7):
        pushed = others.treatment[:, day] > 0.0
        groups = (others.outcome[pushed, day], others.outcome[~pushed, day])
        variances = [group.var() / group.size for group in (*groups, twins.effect[:, day])]
        apart = groups[0].mean() - groups[1].mean() - twins.effect[:, day].mean()
        squares += apart**2 / sum(variances)
    # The 99.9 % quantile of chi-squared with seven degrees of freedom.
    assert squares < 24.3
