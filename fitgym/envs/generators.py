"""The random numbers of a vector environment: a generator for each of its environments."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from gymnasium.utils import seeding
from numpy.typing import NDArray

from fitgym.common.validation import require_integer

Seeds = int | Sequence[int | None] | None


class Generators:
    """A generator for each environment, made from entropy where none was seeded or given."""

    def __init__(self, num_envs: int) -> None:
        """Leave all generators to be made.

        Args:
            num_envs: How many environments.
        """
        self._generators: list[np.random.Generator | None] = [None] * num_envs
        self._seeds: list[int | None] = [None] * num_envs

    @property
    def all(self) -> tuple[np.random.Generator, ...]:
        """The generators."""
        return tuple(self.of(index) for index in range(len(self._generators)))

    @property
    def seeds(self) -> tuple[int | None, ...]:
        """The seed of each generator; -1 for a generator that was given."""
        return tuple(self._seeds) if self.all else ()

    def of(self, index: int) -> np.random.Generator:
        """Return the generator of one environment."""
        generator = self._generators[index]
        if generator is None:
            generator, self._seeds[index] = seeding.np_random()
            self._generators[index] = generator
        return generator

    def seed(self, index: int, seed: int) -> None:
        """Seed the generator of one environment."""
        self._generators[index], self._seeds[index] = seeding.np_random(seed)

    def give(self, generators: Sequence[np.random.Generator], seeds: Sequence[int]) -> None:
        """Put other generators in the place of all.

        Args:
            generators: One for each environment.
            seeds: Their seeds, -1 where they are not known.

        Raises:
            ValueError: If there are too few or too many.
        """
        if len(generators) != len(self._generators):
            raise ValueError(
                f"np_random must hold a generator for each of {len(self._generators)} "
                f"environments, got {len(generators)}"
            )
        self._generators, self._seeds = list(generators), list(seeds)

    def keys(self, indices: Sequence[int]) -> NDArray[np.uint64]:
        """Draw keys of some environments, on which all noise of the steps to come depends."""
        # The next 64 bits: what ``integers(0, 2**64)`` returns, in a third of the time.
        keys = [self.of(index).bit_generator.random_raw() for index in indices]
        return np.array(keys, dtype=np.uint64)


def checked_seeds(seed: Seeds, num_envs: int) -> list[int | None]:
    """Return one seed, or None, for each environment, all of them checked.

    Args:
        seed: Seed ``s``, for ``s + i`` in environment ``i``; or one for each environment; or None.
        num_envs: How many environments.

    Raises:
        ValueError: If a seed is negative, or they are too few or too many.
        TypeError: If a seed is no integer.
    """
    if seed is None:
        return [None] * num_envs
    if not isinstance(seed, Sequence) and not (isinstance(seed, np.ndarray) and seed.ndim):
        first = require_integer("seed", seed, 0)
        return list(range(first, first + num_envs))
    if len(seed) != num_envs:
        raise ValueError(
            f"seed must be a number or one for each of {num_envs} environments, got "
            f"{len(seed)} of them"
        )
    return [
        None if one is None else require_integer(f"seed[{index}]", one, 0)
        for index, one in enumerate(seed)
    ]
