"""The interface of every adherence model, and the arrays that compiled ones read."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fitgym.people.individual import Individual

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
    """

    sessions_trimp: NDArray[np.float64]
    targets_trimp: NDArray[np.float64]
    first_segments: NDArray[np.int64]
    segments: NDArray[np.void]
    loads: NDArray[np.float32]
    beats: NDArray[np.float32]


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
        individual: The person.
        tables: What the compiled step reads: the log that the model draws on, and the plans' load
            curves, each empty where the model needs none.
        log_reference_tolerance: ``ln C_0``; 0 where there is no heart rate.
    """

    compiled: ClassVar[bool] = True
    code: ClassVar[int]
    exogenous: ClassVar[bool] = False
    has_motivation: ClassVar[bool] = False
    has_heart_rate: ClassVar[bool] = False
    options: ClassVar[tuple[str, ...]] = ()

    def __init__(self, individual: Individual) -> None:
        self.individual = individual
        self.tables = Tables(
            sessions_trimp=np.zeros(0),
            targets_trimp=np.zeros(0),
            first_segments=np.zeros(1, np.int64),
            segments=np.zeros(0, SEGMENT),
            loads=np.zeros((1, 0, 0), np.float32),
            beats=np.zeros((1, 0, 0), np.float32),
        )
        self.log_reference_tolerance = 0.0

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

    def start_rows(self, days: int) -> NDArray[np.int64]:
        """Return the rows of the log at which an episode of ``days`` may start; here only 0."""
        return np.zeros(1, dtype=np.int64)
