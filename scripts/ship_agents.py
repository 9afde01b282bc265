"""Ship trained agents: copy them from results of ``fitgym benchmark algorithms`` and ``people``.

Run from the root of the repository with the folders of results, the later ones preferred:

    python scripts/ship_agents.py results/algorithms results/a3c results/people

Of every row that is an agent with its shipped configuration, that training is taken whose agent
earns most in seasons of neither training nor evaluation, with what made it beside it.
"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import asdict
from pathlib import Path

from fitgym_agents.evaluation import evaluate
from fitgym_agents.files import load_agent
from fitgym_agents.pretrained import PROVENANCE, Provenance, shipped_folder
from fitgym_benchmarks.runs import Run
from fitgym_benchmarks.store import ResultStore
from fitgym_benchmarks.suites.algorithms import ROWS, algorithm_runs
from fitgym_benchmarks.suites.people import POPULATION_ROWS, population_runs

# First season by which the trainings of a row are compared, far from those of the benchmarks'
# evaluation and of training.
_SELECTION_SEED = 400_000_000

# What a training keeps beside the agent.
_NOT_SHIPPED = (".*", "learning_curve.csv", "training.json")

# A row per algorithm, in the network that it is best known with.
SHIPPED = ("A3C hybrid (defaults)", "DRQN", "ACKTR", "GAIL", "RecurrentPPO", "PPO", "A2C", "DQN")


def ship(results: Path) -> None:
    """Copy the agents whose runs are found in one folder of results."""
    words = json.loads((results / "arguments.json").read_text(encoding="utf-8"))
    store = ResultStore(results / "runs")
    if words["suite"] == "people":
        rows = words["rows"]
        groups = population_runs(words["environments"], words["seeds"], rows)
        names = {row: f"{POPULATION_ROWS[row][0]}-population" for row in rows}
    else:
        rows = [row for row in words["rows"] if row in SHIPPED]
        groups = algorithm_runs(
            steps=words["steps"],
            seeds=words["seeds"],
            slow_seeds=words["slow_seeds"],
            environments=words["environments"],
            rows=rows,
        )
        names = {row: ROWS[row][0] for row in rows}
    for environment in words["environments"]:
        for row in rows:
            run = max(groups[environment, row], key=lambda run: _earned(store, run))
            result = store.get(run)
            assert result is not None
            evaluation = result.evaluation
            provenance = Provenance(
                command=words["command"],
                seed=run.seed,
                steps=result.timesteps,
                seconds=round(result.training_seconds or 0.0, 1),
                commit=result.commit,
                machine=result.machine,
                versions=dict(result.versions),
                finished_at=result.finished_at,
                episodes=run.episodes,
                evaluation_seed=run.evaluation_seed,
                mean_return=evaluation.interval(),
                evaluation_kwargs=dict(run.evaluation_kwargs),
            )
            target = shipped_folder() / names[row] / environment.removeprefix("fitgym/")
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(
                store.agent_folder(run), target, ignore=shutil.ignore_patterns(*_NOT_SHIPPED)
            )
            content = json.dumps(asdict(provenance), indent=2) + "\n"
            (target / PROVENANCE).write_text(content, encoding="utf-8")
            print(f"{row} in {environment}, seed {run.seed}: {evaluation.mean:.1f}")


def _earned(store: ResultStore, run: Run) -> float:
    """Return what the trained agent of a run earns in the seasons of selection."""
    if store.get(run) is None:
        raise SystemExit(f"{store.folder} lacks the run {run} of seed {run.seed}")
    agent = load_agent(store.agent_folder(run))
    found = evaluate(
        agent,
        run.environment,
        episodes=100,
        seed=_SELECTION_SEED,
        env_kwargs=run.evaluation_kwargs,
    )
    return found.mean


if __name__ == "__main__":
    for folder in sys.argv[1:]:
        ship(Path(folder))
