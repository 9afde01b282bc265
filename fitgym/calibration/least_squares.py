"""Nonlinear least squares of one stage: bounds, starts, fit."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from fitgym.calibration.sessions import LoadSeries
from fitgym.calibration.simulation import simulate, steady_stock
from fitgym.common.validation import require_choice, require_integer, require_number, require_seed
from fitgym.model.dynamics import MINIMUM_BASE_LEVEL, stimulus
from fitgym.people.individual import StageParameters

STAGES = ("acquisition", "retention")


@dataclass(frozen=True)
class Bound:
    """Range of a parameter, and range of its random starts.

    Attributes:
        low: Smallest allowed value.
        high: Largest allowed value.
        start_low: Smallest value of a random start.
        start_high: Largest value of a random start.
    """

    low: float
    high: float
    start_low: float
    start_high: float


# Ours, in the order in which they are estimated. Decay rates: time constants from a third of a
# step to a year. Exponents: concave and convex responses (Fang et al. 2022). The two utilities and
# the baseline are linear in the model, so a start takes their best values given the others.
BOUNDS = {
    "fitness_decay": Bound(1 / 365, 3.0, 0.005, 2.0),
    "fatigue_decay": Bound(1 / 365, 3.0, 0.005, 2.0),
    "fitness_exponent": Bound(0.05, 1.0, 0.1, 1.0),
    "fatigue_exponent": Bound(1.0, 3.0, 1.0, 2.5),
    "base_decay": Bound(0.5, 1.0, 0.9, 0.999),
    "fitness_utility": Bound(1e-6, 100.0, 0.0, 0.0),
    "fatigue_utility": Bound(0.0, 100.0, 0.0, 0.0),
    "baseline_performance": Bound(0.0, 60.0, 0.0, 0.0),
}
_NONLINEAR = 5
_LOGARITHMIC_STARTS = 2

# Ours: random points drawn for each start; descents from the best of them miss the best minimum
# less often.
_DRAWS_PER_START = 25


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """How a stage is fitted.

    Attributes:
        base_scaling: ``sigma`` in [0, 1], not estimated; 0 is the paper's reading.
        estimate_baseline: Whether ``p_0`` is estimated; otherwise it is 0, which leaves the
            paper's seven parameters.
        starts: Number of descents, at least 1; the best end is kept. They begin at the best of
            25 times as many random points.
        seed: Seed of the starts and of the bootstrap.
    """

    base_scaling: float = 0.0
    estimate_baseline: bool = True
    starts: int = 16
    seed: int = 0

    def __post_init__(self) -> None:
        require_number("base_scaling", self.base_scaling, 0.0, 1.0)
        require_integer("starts", self.starts, 1, 10_000)
        require_seed("seed", self.seed)

    @property
    def estimated(self) -> tuple[str, ...]:
        """Names of the estimated parameters."""
        return tuple(BOUNDS) if self.estimate_baseline else tuple(BOUNDS)[:-1]


@dataclass(frozen=True, eq=False)
class Fit:
    """The best parameters found.

    Attributes:
        parameters: All parameters of the stage, with the initial stocks that they imply.
        estimates: Values of the estimated ones, in the order of ``FitSettings.estimated``.
        fitted: Predicted performance of every observed session, shape (n,).
        jacobian: Derivatives of the training sessions' predictions by the estimates, shape
            (training sessions, estimated parameters).
        ends: Root mean square of the residuals at the end of each descent, sorted: how far they
            agree.
    """

    parameters: StageParameters
    estimates: npt.NDArray[np.float64]
    fitted: npt.NDArray[np.float64]
    jacobian: npt.NDArray[np.float64]
    ends: tuple[float, ...]


def _complete(
    estimates: npt.NDArray[np.float64], initial_level: float, stage: str, settings: FitSettings
) -> dict[str, float]:
    """Return all twelve parameters in the order of ``StageParameters``.

    Base level, fitness and fatigue start where training at ``initial_level``, the mean of the
    log's first six weeks, on and on would have brought them: no free parameters, no burn-in.
    """
    values = dict(zip(settings.estimated, estimates.tolist(), strict=True))
    scaling = settings.base_scaling
    base_level = max(initial_level, MINIMUM_BASE_LEVEL)
    initial = {
        f"initial_{stock}": steady_stock(
            stage == "retention",
            stimulus(initial_level, base_level, scaling, values[f"{stock}_exponent"]),
            values[f"{stock}_decay"],
        )
        for stock in ("fitness", "fatigue")
    }
    baseline = values.pop("baseline_performance", 0.0)
    return {
        **values,
        "base_scaling": scaling,
        "baseline_performance": baseline,
        "initial_base_level": base_level,
        **initial,
    }


def predict(
    series: LoadSeries, stage: str, parameters: StageParameters, *, ahead: bool = False
) -> npt.NDArray[np.float64]:
    """Return the predicted performance of every observed session.

    Args:
        series: The log on a time base.
        stage: ``"acquisition"`` or ``"retention"``.
        parameters: Parameters of the stage.
        ahead: Whether to predict from the sessions before each one only (x up to t-1) instead of
            with the session itself (x up to t).

    Returns:
        VDOT, shape (n,).
    """
    require_choice("stage", stage, STAGES)
    return _trajectory(series, stage, asdict(parameters))[series.step + (0 if ahead else 1)]


def _trajectory(
    series: LoadSeries, stage: str, parameters: dict[str, float]
) -> npt.NDArray[np.float64]:
    return simulate(series.intensity_trimp, stage == "retention", *parameters.values())


class _Problem:
    """Residuals of the training sessions as a function of the estimates."""

    def __init__(
        self, series: LoadSeries, stage: str, settings: FitSettings, ahead: bool = False
    ) -> None:
        self.series, self.stage, self.settings = series, stage, settings
        self.rows = (series.step + (0 if ahead else 1))[series.training]
        self.target = series.performance[series.training]
        bounds = [BOUNDS[name] for name in settings.estimated]
        self.low = np.array([bound.low for bound in bounds])
        self.high = np.array([bound.high for bound in bounds])

    def residuals(self, estimates: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        parameters = _complete(estimates, self.series.initial_level, self.stage, self.settings)
        return _trajectory(self.series, self.stage, parameters)[self.rows] - self.target

    def start(self, generator: np.random.Generator) -> npt.NDArray[np.float64]:
        """Draw the nonlinear parameters and solve for the linear ones."""
        from scipy.optimize import lsq_linear

        bounds = [BOUNDS[name] for name in self.settings.estimated[:_NONLINEAR]]
        low = np.array([bound.start_low for bound in bounds])
        high = np.array([bound.start_high for bound in bounds])
        share = generator.random(_NONLINEAR)
        drawn = low + share * (high - low)
        head = slice(_LOGARITHMIC_STARTS)
        drawn[head] = low[head] * (high[head] / low[head]) ** share[head]
        # The model is linear in the rest: its value at each unit vector is a column.
        units = np.eye(self.low.size - _NONLINEAR)
        columns = [self.residuals(np.concatenate([drawn, unit])) + self.target for unit in units]
        linear = lsq_linear(
            np.column_stack(columns),
            self.target,
            bounds=(self.low[_NONLINEAR:], self.high[_NONLINEAR:]),
        )
        return np.concatenate([drawn, linear.x])

    def solve(
        self, start: npt.NDArray[np.float64], target: npt.NDArray[np.float64] | None = None
    ) -> tuple[npt.NDArray[np.float64], float, npt.NDArray[np.float64]]:
        """Return estimates, sum of squared residuals and Jacobian reached from ``start``."""
        from scipy.optimize import least_squares

        shift = np.zeros_like(self.target) if target is None else self.target - target

        def residuals(estimates: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
            return self.residuals(estimates) + shift

        result = least_squares(
            residuals,
            start,
            bounds=(self.low, self.high),
            x_scale="jac",
            ftol=1e-10,
            xtol=1e-10,
            gtol=1e-10,
            max_nfev=500,
        )
        return result.x, 2.0 * float(result.cost), np.asarray(result.jac)


def fit(
    series: LoadSeries, stage: str, settings: FitSettings | None = None, *, ahead: bool = False
) -> Fit:
    """Estimate the parameters of a stage from the training sessions of a log.

    Nonlinear least squares (scipy's trust region reflective algorithm) within ``BOUNDS`` from
    the best of many random points. An estimate that can be moved to its bound at no cost is moved
    there, so that "at a bound" is exact.

    Args:
        series: The log on a time base.
        stage: ``"acquisition"`` or ``"retention"``.
        settings: How to fit; None for the defaults.
        ahead: Whether each session is explained by the sessions before it only.

    Returns:
        The best fit of all starts.

    Raises:
        ValueError: If ``stage`` is neither stage.
    """
    require_choice("stage", stage, STAGES)
    settings = settings or FitSettings()
    problem = _Problem(series, stage, settings, ahead)
    generator = np.random.default_rng(settings.seed)
    draws = [problem.start(generator) for _ in range(_DRAWS_PER_START * settings.starts)]
    draws.sort(key=lambda draw: float(np.sum(problem.residuals(draw) ** 2)))
    solutions = [problem.solve(draw) for draw in draws[: settings.starts]]
    estimates, cost, jacobian = min(solutions, key=lambda solution: solution[1])
    estimates = _snap_to_bounds(problem, estimates, cost)
    parameters = StageParameters(**_complete(estimates, series.initial_level, stage, settings))
    return Fit(
        parameters=parameters,
        estimates=estimates,
        fitted=predict(series, stage, parameters, ahead=ahead),
        jacobian=jacobian,
        ends=tuple(sorted((cost / problem.target.size) ** 0.5 for _, cost, _ in solutions)),
    )


def refit(
    series: LoadSeries,
    stage: str,
    settings: FitSettings,
    start: npt.NDArray[np.float64],
    target: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Return the estimates for other performances of the training sessions, from one start.

    Args:
        series: The log on a time base.
        stage: ``"acquisition"`` or ``"retention"``.
        settings: How to fit; its starts are not used.
        start: Estimates to start from.
        target: Performance of the training sessions, shape (training sessions,).
    """
    return _Problem(series, stage, settings).solve(start, target)[0]


def _snap_to_bounds(
    problem: _Problem, estimates: npt.NDArray[np.float64], cost: float
) -> npt.NDArray[np.float64]:
    """Return the estimates with those at a bound but for rounding put exactly on it.

    The algorithm stays inside the bounds and only approaches them. "But for rounding": within a
    hundredth of the allowed range, and without raising the cost by more than a millionth.
    """
    snapped = estimates.copy()
    for index, (low, high) in enumerate(zip(problem.low, problem.high, strict=True)):
        for bound in (low, high):
            candidate = snapped.copy()
            candidate[index] = bound
            near = abs(snapped[index] - bound) <= 0.01 * (high - low)
            if near and float(np.sum(problem.residuals(candidate) ** 2)) <= cost * (1.0 + 1e-6):
                snapped = candidate
    return snapped
