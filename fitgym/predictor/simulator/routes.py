"""Speeds and altitudes of the workouts that virtual people do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitgym.logs.workout import GRID_STEP_S, MAXIMUM_SPEED_M_S

Array = NDArray[np.float64]

# Shares of the kinds of workout, by sport (ours).
STRUCTURES = {
    "run": {"steady": 0.35, "progression": 0.1, "intervals": 0.2, "zones": 0.35},
    "bike": {"steady": 0.7, "intervals": 0.3},
    "walk": {"steady": 0.6, "intervals": 0.4},
    "other": {"steady": 0.6, "intervals": 0.4},
}
# Share of short workouts of 6 to 15 minutes.
SHORT_SHARE = 0.1
# Paces in shares of the usual speed: Daniels' easy, marathon and threshold paces of one runner
# relate about as 1 : 1.17 : 1.28, and training runs lie a little above easy.
EASY, MARATHON, THRESHOLD, FAST = 0.93, 1.08, 1.19, 1.3


@dataclass(frozen=True)
class RouteStyle:
    """What one person's workouts have in common.

    Attributes:
        sport: ``run``, ``bike``, ``walk`` or ``other``.
        median_minutes: Median duration.
        hilliness: Spread of the gradient.
        has_altitude: Whether his recordings hold the altitude.
        stops_per_hour: How often he stops.
        roughness: Relative spread of the speed around its plan.
    """

    sport: str
    median_minutes: float
    hilliness: float
    has_altitude: bool
    stops_per_hour: float
    roughness: float

    @classmethod
    def draw(cls, rng: np.random.Generator, sport: str) -> RouteStyle:
        """Draw a person's style for his sport."""
        minutes = {"run": 36.0, "bike": 45.0, "walk": 20.0, "other": 45.0}[sport]
        return cls(
            sport=sport,
            median_minutes=minutes * float(np.exp(rng.normal(0.0, 0.3))),
            hilliness=float(rng.choice([0.0, 0.01, 0.02, 0.035], p=[0.3, 0.3, 0.25, 0.15])),
            has_altitude=bool(rng.random() < (0.15 if sport == "walk" else 0.85)),
            stops_per_hour=float(rng.choice([0.0, 1.0, 4.0])),
            roughness=float(rng.uniform(0.02, 0.12)) * (2.0 if sport != "run" else 1.0),
        )


def draw_route(
    rng: np.random.Generator, style: RouteStyle, usual_speed_m_s: float, longest_steps: int
) -> tuple[Array, Array]:
    """Draw one workout.

    Args:
        rng: Source of randomness.
        style: The person's style.
        usual_speed_m_s: His usual speed in the sport.
        longest_steps: Largest number of grid steps.

    Returns:
        Speed in m/s and altitude in m relative to the start, each (T,).
    """
    minutes = style.median_minutes * float(np.exp(rng.normal(0.0, 0.35)))
    if rng.random() < SHORT_SHARE:
        minutes = float(rng.uniform(6.0, 15.0))
    steps = int(np.clip(minutes * 60.0 / GRID_STEP_S, 36, longest_steps))
    kinds = STRUCTURES[style.sport]
    kind = str(rng.choice(list(kinds), p=list(kinds.values())))
    relative = _structure(rng, kind, steps) * float(np.exp(rng.normal(0.0, 0.08)))
    relative *= np.exp(_wander(rng, steps, style.roughness, 0.85))
    gradient = _wander(rng, steps, style.hilliness, 0.95)
    # People slow down uphill, cyclists far more, and gain only part of it back downhill.
    slowing = 12.0 if style.sport == "bike" else 3.5
    relative *= np.where(
        gradient > 0.0, np.exp(-slowing * gradient), 1.0 - 0.4 * slowing * gradient
    )
    for _ in range(rng.poisson(style.stops_per_hour * steps * GRID_STEP_S / 3600.0)):
        start = int(rng.integers(0, steps))
        relative[start : start + int(rng.integers(1, 13))] = 0.0
    relative[0] *= 0.5
    speed = np.minimum(usual_speed_m_s * np.maximum(relative, 0.0), MAXIMUM_SPEED_M_S)
    altitude = np.cumsum(gradient * speed) * GRID_STEP_S
    return speed, altitude - altitude[0]


def _structure(rng: np.random.Generator, kind: str, steps: int) -> Array:
    """Return the planned speed (steps,) as a share of the usual speed."""
    relative = np.ones(steps)
    if kind == "progression":
        relative = np.linspace(rng.uniform(0.8, 0.95), rng.uniform(1.0, 1.25), steps)
    elif kind == "intervals":
        relative[:] = EASY
        step = int(rng.integers(30, 91))
        fast, slow = int(rng.integers(3, 31)), int(rng.integers(6, 19))
        pace, rest = rng.uniform(1.1, FAST), rng.uniform(0.0, 0.9)
        while step + fast < steps - 18:
            relative[step : step + fast] = pace
            relative[step + fast : step + fast + slow] = rest
            step += fast + slow
    elif kind == "zones":
        # Easy before and after, a block at marathon pace, its end at threshold pace or faster.
        easy = rng.uniform(0.15, 0.6) * steps
        begin, end = int(easy / 2), int(steps - easy / 2)
        threshold = int(end - rng.choice([0.0, rng.uniform(0.0, 1.0)]) * (end - begin))
        relative[:] = EASY
        relative[begin:threshold] = MARATHON * rng.uniform(0.95, 1.05)
        relative[threshold:end] = rng.uniform(THRESHOLD, FAST)
    else:
        relative *= np.exp(rng.normal(0.0, 0.06))
    return relative


def _wander(rng: np.random.Generator, steps: int, sd: float, memory: float) -> Array:
    """Return a stationary first-order autoregressive series (steps,)."""
    series = sd * rng.standard_normal(steps)
    innovation = float(np.sqrt(1.0 - memory**2))
    for step in range(1, steps):
        series[step] = memory * series[step - 1] + innovation * series[step]
    return series
