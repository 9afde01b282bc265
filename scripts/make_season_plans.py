"""Find the plans of belief and of the dynamic program on the seasons of the season's page.

python scripts/make_season_plans.py
"""

from __future__ import annotations

import io
from importlib import resources
from pathlib import Path

import numpy as np

from fitgym.common.files import write_bytes
from fitgym.people.runners import RUNNERS
from fitgym_agents.evaluation import evaluate
from fitgym_agents.registry import find_agent
from fitgym_agents.season.plans import PLANNED, SEASONS, STAGES, plans_key


def main() -> None:
    """Write the file."""
    found = {}
    for stage, environment in STAGES.items():
        for person in RUNNERS:
            arguments = {"individual": person}
            for policy, name in PLANNED.items():
                agent = find_agent(name).create(environment, env_kwargs=arguments)
                evaluation = evaluate(
                    agent, environment, episodes=SEASONS, seed=0, env_kwargs=arguments
                )
                found[plans_key(policy, stage, person)] = evaluation.actions.astype(np.uint8)
                print(f"{stage}, {person}, {policy}: mean return {evaluation.mean:.1f}")
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **found)
    folder = Path(str(resources.files("fitgym_agents"))) / "season"
    write_bytes(folder / "plans.npz", content.getvalue())


if __name__ == "__main__":
    main()
