"""From workouts to batches of the second edition."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from fitgym.logs.workout import GENDERS, Workout
from fitgym.predictor.attributes import NAMES, Attributes, attributes_shown, reference_values
from fitgym.predictor.channels import (
    CHANNELS,
    PREVIOUS_CHANNELS,
    SPORTS,
    previous_channels,
    sport_family,
)
from fitgym.predictor.datasets import Example, batches, encode_workouts
from fitgym.predictor.exertion import lagged_uptake
from fitgym.predictor.fitrec2.network import Fitrec2Batch

TOLD = tuple(NAMES.index(name) for name in ("resting_bpm", "maximum_bpm", "vdot", "age"))
SHOWN = tuple(NAMES.index(name) for name in ("seen_maximum_bpm", "shown_vdot"))


@dataclass(frozen=True, eq=False)
class BodyExample:
    """One workout beside what is known of the person's body.

    Attributes:
        example: The workout, its channels and the previous one.
        attributes: (A,) what is told, and what earlier workouts show; NaN where unknown.
        uptake: (T,) lagged oxygen uptake.
        previous_uptake: (T',) that of the previous workout; empty without one.
    """

    example: Example
    attributes: NDArray[np.float64]
    uptake: NDArray[np.float32]
    previous_uptake: NDArray[np.float32]

    def __len__(self) -> int:
        """Return the number of steps T."""
        return len(self.example)

    @property
    def workout(self) -> Workout:
        """The workout itself."""
        return self.example.workout


def encode_bodies(
    workouts: Sequence[Workout], told: Mapping[str, Attributes] | None = None
) -> list[BodyExample]:
    """Return one example for each workout, in the same order.

    Attributes come from what is told and from workouts before the one predicted, never from it.

    Args:
        workouts: The workouts.
        told: Attributes by workout, if any are told.
    """
    examples = encode_workouts(workouts)
    shown = shown_before(workouts)
    uptakes: dict[str, NDArray[np.float32]] = {}
    for example in examples:
        uptakes[example.workout.identifier] = workout_uptake(example.workout, len(example))
    encoded = []
    for example in examples:
        identifier = example.workout.identifier
        row = shown[identifier].row() if told is None else told[identifier].row()
        previous = example.previous
        encoded.append(
            BodyExample(
                example=example,
                attributes=row,
                uptake=uptakes[identifier],
                previous_uptake=np.empty(0, np.float32)
                if previous is None
                else uptakes[previous.workout.identifier],
            )
        )
    return encoded


def shown_before(workouts: Sequence[Workout]) -> dict[str, Attributes]:
    """Return, by workout, what the person's earlier workouts show; within a day as given."""
    by_user: dict[str, list[Workout]] = defaultdict(list)
    for workout in workouts:
        by_user[workout.user].append(workout)
    shown = {}
    for own in by_user.values():
        ordered = sorted(own, key=lambda workout: workout.day)
        so_far = Attributes()
        for workout in ordered:
            shown[workout.identifier] = so_far
            new = attributes_shown([workout])
            so_far = Attributes(
                seen_maximum_bpm=_larger(so_far.seen_maximum_bpm, new.seen_maximum_bpm),
                shown_vdot=_larger(so_far.shown_vdot, new.shown_vdot),
            )
    return shown


def workout_uptake(workout: Workout, steps: int) -> NDArray[np.float32]:
    """Return the lagged uptake of the first ``steps`` of a workout."""
    uptake = lagged_uptake(workout.sport, workout.speed_m_s[:steps], workout.altitude_m[:steps])
    return uptake.astype(np.float32)


def stranger(example: BodyExample) -> BodyExample:
    """Return the example as if it were its user's first workout and nothing were told."""
    return BodyExample(
        example=replace(example.example, previous=None, days_since=0.0),
        attributes=np.full(len(NAMES), np.nan),
        uptake=example.uptake,
        previous_uptake=np.empty(0, np.float32),
    )


def chunks(
    examples: Sequence[BodyExample], size: int, rng: np.random.Generator | None = None
) -> list[list[BodyExample]]:
    """Return lists of up to ``size`` examples of similar length."""
    own = {id(example.example): example for example in examples}
    return [
        [own[id(example)] for example in chunk]
        for chunk in batches([example.example for example in examples], size, rng)
    ]


def collate(examples: Sequence[BodyExample], attributes: NDArray[np.float64]) -> Fitrec2Batch:
    """Pad examples to one batch.

    Args:
        examples: B examples.
        attributes: (B, A) what to tell of each; NaN where unknown.
    """
    size, steps = len(examples), max(map(len, examples))
    lengths = [len(example.previous_uptake) for example in examples]
    longest = max(1, *lengths)
    channels = np.zeros((size, steps, len(CHANNELS)), dtype=np.float32)
    uptake = np.zeros((size, steps), dtype=np.float32)
    target = np.zeros((size, steps), dtype=np.float32)
    weight = np.zeros((size, steps), dtype=np.float32)
    before = np.zeros((size, longest, len(PREVIOUS_CHANNELS)), dtype=np.float32)
    before_uptake = np.zeros((size, longest), dtype=np.float32)
    before_target = np.zeros((size, longest), dtype=np.float32)
    categories = np.empty((size, 2), dtype=np.int64)
    for row, full in enumerate(examples):
        example, length = full.example, len(full)
        channels[row, :length] = example.channels
        uptake[row, :length] = full.uptake
        target[row, :length] = example.target
        weight[row, :length] = example.weight * example.valid
        categories[row] = category_rows(example.workout.sport, example.workout.gender)
        if example.previous is not None:
            before[row, : lengths[row]] = previous_channels(
                example.previous.channels, example.previous.target, example.days_since
            )
            before_uptake[row, : lengths[row]] = full.previous_uptake
            before_target[row, : lengths[row]] = example.previous.target
    return Fitrec2Batch(
        channels=torch.from_numpy(channels),
        uptake=torch.from_numpy(uptake),
        previous_channels=torch.from_numpy(before),
        previous_uptake=torch.from_numpy(before_uptake),
        previous_target=torch.from_numpy(before_target),
        previous_length=torch.tensor(lengths),
        categories=torch.from_numpy(categories),
        attributes=torch.from_numpy(attributes.astype(np.float32)),
        references=torch.from_numpy(reference_values(attributes).astype(np.float32)),
        target=torch.from_numpy(target),
        weight=torch.from_numpy(weight),
    )


def category_rows(sport: str, gender: str) -> tuple[int, int]:
    """Return the rows of the embeddings of sport and gender."""
    return SPORTS.index(sport_family(sport)), GENDERS.index(gender)


def _larger(first: float | None, second: float | None) -> float | None:
    known = [value for value in (first, second) if value is not None]
    return max(known, default=None)
