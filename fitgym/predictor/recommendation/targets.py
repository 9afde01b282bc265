"""Targets of the heart rate, a range or a course over time, and how far a session misses one."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fitgym.common.validation import require_number
from fitgym.logs.workout import GRID_STEP_S, MAXIMUM_HEART_RATE_BPM, MINIMUM_HEART_RATE_BPM

Array = NDArray[np.float64]

# A heart takes minutes to reach a range from rest: three time constants of a minute (ours). Misses
# of a range are not counted before; a course says itself where it starts.
SETTLING_MINUTES = 3.0
# Within so many bpm of a course the heart is on it (ours: half the spread of a session's level).
COURSE_WIDTH_BPM = 5.0
# Longest course, a day.
LONGEST_COURSE_S = 86_400.0

_RANGE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(?:\.\.|-)\s*(\d+(?:\.\d+)?)\s*")


@dataclass(frozen=True, eq=False)
class Target:
    """Where the heart rate should be at each step.

    Attributes:
        name: What the target is called in tables.
        low_bpm: (T,) lowest heart rate that is on target, or (1,) where it is the same throughout.
        high_bpm: The highest one, in the same shape.
        centre_bpm: What the mean miss is measured from in a course; None in a range, where any
            heart rate inside is right.
        settling_steps: First steps that do not count.

    Raises:
        ValueError: If a heart rate is out of range, or the lowest is above the highest.
    """

    name: str
    low_bpm: Array
    high_bpm: Array
    centre_bpm: Array | None = None
    settling_steps: int = 0

    def __post_init__(self) -> None:
        """Check the values."""
        if len(self.low_bpm) != len(self.high_bpm) or not len(self.low_bpm):
            raise ValueError("a target must have as many lowest as highest heart rates")
        if (self.low_bpm > self.high_bpm).any():
            raise ValueError(
                f"a target's lowest heart rate must not be above its highest, got "
                f"{self.low_bpm[0]:g} and {self.high_bpm[0]:g}"
            )

    @property
    def is_course(self) -> bool:
        """Whether it is a course over time, not a range."""
        return self.centre_bpm is not None

    def miss(self, heart_rate: Array) -> Array:
        """Return how far heart rates (T,) are off at each step in bpm, above positive.

        A range is missed by the distance from its nearer end, a course by the distance from it.
        Steps beyond a course's end are not looked at.
        """
        if self.centre_bpm is not None:
            steps = min(len(heart_rate), len(self.centre_bpm))
            course: Array = heart_rate[:steps] - self.centre_bpm[:steps]
            return course
        beyond: Array = np.maximum(heart_rate - self.high_bpm, 0.0)
        return beyond - np.maximum(self.low_bpm - heart_rate, 0.0)

    @classmethod
    def range(cls, low: float, high: float, settling_minutes: float = SETTLING_MINUTES) -> Target:
        """Return a range in bpm that is to be kept after the first minutes."""
        for value in (low, high):
            require_number(
                "heart rate of a target", value, MINIMUM_HEART_RATE_BPM, MAXIMUM_HEART_RATE_BPM
            )
        require_number("settling_minutes", settling_minutes, 0.0, 60.0)
        steps = round(60.0 * settling_minutes / GRID_STEP_S)
        return cls(f"{low:g}..{high:g} bpm", np.array([low]), np.array([high]), None, steps)

    @classmethod
    def course(
        cls, heart_rate: Array, name: str = "course", width_bpm: float = COURSE_WIDTH_BPM
    ) -> Target:
        """Return a course (T,) on the 10-second grid that is to be followed."""
        return cls(name, heart_rate - width_bpm, heart_rate + width_bpm, heart_rate)


@dataclass(frozen=True)
class Match:
    """How a session's predicted heart rate lies to a target.

    Attributes:
        mean_miss_bpm: Mean absolute miss over the steps that count; of a course, a step that the
            session does not reach is missed by as much as a heart at rest misses it.
        minutes_on: Minutes on target.
        minutes_above: Minutes above it.
        minutes_below: Minutes below it.
        minutes_short: Minutes of a course that the session does not reach.
        minutes_over: Minutes of the session beyond the course's end.
        worst_bpm: Largest miss, signed.
        worst_minute: When, in minutes since the start.
        mean_heart_rate: Mean over the steps that count.
    """

    mean_miss_bpm: float
    minutes_on: float
    minutes_above: float
    minutes_below: float
    minutes_short: float
    minutes_over: float
    worst_bpm: float
    worst_minute: float
    mean_heart_rate: float


def match(target: Target, heart_rate: Array, resting_bpm: float) -> Match:
    """Return how a predicted heart rate (T,) in bpm lies to a target.

    Args:
        target: The target.
        heart_rate: The prediction.
        resting_bpm: The person's resting heart rate, for what is missing of a course.
    """
    miss = target.miss(heart_rate)
    # Of a session shorter than the settling time its last step counts.
    begin = min(target.settling_steps, len(miss) - 1)
    counted, seen = miss[begin:], heart_rate[begin : len(miss)]
    low, high = (
        ends[begin : len(miss)] if target.is_course else np.broadcast_to(ends, seen.shape)
        for ends in (target.low_bpm, target.high_bpm)
    )
    absolute = np.abs(counted)
    short = np.empty(0)
    over = 0
    if target.centre_bpm is not None:
        short = np.abs(target.centre_bpm[len(miss) :] - resting_bpm)
        over = max(len(heart_rate) - len(target.centre_bpm), 0)
    worst = int(np.argmax(absolute))
    above, below = seen > high, seen < low
    minutes = GRID_STEP_S / 60.0
    return Match(
        mean_miss_bpm=float((absolute.sum() + short.sum()) / (len(absolute) + len(short))),
        minutes_on=float((~above & ~below).sum() * minutes),
        minutes_above=float(above.sum() * minutes),
        minutes_below=float(below.sum() * minutes),
        minutes_short=len(short) * minutes,
        minutes_over=over * minutes,
        worst_bpm=float(counted[worst]),
        worst_minute=(begin + worst) * minutes,
        mean_heart_rate=float(seen.mean()),
    )


def read_target(text: str, settling_minutes: float = SETTLING_MINUTES) -> Target:
    """Return the target that ``text`` says.

    Args:
        text: A range as in ``140..150``, or the path of a CSV file with the columns ``seconds`` (or
            ``minutes``) and ``heart_rate``, between whose rows the course is linear.
        settling_minutes: First minutes in which a range is not asked for.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If the text is neither, or a value is out of range or order.
    """
    found = _RANGE.fullmatch(text)
    if found is not None:
        low, high = map(float, found.groups())
        if low > high:
            raise ValueError(
                f"a target's lowest heart rate must not be above its highest, got {text!r}"
            )
        return Target.range(low, high, settling_minutes)
    if not text.lower().endswith(".csv"):
        raise ValueError(
            f"a target must be a range as in 140..150, or the path of a .csv file, got {text!r}"
        )
    path = Path(text)
    return Target.course(_read_course(path), path.stem)


def _read_course(path: Path) -> Array:
    """Return the heart rate (T,) on the 10-second grid of a CSV file."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        names = {name.strip().lower(): name for name in rows.fieldnames or ()}
        unit = next((name for name in ("seconds", "minutes") if name in names), None)
        if unit is None or "heart_rate" not in names:
            raise ValueError(
                f"{path} must have the columns seconds or minutes, and heart_rate; it has "
                f"{', '.join(names) or 'none'}"
            )
        times, beats = [], []
        for number, row in enumerate(rows, start=2):
            where = f"{path} row {number}, column"
            times.append(_number(row[names[unit]], f"{where} {unit}", 0.0, LONGEST_COURSE_S))
            beats.append(
                _number(
                    row[names["heart_rate"]],
                    f"{where} heart_rate",
                    MINIMUM_HEART_RATE_BPM,
                    MAXIMUM_HEART_RATE_BPM,
                )
            )
    seconds = np.array(times) * (60.0 if unit == "minutes" else 1.0)
    if len(seconds) < 2 or seconds[0] != 0.0 or (np.diff(seconds) <= 0.0).any():
        raise ValueError(f"{path} must have two rows or more, from time 0 on, in rising order")
    if not GRID_STEP_S <= seconds[-1] <= LONGEST_COURSE_S:
        raise ValueError(
            f"{path} must last from {GRID_STEP_S:g} s to {LONGEST_COURSE_S / 3600.0:g} h, got "
            f"{seconds[-1]:g} s"
        )
    grid = np.arange(0.0, seconds[-1] + 1e-9, GRID_STEP_S)
    course: Array = np.interp(grid, seconds, np.array(beats))
    return course


def _number(text: str | None, where: str, low: float, high: float) -> float:
    try:
        return require_number(where, float(text or ""), low, high)
    except ValueError:
        raise ValueError(
            f"{where}: must be a number in [{low:g}, {high:g}], got {text!r}"
        ) from None
