"""Off-policy evaluation: what a policy would earn, from another's episodes and probabilities.

Sources: Precup, Sutton, Singh 2000 (per-decision importance sampling); Jiang and Li 2016 (doubly
robust); Le, Voloshin, Yue 2019 (fitted Q evaluation). Returns are undiscounted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fitgym.common.validation import require_integer, require_seed
from fitgym_agents.trials.estimators import Estimate, estimate

Floats = NDArray[np.float64]

# Ours: next to nothing beside the features of a few episodes, and enough where an action was never
# taken.
_RIDGE = 1e-3
_FOLDS = 2
_RESAMPLES = 200


@dataclass(frozen=True, eq=False)
class LoggedEpisodes:
    """N episodes of T steps, and what the policy to be evaluated would have done.

    Attributes:
        features: Of the observation before each step, without a constant, (N, T, K).
        actions: Taken, (N, T), from 0.
        rewards: (N, T).
        behaviour: Probability with which the action taken was taken, (N, T), above 0.
        target: Probabilities of all actions under the policy to be evaluated, (N, T, A).
    """

    features: Floats
    actions: NDArray[np.int64]
    rewards: Floats
    behaviour: Floats
    target: Floats

    def __post_init__(self) -> None:
        """Check shapes and probabilities.

        Raises:
            ValueError: If a shape does not fit, or something is no probability.
        """
        shape = self.rewards.shape
        if self.rewards.ndim != 2 or shape[0] < 2 * _FOLDS:
            raise ValueError(
                f"rewards must have shape (N, T) with N at least {2 * _FOLDS}, got {shape}"
            )
        for name in ("features", "actions", "behaviour", "target"):
            found = getattr(self, name).shape
            deep = name in ("features", "target")
            if found[:2] != shape or len(found) != 2 + deep:
                raise ValueError(f"{name} must begin with shape {shape}, got {found}")
        if ((self.actions < 0) | (self.actions >= self.target.shape[2])).any():
            raise ValueError(f"actions must be from 0 to {self.target.shape[2] - 1}")
        if not ((self.behaviour > 0.0) & (self.behaviour <= 1.0)).all():
            raise ValueError("behaviour must hold probabilities above 0")
        if (self.target < 0.0).any() or not np.allclose(self.target.sum(axis=2), 1.0):
            raise ValueError("target must hold probabilities that sum to 1 over the actions")

    def part(self, people: slice) -> LoggedEpisodes:
        """Return some of the episodes."""
        return LoggedEpisodes(
            self.features[people],
            self.actions[people],
            self.rewards[people],
            self.behaviour[people],
            self.target[people],
        )

    def ratios(self) -> Floats:
        """Return how much likelier each episode so far is under the target, (N, T)."""
        chosen = np.take_along_axis(self.target, self.actions[..., None], axis=2)[..., 0]
        return np.asarray(np.cumprod(chosen / self.behaviour, axis=1))

    def effective_episodes(self) -> float:
        """Return how many episodes of the target weigh as much as all of these at the last step."""
        last = self.ratios()[:, -1]
        squares = float((last**2).sum())
        return float(last.sum()) ** 2 / squares if squares > 0.0 else 0.0


def importance_sampling(logged: LoggedEpisodes) -> Estimate:
    """Return the return by per-decision importance sampling, which is unbiased."""
    return _mean("importance sampling", (logged.ratios() * logged.rewards).sum(axis=1))


def weighted_importance_sampling(logged: LoggedEpisodes) -> Estimate:
    """Return the return by weighted per-decision importance sampling: biased, varying less.

    The error is that of a sum of ratio estimates, linearised.

    Raises:
        ValueError: If no episode can have happened under the target.
    """
    ratios = logged.ratios()
    total = ratios.mean(axis=0)
    if not (total > 0.0).all():
        raise ValueError(
            f"none of the {len(ratios)} logged episodes can have happened under the target policy: "
            "log more people, fewer days or more exploration, or evaluate a policy nearer to it"
        )
    means = (ratios * logged.rewards).mean(axis=0) / total
    influence = (ratios * (logged.rewards - means) / total).sum(axis=1)
    count = len(ratios)
    variance = float(influence.var(ddof=1)) / count
    return estimate("weighted importance sampling", float(means.sum()), variance, count - 1)


def doubly_robust(logged: LoggedEpisodes) -> Estimate:
    """Return the return by values of fitted Q evaluation, corrected by importance sampling.

    The values of each half of the episodes are fitted on the other, so that the error is that of
    a mean. The estimate is right on average whatever the fit.
    """
    count = len(logged.rewards)
    ratios = logged.ratios()
    totals = np.empty(count)
    fold = np.arange(count) % _FOLDS
    for number in range(_FOLDS):
        inside = fold == number
        weights = _fit(logged, (~inside).astype(np.float64))
        values, chosen = _values(logged, weights)
        after = np.hstack([values[:, 1:], np.zeros((count, 1))])
        surprises = logged.rewards + after - chosen
        whole = values[:, 0] + (ratios * surprises).sum(axis=1)
        totals[inside] = whole[inside]
    return _mean("doubly robust", totals)


def fitted_q_evaluation(
    logged: LoggedEpisodes, *, resamples: int = _RESAMPLES, seed: int = 0
) -> Estimate:
    """Return the return by values that are linear in the features, for each step and action.

    The error is by the bootstrap over episodes, and is blind to what linear values cannot express.

    Args:
        logged: The episodes.
        resamples: Of the bootstrap, at least 2.
        seed: Of the bootstrap.
    """
    require_integer("resamples", resamples, 2, 100_000)
    require_seed("seed", seed)
    count = len(logged.rewards)
    generator = np.random.default_rng(seed)

    def value(times: Floats) -> float:
        values, _ = _values(logged, _fit(logged, times))
        return float(np.average(values[:, 0], weights=times))

    drawn = [
        value(generator.multinomial(count, np.full(count, 1.0 / count)).astype(np.float64))
        for _ in range(resamples)
    ]
    whole = value(np.ones(count))
    return estimate("fitted Q", whole, float(np.var(drawn, ddof=1)), count - 1)


def _mean(name: str, values: Floats) -> Estimate:
    variance = float(values.var(ddof=1)) / values.size
    return estimate(name, float(values.mean()), variance, values.size - 1)


def _with_constant(features: Floats) -> Floats:
    return np.concatenate([np.ones((*features.shape[:-1], 1)), features], axis=-1)


def _fit(logged: LoggedEpisodes, times: Floats) -> Floats:
    """Return the weights of each step's values, (T, A, 1 + K), by ridge regressions backwards.

    Args:
        logged: The episodes.
        times: (N,) how often each episode counts.
    """
    columns = _with_constant(logged.features)
    _, steps, actions = logged.target.shape
    width = columns.shape[2]
    weights = np.zeros((steps, actions, width))
    following = np.zeros(len(columns))
    for step in reversed(range(steps)):
        aims = logged.rewards[:, step] + following
        for action in range(actions):
            rows = columns[:, step] * (times * (logged.actions[:, step] == action))[:, None]
            gram = rows.T @ columns[:, step] + _RIDGE * np.eye(width)
            weights[step, action] = np.linalg.solve(gram, rows.T @ aims)
        worth = columns[:, step] @ weights[step].T
        following = (logged.target[:, step] * worth).sum(axis=1)
    return weights


def _values(logged: LoggedEpisodes, weights: Floats) -> tuple[Floats, Floats]:
    """Return the value of each step under the target, and that of the action taken, both (N, T)."""
    worth = np.einsum("ntk,tak->nta", _with_constant(logged.features), weights)
    chosen = np.take_along_axis(worth, logged.actions[..., None], axis=2)[..., 0]
    return (logged.target * worth).sum(axis=2), chosen
