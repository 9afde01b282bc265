"""Episodes that a policy logs with known probabilities, and the exact value of another on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from fitgym.common.validation import require_integer, require_number, require_seed
from fitgym_agents.agent import Agent
from fitgym_agents.environments import make_vector_env
from fitgym_agents.evaluation import evaluate
from fitgym_agents.references.privileged import PrivilegedAgent
from fitgym_agents.trials.estimators import Estimate
from fitgym_agents.trials.off_policy import (
    LoggedEpisodes,
    doubly_robust,
    fitted_q_evaluation,
    importance_sampling,
    weighted_importance_sampling,
)

# Of the bootstrap of fitted Q: ours, enough for a standard error within a tenth.
_RESAMPLES = 50

ESTIMATORS: tuple[Callable[[LoggedEpisodes], Estimate], ...] = (
    importance_sampling,
    weighted_importance_sampling,
    doubly_robust,
    partial(fitted_q_evaluation, resamples=_RESAMPLES),
)


@dataclass(frozen=True, eq=False)
class LoggedTrial:
    """What a behaviour policy logged, and what the target earns in the same episodes.

    Attributes:
        logged: The episodes.
        returns: Of the target, living through each episode on the same noise, (N,).
    """

    logged: LoggedEpisodes
    returns: NDArray[np.float64]

    @property
    def truth(self) -> float:
        """The target's value for these people, exactly."""
        return float(self.returns.mean())

    def estimates(self) -> list[Estimate]:
        """Return the target's value by every estimator, from the log alone."""
        return [estimator(self.logged) for estimator in ESTIMATORS]


def run_logged(
    behaviour: Agent,
    target: Agent,
    env_id: str,
    people: int,
    *,
    explore: float,
    env_kwargs: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> LoggedTrial:
    """Let a policy that explores log episodes, and the target live through them as well.

    Args:
        behaviour: Whose choice is taken, but for exploration.
        target: Whose value is asked for; it chooses from what the log shows, not drawing.
        env_id: Registered id.
        people: Number of people, N, an episode each.
        explore: Probability of a day on which any allowed action is drawn instead, in (0, 1].
        env_kwargs: Arguments of the environment.
        seed: Of people, days and exploration.

    Raises:
        ValueError: If a number is out of range, or an agent is privileged: what it sees is in
            no log.
    """
    require_integer("people", people, 4)
    require_seed("seed", seed)
    require_number("explore", explore, 0.0, 1.0, low_open=True)
    for agent in (behaviour, target):
        if isinstance(agent, PrivilegedAgent):
            raise ValueError(f"{agent.name} sees what no log shows: give another agent")
    environments: Any = make_vector_env(env_id, people, env_kwargs, AutoresetMode.DISABLED)
    task = environments.get_attr("task")[0]
    allowed = task.action_mask().astype(np.float64)
    uniform = allowed / allowed.sum()
    draws = np.random.default_rng([seed, 3])
    observations, _ = environments.reset(seed=seed)
    persons = environments.get_attr("individual")
    behaviour.prepare(task, persons)
    target.prepare(task, persons)
    days, rows = task.days, np.arange(people)
    features = np.empty((people, days, observations.shape[1]))
    actions = np.empty((people, days), dtype=np.int64)
    rewards, likely = np.empty((2, people, days))
    aims = np.zeros((people, days, allowed.size))
    start = np.ones(people, dtype=np.bool_)
    states: list[Any] = [None, None]
    for day in range(days):
        usual, states[0] = behaviour.predict(observations, states[0], start)
        asked, states[1] = target.predict(observations, states[1], start)
        drawn = draws.choice(allowed.size, size=people, p=uniform)
        chosen = np.where(draws.random(people) < explore, drawn, usual)
        features[:, day], actions[:, day] = observations, chosen
        likely[:, day] = explore * uniform[chosen] + (1.0 - explore) * (chosen == usual)
        aims[rows, day, asked] = 1.0
        observations, rewards[:, day], _, _, _ = environments.step(chosen)
        start = np.zeros(people, dtype=np.bool_)
    environments.close()
    scale = features.std(axis=(0, 1))
    features = (features - features.mean(axis=(0, 1))) / np.where(scale > 0.0, scale, 1.0)
    logged = LoggedEpisodes(features, actions, rewards, likely, aims)
    lived = evaluate(target, env_id, episodes=people, seed=seed, env_kwargs=env_kwargs)
    return LoggedTrial(logged, lived.returns)
