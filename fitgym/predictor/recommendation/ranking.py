"""Ranking of workouts and routes by how well the predicted heart rate meets a target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fitgym.common.validation import require_choice, require_number
from fitgym.logs.workout import GRID_STEP_S
from fitgym.model.daniels import speed_at_oxygen_cost
from fitgym.predictor.attributes import TYPICAL_RESTING_BPM, Attributes
from fitgym.predictor.channels import sport_family
from fitgym.predictor.correction import PersonalCorrection, session_features
from fitgym.predictor.fitrec2.inference import BodyPredictor
from fitgym.predictor.fitrec2.personal import CORRECTION_SHARE
from fitgym.predictor.person import Person
from fitgym.predictor.recommendation.candidates import Candidate
from fitgym.predictor.recommendation.routes import Route
from fitgym.predictor.recommendation.targets import Match, Target, match
from fitgym.predictor.sessions import Session

Array = NDArray[np.float64]

# Speeds on the flat in m/s among which a route's is sought.
SPEEDS_M_S = {"run": (1.6, 6.5), "walk": (0.6, 2.2), "bike": (2.0, 14.0), "other": (0.5, 4.0)}
GRID_SPEEDS, REFINED_SPEEDS, REFINEMENTS = 13, 7, 3
# Among speeds that miss a range equally little, the one nearest to its middle (in bpm per bpm).
CENTRE_WEIGHT = 1e-3


class Forecaster(Protocol):
    """What says how a person's heart would beat in sessions."""

    @property
    def resting_bpm(self) -> float:
        """Resting heart rate to expect of the person."""
        ...

    def forecast(self, sessions: Sequence[Session]) -> list[Array]:
        """Return the heart rate (T,) in bpm of each session."""
        ...

    def interval_bpm(self, session: Session) -> float:
        """Return the half width of the 80 % interval of a session's mean heart rate."""
        ...


class PersonForecaster:
    """The shipped predictor for one person.

    With a personal correction, half of the forecast is the network's, told the body, and half what
    it expects of a stranger with the correction, as everywhere; without one, the person's lasting
    offset is added.

    Args:
        predictor: The predictor.
        person: The person.
    """

    def __init__(self, predictor: BodyPredictor, person: Person) -> None:
        """Keep predictor and person."""
        self._predictor, self._person = predictor, person
        self._correction = person.personal_correction(predictor.components)

    @property
    def resting_bpm(self) -> float:
        """Resting heart rate as told, or a typical one."""
        return self._person.attributes.resting_bpm or TYPICAL_RESTING_BPM

    def forecast(self, sessions: Sequence[Session]) -> list[Array]:
        """Return the heart rate (T,) in bpm of each session, after no workout in particular."""
        told = [
            Session(
                session.speed_m_s,
                session.altitude_m,
                session.has_altitude,
                session.sport,
                self._person.gender,
            )
            for session in sessions
        ]
        informed = self._predictor.predict(told, [None], [self._person.attributes])
        if self._correction is None:
            return [heart_rate + self._person.offset_bpm for heart_rate in informed]
        plain = self._predictor.predict(told, [None], [Attributes()])
        forecasts = []
        for session, first, second in zip(told, informed, plain, strict=True):
            features = session_features(session.speed_m_s, session.altitude_m, session.has_altitude)
            offset, _ = self._correction.predict(session.sport, features)
            forecasts.append(first + CORRECTION_SHARE * (second + offset - first))
        return forecasts

    def interval_bpm(self, session: Session) -> float:
        """Return the half width of the 80 % interval of a session's mean, as of a stranger's.

        Where recordings of the person are known, theirs narrow it.
        """
        components = self._predictor.components
        correction = self._correction or PersonalCorrection(components)
        features = session_features(session.speed_m_s, session.altitude_m, session.has_altitude)
        return components.interval_sd * correction.mean_spread(session.sport, features)


@dataclass(frozen=True, eq=False)
class Recommendation:
    """One candidate, what is predicted of it, and how far it misses.

    Attributes:
        candidate: The candidate.
        heart_rate_bpm: (T,) predicted.
        match: How it lies to the target.
        interval_bpm: Half width of the 80 % interval of its mean.
        speed_m_s: Of a route, the speed on the flat that was chosen; else None.
        speed_limits_m_s: Of a route, the speeds it was chosen among; else None.
    """

    candidate: Candidate
    heart_rate_bpm: Array
    match: Match
    interval_bpm: float
    speed_m_s: float | None = None
    speed_limits_m_s: tuple[float, float] | None = None

    @property
    def at_limit(self) -> bool:
        """Whether the chosen speed is the slowest or fastest that was tried."""
        if self.speed_m_s is None or self.speed_limits_m_s is None:
            return False
        low, high = self.speed_limits_m_s
        margin = 0.005 * (high - low)
        return not low + margin < self.speed_m_s < high - margin


def rank_workouts(
    forecaster: Forecaster, target: Target, candidates: Sequence[Candidate]
) -> list[Recommendation]:
    """Return the candidates from the smallest mean miss to the largest.

    Raises:
        ValueError: If there are none.
    """
    if not candidates:
        raise ValueError("candidates must hold one at least, got none")
    predicted = forecaster.forecast([candidate.session for candidate in candidates])
    ranked = [
        _recommend(forecaster, target, candidate, beats)
        for candidate, beats in zip(candidates, predicted, strict=True)
    ]
    return sorted(ranked, key=lambda each: each.match.mean_miss_bpm)


def rank_routes(
    forecaster: Forecaster,
    target: Target,
    routes: Sequence[Route],
    *,
    sport: str = "run",
    pacing: str = "effort",
    limits_m_s: tuple[float, float] | None = None,
) -> list[Recommendation]:
    """Return the routes, each at the speed that meets the target best, the best route first.

    Args:
        forecaster: Whose heart.
        target: The target.
        routes: The routes.
        sport: Name of the sport.
        pacing: How speed goes with grade (see ``Route.session``).
        limits_m_s: Slowest and fastest speed on the flat; equal ones give that speed. None means
            those of ``SPEEDS_M_S``.

    Raises:
        ValueError: If there are no routes, or the limits are out of order.
    """
    if not routes:
        raise ValueError("routes must hold one at least, got none")
    low, high = SPEEDS_M_S[sport_family(sport)] if limits_m_s is None else limits_m_s
    require_number("fastest speed", high, low)
    best: list[Recommendation | None] = [None] * len(routes)
    width = high - low
    grids = [np.linspace(low, high, GRID_SPEEDS if width else 1)] * len(routes)
    for _ in range(1 + (REFINEMENTS if width else 0)):
        tried = [
            (number, float(speed), Candidate(route.name, route.session(sport, speed, pacing)))
            for number, (route, grid) in enumerate(zip(routes, grids, strict=True))
            for speed in grid
        ]
        predicted = forecaster.forecast([candidate.session for _, _, candidate in tried])
        for (number, speed, candidate), beats in zip(tried, predicted, strict=True):
            found = replace(
                _recommend(forecaster, target, candidate, beats),
                speed_m_s=speed,
                speed_limits_m_s=(low, high),
            )
            best[number] = _better(target, best[number], found)
        spacing = grids[0][1] - grids[0][0] if width else 0.0
        grids = [
            np.linspace(
                max(each.speed_m_s - spacing, low),
                min(each.speed_m_s + spacing, high),
                REFINED_SPEEDS,
            )
            for each in best
            if each is not None and each.speed_m_s is not None
        ]
    ranked = [each for each in best if each is not None]
    return sorted(ranked, key=lambda each: each.match.mean_miss_bpm)


def speed_limits(sport: str, attributes: Attributes) -> tuple[float, float]:
    """Return the slowest and fastest speed in m/s to try: nobody runs above VDOT for long."""
    require_choice("sport", sport_family(sport), SPEEDS_M_S)
    low, high = SPEEDS_M_S[sport_family(sport)]
    if sport_family(sport) == "run" and attributes.vdot is not None:
        high = min(high, float(speed_at_oxygen_cost(attributes.vdot)) / 60.0)
    return min(low, 0.9 * high), high


def minutes_of(session: Session) -> float:
    """Return how many minutes a session takes."""
    return len(session) * GRID_STEP_S / 60.0


def _recommend(
    forecaster: Forecaster, target: Target, candidate: Candidate, heart_rate: Array
) -> Recommendation:
    return Recommendation(
        candidate,
        heart_rate,
        match(target, heart_rate, forecaster.resting_bpm),
        forecaster.interval_bpm(candidate.session),
    )


def _better(target: Target, first: Recommendation | None, second: Recommendation) -> Recommendation:
    if first is None or _objective(target, second) < _objective(target, first):
        return second
    return first


def _objective(target: Target, found: Recommendation) -> float:
    if target.is_course:
        return found.match.mean_miss_bpm
    centre = 0.5 * float(target.low_bpm[0] + target.high_bpm[0])
    off = abs(found.match.mean_heart_rate - centre)
    return found.match.mean_miss_bpm + CENTRE_WEIGHT * off
