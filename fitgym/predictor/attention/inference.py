"""The heart rate ten seconds ahead along a workout, and what the network attended to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from fitgym.logs.workout import GRID_STEP_S, Workout
from fitgym.predictor.attention.data import complete_windows
from fitgym.predictor.attention.network import AttentionConfig, AttentionWindows, FitRecAttention
from fitgym.predictor.channels import (
    CHANNELS,
    DAYS_SCALE,
    denormalise_heart_rate,
    normalise_heart_rate,
    session_channels,
)
from fitgym.predictor.datasets import Vocabulary
from fitgym.predictor.sessions import fill_heart_rate

ATTRIBUTES = ("user", "sport", "gender")


@dataclass(frozen=True, eq=False)
class AttentionForecast:
    """Forecasts for n moments of a workout, each made ten seconds before.

    Attributes:
        time_s: (n,) the moments, in seconds since the start; the last lies one step beyond the
            workout's end where its last nine steps were measured.
        heart_rate_bpm: (n,) the heart rate forecast for them.
        feature_weights: (n, K) attention to each input of the window, in the order of
            ``feature_names``, averaged over its steps; each row sums to one.
        moment_weights: (n, T) attention to each step of the window in the last step of the
            decoder, which makes the forecast; each row sums to one.
    """

    time_s: NDArray[np.float64]
    heart_rate_bpm: NDArray[np.float64]
    feature_weights: NDArray[np.float64]
    moment_weights: NDArray[np.float64]


def feature_names(config: AttentionConfig) -> tuple[str, ...]:
    """Return the names of the K inputs: channels, history context, attribute embeddings."""
    context = [f"history_{number}" for number in range(config.context)]
    embeddings = [f"{name}_{i}" for name in ATTRIBUTES for i in range(config.embedding)]
    return (*CHANNELS, *context, *embeddings)


def forecast_heart_rate(
    model: FitRecAttention, workout: Workout, previous: Workout | None = None
) -> AttentionForecast:
    """Forecast every moment of a workout that has nine measured steps before it.

    Args:
        model: A trained network to which everybody is ``unknown`` (see
            ``attention_weights.load_attention``).
        workout: The workout, or as much of it as there is.
        previous: The same person's previous workout.

    Raises:
        ValueError: If ``previous`` is not an earlier workout of the same person, or no nine steps
            of heart rate in a row were measured.
    """
    window = model.config.window
    starts = complete_windows(workout.valid, window - 1)
    if not starts.size:
        raise ValueError(
            f"workout {workout.identifier!r} must have {window - 1} measured steps of heart rate "
            f"in a row"
        )
    steps = starts[:, None] + np.arange(window)
    channels = session_channels(workout.speed_m_s, workout.altitude_m, workout.has_altitude)
    # The step beyond the end is not known yet; it is taken to be like the last one.
    channels = np.concatenate([channels, channels[-1:]])
    heart_rate = normalise_heart_rate(fill_heart_rate(workout))
    earlier, earlier_heart_rate = earlier_inputs(workout, previous)
    held = np.minimum(steps, len(earlier) - 1)
    rows = Vocabulary().rows(workout.user, workout.sport, workout.gender)
    windows = AttentionWindows(
        channels=torch.from_numpy(channels[steps]),
        previous_channels=torch.from_numpy(earlier[held]),
        previous_target=torch.from_numpy(earlier_heart_rate[held][:, :, None]),
        has_previous=torch.full((len(steps),), float(previous is not None)),
        attributes=torch.tensor([rows]).expand(len(steps), -1),
        seen=torch.from_numpy(heart_rate[steps[:, :-1]]),
    )
    model.eval()
    with torch.inference_mode():
        output = model(windows)
    return AttentionForecast(
        time_s=GRID_STEP_S * steps[:, -1].astype(np.float64),
        heart_rate_bpm=denormalise_heart_rate(output.prediction.numpy()),
        feature_weights=output.feature_weights.mean(dim=1).double().numpy(),
        moment_weights=output.moment_weights[:, -1].double().numpy(),
    )


def earlier_inputs(
    workout: Workout, previous: Workout | None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the channels with days since (T', N + 1) and the heart rate (T',) of ``previous``."""
    if previous is None:
        return np.zeros((1, len(CHANNELS) + 1), np.float32), np.zeros(1, np.float32)
    if previous.user != workout.user or previous.day > workout.day:
        raise ValueError(
            f"previous must be an earlier workout of {workout.user!r} (day {workout.day:g}), "
            f"got one of {previous.user!r} on day {previous.day:g}"
        )
    channels = session_channels(previous.speed_m_s, previous.altitude_m, previous.has_altitude)
    days = np.full((len(previous), 1), np.log1p(workout.day - previous.day) / DAYS_SCALE)
    return (
        np.concatenate([channels, days], axis=1).astype(np.float32),
        normalise_heart_rate(fill_heart_rate(previous)),
    )
