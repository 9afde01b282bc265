"""VDOT from best efforts: which sessions were races, and what they say of today's ability.

A session shows a VDOT (Daniels and Gilbert 1979); it is the runner's ability if it was a race and
less in training. What was a race nobody wrote down, so every session has a chance of having been
one, from its distance and its mean speed beside the person's others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitgym.model.daniels import oxygen_cost, vdot

Array = NDArray[np.float64]

# Distances that are raced, in metres; a watch measures up to 1.5 % too much (ours).
RACE_DISTANCES_M = (3000.0, 5000.0, 10_000.0, 15_000.0, 21_097.5, 42_195.0)
TOO_SHORT, TOO_LONG = 0.005, 0.015
# Shortest effort that says something of endurance (Daniels' tables begin at 1500 m).
SHORTEST_EFFORT_M = 1500.0
# Chance that a session of a race's distance, clearly faster than usual, was a race (ours). Who runs
# round distances at the usual pace must not be taken for somebody who races so; half marathons and
# marathons are hardly run but in races.
LIKELY_RACE = 0.7
CLEARLY_FASTER, LONG_RACE_M, LONG_RACE_FASTER = 1.1, 21_000.0, 0.95
# Nobody races more often than this all the time, so of round distances the fastest count (ours).
DAYS_BETWEEN_RACES = 14.0
# Where fewer of the sessions than this have a raced distance, those are hardly habit, however fast
# (ours).
RARE_SHARE = 0.15
# Share of VDOT at which people run as usual, and its spread between people: that of the
# predictor's virtual people (fitgym.predictor.fitrec2.people).
USUAL_SHARE, USUAL_SHARE_SD = 0.70, 0.06
# Ability is forgotten over about the time in which fitness is (Banister and Calvert 1976).
FORGETTING_DAYS = 42.0
# A best effort of training lies this much below ability, in log VDOT (``SHOWN_FACTOR``, 1.15, of
# fitgym.predictor.attributes), and a race this much: nobody always gives everything (ours).
TRAINING_SHORTFALL, TRAINING_SD = 0.14, 0.10
RACE_SHORTFALL, RACE_SD = 0.016, 0.016
# Typical VDOT of the population and its spread (docs/model.md).
TYPICAL_LOG_VDOT, TYPICAL_SD = float(np.log(41.0)), 0.22


@dataclass(frozen=True)
class VdotEstimate:
    """VDOT from sessions alone, without heart rate.

    Attributes:
        vdot: The estimate.
        log_sd: Standard deviation of its logarithm.
        races: How many sessions were taken for races.
    """

    vdot: float
    log_sd: float
    races: int


def shown_vdots(distance_m: Array, minutes: Array) -> Array:
    """Return the VDOT that each session shows, (n,); NaN where it says nothing."""
    told = np.isfinite(minutes) & (distance_m >= SHORTEST_EFFORT_M)
    shown = np.full(distance_m.shape, np.nan)
    if told.any():
        shown[told] = vdot(distance_m[told], minutes[told])
    return np.where(shown > 5.0, shown, np.nan)


def of_raced_distance(distance_m: Array) -> NDArray[np.bool_]:
    """Return which distances (n,) are those that are raced, as a watch measures them."""
    ratio = distance_m[:, None] / np.array(RACE_DISTANCES_M)
    return np.asarray(((ratio >= 1.0 - TOO_SHORT) & (ratio <= 1.0 + TOO_LONG)).any(axis=1))


def race_chances(distance_m: Array, minutes: Array, days: float) -> Array:
    """Return the chance that each session was a race, (n,).

    Args:
        distance_m: (n,) metres.
        minutes: (n,) minutes, NaN where the time is not known.
        days: From the first session to the last.
    """
    speed = distance_m / np.where(np.isfinite(minutes), minutes, np.nan)
    if not np.isfinite(speed).any():
        return np.zeros(distance_m.shape)
    raced_distance = of_raced_distance(distance_m)
    factor = np.where(distance_m >= LONG_RACE_M, LONG_RACE_FASTER, CLEARLY_FASTER)
    raced_distance &= speed > factor * np.nanmedian(speed)
    # Who often runs a round distance does not always race it.
    most = int(days / DAYS_BETWEEN_RACES) + 1
    ranked = np.flatnonzero(raced_distance & np.isfinite(speed))
    raced_distance[ranked[np.argsort(-speed[ranked])][most:]] = False
    chances = np.where(raced_distance, LIKELY_RACE, 0.0)
    return np.where(np.isfinite(shown_vdots(distance_m, minutes)), chances, 0.0)


def estimate_vdot(
    distance_m: Array, minutes: Array, days_ago: Array, chances: Array | None = None
) -> VdotEstimate:
    """Return today's VDOT from sessions: races and best efforts decayed in time, usual pace, prior.

    Every source is a normal number for log VDOT: each race with the spread of races, growing with
    its age; the best training effort of the last ``FORGETTING_DAYS`` days with what training falls
    short; the usual pace; and the population. They are weighed by precision.

    Args:
        distance_m: (n,) metres.
        minutes: (n,) minutes, NaN where the time is not known.
        days_ago: (n,) how long ago each session was.
        chances: (n,) chance that each was a race; None to judge from distance and pace.
    """
    if chances is None:
        chances = race_chances(distance_m, minutes, float(np.ptp(days_ago)) if days_ago.size else 0)
    shown = shown_vdots(distance_m, minutes)
    sources = [(TYPICAL_LOG_VDOT, TYPICAL_SD)]
    told = np.isfinite(shown)
    usual = told & (days_ago <= 3.0 * FORGETTING_DAYS)
    if not usual.any():
        usual = told
    if usual.any():
        cost = float(np.median(oxygen_cost(distance_m[usual] / minutes[usual])))
        spread = USUAL_SHARE_SD / USUAL_SHARE
        sources.append((float(np.log(max(cost, 5.0) / USUAL_SHARE)), max(spread, 0.14)))
    raced = told & (chances >= 0.5)
    # What racing shows may be hidden by one good course: at most one race for each half month.
    for number in np.flatnonzero(raced):
        # Ability wanders by some 4 % in the time in which fitness is forgotten (ours).
        wandered = 0.04 * np.sqrt(days_ago[number] / FORGETTING_DAYS)
        sd = float(np.hypot(max(RACE_SD, 0.03), wandered))
        sources.append((float(np.log(shown[number])) + RACE_SHORTFALL, sd))
    recent = told & ~raced & (days_ago <= FORGETTING_DAYS)
    if recent.any():
        best = float(np.log(np.nanmax(shown[recent])))
        sources.append((best + TRAINING_SHORTFALL, TRAINING_SD))
    means, sds = np.array(sources).T
    weights = sds**-2.0
    log_vdot = float(np.clip(weights @ means / weights.sum(), np.log(15.0), np.log(85.0)))
    return VdotEstimate(
        vdot=float(np.exp(log_vdot)), log_sd=float(weights.sum() ** -0.5), races=int(raced.sum())
    )
