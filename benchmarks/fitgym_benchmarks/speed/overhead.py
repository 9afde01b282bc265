"""What a run costs beyond its own work: time, and memory of the process that drives the runs."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import fields
from functools import partial

import numpy as np

from fitgym_agents.evaluation import Evaluation, evaluate
from fitgym_agents.references.simple import FixedPlan
from fitgym_benchmarks.backends.backend import Backend, is_installed
from fitgym_benchmarks.backends.local import Local
from fitgym_benchmarks.backends.ray import Ray
from fitgym_benchmarks.backends.slurm import Slurm
from fitgym_benchmarks.runs import Run
from fitgym_benchmarks.speed.timing import Comparison, peak_bytes
from fitgym_benchmarks.store import ResultStore
from fitgym_benchmarks.sweep import run_all

# The most that a run may cost beyond its work, seconds (ours): a thousandth of a short training.
MOST_SECONDS = 0.2

# How many times less memory the driver is to take than the episodes would (ours): a million
# episodes then take it some tens of megabytes.
_LESS_MEMORY = 50.0

_ENVIRONMENT = "fitgym/Acquisition-v1"
_EPISODES = 100


def backends(runs: int) -> dict[str, Backend]:
    """Return one worker of every backend that is installed, by name.

    Args:
        runs: How many there will be, at most.
    """
    found: dict[str, Backend] = {"local": Local(1)}
    if is_installed("submitit"):
        found["slurm, by submitit's processes of this machine"] = Slurm(chunk=runs, cluster="local")
    if is_installed("ray"):
        found["ray"] = Ray(workers=1)
    return found


def compare_overhead(
    few: int, many: int, name: str, backend: Backend, tick: Callable[[], object]
) -> Comparison:
    """Compare what each run beyond the first few costs, less its evaluation, with what it may.

    Args:
        few: Runs of the first sweep, with which workers start.
        many: Runs of the second.
        name: Of the backend.
        backend: The backend.
        tick: Called after each sweep.
    """
    seconds = []
    for count in (few, many):
        started = time.perf_counter()
        _sweep(count, backend)
        seconds.append(time.perf_counter() - started)
        tick()
    work = partial(evaluate, FixedPlan(1), _ENVIRONMENT, episodes=_EPISODES)
    work()
    started = time.perf_counter()
    work()
    alone = time.perf_counter() - started
    return Comparison.of(
        f"a run beyond its evaluation, {name}",
        f"{MOST_SECONDS:g} s, the most that it may cost",
        [(seconds[1] - seconds[0]) / (many - few) - alone],
        [MOST_SECONDS],
        1.0,
    )


def compare_driver_memory(few: int, many: int) -> Comparison:
    """Compare the driver's memory for each further episode with what the episode itself takes.

    Args:
        few: Runs of the first sweep.
        many: Runs of the second.
    """
    # What is made once, such as compiled code, belongs to no run.
    _sweep(few, Local(1))
    first, second = (peak_bytes(partial(_sweep, count, Local(1))) for count in (few, many))
    one = evaluate(FixedPlan(1), _ENVIRONMENT, episodes=_EPISODES)
    held = sum(np.asarray(getattr(one, field.name)).nbytes for field in fields(Evaluation))
    return Comparison.of(
        f"each further evaluation episode in a sweep, {_EPISODES} a run",
        "the episode as it lies in memory",
        [(second - first) / ((many - few) * _EPISODES)],
        [held / _EPISODES],
        _LESS_MEMORY,
    )


def _sweep(count: int, backend: Backend) -> None:
    """Do runs of a fixed plan, which differ in their number only, in a store of their own."""
    runs = [
        Run(
            agent="fixed",
            environment=_ENVIRONMENT,
            configuration={"plan": 1},
            seed=number,
            episodes=_EPISODES,
        )
        for number in range(count)
    ]
    with tempfile.TemporaryDirectory() as folder:
        run_all(runs, ResultStore(folder), backend)
