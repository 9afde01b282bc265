"""Expected heart rate from physiology against closed forms and sourced figures."""

from __future__ import annotations

import numpy as np
import pytest
from fuzzing import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from fitgym.model.daniels import Zone, race_time, zone_speeds
from fitgym.predictor.exertion import (
    LAG_S,
    bend,
    expected_share,
    lagged_uptake,
    session_cost,
)


def steady(speed: float, steps: int, sport: str = "run") -> np.ndarray:
    return lagged_uptake(sport, np.full(steps, speed), np.zeros(steps))


def test_uptake_follows_the_cost_with_the_time_constant() -> None:
    uptake = steady(3.0, 120)
    minutes = 180.0  # metres per minute; Daniels' regression
    cost = -4.60 + 0.182258 * minutes + 0.000104 * minutes**2 - 3.5
    time = 10.0 * (1.0 + np.arange(120))
    np.testing.assert_allclose(uptake, cost * (1.0 - np.exp(-time / LAG_S)), rtol=1e-9)


@pytest.mark.parametrize("vdot", [25.0, 40.0, 55.0, 70.0, 85.0])
def test_share_of_daniels_zones(vdot: float) -> None:
    # Daniels' easy and threshold paces lie at 65 to 79 % and 88 to 92 % of the maximum heart rate;
    # of a reserve from 60 to 190 bpm that is 0.49 to 0.69 and 0.82 to 0.88. A steady run is judged
    # after 20 minutes, so drift is on top.
    easy, threshold = (zone_speeds(vdot)[zone] / 60.0 for zone in (Zone.EASY, Zone.THRESHOLD))
    assert 0.6 < expected_share(steady(easy, 120), vdot)[-1] < 0.80
    assert 0.82 < expected_share(steady(threshold, 120), vdot)[-1] < 1.0


@pytest.mark.parametrize("vdot", [20.0, 35.0, 50.0, 70.0, 85.0])
def test_a_race_over_5_km_ends_near_the_maximum(vdot: float) -> None:
    minutes = race_time(vdot, 5000.0)
    share = expected_share(steady(5000.0 / minutes / 60.0, round(6.0 * minutes)), vdot)
    assert 0.97 < share[-1] <= 1.0


@settings(max_examples=examples(60), deadline=None)
@given(
    sport=st.sampled_from(["run", "walk", "bike"]),
    slow=st.floats(0.0, 15.0),
    faster=st.floats(0.0, 5.0),
    vdot=st.floats(20.0, 85.0),
)
def test_faster_is_never_easier_and_fitter_never_harder(
    sport: str, slow: float, faster: float, vdot: float
) -> None:
    low, high = (steady(speed, 100, sport) for speed in (slow, slow + faster))
    assert (expected_share(high, vdot) >= expected_share(low, vdot) - 1e-9).all()
    assert (expected_share(high, vdot + 5.0) <= expected_share(high, vdot) + 1e-9).all()


@settings(max_examples=examples(30), deadline=None)
@given(seed=st.integers(0, 1000), cut=st.integers(1, 79))
def test_a_prefix_is_expected_as_in_the_whole(seed: int, cut: int) -> None:
    rng = np.random.default_rng(seed)
    speed, altitude = rng.uniform(0.0, 5.0, 80), np.cumsum(rng.normal(0.0, 2.0, 80))
    whole = expected_share(lagged_uptake("run", speed, altitude), 45.0)
    prefix = expected_share(lagged_uptake("run", speed[:cut], altitude[:cut]), 45.0)
    np.testing.assert_allclose(prefix, whole[:cut], rtol=1e-12)


def test_cost_of_walking_riding_and_climbing() -> None:
    flat = np.zeros(1)
    # ACSM: 4.5 km/h costs 11.0 ml/kg/min; 10 % of grade adds 1.8 x 75 x 0.1 = 13.5.
    assert session_cost("walk", np.array([1.25]), flat)[0] == pytest.approx(11.0)
    assert session_cost("walk", np.array([1.25]), np.array([0.125]))[0] == pytest.approx(24.5)
    # A rider of 72 kg needs some 150 W for 30 km/h, 2 W/kg, some 30 ml/kg/min.
    assert 25.0 < session_cost("bike", np.array([8.33]), flat)[0] < 38.0
    assert session_cost("swim", np.array([0.5]), flat) == session_cost("swim", np.ones(1), flat)


def test_share_bends_smoothly_below_one() -> None:
    share = np.linspace(0.0, 3.0, 301)
    bent = bend(share)
    assert (np.diff(bent) >= -1e-12).all()
    assert bent.max() <= 1.0 + 1e-12
    assert np.abs(bent[:90] - share[:90]).max() < 2e-4
