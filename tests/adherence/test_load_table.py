"""The load table against step-by-step calls of the predictor under the same definitions."""

import numpy as np
import pytest

from fitgym.adherence.load_table import (
    build_load_table,
    cut_course,
    read_load_table,
    segment_grid,
    table_key,
    write_load_table,
)
from fitgym.model.plans import plan_segments, session_course
from fitgym.people.individual import DEFAULT_PLANS_TRIMP, Physiology

PHYSIOLOGY = Physiology(vdot=41.0)


@pytest.fixture(scope="session")
def table(predictor):
    before = predictor.calls
    table = build_load_table(DEFAULT_PLANS_TRIMP, 41.0, "unknown", predictor)
    # One pass for the histories' own heart rates, and one for everything else.
    assert predictor.calls == before + 2
    return table


def test_the_table_equals_direct_calls(table, predictor, asked, assert_equals_direct_calls):
    assert_equals_direct_calls(table, predictor, *asked)


def test_segments_are_short_stay_in_one_zone_and_sum_to_the_plans():
    grid = segment_grid(DEFAULT_PLANS_TRIMP)
    assert np.all(grid.minutes <= 1.0 + 1e-12)
    for plan, target in enumerate(DEFAULT_PLANS_TRIMP):
        part = slice(grid.first[plan], grid.first[plan + 1])
        course = session_course(plan_segments(target), 41.0)
        assert grid.points[part].sum() == pytest.approx(target)
        assert grid.minutes[part].sum() == pytest.approx(course.duration_s.sum() / 60.0)
        for segment in range(grid.first[plan + 1] - grid.first[plan]):
            assert len(set(course.zone[grid.step_segment[plan] == segment])) == 1


@pytest.mark.parametrize("target", DEFAULT_PLANS_TRIMP)
def test_cuts_rise_with_the_tenths_up_to_the_whole_session(target):
    course = session_course(plan_segments(target), 41.0)
    cuts = [cut_course(course, tenths) for tenths in range(1, 11)]
    assert np.all(np.diff(cuts) > 0)
    assert cuts[-1] == course.zone.size


def test_a_table_survives_a_file(table, tmp_path):
    write_load_table(table, tmp_path / "table.npz")
    again = read_load_table(tmp_path / "table.npz")
    assert again.plans_trimp == table.plans_trimp
    assert again.vdot == table.vdot
    np.testing.assert_array_equal(again.heart_rate_bpm, table.heart_rate_bpm)


def test_damaged_tables_are_refused(table, tmp_path):
    path = tmp_path / "table.npz"
    write_load_table(table, path)
    content = path.read_bytes()
    for damaged in (b"", content[:1000], content[:-500], b"nonsense" * 100):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"load table .*table\.npz is corrupted"):
            read_load_table(path)
    middle = len(content) // 2
    path.write_bytes(content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :])
    with pytest.raises(ValueError, match="load table"):
        read_load_table(path)
    with pytest.raises(FileNotFoundError):
        read_load_table(tmp_path / "missing.npz")


def test_keys_change_with_everything_a_table_depends_on():
    keys = {
        table_key(DEFAULT_PLANS_TRIMP, 41.0, "unknown", "a"),
        table_key(DEFAULT_PLANS_TRIMP[:9], 41.0, "unknown", "a"),
        table_key(DEFAULT_PLANS_TRIMP, 42.0, "unknown", "a"),
        table_key(DEFAULT_PLANS_TRIMP, 41.0, "female", "a"),
        table_key(DEFAULT_PLANS_TRIMP, 41.0, "unknown", "b"),
    }
    assert len(keys) == 5
