"""How far a plan is carried out: against a slow walk through the session, and the promises kept."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitgym.adherence import response
from fitgym.adherence.base import SEGMENT, Tables, no_fitness_nodes
from fitgym.adherence.load_table import DAYS_SINCE
from fitgym.model.internal_load import load_rates

TARGETS = (7.0, 20.0)


def make_tables(minutes, points, loads, beats):
    """Return the tables of ``plan_done`` from per-segment lists, a list for each plan."""
    sizes = [len(part) for part in minutes]
    segments = np.zeros(sum(sizes), dtype=SEGMENT)
    segments["minutes"], segments["points"], summed_loads, summed_beats = (
        np.concatenate([np.cumsum(part) for part in parts])
        for parts in (minutes, points, loads, beats)
    )
    ends = np.cumsum([0, *sizes])
    tables = Tables(
        sessions_trimp=np.zeros(0),
        targets_trimp=np.array(TARGETS),
        first_segments=ends,
        segments=segments,
        loads=summed_loads[None, None].astype(np.float32),
        beats=summed_beats[None, None].astype(np.float32),
        **no_fitness_nodes(),
    )
    return tables, response.Curve(0, 0, 0, 0.0)


@st.composite
def sessions(draw):
    minutes, points, loads, beats = [], [], [], []
    for target in TARGETS:
        size = draw(st.integers(1, 8))
        weights = np.array(draw(st.lists(st.floats(0.1, 1.0), min_size=size, max_size=size)))
        load = draw(st.lists(st.floats(0.0, 5.0), min_size=size, max_size=size))
        # At least one segment has load, as in every real session.
        load[draw(st.integers(0, size - 1))] = 1.0
        minutes.append(weights)
        points.append(target * weights / weights.sum())
        loads.append(np.array(load, dtype=np.float32).astype(float))
        beats.append(weights * 140.0)
    return minutes, points, loads, beats


def walk(points, loads, tolerance):
    """Walk through the session segment by segment until the load exceeds the tolerance."""
    done = load = 0.0
    for gain, more in zip(points, loads, strict=True):
        if load + more > tolerance:
            return (done + gain * (tolerance - load) / more) / sum(points)
        done, load = done + gain, load + more
    return 1.0


def load_at(parts, plan, share):
    ends = np.concatenate(([0.0], np.cumsum(parts[1][plan]))) / sum(parts[1][plan])
    return np.interp(share, ends, np.concatenate(([0.0], np.cumsum(parts[2][plan]))))


@given(sessions(), st.integers(0, 1), st.floats(0.0, 40.0))
def test_completion_is_where_a_walk_through_the_session_stops(parts, plan, tolerance):
    tables = make_tables(*parts)
    _, share, load, heart_rate = response.plan_done(*tables, TARGETS[plan], tolerance)
    total = parts[2][plan].sum()
    # Curves are float32, so next to a flat stretch the stop may jump: compare loads there.
    if abs(total - tolerance) > 1e-4:
        expected = walk(parts[1][plan], parts[2][plan], tolerance)
        assert load_at(parts, plan, share) == pytest.approx(
            load_at(parts, plan, expected), rel=1e-4, abs=1e-4
        )
        assert (share == 1.0) == (expected == 1.0)
    assert load <= tolerance * (1 + 1e-5) + 1e-5 or share == 1.0
    if share > 1e-6:
        assert heart_rate == pytest.approx(140.0, rel=1e-3)
    if share == 1.0:
        assert load == pytest.approx(total, rel=1e-5)


@given(sessions(), st.floats(0.1, 20.0), st.floats(0.0, 40.0), st.floats(0.01, 5.0))
def test_more_tolerance_never_completes_less(parts, target, tolerance, more):
    tables = make_tables(*parts)
    less = response.plan_done(*tables, target, tolerance)[1]
    greater = response.plan_done(*tables, target, tolerance + more)[1]
    assert 0.0 <= less <= greater <= 1.0


@given(sessions(), st.floats(7.01, 19.99), st.floats(0.0, 40.0))
def test_a_target_between_plans_mixes_their_loads_at_equal_share(parts, target, tolerance):
    tables = make_tables(*parts)
    _, share, load, _ = response.plan_done(*tables, target, tolerance)
    weight = (target - TARGETS[0]) / (TARGETS[1] - TARGETS[0])

    def mixed(share):
        return (1 - weight) * load_at(parts, 0, share) + weight * load_at(parts, 1, share)

    assert load == pytest.approx(mixed(share), rel=1e-4, abs=1e-4)
    if share < 1.0:
        assert mixed(share) == pytest.approx(tolerance, rel=1e-3, abs=1e-3)
    else:
        assert mixed(1.0) <= tolerance * (1 + 1e-5) + 1e-5


@given(sessions(), st.floats(0.01, 6.99))
def test_a_target_below_the_smallest_plan_is_that_plan_made_smaller(parts, target):
    tables = make_tables(*parts)
    _, _, load, _ = response.plan_done(*tables, target, 1e9)
    assert load == pytest.approx(parts[2][0].sum() * target / TARGETS[0], rel=1e-4)


def test_tolerance_grows_with_base_level_and_motivation_and_falls_with_fatigue():
    def tolerance(ratio=1.0, fatigue=0.0, motivation=0.0, noise=0.0):
        return response.log_tolerance(3.0, ratio, 0.5, fatigue, 4.0, motivation, noise)

    assert tolerance() == 3.0
    # Twice the base level: a factor of 2^zeta; a tenth of fatigue: e^(-kappa / 10).
    assert tolerance(ratio=2.0) == pytest.approx(3.0 + 0.5 * math.log(2.0))
    assert tolerance(fatigue=0.1) == pytest.approx(3.0 - 0.4)
    assert tolerance(motivation=0.2, noise=-0.3) == pytest.approx(2.9)


def test_days_since_fall_into_the_documented_buckets():
    read = [DAYS_SINCE[response.days_entry(days)] for days in range(1, 12)]
    assert read == [1, 2, 3, 5, 5, 5, 5, 10, 10, 10, 10]


def test_history_rows_enumerate_the_table_once():
    assert {response.history_row(0, days) for days in (1, 4, 30)} == {0}
    rows = [
        response.history_row(response.recorded_history(plan, tenths / 10), days)
        for plan in range(10)
        for tenths in range(1, 11)
        for days in (1, 2, 3, 6, 9)
    ]
    assert rows == list(range(1, 501))


@given(st.integers(0, 9), st.floats(0.0, 1.0))
def test_less_than_a_twentieth_leaves_no_history(plan, share):
    history = response.recorded_history(plan, share)
    assert (history == 0) == (share < 0.05)
    if history:
        assert (history - 1) // 10 == plan
        assert abs((history - 1) % 10 + 1 - 10 * share) <= 0.5 + 1e-9


@given(st.floats(0.0, 60.0))
def test_the_nearest_plan_is_nearest(intensity):
    expected = np.argmin(np.abs(np.array(TARGETS) - intensity))
    assert response.nearest_plan(np.array(TARGETS), intensity) == expected


def test_internal_load_is_banister_s_for_both_constants():
    # An hour at half of the heart-rate reserve: 30 * 0.64 e^0.96 for men, 30 * 0.86 e^0.835.
    assert 60 * load_rates(120.0, 55.0, 185.0, False) == pytest.approx(50.1446, abs=1e-3)
    assert 60 * load_rates(120.0, 55.0, 185.0, True) == pytest.approx(59.4616, abs=1e-2)
    heart_rates = np.linspace(30.0, 230.0, 50)
    rates = load_rates(heart_rates, 55.0, 185.0, False)
    expected = [
        share * 0.64 * math.exp(1.92 * share)
        for share in (min(max((value - 55.0) / 130.0, 0.0), 1.0) for value in heart_rates.tolist())
    ]
    np.testing.assert_allclose(rates, expected, rtol=1e-12)
    assert rates[0] == 0.0
    assert rates[-1] == pytest.approx(0.64 * math.exp(1.92))
    assert np.all(np.diff(rates) >= 0.0)


@given(st.floats(-1.0, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 0.5), st.floats(-0.5, 0.5))
def test_motivation_falls_after_failure_and_rises_after_success(before, share, effect, noise):
    def after(planned, done):
        return response.next_motivation(before, 0.95, 0.03, effect, planned, done, noise)

    rest = after(False, 0.0)
    assert rest == pytest.approx(0.95 * before + noise)
    assert after(True, 1.0) == pytest.approx(rest + 0.03)
    if share < 1.0:
        assert after(True, share) == pytest.approx(rest - effect * (1.0 - share))
