"""Evaluation: the one way agents are scored, on episodes that are the same for all of them."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import NDArray

from fitgym.common.statistics import Interval, bootstrap_interval
from fitgym.common.validation import require_count, require_seed
from fitgym.envs.cost import COST_RATIO
from fitgym.model.strain import DANGEROUS_RATIO, HIGH_RATIO, workload_ratio
from fitgym.people.individual import Individual
from fitgym_agents.agent import Agent
from fitgym_agents.environments import make_vector_env
from fitgym_agents.outcomes import Outcomes
from fitgym_agents.references.privileged import PrivilegedAgent

# The first seeds of evaluation episodes and of learners' episodes, far enough apart that no episode
# is both trained on and scored.
EVALUATION_SEED = 1_000_000
FIRST_TRAINING_SEED = 2**31

_DAYS_PER_WEEK = 7


@dataclass(frozen=True, eq=False)
class Step:
    """One step of an episode in each of N environments, or the reset before the first.

    Attributes:
        actions: What the agent chose, (N,); None at the reset.
        observations: What is seen afterwards, (N, observation size).
        rewards: Rewards, (N,); 0 at the reset.
        infos: Infos of the vector environment.
        seconds: Wall time of the agent's decisions; 0 at the reset.
    """

    actions: NDArray[np.int64] | None
    observations: NDArray[np.float32]
    rewards: NDArray[np.float64]
    infos: Mapping[str, Any]
    seconds: float


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What an agent did in E episodes of T steps, a day each.

    Attributes:
        agent: Name of the agent.
        env_id: Id of the environment.
        seed: Seed of the first episode; episode i has ``seed + i``.
        deterministic: Whether the agent took its likeliest actions, and did not draw them.
        actions: Plans pushed, (E, T), int.
        rewards: Rewards, (E, T).
        plans_trimp: Targets of the plans, points, 0 for none, (E, T).
        done_trimp: What was really done, points, (E, T).
        met: Whether a plan was given and met: 1 or 0, (E, T).
        performance: Performance in VDOT at the start and after each day, (E, T + 1).
        decision_seconds: Mean wall time of one decision, seconds, in a batch of E.
    """

    agent: str
    env_id: str
    seed: int
    deterministic: bool
    actions: NDArray[np.int64]
    rewards: NDArray[np.float64]
    plans_trimp: NDArray[np.float64]
    done_trimp: NDArray[np.float64]
    met: NDArray[np.float64]
    performance: NDArray[np.float64]
    decision_seconds: float

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Steps of each episode, (E,)."""
        episodes, steps = self.actions.shape
        return np.full(episodes, steps, dtype=np.int64)

    @property
    def returns(self) -> NDArray[np.float64]:
        """Undiscounted return of each episode, (E,)."""
        return np.asarray(self.rewards.sum(axis=1))

    @property
    def mean(self) -> float:
        """Mean return."""
        return float(self.returns.mean())

    @property
    def plans_given(self) -> NDArray[np.int64]:
        """Number of plans given in each episode, (E,)."""
        return np.asarray(np.count_nonzero(self.actions > 0, axis=1))

    @property
    def plans_met(self) -> NDArray[np.int64]:
        """Number of plans met in each episode, (E,)."""
        return np.asarray(np.count_nonzero(self.met > 0, axis=1))

    @property
    def completion_rate(self) -> float:
        """Plans met as a share of plans given, over all episodes; NaN if none was given."""
        given = self.plans_given.sum()
        return float(self.plans_met.sum() / given) if given else float("nan")

    @property
    def performance_gain(self) -> NDArray[np.float64]:
        """Performance after the last day less that at the start, VDOT, (E,)."""
        return np.asarray(self.performance[:, -1] - self.performance[:, 0])

    @property
    def final_performance(self) -> NDArray[np.float64]:
        """Performance after the last day, VDOT, (E,)."""
        # A copy: a view would keep the days of all episodes in memory.
        return self.performance[:, -1].copy()

    @property
    def weekly_load(self) -> NDArray[np.float64]:
        """Points really done per week of seven days (of seven sessions in replay), (E,)."""
        return np.asarray(_DAYS_PER_WEEK * self.done_trimp.mean(axis=1))

    @property
    def dangerous_days(self) -> NDArray[np.int64]:
        """Days on which the acute:chronic workload ratio was above 1.5, (E,)."""
        return np.asarray(
            np.count_nonzero(workload_ratio(self.done_trimp) > DANGEROUS_RATIO, axis=1)
        )

    @property
    def strained_share(self) -> NDArray[np.float64]:
        """Share of days on which the acute:chronic workload ratio was above 1.3, (E,)."""
        return np.asarray((workload_ratio(self.done_trimp) > HIGH_RATIO).mean(axis=1))

    @property
    def costs(self) -> NDArray[np.float64]:
        """What each episode cost, the sum of ``info["cost"]`` (see ``fitgym.envs.cost``), (E,)."""
        excess = workload_ratio(self.done_trimp) - COST_RATIO
        return np.asarray(np.maximum(excess, 0.0).sum(axis=1))

    @property
    def only_plan(self) -> int | None:
        """The plan that was pushed at every step of every episode; None if there were others."""
        first = int(self.actions[0, 0])
        return first if (self.actions == first).all() else None

    def outcomes(self) -> Outcomes:
        """Return what the episodes came to, without their days."""
        return Outcomes(**{field.name: getattr(self, field.name) for field in fields(Outcomes)})

    def interval(self, confidence: float = 0.95) -> Interval:
        """Return the mean return with its bootstrap interval over episodes."""
        return bootstrap_interval(self.returns, confidence=confidence)


def evaluate(
    agent: Agent,
    env_id: str,
    *,
    episodes: int = 100,
    seed: int = EVALUATION_SEED,
    env_kwargs: Mapping[str, Any] | None = None,
    deterministic: bool = True,
    people: Sequence[Individual] = (),
) -> Evaluation:
    """Let an agent act in a number of episodes, all at once.

    Episode i is played in an environment of its own, seeded ``seed + i``; all its randomness is
    fixed by that, so agents meet the same episodes and can be compared in pairs. Where people are
    named, each of them lives through all of the episodes, on the same noise.

    Args:
        agent: Who decides.
        env_id: Registered id.
        episodes: How many, E.
        seed: Seed of the first episode.
        env_kwargs: Arguments of the environment.
        deterministic: Whether the agent takes its likeliest action rather than to draw one.
        people: Who live through the episodes, P, one after the other: episode i of person p is in
            row p E + i of the result. None: the environment's own individual, in E rows.

    Raises:
        ValueError: If an argument is out of range, the agent's actions are malformed, or one of
            the people does not fit into the environment's observation space.
        TypeError: If an argument has the wrong type.
    """
    require_count("episodes", episodes)
    rows = episodes * max(1, len(people))
    environments = make_vector_env(env_id, rows, env_kwargs, AutoresetMode.DISABLED)
    days = int(environments.get_attr("days")[0])  # type: ignore[attr-defined]
    actions = np.empty((rows, days), dtype=np.int64)
    rewards, plans_trimp, done_trimp, met = np.empty((4, rows, days))
    performance = np.empty((rows, days + 1))
    seconds = 0.0
    steps = play(agent, environments, seed=seed, deterministic=deterministic, people=people)
    for day, step in enumerate(steps):
        performance[:, day] = step.infos["performance"]
        if step.actions is not None:
            actions[:, day - 1] = step.actions
            rewards[:, day - 1] = step.rewards
            plans_trimp[:, day - 1] = step.infos["plan_trimp"]
            done_trimp[:, day - 1] = step.infos["done_trimp"]
            met[:, day - 1] = step.infos["met"]
            seconds += step.seconds
    environments.close()
    return Evaluation(
        agent=agent.name,
        env_id=env_id,
        seed=seed,
        deterministic=deterministic,
        actions=actions,
        rewards=rewards,
        plans_trimp=plans_trimp,
        done_trimp=done_trimp,
        met=met,
        performance=performance,
        decision_seconds=seconds / actions.size,
    )


def play(
    agent: Agent,
    environments: VectorEnv[Any, Any, Any],
    *,
    seed: int,
    deterministic: bool = True,
    people: Sequence[Individual] = (),
) -> Iterator[Step]:
    """Let an agent act for one episode in every environment.

    Args:
        agent: Who decides.
        environments: They do not reset by themselves; environment i is reset with ``seed + i``.
        seed: Seed of the first episode.
        deterministic: Whether the agent takes its likeliest action rather than to draw one.
        people: P of them, in as many blocks of environments, all blocks with the same seeds.

    Yields:
        The reset, and then each step.

    Raises:
        ValueError: If the seed is out of range or the agent's actions are malformed.
        TypeError: If the seed is no integer.
    """
    require_seed("seed", seed)
    count = environments.num_envs
    getter: Any = environments
    if people:
        episodes = count // len(people)
        seeds = np.tile(seed + np.arange(episodes), len(people)).tolist()
        named = [person for person in people for _ in range(episodes)]
        observations, infos = environments.reset(seed=seeds, options={"individual": named})
    else:
        observations, infos = environments.reset(seed=seed)
    agent.prepare(getter.get_attr("task")[0], getter.get_attr("individual"))
    if isinstance(agent, PrivilegedAgent):
        agent.watch(environments)
    yield Step(None, observations, np.zeros(count), infos, 0.0)

    episode_start = np.ones(count, dtype=np.bool_)
    state: Any = None
    with _draws_of(seed):
        for _ in range(getter.get_attr("days")[0]):
            started = time.perf_counter()
            chosen, state = agent.predict(observations, state, episode_start, deterministic)
            seconds = time.perf_counter() - started
            actions = _checked_actions(agent, chosen, count)
            observations, rewards, _, _, infos = environments.step(actions)
            episode_start = np.zeros(count, dtype=np.bool_)
            yield Step(actions, observations, rewards, infos, seconds)


@contextmanager
def _draws_of(seed: int) -> Iterator[None]:
    """Make draws from torch's global generator repeatable, and leave the generator as it was."""
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def _checked_actions(agent: Agent, actions: object, count: int) -> NDArray[np.int64]:
    array = np.asarray(actions)
    if array.shape != (count,) or not np.issubdtype(array.dtype, np.integer):
        raise ValueError(
            f"agent {agent.name!r} must return integer actions of shape ({count},), got "
            f"{array.dtype} of shape {array.shape}"
        )
    return array.astype(np.int64)


def paired_difference(
    a: Evaluation | Outcomes, b: Evaluation | Outcomes, *, confidence: float = 0.95
) -> Interval:
    """Return how much more ``a`` earned than ``b``, episode by episode, with its interval.

    Raises:
        ValueError: If the two were not evaluated on the same episodes.
    """
    for what, of_a, of_b in (
        ("env_id", a.env_id, b.env_id),
        ("seed", a.seed, b.seed),
        ("number of episodes", a.returns.size, b.returns.size),
    ):
        if of_a != of_b:
            raise ValueError(
                f"a and b must be evaluations of the same episodes: {what} is {of_a} and {of_b}"
            )
    return bootstrap_interval(a.returns - b.returns, confidence=confidence)
