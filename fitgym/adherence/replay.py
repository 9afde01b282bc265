"""Replay adherence: the paper's protocol, in which the person follows the log whatever the plan."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fitgym.adherence.base import REPLAY, Adherence
from fitgym.common.validation import require_choice
from fitgym.people.individual import Individual

__all__ = ["LOG_PARTS", "Replay"]

LOG_PARTS = ("all", "train", "test")

# Fang et al. 2022: the first 80 % of the log for estimation, the rest for testing.
_TRAIN_SHARE = 0.8


class Replay(Adherence):
    """The realised intensities are consecutive sessions of the person's log (Fang et al. 2022).

    A plan is met if the session that happened was at least as hard, so plans change the reward
    and never what happens next.
    """

    code: ClassVar[int] = REPLAY

    def __init__(self, individual: Individual, part: str = "all") -> None:
        """Prepare the log.

        Args:
            individual: A person with a log in ``sessions_trimp``.
            part: Which rows windows are taken from: ``"all"``, ``"train"`` (the first 80 %) or
                ``"test"`` (the others).

        Raises:
            ValueError: If the person has no log or ``part`` is unknown.
        """
        super().__init__(individual)
        require_choice("log_part", part, LOG_PARTS)
        if not individual.sessions_trimp:
            raise ValueError(
                f"replay adherence needs an individual with a log, and {individual.name!r} has "
                "none in sessions_trimp"
            )
        self.part = part
        self.tables = self.tables._replace(sessions_trimp=np.asarray(individual.sessions_trimp))

    @property
    def largest_session_trimp(self) -> float:
        """The larger of the hardest session and the hardest plan, points."""
        return max(float(self.tables.sessions_trimp.max()), self.individual.plans_trimp[-1])

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
