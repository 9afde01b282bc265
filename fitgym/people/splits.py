"""Fixed people to train on, to choose by and to be tested on.

A population draws somebody new every time. For results that others can compare with, the splits
hold the same people everywhere: 10,000 to train on, 1,000 to choose settings by and 1,000 to test
on, all of them different.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np

from fitgym.common.validation import require_choice, require_integer
from fitgym.people.individual import Individual

# How many people each split has.
SPLITS = {"train": 10_000, "validation": 1_000, "test": 1_000}

# What ``individual`` is where anybody may come.
POPULATION = "population"
# Ours; any number that nobody seeds people with by chance.
_SEED = 220_400_961


class PopulationLike(Protocol):
    """Where individuals are drawn from, at every reset; hashable."""

    def __hash__(self) -> int:
        """Return a hash: populations are frozen records."""

    def draw(self, generator: np.random.Generator) -> Individual:
        """Return an individual."""

    def typical(self) -> Individual:
        """Return the individual with the middle of every distribution."""

    def extremes(self) -> Iterator[Individual]:
        """Yield individuals whose bounds hold for all."""


@dataclass(frozen=True)
class PeopleSplit:
    """The people of one split of a population, reproducible from their numbers.

    Attributes:
        population: Whose distributions they are drawn from.
        name: ``"train"``, ``"validation"`` or ``"test"``.
    """

    population: PopulationLike
    name: str

    def __post_init__(self) -> None:
        """Check the name.

        Raises:
            ValueError: If there is no such split.
        """
        require_choice("split", self.name, tuple(SPLITS))

    def __len__(self) -> int:
        """Return how many people there are."""
        return SPLITS[self.name]

    def person(self, number: int) -> Individual:
        """Return one of the people.

        Args:
            number: Which one, from 0.

        Raises:
            ValueError: If there are not so many.
            TypeError: If the number is no integer.
        """
        require_integer("number", number, 0, len(self) - 1)
        return _person(self.population, tuple(SPLITS).index(self.name), number)

    def draw(self, generator: np.random.Generator) -> Individual:
        """Return one of the people, all equally likely.

        Args:
            generator: Source of the random number.
        """
        return self.person(int(generator.integers(len(self))))

    def typical(self) -> Individual:
        """Return the typical individual of the population."""
        return self.population.typical()

    def extremes(self) -> Iterator[Individual]:
        """Yield individuals whose bounds hold for the whole population."""
        return self.population.extremes()


def is_population(individual: Any) -> bool:
    """Return whether ``individual`` is not somebody but a population or a split of one."""
    return isinstance(individual, str) and (
        individual == POPULATION or individual.startswith(f"{POPULATION}:")
    )


def read_population(individual: Any, population: PopulationLike) -> PopulationLike | None:
    """Return where individuals are drawn from; None where ``individual`` is somebody.

    Args:
        individual: ``"population"`` for anybody, ``"population:train"``,
            ``"population:validation"`` or ``"population:test"`` for the people of a split, or
            whatever describes an individual.
        population: Of the environment's version.

    Raises:
        ValueError: If there is no such split.
    """
    if not is_population(individual):
        return None
    _, _, split = individual.partition(":")
    return PeopleSplit(population, split) if split else population


@lru_cache(maxsize=sum(SPLITS.values()))
def _person(population: PopulationLike, split: int, number: int) -> Individual:
    return population.draw(np.random.default_rng([_SEED, split, number]))
