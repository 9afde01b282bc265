"""The straight line from speed to heart rate."""

from __future__ import annotations

import numpy as np
import pytest

from fitgym.predictor.attributes import Attributes
from fitgym.predictor.linear import COEFFICIENTS, LinearPredictor
from fitgym.predictor.sessions import Session


def test_an_even_run_on_the_flat_follows_the_line() -> None:
    bodies = [Attributes(vdot=30.0), Attributes(vdot=60.0)]
    sessions = [Session(np.full(61, speed), np.zeros(61)) for speed in (3.0, 4.5)]
    slow, same, fast, _ = LinearPredictor().predict(sessions, [None], bodies)
    np.testing.assert_array_equal(slow, same)
    constant, speed, _, time = COEFFICIENTS
    # After ten minutes at 3 m/s, the channels' centre; 1.5 m/s is one unit of theirs.
    assert slow[60] == pytest.approx(constant + time * (np.log(11.0) - 2.5), abs=1e-4)
    np.testing.assert_allclose(fast - slow, speed, atol=1e-4)
