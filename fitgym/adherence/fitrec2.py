"""FitRec adherence of version 1: who a person is and how fit today decides what is managed."""

from __future__ import annotations

import hashlib
import math
from functools import cached_property, lru_cache
from importlib import resources
from itertools import pairwise
from statistics import NormalDist
from typing import Any, ClassVar

import numpy as np

from fitgym.adherence.base import SEGMENT, Adherence, Tables
from fitgym.adherence.body_table import (
    BodyPredictorLike,
    BodyTable,
    body_table_key,
    build_body_table,
    fitness_nodes,
    read_body_table,
    read_shipped_body_table,
    without_offset,
    write_body_table,
)
from fitgym.adherence.fitrec import SessionTrace, largest_load, largest_session, session_trace
from fitgym.adherence.fitrec2_step import FITREC2, body_row, fill_curve, heart_rate_offset
from fitgym.adherence.load_table import segment_grid, shipped_tables
from fitgym.common.cache import cached
from fitgym.common.json_files import parse_json
from fitgym.common.validation import require_choice
from fitgym.model.internal_load import OFFSET_FADE, load_rates, offset_weight
from fitgym.model.noise import HEART_RATE, normal
from fitgym.people.individual import (
    DEFAULT_PLANS_TRIMP,
    Individual,
    Physiology,
    load_individual,
)
from fitgym.people.population import Population
from fitgym.people.runners import RUNNERS, RunnerPopulation, doubt_of, hearts

PREDICTORS = ("fitrec2", "equation", "linear", "stranger")
_WITHOUT_WEIGHTS = ("equation", "linear")

# Ours: load that a person tolerates per point of the base level, such that the club runner
# completes the reference plan at the start with the reference probability.
TOLERATED_PER_POINT = 5.19
# The completion for which that holds; a person's own shifts tolerance from there.
_REFERENCE_COMPLETION = 0.55
# Within this many bpm the slope of a plan's load is taken.
_SLOPE_BPM = 5.0
# A session's load with the largest offset is at most this many times that without (checked).
_LARGEST_FACTOR = math.exp(2.0)


class Fitrec2Adherence(Adherence):
    """A plan is carried on until its internal load exceeds what the person tolerates that day.

    The heart rate is the predictor's for this person's resting and maximum heart rate, gender and
    today's VDOT, after the last session, with an offset that differs from person to person and
    from day to day. What is tolerated is in units of load, ``C = c B_0``: it does not know the
    heart. Tables of the shipped individuals and of the population ship; others are built at first
    use, which needs the ``predictor`` extra and some seconds, and are kept in the user's cache.

    Attributes:
        predictor: Which predictor of heart rate made the table.
    """

    code: ClassVar[int] = FITREC2
    has_motivation: ClassVar[bool] = True
    has_heart_rate: ClassVar[bool] = True
    options: ClassVar[tuple[str, ...]] = ("predictor",)
    largest_heart_rate: ClassVar[float] = 230.0
    population: ClassVar[type[Population] | type[RunnerPopulation]] = RunnerPopulation

    def __init__(self, individual: Individual, predictor: str = "fitrec2") -> None:
        """Look up, or build, the individual's table.

        Args:
            individual: The person.
            predictor: ``"fitrec2"``; for comparisons ``"equation"``, the expected heart rate that
                the network corrects, ``"stranger"``, the network told no attribute, or
                ``"linear"``, the same straight line from speed for everybody.

        Raises:
            ValueError: If the predictor is unknown.
        """
        super().__init__(individual)
        self.predictor = require_choice("predictor", predictor, PREDICTORS)
        log = np.asarray(individual.sessions_trimp, dtype=np.float64)
        curves = _compiled_table(
            individual.plans_trimp, without_offset(individual.physiology), predictor
        )
        self.tables = curves._replace(sessions_trimp=log[log > 0.0])
        motivation = individual.motivation
        normal_quantile = NormalDist().inv_cdf
        margin = normal_quantile(motivation.reference_completion) - normal_quantile(
            _REFERENCE_COMPLETION
        )
        base_level = individual.acquisition.initial_base_level
        self.log_reference_tolerance = (
            math.log(TOLERATED_PER_POINT * base_level) + motivation.tolerance_sd * margin
        )
        self.heart_rate_sd = session_spread()

    @classmethod
    def doubt_of(cls, individual: Individual, stage: str) -> str | None:
        """Return why ``individual`` is hardly one of version 1; None if it may be."""
        return doubt_of(individual, stage)

    def __deepcopy__(self, memo: dict[int, Any]) -> Fitrec2Adherence:
        """Return the model itself, which no step changes."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle what the table is looked up by, in place of its megabytes."""
        return type(self), (self.individual, self.predictor)

    @cached_property
    def tables_key(self) -> Any:
        """What people have in common whose models have equal tables."""
        return without_offset(self.individual.physiology)

    def row_of(self, history: int, days_since: int) -> int:
        """Return the row of the load table that a step looks up."""
        return int(body_row(history, days_since))

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
        loads, beats = np.zeros((2, self.tables.segments.size))
        fill_curve(before, person, self.tables, loads, beats)
        trace = session_trace(self.tables, beats, plan_trimp, done_trimp)
        offset = heart_rate_offset(person, normal(before["key"], before["day"], HEART_RATE))
        physiology = self.individual.physiology
        weight = offset_weight(
            trace.heart_rate_bpm, physiology.resting_heart_rate, physiology.maximum_heart_rate
        )
        return trace.shifted(weight * offset)

    @classmethod
    def largest_session_of(cls, individual: Individual) -> float:
        """Return the largest of the plans and the habit sessions of ``individual``, points."""
        return largest_session(individual)

    @classmethod
    def largest_load_of(cls, individual: Individual) -> float:
        """Return a bound on the load of a session: that at maximum heart rate, and offsets."""
        return _LARGEST_FACTOR * largest_load(individual)


@lru_cache(maxsize=128)
def _compiled_table(
    plans_trimp: tuple[float, ...], physiology: Physiology, predictor: str
) -> Tables:
    """Return the tables of people without a log, shared by all users."""
    return compiled_body_curves(find_body_table(plans_trimp, physiology, predictor))


def compiled_body_curves(table: BodyTable) -> Tables:
    """Return a table of heart rates as the compiled step reads it.

    Returns:
        Tables without a log, which cannot be written to. The slopes are those of the sessions
        without a history, for five bpm to either side.
    """
    grid = segment_grid(table.plans_trimp)
    heart_rate = table.heart_rate_bpm.astype(np.float64)
    resting = table.physiology.resting_heart_rate
    maximum = table.physiology.maximum_heart_rate
    female = table.physiology.gender == "female"
    nodes, rows, _ = heart_rate.shape
    weight = offset_weight(heart_rate[:, 0], resting, maximum) * _SLOPE_BPM
    rate = load_rates(heart_rate, resting, maximum, female)
    faster = load_rates(heart_rate[:, 0] + weight, resting, maximum, female)
    slower = load_rates(heart_rate[:, 0] - weight, resting, maximum, female)
    segments = np.zeros(grid.minutes.size, dtype=SEGMENT)
    loads, beats = np.zeros((2, 1, nodes * rows, grid.minutes.size), dtype=np.float32)
    slopes = np.zeros((1, nodes, len(table.plans_trimp)))
    for plan, (first, last) in enumerate(pairwise(grid.first)):
        part = slice(first, last)
        minutes = grid.minutes[part]
        segments["points"][part] = np.cumsum(grid.points[part])
        segments["minutes"][part] = np.cumsum(minutes)
        shape = (nodes * rows, last - first)
        loads[0, :, part] = np.cumsum(rate[..., part] * minutes, axis=2).reshape(shape)
        beats[0, :, part] = np.cumsum(heart_rate[..., part] * minutes, axis=2).reshape(shape)
        slopes[0, :, plan] = np.log(faster[:, part] @ minutes / (slower[:, part] @ minutes)) / (
            2.0 * _SLOPE_BPM
        )
    largest = slopes.max() * (maximum - resting) / OFFSET_FADE
    if not largest <= math.log(_LARGEST_FACTOR):
        raise ValueError(
            f"the load of the plans {table.plans_trimp} must rise at most {_LARGEST_FACTOR:.1f} "
            f"times with the largest offset of the heart, got {math.exp(largest):.1f} times for "
            f"{table.physiology}"
        )
    axis = fitness_nodes(table.physiology.vdot)
    tables = Tables(
        sessions_trimp=np.zeros(0),
        targets_trimp=np.array(table.plans_trimp),
        first_segments=np.array(grid.first, dtype=np.int64),
        segments=segments,
        loads=loads,
        beats=beats,
        nodes=np.array([[axis[0], axis[1] - axis[0]]]),
        load_slopes=slopes,
    )
    for array in tables:
        array.setflags(write=False)
    return tables


def find_body_table(
    plans_trimp: tuple[float, ...], physiology: Physiology, predictor: str = "fitrec2"
) -> BodyTable:
    """Return a table of heart rates: shipped, from the user's cache, or built and cached now.

    Args:
        plans_trimp: Targets of the plans.
        physiology: Whose heart.
        predictor: One of ``PREDICTORS``.

    Raises:
        ImportError: If the table must be built and the ``predictor`` extra is not installed.
        ValueError: If a shipped table is damaged.
    """
    key = body_table_key(plans_trimp, physiology, body_predictor_identity(predictor))
    if (shipped_tables() / f"{key}.npz").is_file():
        return read_shipped_body_table(shipped_tables(), key)
    return cached(
        f"body_tables/{key}.npz",
        read=lambda path: read_body_table(path, key),
        make=lambda: predicted_body_table(plans_trimp, physiology, predictor),
        write=lambda table, path: write_body_table(table, path, key),
    )


def predicted_body_table(
    plans_trimp: tuple[float, ...], physiology: Physiology, predictor: str = "fitrec2"
) -> BodyTable:
    """Build a table of heart rates now; see ``find_body_table``."""
    if predictor in _WITHOUT_WEIGHTS:
        return build_body_table(plans_trimp, physiology, _predictor_without_weights(predictor))
    try:
        from fitgym.predictor.fitrec2.inference import StrangerPredictor, load_body_predictor
        from fitgym.predictor.threads import one_thread
    except ImportError as error:
        raise ImportError(
            "this individual's table of heart rates must be built first, which needs the "
            "predictor: pip install 'fitgym[predictor]'"
        ) from error
    with one_thread():
        network = load_body_predictor()
        return build_body_table(
            plans_trimp,
            physiology,
            StrangerPredictor(network) if predictor == "stranger" else network,
        )


def body_predictor_identity(predictor: str) -> str:
    """Return what changes when the predictor's answers do, without loading torch."""
    if predictor in _WITHOUT_WEIGHTS:
        from fitgym.predictor.attributes import Attributes
        from fitgym.predictor.sessions import Session

        # Its answer to one session stands for its constants.
        session = Session(np.linspace(1.0, 4.0, 60), np.zeros(60))
        body = Attributes(vdot=40.0)
        answer = _predictor_without_weights(predictor).predict([session], [None], [body])[0]
        return hashlib.sha256(np.round(answer, 6).tobytes()).hexdigest()
    return f"{predictor} {_card()['sha256']}"


def _predictor_without_weights(predictor: str) -> BodyPredictorLike:
    if predictor == "equation":
        from fitgym.predictor.equation import EquationPredictor

        return EquationPredictor()
    from fitgym.predictor.linear import LinearPredictor

    return LinearPredictor()


@lru_cache(maxsize=1)
def session_spread() -> float:
    """Return ``s_HR``, the spread in bpm of the predictor's errors on runs between sessions."""
    return float(_card()["spread_of_runs"]["session_bpm"])


def _card() -> dict[str, Any]:
    path = resources.files("fitgym") / "data" / "predictor" / "fitrec2.json"
    card: dict[str, Any] = parse_json(path.read_bytes(), str(path))
    return card


def shipped_body_table_requests() -> dict[str, tuple[tuple[float, ...], Physiology]]:
    """Return what the tables that ship must hold: plans and heart by file name (its key).

    They serve the shipped individuals of version 1 and the hearts of its population.
    """
    people = [load_individual(name) for name in RUNNERS]
    requests = [(one.plans_trimp, without_offset(one.physiology)) for one in people]
    requests += [(DEFAULT_PLANS_TRIMP, heart) for heart in hearts()]
    identity = body_predictor_identity("fitrec2")
    return {body_table_key(*request, identity): request for request in requests}
