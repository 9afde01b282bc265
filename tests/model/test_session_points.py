"""Points from mean speed: exact for a mix of two neighbouring zones, bounded by their rates."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitgym.model.daniels import POINTS_PER_MINUTE, zone_speeds
from fitgym.model.session_points import points_per_minute, session_points

VDOTS = st.floats(25.0, 75.0)


@given(VDOTS, st.integers(0, 3), st.floats(0.0, 1.0), st.floats(5.0, 120.0))
def test_a_mix_of_neighbouring_zones_has_its_points(
    vdot: float, zone: int, share: float, minutes: float
) -> None:
    speeds = zone_speeds(vdot)[zone : zone + 2]
    rates = np.array(POINTS_PER_MINUTE[zone : zone + 2])
    parts = minutes * np.array([share, 1.0 - share])
    assert session_points(parts @ speeds, minutes, vdot) == pytest.approx(parts @ rates)


@given(VDOTS, st.lists(st.floats(0.0, 500.0), min_size=2, max_size=20))
def test_rates_rise_with_speed_and_are_those_of_zones(vdot: float, speeds: list[float]) -> None:
    rates = points_per_minute(np.sort(speeds), vdot)
    assert (np.diff(rates) >= 0.0).all()
    assert set(rates[np.sort(speeds) == 0.0]) <= {0.0}
    assert (rates[np.sort(speeds) > 0.0] >= 0.1).all()
    assert (rates <= 1.5).all()


def test_sessions_without_a_time_count_nothing() -> None:
    assert session_points(np.array([5000.0]), np.array([np.nan]), 41.0).tolist() == [0.0]
