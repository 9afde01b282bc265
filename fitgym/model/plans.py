"""Plans as sessions: structured runs that sum to a target, and their course second by second.

The targets are those of Fang et al. 2022; what a plan asks for within the session is ours, since
the paper gives the points only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitgym.common.validation import require_number
from fitgym.model.daniels import POINTS_PER_MINUTE, Zone, zone_speeds

GRID_STEP_S = 10.0  # the grid of the heart-rate recordings

# Ours. Up to here a plan is easy running only.
_EASY_ONLY_TRIMP = 9.0
# Ours. The session lasts 30 minutes plus 1.5 a point, and at most 105 minutes.
_MINUTES_AT_ZERO = 30.0
_MINUTES_PER_POINT = 1.5
_LONGEST_MINUTES = 105.0
# Ours. Easy running that stays before and after the block, together.
_WARM_UP_AND_COOL_DOWN_MINUTES = 15.0


@dataclass(frozen=True)
class Segment:
    """A part of a session in one zone.

    Attributes:
        zone: The zone.
        minutes: How long, > 0.
    """

    zone: Zone
    minutes: float

    @property
    def trimp(self) -> float:
        """Points of the segment."""
        return self.minutes * POINTS_PER_MINUTE[self.zone]


def plan_segments(target_trimp: float) -> tuple[Segment, ...]:
    """Return the session of a plan; its points sum to the target.

    Up to 9 points the session is easy running. Above, it lasts ``min(30 + 1.5 a, 105)`` minutes:
    a block at marathon pace in the middle of easy running while at least 15 easy minutes remain,
    beyond that 7.5 easy minutes before and after, and the end of the block at threshold pace.
    Targets above 57 points, where the whole block is at threshold pace, lengthen the session
    instead.

    Args:
        target_trimp: ``a``, points, in (0, 200].

    Raises:
        ValueError: If the target is out of range.
    """
    target = require_number("target_trimp", target_trimp, 0, 200, low_open=True)
    easy, marathon, threshold = (
        POINTS_PER_MINUTE[zone] for zone in (Zone.EASY, Zone.MARATHON, Zone.THRESHOLD)
    )
    if target <= _EASY_ONLY_TRIMP:
        return (Segment(Zone.EASY, target / easy),)
    duration = min(_MINUTES_AT_ZERO + _MINUTES_PER_POINT * target, _LONGEST_MINUTES)
    easy_minutes = _WARM_UP_AND_COOL_DOWN_MINUTES
    block = duration - easy_minutes
    marathon_minutes = (target - easy * duration) / (marathon - easy)
    if marathon_minutes <= block:
        easy_minutes = duration - marathon_minutes
        blocks = [(Zone.MARATHON, marathon_minutes)]
    else:
        block_target = target - easy * easy_minutes
        threshold_minutes = (block_target - marathon * block) / (threshold - marathon)
        if threshold_minutes < block:
            blocks = [
                (Zone.MARATHON, block - threshold_minutes),
                (Zone.THRESHOLD, threshold_minutes),
            ]
        else:
            blocks = [(Zone.THRESHOLD, block_target / threshold)]
    middle = [Segment(zone, minutes) for zone, minutes in blocks]
    return (
        Segment(Zone.EASY, easy_minutes / 2.0),
        *middle,
        Segment(Zone.EASY, easy_minutes / 2.0),
    )


@dataclass(frozen=True, eq=False)
class SessionCourse:
    """A session on the 10-s grid, on flat ground; arrays of shape (n,).

    A step lies within one zone, so the last step of a segment may be shorter than the grid's.

    Attributes:
        duration_s: Length of each step, in (0, 10].
        zone: Zone of each step.
        speed_m_s: Speed during each step.
        points: Points of each step.
    """

    duration_s: NDArray[np.float64]
    zone: NDArray[np.int64]
    speed_m_s: NDArray[np.float64]
    points: NDArray[np.float64]

    @property
    def elapsed_s(self) -> NDArray[np.float64]:
        """Time at the start of each step."""
        return np.concatenate(([0.0], np.cumsum(self.duration_s)[:-1]))


def session_course(segments: tuple[Segment, ...], vdot: float) -> SessionCourse:
    """Return the course of a session for a runner of the given VDOT.

    Args:
        segments: The parts of the session.
        vdot: Running performance, which sets the speed of each zone.

    Raises:
        ValueError: If VDOT is out of range or there is no segment.
    """
    if not segments:
        raise ValueError("segments must hold at least one segment, got none")
    speeds = zone_speeds(vdot) / 60.0
    durations, zones = [], []
    for segment in segments:
        seconds = segment.minutes * 60.0
        whole = int(seconds // GRID_STEP_S)
        steps = [GRID_STEP_S] * whole
        rest = seconds - whole * GRID_STEP_S
        # A rest of rounding size would make a step of no length.
        if rest > 1e-6:
            steps.append(rest)
        durations.extend(steps)
        zones.extend([int(segment.zone)] * len(steps))
    zone = np.array(zones, dtype=np.int64)
    duration = np.array(durations)
    return SessionCourse(
        duration_s=duration,
        zone=zone,
        speed_m_s=speeds[zone],
        points=duration / 60.0 * np.asarray(POINTS_PER_MINUTE)[zone],
    )
