"""The acute:chronic workload ratio against its definition in a loop, and its known values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitgym.model.strain import workload_ratio


def test_equal_days_have_a_ratio_of_one() -> None:
    np.testing.assert_allclose(workload_ratio(np.full((3, 90), 20.0)), 1.0)


def test_a_week_at_double_load_after_four_weeks_is_dangerous() -> None:
    points = np.array([10.0] * 28 + [20.0] * 7)
    # Seven days of 20 over 21 of 10 and seven of 20.
    assert workload_ratio(points)[-1] == pytest.approx(20.0 / 12.5)
    # A first session after four weeks of rest: 1/7 over 1/28 of it.
    assert workload_ratio([0.0] * 28 + [30.0])[-1] == pytest.approx(4.0)


def test_the_first_days_are_their_own_past() -> None:
    points = np.arange(1.0, 11.0)
    ratios = workload_ratio(points)
    np.testing.assert_allclose(ratios[:7], 1.0)
    assert ratios[7] == pytest.approx(points[1:8].mean() / points[:8].mean())
    assert ratios[9] == pytest.approx(points[3:10].mean() / points.mean())


def test_no_load_is_no_strain() -> None:
    np.testing.assert_array_equal(workload_ratio(np.zeros(40)), 0.0)


@given(st.lists(st.floats(0.0, 200.0).map(lambda x: round(x, 3)), min_size=1, max_size=60))
def test_the_ratio_is_that_of_a_loop_over_days(points: list[float]) -> None:
    ratios = workload_ratio(points)
    for day, ratio in enumerate(ratios):
        acute = points[max(0, day - 6) : day + 1]
        chronic = points[max(0, day - 27) : day + 1]
        if sum(chronic) == 0.0:
            assert ratio == 0.0
        else:
            expected = (sum(acute) / len(acute)) / (sum(chronic) / len(chronic))
            assert ratio == pytest.approx(expected)
            assert 0.0 <= ratio <= 4.0 + 1e-9


@pytest.mark.parametrize("points", [[-1.0], [np.nan], 3.0])
def test_loads_that_are_none_are_refused(points: object) -> None:
    with pytest.raises(ValueError, match="done_trimp"):
        workload_ratio(points)  # type: ignore[arg-type]
