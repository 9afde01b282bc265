"""The runner's log: tables 1 and 2, figures 6 and 7."""

from __future__ import annotations

from fitgym.calibration import (
    MARATHON_BENCHMARKS,
    STAGES,
    Calibration,
    FitSettings,
    assess_sessions,
    calibrate,
    plan_grid,
)
from fitgym.logs import load_marathon_log
from fitgym.model.daniels import Zone, benchmark_paces
from fitgym.people.individual import DEFAULT_PLANS_TRIMP
from fitgym_benchmarks.paper.budgets import Budget
from fitgym_benchmarks.paper.claims import Claim, Verdict, verdict_of
from fitgym_benchmarks.paper.exhibits import Drawing, Exhibit, ResultTable
from fitgym_benchmarks.report import figures
from fitgym_benchmarks.report.report import Log

# Rows of the log, from 1, that the paper takes as marathons, and the VDOT that it gives them.
_MARATHONS = {225: 48, 359: 41, 615: 39, 745: 46, 1107: 42}
_LARGEST_TRIMP = 122.5
_WHERE = "the runner's log"


def read_log(budget: Budget) -> Log:
    """Return the marathon runner's log with its calibrations, bootstrapped as the budget says."""
    sessions = assess_sessions(load_marathon_log(), MARATHON_BENCHMARKS)
    settings = FitSettings(starts=budget.starts)
    return Log(
        sessions,
        tuple(
            calibrate(sessions, stage, settings=settings, replications=budget.replications)
            for stage in STAGES
        ),
    )


def table_1(log: Log) -> Exhibit:
    """Return the benchmark paces."""
    performance = log.sessions.performance
    found = {row: float(performance[row - 1]) for row in _MARATHONS}
    letters = [
        zone.letter for zone in (Zone.MARATHON, Zone.THRESHOLD, Zone.INTERVAL, Zone.REPETITION)
    ]
    year_of = {vdot: year for year, vdot in MARATHON_BENCHMARKS.items()}
    rows = [
        (
            f"{year_of[float(stated)]}",
            f"{row}",
            f"{found[row]:.2f}",
            f"{stated}",
            *(f"{pace:.3f}" for pace in benchmark_paces(float(stated))),
        )
        for row, stated in _MARATHONS.items()
    ]
    agree = sum(int(value) == _MARATHONS[row] for row, value in found.items())
    return Exhibit(
        number="Table 1",
        title="Benchmark paces",
        text=(
            "Paces of Daniels' zones, minutes per mile, at the VDOT of each year's marathon. The "
            "paces are those of Daniels' tables; the text of the paper that we have lost the "
            "numbers of its Table 1, so that they cannot be laid beside them.",
        ),
        claims=(
            Claim(
                _WHERE,
                "The five marathons correspond to a VDOT of 48, 41, 39, 46 and 42.",
                "VDOT by Daniels and Gilbert's formula, rounded down, is the one stated.",
                f"{agree} of {len(found)} agree",
                verdict_of(agree == len(found)),
            ),
        ),
        tables=(
            ResultTable(
                "table-1-paces",
                "Benchmark paces (min/mile)",
                ("benchmark of", "row of the marathon", "VDOT by formula", "VDOT stated", *letters),
                tuple(rows),
            ),
        ),
    )


def table_2(log: Log) -> Exhibit:
    """Return the estimates of both stages."""
    rows = []
    for calibration in log.calibrations:
        for estimate in calibration.estimates:
            interval = estimate.interval
            rows.append(
                (
                    f"{calibration.stage} {estimate.name.replace('_', ' ')}",
                    f"{estimate.value:.4g}",
                    "-" if interval is None else f"{interval[0]:.4g} to {interval[1]:.4g}",
                    estimate.verdict,
                    "not available",
                )
            )
    verdicts = [
        estimate.verdict for calibration in log.calibrations for estimate in calibration.estimates
    ]
    errors = []
    for calibration in log.calibrations:
        for name, error in calibration.accuracy.items():
            errors.append(
                (f"{calibration.stage}, {name}", f"{error.train:.2f}", f"{error.test:.2f}")
            )
    replications = log.calibrations[0].replications
    return Exhibit(
        number="Table 2",
        title="Estimated parameters",
        text=(
            "Nonlinear least squares on the first 80 % of the sessions, as in the paper, with "
            f"{replications} bootstrap replications. The numbers of the paper's Table 2 are not in "
            "the text that we have, so ours stand alone. Intensity is made from the pace of the "
            "session whose performance is explained, so part of every fit is leakage.",
        ),
        claims=(
            Claim(
                _WHERE,
                "Seven parameters of the runner can be estimated from the log.",
                "Open: the paper gives no intervals. Beside it stands how many of ours are called "
                "identified.",
                f"{verdicts.count('identified')} of {len(verdicts)} of ours are identified",
                Verdict.OPEN,
            ),
        ),
        tables=(
            ResultTable(
                "table-2-estimates",
                "Our estimates",
                ("parameter", "estimate", "95 % interval", "verdict", "the paper's"),
                tuple(rows),
            ),
            ResultTable(
                "table-2-errors",
                "Root mean square error (VDOT)",
                ("predictor", "fitted part", "test part"),
                tuple(errors),
            ),
        ),
    )


def figure_6(log: Log) -> Exhibit:
    """Return the intensity of every session."""
    sessions = log.sessions
    intensity = sessions.intensity_trimp
    low, high = float(intensity.min()), float(intensity.max())
    plans = plan_grid(intensity)
    return Exhibit(
        number="Figure 6",
        title="Practice intensity",
        text=(),
        claims=(
            Claim(
                _WHERE,
                f"Intensity varies from 0 to {_LARGEST_TRIMP} TRIMPs.",
                "Smallest and largest agree to a tenth of a point.",
                f"{low:.1f} to {high:.1f} in {len(sessions.log)} sessions (the paper counts 1128)",
                verdict_of(low == 0.0 and round(high, 1) == _LARGEST_TRIMP),
            ),
            Claim(
                _WHERE,
                "The ten plans follow the histogram of the intensities.",
                "The first ten edges of a histogram of Scott's width are the ten plans.",
                f"{', '.join(f'{plan:g}' for plan in plans)}",
                verdict_of(plans == DEFAULT_PLANS_TRIMP),
            ),
        ),
        drawings=(
            Drawing(
                "figure-6-intensity",
                "Intensity of every session",
                "Points (TRIMP) over the log's dates; the last fifth is the test part.",
                figures.session_series(
                    sessions.log.dates, intensity, log.first_test, "intensity (points)"
                ),
            ),
        ),
    )


def figure_7(log: Log) -> Exhibit:
    """Return observed and fitted performance."""
    return Exhibit(
        number="Figure 7",
        title="Practice performance",
        text=(
            "Performance is each session's own VDOT, as in the paper. Only races show all that a "
            "runner can do.",
        ),
        claims=tuple(_fit_claim(calibration) for calibration in log.calibrations),
        drawings=(
            Drawing(
                "figure-7-performance",
                "Performance in every session",
                "VDOT over the log's dates.",
                figures.session_series(
                    log.sessions.log.dates,
                    log.sessions.performance,
                    log.first_test,
                    "performance (VDOT)",
                ),
            ),
            *(
                Drawing(
                    f"figure-7-{calibration.stage}",
                    f"Fitted and observed performance, {calibration.stage}",
                    "The calibrated model over the log's dates; red was not fitted.",
                    figures.calibration_fit(calibration),
                )
                for calibration in log.calibrations
            ),
        ),
    )


def _fit_claim(calibration: Calibration) -> Claim:
    error = {name: one.test for name, one in calibration.accuracy.items()}
    return Claim(
        f"{_WHERE}, {calibration.stage}",
        "The fitted model describes the runner's performance.",
        "Open: the paper reports no error. Beside it stands the test error of the dynamics, of the "
        "train mean and of a curve without dynamics and with a trend.",
        f"{error['dynamics']:.2f}, {error['train mean']:.2f} and "
        f"{error['static curve and trend']:.2f} VDOT",
        Verdict.OPEN,
    )
