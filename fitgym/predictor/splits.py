"""Splits of recordings: later workouts, people never seen, calibration workouts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fitgym.common.validation import require_integer
from fitgym.predictor.datasets import Example

# Folds of the cross-validation over people.
FOLDS = 5


@dataclass(frozen=True, eq=False)
class Split:
    """Examples to learn from, to stop training on, and to test on."""

    training: list[Example]
    validation: list[Example]
    test: list[Example]


def later_workouts(examples: Sequence[Example]) -> Split:
    """Split (a): later workouts of known people, in time order inside each person.

    Of each person with two or more workouts the last fifth (at least one) is for the test; of
    those with five or more the tenth before it (at least one) is for validation. All else,
    including people with a single workout, is for training.

    Raises:
        ValueError: If nobody has five workouts.
    """
    split = Split([], [], [])
    for own in _by_user(examples).values():
        tested = max(1, round(0.2 * len(own))) if len(own) >= 2 else 0
        validated = max(1, round(0.1 * len(own))) if len(own) >= 5 else 0
        trained = len(own) - tested - validated
        split.training.extend(own[:trained])
        split.validation.extend(own[trained : trained + validated])
        split.test.extend(own[trained + validated :])
    if not split.validation:
        most = max(map(len, _by_user(examples).values()), default=0)
        raise ValueError(
            f"recordings must hold five workouts of some person to test later ones on, got at most "
            f"{most} of one"
        )
    return split


def folds_of_people(examples: Sequence[Example]) -> list[Split]:
    """Return split (b) in ``FOLDS`` folds.

    Raises:
        ValueError: If there are fewer people than folds.
    """
    people = len(_by_user(examples))
    if people < FOLDS:
        raise ValueError(f"recordings must be of at least {FOLDS} people, got {people}")
    return grouped_folds(examples, FOLDS, seed=0)


def grouped_folds(examples: Sequence[Example], folds: int, seed: int) -> list[Split]:
    """Split (b): people never seen, by cross-validation over people.

    Every person is in the test of exactly one fold, with all his workouts. People are dealt out
    in descending order of workouts, each to the fold with the fewest steps so far, so that folds
    are alike in size. A tenth of the other people, chosen by ``seed``, is for validation.

    Args:
        examples: The examples.
        folds: Number of folds, at least 2 and at most the number of people.
        seed: Seed of the order among people alike and of the validation people.
    """
    by_user = _by_user(examples)
    require_integer("folds", folds, 2, len(by_user))
    rng = np.random.default_rng(seed)
    users = list(by_user)
    rng.shuffle(users)
    users.sort(key=lambda user: -len(by_user[user]))
    members: list[list[str]] = [[] for _ in range(folds)]
    steps: Counter[int] = Counter()
    for user in users:
        fold = min(range(folds), key=lambda fold: (steps[fold], fold))
        members[fold].append(user)
        steps[fold] += sum(map(len, by_user[user]))
    splits = []
    for tested in members:
        others = [user for user in users if user not in tested]
        rng.shuffle(others)
        validated = set(others[: max(1, len(others) // 10)])
        split = Split([], [], [])
        for user, own in by_user.items():
            target = (
                split.test
                if user in tested
                else split.validation
                if user in validated
                else split.training
            )
            target.extend(own)
        splits.append(split)
    return splits


def calibration_examples(
    examples: Sequence[Example], most: int
) -> list[tuple[list[Example], list[Example]]]:
    """Split (c): for each person with more than ``most`` workouts, his first ones and the rest.

    The rest is the same whatever number of the first ones is used, so that results compare.
    """
    require_integer("most", most, 1)
    return [(own[:most], own[most:]) for own in _by_user(examples).values() if len(own) > most]


def _by_user(examples: Sequence[Example]) -> dict[str, list[Example]]:
    """Return each user's examples in time order."""
    by_user: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        by_user[example.workout.user].append(example)
    return {
        user: sorted(own, key=lambda example: example.workout.day) for user, own in by_user.items()
    }
