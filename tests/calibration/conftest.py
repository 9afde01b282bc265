import pytest

from fitgym.calibration import MARATHON_BENCHMARKS, assess_sessions
from fitgym.calibration.simulation import steady_stock
from fitgym.logs import load_marathon_log
from fitgym.people.individual import StageParameters


@pytest.fixture(scope="session")
def marathon():
    return assess_sessions(load_marathon_log(), MARATHON_BENCHMARKS)


@pytest.fixture(scope="session")
def known_parameters():
    """Return parameters for a simulated log, its stocks where the declared rule puts them.

    That is the steady state of training at the log's initial level, which is also B_0.
    """

    def build(series, stage, base_scaling=0.0):
        unit = series.initial_level**base_scaling
        retention = stage == "retention"
        return StageParameters(
            fitness_decay=0.05,
            fatigue_decay=0.15,
            fitness_exponent=0.6,
            fatigue_exponent=1.5,
            base_decay=0.98,
            fitness_utility=4.0 / unit,
            fatigue_utility=1.0 / unit,
            base_scaling=base_scaling,
            baseline_performance=30.0,
            initial_base_level=series.initial_level,
            initial_fitness=steady_stock(retention, unit, 0.05),
            initial_fatigue=steady_stock(retention, unit, 0.15),
        )

    return build
