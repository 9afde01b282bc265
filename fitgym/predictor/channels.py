"""The network's inputs: channels of a session, scaled with declared constants.

Every channel at step t uses only steps up to t, so that a prefix of a session is encoded as the
prefix of its encoding. All scales are ours: round numbers that bring running to the order of one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fitgym.logs.workout import GRID_STEP_S

CHANNELS = ("speed", "climb_rate", "relative_altitude", "has_altitude", "elapsed_time")
# The previous workout is known as a whole, so its steps also carry how long ago it was (the
# paper's), and its duration, mean speed and mean heart rate (ours: a network that reads it step by
# step would otherwise learn only in the course of the session how hard the last one was).
PREVIOUS_CHANNELS = (*CHANNELS, "days_since", "duration", "mean_speed", "mean_heart_rate")

# Sports the network tells apart; ``other`` stands for every sport not named here, ``unknown`` for
# not being told which.
SPORTS = ("unknown", "run", "bike", "walk", "other")
SPORT_FAMILIES = {"run_treadmill": "run", "run_trail": "run", "bike_indoor": "bike"}

SPEED_CENTRE_M_S, SPEED_SCALE_M_S = 3.0, 1.5
# Altitude is noisy on a 10-s grid, so the climb rate is that of the last 30 seconds.
CLIMB_STEPS = 3
CLIMB_SCALE_M_S = 0.25
ALTITUDE_SCALE_M = 200.0
# Elapsed time enters as log(1 + minutes), the form in which heart rate drifts.
ELAPSED_CENTRE, ELAPSED_SCALE = 2.5, 1.0
DAYS_SCALE = 2.0
HEART_RATE_CENTRE_BPM, HEART_RATE_SCALE_BPM = 140.0, 25.0


def sport_family(sport: str) -> str:
    """Return the entry of ``SPORTS`` that ``sport`` belongs to."""
    family = SPORT_FAMILIES.get(sport, sport)
    return family if family in SPORTS else "other"


def session_channels(
    speed_m_s: NDArray[np.float64], altitude_m: NDArray[np.float64], has_altitude: bool
) -> NDArray[np.float32]:
    """Return the scaled channels (T, N) of a session, in the order of ``CHANNELS``.

    Args:
        speed_m_s: (T,) speed.
        altitude_m: (T,) altitude above any origin.
        has_altitude: Whether the altitude is known; if not, climb and altitude are zero.
    """
    steps = len(speed_m_s)
    channels = np.zeros((steps, len(CHANNELS)), dtype=np.float32)
    channels[:, 0] = (speed_m_s - SPEED_CENTRE_M_S) / SPEED_SCALE_M_S
    if has_altitude:
        earlier = altitude_m[np.maximum(np.arange(steps) - CLIMB_STEPS, 0)]
        climb = (altitude_m - earlier) / (CLIMB_STEPS * GRID_STEP_S)
        channels[:, 1] = climb / CLIMB_SCALE_M_S
        channels[:, 2] = (altitude_m - altitude_m[0]) / ALTITUDE_SCALE_M
        channels[:, 3] = 1.0
    minutes = GRID_STEP_S * np.arange(steps) / 60.0
    channels[:, 4] = (np.log1p(minutes) - ELAPSED_CENTRE) / ELAPSED_SCALE
    return channels


def previous_channels(
    channels: NDArray[np.float32], heart_rate: NDArray[np.float32], days_since: float
) -> NDArray[np.float32]:
    """Return the channels z_t (T', N') of a previous workout, in the order of PREVIOUS_CHANNELS.

    Args:
        channels: (T', N) its own channels.
        heart_rate: (T',) its heart rate in the network's unit.
        days_since: Days since it.
    """
    steps = len(channels)
    minutes = GRID_STEP_S * steps / 60.0
    whole = np.empty((steps, 4), dtype=np.float32)
    whole[:, 0] = np.log1p(days_since) / DAYS_SCALE
    whole[:, 1] = (np.log1p(minutes) - ELAPSED_CENTRE) / ELAPSED_SCALE
    whole[:, 2] = channels[:, 0].mean()
    whole[:, 3] = heart_rate.mean()
    return np.concatenate([channels, whole], axis=1)


def normalise_heart_rate(heart_rate_bpm: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return heart rate in the network's unit, ``(bpm - 140) / 25``."""
    normalised = (heart_rate_bpm - HEART_RATE_CENTRE_BPM) / HEART_RATE_SCALE_BPM
    return normalised.astype(np.float32)


def denormalise_heart_rate(output: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return heart rate in bpm from the network's unit."""
    return output.astype(np.float64) * HEART_RATE_SCALE_BPM + HEART_RATE_CENTRE_BPM
