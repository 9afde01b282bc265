"""From workouts to batches: each workout beside the previous one of the same user."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from fitgym.logs.workout import GENDERS, Workout
from fitgym.predictor.channels import (
    CHANNELS,
    PREVIOUS_CHANNELS,
    SPORTS,
    normalise_heart_rate,
    previous_channels,
    session_channels,
    sport_family,
)
from fitgym.predictor.fitrec.network import Batch
from fitgym.predictor.sessions import fill_heart_rate

# Longer workouts are cropped to their first 640 steps (1 h 47 min), as are longer previous ones.
LONGEST_STEPS = 640
UNKNOWN_USER = "unknown"


@dataclass(frozen=True)
class Vocabulary:
    """The people that have an own row in the user embedding; row 0 is everybody else."""

    users: tuple[str, ...] = (UNKNOWN_USER,)

    def __post_init__(self) -> None:
        if (
            not self.users
            or self.users[0] != UNKNOWN_USER
            or len(set(self.users)) != len(self.users)
        ):
            raise ValueError(
                f"users of a vocabulary must be distinct and begin with {UNKNOWN_USER!r}, "
                f"got {self.users[:3]!r}..."
            )

    @classmethod
    def of(cls, workouts: Sequence[Workout]) -> Vocabulary:
        """Return the vocabulary of the users of ``workouts``, in the order they appear."""
        return cls((UNKNOWN_USER, *dict.fromkeys(workout.user for workout in workouts)))

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Numbers of rows of the user, sport and gender embeddings."""
        return len(self.users), len(SPORTS), len(GENDERS)

    def rows(self, user: str, sport: str, gender: str) -> tuple[int, int, int]:
        """Return the embedding rows of the attributes; row 0 for a user not listed."""
        row = self.users.index(user) if user in self.users else 0
        return row, SPORTS.index(sport_family(sport)), GENDERS.index(gender)


@dataclass(frozen=True, eq=False)
class Example:
    """One workout as the network sees it, cropped to ``LONGEST_STEPS``.

    Attributes:
        workout: The workout itself.
        channels: (T, N) its channels.
        target: (T,) its heart rate in the network's unit, gaps filled.
        valid: (T,) where it was measured.
        previous: The user's previous workout as another example, or None.
        days_since: Days since then; 0 without one.
        weight: Weight of every step in the loss.
    """

    workout: Workout
    channels: NDArray[np.float32]
    target: NDArray[np.float32]
    valid: NDArray[np.bool_]
    previous: Example | None
    days_since: float
    weight: float = 1.0

    def __len__(self) -> int:
        """Return the number of steps T after cropping."""
        return len(self.target)


def is_measured(workout: Workout) -> bool:
    """Return whether heart rate was measured at any step that the network sees."""
    return bool(workout.valid[:LONGEST_STEPS].any())


def encode_workouts(workouts: Sequence[Workout]) -> list[Example]:
    """Return one example for each workout, in the same order, beside its user's previous one.

    Workouts of a user are ordered by day, and within a day as they are given.

    Raises:
        ValueError: If two workouts share an identifier, or one is not measured.
    """
    if len({workout.identifier for workout in workouts}) != len(workouts):
        raise ValueError("workouts must have distinct identifiers")
    for workout in workouts:
        if not is_measured(workout):
            raise ValueError(
                f"workout {workout.identifier!r} has no measured heart rate in its first "
                f"{LONGEST_STEPS} steps"
            )
    by_user: dict[str, list[Workout]] = defaultdict(list)
    for workout in workouts:
        by_user[workout.user].append(workout)
    encoded: dict[str, Example] = {}
    for own in by_user.values():
        previous: Example | None = None
        for workout in sorted(own, key=lambda workout: workout.day):
            steps = min(len(workout), LONGEST_STEPS)
            days = 0.0 if previous is None else workout.day - previous.workout.day
            example = Example(
                workout=workout,
                channels=session_channels(
                    workout.speed_m_s[:steps], workout.altitude_m[:steps], workout.has_altitude
                ),
                target=normalise_heart_rate(fill_heart_rate(workout)[:steps]),
                valid=workout.valid[:steps],
                # Only one step back, so that no chain of all earlier workouts is kept.
                previous=None if previous is None else replace(previous, previous=None),
                days_since=days,
            )
            encoded[workout.identifier] = example
            previous = example
    return [encoded[workout.identifier] for workout in workouts]


def weigh_users(examples: Sequence[Example]) -> list[Example]:
    """Weigh each workout by 1/sqrt(n), n being its user's number of workouts; mean weight one."""
    counts = Counter(example.workout.user for example in examples)
    weights = np.array([counts[example.workout.user] ** -0.5 for example in examples])
    weights /= weights.mean()
    return [
        replace(example, weight=float(weight))
        for example, weight in zip(examples, weights, strict=True)
    ]


def without_history(examples: Sequence[Example]) -> list[Example]:
    """Return the examples as if each were its user's first workout."""
    return [replace(example, previous=None, days_since=0.0) for example in examples]


def collate(examples: Sequence[Example], vocabulary: Vocabulary) -> Batch:
    """Pad examples to one batch."""
    size, steps = len(examples), max(map(len, examples))
    earlier = [example.previous for example in examples]
    lengths = [0 if previous is None else len(previous) for previous in earlier]
    channels = np.zeros((size, steps, len(CHANNELS)), dtype=np.float32)
    target = np.zeros((size, steps), dtype=np.float32)
    weight = np.zeros((size, steps), dtype=np.float32)
    context = np.zeros((size, max(1, *lengths), len(PREVIOUS_CHANNELS)), dtype=np.float32)
    previous_target = np.zeros((size, max(1, *lengths), 1), dtype=np.float32)
    attributes = np.empty((size, 3), dtype=np.int64)
    for row, (example, previous) in enumerate(zip(examples, earlier, strict=True)):
        length = len(example)
        channels[row, :length] = example.channels
        target[row, :length] = example.target
        weight[row, :length] = example.weight * example.valid
        workout = example.workout
        attributes[row] = vocabulary.rows(workout.user, workout.sport, workout.gender)
        if previous is not None:
            context[row, : lengths[row]] = previous_channels(
                previous.channels, previous.target, example.days_since
            )
            previous_target[row, : lengths[row], 0] = previous.target
    return Batch(
        channels=torch.from_numpy(channels),
        previous_channels=torch.from_numpy(context),
        previous_target=torch.from_numpy(previous_target),
        previous_length=torch.tensor(lengths),
        attributes=torch.from_numpy(attributes),
        target=torch.from_numpy(target),
        weight=torch.from_numpy(weight),
    )


def batches(
    examples: Sequence[Example], size: int, rng: np.random.Generator | None = None
) -> Iterator[list[Example]]:
    """Yield lists of up to ``size`` examples of similar length, so that little is padding.

    Args:
        examples: The examples.
        size: Largest number in a batch.
        rng: Shuffles examples among batches and the batches themselves; None yields them from
            the shortest to the longest.
    """
    order = np.arange(len(examples))
    lengths = np.array([len(example) for example in examples])
    if rng is None:
        order = np.argsort(lengths, kind="stable")
        chunks = [order[i : i + size] for i in range(0, len(order), size)]
    else:
        # Only pools of 16 batches are sorted: batches stay random, with lengths close together.
        rng.shuffle(order)
        chunks = []
        for begin in range(0, len(order), 16 * size):
            pool = order[begin : begin + 16 * size]
            pool = pool[np.argsort(lengths[pool], kind="stable")]
            chunks += [pool[i : i + size] for i in range(0, len(pool), size)]
        rng.shuffle(chunks)
    for chunk in chunks:
        yield [examples[index] for index in chunk]
