"""Plans that a service pushed, as a profile needs to know them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from fitgym.common.json_files import read_object
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
        if not self.grid_trimp:
            raise ValueError("grid_trimp must name the plans to choose from, got none")
        for points in self.grid_trimp:
            require_number("points of grid_trimp", points, 0.0, 200.0)

    def to_dict(self) -> dict[str, Any]:
        """Return the plans for a JSON file."""
        return {
            "vdot": self.vdot,
            "grid_trimp": list(self.grid_trimp),
            "plans": {day.isoformat(): points for day, points in sorted(self.by_date.items())},
        }


def read_plans(path: str | os.PathLike[str]) -> PushedPlans:
    """Read plans from a JSON file: ``vdot``, ``plans`` by date, and ``grid_trimp`` if not usual.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it holds something else.
    """
    content = read_object(path, ("vdot", "plans"))
    grid = content.get("grid_trimp", list(DEFAULT_PLANS_TRIMP))
    try:
        if not isinstance(grid, list):
            raise TypeError(f"grid_trimp must be a list, got {grid!r}")
        return PushedPlans(
            {date.fromisoformat(day): points for day, points in content["plans"].items()},
            content["vdot"],
            tuple(grid),
        )
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"{os.fspath(path)} holds no plans: {error}") from None
