"""How fast the learners learn: environment steps per second, against one yardstick in turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

import stable_baselines3
import torch
from stable_baselines3.common.logger import Logger

from fitgym_agents.agent import Agent
from fitgym_agents.environments import EnvironmentFactory
from fitgym_agents.registry import BUILT_IN, find_agent
from fitgym_benchmarks.speed.timing import Comparison, seconds_per_unit, take_turns

# 1,024 episodes of 90 days: whole batches of PPO (64 x 32), RecurrentPPO (64 x 90) and A2C
# (64 x 8), so that nobody is charged for steps left over.
STEPS = 92_160

YARDSTICK = "SB3's PPO with its own defaults, one environment"

# The ratios to reach (ours): what asynchrony is for. All three have 64 episodes at once, A3C those
# of its two processes, and RecurrentPPO the same network.
_A3C_TARGETS = {"recurrent-ppo": 10.0, "a2c": 2.0}

# A3C tells how far it is several times a second only, its processes do not start at the same
# moment, and they take half a second to end: all of that is spent once in a training of any length.
# So its turns are longer, some twenty seconds.
_A3C_STEPS = 24


def learners() -> list[str]:
    """Return the names of the built-in agents that learn."""
    return [name for name in BUILT_IN if find_agent(name).learn is not Agent.learn]


def compare_learners(
    names: Sequence[str],
    env_id: str,
    *,
    steps: int,
    repeats: int,
    tick: Callable[[], object],
) -> list[Comparison]:
    """Let all learners, with their default settings, and the yardstick learn in turns.

    Args:
        names: Learners, see ``fitgym_agents.registry.find_agent``.
        env_id: The environment.
        steps: Environment steps of each learner's turn.
        repeats: Turns that count, after one that warms up.
        tick: Called after every turn.

    Returns:
        Seconds per environment step of each learner, in the order of ``names``; then of A3C beside
        those that it is to be faster than.
    """
    agents = [find_agent(name).create(env_id) for name in names]
    # One thread, as the learners themselves have it: it is the faster choice.
    torch.set_num_threads(1)
    model = stable_baselines3.PPO(
        "MlpPolicy", EnvironmentFactory(env_id)(), seed=0, device="cpu", verbose=0
    )
    # Without a logger of our own, SB3 leaves a folder in the temporary directory.
    model.set_logger(Logger(folder=None, output_formats=[]))

    def yardstick() -> float:
        # One batch: the yardstick is slow, and each of its batches costs the same.
        model.learn(model.n_steps, reset_num_timesteps=False)
        return model.n_steps

    costs = take_turns(
        [
            lambda: seconds_per_unit(yardstick, 0.0),
            *(
                partial(learning_seconds, agent, steps * (_A3C_STEPS if name == "a3c" else 1))
                for name, agent in zip(names, agents, strict=True)
            ),
        ],
        repeats,
        tick,
    )
    cost_of = dict(zip(names, costs[1:], strict=True))
    comparisons = [Comparison.of(name, YARDSTICK, own, costs[0]) for name, own in cost_of.items()]
    if "a3c" in cost_of:
        comparisons += [
            Comparison.of("a3c", other, cost_of["a3c"], cost_of[other], target)
            for other, target in _A3C_TARGETS.items()
            if other in cost_of
        ]
    return comparisons


def learning_seconds(agent: Agent, steps: int) -> float:
    """Let ``agent`` learn for ``steps`` and return the seconds per environment step.

    The clock starts at the first report of progress, since what comes before it, such as starting
    processes, is spent once in a training of any length.

    Raises:
        RuntimeError: If the agent reports its progress less than twice.
    """
    reports: list[tuple[float, int]] = []

    def note(done: int) -> None:
        if done > 0:
            reports.append((time.perf_counter(), done))

    agent.learn(steps, progress=note)
    end = time.perf_counter()
    learnt = reports[-1][1] - reports[0][1] if reports else 0
    if learnt == 0:
        raise RuntimeError(
            f"{agent.name} reported its progress less than twice in {steps} steps, so that its "
            "speed cannot be told: give it more steps"
        )
    return (end - reports[0][0]) / learnt
