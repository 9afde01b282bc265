"""Which paces are plausible, for a whole log and for a session beside the others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from fitgym.model.daniels import METRES_PER_MILE, vdot

# Ours: above the world records, whose VDOT is 82 to 86.
_HIGHEST_VDOT = 90.0
_SHORTEST_VDOT_MINUTES = 1.5
# Ours: beside the median of the others, a race over 5 km is not faster by more, a walk is slower.
_FASTEST_RATIO, _FASTEST_FROM_M = 1.6, 2000.0
_SLOWEST_RATIO = 0.52
# Ours: share of the rows that must have a possible pace.
_SHARE = 0.7


@dataclass(frozen=True)
class Paces:
    """Paces of a sport in min/km. All are ours.

    Attributes:
        usual: Range of the median over a log whose unit is told.
        bare: Range of the median that a unit which is not told may give.
        miles: Range of the median that miles which are not told may give; narrower at the fast end,
            where kilometres are the likelier.
        possible: Range of single sessions.
        distance_m: Range of the median distance.
    """

    usual: tuple[float, float]
    bare: tuple[float, float]
    miles: tuple[float, float]
    possible: tuple[float, float]
    distance_m: tuple[float, float] = (300.0, 80_000.0)

    def is_usual(self, pace: float) -> bool:
        """Return whether a median pace is plausible where the unit is told."""
        return self.usual[0] <= pace <= self.usual[1]

    def fits(
        self, pairs: Sequence[tuple[float, float]], pace: float, bare_unit: str | None
    ) -> bool:
        """Return whether metres and minutes of a log are plausible.

        Args:
            pairs: Metres and minutes of each session.
            pace: Their median pace, min/km.
            bare_unit: The unit that they are read in, None where the log tells it.
        """
        low, high = self.usual
        if bare_unit is not None:
            low, high = self.miles if bare_unit == "miles" else self.bare
        possible = sum(self.possible[0] <= 1000.0 * b / a <= self.possible[1] for a, b in pairs)
        middle = median(metres for metres, _ in pairs)
        return (
            low <= pace <= high
            and possible >= _SHARE * len(pairs)
            and self.distance_m[0] <= middle <= self.distance_m[1]
        )

    def distance(self, pace: float) -> float:
        """Return how far a pace is from the usual ones, as a logarithm."""
        middle = math.sqrt(self.usual[0] * self.usual[1])
        return abs(math.log(pace / middle)) if pace > 0.0 else math.inf


PACES = {
    "run": Paces((2.9, 13.0), (2.9, 8.25), (3.85, 8.6), (1.5, 20.0)),
    "walk": Paces((6.0, 40.0), (8.0, 20.0), (8.0, 20.0), (4.0, 60.0)),
    "hike": Paces((6.0, 60.0), (8.0, 30.0), (8.0, 30.0), (4.0, 120.0)),
    "bike": Paces((1.1, 8.0), (1.3, 6.0), (1.3, 6.0), (0.7, 15.0), (1000.0, 300_000.0)),
    "swim": Paces((9.0, 70.0), (11.0, 50.0), (11.0, 50.0), (7.0, 120.0), (100.0, 20_000.0)),
    "ski": Paces((1.5, 30.0), (2.0, 15.0), (2.0, 15.0), (0.7, 60.0)),
    "other": Paces((0.5, 100.0), (0.5, 100.0), (0.5, 100.0), (0.3, 200.0), (50.0, 500_000.0)),
    "all": Paces((0.5, 100.0), (0.5, 100.0), (0.5, 100.0), (0.3, 200.0), (50.0, 500_000.0)),
}


def problem_of_session(metres: float, minutes: float, sport: str) -> str | None:
    """Return what is impossible about a session, or None; without a time nothing is.

    Args:
        metres: Its distance.
        minutes: Its time, NaN where it is not known.
        sport: One of ``PACES``.
    """
    if math.isnan(minutes):
        return None
    speed = metres / minutes
    told = f"{metres / 1000:.4g} km in {minutes:.4g} min"
    if not 25.0 <= speed <= 650.0:
        return told
    if sport == "run" and minutes >= _SHORTEST_VDOT_MINUTES:
        shown = float(vdot(metres, minutes))
        if shown > _HIGHEST_VDOT:
            return f"{told} is VDOT {shown:.0f}, above every world record"
    return None


def outliers(pairs: Sequence[tuple[float, float]], sport: str) -> dict[int, str]:
    """Return the sessions whose pace is implausible beside the others, and what it is.

    Args:
        pairs: Metres and minutes of each session; NaN minutes are passed over.
        sport: One of ``PACES``.
    """
    speeds = [metres / minutes if minutes > 0.0 else math.nan for metres, minutes in pairs]
    known = [speed for speed in speeds if not math.isnan(speed)]
    if len(known) < 5 or sport != "run":
        return {}
    middle = median(known)
    odd = {}
    for index, (speed, (metres, minutes)) in enumerate(zip(speeds, pairs, strict=True)):
        fast = speed > _FASTEST_RATIO * middle and metres >= _FASTEST_FROM_M
        if fast or speed < _SLOWEST_RATIO * middle:
            pace = 1000.0 / speed
            odd[index] = (
                f"{metres / 1000:.4g} km in {minutes:.4g} min: {pace:.2f} min/km, the median is "
                f"{1000.0 / middle:.2f}"
            )
    return odd


def pace_text(pace_min_per_km: float, unit: str) -> str:
    """Return a pace as people write it, per mile where the unit is one of miles, yards or feet."""
    if math.isnan(pace_min_per_km):
        return "unknown"
    imperial = unit in ("miles", "yards", "ft")
    pace = pace_min_per_km * (METRES_PER_MILE / 1000.0 if imperial else 1.0)
    seconds = round(60.0 * pace)
    return f"{seconds // 60}:{seconds % 60:02d} min/{'mile' if imperial else 'km'}"
