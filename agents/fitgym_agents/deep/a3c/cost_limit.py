"""A limit on the cost of an episode: rewards less costs, at a weight learnt by dual ascent.

The policy maximises the return subject to a mean cost of at most the limit. In the Lagrangian the
cost is paid for, and its weight rises while episodes cost more than the limit and falls, down to 0,
while they cost less (Altman 1999, Constrained Markov Decision Processes; Tessler et al. 2019).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from gymnasium.vector import VectorEnv, VectorWrapper
from numpy.typing import NDArray
from torch import Tensor

from fitgym_agents.environments import EnvironmentFactory


class PricedCosts(VectorWrapper[Any, Any, NDArray[Any], Any, Any]):
    """Environments that pay rewards less ``info["cost"]`` times a weight, which learns.

    Whenever episodes end, the weight takes a step of dual ascent by their mean cost.
    """

    def __init__(
        self, environments: VectorEnv[Any, Any, Any], weight: Tensor, limit: float, rate: float
    ) -> None:
        """Start with no cost so far.

        Args:
            environments: They must reset within the step, and tell the cost.
            weight: Of a unit of cost, in units of reward, (1,); changed in place. Workers share
                it without a lock, as they share network weights.
            limit: What an episode may cost on average.
            rate: By how much a unit of cost above the limit changes the weight.
        """
        super().__init__(environments)
        self._weight = weight
        self._limit = limit
        self._rate = rate
        self._so_far = np.zeros(environments.num_envs)

    def step(self, actions: Any) -> Any:
        """Take a step; see the class."""
        observations, rewards, terminated, truncated, infos = self.env.step(actions)
        costs = day_costs(infos)
        priced = rewards - self._weight.item() * costs
        self._so_far += costs
        ended = terminated | truncated
        if ended.any():
            excess = float(self._so_far[ended].mean()) - self._limit
            self._weight.add_(self._rate * excess).clamp_(min=0.0)
            self._so_far[ended] = 0.0
        return observations, priced, terminated, truncated, infos


def day_costs(infos: dict[str, Any]) -> NDArray[np.float64]:
    """Return what the day cost in each environment that resets within the step, (N,)."""
    costs: NDArray[np.float64] = infos["cost"]
    if "final_info" in infos:
        return np.where(infos["_final_info"], infos["final_info"]["cost"], costs)
    return costs


def with_cost(env_kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of environments that tell the cost, whatever they told before."""
    return {**env_kwargs, "cost": True}


def require_cost(env_id: str, env_kwargs: Mapping[str, Any]) -> None:
    """Check that there are such environments to train in.

    Raises:
        ValueError: If the environment refuses the argument ``cost``.
    """
    try:
        EnvironmentFactory(env_id, with_cost(env_kwargs))().close()
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"cost_limit needs an environment that takes cost=True, got {env_id!r}, which refuses "
            f"it: {error}"
        ) from error


def new_weight() -> Tensor:
    """Return the weight before anything is learnt: costs are free, (1,)."""
    return torch.zeros(1, dtype=torch.float64)
