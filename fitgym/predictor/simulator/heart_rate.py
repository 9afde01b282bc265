"""The heart-rate demand equation, batched over people.

Sources: Stirling et al. 2008, Bull. Math. Biol. 70 (the demand equation); Nazaret et al., npj
Digital Medicine 2023 (its form with an own state for the demand):

    dHR/dt = A (|HR - HR_min| / 60)^a (|HR_max - HR| / 60)^b (D - HR) / 60      per 10-s step
    dD/dt  = B (I - D) / 60

Ours is the demand I: linear from the standing heart rate to the one at the person's usual speed,
with climbing counted as speed, drifting with the logarithm of time, bending smoothly below HR_max.
Also ours is the carry-over: a recent hard session raises the demand for some days.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitgym.logs.workout import GRID_STEP_S
from fitgym.model.internal_load import load_rates

Array = NDArray[np.float64]

# Ours: the demand bends within some 6 bpm of HR_max, where heart rate plateaus in graded tests.
BEND_BPM = 6.0
# Climb counted as speed when going down; eccentric work costs less than half of the ascent's.
DESCENT_SHARE = 0.3


@dataclass(frozen=True)
class TypicalResponse:
    """How a typical person's heart rate responds to one sport.

    Attributes:
        usual_speed_m_s: Speed of an ordinary session.
        usual_share: Share of the reserve HR_max - HR_min the heart then uses.
        standing_share: Share it uses standing still after a while.
        lag_s: Time constant of the whole answer.
        climb_factor: Speed in m/s that costs as much as climbing 1 m/s.
        drift: Rise of the demand above HR_min per log(1 + minutes), as a share.
    """

    usual_speed_m_s: float
    usual_share: float
    standing_share: float
    lag_s: float
    climb_factor: float
    drift: float


# Ours, set so that the virtual people's recordings match the real ones in the figures of
# ``recording_statistics``. Running climbs at about the cost of the ACSM equation (4.5), cycling at
# that of lifting 85 kg against the marginal power of riding on the flat.
TYPICAL = {
    "run": TypicalResponse(2.95, 0.63, 0.33, 52.0, 4.0, 0.045),
    "bike": TypicalResponse(7.4, 0.57, 0.33, 35.0, 14.0, 0.045),
    "walk": TypicalResponse(0.95, 0.36, 0.27, 52.0, 4.0, 0.0),
    # Swimming, hiking, skiing...: whatever the speed is, it says little of the effort.
    "other": TypicalResponse(2.0, 0.67, 0.5, 52.0, 4.0, 0.02),
}
TYPICAL_LOWEST_BPM, TYPICAL_HIGHEST_BPM, TYPICAL_EXPONENT = 58.0, 187.0, 0.4
# Some 3 bpm the day after an hour's run (load about 110), fading in two days (ours).
CARRY_OVER_BPM, RECOVERY_DAYS = 0.05, 2.0
# Of two lags in a row most is in the demand, the rest in the heart's own answer (ours).
DEMAND_SHARE = 0.7


@dataclass(frozen=True, eq=False)
class HeartDynamics:
    """Parameters of the demand equation of P people, each an array of shape (P,).

    Attributes:
        lowest_bpm: HR_min.
        highest_bpm: HR_max.
        standing_bpm: Heart rate standing still after a while.
        usual_speed_m_s: Speed of an ordinary session.
        usual_bpm: Heart rate at that speed on the flat after the lag, before drift.
        climb_factor: Speed in m/s that costs as much as climbing 1 m/s.
        drift: Rise of the demand above HR_min per log(1 + minutes), as a share.
        demand_rate: B, per 60 steps.
        response_rate: A, per 60 steps.
        lower_exponent: a.
        upper_exponent: b.
        carry_over_bpm: Rise of the demand one load unit of the last session leaves at once.
        recovery_days: Time constant in which the carry-over fades.
    """

    lowest_bpm: Array
    highest_bpm: Array
    standing_bpm: Array
    usual_speed_m_s: Array
    usual_bpm: Array
    climb_factor: Array
    drift: Array
    demand_rate: Array
    response_rate: Array
    lower_exponent: Array
    upper_exponent: Array
    carry_over_bpm: Array
    recovery_days: Array

    def __len__(self) -> int:
        """Return the number of people P."""
        return len(self.lowest_bpm)


def climb_rate(altitude_m: Array) -> Array:
    """Return the climb in m/s over each step (P, T), zero at the first."""
    climb: Array = np.diff(altitude_m, axis=-1, prepend=altitude_m[..., :1]) / GRID_STEP_S
    return climb


def demand(people: HeartDynamics, speed_m_s: Array, climb_m_s: Array, offset_bpm: Array) -> Array:
    """Return the demand I in bpm (P, T).

    Args:
        people: P people.
        speed_m_s: (P, T) speed.
        climb_m_s: (P, T) climb rate.
        offset_bpm: (P,) how much higher than usual the heart beats in this workout.
    """
    slope = (people.usual_bpm - people.standing_bpm) / people.usual_speed_m_s
    effort = np.where(climb_m_s > 0.0, climb_m_s, DESCENT_SHARE * climb_m_s)
    equivalent = np.maximum(speed_m_s + people.climb_factor[:, None] * effort, 0.0)
    steady = people.standing_bpm[:, None] + slope[:, None] * equivalent + offset_bpm[:, None]
    minutes = GRID_STEP_S * np.arange(speed_m_s.shape[1]) / 60.0
    lowest, highest = people.lowest_bpm[:, None], people.highest_bpm[:, None]
    drifted = lowest + (steady - lowest) * (1.0 + people.drift[:, None] * np.log1p(minutes))
    raised: Array = np.maximum(drifted, lowest)
    bend: Array = BEND_BPM * np.logaddexp(0.0, (raised - highest) / BEND_BPM)
    return raised - bend


def heart_rate_response(people: HeartDynamics, demand_bpm: Array, initial_bpm: Array) -> Array:
    """Return the heart rate in bpm (P, T) that follows a demand (P, T) from (P,) at the start.

    Each step relaxes exactly at the rates it begins with, so a heart rate between HR_min and
    HR_max stays there whatever the rates are.
    """
    demand_share = -np.expm1(-people.demand_rate / 60.0)
    heart_rate = initial_bpm.copy()
    state = initial_bpm.copy()
    response = np.empty_like(demand_bpm)
    for step in range(demand_bpm.shape[1]):
        response[:, step] = heart_rate
        state += demand_share * (demand_bpm[:, step] - state)
        rate = (
            people.response_rate
            / 60.0
            * (np.abs(heart_rate - people.lowest_bpm) / 60.0) ** people.lower_exponent
            * (np.abs(people.highest_bpm - heart_rate) / 60.0) ** people.upper_exponent
        )
        heart_rate -= np.expm1(-rate) * (state - heart_rate)
    return response


def internal_load(people: HeartDynamics, heart_rate_bpm: Array) -> Array:
    """Return Banister's TRIMPexp (P, T) at the end of each step of a heart rate (P, T)."""
    lowest, highest = people.lowest_bpm[:, None], people.highest_bpm[:, None]
    rate = load_rates(heart_rate_bpm, lowest, highest, False)
    loads: Array = np.cumsum(rate, axis=1) * GRID_STEP_S / 60.0
    return loads


def carry_over(people: HeartDynamics, load: Array, days_since: Array) -> Array:
    """Return by how many bpm (P,) the last session's load (P,) still raises the demand."""
    return people.carry_over_bpm * load * np.exp(-days_since / people.recovery_days)
