"""Inputs of a privileged critic in training, beyond the observation: motivation and the person.

Only the actor acts once training is over, so its critic may know what stays hidden from a service
(asymmetric actor-critic: Pinto et al. 2018). Its values are then those of this very person, and the
actor's advantages are less noisy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from gymnasium.vector import VectorEnv
from numpy.lib.recfunctions import structured_to_unstructured
from numpy.typing import NDArray

from fitgym_agents.environments import make_vector_env

# People by whom the numbers are normalised, drawn with this seed.
_PEOPLE = 512
_SEED = 0


@dataclass(frozen=True, eq=False)
class PrivilegedFacts:
    """Which numbers of a person are inputs of the critic, and their normalisation.

    Attributes:
        fields: Those of ``PERSON`` in which people differ.
        mean: Of these over people, (K,).
        deviation: Likewise, (K,), above 0.
    """

    fields: tuple[str, ...]
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    @classmethod
    def of(cls, env_id: str, env_kwargs: Mapping[str, Any]) -> Self:
        """Return those of the people who come into an environment, by a draw of them.

        Args:
            env_id: Registered id.
            env_kwargs: Arguments of the environment.
        """
        environments = make_vector_env(env_id, _PEOPLE, env_kwargs)
        environments.reset(seed=_SEED)
        records = _records(environments)
        environments.close()
        fields = [
            name
            for name in records.dtype.names or ()
            if records.dtype[name] == np.float64 and np.ptp(records[name]) > 0.0
        ]
        numbers = _numbers(records, fields)
        return cls(tuple(fields), numbers.mean(axis=0), numbers.std(axis=0))

    def __len__(self) -> int:
        """Return the number of inputs: motivation, and K of the person."""
        return 1 + len(self.fields)

    def people(self, environments: VectorEnv[Any, Any, Any]) -> NDArray[np.float32]:
        """Return the normalised numbers of those who live through the episodes, (N, K)."""
        numbers = _numbers(_records(environments), self.fields)
        return ((numbers - self.mean) / self.deviation).astype(np.float32)


def motivations(environments: VectorEnv[Any, Any, Any]) -> NDArray[np.float32]:
    """Return the present motivation in each environment, (N, 1)."""
    getter: Any = environments.unwrapped
    return getter.states["motivation"].astype(np.float32)[:, None]  # type: ignore[no-any-return]


def _records(environments: VectorEnv[Any, Any, Any]) -> NDArray[np.void]:
    getter: Any = environments.unwrapped
    return getter.people  # type: ignore[no-any-return]


def _numbers(records: NDArray[np.void], fields: Any) -> NDArray[np.float64]:
    if not fields:
        return np.zeros((records.size, 0))
    return np.asarray(structured_to_unstructured(records[list(fields)], dtype=np.float64))
