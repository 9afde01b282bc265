"""Plans as sessions: the published durations, sums, and what a course must be."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitgym.model.daniels import POINTS_PER_MINUTE, Zone, zone_speeds
from fitgym.model.plans import plan_segments, session_course
from fitgym.people.individual import DEFAULT_PLANS_TRIMP


def test_the_ten_plans_last_as_long_as_the_model_says():
    minutes = [sum(part.minutes for part in plan_segments(a)) for a in DEFAULT_PLANS_TRIMP]
    assert np.round(minutes).tolist() == [9, 35, 48, 56, 64, 72, 80, 87, 95, 103]


def test_no_plan_needs_intervals_or_repetitions():
    zones = {part.zone for target in DEFAULT_PLANS_TRIMP for part in plan_segments(target)}
    assert zones == {Zone.EASY, Zone.MARATHON, Zone.THRESHOLD}


def test_easy_running_surrounds_the_block():
    for target in DEFAULT_PLANS_TRIMP[2:]:
        parts = plan_segments(target)
        assert parts[0] == parts[-1]
        assert parts[0].zone is Zone.EASY
        assert parts[0].minutes >= 7.5


@given(st.floats(0.01, 200.0))
def test_a_session_sums_to_its_target(target):
    parts = plan_segments(target)
    assert all(part.minutes > 0.0 for part in parts)
    assert sum(part.trimp for part in parts) == pytest.approx(target, rel=1e-12)


@given(st.floats(0.01, 200.0), st.floats(20.0, 80.0))
def test_a_course_has_the_minutes_speeds_and_points_of_its_segments(target, vdot):
    parts = plan_segments(target)
    course = session_course(parts, vdot)
    assert np.all((course.duration_s > 0.0) & (course.duration_s <= 10.0))
    assert course.points.sum() == pytest.approx(target, rel=1e-6)
    assert course.elapsed_s[0] == 0.0
    for zone in Zone:
        planned = sum(part.minutes for part in parts if part.zone is zone) * 60.0
        inside = course.zone == zone
        assert course.duration_s[inside].sum() == pytest.approx(planned, abs=1e-5)
        assert np.all(course.speed_m_s[inside] == zone_speeds(vdot)[zone] / 60.0)
        assert course.points[inside] == pytest.approx(
            course.duration_s[inside] / 60.0 * POINTS_PER_MINUTE[zone]
        )


@given(st.floats(0.01, 199.0), st.floats(0.001, 1.0))
def test_harder_plans_take_longer(target, more):
    easier, harder = (
        sum(part.minutes for part in plan_segments(value)) for value in (target, target + more)
    )
    # From 50 points on the session keeps its 105 minutes until it is all threshold.
    assert harder >= easier - 1e-9


def test_rounding_makes_no_step_of_no_length():
    for target, vdot in itertools.product(DEFAULT_PLANS_TRIMP, (30.0, 41.0, 60.0)):
        assert session_course(plan_segments(target), vdot).duration_s.min() > 1e-6


@pytest.mark.parametrize("target", [0.0, -1.0, 200.1, float("nan"), float("inf")])
def test_targets_out_of_range_are_refused(target):
    with pytest.raises(ValueError, match=r"target_trimp must be a finite number in \(0, 200\]"):
        plan_segments(target)


def test_a_course_needs_segments_and_a_sensible_vdot():
    with pytest.raises(ValueError, match="segments must hold at least one"):
        session_course((), 41.0)
    with pytest.raises(ValueError, match="vdot"):
        session_course(plan_segments(7.0), 5.0)
