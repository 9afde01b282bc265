"""Outcomes: what the episodes of an evaluation came to, without the days that led there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What E episodes came to: enough for every table, and a hundredth of what their days take.

    Every attribute is that of the same name of ``fitgym_agents.evaluation.Evaluation``.

    Attributes:
        agent: Name of the agent.
        env_id: Id of the environment.
        seed: Seed of the first episode.
        only_plan: The plan that was pushed at every step; None if there were others.
        decision_seconds: Mean wall time of one decision, seconds.
        returns: Undiscounted returns, (E,).
        plans_given: Number of plans given, (E,).
        plans_met: Number of plans met, (E,).
        performance_gain: Performance at the end less that at the start, VDOT, (E,).
        final_performance: Performance at the end, VDOT, (E,).
        weekly_load: Points really done per week, (E,).
        dangerous_days: Days with an acute:chronic workload ratio above 1.5, (E,).
        strained_share: Share of days with a ratio above 1.3, (E,).
    """

    agent: str
    env_id: str
    seed: int
    only_plan: int | None
    decision_seconds: float
    returns: NDArray[np.float64]
    plans_given: NDArray[np.int64]
    plans_met: NDArray[np.int64]
    performance_gain: NDArray[np.float64]
    final_performance: NDArray[np.float64]
    weekly_load: NDArray[np.float64]
    dangerous_days: NDArray[np.int64]
    strained_share: NDArray[np.float64]
