"""FitRec adherence: predicted heart rate decides how much of a plan is carried out."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources
from itertools import pairwise
from statistics import NormalDist
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fitgym.adherence.base import SEGMENT, Adherence, Tables, no_fitness_nodes
from fitgym.adherence.fitrec_step import FITREC
from fitgym.adherence.load_table import (
    DAYS_SINCE,
    TENTHS,
    LoadTable,
    build_load_table,
    read_load_table,
    read_shipped_table,
    segment_grid,
    shipped_tables,
    table_key,
    write_load_table,
)
from fitgym.adherence.response import history_row, nearest_plan
from fitgym.common.cache import cached
from fitgym.common.validation import require_choice
from fitgym.common.weights import read_card
from fitgym.model.daniels import POINTS_PER_MINUTE
from fitgym.model.internal_load import load_rates
from fitgym.model.plans import plan_segments
from fitgym.people.individual import (
    DEFAULT_PLANS_TRIMP,
    Individual,
    Physiology,
    load_individual,
    shipped_individuals,
)
from fitgym.people.population import VDOT_BANDS
from fitgym.people.runners import RUNNERS

PREDICTORS = ("fitrec", "ode")


@dataclass(frozen=True, eq=False)
class SessionTrace:
    """The predicted heart rate of one session on the segments of its plan.

    Attributes:
        end_min: (S,) end of each segment, minutes from the start.
        heart_rate_bpm: (S,) mean heart rate of each segment.
        zone: (S,) zone of each segment, values of ``fitgym.model.daniels.Zone``.
        done_min: How many minutes were done.
        by_habit: Whether it was no plan but a habit session, drawn as the nearest plan.
    """

    end_min: NDArray[np.float64]
    heart_rate_bpm: NDArray[np.float64]
    zone: NDArray[np.int64]
    done_min: float
    by_habit: bool

    def shifted(self, bpm: NDArray[np.float64]) -> SessionTrace:
        """Return the trace with heart rates (S,) higher by ``bpm``."""
        return replace(self, heart_rate_bpm=self.heart_rate_bpm + bpm)


class FitRecAdherence(Adherence):
    """A plan is carried on until its internal load exceeds what the person tolerates that day.

    The heart rates come from the individual's load table, so nothing here calls torch once the
    table exists. Tables of the shipped individuals ship; others are built at first use, which
    needs the ``predictor`` extra and some seconds, and are kept in the user's cache folder.

    Attributes:
        predictor: Which predictor of heart rate made the load table.
    """

    code: ClassVar[int] = FITREC
    has_motivation: ClassVar[bool] = True
    has_heart_rate: ClassVar[bool] = True
    options: ClassVar[tuple[str, ...]] = ("predictor",)

    def __init__(self, individual: Individual, predictor: str = "fitrec") -> None:
        """Look up, or build, the individual's load table.

        Args:
            individual: The person.
            predictor: ``"fitrec"``, or ``"ode"`` for the physiological simulator's equation, a
                second and independent predictor for sensitivity analyses.

        Raises:
            ValueError: If the predictor is unknown.
        """
        super().__init__(individual)
        self.predictor = require_choice("predictor", predictor, PREDICTORS)
        log = np.asarray(individual.sessions_trimp, dtype=np.float64)
        curves = _compiled_table(individual.plans_trimp, individual.physiology, predictor)
        self.tables = curves._replace(sessions_trimp=log[log > 0.0])
        motivation = individual.motivation
        plan = motivation.reference_plan - 1
        # ln C_0 is such that the plan, the day after it was completed, is completed with the
        # reference probability: P(eps >= ln L - ln C_0) with eps ~ N(0, s_C^2).
        row = 1 + (plan * TENTHS + TENTHS - 1) * len(DAYS_SINCE)
        last = self.tables.first_segments[plan + 1] - 1
        load = float(self.tables.loads[0, row, last])
        margin = NormalDist().inv_cdf(motivation.reference_completion)
        self.log_reference_tolerance = math.log(load) + motivation.tolerance_sd * margin

    def __deepcopy__(self, memo: dict[int, Any]) -> FitRecAdherence:
        """Return the model itself, which no step changes."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle what the load table is looked up by, in place of its megabytes."""
        return type(self), (self.individual, self.predictor)

    def row_of(self, history: int, days_since: int) -> int:
        """Return the row of the load table that a step looks up."""
        return int(history_row(history, days_since))

    def last_session(
        self, before: Any, person: Any, plan_trimp: float, done_trimp: float
    ) -> SessionTrace:
        """Return the heart rate of a session, planned and done, for drawing.

        Args:
            before: Record of ``STATE`` before the day.
            person: Record of ``PERSON``.
            plan_trimp: Target of the plan, 0 for a session by habit.
            done_trimp: Points done.
        """
        row = history_row(int(before["history"]), int(before["days_since"]))
        return session_trace(self.tables, self.tables.beats[0, row], plan_trimp, done_trimp)

    @classmethod
    def largest_session_of(cls, individual: Individual) -> float:
        """Return the largest of the plans and the habit sessions of ``individual``, points."""
        return largest_session(individual)

    @classmethod
    def largest_load_of(cls, individual: Individual) -> float:
        """Return a bound on the load of a session: the longest plan at maximum heart rate."""
        return largest_load(individual)


def session_trace(
    tables: Tables, beats: NDArray[np.floating[Any]], plan_trimp: float, done_trimp: float
) -> SessionTrace:
    """Return the heart rate of a session from the beats of all plans' segments.

    Args:
        tables: Segments and targets of the plans.
        beats: (S,) heart rate times minutes up to the end of each segment.
        plan_trimp: Target of the plan, 0 for a session by habit.
        done_trimp: Points done.
    """
    plan = nearest_plan(tables.targets_trimp, plan_trimp or done_trimp)
    part = slice(*tables.first_segments[plan : plan + 2])
    ends = tables.segments["minutes"][part]
    points = tables.segments["points"][part]
    share = done_trimp / plan_trimp if plan_trimp else 1.0
    rate = np.diff(points, prepend=0.0) / np.diff(ends, prepend=0.0)
    return SessionTrace(
        end_min=ends,
        heart_rate_bpm=np.diff(beats[part].astype(np.float64), prepend=0.0)
        / np.diff(ends, prepend=0.0),
        zone=np.array([np.argmin(np.abs(np.subtract(POINTS_PER_MINUTE, x))) for x in rate]),
        done_min=float(np.interp(share * points[-1], np.append(0.0, points), np.append(0.0, ends))),
        by_habit=plan_trimp == 0.0,
    )


def largest_session(individual: Individual) -> float:
    """Return the largest of the plans and the habit sessions of ``individual``, points."""
    habit = max(individual.sessions_trimp, default=individual.habit.maximum_trimp)
    return max(individual.plans_trimp[-1], habit)


def largest_load(individual: Individual) -> float:
    """Return the load of the longest plan at maximum heart rate."""
    physiology = individual.physiology
    rate = load_rates(
        physiology.maximum_heart_rate,
        physiology.resting_heart_rate,
        physiology.maximum_heart_rate,
        physiology.gender == "female",
    )
    minutes = max(
        sum(part.minutes for part in plan_segments(target)) for target in individual.plans_trimp
    )
    return float(rate * minutes)


@lru_cache(maxsize=64)
def _compiled_table(
    plans_trimp: tuple[float, ...], physiology: Physiology, predictor: str
) -> Tables:
    """Return the tables of people without a log, shared by all users."""
    table = find_load_table(plans_trimp, physiology, predictor)
    return compiled_curves(table, physiology)


def compiled_curves(table: LoadTable, physiology: Physiology) -> Tables:
    """Return a load table as the compiled step reads it, for a person's heart-rate range.

    Args:
        table: The heart rates.
        physiology: Resting and maximum heart rate and gender of the person.

    Returns:
        Tables without a log, which cannot be written to.
    """
    grid = segment_grid(table.plans_trimp)
    segments = np.zeros(grid.minutes.size, dtype=SEGMENT)
    heart_rate = table.heart_rate_bpm.astype(np.float64)
    rate = load_rates(
        heart_rate,
        physiology.resting_heart_rate,
        physiology.maximum_heart_rate,
        physiology.gender == "female",
    )
    loads, beats = np.zeros((2, 1, *heart_rate.shape), dtype=np.float32)
    for first, last in pairwise(grid.first):
        part = slice(first, last)
        segments["points"][part] = np.cumsum(grid.points[part])
        segments["minutes"][part] = np.cumsum(grid.minutes[part])
        minutes = grid.minutes[part]
        loads[0, :, part] = np.cumsum(rate[:, part] * minutes, axis=1)
        beats[0, :, part] = np.cumsum(heart_rate[:, part] * minutes, axis=1)
    tables = Tables(
        sessions_trimp=np.zeros(0),
        targets_trimp=np.array(table.plans_trimp),
        first_segments=np.array(grid.first, dtype=np.int64),
        segments=segments,
        loads=loads,
        beats=beats,
        **no_fitness_nodes(),
    )
    for array in tables:
        array.setflags(write=False)
    return tables


def find_load_table(
    plans_trimp: tuple[float, ...], physiology: Physiology, predictor: str
) -> LoadTable:
    """Return a load table: shipped, from the user's cache, or built and cached now.

    Args:
        plans_trimp: Targets of the plans.
        physiology: VDOT and gender of the person.
        predictor: One of ``PREDICTORS``.

    Raises:
        ImportError: If the table must be built and the ``predictor`` extra is not installed.
        ValueError: If a shipped table is damaged.
    """
    identity = predictor_identity(predictor)
    key = table_key(plans_trimp, physiology.vdot, physiology.gender, identity)
    if (shipped_tables() / f"{key}.npz").is_file():
        return read_shipped_table(shipped_tables(), key)
    return cached(
        f"load_tables/{key}.npz",
        read=lambda path: read_load_table(path, key),
        make=lambda: predicted_table(plans_trimp, physiology.vdot, physiology.gender, predictor),
        write=lambda table, path: write_load_table(table, path, key),
    )


def predicted_table(
    plans_trimp: Sequence[float], vdot: float, gender: str, predictor: str = "fitrec"
) -> LoadTable:
    """Build a load table now; see ``find_load_table``."""
    if predictor == "ode":
        from fitgym.predictor.ode import OdePredictor

        return build_load_table(plans_trimp, vdot, gender, OdePredictor())
    try:
        from fitgym.predictor.fitrec.inference import load_predictor
        from fitgym.predictor.threads import one_thread
    except ImportError as error:
        raise ImportError(
            "this individual's load table must be built first, which needs the predictor: "
            "pip install 'fitgym[predictor]'"
        ) from error
    with one_thread():
        return build_load_table(plans_trimp, vdot, gender, load_predictor())


def predictor_identity(predictor: str) -> str:
    """Return what changes when the predictor's answers do, without loading torch."""
    if predictor == "fitrec":
        weights = resources.files("fitgym") / "data" / "predictor" / "fitrec.safetensors"
        return str(read_card(str(weights))["sha256"])
    from fitgym.predictor.ode import OdePredictor
    from fitgym.predictor.sessions import Session

    # The equation has no file of weights: its answer to one session stands for its constants.
    speed = np.linspace(1.0, 4.0, 60)
    answer = OdePredictor().predict([Session(speed, np.zeros(60))], [None])[0]
    return hashlib.sha256(np.round(answer, 6).tobytes()).hexdigest()


def shipped_table_requests() -> dict[str, tuple[tuple[float, ...], float, str]]:
    """Return what the tables that ship must hold: plans, VDOT and gender by file name (its key).

    They serve the shipped individuals and the VDOT bands of the population.
    """
    identity = predictor_identity("fitrec")
    people = [load_individual(name) for name in shipped_individuals() if name not in RUNNERS]
    requests = [(one.plans_trimp, one.physiology.vdot, one.physiology.gender) for one in people] + [
        (DEFAULT_PLANS_TRIMP, band.vdot, "unknown") for band in VDOT_BANDS
    ]
    return {table_key(*request, identity): request for request in requests}
