"""Importance by permutation, attention shares and partial responses, against what must be so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from fitgym.predictor.attention.network import AttentionConfig, FitRecAttention
from fitgym.predictor.attention.weights import load_attention
from fitgym.predictor.attributes import Attributes
from fitgym.predictor.datasets import encode_workouts
from fitgym.predictor.explanation.attention import attention_shares
from fitgym.predictor.explanation.importance import (
    GROUPS,
    known_groups,
    permutation_importance,
)
from fitgym.predictor.explanation.report import (
    explain,
    explanation_page,
    importance_rows,
    response_rows,
)
from fitgym.predictor.explanation.responses import (
    acsm_heart_rate,
    expected_heart_rate,
    minetti_heart_rate,
    partial_responses,
)
from fitgym.predictor.fitrec2.data import encode_bodies
from fitgym.predictor.fitrec2.inference import BodyPredictor, load_body_predictor
from fitgym.predictor.fitrec2.network import Fitrec2Config, Fitrec2Network
from fitgym.predictor.fitrec2.people import VirtualPeopleConfig, simulate_people
from fitgym.predictor.person import Person
from fitgym.predictor.sessions import Session

BODY = Attributes(resting_bpm=55.0, maximum_bpm=185.0, vdot=45.0)


@pytest.fixture(scope="module")
def encoded():
    config = VirtualPeopleConfig(people=12, workouts=3, longest_steps=90, seed=4)
    return encode_bodies(*simulate_people(config))


@pytest.fixture(scope="module")
def physiology():
    """Return a network that has learnt nothing: its answer is the expected heart rate alone."""
    torch.manual_seed(0)
    return Fitrec2Network(Fitrec2Config()).eval()


def test_what_the_network_does_not_use_has_no_importance(encoded, physiology):
    mae, found = permutation_importance(physiology, encoded, repeats=2)
    by_group = {each.group: each for each in found}
    # Nothing but uptake and the told body enters the expected heart rate.
    for group in ("elapsed time", "gender", "previous workout"):
        assert by_group[group].increase_bpm == pytest.approx(0.0, abs=1e-4)
    for group in ("speed", "VDOT", "maximum heart rate", "sport"):
        assert by_group[group].increase_bpm > 0.5
        assert by_group[group].low_bpm <= by_group[group].increase_bpm <= by_group[group].high_bpm
    assert mae > 0.0
    assert [each.increase_bpm for each in found] == sorted(
        (each.increase_bpm for each in found), reverse=True
    )


def test_what_is_the_same_of_everybody_has_no_importance(encoded, physiology):
    # With the same body told of everybody there is nothing to permute.
    same = [replace(e, attributes=encoded[0].attributes) for e in encoded]
    _, (vdot,) = permutation_importance(physiology, same, ["VDOT"])
    assert vdot.increase_bpm == 0.0


def test_permutations_repeat_by_seed_and_need_two_people(encoded, physiology):
    first = permutation_importance(physiology, encoded, ["speed"], repeats=1, seed=3)
    assert first == permutation_importance(physiology, encoded, ["speed"], repeats=1, seed=3)
    assert first != permutation_importance(physiology, encoded, ["speed"], repeats=1, seed=4)
    with pytest.raises(ValueError, match="two people"):
        permutation_importance(physiology, encoded[:1])


def test_groups_that_say_nothing_are_left_out(encoded, workouts):
    assert known_groups(encoded) == list(GROUPS)
    recorded = encode_bodies(workouts)
    assert {"VDOT", "age"} & set(known_groups(recorded)) == set()


def test_attention_shares_sum_to_one_and_do_not_change_within_a_window(workouts):
    torch.manual_seed(1)
    model = FitRecAttention(AttentionConfig(hidden=6, context=4))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    shares, change = attention_shares(model.eval(), encode_workouts(workouts))
    assert sum(each.share for each in shares) == pytest.approx(1.0)
    assert change < 1e-5
    numbers = {each.group: each.inputs for each in shares}
    assert numbers["history"] == 4
    assert numbers["speed"] == 1
    assert sum(numbers.values()) == model.config.features


def test_known_relations_have_their_closed_forms():
    speeds, flat = np.array([2.0, 2.5]), np.zeros(2)
    low, high = acsm_heart_rate(BODY, speeds, flat)
    # On the flat the share is proportional to speed, and one at the speed of the VDOT.
    assert (high - 55.0) / (low - 55.0) == pytest.approx(1.25)
    assert acsm_heart_rate(BODY, np.array([20.0]), np.zeros(1)) == pytest.approx(185.0)
    climb = acsm_heart_rate(BODY, speeds[:1], np.array([0.04]))
    assert (climb[0] - 55.0) / (low - 55.0) == pytest.approx(1.0 + 0.9 * 0.04 / 0.2)
    minetti = minetti_heart_rate(BODY, 2.0, np.array([0.0, 0.1, -0.1]))
    assert minetti[0] == pytest.approx(low)
    # 3.6 J/kg/m on the flat, 5.97 at +10 %, 2.15 at -10 %: the polynomial by hand.
    by_hand = 3.6 + 1.95 + 0.463 - 0.0433 - 0.00304 + 0.001554
    assert (minetti[1] - 55.0) / (low - 55.0) == pytest.approx(by_hand / 3.6)
    assert minetti[2] < low


def test_an_untaught_network_answers_as_expected(physiology):
    components = load_body_predictor().components
    predictor = BodyPredictor(physiology, components)
    for response in partial_responses(predictor, Person("me", BODY)):
        # The network's ceiling is soft within a few bpm of the maximum.
        below = response.expected_bpm < BODY.maximum_bpm - 12.0
        assert below.any()
        assert response.predicted_bpm[below] == pytest.approx(
            response.expected_bpm[below], abs=0.05
        )
    session = Session(np.full(60, 3.0), np.zeros(60))
    (beats,) = predictor.predict([session], [None], [BODY])
    assert expected_heart_rate(BODY, session) == pytest.approx(beats, abs=0.05)


def test_the_shipped_network_has_the_directions_of_physiology():
    slopes = {
        response.quantity.split(" (")[0]: (response.slope, response.known_slopes())
        for response in partial_responses(load_body_predictor(), Person("me", BODY))
    }
    for quantity, sign in (
        ("speed", 1.0),
        ("grade", 1.0),
        ("resting heart rate", 1.0),
        ("maximum heart rate", 1.0),
        ("VDOT", -1.0),
        ("time into the session", 1.0),
    ):
        ours, known = slopes[quantity]
        assert sign * ours > 0.0
        assert all(sign * slope >= 0.0 for slope in known.values())


def test_the_report_is_the_same_in_table_json_and_page(workouts):
    found = explain(
        load_body_predictor(),
        load_attention()[0],
        Person("<me>", BODY),
        workouts,
        repeats=1,
        seed=0,
    )
    columns, rows = importance_rows(found)
    assert len(columns) == 3
    record = found.record()
    recorded = {e["group"]: e for e in record["importance"]["recordings"]["groups"]}
    for row in rows:
        if row[0] in recorded:
            assert row[1].startswith(f"{recorded[row[0]]['increase_bpm']:+.2f}")
        else:
            assert row[1] == "-"
    page = explanation_page(found)
    assert page.count("<svg ") == 1 + len(found.responses)
    assert "&lt;me&gt;" in page
    assert response_rows(found)[1][0][0] in page
    assert "affine" in page
