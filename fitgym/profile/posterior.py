"""What a history leaves possible: the posterior of traits by importance sampling.

Traits are standard normal numbers under the population's prior. The mode is found from a few
starts, a multivariate t distribution is laid around it with the curvature there, and draws from it
are weighed by prior times likelihood; where few draws carry the weight, the distribution is laid
anew around the weighed draws (adaptive importance sampling: Cappe et al. 2004). A trait that the
history says nothing of keeps the population's distribution: that is partial pooling, not a failed
fit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import gammaln, ndtri

from fitgym.adherence.fitrec2 import TOLERATED_PER_POINT, session_spread
from fitgym.people.individual import Motivation
from fitgym.people.runners import (
    FATIGUE_EFFECT,
    FATIGUE_UTILITY,
    FITNESS_UTILITY,
    TOLERANCE_SD,
    Response,
)
from fitgym.profile.curves import Curves
from fitgym.profile.days import HABIT, Days
from fitgym.profile.efforts import RACE_SD, RACE_SHORTFALL
from fitgym.profile.likelihood import FINALS, Evidence, log_likelihoods
from fitgym.profile.prior import TRAITS, Prior

Array = NDArray[np.float64]

REFERENCE = TRAITS.index("reference_completion")
# Completion for which the tolerance per point holds (fitgym.adherence.fitrec2).
_REFERENCE_COMPLETION = 0.55
# Density of a session's log VDOT that was no race: even over a range of 1.1 (ours).
_TRAINING_DENSITY = 0.9
# Spread of habit sessions in the population, and how many sessions it counts as (ours).
_HABIT_LOG_SD, _HABIT_COUNT = 0.5, 30
_HABIT_MAXIMUM_TRIMP = 60.0
_DRAWS, _DEGREES, _ROUNDS = 1500, 8.0, 5
# Draws are enough when the weights are worth this share of them.
_ENOUGH = 0.25
_UNITS = ndtri((np.arange(200) + 0.5) / 200)
_STEP = 1e-3


@dataclass(frozen=True, eq=False)
class Posterior:
    """Weighed draws of a person's traits and of what follows from them today.

    Attributes:
        traits: (N, K) in the order of ``prior.TRAITS``.
        finals: (N, len(FINALS)).
        weights: (N,) summing to one.
        effective: How many equally weighed draws they are worth.
        prior: What was believed before.
    """

    traits: Array
    finals: Array
    weights: Array
    effective: float
    prior: Prior

    def trait(self, name: str) -> Array:
        """Return the draws (N,) of a trait."""
        return np.asarray(self.traits[:, TRAITS.index(name)])

    def final(self, name: str) -> Array:
        """Return the draws (N,) of what follows today."""
        return np.asarray(self.finals[:, FINALS.index(name)])

    def mean(self, values: Array) -> float:
        """Return the mean of values (N,) of the draws."""
        return float(self.weights @ values)

    def interval(self, values: Array, confidence: float = 0.95) -> tuple[float, float]:
        """Return the central interval of values (N,) of the draws."""
        order = np.argsort(values)
        total = np.cumsum(self.weights[order]) - 0.5 * self.weights[order]
        tail = 0.5 * (1.0 - confidence)
        low, high = np.interp([tail, 1.0 - tail], total, values[order])
        return float(low), float(high)


def habit_spread(days: Days) -> tuple[float, float]:
    """Return spread of the logarithm of habit sessions, and the largest one in points.

    Both begin at the population's and follow the person's as sessions gather.
    """
    own = days.points[days.kind == HABIT]
    largest = max(_HABIT_MAXIMUM_TRIMP, 1.05 * float(own.max(initial=0.0)))
    if own.size < 3:
        return _HABIT_LOG_SD, largest
    logs = np.log(np.maximum(own, 0.1))
    squares = float(np.square(logs - logs.mean()).sum())
    variance = (_HABIT_COUNT * _HABIT_LOG_SD**2 + squares) / (_HABIT_COUNT + own.size - 1)
    return float(np.clip(np.sqrt(variance), 0.1, 1.5)), min(largest, 2000.0)


def evidence_of(days: Days, curves: Curves, seen_maximum: float | None) -> Evidence:
    """Return what is known of a person, for the compiled likelihood."""
    log_sd, largest = habit_spread(days)
    session_of_day = np.full(days.count, -1, dtype=np.int64)
    session_of_day[curves.day] = np.arange(curves.day.size)
    vdot, maximum, resting = curves.centre
    usual = Motivation()
    response = Response()
    constants = np.array(
        [
            TOLERATED_PER_POINT,
            TOLERANCE_SD,
            usual.base_level_effect,
            FATIGUE_EFFECT,
            usual.persistence,
            usual.success_effect,
            usual.failure_effect,
            usual.motivation_sd,
            usual.initial_motivation_sd,
            session_spread(),
            response.fitness_days,
            response.fatigue_days,
            FITNESS_UTILITY["acquisition"],
            FATIGUE_UTILITY["acquisition"],
            float(ndtri(_REFERENCE_COMPLETION)),
        ]
    )
    from fitgym.profile.curves import LOG_VDOTS, MAXIMUM_STEP_BPM

    return Evidence(
        kind=days.kind,
        points=days.points,
        share=days.share,
        habit_units=log_sd * _UNITS,
        habit_maximum=largest,
        habit_log_sd=log_sd,
        session_of_day=session_of_day,
        measured=curves.measured,
        expected=curves.expected,
        maximum_bend=curves.maximum_bend,
        resting_slope=curves.resting_slope,
        offset_share=curves.offset_share,
        error_sd=curves.error_sd,
        log_load=curves.log_load,
        load_resting_slope=curves.load_resting_slope,
        load_offset_slope=curves.load_offset_slope,
        log_vdots=LOG_VDOTS,
        log_vdot_centre=float(np.log(vdot)),
        maximum_centre=float(maximum),
        maximum_step=MAXIMUM_STEP_BPM,
        resting_centre=float(resting),
        race_day=days.race_day,
        race_log_vdot=days.race_log_vdot,
        race_chance=days.race_chance,
        race_shortfall=RACE_SHORTFALL,
        race_sd=RACE_SD,
        training_density=_TRAINING_DENSITY,
        seen_maximum=float(seen_maximum or 0.0),
        constants=constants,
    )


class _Target:
    """Log posterior density of standard normal numbers, up to a constant."""

    def __init__(self, prior: Prior, evidence: Evidence) -> None:
        self.prior = prior
        self.evidence = evidence

    def __call__(self, standard: Array) -> tuple[Array, Array, Array]:
        """Return log density (N,), traits (N, K) and finals of numbers (N, K)."""
        traits = self.prior.traits(standard)
        asked = traits.copy()
        asked[:, REFERENCE] = ndtri(traits[:, REFERENCE])
        finals = np.zeros((len(traits), len(FINALS)))
        likelihood = np.zeros(len(traits))
        log_likelihoods(asked, self.evidence, finals, likelihood)
        density = likelihood - 0.5 * np.square(standard).sum(axis=1)
        return np.where(np.isfinite(density), density, -1e12), traits, finals

    def mode(self, start: Array) -> tuple[Array, float]:
        """Return the nearest mode from a start (K,), and the log density there."""
        size = start.size
        steps = np.concatenate([np.zeros((1, size)), _STEP * np.eye(size), -_STEP * np.eye(size)])

        def value_and_gradient(place: Array) -> tuple[float, Array]:
            density = self(place + steps)[0]
            slope = (density[1 : size + 1] - density[size + 1 :]) / (2.0 * _STEP)
            return -float(density[0]), -slope

        found = minimize(
            value_and_gradient,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=[(-4.0, 4.0)] * size,
            options={"maxiter": 60},
        )
        return np.asarray(found.x), -float(found.fun)

    def covariance(self, place: Array) -> Array:
        """Return the inverse curvature (K, K) at a mode, at most a little wider than the prior."""
        size, step = place.size, 0.02
        eye = step * np.eye(size)
        pairs = [(i, j) for i in range(size) for j in range(i, size)]
        points = [
            place + a * eye[i] + b * eye[j] for i, j in pairs for a in (1, -1) for b in (1, -1)
        ]
        density = self(np.array(points))[0].reshape(-1, 4)
        curvature = np.zeros((size, size))
        for (i, j), (pp, pm, mp, mm) in zip(pairs, density, strict=True):
            curvature[i, j] = curvature[j, i] = -(pp - pm - mp + mm) / (4.0 * step**2)
        values, vectors = np.linalg.eigh(curvature)
        return np.asarray((vectors / np.clip(values, 0.8, 1e6)) @ vectors.T)


def prior_draws(prior: Prior, evidence: Evidence, *, count: int = 1500, seed: int = 0) -> Posterior:
    """Return draws of the prior, equally weighed, with what would follow from them today."""
    target = _Target(prior, evidence)
    generator = np.random.default_rng([seed, 1])
    _, traits, finals = target(generator.standard_normal((count, len(TRAITS))))
    return Posterior(traits, finals, np.full(count, 1.0 / count), float(count), prior)


def sample_posterior(
    prior: Prior, evidence: Evidence, *, points_error: float = 0.0, seed: int = 0
) -> Posterior:
    """Return weighed draws of the traits of whoever has this history.

    Args:
        prior: What is believed before.
        evidence: The history.
        points_error: Spread of the logarithm of a session's points as read; the base level is
            that of the hardest sessions and errs as they do.
        seed: Seed of the draws.
    """
    target = _Target(prior, evidence)
    generator = np.random.default_rng(seed)
    size = len(TRAITS)
    starts = np.zeros((3, size))
    # A person may be over- or under-rated by the VDOT of the paces.
    starts[1, 0], starts[2, 0] = 1.2, -1.2
    modes = [target.mode(start) for start in starts]
    place, _ = max(modes, key=lambda mode: mode[1])
    spread = target.covariance(place)
    draws, weights, traits, finals = (np.empty(0),) * 4
    effective = 0.0
    for _ in range(_ROUNDS):
        root = np.linalg.cholesky(spread + 1e-9 * np.eye(size))
        normal = generator.standard_normal((_DRAWS, size))
        scale = np.sqrt(generator.chisquare(_DEGREES, _DRAWS) / _DEGREES)[:, None]
        standard = normal / scale
        draws = place + standard @ root.T
        density, traits, finals = target(draws)
        proposal = -0.5 * (_DEGREES + size) * np.log1p(np.square(standard).sum(axis=1) / _DEGREES)
        proposal += gammaln(0.5 * (_DEGREES + size)) - np.log(np.diag(root)).sum()
        ratio = density - proposal
        weights = np.exp(ratio - ratio.max())
        # Truncated weights (Ionides 2008): one lucky draw must not carry everything.
        weights = np.minimum(weights, weights.mean() * np.sqrt(_DRAWS))
        weights /= weights.sum()
        effective = 1.0 / float(np.square(weights).sum())
        if effective >= _ENOUGH * _DRAWS:
            break
        place = weights @ draws
        centred = draws - place
        found = (centred * weights[:, None]).T @ centred
        # A few draws underestimate spreads: the curvature's and theirs count by their numbers.
        known = effective / (effective + 2.0 * size)
        spread = 1.1 * (known * found + (1.0 - known) * spread)
    level = FINALS.index("base_level")
    finals[:, level] *= np.exp(points_error * generator.standard_normal(len(finals)))
    return Posterior(traits, finals, weights, effective, prior)
