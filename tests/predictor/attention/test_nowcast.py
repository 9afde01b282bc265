"""Forecasts along a workout: the past alone, the horizons, the errors beside the last value."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from fitgym.logs.workout import Workout
from fitgym.predictor.attention.inference import forecast_heart_rate
from fitgym.predictor.attention.nowcast import (
    PHASES,
    Nowcast,
    nowcast,
    nowcast_report,
    nowcast_rows,
)
from fitgym.predictor.attention.nowcast_page import nowcast_page
from fitgym.predictor.attention.weights import load_attention


@pytest.fixture(scope="module")
def model():
    return load_attention()[0]


@pytest.fixture(scope="module")
def persistence(model):
    """Return a copy of the network that predicts no change."""
    copy = type(model)(model.config)
    copy.load_state_dict(model.state_dict())
    with torch.no_grad():
        copy.output.weight.zero_()
        copy.output.bias.zero_()
    return copy.eval()


def workout(steps=60, gap=()):
    rng = np.random.default_rng(0)
    valid = np.ones(steps, dtype=bool)
    valid[list(gap)] = False
    return Workout(
        identifier="w",
        user="u",
        sport="run",
        gender="unknown",
        day=2.0,
        time_s=10.0 * np.arange(steps),
        heart_rate_bpm=120.0 + np.cumsum(rng.normal(0.0, 2.0, steps)),
        valid=valid,
        speed_m_s=np.full(steps, 3.0),
        altitude_m=np.zeros(steps),
        has_altitude=False,
    )


def test_ten_seconds_ahead_it_is_the_forecast_of_the_network(model):
    whole, before = workout(), replace(workout(40), identifier="v", day=1.0)
    ours = nowcast(model, whole, before, (10,))
    theirs = forecast_heart_rate(model, whole, before)
    assert ours.predicted_bpm[:, 0] == pytest.approx(theirs.heart_rate_bpm, abs=1e-3)
    assert (ours.made_step + 1) * 10.0 == pytest.approx(theirs.time_s)


def test_nothing_but_the_past_is_used(model):
    whole = workout()
    changed = replace(
        whole,
        heart_rate_bpm=np.where(np.arange(60) > 30, 60.0, whole.heart_rate_bpm),
        speed_m_s=np.where(np.arange(60) > 30, 9.0, 3.0),
    )
    first, second = (nowcast(model, each) for each in (whole, changed))
    past = first.made_step <= 30
    assert past.sum() > 10
    assert np.array_equal(first.predicted_bpm[past], second.predicted_bpm[past])


def test_a_network_that_predicts_no_change_is_persistence(persistence):
    found = nowcast(persistence, workout())
    assert found.predicted_bpm == pytest.approx(np.repeat(found.last_bpm[:, None], 4, 1), abs=1e-3)
    report = nowcast_report([found])
    for horizons in report["phases"].values():
        for scores in horizons.values():
            assert scores["gain"] == pytest.approx(0.0, abs=1e-3)


def test_what_was_not_measured_is_not_scored(model):
    found = nowcast(model, workout(40, gap=(25,)), horizons_s=(10, 30))
    assert np.isnan(found.measured_bpm[found.made_step == 24, 0]).all()
    assert np.isnan(found.measured_bpm[found.made_step == 22, 1]).all()
    assert np.isnan(found.measured_bpm[found.made_step == 39, 0]).all()
    # From nine measured steps on: not within eight after the gap.
    assert not np.isin(found.made_step, range(25, 34)).any()


def test_errors_are_means_over_forecasts_by_phase():
    def make(user, predicted, phase):
        count = len(predicted)
        return Nowcast(
            workout=replace(workout(), user=user, identifier=user),
            made_step=np.arange(count),
            horizons_s=(10,),
            predicted_bpm=np.array(predicted, dtype=float)[:, None],
            last_bpm=np.full(count, 100.0),
            measured_bpm=np.full((count, 1), 104.0),
            phase=np.array(phase),
        )

    steady, changing = PHASES.index("steady"), PHASES.index("changing")
    report = nowcast_report([make("a", [103, 99], [changing, steady]), make("b", [104], [steady])])
    scores = report["phases"]["all"]["10"]
    assert scores["forecasts"] == 3
    assert scores["attention_mae"] == pytest.approx(6.0 / 3.0)
    assert scores["last_value_mae"] == 4.0
    assert scores["gain"] == pytest.approx(2.0)
    assert (scores["gain_low"], scores["gain_high"]) == pytest.approx((1.0, 4.0))
    assert scores["attention_nearer"] == pytest.approx(2.0 / 3.0)
    assert report["phases"]["steady"]["10"]["attention_mae"] == pytest.approx(2.5)
    assert "first 5 min" not in report["phases"]
    winners = {row[0]: row[-1] for row in nowcast_rows(report)[1]}
    assert winners == {"all": "FitRec-Attn", "changing": "FitRec-Attn", "steady": "undecided"}
    worse = nowcast_report([make("a", [90, 90], [steady, steady])])
    assert nowcast_rows(worse)[1][0][-1] == "last value"


def test_phases_are_the_start_and_the_change_over_the_last_minute(model):
    course = np.full(80, 130.0)
    course[60:70] = 130.0 + np.arange(10)
    course[70:] = 139.0
    found = nowcast(model, replace(workout(80), heart_rate_bpm=course))
    by_step = dict(zip(found.made_step.tolist(), (PHASES[p] for p in found.phase), strict=True))
    assert by_step[29] == "first 5 min"
    assert by_step[30] == "steady"
    assert by_step[65] == "changing"
    assert by_step[79] == "steady"


@pytest.mark.parametrize("seconds", [5, 15, 1000])
def test_a_horizon_off_the_grid_is_refused(model, seconds):
    with pytest.raises(ValueError, match="horizon in seconds must be"):
        nowcast(model, workout(), horizons_s=(seconds,))


def test_the_page_draws_one_workout(model):
    found = nowcast(model, workout())
    page = nowcast_page(nowcast_report([found]), found)
    assert page.count("<svg ") == 3
