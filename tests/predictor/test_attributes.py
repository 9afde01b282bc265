"""Attributes of the body: checks, what earlier workouts show, and that nothing leaks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fuzzing import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from fitgym.logs.workout import Workout
from fitgym.model.daniels import vdot
from fitgym.predictor.attributes import (
    Attributes,
    attributes_shown,
    reference_values,
    seen_maximum,
    shown_vdot,
)
from fitgym.predictor.fitrec2.data import encode_bodies, shown_before


def workout(number: int, rng: np.random.Generator, sport: str = "run", steps: int = 90) -> Workout:
    return Workout(
        identifier=f"w{number}",
        user="someone",
        sport=sport,
        gender="unknown",
        day=float(number),
        time_s=10.0 * np.arange(steps),
        heart_rate_bpm=rng.uniform(90.0, 190.0, steps),
        valid=rng.random(steps) < 0.9,
        speed_m_s=rng.uniform(1.0, 5.0, steps),
        altitude_m=np.zeros(steps),
        has_altitude=False,
    )


@settings(max_examples=examples(30), deadline=None)
@given(seed=st.integers(0, 10_000), changed=st.integers(0, 4))
def test_attributes_never_come_from_the_workout_predicted_or_later_ones(
    seed: int, changed: int
) -> None:
    rng = np.random.default_rng(seed)
    workouts = [workout(number, rng) for number in range(5)]
    before = [example.attributes for example in encode_bodies(workouts)]
    other = replace(
        workouts[changed],
        heart_rate_bpm=np.full(90, 205.0),
        valid=np.ones(90, dtype=bool),
        speed_m_s=np.full(90, 6.0),
    )
    edited = [*workouts[:changed], other, *workouts[changed + 1 :]]
    after = [example.attributes for example in encode_bodies(edited)]
    for mine, theirs in zip(before[: changed + 1], after[: changed + 1], strict=True):
        np.testing.assert_array_equal(mine, theirs)
    for row in after[changed + 1 :]:
        assert row[4] == 205.0


def test_shown_before_is_what_the_earlier_workouts_show() -> None:
    rng = np.random.default_rng(0)
    workouts = [workout(number, rng) for number in range(4)]
    shown = shown_before(workouts[::-1])
    assert shown["w0"] == Attributes()
    assert shown["w3"] == attributes_shown(workouts[:3])


def test_single_artefacts_are_not_seen_as_a_maximum() -> None:
    rng = np.random.default_rng(1)
    beats = np.full(90, 150.0)
    beats[40] = 228.0
    clean = replace(workout(0, rng), heart_rate_bpm=beats, valid=np.ones(90, dtype=bool))
    assert seen_maximum(clean) == 150.0
    assert seen_maximum(replace(clean, valid=np.zeros(90, dtype=bool))) is None


def test_shown_vdot_is_daniels_of_the_best_stretch_of_a_run() -> None:
    rng = np.random.default_rng(2)
    speed = np.full(200, 2.5)
    speed[50:110] = 4.0
    run = replace(workout(0, rng, steps=200), speed_m_s=speed)
    assert shown_vdot(run) == pytest.approx(
        max(vdot(2400.0, 10.0), vdot(2400.0 + 1500.0, 20.0), vdot(2400.0 + 3000.0, 30.0))
    )
    assert shown_vdot(replace(run, sport="bike")) is None
    assert shown_vdot(workout(1, rng, steps=30)) is None


def test_references_take_what_is_told_before_what_is_shown_before_the_population() -> None:
    rows = np.stack(
        [
            Attributes().row(),
            Attributes(age=60.0).row(),
            Attributes(seen_maximum_bpm=198.0, shown_vdot=50.0).row(),
            Attributes(52.0, 177.0, 61.0, 60.0, 198.0, 50.0).row(),
        ]
    )
    np.testing.assert_allclose(
        reference_values(rows),
        [[60.0, 185.0, 44.0], [60.0, 166.0, 44.0], [60.0, 198.0, 57.5], [52.0, 177.0, 61.0]],
    )


def test_attributes_are_checked() -> None:
    with pytest.raises(ValueError, match="vdot"):
        Attributes(vdot=5.0)
    with pytest.raises(TypeError, match="age"):
        Attributes(age="old")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="maximum_bpm must be at least 40 above"):
        Attributes(resting_bpm=100.0, maximum_bpm=130.0)
