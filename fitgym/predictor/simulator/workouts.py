"""Virtual people and their recorded workouts, to pre-train the network on.

The people are drawn so that their recordings look like the real ones in the figures that
``recording_statistics.recording_figures`` measures; ``fitgym predictor simulate`` shows both side
by side. Every distribution is ours, set to those figures; the equation is in ``heart_rate``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitgym.common.validation import require_integer
from fitgym.logs.workout import GRID_STEP_S, MINIMUM_HEART_RATE_BPM, Workout
from fitgym.predictor.simulator.heart_rate import (
    CARRY_OVER_BPM,
    DEMAND_SHARE,
    RECOVERY_DAYS,
    TYPICAL,
    TYPICAL_EXPONENT,
    TYPICAL_HIGHEST_BPM,
    TYPICAL_LOWEST_BPM,
    HeartDynamics,
    carry_over,
    climb_rate,
    demand,
    heart_rate_response,
    internal_load,
)
from fitgym.predictor.simulator.routes import RouteStyle, draw_route

Array = NDArray[np.float64]

# Shares of sports, close to those of the real recordings.
SPORT_SHARES = {"run": 0.55, "bike": 0.2, "walk": 0.2, "other": 0.05}
# A person's daily offset (form, heat, sleep, strap), the spread between workouts of one person.
OFFSET_SD_BPM = {"run": 10.0, "bike": 9.0, "walk": 12.0, "other": 10.0}
# Effort that speed and climb do not show (wind, drafting, surface, luggage), as demand in bpm.
EFFORT_SD_BPM = {"run": 2.5, "bike": 9.0, "walk": 7.0, "other": 9.0}
EFFORT_MEMORY = 0.96


# Share of the workouts that are in a sport drawn at random rather than the person's own.
OTHER_SPORT_SHARE = 0.15
TRAITS = 13


@dataclass(frozen=True)
class SimulatorConfig:
    """How many workouts to simulate, and how they differ.

    Attributes:
        people: Number of virtual people.
        workouts: Workouts of each.
        longest_steps: No workout is longer than this many grid steps.
        seed: Seed of everything random.
        offset_memory: Correlation of one workout's offset with the next one's.
        residual_sd_bpm: Spread of the remaining fluctuation.
        residual_memory: Its correlation from one grid step to the next.
    """

    people: int = 2000
    workouts: int = 5
    longest_steps: int = 640
    seed: int = 0
    offset_memory: float = 0.2
    residual_sd_bpm: float = 4.0
    residual_memory: float = 0.86

    def __post_init__(self) -> None:
        require_integer("people", self.people, 1, 1_000_000)
        require_integer("workouts", self.workouts, 1, 10_000)
        require_integer("longest_steps", self.longest_steps, 30)
        require_integer("seed", self.seed, 0)


@dataclass(frozen=True, eq=False)
class VirtualPeople:
    """P virtual people.

    Attributes:
        users: Their names.
        main_sports: (P,) the sport each mostly does.
        female: (P,) whether the person is a woman.
        genders: (P,) what the recordings tell of it.
        traits: (P, 13) what makes their hearts differ, standard normal.
    """

    users: list[str]
    main_sports: NDArray[np.str_]
    female: NDArray[np.bool_]
    genders: NDArray[np.str_]
    traits: Array


def draw_traits(rng: np.random.Generator, people: int) -> Array:
    """Return the traits of P people, (P, 13): standard normal draws between -2.5 and 2.5."""
    traits = rng.standard_normal((people, TRAITS))
    while (outside := np.abs(traits) > 2.5).any():
        traits[outside] = rng.standard_normal(int(outside.sum()))
    return traits


def heart_dynamics_of(
    traits: Array, sports: NDArray[np.str_], female: NDArray[np.bool_]
) -> HeartDynamics:
    """Return the heart dynamics of P people in the sport each of them does.

    A person's traits are the same in every sport, so who responds strongly in one does in others.

    Args:
        traits: (P, 13) from ``draw_traits``.
        sports: (P,) entries of ``SPORT_SHARES``.
        female: (P,) women run somewhat slower at a somewhat higher heart rate.
    """
    run, bike, walk, other = (sports == sport for sport in SPORT_SHARES)
    trait = iter(traits.T)

    def typical(name: str) -> Array:
        return np.array([getattr(TYPICAL[sport], name) for sport in sports])

    def spread(sd: Array | float) -> Array:
        factor: Array = np.exp(sd * next(trait))
        return factor

    lowest = TYPICAL_LOWEST_BPM + 7.0 * next(trait) + 3.0 * female
    highest = TYPICAL_HIGHEST_BPM + 6.0 * next(trait)
    usual_speed = typical("usual_speed_m_s") * spread(
        np.where(other, 0.5, np.where(run, 0.16, 0.2))
    )
    usual_speed *= np.where(female & ~bike, 0.88, 1.0)
    share = typical("usual_share") + np.where(run, 0.03, 0.06) * next(trait)
    usual = lowest + share * (highest - lowest)
    # The slope follows from the heart rate standing still, except in walking, whose speed is so
    # low that an own spread of the slope serves better.
    standing_share = typical("standing_share") + 0.08 * next(trait)
    standing = np.minimum(lowest + standing_share * (highest - lowest), usual - 15.0)
    slope_walking = 12.0 * spread(0.5)
    standing[walk] = (usual - slope_walking * usual_speed)[walk]
    lag_s = typical("lag_s") * spread(0.5)
    return HeartDynamics(
        lowest_bpm=lowest,
        highest_bpm=highest,
        standing_bpm=standing,
        usual_speed_m_s=usual_speed,
        usual_bpm=usual,
        climb_factor=typical("climb_factor") * spread(0.25),
        drift=typical("drift") + 0.035 * next(trait),
        demand_rate=60.0 * GRID_STEP_S / (DEMAND_SHARE * lag_s),
        response_rate=60.0 * GRID_STEP_S / ((1.0 - DEMAND_SHARE) * lag_s),
        lower_exponent=TYPICAL_EXPONENT * spread(0.4),
        upper_exponent=TYPICAL_EXPONENT * spread(0.4),
        carry_over_bpm=CARRY_OVER_BPM * spread(0.4),
        recovery_days=RECOVERY_DAYS * spread(0.3),
    )


def draw_virtual_people(config: SimulatorConfig) -> VirtualPeople:
    """Draw the virtual people of ``config``; the same ones every time."""
    rng = np.random.default_rng([config.seed, 0])
    people = config.people
    sports = rng.choice(list(SPORT_SHARES), size=people, p=list(SPORT_SHARES.values()))
    female = rng.random(people) < 0.4
    told = rng.random(people) < 0.5
    return VirtualPeople(
        users=[f"v{person:05d}" for person in range(people)],
        main_sports=sports,
        female=female,
        genders=np.where(told, np.where(female, "female", "male"), "unknown"),
        traits=draw_traits(rng, people),
    )


def response_scores(virtual: VirtualPeople) -> Array:
    """Return how each person's heart rate responds to his main sport, (P, 5), as z-scores.

    Scores are within the sport, of the level (heart rate at the sport's usual speed), the slope
    over speed, the lag, the drift and the ceiling; the rows of the network's user embedding begin
    at them.
    """
    sports = virtual.main_sports
    people = heart_dynamics_of(virtual.traits, sports, virtual.female)
    slope = (people.usual_bpm - people.standing_bpm) / people.usual_speed_m_s
    reference = np.array([TYPICAL[sport].usual_speed_m_s for sport in sports])
    raw = np.stack(
        [
            people.standing_bpm + slope * reference,
            np.log(slope),
            -np.log(people.demand_rate),
            people.drift,
            people.highest_bpm,
        ],
        axis=1,
    )
    scaled = np.zeros_like(raw)
    for sport in SPORT_SHARES:
        own = raw[sports == sport]
        if len(own) > 1:
            scaled[sports == sport] = (own - own.mean(axis=0)) / own.std(axis=0)
    return scaled


def simulate_workouts(config: SimulatorConfig) -> list[Workout]:
    """Simulate the recordings of virtual people.

    Args:
        config: How many, and how they differ.

    Returns:
        The workouts, each person's in time order; users are named ``v00000``, ``v00001``, ...
    """
    virtual = draw_virtual_people(config)
    rng = np.random.default_rng([config.seed, 1])
    people, shape = config.people, (config.people, config.longest_steps)
    styles = [{sport: RouteStyle.draw(rng, sport) for sport in SPORT_SHARES} for _ in range(people)]
    offset = rng.standard_normal(people)
    load, day, days_since = np.zeros(people), np.zeros(people), np.ones(people)
    records: list[list[Workout]] = [[] for _ in range(people)]
    for number in range(config.workouts):
        other = rng.random(people) < OTHER_SPORT_SHARE
        sports = np.where(other, rng.choice(list(SPORT_SHARES), size=people), virtual.main_sports)
        dynamics = heart_dynamics_of(virtual.traits, sports, virtual.female)
        speed, altitude = np.zeros(shape), np.zeros(shape)
        lengths = np.empty(people, dtype=np.int64)
        for person in range(people):
            style, usual_speed = styles[person][sports[person]], dynamics.usual_speed_m_s[person]
            route = draw_route(rng, style, usual_speed, config.longest_steps)
            steps = lengths[person] = len(route[0])
            speed[person, :steps], altitude[person, :steps] = route
            altitude[person, steps:] = route[1][-1]
        form = offset * np.array([OFFSET_SD_BPM[sport] for sport in sports])
        tired = carry_over(dynamics, load, days_since)
        target = demand(dynamics, speed, climb_rate(altitude), form + tired)
        effort_sd = np.array([EFFORT_SD_BPM[sport] for sport in sports])
        target += effort_sd[:, None] * autoregressive_noise(rng, shape, 1.0, EFFORT_MEMORY)
        initial = np.maximum(rng.normal(92.0, 17.0, people), dynamics.lowest_bpm + 5.0)
        heart_rate = heart_rate_response(dynamics, target, initial)
        load = internal_load(dynamics, heart_rate)[np.arange(people), lengths - 1]
        recorded = heart_rate + autoregressive_noise(
            rng, shape, config.residual_sd_bpm, config.residual_memory
        )
        recorded = np.clip(recorded, MINIMUM_HEART_RATE_BPM, dynamics.highest_bpm[:, None] + 5.0)
        for person, length in enumerate(lengths):
            has_altitude = styles[person][sports[person]].has_altitude
            records[person].append(
                Workout(
                    identifier=f"{virtual.users[person]}-{number}",
                    user=virtual.users[person],
                    sport=str(sports[person]),
                    gender=str(virtual.genders[person]),
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
        offset = memory * offset + np.sqrt(1.0 - memory**2) * fresh
    return [workout for person in records for workout in person]


def autoregressive_noise(
    rng: np.random.Generator, shape: tuple[int, int], sd: float, memory: float
) -> Array:
    """Return stationary first-order autoregressive noise (P, T) of the given spread."""
    noise = sd * rng.standard_normal(shape)
    for step in range(1, shape[1]):
        noise[:, step] = memory * noise[:, step - 1] + np.sqrt(1.0 - memory**2) * noise[:, step]
    return noise
