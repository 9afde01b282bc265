"""What the speed benchmark does for a turn: episodes in environments, look-ups, predictions.

Each function yields the work and clears up after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecEnv

from fitgym.adherence.fitrec import predicted_table
from fitgym.adherence.load_table import DAYS_SINCE, TENTHS, cut_course, plan_courses
from fitgym.common.compilation import compiled
from fitgym.envs import kernel
from fitgym.envs.records import OUTCOME
from fitgym.envs.scalar import FitnessFatigueEnv
from fitgym_agents.environments import EnvironmentFactory, import_free_id, make_vector_env
from fitgym_agents.sb3.vector_env import VectorEnvAdapter
from fitgym_benchmarks.speed.timing import Work

# The plan whose prediction is compared with a look-up: 22.6 points, counted from 1.
PLAN = 5

_DAYS = 90


@compiled
def _days(
    states: Any, outcomes: Any, people: Any, starts: Any, code: int, tables: Any, days: int
) -> None:
    """Live through ``days`` days of plan 22.6 without leaving compiled code."""
    for day in range(days):
        if day % 90 == 0:
            kernel.begin(states, people, 0, starts, np.uint64(day))
        kernel.step(states, outcomes, people, 0, tables.targets_trimp[4], code, tables)


@contextmanager
def look_up() -> Iterator[Work]:
    """Yield what takes many transitions of the FitRec environment."""
    env = FitnessFatigueEnv()
    starts = kernel.starting_states(
        env.parameters, env.person, np.zeros(0), np.zeros(1, dtype=np.int64)
    )
    states, outcomes = starts.copy(), np.zeros(1, dtype=OUTCOME)
    count = 1000 * _DAYS

    def work() -> int:
        adherence = env.adherence
        _days(states, outcomes, env.person, starts, adherence.code, adherence.tables, count)
        return count

    yield work


@contextmanager
def network_call() -> Iterator[Work]:
    """Yield what asks the network once for the plan's heart rate."""
    import torch

    from fitgym.predictor.fitrec.inference import load_predictor

    torch.set_num_threads(1)
    individual = FitnessFatigueEnv().individual
    steps = plan_courses(individual.plans_trimp, individual.physiology.vdot)[PLAN - 1].zone.size
    model = load_predictor().model
    shape = model.config
    # The bare network after the history is encoded: the least that a call could cost.
    channels = torch.zeros(1, steps, shape.channels)
    context = torch.zeros(1, steps, shape.hidden)
    static = torch.zeros(1, shape.embedding * len(shape.attributes))

    def work() -> int:
        with torch.inference_mode():
            model.trunk(channels, context, static)
        return 1

    yield work


@contextmanager
def load_table(plans: int) -> Iterator[Work]:
    """Yield what builds the load table of the first ``plans`` plans."""
    individual = FitnessFatigueEnv().individual

    def work() -> int:
        predicted_table(individual.plans_trimp[:plans], individual.physiology.vdot, "unknown")
        return 1

    yield work


@contextmanager
def single_predictions(plans: int) -> Iterator[Work]:
    """Yield what predicts each plan by itself, and tells which share of a table that is."""
    import torch

    from fitgym.predictor.fitrec.inference import load_predictor
    from fitgym.predictor.sessions import PreviousWorkout, Session

    torch.set_num_threads(1)
    individual = FitnessFatigueEnv().individual
    predictor = load_predictor()
    requests = []
    for course in plan_courses(individual.plans_trimp[:plans], individual.physiology.vdot):
        session = Session(speed_m_s=course.speed_m_s, altitude_m=np.zeros(course.zone.size))
        # After itself half done, about the mean of the histories in a table.
        steps = cut_course(course, TENTHS // 2)
        done = Session(speed_m_s=course.speed_m_s[:steps], altitude_m=np.zeros(steps))
        heart_rate = predictor.predict([session], [None])[0][:steps]
        requests.append((session, PreviousWorkout(done, heart_rate, DAYS_SINCE[0])))
    predictions = plans * (1 + plans * TENTHS * len(DAYS_SINCE))

    def work() -> float:
        for session, history in requests:
            predictor.predict([session], [history])
        return plans / predictions

    yield work


def _drawn_actions(actions: int, count: int) -> NDArray[np.int64]:
    """Return random actions for an episode and the reset after it: (days + 1, count)."""
    return np.random.default_rng(0).integers(actions, size=(_DAYS + 1, count))


@contextmanager
def scalar_episode(env_id: str) -> Iterator[Work]:
    """Yield what takes as many steps as an episode has through ``gym.make``."""
    with closing(gym.make(env_id)) as env:
        space: Any = env.action_space
        actions = _drawn_actions(space.n, 1)[:_DAYS, 0].tolist()
        env.reset(seed=0)

        def work() -> int:
            for action in actions:
                if env.step(action)[2]:
                    env.reset()
            return _DAYS

        yield work


@contextmanager
def vector_episode(env_id: str, count: int, mode: str = "vector_entry_point") -> Iterator[Work]:
    """Yield what steps ``count`` environments of ``gym.make_vec`` through an episode.

    Args:
        env_id: Registered id.
        count: How many environments.
        mode: ``"vector_entry_point"``, ``"sync"`` or ``"async"``.
    """
    environment = gym.make_vec(
        import_free_id(env_id),
        num_envs=count,
        vectorization_mode=mode,
        # Forking a process that has loaded torch or numba may hang.
        vector_kwargs={"context": "spawn"} if mode == "async" else None,
    )
    with closing(environment) as env:
        space: Any = env.single_action_space
        actions = _drawn_actions(space.n, count)
        env.reset(seed=0)

        def work() -> int:
            # The last call, after the episode's end, resets.
            for plans in actions:
                env.step(plans)
            return len(actions) * count

        yield work


@contextmanager
def stable_baselines_episode(env_id: str, count: int, kind: str) -> Iterator[Work]:
    """Yield what steps ``count`` environments behind SB3's interface through an episode.

    Args:
        env_id: Registered id.
        count: How many environments.
        kind: ``"adapter"``, ``"DummyVecEnv"`` or ``"SubprocVecEnv"``.
    """
    factory = EnvironmentFactory(env_id)
    environment: VecEnv
    if kind == "adapter":
        environment = VectorEnvAdapter(make_vector_env(env_id, count))
    elif kind == "DummyVecEnv":
        environment = DummyVecEnv([factory] * count)
    else:
        environment = SubprocVecEnv([factory] * count, start_method="spawn")
    with closing(environment) as env:
        space: Any = env.action_space
        # These reset within the last step of an episode.
        actions = _drawn_actions(space.n, count)[:_DAYS]
        env.seed(0)
        env.reset()

        def work() -> int:
            for plans in actions:
                env.step(plans)
            return len(actions) * count

        yield work
