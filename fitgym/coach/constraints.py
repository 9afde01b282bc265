"""What a plan must keep to: free days, hard days apart, a cap on sudden load, session length."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.common.validation import require_integer, require_number
from fitgym.model.plans import plan_segments
from fitgym.model.strain import ACUTE_DAYS, CHRONIC_DAYS

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# Limits of ``fitgym coach`` unless others are told (ours): without them the model gains from plans
# that nobody completes, and from a sudden rise of load that no coach would ask for.
USUAL_HARD_GAP, USUAL_ACWR, USUAL_LEAST_CHANCE = 1, 1.3, 0.5
# Ours: a ratio of 1 is steady training, so a lower cap would ask for ever less; 4 is never passed.
LOWEST_CAP, HIGHEST_CAP = 1.0, 4.0
_LONGEST_GAP = 6
# Sums of floats may differ by rounding.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Constraints:
    """What every plan keeps to.

    Attributes:
        free: Days of the week that plans may be on, 0 for Monday to 6.
        busy: Days without a plan, ISO dates.
        injured: First and last day of each time of injury or illness, ISO dates, without a plan.
        hard_gap: Days that must lie between two hard days, 0 to 6; a day is hard with a plan, or a
            session of one's own, of at least ``hard_trimp`` points.
        hard_trimp: Points from which a day is hard; None for the base level at the season's start,
            which is what the hardest sessions of late keep up.
        acwr: Largest acute:chronic workload ratio that a plan may lead to when it is carried out,
            in [1, 4]; None for no cap.
        longest_minutes: Longest session; None for no limit.
        least_chance: Smallest chance of completion that a plan may have, in [0, 0.95].
    """

    free: tuple[int, ...] = tuple(range(7))
    busy: tuple[str, ...] = ()
    injured: tuple[tuple[str, str], ...] = ()
    hard_gap: int = 0
    hard_trimp: float | None = None
    acwr: float | None = None
    longest_minutes: float | None = None
    least_chance: float = 0.0

    def __post_init__(self) -> None:
        """Check every field.

        Raises:
            ValueError: If a value is not allowed, or no day is free.
            TypeError: If a value has the wrong type.
        """
        free = sorted({require_integer("free", day, 0, 6) for day in self.free})
        if not free:
            raise ValueError("free must name at least one day of the week, got none")
        object.__setattr__(self, "free", tuple(free))
        for day in self.busy:
            try:
                date.fromisoformat(day)
            except (TypeError, ValueError):
                raise ValueError(f"busy must be dates such as 2026-01-31, got {day!r}") from None
        object.__setattr__(self, "busy", tuple(sorted(set(self.busy))))
        for first, last in self.injured:
            if date.fromisoformat(last) < date.fromisoformat(first):
                raise ValueError(f"injured must end on or after {first}, got {last}")
        require_integer("hard_gap", self.hard_gap, 0, _LONGEST_GAP)
        if self.hard_trimp is not None:
            require_number("hard_trimp", self.hard_trimp, 0.1, 2000)
        if self.acwr is not None:
            require_number("acwr", self.acwr, LOWEST_CAP, HIGHEST_CAP)
        if self.longest_minutes is not None:
            require_number("longest_minutes", self.longest_minutes, 1, 1000)
        require_number("least_chance", self.least_chance, 0, 0.95)

    def to_dict(self) -> dict[str, Any]:
        """Return the constraints for a JSON file."""
        return asdict(self)

    def is_free(self, day: date) -> bool:
        """Return whether a plan may be on a day."""
        return (
            day.weekday() in self.free
            and day.isoformat() not in self.busy
            and not self.injured_until(day)
        )

    def injured_until(self, day: date) -> str:
        """Return the last day of the injury that a day falls into, ISO; empty for none."""
        return max(
            (last for first, last in self.injured if first <= day.isoformat() <= last), default=""
        )


def parse_weekdays(text: str) -> tuple[int, ...]:
    """Return days of the week, 0 for Monday, from words such as ``mon,wed,sat``.

    Raises:
        ValueError: If a word is no day of the week.
    """
    found = []
    for word in text.split(","):
        short = word.strip().lower()[:3]
        if short not in WEEKDAYS:
            raise ValueError(f"days must be some of {', '.join(WEEKDAYS)}, got {word.strip()!r}")
        found.append(WEEKDAYS.index(short))
    return tuple(sorted(set(found)))


def parse_injured(text: str) -> tuple[tuple[str, str], ...]:
    """Return first and last days from words such as ``2026-02-01..2026-02-14,2026-03-01``.

    Raises:
        ValueError: If a word is neither a date nor two dates with two points between them.
    """
    found = []
    for word in text.split(","):
        first, _, last = word.strip().partition("..")
        try:
            days = [date.fromisoformat(day) for day in (first, last or first)]
        except ValueError:
            raise ValueError(
                f"injured must be days such as 2026-02-01..2026-02-14, got {word.strip()!r}"
            ) from None
        found.append((days[0].isoformat(), days[1].isoformat()))
    return tuple(found)


def plan_minutes(plans_trimp: Sequence[float]) -> NDArray[np.float64]:
    """Return how long each action lasts, minutes, 0 for no plan first."""
    lengths = [sum(part.minutes for part in plan_segments(target)) for target in plans_trimp]
    return np.array([0.0, *lengths])


def calendar_mask(
    constraints: Constraints, plans_trimp: Sequence[float], first: date, days: int
) -> NDArray[np.bool_]:
    """Return which actions each day allows by date and length, (days, actions).

    Raises:
        ValueError: If no plan is short enough, or no day is free.
    """
    minutes = plan_minutes(plans_trimp)
    short = np.ones(minutes.size, dtype=np.bool_)
    if constraints.longest_minutes is not None:
        short = minutes <= constraints.longest_minutes + _ROUNDING
        if not short[1:].any():
            raise ValueError(
                f"longest session: {constraints.longest_minutes:g} minutes leave no plan, the "
                f"shortest lasts {minutes[1:].min():.0f}"
            )
    free = np.array([constraints.is_free(first + timedelta(days=day)) for day in range(days)])
    if not free.any():
        raise ValueError(
            f"free days: none of the {days} days from {first} is free, so there is nothing to plan"
        )
    mask = free[:, None] & short[None, :]
    mask[:, 0] = True
    return mask


def ratio_with(loads: Sequence[float] | NDArray[np.float64], points: float) -> float:
    """Return the acute:chronic ratio of a day with ``points``, after the days of ``loads``.

    It is the last entry of ``fitgym.model.strain.workload_ratio``.

    Args:
        loads: Points of the days before, all that are known or the last 27.
        points: Points of the day.
    """
    known = np.append(np.asarray(loads, dtype=np.float64)[-(CHRONIC_DAYS - 1) :], points)
    chronic = float(known.mean())
    return float(known[-ACUTE_DAYS:].mean()) / chronic if chronic > 0.0 else 0.0


def within_cap(
    constraints: Constraints, histories: Iterable[NDArray[np.float64]], targets: Sequence[float]
) -> NDArray[np.bool_]:
    """Return which actions keep the cap after each of some histories, (actions,).

    Args:
        constraints: Whose cap.
        histories: Points of the days before, each as in ``ratio_with``.
        targets: Points of the actions, 0 first, which is always within.
    """
    within = np.ones(len(targets), dtype=np.bool_)
    if constraints.acwr is None:
        return within
    for loads in histories:
        for action, target in enumerate(targets):
            if action and ratio_with(loads, target) > constraints.acwr + _ROUNDING:
                within[action] = False
    return within


def wait_after(constraints: Constraints, hard_trimp: float, points: Sequence[float]) -> int:
    """Return for how many days no hard plan may follow.

    Args:
        constraints: Whose gap.
        hard_trimp: Points from which a day is hard.
        points: The larger of plan and session of the days before, the last one last.
    """
    for ago, done in enumerate(reversed(points[-constraints.hard_gap :] if points else ())):
        if ago < constraints.hard_gap and done >= hard_trimp:
            return constraints.hard_gap - ago
    return 0
