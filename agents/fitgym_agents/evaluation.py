"""Evaluation: the one way agents are scored, on days that are the same for all of them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fitgym.common.validation import require_integer, require_number
from fitgym_agents.agent import Agent
from fitgym_agents.environments import EnvironmentFactory

__all__ = [
    "EVALUATION_SEED",
    "FIRST_TRAINING_SEED",
    "Evaluation",
    "Interval",
    "bootstrap_interval",
    "evaluate",
    "paired_difference",
]

# The first seeds of evaluation episodes and of learners' seasons, far enough apart that no season
# is both trained on and scored.
EVALUATION_SEED = 1_000_000
FIRST_TRAINING_SEED = 2**31

_DAYS_PER_WEEK = 7


@dataclass(frozen=True)
class Interval:
    """A mean with its confidence interval.

    Attributes:
        mean: The mean.
        low: Lower end.
        high: Upper end.
    """

    mean: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What an agent did in E episodes of at most T days.

    Days after the end of an episode hold NaN, and -1 in ``actions``.

    Attributes:
        agent: Name of the agent.
        env_id: Id of the environment.
        seed: Seed of the first episode; episode i has ``seed + i``.
        lengths: Days of each episode, (E,).
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
    lengths: NDArray[np.int64]
    actions: NDArray[np.int64]
    rewards: NDArray[np.float64]
    plans_trimp: NDArray[np.float64]
    done_trimp: NDArray[np.float64]
    met: NDArray[np.float64]
    performance: NDArray[np.float64]
    decision_seconds: float

    @property
    def returns(self) -> NDArray[np.float64]:
        """Undiscounted return of each episode, (E,)."""
        return np.asarray(np.nansum(self.rewards, axis=1))

    @property
    def mean(self) -> float:
        """Mean return."""
        return float(self.returns.mean())

    @property
    def completion_rate(self) -> float:
        """Plans met as a share of plans given, over all episodes; NaN if none was given."""
        given = np.count_nonzero(self.actions > 0)
        return float(np.nansum(self.met) / given) if given else float("nan")

    @property
    def performance_gain(self) -> NDArray[np.float64]:
        """Performance after the last day less that at the start, VDOT, (E,)."""
        last = np.take_along_axis(self.performance, self.lengths[:, None], axis=1)[:, 0]
        return np.asarray(last - self.performance[:, 0])

    @property
    def weekly_load(self) -> NDArray[np.float64]:
        """Points really done per week of seven days (of seven sessions in replay), (E,)."""
        return np.asarray(_DAYS_PER_WEEK * np.nansum(self.done_trimp, axis=1) / self.lengths)

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
) -> Evaluation:
    """Let an agent act in a number of episodes, all at once, a day at a time.

    Episode i is played in an environment of its own, seeded ``seed + i``; all its randomness is
    fixed by that, so agents meet the same seasons and can be compared in pairs.

    Args:
        agent: Who decides.
        env_id: Registered id.
        episodes: How many, E.
        seed: Seed of the first episode.
        env_kwargs: Arguments of the environment.
        deterministic: Whether the agent gives its best action rather than to draw one.

    Raises:
        ValueError: If an argument is out of range or the agent's actions are malformed.
        TypeError: If an argument has the wrong type.
    """
    require_integer("episodes", episodes, 1)
    require_integer("seed", seed, 0)
    factory = EnvironmentFactory(env_id, env_kwargs)
    environments = [factory() for _ in range(episodes)]
    people: list[Any] = [environment.unwrapped for environment in environments]
    agent.prepare(people)

    days = max(person.days for person in people)
    actions_taken = np.full((episodes, days), -1, dtype=np.int64)
    rewards, plans_trimp, done_trimp, met = np.full((4, episodes, days), np.nan)
    performance = np.full((episodes, days + 1), np.nan)
    observations = np.zeros((episodes, *environments[0].observation_space.shape), np.float32)  # type: ignore[misc]
    for i, environment in enumerate(environments):
        observations[i], info = environment.reset(seed=seed + i)
        performance[i, 0] = info["performance"]

    running = np.ones(episodes, dtype=np.bool_)
    episode_start = np.ones(episodes, dtype=np.bool_)
    state: Any = None
    seconds = 0.0
    day = 0
    while running.any():
        started = time.perf_counter()
        chosen, state = agent.predict(observations, state, episode_start, deterministic)
        seconds += time.perf_counter() - started
        actions = _checked_actions(agent, chosen, episodes)
        # A new array, since an agent may keep the one that it was given.
        observations = observations.copy()
        for i in np.flatnonzero(running).tolist():
            observations[i], reward, terminated, truncated, info = environments[i].step(actions[i])
            actions_taken[i, day] = actions[i]
            rewards[i, day] = reward
            plans_trimp[i, day] = info["plan_trimp"]
            done_trimp[i, day] = info["done_trimp"]
            met[i, day] = info["met"]
            performance[i, day + 1] = info["performance"]
            running[i] = not (terminated or truncated)
        episode_start = np.zeros(episodes, dtype=np.bool_)
        day += 1
    for environment in environments:
        environment.close()
    lengths = np.count_nonzero(actions_taken >= 0, axis=1)
    return Evaluation(
        agent=agent.name,
        env_id=env_id,
        seed=seed,
        lengths=lengths,
        actions=actions_taken,
        rewards=rewards,
        plans_trimp=plans_trimp,
        done_trimp=done_trimp,
        met=met,
        performance=performance,
        decision_seconds=seconds / (day * episodes),
    )


def _checked_actions(agent: Agent, actions: object, episodes: int) -> NDArray[np.int64]:
    array = np.asarray(actions)
    if array.shape != (episodes,) or not np.issubdtype(array.dtype, np.integer):
        raise ValueError(
            f"agent {agent.name!r} must return integer actions of shape ({episodes},), got "
            f"{array.dtype} of shape {array.shape}"
        )
    return array.astype(np.int64)


def bootstrap_interval(
    values: ArrayLike, *, confidence: float = 0.95, resamples: int = 5_000, seed: int = 0
) -> Interval:
    """Return the mean of ``values`` with its percentile bootstrap interval (Efron 1979).

    Args:
        values: One number per episode, (E,).
        confidence: In (0, 1).
        resamples: Number of bootstrap samples.
        seed: Seed of the resampling; the same values always give the same interval.

    Raises:
        ValueError: If there are no values, or one of them is not finite.
    """
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or sample.size == 0 or not np.isfinite(sample).all():
        raise ValueError(f"values must be a row of finite numbers, got {values!r}")
    require_number("confidence", confidence, 0, 1, low_open=True, high_open=True)
    require_integer("resamples", resamples, 1)
    generator = np.random.default_rng(seed)
    # How often each value is drawn is multinomial, which spares the drawing of E indices.
    counts = generator.multinomial(
        sample.size, np.full(sample.size, 1.0 / sample.size), size=resamples
    )
    tail = 0.5 * (1.0 - confidence)
    low, high = np.quantile(counts @ sample / sample.size, [tail, 1.0 - tail])
    return Interval(float(sample.mean()), float(low), float(high))


def paired_difference(a: Evaluation, b: Evaluation, *, confidence: float = 0.95) -> Interval:
    """Return how much more ``a`` earned than ``b``, season by season, with its interval.

    Raises:
        ValueError: If the two were not evaluated on the same seasons.
    """
    for what, of_a, of_b in (
        ("env_id", a.env_id, b.env_id),
        ("seed", a.seed, b.seed),
        ("number of episodes", a.returns.size, b.returns.size),
    ):
        if of_a != of_b:
            raise ValueError(
                f"a and b must be evaluations of the same seasons: {what} is {of_a} and {of_b}"
            )
    return bootstrap_interval(a.returns - b.returns, confidence=confidence)
