"""The load table: every heart rate that FitRec can be asked for about one person's plans.

FitRec sees neither fitness nor fatigue nor motivation, and the plans are few, so all its answers
fit into one table that is filled once, in one batched pass. By definition (ours), so that it is
exact: the last session is none, or plan 1 to 10 done to 1 to 10 tenths; its heart rate is FitRec's
own prediction for it without history, cut where it stopped; days since it are read as 1, 2, 3, 5 or
10. Heart rates are kept on segments of at most a minute, cut where the zone changes, as the mean of
the 10-s predictions; internal load, mean heart rate and pictures derive from them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fitgym.common.cache import load_arrays, read_arrays, write_arrays
from fitgym.model.plans import SessionCourse, plan_segments, session_course

if TYPE_CHECKING:
    from fitgym.predictor.sessions import Predictor, Session

# Days since the last session, as the predictor reads them: 1, 2, 3, 4 to 7, 8 and more.
DAYS_SINCE = (1, 2, 3, 5, 10)
TENTHS = 10

_SEGMENT_SECONDS = 60.0
# Raised when the meaning of a table changes, so that cached ones are built anew.
_FORMAT = 1


@dataclass(frozen=True, eq=False)
class SegmentGrid:
    """The segments of all plans, one plan after the other; they depend on the targets alone.

    Attributes:
        first: (plans + 1,) index of each plan's first segment, and the number of segments.
        minutes: (S,) length of each segment.
        points: (S,) points of each segment.
        step_segment: For each plan, the segment (counted from the plan's first) of each of its
            10-s steps.
    """

    first: NDArray[np.int64]
    minutes: NDArray[np.float64]
    points: NDArray[np.float64]
    step_segment: tuple[NDArray[np.int64], ...]


@dataclass(frozen=True, eq=False)
class LoadTable:
    """Predicted heart rates of one person's plans after every history.

    Attributes:
        plans_trimp: Targets of the plans.
        vdot: VDOT whose paces the plans are run at.
        heart_rate_bpm: (1 + plans * 10 * 5, S), float32. Row 0 is without a history; row
            ``1 + ((plan * 10 + tenths - 1) * 5 + days)`` follows ``plan`` (from 0) done to
            ``tenths`` (1 to 10) and entry ``days`` of ``DAYS_SINCE``.
    """

    plans_trimp: tuple[float, ...]
    vdot: float
    heart_rate_bpm: NDArray[np.float32]


def plan_courses(plans_trimp: Sequence[float], vdot: float) -> list[SessionCourse]:
    """Return the course of each plan at the paces of ``vdot``."""
    return [session_course(plan_segments(target), vdot) for target in plans_trimp]


def segment_grid(plans_trimp: Sequence[float]) -> SegmentGrid:
    """Return the segments of the plans: at most a minute long, cut where the zone changes."""
    minutes, points, step_segment = [], [], []
    # Speeds do not matter for the cuts, so any VDOT serves.
    for course in plan_courses(plans_trimp, vdot=40.0):
        segment = np.zeros(course.zone.size, dtype=np.int64)
        seconds = course.duration_s[0]
        for step in range(1, segment.size):
            full = seconds + course.duration_s[step] > _SEGMENT_SECONDS
            new = full or course.zone[step] != course.zone[step - 1]
            segment[step] = segment[step - 1] + new
            seconds = course.duration_s[step] + (0.0 if new else seconds)
        step_segment.append(segment)
        minutes.append(np.bincount(segment, weights=course.duration_s) / 60.0)
        points.append(np.bincount(segment, weights=course.points))
    return SegmentGrid(
        first=np.cumsum([0, *(part.size for part in minutes)]),
        minutes=np.concatenate(minutes),
        points=np.concatenate(points),
        step_segment=tuple(step_segment),
    )


def cut_course(course: SessionCourse, tenths: int) -> int:
    """Return how many 10-s steps of a course are done when ``tenths`` of its points are."""
    done = np.cumsum(course.points)
    # Rounding must not ask for a step more than there is.
    goal = tenths / TENTHS * done[-1] * (1.0 - 1e-9)
    return int(np.searchsorted(done, goal)) + 1


def build_load_table(
    plans_trimp: Sequence[float], vdot: float, gender: str, predictor: Predictor
) -> LoadTable:
    """Ask ``predictor`` for every session after every history, in one batched pass.

    Args:
        plans_trimp: Targets of the plans.
        vdot: VDOT whose paces the plans are run at.
        gender: Gender given to the predictor.
        predictor: The predictor of heart rate.
    """
    from fitgym.predictor.sessions import PreviousWorkout, Session

    courses = plan_courses(plans_trimp, vdot)

    def session(course: SessionCourse, steps: int) -> Session:
        speed = course.speed_m_s[:steps]
        return Session(speed_m_s=speed, altitude_m=np.zeros(steps), gender=gender)

    sessions = [session(course, course.zone.size) for course in courses]
    alone = predictor.predict(sessions, [None])
    histories: list[PreviousWorkout | None] = [None]
    for course, heart_rate in zip(courses, alone, strict=True):
        for tenths in range(1, TENTHS + 1):
            steps = cut_course(course, tenths)
            done = session(course, steps)
            histories.extend(PreviousWorkout(done, heart_rate[:steps], days) for days in DAYS_SINCE)
    predictions = predictor.predict(sessions, histories)

    grid = segment_grid(plans_trimp)
    table = np.empty((len(histories), grid.minutes.size), dtype=np.float32)
    for plan, course in enumerate(courses):
        after = np.stack(predictions[plan * len(histories) : (plan + 1) * len(histories)])
        first, last = grid.first[plan], grid.first[plan + 1]
        # Mean over the steps of each segment, weighted with their length.
        weights = np.zeros((course.zone.size, last - first))
        weights[np.arange(course.zone.size), grid.step_segment[plan]] = course.duration_s
        table[:, first:last] = after @ (weights / weights.sum(axis=0))
    return LoadTable(tuple(plans_trimp), vdot, table)


def table_key(plans_trimp: Sequence[float], vdot: float, gender: str, predictor_hash: str) -> str:
    """Return the name under which a table is kept: a hash of all it depends on."""
    content = json.dumps([_FORMAT, list(plans_trimp), vdot, gender, predictor_hash])
    return hashlib.sha256(content.encode()).hexdigest()[:24]


def write_load_table(table: LoadTable, path: Path, key: str) -> None:
    """Write a table to an ``.npz`` file, atomically.

    Args:
        table: The table.
        path: Where.
        key: Its key, see ``table_key``.
    """
    write_arrays(
        path,
        key,
        {
            "heart_rate_bpm": table.heart_rate_bpm,
            "plans_trimp": np.array(table.plans_trimp),
            "vdot": np.array(table.vdot),
        },
    )


def read_load_table(path: Path, key: str) -> LoadTable:
    """Read a table that ``write_load_table`` wrote.

    Args:
        path: Where.
        key: The key that the table must have been written with.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is damaged or holds something else.
    """
    return _table(path, read_arrays(path, key))


def read_shipped_table(folder: Traversable, key: str) -> LoadTable:
    """Read a table that comes with the package.

    Args:
        folder: Where the tables and their hashes are, see ``shipped_tables``.
        key: The table's key.

    Raises:
        FileNotFoundError: If there is no such table.
        ValueError: If the file does not have the hash that it shipped with.
    """
    return _table(folder / f"{key}.npz", read_shipped_arrays(folder, key))


def read_shipped_arrays(folder: Traversable, key: str) -> dict[str, NDArray[Any]]:
    """Return the arrays of a table that comes with the package; see ``read_shipped_table``."""
    path = folder / f"{key}.npz"
    content = path.read_bytes()
    expected = json.loads((folder / "sha256.json").read_text(encoding="utf-8")).get(key)
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise ValueError(
            f"load table {path} is damaged: its sha256 must be {expected}, got {found}; reinstall "
            "fitgym"
        )
    return load_arrays(content)


def _table(path: Traversable | Path, arrays: dict[str, NDArray[Any]]) -> LoadTable:
    try:
        plans_trimp = tuple(arrays["plans_trimp"].tolist())
        heart_rate, vdot = arrays["heart_rate_bpm"], float(arrays["vdot"])
    except KeyError as error:
        raise ValueError(f"load table {path} must hold {error}") from None
    grid = segment_grid(plans_trimp)
    expected = (1 + len(plans_trimp) * TENTHS * len(DAYS_SINCE), grid.minutes.size)
    if heart_rate.shape != expected or not np.all((heart_rate > 0) & (heart_rate < 300)):
        raise ValueError(
            f"load table {path} must hold heart rates of shape {expected} between 0 and 300 bpm, "
            f"got shape {heart_rate.shape}"
        )
    return LoadTable(plans_trimp, vdot, heart_rate)


def shipped_tables() -> Traversable:
    """Return the folder of the tables that come with the package, be it installed or zipped."""
    return resources.files("fitgym") / "data" / "load_tables"
