"""The highest heart rate: artefacts of a strap are not believed, hearts are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitgym.logs.workout import Workout
from fitgym.profile.hearts import believed_steps, highest_minute, seen_maximum


def workout(beats: np.ndarray, *, speed: float = 3.0, name: str = "a", day: float = 1.0) -> Workout:
    steps = len(beats)
    return Workout(
        identifier=name,
        user="me",
        sport="run",
        gender="unknown",
        day=day,
        time_s=10.0 * np.arange(steps),
        heart_rate_bpm=np.asarray(beats, dtype=float),
        valid=np.isfinite(beats),
        speed_m_s=np.full(steps, speed),
        altitude_m=np.zeros(steps),
        has_altitude=False,
    )


def steady(level: float = 150.0, steps: int = 180) -> np.ndarray:
    rise = 1.0 - np.exp(-np.arange(steps) / 6.0)
    return 90.0 + (level - 90.0) * rise


def test_a_heart_is_believed_whole() -> None:
    assert believed_steps(workout(steady())).all()
    assert highest_minute(workout(steady(172.0))) == pytest.approx(172.0, abs=0.5)


@given(st.integers(40, 150), st.floats(20.0, 60.0), st.integers(1, 2))
def test_spikes_change_nothing(place: int, height: float, width: int) -> None:
    beats = steady()
    beats[place : place + width] += height
    one = workout(beats)
    assert not believed_steps(one)[place : place + width].any()
    assert highest_minute(one) == pytest.approx(150.0, abs=0.5)


@given(st.integers(40, 100), st.integers(8, 50))
def test_a_plateau_that_begins_with_a_jump_is_not_believed(place: int, width: int) -> None:
    beats = steady(140.0)
    beats[place : place + width] = 196.0
    assert highest_minute(workout(beats)) == pytest.approx(140.0, abs=1.0)


def test_a_strap_locked_to_the_cadence_is_rejected_and_named() -> None:
    own = [workout(steady(150.0 + i), name=f"w{i}", day=float(i)) for i in range(5)]
    locked = workout(np.full(180, 184.0), name="locked", speed=2.6, day=9.0)
    seen = seen_maximum([*own, locked])
    assert seen.bpm == pytest.approx(154.0, abs=0.5)
    assert len(seen.rejected) == 1
    assert "locked" in seen.rejected[0]


def test_a_race_that_is_the_fastest_is_believed() -> None:
    own = [workout(steady(150.0 + i), name=f"w{i}", day=float(i)) for i in range(5)]
    race = workout(steady(184.0), name="race", speed=4.4, day=9.0)
    seen = seen_maximum([*own, race])
    assert seen.bpm == pytest.approx(184.0, abs=0.5)
    assert seen.rejected == ()


def test_without_heart_rate_nothing_is_seen() -> None:
    assert seen_maximum([workout(np.full(60, np.nan))]).bpm is None
    assert seen_maximum([]).workouts == 0
