"""Routes: altitude over distance, and the session that going along one at a speed makes.

The speed is the one on the flat at the same oxygen cost (``exertion.session_cost``): slower uphill,
faster downhill, as people go who keep their effort. Descents are bounded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitgym.common.validation import require_choice, require_number
from fitgym.logs.activity import Activity
from fitgym.logs.workout import GRID_STEP_S, MAXIMUM_ALTITUDE_M
from fitgym.predictor.channels import sport_family
from fitgym.predictor.exertion import session_cost
from fitgym.predictor.sessions import Session

Array = NDArray[np.float64]

PACINGS = ("effort", "even")
# Altitude is taken every so many metres, as the mean over the stretch below: satellites err by
# metres from point to point, and a heart does not notice a kerb (both ours).
SPACING_M, SMOOTHING_M = 20.0, 100.0
# Steeper grades are errors of the altitude, or stairs.
STEEPEST = 0.35
# Nobody lets go downhill by more than this, as a factor on foot and in m/s on a bicycle (ours).
DOWNHILL_FACTOR, DOWNHILL_RIDE_M_S = 1.25, 14.0
LONGEST_ROUTE_M, LONGEST_HOURS = 500_000.0, 24.0
SLOWEST_M_S = 0.3
_CANDIDATES = 400


@dataclass(frozen=True, eq=False)
class Route:
    """A route.

    Attributes:
        name: What it is called.
        distance_m: (P,) from 0 on, strictly rising, P >= 2.
        altitude_m: (P,) above any origin.
        has_altitude: Whether the altitude is known; all zero if not.
    """

    name: str
    distance_m: Array
    altitude_m: Array
    has_altitude: bool = True

    def __post_init__(self) -> None:
        """Check the values."""
        distance, altitude = self.distance_m, self.altitude_m
        if len(distance) < 2 or len(distance) != len(altitude):
            raise ValueError(f"route {self.name!r} must have two points or more")
        if distance[0] != 0.0 or not (np.diff(distance) > 0.0).all():
            raise ValueError(f"distance_m of route {self.name!r} must rise from 0")
        require_number(
            f"length of route {self.name!r}", float(distance[-1]), SPACING_M, LONGEST_ROUTE_M
        )
        if not (np.abs(altitude) <= MAXIMUM_ALTITUDE_M).all():
            raise ValueError(
                f"altitude_m of route {self.name!r} must be within {MAXIMUM_ALTITUDE_M:g} m"
            )

    @property
    def length_m(self) -> float:
        """Length in metres."""
        return float(self.distance_m[-1])

    @property
    def climb_m(self) -> float:
        """Metres climbed, after smoothing."""
        _, altitude = self.profile()
        return float(np.maximum(np.diff(altitude), 0.0).sum())

    def profile(self) -> tuple[Array, Array]:
        """Return distance and smoothed altitude (N,) at an even spacing of about ``SPACING_M``."""
        pieces = max(round(self.length_m / SPACING_M), 1)
        distance = np.linspace(0.0, self.length_m, pieces + 1)
        altitude = np.interp(distance, self.distance_m, self.altitude_m)
        half = round(SMOOTHING_M / SPACING_M) // 2
        padded = np.concatenate(
            [
                # Mirrored through the end points, so that a steady slope stays one.
                2.0 * altitude[0] - altitude[1 : half + 1][::-1],
                altitude,
                2.0 * altitude[-1] - altitude[-half - 1 : -1][::-1],
            ]
        )
        width = len(padded) - len(altitude) + 1
        smoothed = np.convolve(padded, np.full(width, 1.0 / width), mode="valid")
        return distance, smoothed

    def session(self, sport: str, speed_m_s: float, pacing: str = "effort") -> Session:
        """Return the session of going along the route.

        Args:
            sport: Name of the sport.
            speed_m_s: Speed on the flat.
            pacing: ``"effort"`` keeps the oxygen cost, ``"even"`` the speed.

        Raises:
            ValueError: If it would take more than a day.
        """
        require_choice("pacing", pacing, PACINGS)
        require_number("speed_m_s", speed_m_s, SLOWEST_M_S, 40.0)
        distance, altitude = self.profile()
        grade = np.clip(np.diff(altitude) / np.diff(distance), -STEEPEST, STEEPEST)
        speeds = np.full(len(grade), speed_m_s)
        if pacing == "effort" and self.has_altitude:
            speeds = effort_speed(sport, speed_m_s, grade)
        arrival = np.concatenate([[0.0], np.cumsum(np.diff(distance) / speeds)])
        if arrival[-1] > 3600.0 * LONGEST_HOURS:
            raise ValueError(
                f"route {self.name!r} must take at most {LONGEST_HOURS:g} h, got "
                f"{arrival[-1] / 3600.0:.1f} h at {speed_m_s:g} m/s"
            )
        times = np.arange(0.0, max(arrival[-1], GRID_STEP_S) + 1e-9, GRID_STEP_S)
        places = np.interp(times, arrival, distance)
        # The speed at a step is that of the ten seconds before it, as a watch records it.
        covered = np.diff(places) / GRID_STEP_S
        speed = np.concatenate([covered[:1], covered])
        return Session(
            speed_m_s=speed,
            altitude_m=np.interp(places, distance, altitude) * self.has_altitude,
            has_altitude=self.has_altitude,
            sport=sport,
        )


def effort_speed(sport: str, flat_m_s: float, grade: Array) -> Array:
    """Return the speed (N,) in m/s at grades (N,) that costs what ``flat_m_s`` costs on the flat.

    Where every speed costs less, as on a steep descent, it is the fastest that is allowed; where
    every speed costs more, the slowest.
    """
    wanted = float(session_cost(sport, np.array([flat_m_s]), np.zeros(1))[0])
    if sport_family(sport) == "bike":
        fastest = max(DOWNHILL_RIDE_M_S, flat_m_s)
    else:
        fastest = DOWNHILL_FACTOR * flat_m_s
    candidates = np.linspace(min(SLOWEST_M_S, flat_m_s), fastest, _CANDIDATES)
    rounded, index = np.unique(np.round(grade, 3), return_inverse=True)
    speeds = np.empty(len(rounded))
    for number, slope in enumerate(rounded):
        cost = session_cost(sport, candidates, candidates * slope)
        # The last speed that costs no more; costs rise with speed but on descents by bicycle.
        below = np.flatnonzero(cost <= wanted + 1e-9)
        if not below.size:
            speeds[number] = candidates[0]
        elif below[-1] == len(candidates) - 1:
            speeds[number] = candidates[-1]
        else:
            pair = slice(below[-1], below[-1] + 2)
            speeds[number] = np.interp(wanted, cost[pair], candidates[pair])
    result: Array = speeds[index]
    return result


def route_of(activity: Activity) -> Route:
    """Return the route along which an activity went.

    Raises:
        ValueError: If the activity has neither distance nor speed, or stands still.
    """
    if activity.distance_m is not None:
        known = ~np.isnan(activity.distance_m)
        times, distance = activity.time_s[known], activity.distance_m[known]
    elif activity.speed_m_s is not None:
        known = ~np.isnan(activity.speed_m_s)
        times, speed = activity.time_s[known], activity.speed_m_s[known]
        pieces = 0.5 * (speed[1:] + speed[:-1]) * np.diff(times)
        distance = np.concatenate([[0.0], np.cumsum(pieces)])
    else:
        raise ValueError(f"{activity.source}: has neither distance nor speed")
    altitude = np.zeros(len(times))
    has_altitude = activity.altitude_m is not None and not np.isnan(activity.altitude_m).all()
    if has_altitude:
        assert activity.altitude_m is not None
        measured = ~np.isnan(activity.altitude_m)
        altitude = np.interp(times, activity.time_s[measured], activity.altitude_m[measured])
    return route_of_points(activity.identifier, distance, altitude, has_altitude)


def route_of_points(name: str, distance: Array, altitude: Array, has_altitude: bool) -> Route:
    """Return a route of points (P,) in order; points where nobody moves on are left out."""
    if len(distance) < 2:
        raise ValueError(f"route {name!r} must have two points or more, got {len(distance)}")
    offset = distance - distance[0]
    earlier = np.concatenate([[-1.0], np.maximum.accumulate(offset)[:-1]])
    kept = offset > earlier
    origin = altitude[kept][0] if has_altitude else 0.0
    return Route(name, offset[kept], (altitude[kept] - origin) * has_altitude, has_altitude)
