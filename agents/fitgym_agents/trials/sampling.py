"""Randomisation probabilities of a trial: constant, or adapted to all data so far."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from fitgym_agents.online.regression import Moments

Floats = NDArray[np.float64]

# As in HeartSteps (Liao et al. 2020, IMWUT 4:18).
LEAST, MOST = 0.1, 0.9

# Ours, in points: a session of the default individual's plans, and as many points a coefficient may
# well be; the noise begins as that of a few such days.
_UNIT = 20.0
_NOISE_DAYS = 10.0


class PooledSampling:
    """Thompson sampling of a push or none that pools the people of each trial.

    In every trial of its own the outcome of a day is a Bayesian linear model of last week's mean
    points, the push, and their product; a push is as likely as its effect, for somebody with such a
    week, is to be positive, within ``LEAST`` and ``MOST``. Updated every night.
    """

    def __init__(self, people: int, block: int) -> None:
        """Start without data.

        Args:
            people: In all trials, N.
            block: In each of them, one after the other.
        """
        self._trial = np.arange(people) // block
        self._moments = Moments.empty(int(self._trial[-1]) + 1, 4)

    def probabilities(self, last_week: Floats) -> Floats:
        """Return the probability of a push for each person, (N,), from last week's points (N,)."""
        means, covariances = self._posterior()
        effect = np.stack([np.ones_like(last_week), last_week / _UNIT], axis=1)
        mean = np.einsum("nd,nd->n", effect, means[self._trial, 2:])
        variance = np.einsum("nd,nde,ne->n", effect, covariances[self._trial, 2:, 2:], effect)
        return np.asarray(np.clip(ndtr(mean / np.sqrt(variance)), LEAST, MOST))

    def update(
        self, last_week: Floats, treatment: Floats, outcome: Floats, available: NDArray[np.bool_]
    ) -> None:
        """Take in a day of those available; arrays (N,)."""
        week = last_week / _UNIT
        features = np.stack([np.ones_like(week), week, treatment, treatment * week], axis=1)
        self._moments.add(self._trial[available], features[available], outcome[available])

    def _posterior(self) -> tuple[Floats, Floats]:
        moments = self._moments
        precision = np.eye(4) / _UNIT**2
        noise = np.full(moments.counts.size, _UNIT**2)
        # The noise is that of the residuals, and these are of the coefficients: two rounds settle.
        for _ in range(2):
            covariances = np.linalg.inv(moments.gram / noise[:, None, None] + precision)
            means = np.einsum("nde,ne->nd", covariances, moments.cross / noise[:, None])
            squares = moments.residual_squares(means) + _NOISE_DAYS * _UNIT**2
            noise = squares / (moments.counts + _NOISE_DAYS)
        return means, np.asarray(covariances)
