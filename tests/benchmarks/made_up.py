"""Made-up outcomes of every cell of the paper's grid, so that pages are made without any run."""

from __future__ import annotations

import itertools
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from fitgym_agents.outcomes import Outcomes
from fitgym_agents.summary import Summary
from fitgym_benchmarks.paper.budgets import BUDGETS
from fitgym_benchmarks.paper.exhibits import Found
from fitgym_benchmarks.paper.grid import Cell, paper_runs

EPISODES = 12


def outcomes(returns: Any, only_plan: int | None = None) -> Outcomes:
    """Return outcomes of episodes with these returns."""
    returns = np.asarray(returns, dtype=np.float64)
    of_all = np.full(returns.size, 1.0)
    return Outcomes(
        agent="somebody",
        env_id="fitgym/Acquisition-v1",
        seed=0,
        only_plan=only_plan,
        decision_seconds=1e-6,
        returns=returns,
        plans_given=np.full(returns.size, 90),
        plans_met=np.full(returns.size, 60),
        performance_gain=of_all,
        final_performance=40.0 * of_all,
        weekly_load=100.0 * of_all,
        dangerous_days=np.full(returns.size, 2),
        strained_share=0.1 * of_all,
    )


def made_up(base: dict[str, float] | None = None) -> Found:
    """Return results of the quick budget's cells: returns about a level for each agent.

    Args:
        base: Levels by agent; others have 100.
    """
    levels = {"no service": 50.0, "ceiling": 200.0, "belief": 190.0, "A3C": 150.0, **(base or {})}
    # Runs' own keys take seconds to hash.
    keys = itertools.count()
    noise = np.linspace(-1.0, 1.0, EPISODES)
    results: dict[Cell, Any] = {}
    summaries: dict[Cell, Summary] = {}
    for cell, runs in paper_runs(BUDGETS["quick"]).items():
        level = levels.get(cell.agent, 100.0)
        learns = runs[0].steps > 0
        evaluations = tuple(outcomes(level + 3.0 * run.seed + noise) for run in runs)
        drawn = tuple(outcomes(one.returns - 5.0) for one in evaluations) if learns else ()
        summaries[cell] = Summary(cell.agent, evaluations, drawn)
        results[cell] = [
            SimpleNamespace(
                run=run,
                folder=Path(f"{next(keys):012x}"),
                curve=((100, 10.0), (200, 60.0), (300, 90.0), (400, 100.0)),
                losses=((100, 0.1, 2.0), (200, None, 1.0), (400, 0.0, 0.5)),
                training_seconds=8.0,
                timesteps=400,
                steps_per_second=50.0,
                finished_at="2026-11-26T00:00:00+00:00",
                machine="a machine",
                commit="0123abc",
                versions={"fitgym": "0"},
            )
            for run in runs
        ]
    return Found(results, summaries)
