"""The highest heart rate that recordings really show: held, and no artefact of a strap.

A strap that dries or slips reads too high: for seconds (spikes), in a plateau that begins with a
jump no heart makes, or locked to the cadence, at a level that running as fast did not need before.
What is left of a workout is searched for its highest minute; the maximum of the heart is at least
that, give or take what a sensor errs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitgym.logs.training_log import LoggedSession
from fitgym.logs.workout import Workout
from fitgym.predictor.attributes import SEEN_STEPS

Array = NDArray[np.float64]

# No heart rises faster in ten seconds: at the onset of hard exercise the time constant is some 20 s
# or more, of some 80 bpm at most (ours, generous).
FASTEST_RISE_BPM = 25.0
# A reading this much above the median of five around it is a spike.
SPIKE_BPM = 12.0
# Steps after a jump within which it must be gone again, or what follows counts as read wrongly.
LONGEST_ARTEFACT = 60
# The highest minute may exceed that of the other workouts by this much before it needs support:
# a workout at least as fast (ours: spread of a day, twice).
UNSUPPORTED_BPM = 12.0


# Of the maxima that a log tells, this percentile, never between two, is believed: above it may be
# artefacts, which a single number does not show (ours).
LOGGED_PERCENTILE = 95.0


@dataclass(frozen=True)
class SeenMaximum:
    """The highest heart rate that recordings show.

    Attributes:
        bpm: Highest minute of all workouts, or what a log shows where none holds heart rate; None
            where neither does.
        workouts: How many workouts hold heart rate.
        logged: How many sessions of a log tell their maximum, where ``bpm`` is from these.
        rejected: What was not believed, in words.
    """

    bpm: float | None
    workouts: int
    logged: int = 0
    rejected: tuple[str, ...] = ()


def believed_steps(workout: Workout) -> NDArray[np.bool_]:
    """Return which steps (T,) of a workout hold a heart rate that is no artefact."""
    believed = np.array(workout.valid)
    measured = np.flatnonzero(believed)
    if measured.size < 5:
        return believed
    beats = workout.heart_rate_bpm[measured]
    padded = np.pad(beats, 2, mode="edge")
    median = np.median(np.lib.stride_tricks.sliding_window_view(padded, 5), axis=1)
    wrong = beats - median > SPIKE_BPM
    # A jump begins an artefact, which lasts until the heart rate is back near where it jumped.
    smooth = np.where(wrong, median, beats)
    jumps = np.flatnonzero((np.diff(smooth) > FASTEST_RISE_BPM) & (np.diff(measured) == 1)) + 1
    for jump in jumps:
        if smooth[jump - 1] < 0.55 * smooth[jump]:
            # Off the strap before, as at the start of a recording: what follows is the heart.
            continue
        level = smooth[jump - 1] + 0.5 * FASTEST_RISE_BPM
        after = np.flatnonzero(smooth[jump : jump + LONGEST_ARTEFACT] <= level)
        end = jump + (int(after[0]) if after.size else LONGEST_ARTEFACT)
        wrong[jump:end] = True
    believed[measured[wrong]] = False
    return believed


def highest_minute(workout: Workout) -> float | None:
    """Return the highest median over a minute of what is believed, bpm; None without any."""
    beats = workout.heart_rate_bpm[believed_steps(workout)]
    if beats.size < SEEN_STEPS:
        return None
    windows = np.lib.stride_tricks.sliding_window_view(beats, SEEN_STEPS)
    return float(np.median(windows, axis=1).max())


def seen_maximum(
    workouts: Sequence[Workout], sessions: Sequence[LoggedSession] = ()
) -> SeenMaximum:
    """Return the highest heart rate that a person's workouts show.

    A workout whose highest minute stands out above all others, and whose fastest minutes do not,
    is not believed: so a strap reads that is locked to the cadence. Without a workout that holds
    heart rate, the maxima that a log tells stand in.

    Args:
        workouts: Recorded workouts.
        sessions: Sessions of a log.
    """
    found = [(highest_minute(workout), workout) for workout in workouts]
    minutes = [(bpm, workout) for bpm, workout in found if bpm is not None]
    rejected: list[str] = []
    minutes.sort(key=lambda pair: -pair[0])
    while len(minutes) >= 3 and minutes[0][0] - minutes[1][0] > UNSUPPORTED_BPM:
        bpm, workout = minutes[0]
        if _fastest(workout) >= max(_fastest(other) for _, other in minutes[1:]):
            break
        rejected.append(
            f"{bpm:.0f} bpm in {workout.identifier}: {bpm - minutes[1][0]:.0f} above any other "
            "workout, though it was not the fastest"
        )
        minutes.pop(0)
    if minutes:
        return SeenMaximum(minutes[0][0], len(minutes), rejected=tuple(rejected))
    logged = [one.max_heart_rate_bpm for one in sessions if one.max_heart_rate_bpm is not None]
    if not logged:
        return SeenMaximum(None, 0)
    shown = float(np.percentile(logged, LOGGED_PERCENTILE, method="lower"))
    return SeenMaximum(shown, 0, len(logged))


def _fastest(workout: Workout) -> float:
    """Return the highest mean speed over ten minutes, or over the workout, m/s."""
    steps = min(60, len(workout))
    total = np.concatenate([[0.0], np.cumsum(workout.speed_m_s)])
    return float((total[steps:] - total[:-steps]).max() / steps)
