"""Bayesian linear regression of many people at once: of one for all, each alone, or partly pooled.

The partly pooled model is the linear mixed one, ``y = phi' theta_n + e`` with
``theta_n ~ N(mu, Sigma)`` and ``e ~ N(0, sigma^2)``, whose ``mu``, ``Sigma`` and ``sigma^2`` are
fitted to everybody's data by EM (Laird and Ware 1982, Biometrics 38:963), as in IntelligentPooling
(Tomkins, Liao, Klasnja, Murphy 2021, Machine Learning 110:2685).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(eq=False)
class Moments:
    """Sums over the data of each of N people, which is all that regression needs.

    Attributes:
        gram: Sum of ``phi phi'``, (N, d, d).
        cross: Sum of ``phi y``, (N, d).
        squares: Sum of ``y^2``, (N,).
        counts: Number of data, (N,).
    """

    gram: Floats
    cross: Floats
    squares: Floats
    counts: Floats

    @classmethod
    def empty(cls, people: int, width: int) -> Moments:
        """Return the moments of no data."""
        return cls(
            np.zeros((people, width, width)),
            np.zeros((people, width)),
            np.zeros(people),
            np.zeros(people),
        )

    def add(self, person: NDArray[np.int64], features: Floats, targets: Floats) -> None:
        """Add data.

        Args:
            person: Whose, (m,).
            features: ``phi``, (m, d).
            targets: ``y``, (m,).
        """
        np.add.at(self.gram, person, features[:, :, None] * features[:, None, :])
        np.add.at(self.cross, person, features * targets[:, None])
        np.add.at(self.squares, person, targets**2)
        np.add.at(self.counts, person, 1.0)

    def pooled(self) -> Moments:
        """Return the moments of everybody's data together, of one person."""
        sums = (
            part.sum(axis=0, keepdims=True)
            for part in (self.gram, self.cross, self.squares, self.counts)
        )
        return Moments(*sums)

    def residual_squares(self, means: Floats) -> Floats:
        """Return each person's sum of squared residuals at coefficients (N, d) or (d,), (N,)."""
        coefficients = np.broadcast_to(means, self.cross.shape)
        return np.asarray(
            self.squares
            - 2.0 * np.einsum("nd,nd->n", coefficients, self.cross)
            + np.einsum("nd,nde,ne->n", coefficients, self.gram, coefficients)
        )


def _inverse(matrices: Floats) -> Floats:
    return np.asarray(np.linalg.inv(matrices), dtype=np.float64)


def posterior(
    moments: Moments, mean: Floats, precision: Floats, noise: float
) -> tuple[Floats, Floats]:
    """Return means (N, d) and covariances (N, d, d) of coefficients under a normal prior.

    Args:
        moments: The data.
        mean: Of the prior, (d,).
        precision: Inverse covariance of the prior, (d, d).
        noise: Variance of the data around the line.
    """
    covariances = _inverse(moments.gram / noise + precision)
    means = np.einsum("nde,ne->nd", covariances, moments.cross / noise + precision @ mean)
    return means, covariances


@dataclass(frozen=True, eq=False)
class MixedModel:
    """The linear mixed model.

    Attributes:
        mean: ``mu``, (d,).
        spread: ``Sigma``, (d, d).
        noise: ``sigma^2``.
        mean_precision: Of the prior of ``mu``, which is normal around 0, (d, d).
    """

    mean: Floats
    spread: Floats
    noise: float
    mean_precision: Floats

    def fitted(
        self, moments: Moments, rounds: int, prior_spread: Floats, prior_people: float
    ) -> MixedModel:
        """Return the model after some rounds of EM on the people who have data.

        ``Sigma`` has an inverse Wishart prior worth ``prior_people`` people that spread by
        ``prior_spread``, without which it could shrink to nothing while there are few.

        Args:
            moments: The data.
            rounds: Rounds of EM, which goes on from this model.
            prior_spread: (d, d).
            prior_people: More than 0.
        """
        seen = moments.counts > 0.0
        data = Moments(
            moments.gram[seen], moments.cross[seen], moments.squares[seen], moments.counts[seen]
        )
        count = data.counts.size
        if count == 0:
            return self
        model = self
        for _ in range(rounds):
            precision = _inverse(model.spread)
            means, covariances = posterior(data, model.mean, precision, model.noise)
            mean = np.linalg.solve(
                count * precision + self.mean_precision, precision @ means.sum(axis=0)
            )
            away = means - mean
            spread = covariances.sum(axis=0) + away.T @ away + prior_people * prior_spread
            squares = data.residual_squares(means) + np.einsum("nde,nde->n", data.gram, covariances)
            model = MixedModel(
                mean,
                spread / (count + prior_people),
                float(squares.sum() / data.counts.sum()),
                self.mean_precision,
            )
        return model

    def predictions(self, moments: Moments) -> tuple[Floats, Floats]:
        """Return means (N, d) and covariances (N, d, d) of everybody's coefficients.

        They are the best linear unbiased predictions with their errors, those of ``mu`` included;
        of somebody without data ``mu``.
        """
        precision = _inverse(self.spread)
        _, covariances = posterior(moments, self.mean, precision, self.noise)
        # What the data tell of mu when everybody's own coefficients are integrated out.
        shrinkage = covariances @ precision
        information = (precision - precision @ shrinkage).sum(axis=0) + self.mean_precision
        told = np.einsum("nde,ne->d", shrinkage.transpose(0, 2, 1), moments.cross / self.noise)
        of_mean = _inverse(information)
        mean = of_mean @ told
        means = np.einsum("nde,ne->nd", covariances, moments.cross / self.noise + precision @ mean)
        return means, covariances + shrinkage @ of_mean @ shrinkage.transpose(0, 2, 1)
