"""How fast the environments are: ratios from interleaved repeats in one run, never bare times."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import gymnasium as gym
import numpy as np

from agents.provenance import machine, versions
from fitgym.adherence.fitrec import predicted_table
from fitgym.adherence.load_table import plan_courses
from fitgym.compilation import compiled
from fitgym.envs import kernel
from fitgym.envs.records import OUTCOME
from fitgym.envs.scalar import FitnessFatigueEnv
from fitgym.files import write_text

__all__ = ["Comparison", "compare", "measure_speed"]

# The plan whose prediction is compared with a look-up: 22.6 points, counted from 1.
_PLAN = 5


@dataclass(frozen=True)
class Comparison:
    """Two ways to do a like thing, timed in turns.

    Attributes:
        name: What is compared.
        seconds: Median seconds per unit of the first way.
        yardstick_seconds: Median seconds per unit of the second.
        ratio: Median over the repeats of the second divided by the first: above 1 the first is
            faster.
        lowest_ratio: The smallest of those ratios.
    """

    name: str
    seconds: float
    yardstick_seconds: float
    ratio: float
    lowest_ratio: float


def compare(
    name: str, first: Callable[[], int], second: Callable[[], int], repeats: int
) -> Comparison:
    """Time two functions in turns and return medians.

    Args:
        name: What is compared.
        first: Does some units of work and returns how many.
        second: The yardstick, likewise.
        repeats: Pairs to time, after one that warms up.
    """

    def seconds_per_unit(work: Callable[[], int]) -> float:
        start = time.perf_counter()
        units = work()
        return (time.perf_counter() - start) / units

    pairs = [(seconds_per_unit(first), seconds_per_unit(second)) for _ in range(repeats + 1)][1:]
    ratios = [yardstick / own for own, yardstick in pairs]
    return Comparison(
        name=name,
        seconds=median(own for own, _ in pairs),
        yardstick_seconds=median(yardstick for _, yardstick in pairs),
        ratio=median(ratios),
        lowest_ratio=min(ratios),
    )


@compiled
def _days(
    states: Any, outcomes: Any, people: Any, starts: Any, code: int, tables: Any, days: int
) -> None:
    """Live through ``days`` days of plan 22.6 without leaving compiled code."""
    for day in range(days):
        if day % 90 == 0:
            kernel.begin(states, people, 0, starts, np.uint64(day))
        kernel.step(states, outcomes, people, 0, tables.plans[4].target, code, tables)


def _look_up() -> Callable[[], int]:
    """Return a function that takes many transitions of the FitRec environment."""
    env = FitnessFatigueEnv()
    starts = kernel.starting_states(
        env.parameters, env.person, np.zeros(0), np.zeros(1, dtype=np.int64)
    )
    states, outcomes = starts.copy(), np.zeros(1, dtype=OUTCOME)
    count = 90_000

    def work() -> int:
        adherence = env.adherence
        _days(states, outcomes, env.person, starts, adherence.code, adherence.tables, count)
        return count

    return work


def _prediction() -> Callable[[], int]:
    """Return a function that asks the network for the plan's heart rate, one call a time."""
    import torch

    from fitgym.predictor.inference import load_predictor

    torch.set_num_threads(1)
    individual = FitnessFatigueEnv().individual
    steps = plan_courses(individual.plans_trimp, individual.physiology.vdot)[_PLAN - 1].zone.size
    model = load_predictor().model
    shape = model.config
    # The bare network after the history is encoded: the least that a call could cost.
    channels = torch.zeros(1, steps, shape.channels)
    context = torch.zeros(1, steps, shape.hidden)
    static = torch.zeros(1, shape.embedding * len(shape.attributes))
    count = 20

    def work() -> int:
        with torch.inference_mode():
            for _ in range(count):
                model.trunk(channels, context, static)
        return count

    return work


def _steps(env_id: str, action: int) -> Callable[[], int]:
    """Return a function that takes many steps through ``gym.make``."""
    env = gym.make(env_id)
    env.reset(seed=0)
    count = 20_000

    def work() -> int:
        for _ in range(count):
            if env.step(action)[2]:
                env.reset()
        return count

    return work


def _batched_steps(env_id: str, count: int, mode: str = "vector_entry_point") -> Callable[[], int]:
    """Return a function that takes many steps in ``count`` environments of ``gym.make_vec``."""
    env = gym.make_vec(env_id, num_envs=count, vectorization_mode=mode)
    env.reset(seed=0)
    env.action_space.seed(0)
    # Whole seasons of 90 days, so that every repeat resets as often. Sync is slow: one of them.
    rounds = 90 if mode == "sync" else max(90, 90 * (65_536 // (90 * count)))
    actions = [env.action_space.sample() for _ in range(90)]

    def work() -> int:
        for round_ in range(rounds):
            env.step(actions[round_ % 90])
        return rounds * count

    return work


def _vector_comparisons(repeats: int) -> Iterator[Comparison]:
    """Time the compiled vector environment against Gymnasium's and against itself."""
    env_id = "fitgym/Acquisition-v0"
    for count in (64, 1024):
        yield compare(
            f"step of {count} x {env_id} through gym.make_vec, against SyncVectorEnv of the same",
            _batched_steps(env_id, count),
            _batched_steps(env_id, count, "sync"),
            repeats,
        )
    yield compare(
        f"step of 1024 x {env_id} through gym.make_vec, against CartPoleVectorEnv",
        _batched_steps(env_id, 1024),
        _batched_steps("CartPole-v1", 1024),
        repeats,
    )
    for count in (8192, 65_536):
        yield compare(
            f"step of {count} x {env_id} through gym.make_vec, against 1024 of the same (1 is "
            "linear)",
            _batched_steps(env_id, count),
            _batched_steps(env_id, 1024),
            repeats,
        )


def measure_speed(out: Path, repeats: int) -> list[Comparison]:
    """Measure, and write ``speed.md`` and ``speed.json``.

    Args:
        out: Folder of the results.
        repeats: Pairs of each comparison.
    """
    comparisons = [
        compare(
            f"transition of plan {_PLAN} as a look-up, against one call of the network (batch 1, "
            "inference mode, one thread)",
            _look_up(),
            _prediction(),
            repeats,
        ),
        *(
            compare(
                f"step of {env_id} through gym.make, against CartPole-v1",
                _steps(env_id, _PLAN),
                _steps("CartPole-v1", 1),
                repeats,
            )
            for env_id in ("fitgym/Acquisition-v0", "fitgym/AcquisitionReplay-v0")
        ),
        *_vector_comparisons(repeats),
    ]
    individual = FitnessFatigueEnv().individual
    start = time.perf_counter()
    predicted_table(individual.plans_trimp, individual.physiology.vdot, "unknown")
    table_seconds = time.perf_counter() - start
    lines = [
        f"Machine: {machine()}. Date: {date.today()}. Medians of {repeats} interleaved repeats.",
        "",
        "| what | time | yardstick | ratio | lowest ratio |",
        "|---|---:|---:|---:|---:|",
        *(
            f"| {c.name} | {c.seconds * 1e6:,.2f} us | {c.yardstick_seconds * 1e6:,.2f} us "
            f"| {c.ratio:,.2f} | {c.lowest_ratio:,.2f} |"
            for c in comparisons
        ),
        "",
        f"Building one individual's load table: {table_seconds:.1f} s, one thread.",
    ]
    write_text(out / "speed.md", "\n".join(lines) + "\n")
    content = {
        "machine": machine(),
        "versions": versions(),
        "date": str(date.today()),
        "repeats": repeats,
        "comparisons": [vars(comparison) for comparison in comparisons],
        "load_table_seconds": table_seconds,
    }
    write_text(out / "speed.json", json.dumps(content, indent=2) + "\n")
    print("\n".join(lines))
    return comparisons
