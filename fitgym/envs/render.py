"""Rendering an episode: a line a day as text, or one picture of it all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray

from fitgym.adherence.fitrec import FitRecAdherence, SessionTrace
from fitgym.adherence.fitrec2 import Fitrec2Adherence
from fitgym.envs.infos import NO_PLAN
from fitgym.envs.records import OUTCOME
from fitgym.envs.task import Person, Task

if TYPE_CHECKING:
    from fitgym.envs.picture import Picture


class EpisodeRenderer:
    """Keeps the days of one environment's episode, and renders them.

    Attributes:
        trace: Heart rate of the last session, None if there is none.
    """

    def __init__(self, mode: str, task: Task) -> None:
        """Prepare for episodes.

        Args:
            mode: ``"ansi"`` or ``"rgb_array"``.
            task: The task of the environment.
        """
        self._mode = mode
        self._task = task
        # The start and every day since.
        self._outcomes = np.zeros(task.days + 1, dtype=OUTCOME)
        self._plans = np.full(task.days + 1, NO_PLAN)
        self._length = 0
        self._person: Person | None = None
        self.trace: SessionTrace | None = None
        self._picture: Picture | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Return everything but the picture, which is drawn anew where it is needed."""
        return {**self.__dict__, "_picture": None}

    def begin(self, outcome: NDArray[np.void], person: Person) -> None:
        """Start an episode.

        Args:
            outcome: Record of ``OUTCOME``, as ``kernel.begin_batch`` fills it in.
            person: Who lives through the episode.
        """
        self._outcomes[0] = outcome
        self._length = 1
        self._person = person
        self.trace = None

    def add(self, outcome: NDArray[np.void], plan: int, before: NDArray[np.void]) -> None:
        """Add a day.

        Args:
            outcome: Record of ``OUTCOME``.
            plan: Number of the plan that was pushed; ``NO_PLAN`` where plans have none.
            before: Record of ``STATE`` before the day.
        """
        assert self._person is not None
        self._outcomes[self._length] = outcome
        self._plans[self._length] = plan
        self._length += 1
        plan_trimp, done_trimp = float(outcome["plan_trimp"]), float(outcome["done_trimp"])
        adherence = self._person.adherence
        if isinstance(adherence, FitRecAdherence | Fitrec2Adherence) and done_trimp > 0.0:
            self.trace = adherence.last_session(
                before, self._person.record[0], plan_trimp, done_trimp
            )

    def render(self) -> str | NDArray[np.uint8]:
        """Return the episode so far: a line a day, or a picture (720, 960, 3) of uint8.

        Raises:
            ResetNeeded: If no episode was started.
        """
        if self._person is None:
            raise ResetNeeded("render was called before reset()")
        outcomes = self._outcomes[: self._length]
        if self._mode == "ansi":
            return _text(outcomes, self._plans[: self._length])
        if self._picture is None:
            from fitgym.envs.picture import Picture

            heart_rate = self._person.adherence.has_heart_rate
            self._picture = Picture(self._task.days, heart_rate=heart_rate)
        return self._picture.draw(outcomes, self.trace, self._person, self._task.stage)


def _text(outcomes: NDArray[np.void], plans: NDArray[np.int64]) -> str:
    """Return the episode as text, a line a day."""
    start = outcomes[0]
    lines = [
        "day  plan  planned    done  met  base level   fitness   fatigue  performance",
        f"{'start':<26}      {start['base_level']:11.2f} {start['fitness']:9.2f} "
        f"{start['fatigue']:9.2f} {start['performance']:12.2f}",
    ]
    for day in range(1, len(outcomes)):
        outcome, plan = outcomes[day], int(plans[day])
        planned = outcome["plan_trimp"] > 0.0
        number = "-" if plan == NO_PLAN else plan
        asked = f"{number:>4} {outcome['plan_trimp']:8.1f}" if planned else "none        -"
        met = " yes" if outcome["met"] else "  no" if planned else "   -"
        lines.append(
            f"{day:3d}  {asked} {outcome['done_trimp']:7.1f} {met} {outcome['base_level']:11.2f} "
            f"{outcome['fitness']:9.2f} {outcome['fatigue']:9.2f} {outcome['performance']:12.2f}"
        )
    return "\n".join(lines) + "\n"
