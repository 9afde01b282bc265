"""A predictor of heart rate that can be worked out by hand."""

import numpy as np
import pytest


class HandMadePredictor:
    """Heart rate of 60 plus 25 per m/s, a drift, and what the last session left."""

    def __init__(self):
        self.calls = 0

    def predict(self, sessions, histories, pairs=None):
        self.calls += 1
        assert pairs is None
        return [self.heart_rate(session, history) for session in sessions for history in histories]

    @staticmethod
    def heart_rate(session, history):
        left = 0.0
        if history is not None:
            # The last value and the length tell histories apart, and both fade with the days.
            left = (0.05 * history.heart_rate_bpm[-1] + 0.01 * len(history.session)) / (
                1.0 + history.days_since
            )
        drift = 0.01 * np.arange(len(session))
        return 60.0 + 25.0 * session.speed_m_s + drift + left


@pytest.fixture(scope="session")
def predictor():
    return HandMadePredictor()
