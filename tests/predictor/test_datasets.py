from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fitgym.logs.workout import Workout
from fitgym.predictor.channels import denormalise_heart_rate
from fitgym.predictor.datasets import (
    LONGEST_STEPS,
    Vocabulary,
    batches,
    collate,
    encode_workouts,
    weigh_users,
    without_history,
)
from fitgym.predictor.splits import calibration_examples, grouped_folds, later_workouts


def constant(user: str, number: int, day: float, steps: int = 12, bpm: float = 120.0) -> Workout:
    return Workout(
        identifier=f"{user}{number}",
        user=user,
        sport="run",
        gender="unknown",
        day=day,
        time_s=10.0 * np.arange(steps),
        heart_rate_bpm=np.full(steps, bpm),
        valid=np.arange(steps) % 4 != 2,
        speed_m_s=np.full(steps, 3.0),
        altitude_m=np.zeros(steps),
        has_altitude=False,
    )


def test_previous_is_the_last_workout_before_of_the_same_user() -> None:
    workouts = [constant("a", 2, 9.0), constant("b", 1, 5.0), constant("a", 1, 3.5)]
    late, other, early = encode_workouts(workouts)
    assert early.previous is None
    assert other.previous is None
    assert late.previous is not None
    assert late.previous.workout is workouts[2]
    assert late.days_since == 5.5
    assert without_history([late])[0].previous is None


def test_gaps_are_filled_and_not_counted() -> None:
    workout = replace(constant("a", 1, 0.0), heart_rate_bpm=np.arange(100.0, 112.0))
    (example,) = encode_workouts([workout])
    np.testing.assert_allclose(
        denormalise_heart_rate(example.target), np.arange(100, 112), rtol=1e-6
    )
    batch = collate([example], Vocabulary())
    np.testing.assert_array_equal(batch.weight[0] > 0, workout.valid)


def test_long_workouts_are_cropped() -> None:
    (example,) = encode_workouts([constant("a", 1, 0.0, steps=LONGEST_STEPS + 50)])
    assert len(example) == LONGEST_STEPS


def test_users_weigh_with_the_root_of_their_workouts() -> None:
    workouts = [constant("a", number, number) for number in range(4)] + [constant("b", 0, 0.0)]
    weights = [example.weight for example in weigh_users(encode_workouts(workouts))]
    assert np.mean(weights) == pytest.approx(1.0)
    assert sum(weights[:4]) / weights[4] == pytest.approx(2.0)


def test_a_batch_holds_what_the_examples_hold(workouts: list[Workout]) -> None:
    examples = encode_workouts(workouts)
    vocabulary = Vocabulary.of(workouts[:3])
    batch = collate(examples, vocabulary)
    for row, example in enumerate(examples):
        length = len(example)
        np.testing.assert_array_equal(batch.channels[row, :length], example.channels)
        np.testing.assert_array_equal(batch.target[row, :length], example.target)
        assert not batch.weight[row, length:].any()
        earlier = 0 if example.previous is None else len(example.previous)
        assert batch.previous_length[row] == earlier
        assert batch.attributes[row, 0] == (1 if example.workout.user == workouts[0].user else 0)


@pytest.mark.parametrize("seed", [None, 0])
def test_batches_hold_every_example_once(workouts: list[Workout], seed: int | None) -> None:
    examples = encode_workouts(workouts)
    rng = None if seed is None else np.random.default_rng(seed)
    chunks = list(batches(examples, 4, rng))
    assert max(map(len, chunks)) == 4
    drawn = sorted(example.workout.identifier for chunk in chunks for example in chunk)
    assert drawn == sorted(workout.identifier for workout in workouts)


def test_bad_collections_are_refused() -> None:
    workout = constant("a", 1, 0.0)
    with pytest.raises(ValueError, match="distinct identifiers"):
        encode_workouts([workout, workout])
    with pytest.raises(ValueError, match="'a1' has no measured heart rate"):
        encode_workouts([replace(workout, valid=np.zeros(12, dtype=bool))])
    with pytest.raises(ValueError, match="users of a vocabulary must"):
        Vocabulary(("anna",))


def test_later_workouts_come_later() -> None:
    counts = {"a": 1, "b": 2, "c": 5, "d": 20}
    examples = encode_workouts(
        [constant(user, n, float(n)) for user, count in counts.items() for n in range(count)]
    )
    split = later_workouts(examples)
    parts = [split.training, split.validation, split.test]
    assert sum(map(len, parts)) == len(examples)
    table = {
        user: tuple(sum(e.workout.user == user for e in part) for part in parts) for user in counts
    }
    assert table == {"a": (1, 0, 0), "b": (1, 0, 1), "c": (3, 1, 1), "d": (14, 2, 4)}
    for user in counts:
        days = [e.workout.day for part in parts for e in part if e.workout.user == user]
        assert days == sorted(days)


def test_folds_share_no_person(workouts: list[Workout]) -> None:
    examples = encode_workouts(workouts)
    folds = grouped_folds(examples, 5, seed=0)
    tested = [e.workout.identifier for fold in folds for e in fold.test]
    assert sorted(tested) == sorted(workout.identifier for workout in workouts)
    for fold in folds:
        people = [
            {e.workout.user for e in part} for part in (fold.training, fold.validation, fold.test)
        ]
        assert all(people)
        assert sum(map(len, people)) == len(set.union(*people)) == 10


def test_calibration_takes_the_first_workouts() -> None:
    examples = encode_workouts(
        [constant("a", n, float(n)) for n in range(5)] + [constant("b", n, n) for n in range(3)]
    )
    ((first, rest),) = calibration_examples(examples, 3)
    assert [e.workout.identifier for e in first] == ["a0", "a1", "a2"]
    assert [e.workout.identifier for e in rest] == ["a3", "a4"]
