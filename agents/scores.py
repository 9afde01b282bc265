"""Where a mean return stands between what no service earns and the most that can be earned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["share_of_ceiling"]


def share_of_ceiling(
    env_id: str, env_kwargs: Mapping[str, Any], mean_return: float
) -> float | None:
    """Return how far a mean return is on the way from no service (0) to the ceiling (1).

    Args:
        env_id: Registered id.
        env_kwargs: Arguments of the environment.
        mean_return: Mean return of a policy in it.

    Returns:
        The share; None where the scores of the references are unknown.
    """
    return None
