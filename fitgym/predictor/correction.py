"""Personal correction of a predictor's errors: an empirical-Bayes regression in closed form.

The error of session j of a person in sport s, measured minus predicted, is

    r_jt = x_jt' (a + b_s + c_j) + e_jt
    a ~ N(0, P)   the person, in every sport       b_s ~ N(0, S)   the person in this sport
    c_j ~ N(0, C) the session                      e   noise of variance v

with x = (1, lagged speed, lagged climb, log time). Noise of one session is correlated over time:
``memory_steps`` consecutive steps count as one. P, S, C and v are fitted by EM to the errors on
other people. Each workout adds a few sums; a + b_s of the next session is then a posterior mean.
Sources: Laird and Ware 1982 (random-effects models for longitudinal data, by EM); Efron and Morris
1975 (shrinkage of many small samples to their population).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from fitgym.common.validation import require_number
from fitgym.logs.workout import GRID_STEP_S
from fitgym.predictor.channels import session_channels, sport_family

Array = NDArray[np.float64]

FEATURES = ("level", "speed", "climb", "log time")
LAG_S = 60.0
# Errors are correlated over some minutes; set by how well intervals and corrections of people not
# fitted to come out.
MEMORY_STEPS = 30.0
ITERATIONS = 80
# Fewest measured steps of a session that is learnt from.
FEWEST_STEPS = 12
# Half width of a normal 80 % interval in standard deviations.
NORMAL_INTERVAL_SD = 1.2816
# Spread of the prior from which EM starts, by feature.
START_SD = (8.0, 4.0, 2.0, 3.0)


@dataclass(frozen=True, eq=False)
class VarianceComponents:
    """How errors of a predictor spread over people, sports, sessions and steps.

    Attributes:
        person: P (4, 4), in bpm^2 for features of one.
        sport: S (4, 4).
        session: C (4, 4).
        noise: v, variance of what remains at each step.
        memory_steps: Steps that count as one.
        interval_sd: Half width of an 80 % interval of a session's mean in standard deviations;
            errors have longer tails than a normal distribution, so it is below a normal one's.
    """

    person: Array
    sport: Array
    session: Array
    noise: float
    memory_steps: float = MEMORY_STEPS
    interval_sd: float = NORMAL_INTERVAL_SD

    def __post_init__(self) -> None:
        """Check shapes and values."""
        size = len(FEATURES)
        for name in ("person", "sport", "session"):
            matrix = np.array(getattr(self, name), dtype=np.float64)
            if matrix.shape != (size, size) or not np.allclose(matrix, matrix.T):
                raise ValueError(f"{name} must be a symmetric matrix of {size} rows, got {matrix}")
            if np.linalg.eigvalsh(matrix).min() <= 0.0:
                raise ValueError(f"{name} must be positive definite, got {matrix}")
            object.__setattr__(self, name, matrix)
        require_number("noise", self.noise, 0.0, low_open=True)
        require_number("memory_steps", self.memory_steps, 1.0)
        require_number("interval_sd", self.interval_sd, 0.0, low_open=True)

    def as_dict(self) -> dict[str, Any]:
        """Return the components for a JSON file."""
        return {
            "person": self.person.tolist(),
            "sport": self.sport.tolist(),
            "session": self.session.tolist(),
            "noise": self.noise,
            "memory_steps": self.memory_steps,
            "interval_sd": self.interval_sd,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> VarianceComponents:
        """Return the components that ``as_dict`` gave."""
        return cls(
            np.array(values["person"]),
            np.array(values["sport"]),
            np.array(values["session"]),
            float(values["noise"]),
            float(values["memory_steps"]),
            float(values["interval_sd"]),
        )


@dataclass(frozen=True, eq=False)
class SessionErrors:
    """What a session tells of the person's errors: sums over its measured steps.

    Attributes:
        sport: Family of the sport.
        gram: X'X (4, 4).
        moment: X'r (4,).
        square: r'r.
        steps: Number of measured steps.
    """

    sport: str
    gram: Array
    moment: Array
    square: float
    steps: int

    @classmethod
    def of(cls, sport: str, features: Array, error: Array) -> SessionErrors:
        """Return the sums of errors (T,) in bpm, measured minus predicted, over features (T, 4)."""
        return cls(
            sport_family(sport),
            features.T @ features,
            features.T @ error,
            float(error @ error),
            len(error),
        )


@dataclass(frozen=True)
class PersonalCorrection:
    """What a person's earlier workouts say of the next one's error.

    Attributes:
        components: Variance components of the predictor.
        precisions: By sport, summed information (4, 4) on the person's coefficients in it.
        weighted: By sport, the information (4,) times those coefficients.
    """

    components: VarianceComponents
    precisions: dict[str, Array] = field(default_factory=dict)
    weighted: dict[str, Array] = field(default_factory=dict)

    def update(self, errors: SessionErrors) -> PersonalCorrection:
        """Return the correction after one more workout; too short ones change nothing."""
        if errors.steps < FEWEST_STEPS:
            return self
        precision, weighted = session_information(errors, self.components)
        size = len(FEATURES)
        sport = errors.sport
        return PersonalCorrection(
            self.components,
            self.precisions
            | {sport: self.precisions.get(sport, np.zeros((size, size))) + precision},
            self.weighted | {sport: self.weighted.get(sport, np.zeros(size)) + weighted},
        )

    def coefficients(self, sport: str) -> tuple[Array, Array]:
        """Return mean (4,) and covariance (4, 4) of the person's coefficients in a sport."""
        family = sport_family(sport)
        sports = sorted({family, *self.precisions})
        mean, covariance = _posterior(
            self.components,
            [
                (self.precisions[sport], self.weighted[sport])
                if sport in self.precisions
                else (np.zeros((len(FEATURES),) * 2), np.zeros(len(FEATURES)))
                for sport in sports
            ],
        )
        combine = _combination(sports.index(family), len(sports))
        return combine @ mean, combine @ covariance @ combine.T

    def predict(self, sport: str, features: Array) -> tuple[Array, Array]:
        """Return the error to expect and its spread, of a session's heart rate at each step.

        Args:
            sport: Name of the sport.
            features: (T, 4) from ``session_features``.

        Returns:
            Offset (T,) in bpm to add to the prediction, and standard deviation (T,).
        """
        mean, covariance = self.coefficients(sport)
        total = covariance + self.components.session
        variance = np.einsum("ti,ij,tj->t", features, total, features)
        return features @ mean, np.sqrt(variance + self.components.noise)

    def mean_spread(self, sport: str, features: Array) -> float:
        """Return the standard deviation in bpm of the mean heart rate of a session."""
        _, covariance = self.coefficients(sport)
        average = features.mean(axis=0)
        total = covariance + self.components.session
        independent = max(len(features) / self.components.memory_steps, 1.0)
        return float(np.sqrt(average @ total @ average + self.components.noise / independent))

    def as_dict(self) -> dict[str, Any]:
        """Return what is known of the person for a JSON file, without the components."""
        return {
            sport: {
                "precision": self.precisions[sport].tolist(),
                "weighted": self.weighted[sport].tolist(),
            }
            for sport in self.precisions
        }

    @classmethod
    def from_dict(
        cls, components: VarianceComponents, values: Mapping[str, Any]
    ) -> PersonalCorrection:
        """Return the correction that ``as_dict`` gave."""
        return cls(
            components,
            {sport: np.array(known["precision"]) for sport, known in values.items()},
            {sport: np.array(known["weighted"]) for sport, known in values.items()},
        )


def session_features(speed_m_s: Array, altitude_m: Array, has_altitude: bool) -> Array:
    """Return the features (T, 4) of a session; each step uses only steps up to it."""
    channels = session_channels(speed_m_s, altitude_m, has_altitude).astype(np.float64)
    share = -np.expm1(-GRID_STEP_S / LAG_S)
    lagged = [
        lfilter([share], [1.0, share - 1.0], column, zi=[(1.0 - share) * column[0]])[0]
        for column in (channels[:, 0], channels[:, 1])
    ]
    return np.stack([np.ones(len(channels)), *lagged, channels[:, 4]], axis=1)


def session_information(
    errors: SessionErrors, components: VarianceComponents
) -> tuple[Array, Array]:
    """Return what a session tells of a + b_s, its own effect c integrated out.

    Returns:
        The information (4, 4), and the information times the coefficients (4,).
    """
    scale = 1.0 / (components.noise * components.memory_steps)
    gram, moment = errors.gram * scale, errors.moment * scale
    own = np.linalg.inv(gram + np.linalg.inv(components.session))
    return gram - gram @ own @ gram, moment - gram @ own @ moment


def fit_components(
    people: Sequence[Sequence[SessionErrors]], memory_steps: float = MEMORY_STEPS
) -> VarianceComponents:
    """Fit variance components by EM.

    Args:
        people: For each person the errors of his sessions.
        memory_steps: Steps that count as one.

    Raises:
        ValueError: If no session has enough measured steps.
    """
    kept = [[e for e in own if e.steps >= FEWEST_STEPS] for own in people]
    kept = [own for own in kept if own]
    if not kept:
        raise ValueError(f"components need a session of at least {FEWEST_STEPS} measured steps")
    size = len(FEATURES)
    noise = float(np.mean([_residual_variance(e) for own in kept for e in own]))
    start = np.diag(np.square(START_SD))
    components = VarianceComponents(start, start, start, noise, memory_steps)
    for _ in range(ITERATIONS):
        sums = {name: np.zeros((size, size)) for name in ("person", "sport", "session")}
        counts = dict.fromkeys(sums, 0)
        for own in kept:
            _expectation(own, components, sums, counts)
        ridge = 1e-4 * np.eye(size)
        person, sport, session = (_symmetric(sums[name] / counts[name]) + ridge for name in sums)
        components = VarianceComponents(person, sport, session, noise, memory_steps)
    return components


def _expectation(
    own: Sequence[SessionErrors],
    components: VarianceComponents,
    sums: dict[str, Array],
    counts: dict[str, int],
) -> None:
    """Add one person's expected squares of the effects to ``sums``."""
    size = len(FEATURES)
    sports = sorted({errors.sport for errors in own})
    information = [
        [session_information(errors, components) for errors in own if errors.sport == sport]
        for sport in sports
    ]
    mean, covariance = _posterior(
        components,
        [(sum(p for p, _ in each), sum(w for _, w in each)) for each in information],  # type: ignore[misc]
    )
    second = np.outer(mean, mean) + covariance
    sums["person"] += second[:size, :size]
    counts["person"] += 1
    scale = 1.0 / (components.noise * components.memory_steps)
    inverse = np.linalg.inv(components.session)
    for number, sport in enumerate(sports):
        part = slice(size * (number + 1), size * (number + 2))
        sums["sport"] += second[part, part]
        counts["sport"] += 1
        combine = _combination(number, len(sports))
        centre, spread = combine @ mean, combine @ covariance @ combine.T
        for errors in own:
            if errors.sport != sport:
                continue
            gram, moment = errors.gram * scale, errors.moment * scale
            own_covariance = np.linalg.inv(gram + inverse)
            effect = own_covariance @ (moment - gram @ centre)
            shift = own_covariance @ gram
            sums["session"] += np.outer(effect, effect) + own_covariance + shift @ spread @ shift.T
            counts["session"] += 1


def _posterior(
    components: VarianceComponents, information: Sequence[tuple[Array, Array]]
) -> tuple[Array, Array]:
    """Return mean and covariance of (a, b_1, ..., b_m) given information on each a + b_s."""
    size = len(FEATURES)
    total = size * (len(information) + 1)
    precision, weighted = np.zeros((total, total)), np.zeros(total)
    person = slice(0, size)
    precision[person, person] = np.linalg.inv(components.person)
    sport_precision = np.linalg.inv(components.sport)
    for number, (own, moment) in enumerate(information):
        part = slice(size * (number + 1), size * (number + 2))
        precision[part, part] += sport_precision
        for row in (person, part):
            weighted[row] += moment
            for column in (person, part):
                precision[row, column] += own
    covariance = np.asarray(np.linalg.inv(precision), dtype=np.float64)
    return covariance @ weighted, covariance


def _combination(number: int, sports: int) -> Array:
    """Return the matrix (4, 4 (m + 1)) that adds the person's and a sport's coefficients."""
    size = len(FEATURES)
    combine = np.zeros((size, size * (sports + 1)))
    combine[:, :size] = np.eye(size)
    combine[:, size * (number + 1) : size * (number + 2)] = np.eye(size)
    return combine


def _residual_variance(errors: SessionErrors) -> float:
    """Return the variance left within a session after its own regression."""
    gram = errors.gram + 1e-2 * np.eye(len(FEATURES))
    coefficients = np.linalg.solve(gram, errors.moment)
    left = (
        errors.square
        - 2.0 * coefficients @ errors.moment
        + coefficients @ errors.gram @ coefficients
    )
    return max(float(left) / errors.steps, 1e-3)


def _symmetric(matrix: Array) -> Array:
    symmetric: Array = 0.5 * (matrix + matrix.T)
    return symmetric
