"""The population as prior: what is believed of somebody's traits before any session is read.

The distributions are those of ``fitgym.people.runners.RunnerPopulation``, in units in which each
trait is a standard normal number, so that a trait the data say nothing of keeps the population's
distribution. Habits are seen directly, so they are not held to the population's range: theirs are
wider. Attributes that are given count as known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from fitgym.people.runners import VDOT_ERROR_SD, RunnerPopulation
from fitgym.predictor.attributes import TANAKA_BPM, TANAKA_PER_YEAR

Array = NDArray[np.float64]

# The traits, in order.
TRAITS = (
    "log_vdot",
    "habit_log_median",
    "habit_log_odds",
    "fitness_decay_log_factor",
    "fatigue_decay_log_factor",
    "fitness_utility_log_factor",
    "fatigue_utility_log_factor",
    "failure_effect_log_factor",
    "fitness_exponent",
    "fatigue_exponent",
    "base_decay",
    "reference_completion",
    "heart_rate_offset",
    "resting_heart_rate",
    "maximum_heart_rate",
)
# scripts/draw_hearts.py, as in docs/model.md: spread of the maximum at an age, of ages between 20
# and 60, and of the resting heart rate at a VDOT, all cut at two standard deviations.
_MAXIMUM_SD, _AGES = 7.0, (20.0, 60.0)
_RESTING_BPM, _RESTING_PER_VDOT, _RESTING_SD = 60.0, -0.6, 5.0
# Spread of what is measured at home or in a test, when somebody gives it (TOLD_SD of
# fitgym.predictor.fitrec2.people is that of what a watch tells).
_GIVEN_SD = 1.0
# Habits: median of a session by VDOT as in the population, but not cut; probability 0.4.
_HABIT_LOG_SD, _HABIT_ODDS_SD = 0.25, 0.7
_CUT = 2.0


@dataclass(frozen=True)
class Given:
    """What somebody tells of the body; None where it is not told.

    Attributes:
        resting: Resting heart rate, bpm.
        maximum: Maximum heart rate, bpm.
        gender: ``"male"``, ``"female"`` or ``"unknown"``.
        age: Years.
        vdot: VDOT that paces are made for.
    """

    resting: float | None = None
    maximum: float | None = None
    gender: str = "unknown"
    age: float | None = None
    vdot: float | None = None


@dataclass(frozen=True, eq=False)
class Prior:
    """Independent traits: (K,) arrays in the order of ``TRAITS``.

    Attributes:
        kind: ``"cut"``, ``"normal"`` or ``"uniform"``.
        centre: Middle of a normal number, lower end of a uniform one.
        spread: Standard deviation before the cut, or width.
    """

    kind: tuple[str, ...]
    centre: Array
    spread: Array

    def centre_of(self, name: str) -> float:
        """Return the middle, or lower end, of a trait."""
        return float(self.centre[TRAITS.index(name)])

    def with_trait(self, name: str, kind: str, centre: float, spread: float) -> Prior:
        """Return the prior with another distribution of one trait."""
        place = TRAITS.index(name)
        kinds = list(self.kind)
        kinds[place] = kind
        centres, spreads = self.centre.copy(), self.spread.copy()
        centres[place], spreads[place] = centre, spread
        return Prior(tuple(kinds), centres, spreads)

    def traits(self, standard: Array) -> Array:
        """Return traits (N, K) of standard normal numbers (N, K)."""
        quantile = ndtr(standard)
        lowest = ndtr(-_CUT)
        cut = ndtri(lowest + (1.0 - 2.0 * lowest) * quantile)
        kind = np.array(self.kind)
        scaled = np.where(kind == "uniform", quantile, np.where(kind == "cut", cut, standard))
        return np.asarray(self.centre + self.spread * scaled)


def population_prior(vdot: float, vdot_log_sd: float, given: Given) -> Prior:
    """Return the prior of somebody whose VDOT is believed to be around ``vdot``.

    Args:
        vdot: VDOT for which paces are made: habit and resting heart rate go with it.
        vdot_log_sd: Spread of the logarithm of the real one around it.
        given: What is told of the body.
    """
    population = RunnerPopulation()
    log_sds, sds = dict(population.log_sds), dict(population.sds)
    ranges = {name: (low, high) for name, low, high in population.ranges}
    rows: dict[str, tuple[str, float, float]] = {
        "log_vdot": (
            "cut" if vdot_log_sd == VDOT_ERROR_SD else "normal",
            float(np.log(vdot)),
            vdot_log_sd,
        ),
        "habit_log_median": (
            "normal",
            float(np.log(16.0)) + 0.04 * (vdot - 41.0),
            _HABIT_LOG_SD,
        ),
        "habit_log_odds": ("normal", float(np.log(0.4 / 0.6)), _HABIT_ODDS_SD),
    }
    for name in ("fitness_decay", "fatigue_decay", "fitness_utility", "fatigue_utility"):
        rows[f"{name}_log_factor"] = ("cut", 0.0, log_sds[f"{name}_factor"])
    rows["failure_effect_log_factor"] = ("cut", 0.0, log_sds["failure_effect_factor"])
    for name in ("fitness_exponent", "fatigue_exponent", "base_decay", "reference_completion"):
        low, high = ranges[name]
        rows[name] = ("uniform", low, high - low)
    rows["heart_rate_offset"] = ("cut", 0.0, sds["heart_rate_offset"])
    if given.resting is None:
        resting = _RESTING_BPM + _RESTING_PER_VDOT * (vdot - 41.0)
        rows["resting_heart_rate"] = ("cut", min(max(resting, 42.0), 80.0), _RESTING_SD)
    else:
        rows["resting_heart_rate"] = ("normal", given.resting, _GIVEN_SD)
    if given.maximum is not None:
        rows["maximum_heart_rate"] = ("normal", given.maximum, _GIVEN_SD)
    elif given.age is not None:
        by_age = TANAKA_BPM - TANAKA_PER_YEAR * given.age
        rows["maximum_heart_rate"] = ("cut", by_age, _MAXIMUM_SD)
    else:
        # Ages are even between the two, which a normal number of the same variance stands for.
        middle, width = sum(_AGES) / 2.0, _AGES[1] - _AGES[0]
        spread = float(np.hypot(0.88 * _MAXIMUM_SD, TANAKA_PER_YEAR * width / np.sqrt(12.0)))
        rows["maximum_heart_rate"] = ("normal", TANAKA_BPM - TANAKA_PER_YEAR * middle, spread)
    kinds, centres, spreads = zip(*(rows[name] for name in TRAITS), strict=True)
    return Prior(tuple(kinds), np.array(centres), np.array(spreads))
