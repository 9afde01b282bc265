"""Checks of arguments say what was wrong and what is allowed."""

import math

import numpy as np
import pytest

from fitgym.common.validation import require_choice, require_integer, require_number


@pytest.mark.parametrize("value", [0, 1, 0.5, np.float32(0.25), np.int64(1)])
def test_numbers_in_range_come_back_as_floats(value):
    number = require_number("share", value, 0, 1)
    assert type(number) is float
    assert number == value


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (-0.1, ValueError),
        (1.1, ValueError),
        (math.nan, ValueError),
        (math.inf, ValueError),
        (True, TypeError),
        ("1", TypeError),
        (None, TypeError),
        (1 + 2j, TypeError),
    ],
)
def test_other_numbers_are_refused(value, error):
    with pytest.raises(error, match=r"share must be a finite number in \[0, 1\], got ") as caught:
        require_number("share", value, 0, 1)
    assert repr(value) in str(caught.value)


def test_open_ends_exclude_the_end():
    for value in (0, 1):
        with pytest.raises(ValueError, match=r"in \(0, 1\)"):
            require_number("share", value, 0, 1, low_open=True, high_open=True)
    with pytest.raises(ValueError, match=r"in \(-inf, inf\)"):
        require_number("share", math.inf)


@pytest.mark.parametrize("value", [2, np.int32(2), np.uint8(2), np.array(2)])
def test_whole_numbers_come_back_as_ints(value):
    number = require_integer("days", value, 1, 3)
    assert type(number) is int
    assert number == 2


@pytest.mark.parametrize("value", [2.0, "2", None, True, np.array([2, 3]), np.float64(2)])
def test_what_is_no_whole_number_is_refused(value):
    with pytest.raises(TypeError, match="days must be an integer of at least 1 and at most 3, got"):
        require_integer("days", value, 1, 3)


@pytest.mark.parametrize("value", [0, 4])
def test_whole_numbers_out_of_range_are_refused(value):
    with pytest.raises(ValueError, match=f"at least 1 and at most 3, got {value}"):
        require_integer("days", value, 1, 3)
    with pytest.raises(ValueError, match="of at least 5, got"):
        require_integer("days", value, 5)


def test_choices():
    assert require_choice("stage", "b", ["a", "b"]) == "b"
    for value in ("c", 1, None):
        with pytest.raises(ValueError, match=f"stage must be one of 'a', 'b', got {value!r}"):
            require_choice("stage", value, ["a", "b"])
