"""Steady sessions at rising speeds, on which predicted heart rate must not fall."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from fitgym.predictor.attributes import NAMES, SHOWN_FACTOR, reference_values
from fitgym.predictor.channels import CHANNELS, PREVIOUS_CHANNELS, session_channels
from fitgym.predictor.exertion import lagged_uptake
from fitgym.predictor.fitrec2.data import SHOWN, TOLD, category_rows
from fitgym.predictor.fitrec2.network import Fitrec2Batch

STEPS, SPEEDS = 72, 6
# Speeds in m/s between which a person's sessions are drawn, and how often a sport is.
RANGES_M_S = {"run": (1.2, 6.6), "walk": (0.5, 2.2), "bike": (2.0, 16.0), "other": (0.5, 6.0)}
SHARES = (0.65, 0.1, 0.2, 0.05)
# Shares of people of whom nothing is told, of each attribute hidden otherwise, and of people of
# whom no earlier workout shows anything.
NOTHING_TOLD, ONE_HIDDEN, NOTHING_SHOWN = 0.3, 0.3, 0.5


def steady_batch(rng: np.random.Generator, people: int) -> tuple[Fitrec2Batch, int]:
    """Draw people, told some of their attributes, each at SPEEDS steady speeds in rising order.

    Returns:
        The batch, without histories and without targets, and the number of speeds.
    """
    size = people * SPEEDS
    channels = np.zeros((size, STEPS, len(CHANNELS)), dtype=np.float32)
    uptake = np.zeros((size, STEPS), dtype=np.float32)
    categories = np.empty((size, 2), dtype=np.int64)
    attributes = np.repeat(_draw_attributes(rng, people), SPEEDS, axis=0)
    flat = np.zeros(STEPS)
    for person in range(people):
        sport = str(rng.choice(list(RANGES_M_S), p=SHARES))
        has_altitude = bool(rng.random() < 0.8)
        speeds = np.sort(rng.uniform(*RANGES_M_S[sport], SPEEDS))
        for row, speed in enumerate(speeds, start=person * SPEEDS):
            course = np.full(STEPS, speed)
            channels[row] = session_channels(course, flat, has_altitude)
            uptake[row] = lagged_uptake(sport, course, flat)
            categories[row] = category_rows(sport, "unknown")
    batch = Fitrec2Batch(
        channels=torch.from_numpy(channels),
        uptake=torch.from_numpy(uptake),
        previous_channels=torch.zeros(size, 1, len(PREVIOUS_CHANNELS)),
        previous_uptake=torch.zeros(size, 1),
        previous_target=torch.zeros(size, 1),
        previous_length=torch.zeros(size, dtype=torch.int64),
        categories=torch.from_numpy(categories),
        attributes=torch.from_numpy(attributes.astype(np.float32)),
        references=torch.from_numpy(reference_values(attributes).astype(np.float32)),
        target=torch.zeros(size, STEPS),
        weight=torch.zeros(size, STEPS),
    )
    return batch, SPEEDS


def _draw_attributes(rng: np.random.Generator, people: int) -> NDArray[np.float64]:
    """Return attributes (P, A) over the range of adults; NaN where unknown.

    As recorded people are, some are known by nothing but what their earlier workouts show.
    """
    told = {
        "resting_bpm": (40.0, 75.0),
        "maximum_bpm": (160.0, 210.0),
        "vdot": (20.0, 85.0),
        "age": (18.0, 75.0),
    }
    rows = np.full((people, len(NAMES)), np.nan)
    for name, (low, high) in told.items():
        rows[:, NAMES.index(name)] = rng.uniform(low, high, people)
    best, vdot = rows[:, NAMES.index("maximum_bpm")], rows[:, NAMES.index("vdot")]
    rows[:, NAMES.index("seen_maximum_bpm")] = best - rng.uniform(0.0, 40.0, people)
    rows[:, NAMES.index("shown_vdot")] = vdot / SHOWN_FACTOR * rng.uniform(0.7, 1.0, people)
    hidden = rng.random(rows.shape) < ONE_HIDDEN
    hidden[:, TOLD] |= (rng.random(people) < NOTHING_TOLD)[:, None]
    hidden[:, SHOWN] |= (rng.random(people) < NOTHING_SHOWN)[:, None]
    rows[hidden] = np.nan
    return rows
