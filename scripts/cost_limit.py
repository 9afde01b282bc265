"""Print what a limit of cost does to A3C in version 1, as a Markdown table.

    python scripts/cost_limit.py [STEPS] [LIMIT]

A3C is trained with the limit and without it, three seeds each, and plays 100 episodes that no
training saw. An episode's cost is the sum of ``info["cost"]`` (docs/cost.md).
"""

from __future__ import annotations

import sys

import numpy as np

from fitgym.common.tables import markdown_table
from fitgym_agents.deep.a3c.algorithm import A3C
from fitgym_agents.evaluation import evaluate
from fitgym_agents.scores import share_of_ceiling

STAGES = ("Acquisition", "Retention")
SEEDS = range(3)
COLUMNS = ("", "limit", "cost", "of each seed", "return", "share of the way", "weight")


def row(stage: str, limit: float | None, steps: int) -> tuple[str, ...]:
    """Return the cells of one stage with or without a limit, means over the seeds."""
    env_id = f"fitgym/{stage}-v1"
    costs, returns, weights = [], [], []
    for seed in SEEDS:
        agent = A3C.create(
            env_id, seed=seed, configuration={"cost_limit": limit, "cost_rate": 0.3, "workers": 0}
        )
        agent.learn(steps)
        found = evaluate(agent, env_id)
        costs.append(float(found.costs.mean()))
        returns.append(found.mean)
        weights.append(agent.cost_weight)
        print(stage, limit, seed, costs[-1], returns[-1], weights[-1], file=sys.stderr, flush=True)
    mean = float(np.mean(returns))
    share = share_of_ceiling(env_id, {}, mean)
    assert share is not None
    return (
        stage,
        "none" if limit is None else f"{limit:g}",
        f"{np.mean(costs):.2f}",
        ", ".join(f"{cost:.2f}" for cost in costs),
        f"{mean:.1f}",
        f"{100 * share:.0f} %",
        "-" if limit is None else f"{np.mean(weights):.2f}",
    )


def main() -> None:
    """Print the table."""
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000
    limit = float(sys.argv[2]) if len(sys.argv) > 2 else 0.3
    rows = [row(stage, one, steps) for stage in STAGES for one in (None, limit)]
    print(markdown_table(COLUMNS, rows))


if __name__ == "__main__":
    main()
