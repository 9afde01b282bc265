"""Bandits that learn while they serve: fixed probabilities, Thompson sampling, LinUCB.

They take the reward of the day for what an action is worth, so at best they learn what is best
today.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fitgym.common.validation import require_choice, require_integer, require_number
from fitgym_agents.online.agent import (
    Observations,
    OnlineAgent,
    Outcomes,
    Profiles,
    Service,
)
from fitgym_agents.online.features import BASELINE, EFFECTS, Features
from fitgym_agents.online.regression import MixedModel, Moments, posterior

Floats = NDArray[np.float64]

POOLINGS = ("full", "none", "partial")
# Ours: what coefficients may be before anything is seen, in rewards of a day. The baseline is the
# whole reward, of which an action changes little.
_BASELINE_SD = 10.0
_EFFECT_SD = 2.0
# Rewards of a day around the line, before there are data to tell.
_NOISE = 1.0
# Rounds of EM in an update, and how many people the prior of the spread between people is worth.
_ROUNDS = 3
_PRIOR_PEOPLE = float(BASELINE + EFFECTS + 2)
# The share of a coefficient's prior standard deviation by which people are thought to differ.
_PEOPLE_SHARE = 0.25


class RandomProbabilities(OnlineAgent):
    """Draws every action with a fixed probability, as a micro-randomised trial does."""

    name = "random"

    def __init__(self, probabilities: Sequence[float] | None = None) -> None:
        """Fix the probabilities.

        Args:
            probabilities: Of each of the eleven actions; None for all allowed ones alike.

        Raises:
            ValueError: If they are not eleven numbers that add up to 1.
        """
        self._fixed: Floats | None = None
        if probabilities is None:
            return
        self._fixed = np.array(probabilities, dtype=np.float64)
        good = self._fixed.shape == (11,) and (self._fixed >= 0.0).all()
        if not good or abs(self._fixed.sum() - 1.0) > 1e-9:
            raise ValueError(
                f"probabilities must be eleven numbers >= 0 that add up to 1, got {probabilities!r}"
            )

    def probabilities(self, observations: Observations) -> Floats:
        """Return the fixed probabilities for everyone."""
        allowed = self.service.allowed
        fixed = allowed / allowed.sum() if self._fixed is None else self._fixed
        return np.tile(fixed, (observations.person.size, 1))


class _Linear(OnlineAgent):
    """Regresses the reward of a day on features; a subclass says how people are pooled.

    Attributes:
        moments: What has been observed.
    """

    centred = False

    def begin(self, service: Service) -> None:
        """Start with the prior alone."""
        super().begin(service)
        width = BASELINE + EFFECTS
        self.moments = Moments.empty(service.people, width)
        self._features = Features(service.people)
        self._used = np.zeros((service.people, service.task.days, width))
        self._sds = np.array([_BASELINE_SD] * BASELINE + [_EFFECT_SD] * EFFECTS)
        self._generator = np.random.default_rng([service.seed, 2])

    def join(self, profiles: Profiles) -> None:
        """Note what people join with."""
        self._features.join(profiles)

    def act(self, observations: Observations) -> tuple[NDArray[np.int64], Floats]:
        """Draw actions, and keep the features that they are judged by; see ``OnlineAgent``."""
        baseline, effects = self._features.of(observations)
        actions, probabilities = super().act(observations)
        used = effects[np.arange(actions.size), actions]
        if self.centred:
            used = used - np.einsum("na,nae->ne", probabilities, effects)
        self._used[observations.person, observations.day] = np.hstack([baseline, used])
        return actions, probabilities

    def observe(self, outcomes: Outcomes) -> None:
        """Add the days on which this agent decided to the data."""
        self._features.observe(outcomes)
        own = outcomes.rows(outcomes.decided)
        self.moments.add(own.person, self._used[own.person, own.day], own.reward)

    def _effects_of(self, observations: Observations) -> Floats:
        return self._features.of(observations)[1]


class LinearThompson(_Linear):
    """Bayesian linear Thompson sampling: an action as often as it is thought to be the best.

    With ``pooling="full"`` all people share coefficients, with ``"none"`` each has one's own, with
    ``"partial"`` they are drawn from a common distribution that is learnt, too. With ``centred``
    the features of an action are taken relative to their mean over the probabilities that it was
    drawn with, so that its effect is estimated without bias whatever the baseline is (Greenewald
    et al. 2017, Action centered contextual bandits for mobile health, NeurIPS).
    """

    def __init__(self, pooling: str = "partial", centred: bool = False, draws: int = 50) -> None:
        """Choose the pooling.

        Args:
            pooling: One of ``POOLINGS``.
            centred: Whether features of actions are centred.
            draws: Draws from the posterior by which probabilities are counted.

        Raises:
            ValueError: If an argument is out of range.
        """
        self.pooling = require_choice("pooling", pooling, POOLINGS)
        self.centred = centred
        self.draws = require_integer("draws", draws, 1)
        kind = {"full": "pooled", "none": "not pooled", "partial": "partially pooled"}[pooling]
        self.name = f"Thompson, {'action-centred' if centred else kind}"

    def begin(self, service: Service) -> None:
        """Start with the prior alone."""
        super().begin(service)
        prior = np.diag(self._sds**2)
        self._precision = np.diag(self._sds**-2)
        self._prior_spread = _PEOPLE_SHARE**2 * prior
        self._model = MixedModel(
            np.zeros(self._sds.size), self._prior_spread, _NOISE, self._precision
        )
        self._noise = _NOISE
        self.update()

    def update(self) -> None:
        """Recompute the posterior of every person."""
        zero = np.zeros(self._sds.size)
        if self.pooling == "partial":
            self._model = self._model.fitted(
                self.moments, _ROUNDS, self._prior_spread, _PRIOR_PEOPLE
            )
            means, covariances = self._model.predictions(self.moments)
        else:
            data = self.moments.pooled() if self.pooling == "full" else self.moments
            means, covariances = posterior(data, zero, self._precision, self._noise)
            free = data.counts.sum() - means.size
            if free > 0.0:
                self._noise = float(data.residual_squares(means).sum() / data.counts.sum())
                means, covariances = posterior(data, zero, self._precision, self._noise)
        self._means = means[:, BASELINE:]
        self._roots = np.linalg.cholesky(covariances[:, BASELINE:, BASELINE:])

    def probabilities(self, observations: Observations) -> Floats:
        """Return how often each action is the best in draws from the posterior."""
        effects = self._effects_of(observations)
        rows = np.zeros_like(observations.person) if self.pooling == "full" else observations.person
        normal = self._generator.standard_normal((rows.size, self.draws, EFFECTS))
        drawn = self._means[rows][:, None] + normal @ self._roots[rows].transpose(0, 2, 1)
        values = drawn @ effects.transpose(0, 2, 1)
        values[:, :, ~self.service.allowed] = -np.inf
        best = values.argmax(axis=2)
        counts = np.zeros((rows.size, self.service.allowed.size))
        np.add.at(counts, (np.arange(rows.size)[:, None], best), 1.0)
        return np.asarray(counts / self.draws)


class LinUCB(_Linear):
    """Takes the action with the highest upper confidence bound (Li et al. 2010, WWW).

    All people share coefficients.
    """

    name = "LinUCB"

    def __init__(self, width: float = 1.0) -> None:
        """Choose how many posterior standard deviations the bound lies above the mean, >= 0."""
        self.width = require_number("width", width, 0.0, 100.0)

    def begin(self, service: Service) -> None:
        """Start with the prior alone."""
        super().begin(service)
        self.update()

    def update(self) -> None:
        """Compute the posterior anew."""
        means, covariances = posterior(
            self.moments.pooled(), np.zeros(self._sds.size), np.diag(self._sds**-2), _NOISE
        )
        self._mean = means[0, BASELINE:]
        self._covariance = covariances[0, BASELINE:, BASELINE:]

    def probabilities(self, observations: Observations) -> Floats:
        """Return 1 for the action with the highest bound."""
        effects = self._effects_of(observations)
        variances = np.einsum("nae,ef,naf->na", effects, self._covariance, effects)
        bounds = effects @ self._mean + self.width * np.sqrt(np.maximum(variances, 0.0))
        bounds[:, ~self.service.allowed] = -np.inf
        return np.asarray(np.eye(self.service.allowed.size)[bounds.argmax(axis=1)])
