"""Points of a session whose zones nobody wrote down, from its speed.

A session mixes zones, so a mean pace between two zones' paces stands for time in both: the rate of
points is interpolated between the speeds of Daniels' zones. A mix of easy running and marathon pace
gets exactly its points from the mean speed alone; a zone never run is never counted.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fitgym.model.daniels import POINTS_PER_MINUTE, Zone, zone_speeds

Array = NDArray[np.float64]

# Ours: slow running counts half as much as easy running at least; in between the line from easy
# running to marathon pace goes on, so that errors of speed even out.
SLOWEST_RATE = 0.1


def points_per_minute(speed_m_min: Array | float, vdot: float) -> Array:
    """Return the points a minute at a speed, interpolated between the speeds of the zones.

    Below easy running it falls on to ``SLOWEST_RATE``, standing still counts nothing; above
    repetitions it is that of repetitions.

    Args:
        speed_m_min: Speeds in metres per minute, any shape.
        vdot: VDOT that sets the speeds of the zones, in [10, 100].
    """
    speed = np.asarray(speed_m_min, dtype=np.float64)
    speeds = zone_speeds(vdot)
    easy, marathon = (POINTS_PER_MINUTE[zone] for zone in (Zone.EASY, Zone.MARATHON))
    share = (easy - SLOWEST_RATE) / (marathon - easy)
    slowest = speeds[Zone.EASY] - share * (speeds[Zone.MARATHON] - speeds[Zone.EASY])
    nodes = np.append(slowest, speeds)
    rates: Array = np.interp(speed, nodes, (SLOWEST_RATE, *POINTS_PER_MINUTE))
    return np.where(speed > 0.0, rates, 0.0)


def session_points(distance_m: Array | float, minutes: Array | float, vdot: float) -> Array:
    """Return the points of sessions from their distance and time.

    Args:
        distance_m: Metres, any shape.
        minutes: Minutes, of the same shape; NaN where the time is not known.
        vdot: VDOT that sets the speeds of the zones.

    Returns:
        Points, in the same shape; 0 where the time is not known.
    """
    time = np.asarray(minutes, dtype=np.float64)
    known = np.isfinite(time) & (time > 0.0)
    safe = np.where(known, time, 1.0)
    points = safe * points_per_minute(np.asarray(distance_m, dtype=np.float64) / safe, vdot)
    return np.where(known, points, 0.0)
