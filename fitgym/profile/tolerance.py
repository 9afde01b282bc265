"""What sessions really done say of tolerance, where no plans are known.

In the model a session of one's own does not depend on what is tolerated, and tolerance per point
of the base level is the population's until plans are begun. A person who ran two hours on most
Sundays has shown that such a load is tolerated, whatever the population says: a session done
bounds its day's tolerance from below. So that virtual people, whose own sessions tell nothing of
tolerance, are not overrated, this counts only where several sessions lie clearly above what the
profile tolerates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from fitgym.logs.training_log import LoggedSession
from fitgym.logs.workout import GRID_STEP_S
from fitgym.model.internal_load import load_rates, offset_weight
from fitgym.people.individual import Physiology
from fitgym.people.runners import TOLERANCE_SD

Array = NDArray[np.float64]

# Sessions of the last eight weeks show what is tolerated now, the longest of them most (ours).
_RECENT_DAYS, _MOST_SESSIONS = 56, 16
# So many sessions, each so many of the day's standard deviations above, are no chance (ours).
_FEWEST, _ABOVE = 3, 1.0
# Spread between people of the logarithm of what is tolerated per point of the base level (ours).
_PER_POINT_SD = 0.3
_SPREADS = 1.96


@dataclass(frozen=True)
class Raised:
    """Tolerance after what was really done.

    Attributes:
        log_rise: Logarithm by which it rises; 0 where sessions do not contradict it.
        log_sd: Its spread afterwards.
        sessions: How many sessions lay above it.
        largest: The largest load among these.
    """

    log_rise: float = 0.0
    log_sd: float = 0.0
    sessions: int = 0
    largest: float = 0.0


def done_loads(
    sessions: Sequence[LoggedSession], today: date, physiology: Physiology
) -> tuple[float, ...]:
    """Return the internal loads to be expected of the longest sessions of the last weeks.

    Args:
        sessions: What was done, with distance and time; each counts as run evenly.
        today: The day after the last one.
        physiology: The body as profiled.

    Raises:
        ImportError: If there is something to ask and the ``predictor`` extra is not installed.
    """
    recent = [one for one in sessions if 0 < (today - one.date).days <= _RECENT_DAYS]
    recent = sorted(recent, key=lambda one: one.minutes, reverse=True)[:_MOST_SESSIONS]
    if len(recent) < _FEWEST:
        return ()
    from fitgym.predictor.attributes import Attributes
    from fitgym.predictor.fitrec2.inference import load_body_predictor
    from fitgym.predictor.sessions import Session
    from fitgym.predictor.threads import one_thread

    resting, maximum = physiology.resting_heart_rate, physiology.maximum_heart_rate
    body = Attributes(resting_bpm=resting, maximum_bpm=maximum, vdot=physiology.vdot)
    asked = []
    for one in recent:
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
    return tuple(loads)


def raised_by(tolerance: float, log_sd: float, loads: Sequence[float]) -> Raised:
    """Return by how much loads that were really done raise a tolerance.

    A session of load L was done if the tolerance of its day, lognormal around the person's, was at
    least L; the posterior mean over a grid is taken.

    Args:
        tolerance: Load tolerated on an average day, as the profile has it.
        log_sd: Spread of its logarithm.
        loads: Loads of sessions done.
    """
    above = np.log(np.asarray(loads, dtype=np.float64)) - np.log(tolerance)
    above = above[above > _ABOVE * TOLERANCE_SD]
    if above.size < _FEWEST:
        return Raised()
    spread = float(np.hypot(log_sd, _PER_POINT_SD))
    rises = np.linspace(-3.0 * spread, float(above.max()) + 3.0 * spread, 600)
    density = -0.5 * np.square(rises / spread)
    density += log_ndtr((rises[:, None] - above) / TOLERANCE_SD).sum(axis=1)
    weights = np.exp(density - density.max())
    weights /= weights.sum()
    mean = float(weights @ rises)
    sd = float(np.sqrt(weights @ np.square(rises - mean)))
    return Raised(mean, sd, int(above.size), float(tolerance * np.exp(above.max())))


def interval(tolerance: float, raised: Raised) -> tuple[float, float, float]:
    """Return a raised tolerance and its 95 % interval."""
    middle = tolerance * float(np.exp(raised.log_rise))
    factor = float(np.exp(_SPREADS * raised.log_sd))
    return middle, middle / factor, middle * factor
