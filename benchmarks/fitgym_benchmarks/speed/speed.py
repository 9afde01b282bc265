"""What ``fitgym benchmark speed`` compares: environments, memory, learners, and sweeps of runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import gymnasium as gym
import numpy as np
from tqdm import tqdm

from fitgym_agents.environments import import_free_id, shared_attribute
from fitgym_benchmarks.speed import workloads
from fitgym_benchmarks.speed.overhead import backends, compare_driver_memory, compare_overhead
from fitgym_benchmarks.speed.timing import Comparison, Pair, Work, compare, peak_bytes
from fitgym_benchmarks.speed.training import STEPS, compare_learners, learners

PARTS = ("environments", "training", "runs")

_ENVIRONMENT = "fitgym/Acquisition-v0"
_REPLAY = "fitgym/AcquisitionReplay-v0"
_VERSION_1 = "fitgym/Acquisition-v1"

# The ratios to reach. All are ours: learning should wait for the network and never for the
# environment, and "linear" leaves a quarter for caches and for the machine's other work.
_LOOK_UP = 500.0
_SINGLE_AGAINST_CART_POLE = 0.5
_VERSION_1_AGAINST_CART_POLE = 0.8
_MANY_OF_VERSION_1_AGAINST_CART_POLE = 0.45
_FEW_AGAINST_SYNC = 20.0
_MANY_AGAINST_SYNC = 50.0
_MANY_AGAINST_CART_POLE = 0.5
_LINEAR = 0.8

Item = TypeVar("Item")


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much is measured; the defaults are those of every published figure.

    Attributes:
        least_seconds: How long a turn lasts at least.
        workers: Environments that have a process each.
        few: Environments of a small batch.
        many: Environments of a large batch, with which larger ones are compared.
        crowds: Numbers of environments in those.
        plans: Plans of the load table that is built.
        training_steps: Environment steps of a learner's turn.
        runs: Runs of the two sweeps whose difference tells what a run costs.
    """

    least_seconds: float = 0.2
    workers: int = 8
    few: int = 64
    many: int = 1024
    crowds: tuple[int, ...] = (8192, 65_536)
    plans: int = 10
    training_steps: int = STEPS
    runs: tuple[int, int] = (20, 220)


@dataclass(frozen=True)
class Measurements:
    """What was found.

    Attributes:
        environments: In seconds, each of a step of one environment unless its name says otherwise.
        memory: In bytes per environment, or per evaluation episode of a sweep.
        training: In seconds per environment step learnt from.
        runs: In seconds per run of a sweep.
    """

    environments: Sequence[Comparison] = ()
    memory: Sequence[Comparison] = ()
    training: Sequence[Comparison] = ()
    runs: Sequence[Comparison] = ()


def measure(parts: Sequence[str], repeats: int, sizes: Sizes) -> Measurements:
    """Measure, showing progress.

    Args:
        parts: Which of ``PARTS``.
        repeats: Turns of each side of a comparison that count, after one that warms up.
        sizes: How much.
    """
    environments: list[Comparison] = []
    memory: list[Comparison] = []
    training: list[Comparison] = []
    runs: list[Comparison] = []
    turns = repeats + 1
    if "environments" in parts:
        pairs = speed_pairs(sizes)
        for pair, tick in _shown("environments", pairs, [p.name for p in pairs], 2 * turns):
            environments.append(compare(pair, repeats, sizes.least_seconds, tick))
            tqdm.write(str(environments[-1]))
        names = [f"{count:,} environments" for count in sizes.crowds]
        for count, tick in _shown("memory", sizes.crowds, names, 1):
            memory.append(_compare_memory(count, sizes.many))
            tick()
            tqdm.write(str(memory[-1]))
    if "training" in parts:
        agents = learners()
        total = (len(agents) + 1) * turns
        with tqdm(total=total, desc="training", unit="turn", disable=None) as bar:
            training += compare_learners(
                agents, _ENVIRONMENT, steps=sizes.training_steps, repeats=repeats, tick=bar.update
            )
        for comparison in training:
            tqdm.write(str(comparison))
    if "runs" in parts:
        few, many = sizes.runs
        found = backends(many)
        for name, tick in _shown("runs", list(found), list(found), 2):
            runs.append(compare_overhead(few, many, name, found[name], tick))
            tqdm.write(str(runs[-1]))
        memory.append(compare_driver_memory(few, many))
        tqdm.write(str(memory[-1]))
    return Measurements(environments, memory, training, runs)


def _shown(
    title: str, items: Sequence[Item], names: Sequence[str], turns: int
) -> Iterator[tuple[Item, Callable[[], object]]]:
    """Yield every item, and what moves the progress bar on by one of its ``turns``."""
    with tqdm(total=len(items) * turns, desc=title, unit="turn", disable=None) as bar:
        for item, name in zip(items, names, strict=True):
            bar.set_postfix_str(name)
            yield item, bar.update


def speed_pairs(sizes: Sizes) -> list[Pair]:
    """Return what is timed: the ways to step environments, a look-up, and the load table.

    A turn takes whole episodes, with plans drawn before it, and its time includes the resets.
    """
    vector = partial(partial, workloads.vector_episode)
    stable_baselines = partial(partial, workloads.stable_baselines_episode, _ENVIRONMENT)

    def batch(
        count: int,
        yardstick: str,
        prepare_yardstick: Callable[[], AbstractContextManager[Work]],
        target: float | None = None,
    ) -> Pair:
        return Pair(
            name=f"{count:,} x {_ENVIRONMENT} through gym.make_vec",
            yardstick=yardstick,
            prepare=vector(_ENVIRONMENT, count),
            prepare_yardstick=prepare_yardstick,
            target=target,
        )

    return [
        Pair(
            name=f"transition of plan {workloads.PLAN} as a look-up",
            yardstick="one call of the bare network (batch 1, inference mode, one thread)",
            prepare=workloads.look_up,
            prepare_yardstick=workloads.network_call,
            target=_LOOK_UP,
        ),
        *(
            Pair(
                name=f"{env_id} through gym.make",
                yardstick="CartPole-v1 through gym.make",
                prepare=partial(workloads.scalar_episode, env_id),
                prepare_yardstick=partial(workloads.scalar_episode, "CartPole-v1"),
                target=target,
            )
            for env_id, target in (
                (_VERSION_1, _VERSION_1_AGAINST_CART_POLE),
                (_ENVIRONMENT, _SINGLE_AGAINST_CART_POLE),
                (_REPLAY, _SINGLE_AGAINST_CART_POLE),
            )
        ),
        Pair(
            name=f"{sizes.many:,} x {_VERSION_1} through gym.make_vec",
            yardstick=f"CartPoleVectorEnv, {sizes.many:,} environments",
            prepare=vector(_VERSION_1, sizes.many),
            prepare_yardstick=vector("CartPole-v1", sizes.many),
            target=_MANY_OF_VERSION_1_AGAINST_CART_POLE,
        ),
        *(
            batch(count, "SyncVectorEnv of the same", vector(_ENVIRONMENT, count, "sync"), target)
            for count, target in ((sizes.few, _FEW_AGAINST_SYNC), (sizes.many, _MANY_AGAINST_SYNC))
        ),
        batch(
            sizes.many,
            f"CartPoleVectorEnv, {sizes.many:,} environments",
            vector("CartPole-v1", sizes.many),
            _MANY_AGAINST_CART_POLE,
        ),
        *(
            batch(count, f"{sizes.many:,} of the same", vector(_ENVIRONMENT, sizes.many), _LINEAR)
            for count in sizes.crowds
        ),
        batch(
            sizes.workers,
            "AsyncVectorEnv of the same, a process each",
            vector(_ENVIRONMENT, sizes.workers, "async"),
        ),
        *(
            Pair(
                name=f"{count:,} x {_ENVIRONMENT} through our adapter for SB3",
                yardstick=f"SB3's {kind} of the same",
                prepare=stable_baselines(count, "adapter"),
                prepare_yardstick=stable_baselines(count, kind),
            )
            for count, kind in ((sizes.few, "DummyVecEnv"), (sizes.workers, "SubprocVecEnv"))
        ),
        Pair(
            name=f"load table of one individual with {sizes.plans} plans, the whole of it",
            yardstick="its predictions by one call each",
            prepare=partial(workloads.load_table, sizes.plans),
            prepare_yardstick=partial(workloads.single_predictions, sizes.plans),
        ),
    ]


def bytes_per_environment(env_id: str, count: int) -> float:
    """Return the memory that each environment of ``gym.make_vec`` beyond the first takes.

    It is the peak over making them, an episode and the reset after it, less that of a single
    environment, which holds the load table that all of them share.

    Args:
        env_id: Registered id.
        count: How many environments, at least two.
    """

    def live(number: int) -> None:
        with closing(gym.make_vec(import_free_id(env_id), num_envs=number)) as environments:
            environments.reset(seed=0)
            easiest = np.ones(number, dtype=np.int64)
            for _ in range(shared_attribute(environments, "days") + 1):
                environments.step(easiest)

    # What is made once, such as compiled code, belongs to no environment.
    live(1)
    alone = peak_bytes(partial(live, 1))
    return (peak_bytes(partial(live, count)) - alone) / (count - 1)


def _compare_memory(count: int, many: int) -> Comparison:
    """Compare the memory of each of ``count`` environments with that of each of ``many``."""
    return Comparison.of(
        f"each of {count:,} x {_ENVIRONMENT} through gym.make_vec",
        f"each of {many:,} of the same",
        [bytes_per_environment(_ENVIRONMENT, count)],
        [bytes_per_environment(_ENVIRONMENT, many)],
        _LINEAR,
    )
