import pytest

from fitgym.calibration import MARATHON_BENCHMARKS, assess_sessions
from fitgym.logs import load_marathon_log


@pytest.fixture(scope="session")
def marathon():
    return assess_sessions(load_marathon_log(), MARATHON_BENCHMARKS)
