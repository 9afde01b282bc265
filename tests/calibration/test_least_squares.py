"""The fit against a slow simulation, known parameters and published errors."""

import math
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fitgym.calibration import STAGES, FitSettings, calibrate, calibrated_individual
from fitgym.calibration.least_squares import BOUNDS, fit, predict
from fitgym.calibration.references import accuracy, reference_predictions
from fitgym.calibration.sessions import load_series
from fitgym.calibration.simulation import simulate, steady_stock
from fitgym.model.dynamics import accumulate
from fitgym.people.individual import StageParameters, load_individual


def slow_simulation(x, retention, p):
    """The equations of the model written out once more, in plain Python."""
    sigma = p.base_scaling
    unit = p.initial_base_level**sigma
    base, stocks = p.initial_base_level, [p.initial_fitness, p.initial_fatigue]
    decays, exponents = (
        (p.fitness_decay, p.fatigue_decay),
        (p.fitness_exponent, p.fatigue_exponent),
    )
    result = []
    for session in x:
        for i in range(2):
            response = base**sigma * (session / base) ** exponents[i]
            kept = math.exp(-decays[i])
            if retention:
                stocks[i] = (unit + stocks[i]) ** kept * (unit + response) ** (1 - kept) - unit
            else:
                stocks[i] = kept * stocks[i] + response
        base = max(p.base_decay * max(base, session), 1.0)
        result.append(
            p.baseline_performance + p.fitness_utility * stocks[0] - p.fatigue_utility * stocks[1]
        )
    return np.array(result)


def parameters_of(**changes):
    values = {
        "fitness_decay": 0.05,
        "fatigue_decay": 0.15,
        "fitness_exponent": 0.6,
        "fatigue_exponent": 1.5,
        "base_decay": 0.98,
        "fitness_utility": 0.4,
        "fatigue_utility": 0.15,
        "base_scaling": 0.0,
        "baseline_performance": 36.0,
        "initial_base_level": 12.0,
        "initial_fitness": 3.0,
        "initial_fatigue": 2.0,
    }
    return StageParameters(**(values | changes))


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("scaling", [0.0, 0.5, 1.0])
def test_simulation_equals_a_slow_one(stage, scaling):
    x = np.random.default_rng(1).gamma(1.5, 12.0, size=200) * (np.arange(200) % 3 > 0)
    parameters = parameters_of(base_scaling=scaling)
    fast = simulate(x, stage == "retention", *asdict(parameters).values())
    np.testing.assert_allclose(fast[1:], slow_simulation(x, stage == "retention", parameters))
    assert fast[0] == pytest.approx(36.0 + 0.4 * 3.0 - 0.15 * 2.0)


@settings(deadline=None)
@given(retention=st.booleans(), response=st.floats(0.01, 100.0), decay_rate=st.floats(1 / 365, 3.0))
def test_steady_stock_is_a_fixed_point(retention, response, decay_rate):
    stock = steady_stock(retention, response, decay_rate)
    kept = math.exp(-decay_rate)
    assert accumulate(retention, stock, response, kept, 1.0) == pytest.approx(stock)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("time_base", ["session", "day"])
@pytest.mark.parametrize("scaling", [0.0, 1.0])
def test_least_squares_recovers_known_parameters(
    marathon, known_parameters, stage, time_base, scaling
):
    series = load_series(marathon, time_base)
    truth = known_parameters(series, stage, scaling)
    trajectory = slow_simulation(series.intensity_trimp, stage == "retention", truth)
    noiseless = replace(series, performance=trajectory[series.step])
    found = fit(noiseless, stage, FitSettings(base_scaling=scaling, starts=4))
    for name, value in asdict(truth).items():
        assert getattr(found.parameters, name) == pytest.approx(value, rel=1e-4), name
    assert accuracy(noiseless, found.fitted).test < 1e-6


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("estimate_baseline", [True, False])
def test_calibration_beats_the_train_mean_out_of_sample(marathon, stage, estimate_baseline):
    series = load_series(marathon, "session")
    errors = {
        name: accuracy(series, prediction)
        for name, prediction in reference_predictions(series).items()
    }
    assert errors["train mean"].train == pytest.approx(2.57, abs=0.005)
    assert errors["train mean"].test == pytest.approx(3.22, abs=0.005)
    assert errors["static curve"].train == pytest.approx(2.45, abs=0.005)
    assert errors["static curve"].test == pytest.approx(2.84, abs=0.005)
    found = fit(series, stage, FitSettings(estimate_baseline=estimate_baseline, starts=6))
    error = accuracy(series, found.fitted)
    assert error.train < errors["static curve"].train
    assert error.test < errors["static curve"].test < errors["train mean"].test
    if not estimate_baseline:
        assert found.parameters.baseline_performance == 0.0


def test_no_start_ends_below_the_best(marathon):
    series = load_series(marathon, "session")
    found = fit(series, "acquisition", FitSettings(starts=4))
    assert found.ends[0] == pytest.approx(accuracy(series, found.fitted).train, rel=1e-6)
    assert list(found.ends) == sorted(found.ends)
    for name, value in zip(BOUNDS, found.estimates.tolist(), strict=True):
        assert BOUNDS[name].low <= value <= BOUNDS[name].high


@pytest.mark.parametrize("stage", STAGES)
def test_one_ahead_does_not_see_the_session_itself(marathon, stage):
    series = load_series(marathon, "session")
    changed = series.intensity_trimp.copy()
    changed[500] += 50.0
    other = replace(series, intensity_trimp=changed)
    position = int(np.flatnonzero(series.step == 500)[0])
    for ahead, first_change in ((False, position), (True, position + 1)):
        before = predict(series, stage, parameters_of(), ahead=ahead)
        after = predict(other, stage, parameters_of(), ahead=ahead)
        assert int(np.flatnonzero(before != after)[0]) == first_change


def test_running_mean_does_not_see_the_session_itself(marathon):
    series = load_series(marathon, "session")
    performance = series.performance.copy()
    performance[1000] += 5.0  # a test session
    before = reference_predictions(series)["running mean"]
    after = reference_predictions(replace(series, performance=performance))["running mean"]
    assert int(np.flatnonzero(before != after)[0]) == 1001


def test_a_calibrated_person_is_an_individual(marathon):
    quick = FitSettings(starts=2)
    stages = [calibrate(marathon, stage, "day", quick) for stage in STAGES]
    person = calibrated_individual("me", marathon, *stages)
    assert person.acquisition == stages[0].parameters
    assert person.retention == stages[1].parameters
    assert person.physiology.vdot == 42.0
    assert len(person.sessions_trimp) == 1825
    with pytest.raises(ValueError, match="acquisition and a retention"):
        calibrated_individual("me", marathon, *stages[::-1])
    with pytest.raises(ValueError, match="one time base"):
        calibrated_individual(
            "me", marathon, stages[0], calibrate(marathon, "retention", "session", quick)
        )


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"base_scaling": 1.5}, "base_scaling"),
        ({"base_scaling": math.nan}, "base_scaling"),
        ({"starts": 0}, "starts"),
        ({"seed": -1}, "seed"),
    ],
)
def test_settings_are_checked(changes, name):
    with pytest.raises(ValueError, match=name):
        FitSettings(**changes)


def test_stage_and_replications_are_checked(marathon):
    with pytest.raises(ValueError, match="stage"):
        calibrate(marathon, "both")
    with pytest.raises(ValueError, match="replications"):
        calibrate(marathon, "acquisition", replications=-1)


def test_whatever_is_estimated_makes_an_individual():
    runner = load_individual("recreational-runner").acquisition
    for name, bound in BOUNDS.items():
        for value in (bound.low, bound.high):
            assert getattr(replace(runner, **{name: value}), name) == value
