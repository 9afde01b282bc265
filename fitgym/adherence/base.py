"""The interface of every adherence model, and the arrays that compiled ones read."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fitgym.people.individual import Individual
from fitgym.people.population import Population
from fitgym.people.runners import RunnerPopulation

# Points and minutes of a plan up to the end of a segment.
SEGMENT = np.dtype([("points", np.float64), ("minutes", np.float64)])


class Tables(NamedTuple):
    """The arrays that the compiled step reads.

    Attributes:
        sessions_trimp: (n,) intensities of the person's log, float64; empty where none is used.
        targets_trimp: (plans,) points that the plans ask for, float64, rising.
        first_segments: (plans + 1,) int64: plan p has the segments from ``first_segments[p]`` to
            before ``first_segments[p + 1]``.
        segments: (S,) record array of ``SEGMENT``.
        loads: (tables, rows, S) internal load up to the end of a segment, float32: one table per
            person, or one for all.
        beats: (tables, rows, S) heart rate times minutes up to the end of a segment, float32. Apart
            from the loads, which are searched and so should be near each other in memory.
        nodes: (tables, 2) where the load tables know of fitness: ``1 / VDOT^2`` of their first
            node, and the step to each next one. The rows of a table are then those of the first
            node, the second and so on.
        load_slopes: (tables, nodes, plans) by how much the log of a plan's load rises for each bpm
            of a heart's offset; no nodes where the model knows of neither.
    """

    sessions_trimp: NDArray[np.float64]
    targets_trimp: NDArray[np.float64]
    first_segments: NDArray[np.int64]
    segments: NDArray[np.void]
    loads: NDArray[np.float32]
    beats: NDArray[np.float32]
    nodes: NDArray[np.float64]
    load_slopes: NDArray[np.float64]


def no_fitness_nodes() -> dict[str, NDArray[np.float64]]:
    """Return the fields of ``Tables`` for load tables that know nothing of fitness."""
    return {
        "nodes": np.zeros((1, 2)),
        "load_slopes": np.zeros((1, 0, 0)),
    }


class Adherence:
    """How a plan becomes a session: the data of one model for one individual.

    The class says what the model can do; whoever needs to know asks for that and not for the
    model. The models that ship are computed inside the compiled step (see
    ``fitgym.adherence.models``); one's own are subclasses of ``CustomAdherence``.

    Attributes:
        compiled: Whether the model is computed inside the compiled step.
        code: What the compiled step calls the model; of compiled models only.
        exogenous: Whether what happens does not depend on the plans, which then change the reward
            of their day alone.
        has_motivation: Whether the person has a motivation that moves with success and failure.
        has_heart_rate: Whether sessions have a heart rate and an internal load.
        options: Arguments of an environment that the model takes beside the individual.
        largest_heart_rate: A bound on the mean heart rate of a session, bpm.
        population: Whom ``individual="population"`` draws from.
        individual: The person.
        tables: What the compiled step reads: the log that the model draws on, and the plans' load
            curves, each empty where the model needs none.
        log_reference_tolerance: ``ln C_0``; 0 where there is no heart rate.
        heart_rate_sd: ``s_HR``, spread in bpm of a session's offset from the predicted heart rate;
            0 where there is none.
    """

    compiled: ClassVar[bool] = True
    code: ClassVar[int]
    exogenous: ClassVar[bool] = False
    has_motivation: ClassVar[bool] = False
    has_heart_rate: ClassVar[bool] = False
    options: ClassVar[tuple[str, ...]] = ()
    largest_heart_rate: ClassVar[float] = 220.0
    population: ClassVar[type[Population] | type[RunnerPopulation]] = Population

    def __init__(self, individual: Individual) -> None:
        self.individual = individual
        self.tables = Tables(
            sessions_trimp=np.zeros(0),
            targets_trimp=np.zeros(0),
            first_segments=np.zeros(1, np.int64),
            segments=np.zeros(0, SEGMENT),
            loads=np.zeros((1, 0, 0), np.float32),
            beats=np.zeros((1, 0, 0), np.float32),
            **no_fitness_nodes(),
        )
        self.log_reference_tolerance = 0.0
        self.heart_rate_sd = 0.0

    @cached_property
    def tables_key(self) -> Any:
        """What people have in common whose models have equal load tables, hashable."""
        return self.individual.physiology

    @property
    def largest_session_trimp(self) -> float:
        """The largest intensity that can be realised, points; observations are bounded by it."""
        return self.largest_session_of(self.individual)

    @classmethod
    def largest_session_of(cls, individual: Individual) -> float:
        """Return the largest intensity that ``individual`` can realise, points.

        Unlike the property it needs no load table.
        """
        return individual.plans_trimp[-1]

    @classmethod
    def largest_load_of(cls, individual: Individual) -> float:
        """Return a bound on the internal load of a session; 0 where there is no heart rate."""
        return 0.0

    @classmethod
    def doubt_of(cls, individual: Individual, stage: str) -> str | None:
        """Return why what the model says of ``individual`` will mean little; None if it need not.

        Args:
            individual: The person.
            stage: ``"acquisition"`` or ``"retention"``.
        """
        return None

    def row_of(self, history: int, days_since: int) -> int:
        """Return the row of the load table, or of each of its nodes, that a step looks up.

        Args:
            history: The last session, as the compiled step keeps it.
            days_since: Days since that session, from 1.
        """
        return 0

    def start_rows(self, days: int) -> NDArray[np.int64]:
        """Return the rows of the log at which an episode of ``days`` may start; here only 0."""
        return np.zeros(1, dtype=np.int64)
