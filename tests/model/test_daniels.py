"""Daniels' formulas against published values, inverses and invariants."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitgym.model.daniels import (
    MARATHON_M,
    METRES_PER_MILE,
    POINTS_PER_MINUTE,
    Zone,
    benchmark_paces,
    classify,
    oxygen_cost,
    race_time,
    speed_at_oxygen_cost,
    sustainable_share,
    trimp,
    vdot,
    zone_speeds,
)

vdots = st.floats(25.0, 85.0)

# Race times of Daniels' table 5.1 (3rd edition), in minutes; it is printed by whole VDOT and
# departs from the regressions by up to ten seconds in the marathon.
PUBLISHED_RACE_TIMES = [
    (50.0, 5000.0, 19 + 57 / 60),
    (50.0, 10_000.0, 41 + 21 / 60),
    (50.0, MARATHON_M, 3 * 60 + 10 + 49 / 60),
    (40.0, 5000.0, 24 + 8 / 60),
    (60.0, MARATHON_M, 2 * 60 + 43 + 25 / 60),
]


@pytest.mark.parametrize(("value", "distance_m", "minutes"), PUBLISHED_RACE_TIMES)
def test_published_race_times(value, distance_m, minutes):
    assert race_time(value, distance_m) == pytest.approx(minutes, rel=0.002)
    assert vdot(distance_m, minutes) == pytest.approx(value, abs=0.06)


@given(value=vdots, distance_m=st.floats(1500.0, 60_000.0))
def test_race_time_inverts_vdot(value, distance_m):
    assert vdot(distance_m, race_time(value, distance_m)) == pytest.approx(value, rel=1e-9)


@given(speed=st.floats(30.0, 500.0))
def test_speed_inverts_oxygen_cost(speed):
    assert speed_at_oxygen_cost(oxygen_cost(speed)) == pytest.approx(speed, rel=1e-9)


def test_oxygen_cost_by_hand():
    assert oxygen_cost(200.0) == pytest.approx(-4.60 + 36.4516 + 4.16)


def test_sustainable_share_falls_to_eighty_percent():
    times = np.array([1.0, 11.0, 60.0, 200.0, 10_000.0])
    shares = sustainable_share(times)
    assert np.all(np.diff(shares) < 0.0)
    assert shares[1] == pytest.approx(1.0, abs=0.01)  # vVO2max can be held for about 11 minutes
    assert shares[-1] == pytest.approx(0.8)


def test_scalars_and_arrays_agree_to_the_bit():
    distances, times = np.array([3000.0, 10_000.0, 42_195.0]), np.array([12.0, 45.5, 230.25])
    one_by_one = [vdot(float(d), float(t)) for d, t in zip(distances, times, strict=True)]
    assert vdot(distances, times).tolist() == one_by_one


@given(value=st.floats(10.0, 100.0))
def test_zones_get_faster(value):
    assert np.all(np.diff(zone_speeds(value)) > 0.0)
    assert np.all(np.diff(benchmark_paces(value)) < 0.0)


@pytest.mark.parametrize("value", [39, 41, 42, 46, 48])
def test_formulas_agree_with_the_printed_table(value):
    formula = METRES_PER_MILE / zone_speeds(value)[Zone.MARATHON :]
    np.testing.assert_allclose(formula, benchmark_paces(value), rtol=0.02)


def test_table_is_used_for_its_vdots_and_formulas_beside_it():
    assert benchmark_paces(48).tolist() == [7.537, 7.081, 6.518, 5.990]
    formula = METRES_PER_MILE / zone_speeds(48.5)[Zone.MARATHON :]
    assert benchmark_paces(48.5).tolist() == formula.tolist()


def test_threshold_is_88_percent_and_easy_the_middle_of_its_range():
    speeds = zone_speeds(50.0)
    assert oxygen_cost(speeds) == pytest.approx(
        50.0
        * np.array([0.6825, oxygen_cost(float(speeds[Zone.MARATHON])) / 50.0, 0.88, 0.975, 1.089])
    )
    assert vdot(MARATHON_M, MARATHON_M / float(speeds[Zone.MARATHON])) == pytest.approx(50.0)


def test_classification_at_and_beside_each_benchmark():
    paces = benchmark_paces(48)
    assert classify(paces, paces).tolist() == [1, 2, 3, 4]
    assert classify(paces + 1e-6, paces).tolist() == [0, 1, 2, 3]
    assert classify([math.nan, 20.0, 1.0], paces).tolist() == [Zone.EASY, Zone.EASY, 4]


def test_classification_with_a_benchmark_of_its_own_for_each_session():
    paces = np.array([benchmark_paces(48), benchmark_paces(39)])
    assert classify([8.0, 8.0], paces).tolist() == [Zone.EASY, Zone.THRESHOLD]


def test_points_of_an_hour_in_each_zone():
    assert trimp(np.full(5, 60.0), list(Zone)) == pytest.approx([12.0, 24.0, 36.0, 60.0, 90.0])
    assert trimp([math.nan], [Zone.EASY]).tolist() == [0.0]
    assert [zone.letter for zone in Zone] == list("EMTIR")
    assert len(POINTS_PER_MINUTE) == len(Zone)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: oxygen_cost(0.0), "speed"),
        (lambda: oxygen_cost(np.array([200.0, math.nan])), "speed"),
        (lambda: speed_at_oxygen_cost(-1.0), "cost"),
        (lambda: sustainable_share(math.inf), "time_min"),
        (lambda: vdot(-5.0, 10.0), "distance_m"),
        (lambda: vdot(5000.0, 0.0), "time_min"),
        (lambda: race_time(5.0, 5000.0), "vdot_value"),
        (lambda: race_time(50.0, 100.0), "distance_m"),
        (lambda: zone_speeds(math.nan), "vdot_value"),
        (lambda: benchmark_paces(101), "vdot_value"),
        (lambda: classify([0.0], benchmark_paces(48)), "pace_min_per_mile"),
        (lambda: classify([8.0], benchmark_paces(48)[::-1]), "paces"),
        (lambda: trimp([-1.0], [0]), "time_min"),
        (lambda: trimp([1.0], [5]), "zone"),
    ],
)
def test_bad_input_is_named(call, name):
    with pytest.raises(ValueError, match=name):
        call()


def test_a_vdot_of_another_type_is_refused():
    with pytest.raises(TypeError, match="vdot_value"):
        zone_speeds("48")
