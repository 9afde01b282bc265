"""Virtual people and their recorded workouts, to pre-train the network on.

The people are drawn so that their recordings look like the real ones in the figures that
``population.population_figures`` measures; ``python -m fitgym predictor simulate`` shows both side
by side. Every distribution is ours, set to those figures; the equation is in ``physiology``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitgym.logs.workout import GRID_STEP_S, MINIMUM_HEART_RATE_BPM, Workout
from fitgym.predictor.physiology import (
    CARRY_OVER_BPM,
    DEMAND_SHARE,
    RECOVERY_DAYS,
    TYPICAL,
    TYPICAL_HIGHEST_BPM,
    TYPICAL_LOWEST_BPM,
    Physiology,
    carry_over,
    climb_rate,
    demand,
    heart_rate_response,
    internal_load,
)
from fitgym.predictor.routes import RouteStyle, draw_route
from fitgym.validation import require_integer

__all__ = ["SPORT_SHARES", "SimulatorConfig", "draw_people", "simulate_workouts"]

Array = NDArray[np.float64]

# Shares of sports, close to those of the real recordings.
SPORT_SHARES = {"run": 0.6, "bike": 0.2, "walk": 0.2}
# Effort that speed and climb do not show (wind, drafting, surface, luggage), as demand in bpm.
EFFORT_SD_BPM = {"run": 2.5, "bike": 9.0, "walk": 7.0}
EFFORT_MEMORY = 0.96


@dataclass(frozen=True)
class SimulatorConfig:
    """How many workouts to simulate, and how they differ.

    Attributes:
        people: Number of virtual people.
        workouts: Workouts of each.
        longest_steps: No workout is longer than this many grid steps.
        seed: Seed of everything random.
        offset_sd_bpm: Spread of a person's daily offset (form, heat, sleep, strap).
        offset_memory: Correlation of one workout's offset with the next one's.
        residual_sd_bpm: Spread of the remaining fluctuation.
        residual_memory: Its correlation from one grid step to the next.
    """

    people: int = 2000
    workouts: int = 5
    longest_steps: int = 640
    seed: int = 0
    offset_sd_bpm: float = 8.5
    offset_memory: float = 0.5
    residual_sd_bpm: float = 4.0
    residual_memory: float = 0.86

    def __post_init__(self) -> None:
        require_integer("people", self.people, 1)
        require_integer("workouts", self.workouts, 1)
        require_integer("longest_steps", self.longest_steps, 30)
        require_integer("seed", self.seed, 0)


def truncated_normal(
    rng: np.random.Generator, mean: float, sd: float, low: float, high: float, size: int
) -> Array:
    """Return normal draws (size,), each repeated until it lies in [low, high]."""
    draws = rng.normal(mean, sd, size)
    while (outside := (draws < low) | (draws > high)).any():
        draws[outside] = rng.normal(mean, sd, int(outside.sum()))
    return draws


def draw_people(
    rng: np.random.Generator, sports: NDArray[np.str_], female: NDArray[np.bool_]
) -> Physiology:
    """Draw the physiology of P people for the sport each of them does.

    Args:
        rng: Source of randomness.
        sports: (P,) entries of ``SPORT_SHARES``.
        female: (P,) women run somewhat slower at a somewhat higher heart rate.
    """
    size = len(sports)
    bike, walk = sports == "bike", sports == "walk"
    lowest = truncated_normal(rng, TYPICAL_LOWEST_BPM, 7.0, 40.0, 90.0, size) + 3.0 * female
    highest = truncated_normal(rng, TYPICAL_HIGHEST_BPM, 9.0, 150.0, 210.0, size)

    def typical(name: str) -> Array:
        return np.array([getattr(TYPICAL[sport], name) for sport in sports])

    def spread(sd: Array | float) -> Array:
        return np.exp(sd * rng.standard_normal(size))

    usual_speed = typical("usual_speed_m_s") * spread(np.where(walk, 0.2, 0.15))
    usual_speed *= np.where(female & ~bike, 0.88, 1.0)
    share_sd = np.where(bike | walk, 0.09, 0.06)
    share = typical("usual_share") + share_sd * truncated_normal(rng, 0.0, 1.0, -2.3, 2.5, size)
    usual = lowest + share * (highest - lowest)
    # The slope follows from the heart rate standing still, except in walking, whose speed is so
    # low that an own spread of the slope serves better.
    standing_share = typical("standing_share")
    standing_share += 0.08 * truncated_normal(rng, 0.0, 1.0, -2.5, 2.2, size)
    standing = np.minimum(lowest + standing_share * (highest - lowest), usual - 15.0)
    slope_walking = 12.0 * spread(0.5)
    standing[walk] = (usual - slope_walking * usual_speed)[walk]
    lag_s = typical("lag_s") * spread(0.5)
    return Physiology(
        lowest_bpm=lowest,
        highest_bpm=highest,
        standing_bpm=standing,
        usual_speed_m_s=usual_speed,
        usual_bpm=usual,
        climb_factor=typical("climb_factor") * spread(0.25),
        drift=typical("drift") + 0.035 * rng.standard_normal(size),
        demand_rate=60.0 * GRID_STEP_S / (DEMAND_SHARE * lag_s),
        response_rate=60.0 * GRID_STEP_S / ((1.0 - DEMAND_SHARE) * lag_s),
        lower_exponent=rng.uniform(0.1, 0.8, size),
        upper_exponent=rng.uniform(0.1, 0.8, size),
        carry_over_bpm=CARRY_OVER_BPM * spread(0.4),
        recovery_days=RECOVERY_DAYS * spread(0.3),
    )


def simulate_workouts(config: SimulatorConfig) -> list[Workout]:
    """Simulate the recordings of virtual people.

    Args:
        config: How many, and how they differ.

    Returns:
        The workouts, each person's in time order; users are named ``v00000``, ``v00001``, ...
    """
    rng = np.random.default_rng(config.seed)
    people, shape = config.people, (config.people, config.longest_steps)
    sports = rng.choice(list(SPORT_SHARES), size=people, p=list(SPORT_SHARES.values()))
    female = rng.random(people) < 0.4
    told = rng.random(people) < 0.5
    genders = np.where(told, np.where(female, "female", "male"), "unknown")
    physiology = draw_people(rng, sports, female)
    styles = [RouteStyle.draw(rng, str(sport)) for sport in sports]
    offset = config.offset_sd_bpm * rng.standard_normal(people)
    effort_sd = np.array([EFFORT_SD_BPM[sport] for sport in sports])
    load, day, days_since = np.zeros(people), np.zeros(people), np.ones(people)
    records: list[list[Workout]] = [[] for _ in range(people)]
    for number in range(config.workouts):
        speed, altitude = np.zeros(shape), np.zeros(shape)
        lengths = np.empty(people, dtype=np.int64)
        for person in range(people):
            route_speed, route_altitude = draw_route(
                rng, styles[person], physiology.usual_speed_m_s[person], config.longest_steps
            )
            lengths[person] = len(route_speed)
            speed[person, : len(route_speed)] = route_speed
            altitude[person, : len(route_speed)] = route_altitude
            altitude[person, len(route_speed) :] = route_altitude[-1]
        tired = carry_over(physiology, load, days_since)
        target = demand(physiology, speed, climb_rate(altitude), offset + tired)
        target += effort_sd[:, None] * autoregressive_noise(rng, shape, 1.0, EFFORT_MEMORY)
        initial = np.maximum(rng.normal(92.0, 17.0, people), physiology.lowest_bpm + 5.0)
        heart_rate = heart_rate_response(physiology, target, initial)
        done = internal_load(physiology, heart_rate)
        load = done[np.arange(people), lengths - 1]
        recorded = heart_rate + autoregressive_noise(
            rng, shape, config.residual_sd_bpm, config.residual_memory
        )
        recorded = np.clip(recorded, MINIMUM_HEART_RATE_BPM, physiology.highest_bpm[:, None] + 5.0)
        for person, length in enumerate(lengths):
            has_altitude = styles[person].has_altitude
            records[person].append(
                Workout(
                    identifier=f"s{person:05d}-{number}",
                    user=f"v{person:05d}",
                    sport=str(sports[person]),
                    gender=str(genders[person]),
                    day=float(day[person]),
                    time_s=GRID_STEP_S * np.arange(length, dtype=np.float64),
                    heart_rate_bpm=recorded[person, :length],
                    valid=np.ones(length, dtype=bool),
                    speed_m_s=speed[person, :length],
                    altitude_m=altitude[person, :length] * has_altitude,
                    has_altitude=has_altitude,
                )
            )
        days_since = rng.choice([1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 20.0], size=people)
        day += days_since
        fresh = rng.standard_normal(people)
        memory = config.offset_memory
        offset = memory * offset + np.sqrt(1.0 - memory**2) * config.offset_sd_bpm * fresh
    return [workout for person in records for workout in person]


def autoregressive_noise(
    rng: np.random.Generator, shape: tuple[int, int], sd: float, memory: float
) -> Array:
    """Return stationary first-order autoregressive noise (P, T) of the given spread."""
    noise = sd * rng.standard_normal(shape)
    for step in range(1, shape[1]):
        noise[:, step] = memory * noise[:, step - 1] + np.sqrt(1.0 - memory**2) * noise[:, step]
    return noise
