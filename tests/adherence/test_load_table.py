"""The load table against step-by-step calls of the predictor under the same definitions."""

import dataclasses

import numpy as np
import pytest

from fitgym.adherence.fitrec import FitRecAdherence, compiled_curves
from fitgym.adherence.load_table import (
    LoadTable,
    build_load_table,
    cut_course,
    read_load_table,
    segment_grid,
    table_key,
    write_load_table,
)
from fitgym.model.plans import plan_segments, session_course
from fitgym.people.individual import DEFAULT_PLANS_TRIMP, Physiology, load_individual

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
    write_load_table(table, tmp_path / "table.npz", "key")
    again = read_load_table(tmp_path / "table.npz", "key")
    assert again.plans_trimp == table.plans_trimp
    assert again.vdot == table.vdot
    np.testing.assert_array_equal(again.heart_rate_bpm, table.heart_rate_bpm)


def test_damaged_tables_are_refused(table, tmp_path):
    path = tmp_path / "table.npz"
    write_load_table(table, path, "key")
    content = path.read_bytes()
    for damaged in (b"", content[:1000], content[:-500], b"nonsense" * 100):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"table\.npz is damaged"):
            read_load_table(path, "key")
    middle = len(content) // 2
    path.write_bytes(content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :])
    with pytest.raises(ValueError, match="is damaged"):
        read_load_table(path, "key")
    with pytest.raises(FileNotFoundError):
        read_load_table(tmp_path / "missing.npz", "key")


def test_a_table_loads_under_its_own_key_alone(table, tmp_path):
    path = tmp_path / "table.npz"
    write_load_table(table, path, "other")
    with pytest.raises(ValueError, match="holds something else than what 'key' stands for"):
        read_load_table(path, "key")


def test_a_table_whose_heart_rates_were_exchanged_is_refused(table, tmp_path):
    path = tmp_path / "table.npz"
    write_load_table(table, path, "key")
    with np.load(path) as content:
        arrays = dict(content)
    arrays["heart_rate_bpm"] = np.full_like(arrays["heart_rate_bpm"], 60.0)
    np.savez_compressed(path, **arrays)
    with pytest.raises(ValueError, match="is damaged, or holds something else"):
        read_load_table(path, "key")


@pytest.mark.parametrize(
    ("gender", "weight", "exponent"), [("unknown", 0.64, 1.92), ("female", 0.86, 1.67)]
)
def test_loads_take_the_constants_of_the_person_s_gender(gender, weight, exponent):
    grid = segment_grid(DEFAULT_PLANS_TRIMP)
    heart_rate = np.full((501, grid.minutes.size), 120.0, dtype=np.float32)
    physiology = Physiology(
        vdot=41.0, resting_heart_rate=55.0, maximum_heart_rate=185.0, gender=gender
    )
    tables = compiled_curves(LoadTable(DEFAULT_PLANS_TRIMP, 41.0, heart_rate), physiology)
    # Banister's rate at half of the heart-rate reserve, for as many minutes as the plan takes.
    minutes = [plan_minutes.sum() for plan_minutes in np.split(grid.minutes, grid.first[1:-1])]
    expected = 0.5 * weight * np.exp(0.5 * exponent) * np.array(minutes)
    np.testing.assert_allclose(tables.loads[0, 0, tables.first_segments[1:] - 1], expected, 1e-5)
    runner = dataclasses.replace(load_individual("recreational-runner"), physiology=physiology)
    assert FitRecAdherence.largest_load_of(runner) == pytest.approx(
        weight * np.exp(exponent) * max(minutes)
    )


def test_keys_change_with_everything_a_table_depends_on():
    keys = {
        table_key(DEFAULT_PLANS_TRIMP, 41.0, "unknown", "a"),
        table_key(DEFAULT_PLANS_TRIMP[:9], 41.0, "unknown", "a"),
        table_key(DEFAULT_PLANS_TRIMP, 42.0, "unknown", "a"),
        table_key(DEFAULT_PLANS_TRIMP, 41.0, "female", "a"),
        table_key(DEFAULT_PLANS_TRIMP, 41.0, "unknown", "b"),
    }
    assert len(keys) == 5
