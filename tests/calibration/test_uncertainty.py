"""Intervals and verdicts where the right answer is known."""

from dataclasses import replace

import numpy as np
import pytest

from fitgym.calibration import STAGES, FitSettings, calibrate
from fitgym.calibration.least_squares import BOUNDS, Fit, fit, predict
from fitgym.calibration.sessions import load_series
from fitgym.calibration.uncertainty import (
    BLOCK_SESSIONS,
    assess_estimates,
    bootstrap,
    sensitivity,
)

QUICK = FitSettings(starts=4)
NAMES = tuple(BOUNDS)


def fit_with(jacobian, **estimates):
    values = np.array([estimates.get(name, 0.5 if "decay" in name else 1.5) for name in NAMES])
    values[NAMES.index("fitness_exponent")] = estimates.get("fitness_exponent", 0.5)
    return Fit(None, values, np.empty(0), jacobian, (1.0,))


def verdicts(fitted, replications=()):
    found = assess_estimates(fitted, QUICK, np.asarray(replications), sensitivity(fitted, QUICK))
    return {estimate.name: estimate.verdict for estimate in found}


def test_verdicts_of_a_made_up_fit():
    generator = np.random.default_rng(0)
    jacobian = generator.normal(size=(400, 8))
    jacobian[:, NAMES.index("fatigue_exponent")] = 0.0
    twin = NAMES.index("baseline_performance")
    jacobian[:, twin] = 7.0 * jacobian[:, NAMES.index("fitness_utility")]
    jacobian[:, twin] += 0.01 * generator.normal(size=400)
    fitted = fit_with(jacobian, base_decay=1.0, fatigue_utility=0.0)
    replications = np.tile(fitted.estimates, (50, 1))
    replications[:, NAMES.index("fatigue_decay")] *= np.linspace(0.6, 1.4, 50)
    assert verdicts(fitted, replications) == {
        "fitness_decay": "identified",
        "fatigue_decay": "wide",
        "fitness_exponent": "identified",
        "fatigue_exponent": "no effect",
        "base_decay": "at upper bound",
        "fitness_utility": "sloppy",
        "fatigue_utility": "at lower bound",
        "baseline_performance": "sloppy",
    }
    assert verdicts(fitted)["fatigue_decay"] == "not assessed"  # no bootstrap, no width
    information = sensitivity(fitted, QUICK)
    largest = sorted(
        information.sloppy_direction, key=lambda n: -abs(information.sloppy_direction[n])
    )
    assert set(largest[:2]) == {"fitness_utility", "baseline_performance"}


def test_variance_inflation_of_orthogonal_and_correlated_columns():
    jacobian = np.eye(8)
    fitted = fit_with(jacobian)
    assert sensitivity(fitted, QUICK).condition_number == pytest.approx(1.0)
    jacobian[0, 1], jacobian[1, 1] = 0.6, 0.8  # correlation 0.6, so 1 / (1 - 0.36)
    inflation = sensitivity(fit_with(jacobian), QUICK).variance_inflation
    assert inflation["fitness_decay"] == pytest.approx(1.5625)
    assert inflation["fatigue_decay"] == pytest.approx(1.5625)
    assert inflation["fitness_exponent"] == pytest.approx(1.0)


def test_sensitivity_when_nothing_is_free():
    fitted = fit_with(np.zeros((40, 8)), base_decay=0.9)
    assert sensitivity(fitted, QUICK).sloppy_direction == {}
    assert set(verdicts(fitted).values()) == {"no effect"}


@pytest.mark.parametrize("stage", STAGES)
def test_bootstrap_covers_the_truth_and_shrinks_with_the_noise(marathon, known_parameters, stage):
    series = load_series(marathon, "session")
    known = known_parameters(series, stage)
    truth = np.array([getattr(known, name) for name in NAMES])
    noiseless = replace(series, performance=predict(series, stage, known))
    noise = np.random.default_rng(3).normal(size=series.performance.size)
    lengths = []
    for scale in (0.01, 0.1):
        noisy = replace(noiseless, performance=noiseless.performance + scale * noise)
        fitted = fit(noisy, stage, QUICK)
        found = bootstrap(noisy, stage, QUICK, fitted, 20)
        lengths.append(np.ptp(found, axis=0))
        # Twenty replications are few: their range widened by half covers all eight values.
        middle = (found.max(axis=0) + found.min(axis=0)) / 2
        assert np.all(np.abs(truth - middle) <= lengths[-1])
    assert np.all(lengths[1] > 3.0 * lengths[0])


def test_bootstrap_resamples_blocks_of_neighbouring_centred_residuals(marathon, monkeypatch):
    series = load_series(marathon, "session")
    count = int(series.training.sum())
    generator = np.random.default_rng(0)
    # Residuals that tell their rows apart, far from zero on average.
    prediction = generator.normal(40.0, 3.0, size=series.performance.size)
    shifted = replace(series, performance=prediction + generator.normal(5.0, 2.0, prediction.size))
    residuals = (shifted.performance - prediction)[series.training]
    centred = residuals - residuals.mean()
    targets = []

    def note(series, stage, settings, start, target):
        targets.append(target)
        return start

    monkeypatch.setattr("fitgym.calibration.uncertainty.refit", note)
    fitted = Fit(None, np.zeros(8), prediction, np.zeros((count, 8)), (1.0,))
    bootstrap(shifted, "acquisition", QUICK, fitted, 5)
    assert len(targets) == 5
    for target in targets:
        drawn = target - prediction[series.training]
        rows = np.abs(drawn[:, None] - centred).argmin(axis=1)
        np.testing.assert_allclose(drawn, centred[rows], atol=1e-9)
        follows = np.diff(rows) == 1
        within = np.arange(1, count) % 40 != 0
        assert follows[within].all()
        # Blocks start anywhere, so that hardly one follows the other by chance.
        assert follows[~within].mean() < 0.5


def test_intervals_hold_95_of_100_replications():
    fitted = fit_with(np.zeros((40, 8)))
    replications = np.tile(np.arange(1001.0)[:, None], (1, 8))
    replications = np.random.default_rng(0).permutation(replications)
    found = assess_estimates(fitted, QUICK, replications, sensitivity(fitted, QUICK))
    assert {estimate.interval for estimate in found} == {(25.0, 975.0)}


def test_bootstrap_is_reproducible(marathon):
    series = load_series(marathon, "session")
    fitted = fit(series, "retention", QUICK)
    first, second = (bootstrap(series, "retention", QUICK, fitted, 3) for _ in range(2))
    other = bootstrap(series, "retention", FitSettings(seed=1), fitted, 3)
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("stage", STAGES)
def test_blocks_are_longer_than_the_memory_of_the_residuals(marathon, stage):
    series = load_series(marathon, "session")
    fitted = fit(series, stage, QUICK)
    residuals = (series.performance - fitted.fitted)[series.training]
    residuals -= residuals.mean()

    def autocorrelation(lag):
        return float((residuals[:-lag] * residuals[lag:]).mean() / residuals.var())

    assert autocorrelation(7) > 0.2
    assert autocorrelation(BLOCK_SESSIONS) < 0.05


def test_estimates_at_a_bound_are_flagged_and_exactly_there(marathon):
    result = calibrate(marathon, "acquisition", settings=QUICK, replications=2)
    by_name = {estimate.name: estimate for estimate in result.estimates}
    # The base level of the marathon runner never decays: it is the largest session so far.
    assert by_name["base_decay"].value == 1.0
    assert by_name["base_decay"].verdict == "at upper bound"
    for estimate in result.estimates:
        at_bound = estimate.value in (estimate.low_bound, estimate.high_bound)
        assert at_bound == estimate.verdict.startswith("at ")
        assert getattr(result.parameters, estimate.name) == estimate.value
