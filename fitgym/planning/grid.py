"""The dynamic program's grid: how fine it is, how far it reaches, and weights on its axes."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from fitgym.common.validation import require_integer, require_number
from fitgym.model.dynamics import MINIMUM_BASE_LEVEL

# The share of the range of states by which the grid reaches further at both ends (ours): fewer than
# one day in a thousand of the default individual's later seasons lies beyond it.
_MARGIN = 0.15
# Nodes of the Gauss-Hermite quadrature over a normal number.
_NOISE_NODES = 32


@dataclass(frozen=True, kw_only=True)
class GridSize:
    """How fine the grid and the sums over outcomes are.

    Attributes:
        base_level: Points along ln B.
        fitness: Points along F.
        fatigue: Points along G.
        motivation: Points along m.
        shares: Into how many equal shares of a plan a failure may fall.
        habits: Equally likely habit sessions.
    """

    base_level: int = 14
    fitness: int = 14
    fatigue: int = 18
    motivation: int = 25
    shares: int = 8
    habits: int = 8

    def __post_init__(self) -> None:
        """Check every number."""
        for name in ("base_level", "fitness", "fatigue", "motivation"):
            require_integer(name, getattr(self, name), 2, 500)
        require_integer("shares", self.shares, 1, 1000)
        require_integer("habits", self.habits, 1, 1000)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Points along ln B, F, G and m."""
        return self.base_level, self.fitness, self.fatigue, self.motivation

    def refined(self, factor: float) -> GridSize:
        """Return a grid with ``factor`` times as many points along each axis.

        Raises:
            ValueError: If the factor is not in [0.2, 10].
            TypeError: If it is not a number.
        """
        require_number("factor", factor, 0.2, 10)
        return GridSize(
            **{name: max(2, round(factor * count)) for name, count in asdict(self).items()}
        )


def grid_limits(scouted: NDArray[np.void]) -> NDArray[np.float64]:
    """Return the ends of the axes of ln B, F, G and m around the states scouted, (4, 2)."""
    limits = []
    for column, lowest in (
        (np.log(scouted["base_level"]), math.log(MINIMUM_BASE_LEVEL)),
        (scouted["fitness"], 0.0),
        (scouted["fatigue"], 0.0),
        (scouted["motivation"], -math.inf),
    ):
        low, high = float(column.min()), float(column.max())
        # A constant column, as of a person whose motivation never moves, needs some width.
        margin = _MARGIN * max(high - low, 1e-3)
        limits.append((max(low - margin, lowest), high + margin))
    return np.array(limits)


def hat_weights(axis: NDArray[np.float64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weights of linear interpolation on an even axis, (points, axis).

    Points beyond the axis count as its nearest end.
    """
    place = np.clip((points - axis[0]) / (axis[1] - axis[0]), 0.0, axis.size - 1.0)
    return np.asarray(np.maximum(0.0, 1.0 - np.abs(place[:, None] - np.arange(axis.size))))


def normal_nodes() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return nodes and weights of a mean over a standard normal number."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NOISE_NODES)
    return nodes, weights / weights.sum()
