"""The cost of a day, for agents that have to keep a limit: how far training load rises too steeply.

It is the acute:chronic workload ratio (``fitgym.model.strain``) above ``COST_RATIO``. The ratio
depends on four weeks of sessions. They are no part of a state, since no equation reads them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.common.compilation import compiled
from fitgym.model.strain import ACUTE_DAYS, CHRONIC_DAYS, HIGH_RATIO

# Where the range with the fewest injuries ends, which is also the coach's limit; the dangerous
# ratio would let nearly everything pass.
COST_RATIO = HIGH_RATIO

# Days of the chronic workload, and sums over both spans.
WEEK_COLUMNS = CHRONIC_DAYS + 2

# Points are counted in whole parts of 2^-30, so that sums which days enter and leave stay
# exact and are 0 after weeks of rest.
_UNITS = 2.0**30


class CostMeter:
    """Keeps the last four weeks of people, and what each one's last day cost.

    Attributes:
        costs: Of the last day of each, 0 after a reset, (N,); changed in place.
    """

    def __init__(self, people: int) -> None:
        """Start before anybody's first day.

        Args:
            people: How many, N.
        """
        self._weeks = np.zeros((people, WEEK_COLUMNS), dtype=np.int64)
        self.costs = np.zeros(people)

    def begin(self, chosen: NDArray[np.bool_]) -> None:
        """Forget the weeks of the chosen people, (N,), whose episodes begin."""
        self._weeks[chosen] = 0
        self.costs[chosen] = 0.0

    def add(self, states: NDArray[np.void], chosen: NDArray[np.bool_]) -> None:
        """Add the day that the chosen people, (N,), have just had; see ``add_day``."""
        add_day(self._weeks, states, chosen, self.costs, ACUTE_DAYS, CHRONIC_DAYS, COST_RATIO)


@compiled
def add_day(
    weeks: Any,
    states: Any,
    chosen: Any,
    costs: Any,
    acute_days: int,
    chronic_days: int,
    free_ratio: float,
) -> None:
    """Add a day to the weeks of the chosen people, and write its cost.

    Args:
        weeks: (N, 30) points of the last days, that of day ``d`` in column ``d % 28``, and 0 where
            no day was yet, and two sums; changed in place.
        states: Record array of ``STATE`` (N,) after the day.
        chosen: (N,) whose.
        costs: (N,) filled in for the chosen, at least 0.
        acute_days: Days of the acute workload.
        chronic_days: Of the chronic one.
        free_ratio: Up to which a day costs nothing.
    """
    # Columns after those of the days: sums over the acute and the chronic days, in units.
    acute, chronic = chronic_days, chronic_days + 1
    for index in range(chosen.size):
        if chosen[index]:
            days = states[index].day
            today = (days - 1) % chronic_days
            left = today - acute_days
            left = left + chronic_days if left < 0 else left
            points = int(states[index].intensity * _UNITS)
            week = weeks[index]
            week[acute] += points - week[left]
            week[chronic] += points - week[today]
            week[today] = points
            costs[index] = 0.0
            if week[acute] > 0:
                share = week[acute] / week[chronic]
                ratio = share * min(days, chronic_days) / min(days, acute_days)
                costs[index] = max(0.0, ratio - free_ratio)
