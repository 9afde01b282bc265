"""What a calibration says in words follows from its errors."""

from fitgym.calibration import FitSettings, calibrate, calibration_table


def test_findings_follow_from_the_errors(marathon):
    result = calibrate(marathon, "acquisition", settings=FitSettings(starts=4))
    with_session, one_ahead = result.findings()
    assert "leakage" in with_session
    assert "beat the train mean" in with_session
    assert "beat the static curve (" in with_session
    assert "equal the static curve and trend" in with_session
    assert "without leakage" in one_ahead
    assert "lose to the running mean" in one_ahead
    table = calibration_table(result)
    assert with_session in table
    assert "at upper bound" in table
