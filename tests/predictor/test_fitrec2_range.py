"""The shipped second edition over people: monotone, near the maximum, in proportion."""

from __future__ import annotations

import numpy as np
import pytest

from fitgym.model.daniels import race_time, speed_at_oxygen_cost
from fitgym.predictor.attributes import Attributes
from fitgym.predictor.fitrec2.inference import BodyPredictor, load_body_predictor
from fitgym.predictor.sessions import PreviousWorkout, Session

SPEEDS = np.arange(1.2, 6.75, 0.25)
# Minutes 15 to 20 of a steady run.
SETTLED = slice(90, 120)
BODIES = [
    Attributes(resting_bpm=resting, maximum_bpm=maximum, vdot=vdot)
    for resting in (40.0, 55.0, 75.0)
    for maximum in (160.0, 185.0, 210.0)
    for vdot in (20.0, 35.0, 50.0, 65.0, 85.0)
]
# People of whom less is told.
PARTLY_KNOWN = [
    Attributes(),
    Attributes(vdot=25.0),
    Attributes(vdot=45.0),
    Attributes(vdot=80.0),
    Attributes(maximum_bpm=165.0),
    Attributes(maximum_bpm=205.0),
    Attributes(resting_bpm=45.0),
    Attributes(resting_bpm=70.0),
    Attributes(age=70.0),
    Attributes(maximum_bpm=175.0, age=55.0),
    Attributes(maximum_bpm=165.0, vdot=70.0),
    Attributes(resting_bpm=45.0, maximum_bpm=200.0),
    Attributes(seen_maximum_bpm=170.0, shown_vdot=35.0),
    Attributes(seen_maximum_bpm=190.0, shown_vdot=55.0),
]


@pytest.fixture(scope="module")
def predictor() -> BodyPredictor:
    return load_body_predictor()


def flat(speed: float, steps: int = 120, sport: str = "run") -> Session:
    return Session(np.full(steps, speed), np.zeros(steps), sport=sport)


def settled(predictor: BodyPredictor, sessions: list[Session], bodies: list[Attributes]):  # type: ignore[no-untyped-def]
    """Return mean heart rates (S, B) of minutes 15 to 20."""
    answers = predictor.predict(sessions, [None], bodies)
    means = np.array([answer[SETTLED].mean() for answer in answers])
    return means.reshape(len(sessions), len(bodies))


def falls(means: np.ndarray) -> np.ndarray:
    """Return how far heart rate falls below any slower speed's, by person."""
    highest: np.ndarray = (np.maximum.accumulate(means, axis=0) - means).max(axis=0)
    return highest


def test_heart_rate_rises_with_running_speed_for_everybody(predictor: BodyPredictor) -> None:
    means = settled(predictor, [flat(speed) for speed in SPEEDS], [*BODIES, *PARTLY_KNOWN])
    assert falls(means).max() < 1.0
    # Above 17.5 km/h as well.
    assert (np.diff(means[SPEEDS >= 17.5 / 3.6], axis=0) > -0.2).all()
    assert (means[-1] - means[0] > 20.0).all()


@pytest.mark.parametrize("shift", [-12.0, 12.0])
def test_heart_rate_rises_with_running_speed_after_any_previous_workout(
    predictor: BodyPredictor, shift: float
) -> None:
    before = flat(2.6, 180)
    for body in [*BODIES[::7], *PARTLY_KNOWN[::3]]:
        (usual,) = predictor.predict([before], [None], [body])
        history = PreviousWorkout(before, np.clip(usual + shift, 50.0, 230.0), 2.0)
        answers = predictor.predict([flat(speed) for speed in SPEEDS], [history], [body])
        assert falls(np.array([[answer[SETTLED].mean()] for answer in answers])).max() < 1.0


@pytest.mark.parametrize(("sport", "low", "high"), [("walk", 0.5, 2.2), ("bike", 2.0, 16.0)])
def test_heart_rate_rises_with_speed_in_other_sports(
    predictor: BodyPredictor, sport: str, low: float, high: float
) -> None:
    speeds = np.linspace(low, high, 8)
    sessions = [flat(speed, sport=sport) for speed in speeds]
    means = settled(predictor, sessions, [*BODIES[::3], *PARTLY_KNOWN])
    assert falls(means).max() < 1.0


@pytest.mark.parametrize("body", BODIES, ids=str)
def test_a_5_km_race_ends_near_the_maximum(predictor: BodyPredictor, body: Attributes) -> None:
    assert body.vdot is not None
    assert body.maximum_bpm is not None
    minutes = race_time(body.vdot, 5000.0)
    race = flat(5000.0 / minutes / 60.0, round(6.0 * minutes))
    (answer,) = predictor.predict([race], [None], [body])
    assert body.maximum_bpm - 5.0 < answer[-6:].mean() <= body.maximum_bpm + 0.5


@pytest.mark.parametrize("vdot", [30.0, 50.0, 70.0])
@pytest.mark.parametrize("share", [0.6, 0.7, 0.8, 0.9])
def test_reserves_are_used_in_proportion(
    predictor: BodyPredictor, vdot: float, share: float
) -> None:
    bodies = [Attributes(60.0, maximum, vdot) for maximum in (165.0, 205.0)]
    session = flat(speed_at_oxygen_cost(share * vdot) / 60.0)
    ((low, high),) = settled(predictor, [session], bodies)
    # A told maximum is off by 5 bpm in training, so that an extreme one is not believed whole.
    assert 0.92 < (high - 60.0) / (low - 60.0) / (145.0 / 105.0) < 1.02


def test_training_lowers_and_resting_heart_rate_raises_the_same_session(
    predictor: BodyPredictor,
) -> None:
    fitter = [Attributes(55.0, 188.0, vdot) for vdot in (38.0, 40.0, 42.0, 44.0, 46.0)]
    (by_vdot,) = settled(predictor, [flat(2.6)], fitter)
    # Of 133 bpm of reserve at 34 ml/kg/min, one unit of VDOT is some 2 % or 2 bpm.
    steps = np.diff(by_vdot)
    assert ((steps < -1.0 * 2.0 * 0.5) & (steps > -2.0 * 3.0)).all()
    (by_rest,) = settled(predictor, [flat(2.6)], [Attributes(r, 188.0, 42.0) for r in (45.0, 70.0)])
    assert 2.0 < by_rest[1] - by_rest[0] < 15.0


def test_the_previous_workout_tells_of_the_person(predictor: BodyPredictor) -> None:
    body = Attributes(55.0, 188.0, 42.0)
    session = flat(2.6, 180)
    (usual,) = predictor.predict([session], [None], [body])
    histories = [
        PreviousWorkout(session, np.clip(usual + shift, 60.0, 186.0), 2.0) for shift in (-12, 12)
    ]
    low, high = (answer[30:].mean() for answer in predictor.predict([session], histories, [body]))
    assert 1.0 < high - low < 24.0
