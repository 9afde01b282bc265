"""Partial responses of the second edition, beside known physiology.

One quantity varies, all else is a person's and a steady session's. Beside the network's answer
stand the expected heart rate that is built into it (``exertion``), which says what the network
itself has learnt, and relations from the literature. The share of the reserve is built in as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.logs.workout import GRID_STEP_S
from fitgym.model.daniels import speed_at_oxygen_cost
from fitgym.predictor.attributes import Attributes, reference_values
from fitgym.predictor.exertion import expected_share, lagged_uptake
from fitgym.predictor.fitrec2.inference import BodyPredictor
from fitgym.predictor.person import Person
from fitgym.predictor.sessions import Session

Array = NDArray[np.float64]

# The session: a steady run at a usual share of VDOT; the answer is its mean from minute 10 to 20,
# when the heart has settled and has hardly drifted (ours).
USUAL_SHARE = 0.70
FROM_MINUTE, TO_MINUTE = 10.0, 20.0
DRIFT_MINUTES = 60.0
# The course over time is shown from when the heart has risen.
RISEN_MINUTES = 5.0
POINTS = 13
# Oxygen cost of running, ml/kg for each metre on the flat and for each metre climbed (ACSM).
ACSM_FLAT, ACSM_CLIMB = 0.2, 0.9
# Cost of running at grade i in J/kg for each metre (Minetti et al. 2002), highest power first.
MINETTI = (155.4, -30.4, -43.3, 46.3, 19.5, 3.6)

SOURCES = {
    "reserve": "Swain and Leutholtz 1997, Med Sci Sports Exerc 29:410: the share of the heart rate "
    "reserve equals that of the oxygen uptake reserve (slope 1.00 +- 0.01); Swain et al. 1998, "
    "30:318, on the treadmill",
    "acsm": "American College of Sports Medicine, metabolic equation of running: 3.5 + 0.2 v + "
    "0.9 v grade ml/kg/min (it overestimates: J Strength Cond Res 1999, 13:219)",
    "minetti": "Minetti et al. 2002, J Appl Physiol 93:1039: cost of running at grades from "
    "-0.45 to 0.45, here in terms of that on the flat",
    "heritage": "Wilmore et al. 2001, Med Sci Sports Exerc 33:107, and 1996, 28:829 (HERITAGE): "
    "after 20 weeks of training, with VO2max up by 17.7 %, the heart beats slower at the same "
    "work, and at rest by 2.7 to 4.6 bpm",
    "drift": "Wingo et al. 2012, Exerc Sport Sci Rev 40:88: heart rate drifts upwards after some "
    "10 min, more in the heat; Colakoglu et al. 2018, Sports 6:98: 5 bpm more in 30 min on end "
    "than in the same work with breaks",
}


@dataclass(frozen=True, eq=False)
class Response:
    """The answer to one quantity.

    Attributes:
        quantity: Its name, with the unit.
        values: (V,) where it was asked.
        predicted_bpm: (V,) the network's answer.
        expected_bpm: (V,) the expected heart rate built into the network.
        known_bpm: By name, (V,) what relations from the literature give.
        sources: Where those come from.
    """

    quantity: str
    values: Array
    predicted_bpm: Array
    expected_bpm: Array
    known_bpm: dict[str, Array]
    sources: tuple[str, ...]

    @property
    def slope(self) -> float:
        """Mean slope of the network's answer, bpm for each unit."""
        return _slope(self.values, self.predicted_bpm)

    @property
    def expected_slope(self) -> float:
        """Mean slope of the expected heart rate."""
        return _slope(self.values, self.expected_bpm)

    def known_slopes(self) -> dict[str, float]:
        """Return the mean slopes of the known relations."""
        return {name: _slope(self.values, beats) for name, beats in self.known_bpm.items()}

    def record(self) -> dict[str, Any]:
        """Return the response for JSON."""
        return {
            "quantity": self.quantity,
            "values": self.values.tolist(),
            "predicted_bpm": self.predicted_bpm.tolist(),
            "expected_bpm": self.expected_bpm.tolist(),
            "known_bpm": {name: beats.tolist() for name, beats in self.known_bpm.items()},
            "slope": self.slope,
            "expected_slope": self.expected_slope,
            "known_slopes": self.known_slopes(),
            "sources": list(self.sources),
        }


def partial_responses(predictor: BodyPredictor, person: Person) -> list[Response]:
    """Return the responses to speed, grade, resting and maximum heart rate, VDOT and time.

    What the person does not tell is taken as typical.

    Args:
        predictor: The predictor.
        person: Whose heart.
    """
    resting, maximum, vdot = reference_values(person.attributes.row()[None])[0]
    body = replace(
        person.attributes,
        resting_bpm=float(resting),
        maximum_bpm=float(maximum),
        vdot=float(vdot),
    )
    usual = float(speed_at_oxygen_cost(USUAL_SHARE * float(vdot))) / 60.0
    fastest = float(speed_at_oxygen_cost(0.95 * float(vdot))) / 60.0
    ask = _Asker(predictor, person.gender)

    speeds = np.linspace(0.7 * usual, fastest, POINTS)
    grades = np.linspace(-0.06, 0.08, POINTS)
    restings = np.linspace(max(resting - 15.0, 36.0), min(resting + 15.0, 80.0), POINTS)
    maxima = np.linspace(max(maximum - 20.0, resting + 60.0), min(maximum + 20.0, 210.0), POINTS)
    vdots = np.linspace(vdot, min(1.4 * vdot, 85.0), POINTS)
    flat, level = np.full(POINTS, usual), np.zeros(POINTS)
    bodies = {
        "resting": [replace(body, resting_bpm=float(value)) for value in restings],
        "maximum": [replace(body, maximum_bpm=float(value)) for value in maxima],
        "vdot": [replace(body, vdot=float(value)) for value in vdots],
    }

    def known(varied: str) -> dict[str, Array]:
        beats = [acsm_heart_rate(each, flat[:1], level[:1])[0] for each in bodies[varied]]
        return {"ACSM, share of reserve": np.array(beats)}

    responses = [
        ask.response(
            "speed (m/s)",
            speeds,
            [(body, speed, 0.0) for speed in speeds],
            {"ACSM, share of reserve": acsm_heart_rate(body, speeds, level)},
            ("acsm", "reserve"),
        ),
        ask.response(
            "grade (%)",
            100.0 * grades,
            [(body, usual, grade) for grade in grades],
            {
                "ACSM, share of reserve": acsm_heart_rate(body, flat, grades),
                "Minetti, share of reserve": minetti_heart_rate(body, usual, grades),
            },
            ("acsm", "minetti", "reserve"),
        ),
        ask.response(
            "resting heart rate (bpm)",
            restings,
            [(each, usual, 0.0) for each in bodies["resting"]],
            known("resting"),
            ("reserve",),
        ),
        ask.response(
            "maximum heart rate (bpm)",
            maxima,
            [(each, usual, 0.0) for each in bodies["maximum"]],
            known("maximum"),
            ("reserve",),
        ),
        ask.response(
            "VDOT (ml/kg/min)",
            vdots,
            [(each, usual, 0.0) for each in bodies["vdot"]],
            known("vdot"),
            ("reserve", "heritage"),
        ),
    ]
    minutes, predicted, expected = ask.course(body, usual)
    steady = acsm_heart_rate(body, flat[:1], level[:1])
    responses.append(
        Response(
            "time into the session (min)",
            minutes,
            predicted,
            expected,
            {"ACSM, share of reserve, without drift": np.repeat(steady, len(minutes))},
            tuple(SOURCES[name] for name in ("reserve", "drift")),
        )
    )
    return responses


def acsm_heart_rate(body: Attributes, speed_m_s: Array, grade: Array) -> Array:
    """Return the heart rate (N,) of ACSM's cost of running as a share of the reserve.

    The cost is taken in terms of that at the speed of the body's VDOT, so that it does not matter
    that the equation overestimates both.
    """
    return _of_cost(body, speed_m_s * (ACSM_FLAT + ACSM_CLIMB * np.maximum(grade, 0.0)))


def minetti_heart_rate(body: Attributes, speed_m_s: float, grade: Array) -> Array:
    """Return the heart rate (N,) of Minetti's cost of running at grades (N,).

    The cost is scaled so that on the flat it is ACSM's; what differs is the effect of the grade.
    """
    cost = np.asarray(np.polyval(MINETTI, grade), dtype=np.float64) / MINETTI[-1]
    return _of_cost(body, speed_m_s * ACSM_FLAT * cost)


def _of_cost(body: Attributes, cost: Array) -> Array:
    """Return the heart rate of costs above rest, in units of the cost of a metre on the flat."""
    assert body.vdot is not None
    assert body.resting_bpm is not None
    assert body.maximum_bpm is not None
    fastest = float(speed_at_oxygen_cost(body.vdot)) / 60.0
    share = np.minimum(cost / (ACSM_FLAT * fastest), 1.0)
    beats: Array = body.resting_bpm + (body.maximum_bpm - body.resting_bpm) * share
    return beats


class _Asker:
    """Asks network and expectation for steady sessions."""

    def __init__(self, predictor: BodyPredictor, gender: str) -> None:
        self._predictor, self._gender = predictor, gender

    def response(
        self,
        quantity: str,
        values: Array,
        cases: list[tuple[Attributes, float, float]],
        known: dict[str, Array],
        sources: tuple[str, ...],
    ) -> Response:
        """Return the response where each case is a body, a speed in m/s and a grade."""
        steps = round(60.0 * TO_MINUTE / GRID_STEP_S)
        sessions = [self._steady(speed, grade, steps) for _, speed, grade in cases]
        bodies = [body for body, _, _ in cases]
        index = range(len(cases))
        predicted = self._predictor.predict(
            sessions, [None], bodies, [(number, 0, number) for number in index]
        )
        settled = slice(round(60.0 * FROM_MINUTE / GRID_STEP_S), None)
        return Response(
            quantity,
            values,
            np.array([beats[settled].mean() for beats in predicted]),
            np.array(
                [
                    expected_heart_rate(body, session)[settled].mean()
                    for body, session in zip(bodies, sessions, strict=True)
                ]
            ),
            known,
            tuple(SOURCES[name] for name in sources),
        )

    def course(self, body: Attributes, speed: float) -> tuple[Array, Array, Array]:
        """Return minutes, predicted and expected heart rate along an hour, once risen."""
        steps = round(60.0 * DRIFT_MINUTES / GRID_STEP_S)
        session = self._steady(speed, 0.0, steps)
        (beats,) = self._predictor.predict([session], [None], [body])
        minutes = np.arange(steps, dtype=np.float64) * GRID_STEP_S / 60.0
        risen = minutes >= RISEN_MINUTES
        return minutes[risen], beats[risen], expected_heart_rate(body, session)[risen]

    def _steady(self, speed: float, grade: float, steps: int) -> Session:
        flat = np.full(steps, float(speed))
        altitude = np.arange(steps, dtype=np.float64) * GRID_STEP_S * float(speed) * float(grade)
        return Session(speed_m_s=flat, altitude_m=altitude, sport="run", gender=self._gender)


def expected_heart_rate(body: Attributes, session: Session) -> Array:
    """Return the expected heart rate (T,) of a session, before anything was learnt."""
    resting, maximum, vdot = reference_values(body.row()[None])[0]
    uptake = lagged_uptake(session.sport, session.speed_m_s, session.altitude_m)
    share = expected_share(uptake, float(vdot))
    beats: Array = resting + (maximum - resting) * share
    return beats


def _slope(values: Array, beats: Array) -> float:
    return float((beats[-1] - beats[0]) / (values[-1] - values[0]))
