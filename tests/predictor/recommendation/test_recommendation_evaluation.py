"""The evaluation of the ranking: credit for the top quarter, its chance, and out-of-sample runs."""

from __future__ import annotations

import numpy as np
import pytest

from fitgym.predictor.fitrec2.people import VirtualPeopleConfig, simulate_people
from fitgym.predictor.fitrec2.recipe import Fitrec2Recipe
from fitgym.predictor.fitrec2.training import Fitrec2Training
from fitgym.predictor.recommendation.evaluation import (
    METHODS,
    Result,
    evaluate_recommendation,
    quarter_credit,
    ranking_report,
)


def test_credit_is_the_probability_of_the_top_quarter_under_random_order_of_ties():
    scores = np.arange(12.0)
    assert quarter_credit(scores, 2) == (1.0, 0.25)
    assert quarter_credit(scores, 3) == (0.0, 0.25)
    assert quarter_credit(np.zeros(12), 5) == (0.25, 0.25)
    # Two before it, then four alike of whom one has a place.
    assert quarter_credit(np.array([0, 1, 2, 2, 2, 2, 3, 4, 5, 6, 7, 8]), 4)[0] == 0.25


def test_credits_of_all_candidates_sum_to_the_places(rng):
    for scores in (rng.random(17), rng.integers(0, 4, 17).astype(float)):
        credits = [quarter_credit(scores, truth)[0] for truth in range(17)]
        assert sum(credits) == pytest.approx(4.0)
        assert quarter_credit(scores, 0)[1] == pytest.approx(4.0 / 17.0)


def test_shares_are_over_targets_and_intervals_over_people():
    def result(user, credit):
        credits = dict.fromkeys(METHODS, 0.0) | {METHODS[0]: credit}
        return Result(user, "run", 8, 0.25, credits, dict.fromkeys(METHODS, 0.5))

    report = ranking_report([result("a", 1.0)] * 3 + [result("b", 0.0)])
    ours = report["methods"][METHODS[0]]["top_quarter"]
    assert ours == pytest.approx([0.75, 0.0, 1.0])
    assert report["methods"][METHODS[1]]["ours_more"][0] == pytest.approx(0.75)
    assert (report["targets"], report["people"], report["chance"]) == (4, 2, 0.25)
    assert ranking_report([]) == {"targets": 0, "people": 0}


def test_it_runs_on_recordings_from_end_to_end(tmp_path):
    people = VirtualPeopleConfig(people=25, workouts=3, longest_steps=60, seed=2)
    workouts, _ = simulate_people(people)
    recipe = Fitrec2Recipe(
        people=VirtualPeopleConfig(people=4, workouts=2, longest_steps=40),
        pretraining=Fitrec2Training(epochs=1, batch_size=8),
        fine_tuning=Fitrec2Training(epochs=1, batch_size=16, learning_rate=1e-6),
        rehearsal=0,
    )
    report = evaluate_recommendation(workouts, recipe, tmp_path, minutes=5)
    everybody = report["everybody"]
    assert everybody["targets"] > 0
    assert 0.125 <= everybody["chance"] <= 0.25
    for scores in everybody["methods"].values():
        assert 0.0 <= scores["top_quarter"][0] <= 1.0
    # Barely trained, the network is the physiology that made the workouts: it must find them.
    assert everybody["methods"][METHODS[0]]["top_quarter"][0] > everybody["chance"]
    with pytest.raises(ValueError, match="minutes must be"):
        evaluate_recommendation(workouts, recipe, tmp_path, minutes=1)
