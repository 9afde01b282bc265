"""The data side of the faithful FitRec: the authors' channels, scaling and split.

It works on a user's own copy of the authors' file (see ``fitgym.logs.endomondo``), on the points
as recorded rather than on our grid. Training visits a file larger than memory through an index:

    entries = index_workouts(path)
    split = chronological_split(entries)
    examples = list(load_examples(path, split.training[:256]))
    batch = collate_faithful(examples, FaithfulVocabulary.of(entries))

Source: Ni, Muhlstein, McAuley, "Modeling heart rate and activity data for personalized fitness
recommendation", WWW 2019. Inputs are five times the z-score with the authors' means and standard
deviations. The target stays in its own unit: scaled, every heart rate below 130.4 bpm would be
below -1.76, which the paper's SELU output cannot reach.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from fitgym.common.validation import require_choice, require_integer
from fitgym.logs.convert import SECONDS_PER_DAY
from fitgym.logs.endomondo import (
    EndomondoFilter,
    EndomondoRecord,
    read_endomondo,
    read_endomondo_at,
    step_distances_km,
)
from fitgym.predictor.fitrec.network import Batch

Array = NDArray[np.float64]


class Scaling(NamedTuple):
    """Mean and standard deviation over the authors' data."""

    mean: float
    deviation: float


# The authors' constants: km from point to point, metres, seconds, km/h, bpm.
SCALING = {
    "distance": Scaling(0.0523007, 0.0598091),
    "altitude": Scaling(165.374, 342.966),
    "time": Scaling(2749.508, 112_163.0),
    "derived_speed": Scaling(17.8059, 12.5696),
    "heart_rate": Scaling(138.7079, 23.6099),
}
Z_SCORE_FACTOR = 5.0
FAITHFUL_CHANNELS = ("distance", "altitude", "time")
TARGETS = ("heart_rate", "derived_speed")

# The authors' split: people with ten workouts, of which eight are for training and one each for
# validation and test.
MINIMUM_WORKOUTS = 10
# Ours, since none is published: days since the previous workout enter as log(1 + days) / 2.
DAYS_SCALE = 2.0


def scale(name: str, values: Array) -> Array:
    """Return five times the z-score of ``values``, ``name`` being a key of ``SCALING``."""
    mean, deviation = SCALING[require_choice("name", name, SCALING)]
    return Z_SCORE_FACTOR * (values - mean) / deviation


def unscale(name: str, scaled: Array) -> Array:
    """Return the values that ``scale`` would give ``scaled`` for."""
    mean, deviation = SCALING[require_choice("name", name, SCALING)]
    return mean + deviation * scaled / Z_SCORE_FACTOR


def derived_speed_km_h(record: EndomondoRecord) -> Array:
    """Return (P,) distance over time from each point's predecessor in km/h, the first 0.

    Raises:
        ValueError: If the timestamps do not increase.
    """
    hours = np.diff(record.timestamp_s) / 3600.0
    if hours.min() <= 0:
        raise ValueError(f"timestamp of workout {record.identifier!r} must increase")
    return np.concatenate([[0.0], step_distances_km(record)[1:] / hours])


def faithful_channels(record: EndomondoRecord) -> NDArray[np.float32]:
    """Return the scaled channels (P, 3) of a workout, in the order of ``FAITHFUL_CHANNELS``.

    The time is the workout's total, the same at every point.
    """
    total_s = record.timestamp_s[-1] - record.timestamp_s[0]
    channels = [
        scale("distance", step_distances_km(record)),
        scale("altitude", record.altitude_m),
        scale("time", np.full(len(record.timestamp_s), total_s)),
    ]
    return np.stack(channels, axis=1).astype(np.float32)


@dataclass(frozen=True)
class FaithfulEntry:
    """Where one workout and its person's previous one stand in the file.

    Attributes:
        offset: Position of its line, in bytes.
        previous_offset: Position of the line of the previous workout; None for a first one.
        start_s: Unix time of its first point.
        user: Name of the person.
        sport: Name of the sport.
        gender: The person's gender.
    """

    offset: int
    previous_offset: int | None
    start_s: float
    user: str
    sport: str
    gender: str


def index_workouts(
    path: str | os.PathLike[str], filters: EndomondoFilter | None = None
) -> list[FaithfulEntry]:
    """Read the authors' file once and return where its workouts stand, person by person in time.

    Args:
        path: The user's own copy of ``endomondoHR_proper.json``.
        filters: Which workouts to keep; None takes the defaults of ``EndomondoFilter``.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If a line is malformed; the message names the file, the line and the key.
    """
    by_user: dict[str, list[FaithfulEntry]] = defaultdict(list)
    for record in read_endomondo(path, filters or EndomondoFilter()):
        start_s = float(record.timestamp_s[0])
        by_user[record.user].append(
            FaithfulEntry(record.offset, None, start_s, record.user, record.sport, record.gender)
        )
    entries: list[FaithfulEntry] = []
    for mine in by_user.values():
        previous_offset = None
        for entry in sorted(mine, key=lambda entry: (entry.start_s, entry.offset)):
            entries.append(replace(entry, previous_offset=previous_offset))
            previous_offset = entry.offset
    return entries


@dataclass(frozen=True)
class FaithfulSplit:
    """The authors' split of an index."""

    training: list[FaithfulEntry]
    validation: list[FaithfulEntry]
    test: list[FaithfulEntry]


def chronological_split(
    entries: Sequence[FaithfulEntry], minimum_workouts: int = MINIMUM_WORKOUTS
) -> FaithfulSplit:
    """Split each person's workouts 80/10/10 in time, leaving out people with few.

    Args:
        entries: The index.
        minimum_workouts: People with fewer are left out; at least 10, so that no part is empty.
    """
    require_integer("minimum_workouts", minimum_workouts, MINIMUM_WORKOUTS)
    by_user: dict[str, list[FaithfulEntry]] = defaultdict(list)
    for entry in entries:
        by_user[entry.user].append(entry)
    split = FaithfulSplit([], [], [])
    for mine in by_user.values():
        if len(mine) < minimum_workouts:
            continue
        mine.sort(key=lambda entry: (entry.start_s, entry.offset))
        validation_begins, test_begins = len(mine) * 8 // 10, len(mine) * 9 // 10
        split.training.extend(mine[:validation_begins])
        split.validation.extend(mine[validation_begins:test_begins])
        split.test.extend(mine[test_begins:])
    return split


@dataclass(frozen=True, eq=False)
class FaithfulExample:
    """One workout and its person's previous one; None and 0 days for a first workout."""

    record: EndomondoRecord
    previous: EndomondoRecord | None
    days_since: float


def load_examples(
    path: str | os.PathLike[str], entries: Sequence[FaithfulEntry]
) -> Iterator[FaithfulExample]:
    """Yield the workouts of ``entries`` in their order, each read from its place in the file.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If the file is not the one that was indexed.
    """
    for entry in entries:
        record = read_endomondo_at(path, entry.offset)
        previous, days_since = None, 0.0
        if entry.previous_offset is not None:
            previous = read_endomondo_at(path, entry.previous_offset)
            days_since = (entry.start_s - float(previous.timestamp_s[0])) / SECONDS_PER_DAY
        yield FaithfulExample(record, previous, days_since)


@dataclass(frozen=True)
class FaithfulVocabulary:
    """The values of the static attributes, in the order of their embeddings' rows."""

    users: tuple[str, ...]
    sports: tuple[str, ...]
    genders: tuple[str, ...]

    @classmethod
    def of(cls, entries: Sequence[FaithfulEntry]) -> FaithfulVocabulary:
        """Return the values that occur, in alphabetical order."""
        return cls(
            tuple(sorted({entry.user for entry in entries})),
            tuple(sorted({entry.sport for entry in entries})),
            tuple(sorted({entry.gender for entry in entries})),
        )

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Numbers of rows of the user, sport and gender embeddings."""
        return len(self.users), len(self.sports), len(self.genders)

    def rows(self, record: EndomondoRecord) -> tuple[int, int, int]:
        """Return the embedding rows of a workout's attributes.

        Raises:
            ValueError: If a value is not in the vocabulary; the paper's network knows no others.
        """
        try:
            return (
                self.users.index(record.user),
                self.sports.index(record.sport),
                self.genders.index(record.gender),
            )
        except ValueError:
            raise ValueError(
                f"workout {record.identifier!r} has a user, sport or gender outside the "
                f"vocabulary: {record.user!r}, {record.sport!r}, {record.gender!r}"
            ) from None


def collate_faithful(
    examples: Sequence[FaithfulExample],
    vocabulary: FaithfulVocabulary,
    target: str = "heart_rate",
) -> Batch:
    """Pad examples to a batch for ``FitRecNetwork(FitRecConfig.faithful(vocabulary.sizes))``.

    The target to predict is in bpm or km/h; the previous workout's, an input, is scaled.

    Args:
        examples: At least one.
        vocabulary: Rows of the embeddings.
        target: One of ``TARGETS``.
    """
    require_choice("target", target, TARGETS)
    width = len(FAITHFUL_CHANNELS)
    size = len(examples)
    steps = max(len(example.record.timestamp_s) for example in examples)
    lengths = [0 if e.previous is None else len(e.previous.timestamp_s) for e in examples]
    channels = np.zeros((size, steps, width), dtype=np.float32)
    targets = np.zeros((size, steps), dtype=np.float32)
    weight = np.zeros((size, steps), dtype=np.float32)
    previous_channels = np.zeros((size, max(1, *lengths), width + 1), dtype=np.float32)
    previous_target = np.zeros((size, max(1, *lengths), 1), dtype=np.float32)
    for row, (example, length) in enumerate(zip(examples, lengths, strict=True)):
        points = len(example.record.timestamp_s)
        channels[row, :points] = faithful_channels(example.record)
        targets[row, :points] = _target(example.record, target)
        weight[row, :points] = 1.0
        if example.previous is not None:
            previous_channels[row, :length, :width] = faithful_channels(example.previous)
            previous_channels[row, :length, width] = np.log1p(example.days_since) / DAYS_SCALE
            previous_target[row, :length, 0] = scale(target, _target(example.previous, target))
    return Batch(
        channels=torch.from_numpy(channels),
        previous_channels=torch.from_numpy(previous_channels),
        previous_target=torch.from_numpy(previous_target),
        previous_length=torch.tensor(lengths),
        attributes=torch.tensor([vocabulary.rows(example.record) for example in examples]),
        target=torch.from_numpy(targets),
        weight=torch.from_numpy(weight),
    )


def _target(record: EndomondoRecord, target: str) -> Array:
    return record.heart_rate_bpm if target == "heart_rate" else derived_speed_km_h(record)
