"""A predictor that can be worked out by hand, and direct calls to hold a load table against."""

import numpy as np
import pytest

from fitgym.adherence.fitrec import compiled_curves
from fitgym.adherence.load_table import DAYS_SINCE
from fitgym.model.internal_load import load_rates
from fitgym.model.plans import plan_segments, session_course
from fitgym.people.individual import DEFAULT_PLANS_TRIMP, Physiology
from fitgym.predictor.sessions import PreviousWorkout, Session


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


def session_of(course, steps=None):
    speed = course.speed_m_s[:steps]
    return Session(speed_m_s=speed, altitude_m=np.zeros(speed.size))


def direct_curves(predictor, plan, last_plan, tenths, days):
    """Ask for one session after one history; return load and beats at the segments' ends."""
    course = session_course(plan_segments(DEFAULT_PLANS_TRIMP[plan]), 41.0)
    history = None
    if last_plan is not None:
        done = session_course(plan_segments(DEFAULT_PLANS_TRIMP[last_plan]), 41.0)
        points, steps = 0.0, 0
        while points < tenths / 10 * DEFAULT_PLANS_TRIMP[last_plan] - 1e-6:
            points += done.points[steps]
            steps += 1
        alone = predictor.predict([session_of(done)], [None])[0]
        history = PreviousWorkout(session_of(done, steps), alone[:steps], days)
    heart_rate = predictor.predict([session_of(course)], [history])[0]
    # Means over segments: runs of one zone cut into pieces of at most a minute.
    loads, beats = [], []
    step = 0
    while step < heart_rate.size:
        zone, seconds, product = course.zone[step], 0.0, 0.0
        while (
            step < heart_rate.size
            and course.zone[step] == zone
            and seconds + course.duration_s[step] <= 60.0
        ):
            product += heart_rate[step] * course.duration_s[step]
            seconds += course.duration_s[step]
            step += 1
        mean = product / seconds
        loads.append(seconds / 60.0 * load_rates(mean, 55.0, 185.0, False))
        beats.append(seconds / 60.0 * mean)
    return np.cumsum(loads), np.cumsum(beats)


# Plan, last plan (both from 0), tenths of it, days since.
ASKED = [
    (4, None, 0, 0),
    (0, 9, 10, 1),
    (9, 0, 1, 10),
    (4, 4, 10, 1),
    (7, 6, 3, 2),
    (2, 5, 5, 3),
    (3, 8, 9, 5),
]


@pytest.fixture(params=ASKED, ids=str)
def asked(request):
    return request.param


def assert_table_equals_direct_calls(table, predictor, plan, last_plan, tenths, days):
    tables = compiled_curves(table, Physiology(vdot=41.0))
    loads, beats = direct_curves(predictor, plan, last_plan, tenths, days)
    row = 0
    if last_plan is not None:
        row = 1 + (last_plan * 10 + tenths - 1) * 5 + DAYS_SINCE.index(days)
    part = slice(*tables.first_segments[plan : plan + 2])
    np.testing.assert_allclose(tables.loads[0, row, part], loads, rtol=1e-5)
    np.testing.assert_allclose(tables.beats[0, row, part], beats, rtol=1e-5)


@pytest.fixture(scope="session")
def assert_equals_direct_calls():
    return assert_table_equals_direct_calls
