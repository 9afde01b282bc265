"""Certain adherence: every plan is done exactly, and nothing else is."""

from __future__ import annotations

from typing import ClassVar

from fitgym.adherence.base import Adherence
from fitgym.common.compilation import compiled

CERTAIN = 0


class CertainAdherence(Adherence):
    """The person does what the plan says, ``x_t = a_t``; without a plan, nothing."""

    code: ClassVar[int] = CERTAIN


@compiled
def plan_carried_out(plan_trimp: float) -> tuple[float, bool]:
    """Return the points done today and whether a plan was met, under certain adherence.

    Args:
        plan_trimp: ``a_t``, 0 for no plan.
    """
    return plan_trimp, plan_trimp > 0.0
