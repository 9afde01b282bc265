"""Replay adherence: the paper's protocol, in which the person follows the log whatever the plan."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fitgym.adherence.base import Adherence
from fitgym.common.compilation import compiled
from fitgym.common.validation import require_choice
from fitgym.people.individual import Individual

REPLAY = 1
LOG_PARTS = ("all", "train", "test")

# Fang et al. 2022: the first 80 % of the log for estimation, the rest for testing.
_TRAIN_SHARE = 0.8


class ReplayAdherence(Adherence):
    """The realised intensities are consecutive sessions of the person's log (Fang et al. 2022).

    A plan is met if the session that happened was at least as hard, so plans change the reward
    and never what happens next.
    """

    code: ClassVar[int] = REPLAY
    exogenous: ClassVar[bool] = True
    options: ClassVar[tuple[str, ...]] = ("log_part",)

    def __init__(self, individual: Individual, log_part: str = "all") -> None:
        """Prepare the log.

        Args:
            individual: A person with a log in ``sessions_trimp``.
            log_part: Which rows windows are taken from: ``"all"``, ``"train"`` (the first 80 %) or
                ``"test"`` (the others).

        Raises:
            ValueError: If the person has no log or ``log_part`` is unknown.
        """
        super().__init__(individual)
        require_choice("log_part", log_part, LOG_PARTS)
        if not individual.sessions_trimp:
            raise ValueError(
                f"replay adherence needs an individual with a log, and {individual.name!r} has "
                "none in sessions_trimp"
            )
        self.part = log_part
        self.tables = self.tables._replace(sessions_trimp=np.asarray(individual.sessions_trimp))

    @classmethod
    def largest_session_of(cls, individual: Individual) -> float:
        """Return the larger of the hardest session and the hardest plan, points."""
        return max((*individual.sessions_trimp, individual.plans_trimp[-1]))

    def start_rows(self, days: int) -> NDArray[np.int64]:
        """Return every row at which a window of ``days`` sessions fits into the log's part.

        Raises:
            ValueError: If none fits.
        """
        rows = self.tables.sessions_trimp.size
        split = int(_TRAIN_SHARE * rows)
        first, last = {"all": (0, rows), "train": (0, split), "test": (split, rows)}[self.part]
        if last - first < days:
            raise ValueError(
                f"days must be at most {last - first}, the sessions in part {self.part!r} of the "
                f"log of {self.individual.name!r}, got {days}"
            )
        return np.arange(first, last - days + 1)


@compiled
def session_replayed(state: Any, plan_trimp: float, tables: Any) -> tuple[float, bool]:
    """Return the points done today and whether a plan was met, under replay adherence.

    Args:
        state: Record of ``STATE``.
        plan_trimp: ``a_t``, 0 for no plan.
        tables: ``fitgym.adherence.base.Tables`` of the model.
    """
    intensity = tables.sessions_trimp[state.session]
    return intensity, plan_trimp > 0.0 and intensity >= plan_trimp
