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

# Points are counted in whole parts of 2^-30, so that sums which days enter and leave stay
# exact and are 0 after weeks of rest.
_UNITS = 2.0**30

# Columns after those of the days: sums over the acute and the chronic days, in units.
_ACUTE = CHRONIC_DAYS
_CHRONIC = CHRONIC_DAYS + 1


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
        self._weeks = np.zeros((people, CHRONIC_DAYS + 2), dtype=np.int64)
        self.costs = np.zeros(people)

    def begin(self, chosen: NDArray[np.bool_]) -> None:
        """Forget the weeks of the chosen people, (N,), whose episodes begin."""
        self._weeks[chosen] = 0
        self.costs[chosen] = 0.0

    def add(self, states: NDArray[np.void], chosen: NDArray[np.bool_]) -> None:
        """Add the day that the chosen people, (N,), have just had; see ``_charge``."""
        _charge(self._weeks, states, chosen, self.costs)


@compiled
def _charge(weeks: Any, states: Any, chosen: Any, costs: Any) -> None:
    """Add a day to the weeks of the chosen people, and write its cost.

    Args:
        weeks: (N, 30) points of the last days, that of day ``d`` in column ``d % 28``, and 0 where
            no day was yet, and two sums; changed in place.
        states: Record array of ``STATE`` (N,) after the day.
        chosen: (N,) whose.
        costs: (N,) filled in for the chosen, at least 0.
    """
    for index in range(chosen.size):
        if chosen[index]:
            days = states[index].day
            today = (days - 1) % CHRONIC_DAYS
            left = today - ACUTE_DAYS
            left = left + CHRONIC_DAYS if left < 0 else left
            points = int(states[index].intensity * _UNITS)
            week = weeks[index]
            week[_ACUTE] += points - week[left]
            week[_CHRONIC] += points - week[today]
            week[today] = points
            costs[index] = 0.0
            if week[_ACUTE] > 0:
                share = week[_ACUTE] / week[_CHRONIC]
                ratio = share * min(days, CHRONIC_DAYS) / min(days, ACUTE_DAYS)
                costs[index] = max(0.0, ratio - COST_RATIO)
