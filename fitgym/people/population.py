"""A population of runners: distributions over individuals, for training across people.

All distributions are ours: they spread around the recreational runner's values so that people
differ in how they respond to training, and have bounded support so that observations do too.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

import numpy as np

from fitgym.people.individual import (
    Habit,
    Individual,
    Motivation,
    Physiology,
    StageParameters,
    load_individual,
)

# Lognormal factors are cut at two standard deviations.
_CUT = 2.0


@dataclass(frozen=True)
class VdotBand:
    """Individuals of one running performance (VDOT), who share a load table.

    Attributes:
        vdot: VDOT.
        share: Share of the population.
        resting_heart_rate: bpm; it falls with endurance training.
        maximum_heart_rate: bpm; it depends on age, not on training.
    """

    vdot: float
    share: float
    resting_heart_rate: float
    maximum_heart_rate: float


VDOT_BANDS = (
    VdotBand(30.0, 0.10, 66.0, 185.0),
    VdotBand(35.0, 0.20, 61.0, 185.0),
    VdotBand(40.0, 0.25, 57.0, 185.0),
    VdotBand(45.0, 0.25, 53.0, 185.0),
    VdotBand(50.0, 0.15, 49.0, 185.0),
    VdotBand(55.0, 0.05, 46.0, 185.0),
)


@dataclass(frozen=True)
class _Traits:
    """The traits in which individuals of the population differ.

    ``*_factor`` multiply the recreational runner's values; the others replace them.
    """

    band: VdotBand
    base_level_factor: float = 1.0
    fitness_decay_factor: float = 1.0
    fatigue_decay_factor: float = 1.0
    fitness_utility_factor: float = 1.0
    fatigue_utility_factor: float = 1.0
    failure_effect_factor: float = 1.0
    fitness_exponent: float = 0.6
    fatigue_exponent: float = 1.5
    base_decay: float = 0.99
    reference_completion: float = 0.55
    habit_probability: float = 0.45


@dataclass(frozen=True, kw_only=True)
class Population:
    """Distributions over individuals; ``draw`` gives a new one.

    Attributes:
        bands: VDOT bands; one is drawn by its share.
        log_sds: Standard deviations of the logarithm of the factors on the recreational runner's
            values: initial base level (itself 25 points at VDOT 41, 5 % more per unit of VDOT),
            decay rates, utilities and failure effect.
        ranges: Ranges of the uniformly drawn traits.
    """

    bands: tuple[VdotBand, ...] = VDOT_BANDS
    log_sds: tuple[tuple[str, float], ...] = (
        ("base_level_factor", 0.20),
        ("fitness_decay_factor", 0.15),
        ("fatigue_decay_factor", 0.20),
        ("fitness_utility_factor", 0.15),
        ("fatigue_utility_factor", 0.15),
        ("failure_effect_factor", 0.20),
    )
    ranges: tuple[tuple[str, float, float], ...] = (
        ("fitness_exponent", 0.5, 0.7),
        ("fatigue_exponent", 1.3, 1.7),
        ("base_decay", 0.985, 0.995),
        ("reference_completion", 0.40, 0.70),
        ("habit_probability", 0.30, 0.60),
    )

    def draw(self, generator: np.random.Generator) -> Individual:
        """Return a new individual.

        Args:
            generator: Source of the random numbers.
        """
        shares = np.array([band.share for band in self.bands])
        band = self.bands[int(generator.choice(len(self.bands), p=shares / shares.sum()))]
        normal = NormalDist()
        lowest = normal.cdf(-_CUT)
        factors = {
            name: float(
                np.exp(log_sd * normal.inv_cdf(lowest + (1 - 2 * lowest) * generator.random()))
            )
            for name, log_sd in self.log_sds
        }
        uniform = {name: float(generator.uniform(low, high)) for name, low, high in self.ranges}
        return _individual(_Traits(band, **factors, **uniform), "drawn from the population")

    def typical(self) -> Individual:
        """Return the individual with the middle of every distribution."""
        middle = self.bands[len(self.bands) // 2]
        return _individual(_Traits(middle), "typical of the population")

    def extremes(self) -> Iterator[Individual]:
        """Yield individuals whose fitness, fatigue and motivation bound those of all others.

        Performance grows and falls with the utilities, stocks with slow decay and with low base
        decay; with the initial base level and the exponents they grow in one direction or the
        other, so both ends are given.
        """
        ends = {name: (low, high) for name, low, high in self.ranges}
        factors = {name: float(np.exp(_CUT * log_sd)) for name, log_sd in self.log_sds}
        lowest, highest = (
            {"band": band, "base_level_factor": factor}
            for band, factor in (
                (min(self.bands, key=_vdot), 1.0 / factors["base_level_factor"]),
                (max(self.bands, key=_vdot), factors["base_level_factor"]),
            )
        )
        for base_level, fitness_exponent, fatigue_exponent in itertools.product(
            (lowest, highest), ends["fitness_exponent"], ends["fatigue_exponent"]
        ):
            traits: dict[str, Any] = {
                **base_level,
                "fitness_decay_factor": 1.0 / factors["fitness_decay_factor"],
                "fatigue_decay_factor": 1.0 / factors["fatigue_decay_factor"],
                "failure_effect_factor": factors["failure_effect_factor"],
                "fitness_utility_factor": factors["fitness_utility_factor"],
                "fatigue_utility_factor": factors["fatigue_utility_factor"],
                "base_decay": ends["base_decay"][0],
                "fitness_exponent": fitness_exponent,
                "fatigue_exponent": fatigue_exponent,
            }
            yield _individual(_Traits(**traits), "at an extreme of the population")


def _vdot(band: VdotBand) -> float:
    return band.vdot


def _individual(traits: _Traits, source: str) -> Individual:
    """Return the recreational runner with these traits."""
    model = load_individual("recreational-runner")
    band = traits.band
    base_level = 25.0 * float(np.exp(0.05 * (band.vdot - 41.0))) * traits.base_level_factor

    def stage(like: StageParameters) -> StageParameters:
        # In units of u = B_0^sigma people are alike: stocks scale with u, utilities with 1/u.
        unit_ratio = (base_level / like.initial_base_level) ** like.base_scaling
        fitness_utility = like.fitness_utility / unit_ratio * traits.fitness_utility_factor
        fatigue_utility = like.fatigue_utility / unit_ratio * traits.fatigue_utility_factor
        fitness, fatigue = like.initial_fitness * unit_ratio, like.initial_fatigue * unit_ratio
        return replace(
            like,
            fitness_decay=like.fitness_decay * traits.fitness_decay_factor,
            fatigue_decay=like.fatigue_decay * traits.fatigue_decay_factor,
            fitness_exponent=traits.fitness_exponent,
            fatigue_exponent=traits.fatigue_exponent,
            base_decay=traits.base_decay,
            fitness_utility=fitness_utility,
            fatigue_utility=fatigue_utility,
            # So that performance at the start is the band's VDOT.
            baseline_performance=band.vdot - fitness_utility * fitness + fatigue_utility * fatigue,
            initial_base_level=base_level,
            initial_fitness=fitness,
            initial_fatigue=fatigue,
        )

    motivation: Motivation = replace(
        model.motivation,
        reference_completion=traits.reference_completion,
        failure_effect=model.motivation.failure_effect * traits.failure_effect_factor,
    )
    habit: Habit = replace(
        model.habit,
        probability=traits.habit_probability,
        median_trimp=model.habit.median_trimp * base_level / model.acquisition.initial_base_level,
    )
    return Individual(
        name="population",
        source=source,
        acquisition=stage(model.acquisition),
        retention=stage(model.retention),
        physiology=Physiology(
            vdot=band.vdot,
            resting_heart_rate=band.resting_heart_rate,
            maximum_heart_rate=band.maximum_heart_rate,
        ),
        motivation=motivation,
        habit=habit,
    )
