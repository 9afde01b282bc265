"""Targets, and how far heart rates miss them."""

from __future__ import annotations

import numpy as np
import pytest

from fitgym.predictor.recommendation.targets import Target, match, read_target


def test_a_range_is_missed_by_the_distance_from_its_nearer_end():
    target = Target.range(140.0, 150.0, settling_minutes=0.0)
    beats = np.array([130.0, 140.0, 145.0, 150.0, 163.0, 145.0])
    assert target.miss(beats).tolist() == [-10.0, 0.0, 0.0, 0.0, 13.0, 0.0]
    lies = match(target, beats, 60.0)
    assert lies.mean_miss_bpm == pytest.approx(23.0 / 6.0)
    assert (lies.minutes_on, lies.minutes_above, lies.minutes_below) == pytest.approx(
        (4.0 / 6.0, 1.0 / 6.0, 1.0 / 6.0)
    )
    assert lies.worst_bpm == 13.0
    assert lies.worst_minute == pytest.approx(4.0 / 6.0)
    assert lies.mean_heart_rate == pytest.approx(beats.mean())


def test_the_settling_minutes_do_not_count_but_in_a_session_that_is_shorter():
    target = Target.range(140.0, 150.0, settling_minutes=1.0)
    beats = np.array([80.0] * 6 + [145.0] * 6)
    assert match(target, beats, 60.0).mean_miss_bpm == 0.0
    assert match(target, beats, 60.0).minutes_on == pytest.approx(1.0)
    assert match(target, np.array([80.0, 135.0]), 60.0).mean_miss_bpm == 5.0


def test_what_a_session_lacks_of_a_course_is_missed_as_by_a_heart_at_rest():
    course = Target.course(np.array([100.0, 120.0, 140.0, 160.0]))
    lies = match(course, np.array([103.0, 110.0]), 60.0)
    assert lies.mean_miss_bpm == pytest.approx((3.0 + 10.0 + 80.0 + 100.0) / 4.0)
    assert lies.minutes_short == pytest.approx(2.0 / 6.0)
    assert (lies.minutes_on, lies.minutes_below) == pytest.approx((1.0 / 6.0, 1.0 / 6.0))
    longer = match(course, np.array([100.0, 120.0, 140.0, 160.0, 200.0]), 60.0)
    assert longer.mean_miss_bpm == 0.0
    assert longer.minutes_over == pytest.approx(1.0 / 6.0)


def test_a_course_is_linear_between_its_rows(tmp_path):
    path = tmp_path / "course.csv"
    path.write_text("minutes,heart_rate\n0,100\n1,160\n2,130\n", encoding="utf-8")
    target = read_target(str(path))
    assert target.name == "course"
    assert target.centre_bpm.tolist() == pytest.approx(
        [100.0, 110.0, 120.0, 130.0, 140.0, 150.0, 160.0, 155.0, 150.0, 145.0, 140.0, 135.0, 130.0]
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("150..140", "lowest heart rate"),
        ("20..300", "heart rate of a target"),
        ("fast", "a range as in"),
    ],
)
def test_what_is_no_target_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        read_target(text)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("time,heart_rate\n0,100\n", "columns seconds or minutes"),
        ("seconds,heart_rate\n0,100\n60,fast\n", "row 3, column heart_rate"),
        ("seconds,heart_rate\n0,100\n0,120\n", "rising order"),
        ("seconds,heart_rate\n5,100\n9,120\n", "from time 0"),
        ("seconds,heart_rate\n0,100\n5,120\n", "must last"),
    ],
)
def test_a_malformed_course_is_refused_by_row_and_column(tmp_path, content, message):
    path = tmp_path / "course.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_target(str(path))
