from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fitgym.logs.workout import Workout
from fitgym.predictor.baselines import BASELINES, SHRINKAGES_STEPS, Baselines, Residuals
from fitgym.predictor.channels import denormalise_heart_rate
from fitgym.predictor.datasets import Example, Vocabulary, encode_workouts
from fitgym.predictor.evaluation import evaluate_recipe, evaluate_weights
from fitgym.predictor.fitrec.network import FitRecNetwork
from fitgym.predictor.fitrec.recipe import Recipe, pretrain
from fitgym.predictor.fitrec.training import TrainingConfig
from fitgym.predictor.fitting import EpochRecord
from fitgym.predictor.metrics import (
    bootstrap_interval,
    collect_errors,
    mean_errors,
    summarise_errors,
)
from fitgym.predictor.recording_statistics import exponential_mean
from fitgym.predictor.reporting import draw_learning_curves, draw_predictions, evaluation_table
from fitgym.predictor.simulator.workouts import SimulatorConfig

TINY = Recipe(
    simulator=SimulatorConfig(people=4, workouts=2, longest_steps=40),
    pretraining=TrainingConfig(epochs=1, patience=1),
    fine_tuning=TrainingConfig(epochs=1, patience=1),
    rehearsal=2,
)


def linear_workout(user: str, number: int, intercept: float) -> Workout:
    """Return a run whose heart rate is exactly linear in lagged speed and the log of time."""
    rng = np.random.default_rng(number)
    speed = rng.uniform(2.0, 4.0, 40)
    lagged = exponential_mean((speed - 3.0) / 1.5, 60.0)
    time = 10.0 * np.arange(40)
    return Workout(
        identifier=f"{user}{number}",
        user=user,
        sport="run",
        gender="unknown",
        day=float(number),
        time_s=time,
        heart_rate_bpm=intercept + 12.0 * lagged + 5.0 * (np.log1p(time / 60.0) - 2.5),
        valid=np.ones(40, dtype=bool),
        speed_m_s=speed,
        altitude_m=np.zeros(40),
        has_altitude=False,
    )


def truth(example: Example) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return denormalise_heart_rate(example.target)  # type: ignore[return-value]


def test_the_lagged_linear_baseline_finds_a_linear_truth() -> None:
    examples = encode_workouts([linear_workout("a", n, 150.0) for n in range(6)])
    baselines = Baselines(examples[:5])
    assert baselines.lag_s == 60.0
    for name in BASELINES[2:]:
        predicted = baselines.predict(name, examples[5], examples[:5])
        np.testing.assert_allclose(predicted, truth(examples[5]), atol=0.05)


def test_personal_baselines_use_what_is_known_of_the_person() -> None:
    low = encode_workouts([linear_workout("a", n, 130.0) for n in range(6)])
    high = encode_workouts([linear_workout("b", n, 160.0) for n in range(6)])
    baselines = Baselines([*low[:5], *high[:5]])
    pooled, personal = BASELINES[3], BASELINES[5]
    for own in (low, high):
        errors = {
            name: np.abs(baselines.predict(name, own[5], own[:5]) - truth(own[5])).mean()
            for name in BASELINES
        }
        assert errors[personal] < 0.3 * errors[pooled]
        assert errors["user mean"] < errors["global mean"]
    np.testing.assert_array_equal(
        baselines.predict("user mean", low[5], []), baselines.predict("global mean", low[5], [])
    )
    mean = np.concatenate([truth(e) for e in (*low[:5], *high[:5])]).mean()
    np.testing.assert_allclose(baselines.predict("global mean", low[5], []), mean)
    with pytest.raises(ValueError, match="name must be one of"):
        baselines.predict("mean", low[5], [])


def test_the_shrinkage_is_that_which_tells_left_out_workouts_best() -> None:
    """People who differ and repeat themselves need little of it, alike and noisy ones much."""
    levels = np.random.default_rng(0).normal(150.0, 15.0, 8)
    steady = [linear_workout(f"p{p}", n, level) for p, level in enumerate(levels) for n in range(5)]
    assert Baselines(encode_workouts(steady)).shrinkage_steps == SHRINKAGES_STEPS[0]
    noise = np.random.default_rng(1).normal(150.0, 15.0, 40)
    moody = [linear_workout(f"p{i % 8}", i, level) for i, level in enumerate(noise)]
    examples = encode_workouts(moody)
    found = Baselines(examples)
    assert found.shrinkage_steps == SHRINKAGES_STEPS[-1]
    # A slow reference: every workout is told by the person's others, for each of the choices.
    errors = []
    for steps in SHRINKAGES_STEPS:
        found.shrinkage_steps = steps
        squares = 0.0
        for example in examples:
            person = example.workout.user
            others = [e for e in examples if e.workout.user == person and e is not example]
            told = found.predict(BASELINES[5], example, others)
            squares += float(np.sum((told - truth(example)) ** 2))
        errors.append(squares)
    assert np.argmin(errors) == len(SHRINKAGES_STEPS) - 1


def test_a_personal_regression_finds_linear_errors() -> None:
    examples = encode_workouts([linear_workout("a", n, 150.0) for n in range(6)])
    biased = [truth(e) - (7.0 + 2.0 * e.channels[:, 4]) for e in examples]
    residuals = Residuals(examples[:5], biased[:5])
    corrected = biased[5] + residuals.predict(examples[5])
    before, after = (np.abs(p - truth(examples[5])).mean() for p in (biased[5], corrected))
    assert after < 0.4 * before
    (stranger,) = encode_workouts([linear_workout("b", 0, 150.0)])
    assert not residuals.predict(stranger).any()


def test_scores_by_hand() -> None:
    examples = encode_workouts([linear_workout("a", 0, 150.0), linear_workout("b", 0, 150.0)])
    # Thirty of the forty steps of the second are not counted.
    examples[1] = replace(examples[1], valid=np.arange(40) < 10)
    predictions = [truth(examples[0]) + 2.0, truth(examples[1]) - 6.0]
    result = summarise_errors(collect_errors(examples, predictions))
    assert result.pooled_mae == pytest.approx((40 * 2 + 10 * 6) / 50, rel=1e-5)
    assert result.workout_mae == pytest.approx(4.0, rel=1e-5)
    assert result.pooled_rmse == pytest.approx(np.sqrt((40 * 4 + 10 * 36) / 50), rel=1e-5)
    assert result.pooled_mae_low == pytest.approx(2.0, rel=1e-5)
    assert result.pooled_mae_high == pytest.approx(6.0, rel=1e-5)


def test_bootstrap_over_people_agrees_with_theory() -> None:
    """For equal people it is the interval of a mean: plus and minus 1.96 sd / sqrt(n)."""
    rng = np.random.default_rng(0)
    people = rng.normal(10.0, 2.0, 400)
    users = np.repeat([f"u{number}" for number in range(400)], 3)
    low, high = bootstrap_interval(users, np.repeat(people, 3) * 5.0, np.full(1200, 5.0))
    half = 1.96 * people.std() / 20.0
    assert low == pytest.approx(people.mean() - half, abs=0.03)
    assert high == pytest.approx(people.mean() + half, abs=0.03)


def test_mean_errors_over_seeds() -> None:
    examples = encode_workouts([linear_workout("a", 0, 150.0)])
    runs = [collect_errors(examples, [truth(examples[0]) + shift]) for shift in (1.0, -3.0)]
    assert summarise_errors(mean_errors(runs)).pooled_mae == pytest.approx(2.0, rel=1e-5)


def test_every_protocol_runs_and_resumes(workouts: list[Workout], tmp_path: Path) -> None:
    # Two more workouts, so that one person has more than three.
    own = [w for w in workouts if w.user == workouts[0].user]
    more = [replace(w, identifier=f"{w.identifier}x", day=w.day + 100.0) for w in own[:2]]
    examples = encode_workouts([*workouts, *more])
    network, _, _ = pretrain(TINY)
    recipes, networks = [TINY, replace(TINY, seed=1)], [network, network]
    report, predictions = evaluate_recipe(examples, recipes, networks, folder=tmp_path)
    assert list(report) == ["a", "b, cold", "b, previous", "c, 0", "c, 1", "c, 2", "c, 3"]
    assert report["b, cold"]["workouts"] == len(examples) == len(predictions)
    assert report["c, 0"]["workouts"] == report["c, 3"]["workouts"] == 2
    for protocol in report.values():
        methods = list(protocol["methods"])
        assert methods[0] == "FitRec"
        assert methods[-6:] == list(BASELINES)
        fitrec = protocol["methods"]["FitRec"]
        seeds = [seed["pooled_mae"] for seed in fitrec["seeds"]]
        assert fitrec["pooled_mae"] == pytest.approx(np.mean(seeds))
        other = protocol["methods"]["user mean"]
        gain = other["pooled_mae"] - fitrec["pooled_mae"]
        assert other["fitrec_gain"] == pytest.approx(gain)
    assert len(list(tmp_path.glob("seed*-*.safetensors"))) == 2 * 6
    times = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.safetensors")}
    again, _ = evaluate_recipe(examples, recipes[:1], networks[:1], folder=tmp_path)
    seeds = [one["b, cold"]["methods"]["FitRec"]["seeds"][0] for one in (report, again)]
    assert seeds[0] == seeds[1]
    assert times == {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.safetensors")}
    table = evaluation_table(report)
    assert table.count("| FitRec; 2 seeds |") == 7
    draw_predictions(
        [e for e, _ in predictions], [p for _, p in predictions], tmp_path / "p.png", title="test"
    )
    assert (tmp_path / "p.png").stat().st_size > 1000


def test_weights_are_tested_on_strangers(workouts: list[Workout], model: FitRecNetwork) -> None:
    examples = encode_workouts(workouts)
    report, predictions = evaluate_weights(model, Vocabulary(), examples)
    assert set(report) == {"b, cold", "b, previous"}
    assert len(predictions) == len(examples)
    errors = [np.abs(p - truth(e))[e.valid] for e, p in predictions]
    measured = report["b, previous"]["methods"]["FitRec"]["pooled_mae"]
    assert measured == pytest.approx(np.concatenate(errors).mean())
    with pytest.raises(ValueError, match="at least 2 people, got 1"):
        evaluate_weights(model, Vocabulary(), examples[:3])


def test_learning_curves_are_drawn(tmp_path: Path) -> None:
    records = [EpochRecord(0, 20.0, 21.0), EpochRecord(1, 15.0, 16.0)]
    draw_learning_curves({"pre-training": records}, tmp_path / "curves.svg")
    assert (tmp_path / "curves.svg").read_text().startswith("<?xml")
