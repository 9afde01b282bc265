"""Ranking by a heart that is known: its rate is a straight line of speed."""

from __future__ import annotations

import json

import numpy as np
import pytest

from fitgym.people.individual import load_individual
from fitgym.predictor.attributes import Attributes
from fitgym.predictor.correction import PersonalCorrection, SessionErrors, session_features
from fitgym.predictor.fitrec2.inference import load_body_predictor
from fitgym.predictor.person import Person, read_person
from fitgym.predictor.recommendation.candidates import Candidate
from fitgym.predictor.recommendation.page import (
    recommendation_page,
    recommendation_record,
    recommendation_rows,
)
from fitgym.predictor.recommendation.ranking import (
    PersonForecaster,
    rank_routes,
    rank_workouts,
    speed_limits,
)
from fitgym.predictor.recommendation.routes import Route
from fitgym.predictor.recommendation.targets import Target
from fitgym.predictor.sessions import Session

RANGE = Target.range(140.0, 150.0)


class Straight:
    """Beats at 60 + 25 per m/s, and 200 per m/s of climb, from the first step on."""

    resting_bpm = 50.0

    def forecast(self, sessions):
        return [
            60.0 + 25.0 * s.speed_m_s + 20.0 * np.diff(s.altitude_m, prepend=s.altitude_m[0])
            for s in sessions
        ]

    def interval_bpm(self, session):
        return 8.0


def steady(name, speed, minutes=20):
    steps = 6 * minutes
    return Candidate(name, Session(np.full(steps, speed), np.zeros(steps)))


def test_workouts_are_ranked_by_their_mean_miss():
    ranked = rank_workouts(
        Straight(), RANGE, [steady("slow", 2.0), steady("right", 3.4), steady("fast", 4.0)]
    )
    assert [each.candidate.name for each in ranked] == ["right", "fast", "slow"]
    assert [each.match.mean_miss_bpm for each in ranked] == pytest.approx([0.0, 10.0, 30.0])
    assert ranked[2].match.minutes_below == pytest.approx(17.0)
    with pytest.raises(ValueError, match="one at least"):
        rank_workouts(Straight(), RANGE, [])


def test_the_speed_on_a_flat_route_is_the_one_of_the_ranges_centre():
    route = Route("flat", np.array([0.0, 6000.0]), np.zeros(2))
    (found,) = rank_routes(Straight(), RANGE, [route])
    assert found.speed_m_s == pytest.approx((145.0 - 60.0) / 25.0, abs=0.02)
    assert found.match.mean_miss_bpm == 0.0
    assert not found.at_limit


def test_a_route_that_climbs_is_gone_slower_and_one_out_of_reach_at_the_limit():
    flat = Route("flat", np.array([0.0, 6000.0]), np.zeros(2))
    slope = Route("slope", np.array([0.0, 6000.0]), np.array([0.0, 120.0]))
    found = {
        each.candidate.name: each
        for each in rank_routes(Straight(), RANGE, [flat, slope], pacing="even")
    }
    # 60 + 25 v + 20 * 10 * 0.02 v = 145.
    assert found["slope"].speed_m_s == pytest.approx(85.0 / 29.0, abs=0.02)
    (held,) = rank_routes(Straight(), RANGE, [flat], limits_m_s=(2.0, 3.0))
    assert held.speed_m_s == pytest.approx(3.0)
    assert held.at_limit
    (fixed,) = rank_routes(Straight(), RANGE, [flat], limits_m_s=(2.5, 2.5))
    assert fixed.speed_m_s == 2.5
    assert fixed.match.mean_miss_bpm == pytest.approx(140.0 - 122.5)


def test_nobody_is_sent_above_the_speed_of_his_vdot():
    low, high = speed_limits("run", Attributes(vdot=40.0))
    assert low < high < 4.0
    assert speed_limits("bike", Attributes(vdot=40.0)) == (2.0, 14.0)


def test_a_person_is_read_from_names_files_profiles_and_attributes(tmp_path):
    named = read_person("club-runner")
    assert named.attributes.vdot == 41.0
    individual = load_individual("club-runner").to_dict()
    plain, profile = tmp_path / "me.json", tmp_path / "profile.json"
    plain.write_text(json.dumps(individual), encoding="utf-8")
    for heart in (None, {"correction": {}}):
        content = {"individual": individual, "heart": heart}
        profile.write_text(json.dumps(content), encoding="utf-8")
        read = read_person(str(profile))
        assert (read.attributes, read.offset_bpm) == (named.attributes, named.offset_bpm)
    assert read_person(str(plain)) == named
    profile.write_text(json.dumps({"individual": individual, "heart": [1]}), encoding="utf-8")
    with pytest.raises(ValueError, match="heart must hold a correction"):
        read_person(str(profile))
    told = read_person("resting=50, maximum=190,gender=female")
    assert told.attributes == Attributes(resting_bpm=50.0, maximum_bpm=190.0)
    assert told.gender == "female"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nobody", "a person must be one of"),
        ("vdot=fast", "must be a number"),
        ("speed=3", "attributes of a person"),
        ("vdot=40,vdot=50", "each once"),
        ("vdot=400", "vdot must be"),
    ],
)
def test_who_is_nobody_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        read_person(text)


def test_a_forecast_adds_the_offset_or_half_of_the_own_correction():
    predictor = load_body_predictor()
    session = steady("x", 2.8).session
    body = Attributes(resting_bpm=55.0, maximum_bpm=185.0, vdot=45.0)
    (plain,) = PersonForecaster(predictor, Person("a", body)).forecast([session])
    (shifted,) = PersonForecaster(predictor, Person("a", body, offset_bpm=4.0)).forecast([session])
    assert shifted == pytest.approx(plain + 4.0)
    (direct,) = predictor.predict([session], [None], [body])
    assert plain == pytest.approx(direct)

    features = session_features(session.speed_m_s, session.altitude_m, True)
    errors = SessionErrors.of("run", features, np.full(len(features), 10.0))
    correction = PersonalCorrection(predictor.components).update(errors)
    person = Person("a", body, correction=correction.as_dict())
    (corrected,) = PersonForecaster(predictor, person).forecast([session])
    (stranger,) = predictor.predict([session], [None], [Attributes()])
    offset, _ = correction.predict("run", features)
    assert corrected == pytest.approx(0.5 * direct + 0.5 * (stranger + offset))
    known = PersonForecaster(predictor, person).interval_bpm(session)
    assert known < PersonForecaster(predictor, Person("a", body)).interval_bpm(session)
    with pytest.raises(ValueError, match="correction of 'a' is malformed"):
        PersonForecaster(predictor, Person("a", body, correction={"run": {}}))


def test_table_record_and_page_say_the_same():
    ranked = rank_workouts(Straight(), RANGE, [steady("<fast>", 4.0), steady("right", 3.4)])
    columns, rows = recommendation_rows(RANGE, ranked)
    assert rows[1][columns.index("name")] == "2. <fast>"
    assert rows[1][columns.index("mean miss (bpm)")] == "10.0"
    assert recommendation_record(ranked[1])["distance_m"] == pytest.approx(4.0 * 1200.0)
    page = recommendation_page("me", RANGE, {"workouts": ranked}, 1)
    assert page.count("<svg ") == 2
    assert "&lt;fast&gt;" in page
    assert "<fast>" not in page
    assert "http" not in page.replace("http://www.w3.org", "")
