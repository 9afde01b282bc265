"""Write the shipped individual "marathon-runner": the calibration of the marathon log.

Run from the root of the repository: ``python scripts/make_marathon_runner.py``. It makes what
``fitgym calibrate`` writes to ``individual.json``, under the individual's own name.
"""

from __future__ import annotations

from pathlib import Path

from fitgym.calibration import (
    MARATHON_BENCHMARKS,
    STAGES,
    FitSettings,
    assess_sessions,
    calibrate,
    calibrated_individual,
)
from fitgym.logs import load_marathon_log
from fitgym.people.individual import Individual

TARGET = Path(__file__).parent.parent / "fitgym" / "data" / "individuals" / "marathon-runner.json"


def marathon_runner() -> Individual:
    """Return the runner of the log, calibrated in session time, both stages."""
    sessions = assess_sessions(load_marathon_log(), MARATHON_BENCHMARKS)
    fits = [
        calibrate(sessions, stage, "session", FitSettings(), replications=0) for stage in STAGES
    ]
    return calibrated_individual("marathon-runner", sessions, *fits)


if __name__ == "__main__":
    marathon_runner().to_file(TARGET)
    print(f"wrote {TARGET}")
