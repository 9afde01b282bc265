"""Where a mean return stands between what no service earns and the most that can be earned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fitgym.planning.scores import load_reference_scores

# What agents observe and infos tell changes neither end.
_WITHOUT_EFFECT = {"individual", "observation", "cost"}


def share_of_ceiling(
    env_id: str, env_kwargs: Mapping[str, Any], mean_return: float
) -> float | None:
    """Return how far a mean return is on the way from no service (0) to the ceiling (1).

    Args:
        env_id: Registered id.
        env_kwargs: Arguments of the environment.
        mean_return: Mean return of a policy in it.

    Returns:
        The share; None where no scores ship: they hold for the environments' default arguments
        and the shipped individuals.
    """
    individual = env_kwargs.get("individual")
    if set(env_kwargs) - _WITHOUT_EFFECT or not isinstance(individual, str | None):
        return None
    try:
        return load_reference_scores(env_id, individual).share(mean_return)
    except ValueError:
        return None
