from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitgym.predictor.channels import (
    CHANNELS,
    PREVIOUS_CHANNELS,
    denormalise_heart_rate,
    normalise_heart_rate,
    previous_channels,
    session_channels,
    sport_family,
)


@given(st.integers(1, 40), st.integers(0, 60), st.booleans(), st.integers(0, 10**6))
def test_a_prefix_is_encoded_as_in_the_whole(
    steps: int, more: int, has_altitude: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    speed, altitude = rng.uniform(0, 10, steps + more), rng.uniform(-50, 900, steps + more)
    whole = session_channels(speed, altitude, has_altitude)
    prefix = session_channels(speed[:steps], altitude[:steps], has_altitude)
    np.testing.assert_array_equal(whole[:steps], prefix)


def test_channels_by_hand() -> None:
    channels = session_channels(
        np.full(7, 4.5), np.array([100.0, 101, 102, 103, 104, 105, 106]), True
    )
    assert channels.shape == (7, len(CHANNELS))
    np.testing.assert_allclose(channels[:, 0], 1.0)
    # One metre in ten seconds, once three steps have passed.
    np.testing.assert_allclose(channels[3:, 1], 0.1 / 0.25, rtol=1e-6)
    np.testing.assert_allclose(channels[:, 2], np.arange(7) / 200.0, rtol=1e-6)
    np.testing.assert_allclose(channels[:, 3], 1.0)
    np.testing.assert_allclose(channels[6, 4], np.log(2.0) - 2.5, rtol=1e-6)


def test_unknown_altitude_is_not_read() -> None:
    speed = np.ones(5)
    channels = session_channels(speed, np.arange(5.0), False)
    assert not channels[:, 1:4].any()


def test_the_previous_workout_is_known_as_a_whole() -> None:
    channels = np.zeros((6, len(CHANNELS)), dtype=np.float32)
    heart_rate = np.arange(6, dtype=np.float32)
    channels[:, 0] = [0.0, 0.0, 0.0, 3.0, 3.0, 0.0]
    whole = previous_channels(channels, heart_rate, np.expm1(2.0))
    assert whole.shape == (6, len(PREVIOUS_CHANNELS))
    np.testing.assert_allclose(whole[:, -4], 1.0)
    np.testing.assert_allclose(whole[:, -3], np.log(2.0) - 2.5, rtol=1e-6)
    np.testing.assert_allclose(whole[:, -2], 1.0)
    np.testing.assert_allclose(whole[:, -1], 2.5)


def test_heart_rate_scaling_round_trip() -> None:
    bpm = np.array([40.0, 140.0, 165.0, 220.0])
    normalised = normalise_heart_rate(bpm)
    np.testing.assert_allclose(normalised, [-4.0, 0.0, 1.0, 3.2], rtol=1e-6)
    np.testing.assert_allclose(denormalise_heart_rate(normalised), bpm, rtol=1e-6)


@pytest.mark.parametrize(
    ("sport", "family"),
    [
        ("run", "run"),
        ("run_trail", "run"),
        ("bike_indoor", "bike"),
        ("swim", "other"),
        ("unknown", "unknown"),
    ],
)
def test_sport_families(sport: str, family: str) -> None:
    assert sport_family(sport) == family
