from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from fitgym.calibration import FitSettings
from fitgym_benchmarks.report.report import Log, calibrate_log
from fitgym_benchmarks.results import Result, execute
from fitgym_benchmarks.runs import Run
from fitgym_benchmarks.suites.quick import ENVIRONMENTS

# The environments that have a ceiling, and whose seasons are windows of a log.
REPLAY = tuple(environment for environment in ENVIRONMENTS if "Replay" in environment)

SHORT = {"log_part": "test", "days": 6}


@pytest.fixture(scope="session")
def make_run() -> Callable[..., Run]:
    """Make a run of episodes of six days."""
    return partial(
        Run,
        environment=REPLAY[0],
        training_kwargs={"log_part": "train", "days": 6},
        evaluation_kwargs=SHORT,
        episodes=5,
    )


@pytest.fixture(scope="session")
def results(make_run: Callable[..., Run], tmp_path_factory: pytest.TempPathFactory) -> list[Result]:
    """Results of a learner and of the references in both replay environments."""
    folder = tmp_path_factory.mktemp("agents")
    agents: list[tuple[str, dict[str, Any], int]] = [("steady_learner:Steady", {}, 40)]
    agents += [
        ("fitgym_agents.references.simple:FixedPlan", {"plan": plan}, 0) for plan in (0, 1, 2, 5)
    ]
    agents += [("random", {}, 0), ("foresight", {}, 0)]
    runs = [
        make_run(agent=agent, environment=environment, configuration=configuration, steps=steps)
        for environment in REPLAY
        for agent, configuration, steps in agents
    ]
    return [execute(run, folder / run.key, lambda steps: None) for run in runs]


@pytest.fixture(scope="session")
def log() -> Log:
    """The marathon runner's log, calibrated from a single start."""
    return calibrate_log(FitSettings(starts=1))
