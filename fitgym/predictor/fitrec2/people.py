"""Virtual people with bodies, and their recorded workouts, to pre-train the second edition on.

A heart follows ``fitgym.predictor.exertion`` with lasting deviations of its own (level, by sport
too, slope, lag, drift), an offset of each session and effort that speed does not show. Bodies:
maximum heart rate by age with a spread of 10 bpm (Tanaka et al. 2001, 208 - 0.7 age), VDOT of a
trained population and, for a share of the people, evenly from 20 to 85, resting heart rate lower
the fitter. The spreads of the deviations are ours, set to the recordings' variance components.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from fitgym.common.validation import require_integer, require_number
from fitgym.logs.workout import GRID_STEP_S, MAXIMUM_HEART_RATE_BPM, MINIMUM_HEART_RATE_BPM, Workout
from fitgym.model.daniels import speed_at_oxygen_cost
from fitgym.predictor.attributes import (
    RANGES,
    TANAKA_BPM,
    TANAKA_PER_YEAR,
    Attributes,
    attributes_shown,
)
from fitgym.predictor.exertion import (
    DRIFT,
    INITIAL_SHARE,
    LAG_S,
    RESTING_UPTAKE,
    STANDING_SHARE,
    THRESHOLD_SHARE,
    bend,
    climb_rate,
    drift_factor,
    session_cost,
    slow_rise,
)
from fitgym.predictor.simulator.routes import RouteStyle, draw_route
from fitgym.predictor.simulator.workouts import OTHER_SPORT_SHARE, SPORT_SHARES

Array = NDArray[np.float64]

# Share of the people whose VDOT and heart rates are drawn evenly over their whole range.
EVEN_SHARE, LOWEST_VDOT, HIGHEST_VDOT = 0.35, 20.0, 85.0
EVEN_RESTING_BPM, EVEN_MAXIMUM_BPM = (38.0, 80.0), (155.0, 215.0)
# Share of workouts at a level drawn evenly from walking to racing, whatever the person's habit.
ANY_LEVEL_SHARE = 0.35
# Fastest that a level is run or ridden at, in m/s.
FASTEST_M_S = {"run": 6.8, "walk": 2.2, "bike": 16.0, "other": 6.0}
# Errors of what a watch tells: bpm, and of VDOT a share (2 at 50).
TOLD_SD = {"resting_bpm": 3.0, "maximum_bpm": 5.0, "age": 0.0}
TOLD_VDOT_SHARE = 0.04
# Lasting deviations as shares of the reserve: over all sports, and in each sport.
LEVEL_SD, SPORT_LEVEL_SD = 0.035, {"run": 0.015, "bike": 0.04, "walk": 0.06, "other": 0.1}
SLOPE_SD = {"run": 0.0, "bike": 0.2, "walk": 0.3, "other": 0.2}
# A session's own offset, and effort that speed and climb do not show (wind, surface, luggage).
SESSION_SD = {"run": 0.045, "bike": 0.06, "walk": 0.08, "other": 0.08}
EFFORT_SD = {"run": 0.025, "bike": 0.07, "walk": 0.055, "other": 0.07}
EFFORT_MEMORY = 0.96
# Walks of everyday life beat above the cost of walking: stairs, bags, talk.
EVERYDAY_SHARE = {"run": 0.0, "bike": 0.03, "walk": 0.1, "other": 0.0}
LAG_SPREAD, DRIFT_SD = 0.35, 0.025
RESIDUAL_SD_BPM, RESIDUAL_MEMORY = 4.0, 0.86
# Errors of recorded speed (relative) and altitude (m), of satellites and barometers.
SPEED_ERROR, ALTITUDE_ERROR_M = 0.05, 1.0
# Deviations of a virtual heart are whole up to three quarters of the reserve and fade above.
FADE = 4.0
# VDOT wanders this much from one workout to the next.
VDOT_STEP_SD = 0.7


@dataclass(frozen=True)
class VirtualPeopleConfig:
    """How many virtual people to draw.

    Attributes:
        people: Number of people.
        workouts: Workouts of each.
        longest_steps: No workout is longer than this many grid steps.
        seed: Seed of everything random.
        carry_over_bpm: Rise of heart rate the day after an hour at 150 bpm, fading in two days.
    """

    people: int = 2000
    workouts: int = 4
    longest_steps: int = 640
    seed: int = 0
    carry_over_bpm: float = 1.0

    def __post_init__(self) -> None:
        """Check the values."""
        for name in ("people", "workouts"):
            require_integer(name, getattr(self, name), 1)
        require_integer("longest_steps", self.longest_steps, 30)
        require_integer("seed", self.seed, 0)
        require_number("carry_over_bpm", self.carry_over_bpm, 0.0, 20.0)


@dataclass(frozen=True, eq=False)
class Body:
    """One virtual person.

    Attributes:
        female: Whether a woman.
        age: Years.
        resting_bpm: True resting heart rate.
        maximum_bpm: True maximum.
        vdot: VDOT at the start.
        level: Lasting deviation by sport, shares of the reserve.
        slope: Factor of the effort by sport.
        lag_s: Time constant.
        drift: Share per log-minute.
        habit: Usual share of VDOT on foot and on the bicycle.
    """

    female: bool
    age: float
    resting_bpm: float
    maximum_bpm: float
    vdot: float
    level: dict[str, float]
    slope: dict[str, float]
    lag_s: float
    drift: float
    habit: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Body:
        """Draw a person."""
        female = bool(rng.random() < 0.4)
        age = float(np.clip(rng.normal(39.0, 12.0), 16.0, 80.0))
        vdot = rng.normal(46.0 - 5.0 * female - 0.25 * (age - 35.0), 8.0)
        vdot = float(np.clip(vdot, LOWEST_VDOT, HIGHEST_VDOT))
        resting = rng.normal(60.0 + 2.0 * female - 0.3 * (vdot - 45.0), 7.0)
        maximum = rng.normal(TANAKA_BPM - TANAKA_PER_YEAR * age, 10.0)
        if rng.random() < EVEN_SHARE:
            vdot = float(rng.uniform(LOWEST_VDOT, HIGHEST_VDOT))
            resting, maximum = rng.uniform(*EVEN_RESTING_BPM), rng.uniform(*EVEN_MAXIMUM_BPM)
        common = LEVEL_SD * rng.standard_normal()
        return cls(
            female=female,
            age=age,
            resting_bpm=float(np.clip(resting, 36.0, 85.0)),
            maximum_bpm=float(np.clip(maximum, 145.0, 218.0)),
            vdot=vdot,
            level={
                sport: float(common + sd * rng.standard_normal() + EVERYDAY_SHARE[sport])
                for sport, sd in SPORT_LEVEL_SD.items()
            },
            slope={sport: float(np.exp(rng.normal(0.0, sd))) for sport, sd in SLOPE_SD.items()},
            lag_s=LAG_S * float(np.exp(rng.normal(0.0, LAG_SPREAD))),
            drift=float(rng.normal(DRIFT, DRIFT_SD)),
            habit=float(np.clip(rng.normal(0.70, 0.06), 0.5, 0.9)),
        )

    def told(self, rng: np.random.Generator, vdot: float) -> Attributes:
        """Return the attributes as a watch or a profile tells them, all of them, with errors."""
        truth = {
            "resting_bpm": self.resting_bpm,
            "maximum_bpm": self.maximum_bpm,
            "age": self.age,
        }
        values = {name: value + rng.normal(0.0, TOLD_SD[name]) for name, value in truth.items()}
        values["vdot"] = vdot * (1.0 + rng.normal(0.0, TOLD_VDOT_SHARE))
        return Attributes(
            **{name: float(np.clip(value, *RANGES[name])) for name, value in values.items()}
        )

    def usual_speed(self, sport: str, vdot: float) -> float:
        """Return the speed in m/s of an ordinary session."""
        uptake = self.habit * vdot
        if sport == "run":
            return float(speed_at_oxygen_cost(uptake)) / 60.0
        if sport == "bike":
            return 0.9 * _riding_speed(0.9 * uptake)
        if sport == "walk":
            return 0.6 + 0.009 * vdot
        return 2.0


def simulate_people(
    config: VirtualPeopleConfig,
) -> tuple[list[Workout], dict[str, Attributes]]:
    """Simulate the recordings of virtual people.

    Returns:
        The workouts, each person's in time order, users ``v00000``, ``v00001``, ...; and, by
        workout, the attributes a watch tells at it.
    """
    workouts: list[Workout] = []
    attributes: dict[str, Attributes] = {}
    for person in range(config.people):
        rng = np.random.default_rng([config.seed, person])
        for workout, told in _simulate_person(rng, f"v{person:05d}", config):
            workouts.append(workout)
            attributes[workout.identifier] = told
    return workouts, attributes


def heart_rate(
    body: Body, sport: str, speed_m_s: Array, altitude_m: Array, vdot: float, extra: Array
) -> Array:
    """Return the heart rate (T,) in bpm of a body at a session, before residual fluctuation.

    Args:
        body: The person.
        sport: Entry of ``SPORT_SHARES``.
        speed_m_s: (T,) speed.
        altitude_m: (T,) altitude.
        vdot: Today's VDOT.
        extra: (T,) further share of the reserve: the session's offset and hidden effort.
    """
    steps = len(speed_m_s)
    cost = session_cost(sport, speed_m_s, climb_rate(altitude_m)) - RESTING_UPTAKE
    effort = (1.0 - STANDING_SHARE) * body.slope[sport] * cost / (vdot - RESTING_UPTAKE)
    steady = STANDING_SHARE + effort
    # Whatever moves a heart at moderate effort, its maximum stays: deviations fade towards it.
    steady = steady + (body.level[sport] + extra) * np.clip(FADE * (1.0 - steady), 0.0, 1.0)
    follow = -np.expm1(-GRID_STEP_S / body.lag_s)
    start = np.array([INITIAL_SHARE * (1.0 - follow)])
    share, _ = lfilter([follow], [1.0, follow - 1.0], steady, zi=start)
    drift = 1.0 + body.drift / DRIFT * (drift_factor(steps) - 1.0)
    drifted = share * drift + slow_rise(steps) * np.maximum(share - THRESHOLD_SHARE, 0.0)
    beats: Array = body.resting_bpm + (body.maximum_bpm - body.resting_bpm) * bend(drifted)
    return np.maximum(beats, body.resting_bpm - 5.0)


def _simulate_person(
    rng: np.random.Generator, user: str, config: VirtualPeopleConfig
) -> list[tuple[Workout, Attributes]]:
    body = Body.draw(rng)
    main_sport = str(rng.choice(list(SPORT_SHARES), p=list(SPORT_SHARES.values())))
    styles = {sport: RouteStyle.draw(rng, sport) for sport in SPORT_SHARES}
    gender = str(rng.choice(["unknown", "female" if body.female else "male"]))
    records: list[tuple[Workout, Attributes]] = []
    vdot, day, tired = body.vdot, 0.0, 0.0
    for number in range(config.workouts):
        sport = main_sport
        if rng.random() < OTHER_SPORT_SHARE:
            sport = str(rng.choice(list(SPORT_SHARES)))
        speed, altitude = _draw_session(rng, body, styles[sport], sport, vdot, config)
        steps = len(speed)
        offset = rng.normal(0.0, SESSION_SD[sport])
        effort = _noise(rng, steps, EFFORT_SD[sport], EFFORT_MEMORY)
        reserve = body.maximum_bpm - body.resting_bpm
        extra = offset + effort + tired / reserve
        beats = heart_rate(body, sport, speed, altitude, vdot, extra)
        start = rng.normal(0.0, 17.0) * np.exp(-GRID_STEP_S * np.arange(steps) / body.lag_s)
        noise = _noise(rng, steps, RESIDUAL_SD_BPM, RESIDUAL_MEMORY)
        recorded = np.clip(
            beats + start + noise,
            MINIMUM_HEART_RATE_BPM,
            min(body.maximum_bpm + 4.0, MAXIMUM_HEART_RATE_BPM),
        )
        has_altitude = styles[sport].has_altitude
        workout = Workout(
            identifier=f"{user}-{number}",
            user=user,
            sport=sport,
            gender=gender,
            day=day,
            time_s=GRID_STEP_S * np.arange(steps, dtype=np.float64),
            heart_rate_bpm=recorded,
            valid=np.ones(steps, dtype=bool),
            speed_m_s=np.maximum(speed * (1.0 + _noise(rng, steps, SPEED_ERROR, 0.5)), 0.0),
            altitude_m=(altitude + _noise(rng, steps, ALTITUDE_ERROR_M, 0.7)) * has_altitude,
            has_altitude=has_altitude,
        )
        shown = attributes_shown([record for record, _ in records])
        told = body.told(rng, vdot)
        records.append(
            (
                workout,
                Attributes(
                    told.resting_bpm,
                    told.maximum_bpm,
                    told.vdot,
                    told.age,
                    shown.seen_maximum_bpm,
                    shown.shown_vdot,
                ),
            )
        )
        days = float(rng.choice([1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 20.0]))
        hard = float(np.clip((beats.mean() - body.resting_bpm) / reserve, 0.0, 1.0))
        hours = steps * GRID_STEP_S / 3600.0
        tired = config.carry_over_bpm * hours * (hard / 0.7) ** 2 * np.exp(-(days - 1.0) / 2.0)
        day += days
        vdot = float(np.clip(vdot + rng.normal(0.0, VDOT_STEP_SD), LOWEST_VDOT, HIGHEST_VDOT))
    return records


def _draw_session(
    rng: np.random.Generator,
    body: Body,
    style: RouteStyle,
    sport: str,
    vdot: float,
    config: VirtualPeopleConfig,
) -> tuple[Array, Array]:
    """Return speed and altitude (T,) of a session, at the usual level or at any."""
    usual = body.usual_speed(sport, vdot) * float(np.exp(rng.normal(0.0, 0.05)))
    if rng.random() < ANY_LEVEL_SHARE:
        racing = min(float(speed_at_oxygen_cost(0.97 * vdot)) / 60.0, FASTEST_M_S["run"])
        lowest, highest = {
            "run": (1.2, racing),
            "walk": (0.5, FASTEST_M_S["walk"]),
            "bike": (2.0, 1.3 * usual),
            "other": (0.5, 4.0),
        }[sport]
        usual = float(rng.uniform(lowest, highest))
    speed, altitude = draw_route(rng, style, usual, config.longest_steps)
    # Nobody holds more than a stride above the speed of his VDOT.
    sprint = {
        "run": min(1.15 * float(speed_at_oxygen_cost(1.05 * vdot)) / 60.0, 7.5),
        "walk": FASTEST_M_S["walk"],
        "bike": 18.0,
        "other": FASTEST_M_S["other"],
    }[sport]
    return np.minimum(speed, sprint), altitude


def _noise(rng: np.random.Generator, steps: int, sd: float, memory: float) -> Array:
    """Return stationary first-order autoregressive noise (T,)."""
    draws = sd * np.sqrt(1.0 - memory**2) * rng.standard_normal(steps)
    noise, _ = lfilter([1.0], [1.0, -memory], draws, zi=[memory * sd * rng.standard_normal()])
    return np.asarray(noise)


def _riding_speed(uptake: float) -> float:
    """Return the speed in m/s on the flat that costs ``uptake`` ml/kg/min, by bisection."""
    speeds = np.linspace(2.0, 16.0, 141)
    costs = session_cost("bike", speeds, np.zeros(len(speeds)))
    return float(np.interp(uptake, costs, speeds))
