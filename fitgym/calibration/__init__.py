"""Calibration: parameters of an individual from a training log, and how far it fixes them.

``assess_sessions`` turns a log into intensities and performances, ``calibrate`` fits a stage,
``calibrated_individual`` makes a person of both stages. Method and findings:
``docs/calibration.md``.
"""

from fitgym.calibration.calibrate import Calibration, calibrate, calibrated_individual
from fitgym.calibration.least_squares import STAGES, FitSettings
from fitgym.calibration.report import calibration_figure, calibration_table
from fitgym.calibration.sessions import (
    MARATHON_BENCHMARKS,
    TIME_BASES,
    Sessions,
    assess_sessions,
    plan_grid,
)

__all__ = [
    "MARATHON_BENCHMARKS",
    "STAGES",
    "TIME_BASES",
    "Calibration",
    "FitSettings",
    "Sessions",
    "assess_sessions",
    "calibrate",
    "calibrated_individual",
    "calibration_figure",
    "calibration_table",
    "plan_grid",
]
