"""Permutation importance of the second edition's inputs, by group, over people.

A group of inputs of each workout is replaced by that of a workout of somebody else in the same
sport, and all that follows from it with it; how much the error grows is the group's importance
(Breiman 2001). Groups that say the same stand in for each other, so importances do not add up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from fitgym.common.statistics import ratio_interval
from fitgym.common.validation import require_integer, require_seed
from fitgym.predictor.attributes import NAMES
from fitgym.predictor.channels import (
    CHANNELS,
    denormalise_heart_rate,
    session_channels,
    sport_family,
)
from fitgym.predictor.exertion import lagged_uptake
from fitgym.predictor.fitrec2.data import SHOWN, BodyExample
from fitgym.predictor.fitrec2.network import Fitrec2Network
from fitgym.predictor.fitrec2.personal import predict_examples

Array = NDArray[np.float64]
Replace = Callable[[BodyExample, BodyExample, np.random.Generator], BodyExample]

REPEATS = 5
TIME = CHANNELS.index("elapsed_time")


@dataclass(frozen=True)
class Importance:
    """How much a group of inputs matters.

    Attributes:
        group: Its name.
        increase_bpm: By how much the pooled MAE grows when the group is another person's.
        low_bpm: Lower end of its 95 % bootstrap interval over people.
        high_bpm: Upper end.
    """

    group: str
    increase_bpm: float
    low_bpm: float
    high_bpm: float


def permutation_importance(
    model: Fitrec2Network,
    examples: Sequence[BodyExample],
    groups: Sequence[str] | None = None,
    *,
    repeats: int = REPEATS,
    seed: int = 0,
) -> tuple[float, list[Importance]]:
    """Return the error of the network, and how it grows for each group that is permuted.

    Args:
        model: The network.
        examples: Workouts of at least two people, with all that is known of them.
        groups: Some of ``GROUPS``; None means all that vary over the examples.
        repeats: How often each group is permuted.
        seed: Seed of who stands in for whom.

    Returns:
        Pooled MAE in bpm over the measured steps, and importances from the largest down.

    Raises:
        ValueError: If there are fewer than two people.
    """
    require_integer("repeats", repeats, 1)
    require_seed("seed", seed)
    users = {example.workout.user for example in examples}
    if len(users) < 2:
        raise ValueError(f"examples must be of two people or more, got {len(users)}")
    base = _errors(model, examples)
    steps = np.array([float(example.example.valid.sum()) for example in examples])
    found = []
    for group in known_groups(examples) if groups is None else groups:
        growth = np.zeros(len(examples))
        for number in range(repeats):
            rng = np.random.default_rng([seed, number])
            donors = _donors(examples, rng, same_sport=group != "sport")
            permuted = [
                GROUPS[group](example, donor, rng)
                for example, donor in zip(examples, donors, strict=True)
            ]
            growth += (_errors(model, permuted) - base) / repeats
        by_user: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
        for example, more, count in zip(examples, growth, steps, strict=True):
            by_user[example.workout.user][0] += more
            by_user[example.workout.user][1] += count
        sums, counts = zip(*by_user.values(), strict=True)
        interval = ratio_interval(sums, counts)
        found.append(Importance(group, interval.mean, interval.low, interval.high))
    mae = float(base.sum() / steps.sum())
    return mae, sorted(found, key=lambda each: -each.increase_bpm)


def known_groups(examples: Sequence[BodyExample]) -> list[str]:
    """Return the groups that tell something of the examples; the others are constant."""
    rows = np.stack([example.attributes for example in examples])
    told = {name: bool((~np.isnan(rows[:, NAMES.index(name)])).any()) for name in NAMES}
    says = {
        "previous workout": any(e.example.previous is not None for e in examples),
        "what earlier workouts show": told["seen_maximum_bpm"] or told["shown_vdot"],
        "resting heart rate": told["resting_bpm"],
        "maximum heart rate": told["maximum_bpm"],
        "VDOT": told["vdot"],
        "age": told["age"],
        "sport": len({sport_family(e.workout.sport) for e in examples}) > 1,
        "gender": len({e.workout.gender for e in examples}) > 1,
        "altitude": any(e.workout.has_altitude for e in examples),
    }
    return [group for group in GROUPS if says.get(group, True)]


def _donors(
    examples: Sequence[BodyExample], rng: np.random.Generator, *, same_sport: bool
) -> list[BodyExample]:
    """Return for each workout one of somebody else, in the same sport; itself if there is none."""
    users = np.array([example.workout.user for example in examples])
    sports = np.array([sport_family(example.workout.sport) for example in examples])
    donors = []
    for number, example in enumerate(examples):
        others = users != users[number]
        if same_sport:
            others &= sports == sports[number]
        choices = np.flatnonzero(others)
        donors.append(examples[int(rng.choice(choices))] if choices.size else example)
    return donors


def _errors(model: Fitrec2Network, examples: Sequence[BodyExample]) -> Array:
    """Return for each workout the sum of absolute errors over its measured steps."""
    return np.array(
        [
            np.abs(predicted - denormalise_heart_rate(each.example.target))[
                each.example.valid
            ].sum()
            for each, predicted in zip(examples, predict_examples(model, examples), strict=True)
        ]
    )


def _with_session(
    example: BodyExample, speed: Array, altitude: Array, has_altitude: bool, sport: str
) -> BodyExample:
    """Return the example with another session, of the same length."""
    return replace(
        example,
        example=replace(
            example.example,
            workout=replace(example.workout, sport=sport),
            channels=session_channels(speed, altitude, has_altitude),
        ),
        uptake=lagged_uptake(sport, speed, altitude).astype(np.float32),
    )


def _cropped(example: BodyExample) -> tuple[Array, Array]:
    return example.workout.speed_m_s[: len(example)], example.workout.altitude_m[: len(example)]


def _speed(example: BodyExample, donor: BodyExample, _: np.random.Generator) -> BodyExample:
    workout = example.workout
    # A shorter workout is gone through again.
    speed = np.resize(_cropped(donor)[0], len(example))
    altitude = _cropped(example)[1]
    return _with_session(example, speed, altitude, workout.has_altitude, workout.sport)


def _altitude(example: BodyExample, donor: BodyExample, _: np.random.Generator) -> BodyExample:
    profile = _cropped(donor)[1]
    # Gone through to and fro, so that it does not jump where it begins anew.
    altitude = np.resize(np.concatenate([profile, profile[::-1]]), len(example))
    speed = _cropped(example)[0]
    return _with_session(
        example, speed, altitude, donor.workout.has_altitude, example.workout.sport
    )


def _time(example: BodyExample, _: BodyExample, rng: np.random.Generator) -> BodyExample:
    channels = example.example.channels.copy()
    channels[:, TIME] = rng.permutation(channels[:, TIME])
    return replace(example, example=replace(example.example, channels=channels))


def _sport(example: BodyExample, donor: BodyExample, _: np.random.Generator) -> BodyExample:
    speed, altitude = _cropped(example)
    workout = example.workout
    return _with_session(example, speed, altitude, workout.has_altitude, donor.workout.sport)


def _gender(example: BodyExample, donor: BodyExample, _: np.random.Generator) -> BodyExample:
    workout = replace(example.workout, gender=donor.workout.gender)
    return replace(example, example=replace(example.example, workout=workout))


def _previous(example: BodyExample, donor: BodyExample, _: np.random.Generator) -> BodyExample:
    return replace(
        example,
        example=replace(
            example.example,
            previous=donor.example.previous,
            days_since=donor.example.days_since,
        ),
        previous_uptake=donor.previous_uptake,
    )


def _attribute(*columns: int) -> Replace:
    def swap(example: BodyExample, donor: BodyExample, _: np.random.Generator) -> BodyExample:
        row = example.attributes.copy()
        row[list(columns)] = donor.attributes[list(columns)]
        return replace(example, attributes=row)

    return swap


GROUPS: dict[str, Replace] = {
    "speed": _speed,
    "altitude": _altitude,
    "elapsed time": _time,
    "sport": _sport,
    "gender": _gender,
    "previous workout": _previous,
    "what earlier workouts show": _attribute(*SHOWN),
    "resting heart rate": _attribute(NAMES.index("resting_bpm")),
    "maximum heart rate": _attribute(NAMES.index("maximum_bpm")),
    "VDOT": _attribute(NAMES.index("vdot")),
    "age": _attribute(NAMES.index("age")),
}
