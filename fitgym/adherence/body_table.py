"""The table of heart rates that the predictor's second edition gives for one person's plans.

The predictor is told resting and maximum heart rate, gender, today's VDOT and the last session. By
definition (ours), so that the table is exact: today's VDOT lies between nodes evenly spaced in
``1 / VDOT^2``, along which load is nearly straight, and beyond the outer ones counts as these; the
last session is none, or plan 1 to 10 done to a fifth, half or whole, on the day before or earlier;
its heart rate is the prediction for it without history at today's VDOT, cut where it stopped. Heart
rates are kept on segments of at most a minute, cut where the zone changes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fitgym.adherence.load_table import (
    cut_course,
    plan_courses,
    read_shipped_arrays,
    segment_grid,
)
from fitgym.common.cache import read_arrays, write_arrays
from fitgym.model.plans import SessionCourse
from fitgym.people.individual import Physiology

if TYPE_CHECKING:
    from fitgym.predictor.attributes import Attributes
    from fitgym.predictor.sessions import PreviousWorkout, Session

NODES = 6
# Of the VDOT that the paces are made for; the fittest is the first node.
FITTEST, LEAST_FIT = 1.4, 0.65
# A last session counts as done to a fifth, half or whole, and as yesterday's or three days old.
TENTHS_DONE = (2, 5, 10)
DAYS_SINCE = (1, 3)

# VDOTs that predictors accept; nodes beyond count as these.
_LOWEST_VDOT, _HIGHEST_VDOT = 10.0, 95.0
# Raised when the meaning of a table changes, so that cached ones are built anew.
_FORMAT = 2


class BodyPredictorLike(Protocol):
    """What predicts heart rate beforehand from a session, the last one and a body."""

    def predict(
        self,
        sessions: Sequence[Session],
        histories: Sequence[PreviousWorkout | None],
        bodies: Sequence[Attributes],
    ) -> list[NDArray[np.float64]]:
        """Return heart rates in bpm for all combinations, bodies fastest, sessions slowest."""


@dataclass(frozen=True, eq=False)
class BodyTable:
    """Predicted heart rates of one person's plans, by today's VDOT and the last session.

    Attributes:
        plans_trimp: Targets of the plans.
        physiology: Whose heart, without its lasting offset; its VDOT sets the paces.
        heart_rate_bpm: (nodes, 1 + plans * 3 * 2, S), float16. Row 0 is without a history; row
            ``1 + (plan * 3 + done) * 2 + days`` follows ``plan`` (from 0) with entry ``done`` of
            ``TENTHS_DONE`` and entry ``days`` of ``DAYS_SINCE``.
    """

    plans_trimp: tuple[float, ...]
    physiology: Physiology
    heart_rate_bpm: NDArray[np.float16]


def fitness_nodes(vdot: float) -> NDArray[np.float64]:
    """Return ``1 / VDOT^2`` at the nodes (``NODES``,) of a table for paces of ``vdot``."""
    return np.linspace((FITTEST * vdot) ** -2, (LEAST_FIT * vdot) ** -2, NODES)


def without_offset(physiology: Physiology) -> Physiology:
    """Return the attributes that a table depends on."""
    return replace(physiology, heart_rate_offset=0.0)


def build_body_table(
    plans_trimp: Sequence[float], physiology: Physiology, predictor: BodyPredictorLike
) -> BodyTable:
    """Ask ``predictor`` for every session after every history at every node, in one pass.

    Args:
        plans_trimp: Targets of the plans.
        physiology: Whose heart.
        predictor: The predictor of heart rate.
    """
    from fitgym.predictor.attributes import Attributes
    from fitgym.predictor.sessions import Session

    courses = plan_courses(plans_trimp, physiology.vdot)

    def session(course: SessionCourse, steps: int) -> Session:
        speed = course.speed_m_s[:steps]
        return Session(speed_m_s=speed, altitude_m=np.zeros(steps), gender=physiology.gender)

    def body(vdot: float) -> Attributes:
        return Attributes(
            resting_bpm=physiology.resting_heart_rate,
            maximum_bpm=physiology.maximum_heart_rate,
            vdot=min(max(vdot, _LOWEST_VDOT), _HIGHEST_VDOT),
        )

    sessions = [session(course, course.zone.size) for course in courses]
    # The last session was done with today's fitness, so each node has histories of its own.
    by_node = [
        _after_every_history(sessions, courses, session, body(float(node) ** -0.5), predictor)
        for node in fitness_nodes(physiology.vdot)
    ]
    grid = segment_grid(plans_trimp)
    rows = len(by_node[0][0])
    table = np.empty((NODES, rows, grid.minutes.size), dtype=np.float16)
    for plan, course in enumerate(courses):
        after = np.stack([plans[plan] for plans in by_node])
        first, last = grid.first[plan], grid.first[plan + 1]
        # Mean over the steps of each segment, weighted with their length.
        weights = np.zeros((course.zone.size, last - first))
        weights[np.arange(course.zone.size), grid.step_segment[plan]] = course.duration_s
        table[:, :, first:last] = after @ (weights / weights.sum(axis=0))
    return BodyTable(tuple(plans_trimp), without_offset(physiology), table)


def _after_every_history(
    sessions: Sequence[Session],
    courses: Sequence[SessionCourse],
    cut: Callable[[SessionCourse, int], Session],
    body: Attributes,
    predictor: BodyPredictorLike,
) -> list[NDArray[np.float64]]:
    """Return for each session its heart rates (rows, T) after every history, with one body."""
    from fitgym.predictor.sessions import PreviousWorkout

    alone = predictor.predict(sessions, [None], [body])
    histories: list[PreviousWorkout | None] = [None]
    for course, heart_rate in zip(courses, alone, strict=True):
        for tenths in TENTHS_DONE:
            steps = cut_course(course, tenths)
            done = cut(course, steps)
            histories.extend(PreviousWorkout(done, heart_rate[:steps], days) for days in DAYS_SINCE)
    predictions = predictor.predict(sessions, histories, [body])
    rows = len(histories)
    return [np.stack(predictions[i * rows : (i + 1) * rows]) for i in range(len(sessions))]


def body_table_key(
    plans_trimp: Sequence[float], physiology: Physiology, predictor_hash: str
) -> str:
    """Return the name under which a table is kept: a hash of all it depends on."""
    body = asdict(without_offset(physiology))
    content = json.dumps(["body", _FORMAT, list(plans_trimp), body, predictor_hash])
    return hashlib.sha256(content.encode()).hexdigest()[:24]


def write_body_table(table: BodyTable, path: Path, key: str) -> None:
    """Write a table to an ``.npz`` file, atomically.

    Args:
        table: The table.
        path: Where.
        key: Its key, see ``body_table_key``.
    """
    body = json.dumps(asdict(table.physiology))
    write_arrays(
        path,
        key,
        {
            "heart_rate_bpm": table.heart_rate_bpm,
            "plans_trimp": np.array(table.plans_trimp),
            "physiology": np.array(body),
        },
    )


def read_body_table(path: Path, key: str) -> BodyTable:
    """Read a table that ``write_body_table`` wrote.

    Args:
        path: Where.
        key: The key that the table must have been written with.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is damaged or holds something else.
    """
    return _table(path, read_arrays(path, key))


def read_shipped_body_table(folder: Traversable, key: str) -> BodyTable:
    """Read a table that comes with the package.

    Args:
        folder: Where the tables and their hashes are.
        key: The table's key.

    Raises:
        FileNotFoundError: If there is no such table.
        ValueError: If the file does not have the hash that it shipped with.
    """
    return _table(folder / f"{key}.npz", read_shipped_arrays(folder, key))


def _table(path: Traversable | Path, arrays: dict[str, NDArray[Any]]) -> BodyTable:
    try:
        plans_trimp = tuple(arrays["plans_trimp"].tolist())
        heart_rate = arrays["heart_rate_bpm"]
        physiology = Physiology.from_dict(json.loads(str(arrays["physiology"])))
    except KeyError as error:
        raise ValueError(f"table of heart rates {path} must hold {error}") from None
    rows = 1 + len(plans_trimp) * len(TENTHS_DONE) * len(DAYS_SINCE)
    expected = (NODES, rows, segment_grid(plans_trimp).minutes.size)
    if heart_rate.shape != expected or not np.all((heart_rate > 0) & (heart_rate < 300)):
        raise ValueError(
            f"table {path} must hold heart rates of shape {expected} between 0 and 300 bpm, got "
            f"shape {heart_rate.shape}"
        )
    return BodyTable(plans_trimp, physiology, heart_rate)
