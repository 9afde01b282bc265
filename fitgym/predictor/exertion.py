"""Expected heart rate of a session from physiology: oxygen uptake as a share of the reserve.

    HR_t = rest + (maximum - rest) s_t                   %HRR = %VO2R (Swain and Leutholtz 1997)
    s_t  = bend(e_t drift_t + slow_t max(e_t - 0.8, 0))
    e_t  = onset_t + (1 - standing) q_t / (VDOT - 3.5)
    q_t  = exponential mean of (oxygen cost - 3.5) over the last minute, from zero at the start

On foot the cost is the larger of walking (ACSM 2018: 3.5 + 0.1 v + 1.8 v grade) and running
(Daniels and Gilbert 1979; 0.9 v grade of climb, ACSM). Riding is that of the power against air,
tyres and gravity (Martin et al. 1998), 10.8 ml/kg/min for each W/kg (ACSM). Other sports: a typical
cost whatever the speed, which says little there. ``standing`` is the share of the reserve that
standing upright and alert takes already; ``onset`` leads to it from a typical share at the start.
``slow`` is the slow component of oxygen uptake, which above the threshold drives uptake and heart
rate to their maximum within some ten minutes (Poole et al. 1988; Jones et al. 2011).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from fitgym.logs.workout import GRID_STEP_S
from fitgym.model.daniels import oxygen_cost
from fitgym.predictor.channels import CLIMB_STEPS, sport_family

Array = NDArray[np.float64]

# Oxygen uptake at rest in ml/kg/min: one MET, by convention.
RESTING_UPTAKE = 3.5
# Time constant of heart rate in seconds: median of the best lags of the recordings.
LAG_S = 60.0
# Share of the reserve at the start of a recording, and the one that standing takes (ours).
INITIAL_SHARE, STANDING_SHARE = 0.26, 0.10
# Cardiovascular drift as a share per log-minute, none after five minutes, in which exercise tests
# reach a steady state (set to the recordings' 5 bpm per log-minute in runs).
DRIFT, DRIFT_FREE_MINUTES = 0.045, 5.0
# Slow component: rise per share above the threshold, and its time constant in minutes.
THRESHOLD_SHARE, SLOW_RISE, SLOW_MINUTES = 0.8, 0.4, 10.0
# The share bends within this much of one, as heart rate plateaus in graded tests.
BEND = 0.02
# Walking (ACSM) and climbing on foot, ml/kg for each metre; running below this speed in m/min is
# outside Daniels' regression.
WALKING_PER_M, WALKING_CLIMB_PER_M, RUNNING_CLIMB_PER_M = 0.1, 1.8, 0.9
SLOWEST_RUN_M_MIN = 50.0
# Going down gives back less than it cost to climb: eccentric work brakes.
DESCENT_SHARE = 0.3
# A rider on the hoods of a road bicycle (Martin et al. 1998): drag area in m2, rolling resistance,
# mass of rider and bicycle, losses of the chain, and what each watt per kg of rider costs.
DRAG_AREA, AIR_DENSITY, ROLLING, GRAVITY = 0.35, 1.2, 0.005, 9.81
RIDER_KG, BICYCLE_KG, CHAIN = 72.0, 10.0, 0.97
UPTAKE_PER_W_KG = 10.8
# Sports whose speed says little (swimming, hiking, skiing): a moderate cost.
OTHER_COST = 27.0
# No session's cost is counted above this: descents and drafting, not the heart, ride faster.
HIGHEST_COST = 95.0


def climb_rate(altitude_m: Array) -> Array:
    """Return the climb rate (T,) in m/s over the last 30 seconds, zero at the first step."""
    steps = np.arange(len(altitude_m))
    earlier = altitude_m[np.maximum(steps - CLIMB_STEPS, 0)]
    climb: Array = (altitude_m - earlier) / (CLIMB_STEPS * GRID_STEP_S)
    return climb


def session_cost(sport: str, speed_m_s: Array, climb_m_s: Array) -> Array:
    """Return the oxygen cost (T,) in ml/kg/min of going at a speed and a climb rate (T,)."""
    family = sport_family(sport)
    rising = np.where(climb_m_s > 0.0, climb_m_s, DESCENT_SHARE * climb_m_s)
    if family == "bike":
        cost = _riding_cost(speed_m_s, climb_m_s)
    elif family == "other":
        cost = np.full(len(speed_m_s), OTHER_COST)
    else:
        speed, climb = 60.0 * speed_m_s, 60.0 * rising
        walking = RESTING_UPTAKE + WALKING_PER_M * speed + WALKING_CLIMB_PER_M * climb
        running = oxygen_cost(np.maximum(speed, SLOWEST_RUN_M_MIN)) + RUNNING_CLIMB_PER_M * climb
        cost = np.maximum(walking, running)
    return np.clip(cost, RESTING_UPTAKE, HIGHEST_COST)


def lagged_uptake(sport: str, speed_m_s: Array, altitude_m: Array) -> Array:
    """Return q_t (T,) in ml/kg/min: the cost above rest, as the heart follows it."""
    above = session_cost(sport, speed_m_s, climb_rate(altitude_m)) - RESTING_UPTAKE
    follow = -np.expm1(-GRID_STEP_S / LAG_S)
    uptake: Array = lfilter([follow], [1.0, follow - 1.0], above)
    return uptake


def onset_share(steps: int) -> Array:
    """Return the share (T,) that comes from the start and from standing."""
    forgotten = np.exp(-GRID_STEP_S / LAG_S * (1.0 + np.arange(steps)))
    share: Array = INITIAL_SHARE * forgotten + STANDING_SHARE * (1.0 - forgotten)
    return share


def drift_factor(steps: int) -> Array:
    """Return by how much (T,) the share has drifted."""
    minutes = GRID_STEP_S * np.arange(steps) / 60.0
    drift: Array = 1.0 + DRIFT * (np.log1p(minutes) - np.log1p(DRIFT_FREE_MINUTES))
    return drift


def slow_rise(steps: int) -> Array:
    """Return the rise (T,) of the share for each share above the threshold."""
    minutes = GRID_STEP_S * np.arange(steps) / 60.0
    rise: Array = -SLOW_RISE * np.expm1(-minutes / SLOW_MINUTES)
    return rise


def bend(share: Array) -> Array:
    """Return ``share`` bent smoothly below one."""
    bent: Array = share - BEND * np.logaddexp(0.0, (share - 1.0) / BEND)
    return bent


def expected_share(uptake: Array, vdot: float | Array) -> Array:
    """Return the expected share (..., T) of the reserve for a lagged uptake (..., T).

    Args:
        uptake: From ``lagged_uptake``.
        vdot: Today's VDOT, of the shape (..., 1) where there are several.
    """
    steps = uptake.shape[-1]
    effort = onset_share(steps) + (1.0 - STANDING_SHARE) * uptake / (vdot - RESTING_UPTAKE)
    beyond = np.maximum(effort - THRESHOLD_SHARE, 0.0)
    return bend(effort * drift_factor(steps) + slow_rise(steps) * beyond)


def _riding_cost(speed_m_s: Array, climb_m_s: Array) -> Array:
    mass = RIDER_KG + BICYCLE_KG
    air = 0.5 * AIR_DENSITY * DRAG_AREA * speed_m_s**3
    power = (air + mass * GRAVITY * (ROLLING * speed_m_s + climb_m_s)) / CHAIN
    cost: Array = 2.0 * RESTING_UPTAKE + UPTAKE_PER_W_KG * np.maximum(power, 0.0) / RIDER_KG
    return cost
