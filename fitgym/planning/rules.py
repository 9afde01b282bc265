"""A coach's rule of thumb: build up, a hard block of hard and easy days, a taper (ours)."""

from __future__ import annotations

from typing import Any

import numpy as np

EASY_PLAN, HARD_PLAN, HARD_EVERY = 2, 10, 4
BUILD_SHARE, TAPER_SHARE = 1 / 6, 2 / 9


def rule_of_thumb(
    day: Any,
    days: int,
    easy_plan: int = EASY_PLAN,
    hard_plan: int = HARD_PLAN,
    hard_every: int = HARD_EVERY,
    build_share: float = BUILD_SHARE,
    taper_share: float = TAPER_SHARE,
) -> Any:
    """Return the plan of each day, 0 for none.

    The build-up is easy on purpose: plans that are surely completed raise motivation before the
    block asks for it, and so do the easy days between the hard ones.

    Args:
        day: Day of the season from 0; any shape.
        days: Days of the season.
        easy_plan: Plan of the build-up, the easy days and the taper.
        hard_plan: Plan of the hard days of the block.
        hard_every: A hard day comes every so many days of the block.
        build_share: Share of the days given to the build-up.
        taper_share: Share of the days given to the taper.
    """
    first = int(np.rint(build_share * days))
    last = days - int(np.rint(taper_share * days))
    hard = (day >= first) & (day < last) & ((day - first) % hard_every == 0)
    return np.where(hard, hard_plan, easy_plan).astype(np.int64)
