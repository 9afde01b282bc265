"""What sessions really done say of tolerance, where no plans are known.

Tolerance per point of the base level is the population's until plans are begun. A person who runs
two hours on most Sundays has shown that such a load is tolerated, whatever the population says. So
an average day tolerates at least the load that was reached in half of the last eight weeks.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np

from fitgym.logs.training_log import LoggedSession
from fitgym.logs.workout import GRID_STEP_S
from fitgym.model.internal_load import load_rates, offset_weight
from fitgym.people.individual import Physiology

# Weeks that show what is tolerated now, in how many of them a load was reached, and how many
# sessions of a week are looked at (ours).
_WEEKS, _REACHED, _OF_A_WEEK = 8, 4, 2
# Spread between people of the logarithm of what is tolerated, beside that of their weeks (ours).
_PER_POINT_SD = 0.3
_SPREADS = 1.96


def reached_load(
    sessions: Sequence[LoggedSession], today: date, physiology: Physiology
) -> float | None:
    """Return the internal load that was reached in half of the last weeks; None for fewer weeks.

    Args:
        sessions: What was done, with distance and time; each counts as run evenly.
        today: The day after the last one.
        physiology: The body as profiled.

    Raises:
        ImportError: If there is something to ask and the ``predictor`` extra is not installed.
    """
    weeks: dict[int, list[LoggedSession]] = {}
    for one in sessions:
        if 0 < (today - one.date).days <= 7 * _WEEKS:
            weeks.setdefault(((today - one.date).days - 1) // 7, []).append(one)
    if len(weeks) < _REACHED:
        return None
    asked = [
        (week, one)
        for week, own in weeks.items()
        for one in sorted(own, key=lambda session: session.distance_m)[-_OF_A_WEEK:]
    ]
    largest = dict.fromkeys(weeks, 0.0)
    loads = expected_loads([one for _, one in asked], physiology)
    for (week, _), load in zip(asked, loads, strict=True):
        largest[week] = max(largest[week], load)
    return sorted(largest.values(), reverse=True)[_REACHED - 1]


def expected_loads(sessions: Sequence[LoggedSession], physiology: Physiology) -> list[float]:
    """Return the internal load to be expected of each session, run evenly."""
    from fitgym.predictor.attributes import Attributes
    from fitgym.predictor.fitrec2.inference import load_body_predictor
    from fitgym.predictor.sessions import Session
    from fitgym.predictor.threads import one_thread

    resting, maximum = physiology.resting_heart_rate, physiology.maximum_heart_rate
    body = Attributes(resting_bpm=resting, maximum_bpm=maximum, vdot=physiology.vdot)
    asked = []
    for one in sessions:
        steps = max(round(60.0 * one.minutes / GRID_STEP_S), 2)
        speed = np.full(steps, one.distance_m / (60.0 * one.minutes))
        asked.append(Session(speed, np.zeros(steps), gender=physiology.gender))
    with one_thread():
        answers = load_body_predictor().predict(asked, [None], [body])
    loads = []
    for beats in answers:
        shown = beats + physiology.heart_rate_offset * offset_weight(beats, resting, maximum)
        rates = load_rates(shown, resting, maximum, physiology.gender == "female")
        loads.append(float(rates.sum()) * GRID_STEP_S / 60.0)
    return loads


def raised(
    value: float, low: float, high: float, reached: float | None
) -> tuple[float, float, float]:
    """Return a tolerance and its 95 % interval, raised to a load that was reached again and again.

    Args:
        value: Load tolerated on an average day, as the profile has it.
        low: Lower end of its interval.
        high: Upper end.
        reached: The load; None for none.
    """
    if reached is None or reached <= value:
        return value, low, high
    log_sd = float(np.log(high / low)) / (2.0 * _SPREADS)
    factor = float(np.exp(_SPREADS * np.hypot(log_sd, _PER_POINT_SD)))
    return reached, reached / factor, reached * factor
