"""Plans that a service pushed, as a profile needs to know them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from fitgym.common.validation import require_number
from fitgym.model.daniels import VDOT_RANGE
from fitgym.people.individual import DEFAULT_PLANS_TRIMP


@dataclass(frozen=True)
class PushedPlans:
    """What a service asked for, day by day.

    Attributes:
        by_date: Points of the plan of each day from the first to the last on which it is known
            what was pushed; 0 for no plan. Nothing is known of days that are not in it.
        vdot: VDOT that the paces of the plans are made for.
        grid_trimp: The plans that it chooses from, points.
    """

    by_date: Mapping[date, float]
    vdot: float
    grid_trimp: tuple[float, ...] = DEFAULT_PLANS_TRIMP

    def __post_init__(self) -> None:
        """Check the points and the VDOT."""
        for day, points in self.by_date.items():
            require_number(f"points of the plan of {day}", points, 0.0, 200.0)
        require_number("vdot of the plans", self.vdot, *VDOT_RANGE)
