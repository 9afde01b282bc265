"""Write the individuals of version 1 to fitgym/data/individuals/.

python scripts/make_runners.py
"""

from importlib import resources
from pathlib import Path

import numpy as np

from fitgym.people.individual import Habit, Individual, Motivation, Physiology, load_individual
from fitgym.people.runners import (
    FATIGUE_EFFECT,
    TOLERANCE_SD,
    Response,
    habitual_base_level,
    stage_at_habits,
)

_COMMON = (
    "Decay times of 42 and 7 days (Banister and Calvert 1976); stocks are those that the habit "
    "leads to, and utilities in units of u = B_0^sigma are the same for everybody "
    "(fitgym.people.runners), so that the less one trains the more there is to gain."
)
RUNNERS = {
    "novice-runner": (
        "Ours. Somebody of VDOT 30 who runs now and then.",
        Physiology(vdot=30.0, resting_heart_rate=70.0, maximum_heart_rate=180.0),
        Habit(probability=0.2, median_trimp=7.0, log_sd=0.6, maximum_trimp=30.0),
        Motivation(failure_effect=0.2, fatigue_effect=FATIGUE_EFFECT, tolerance_sd=TOLERANCE_SD),
    ),
    "club-runner": (
        "Ours. A runner of VDOT 41 who trains three times a week.",
        Physiology(vdot=41.0, resting_heart_rate=55.0, maximum_heart_rate=185.0),
        Habit(probability=0.4, median_trimp=16.0, log_sd=0.6, maximum_trimp=60.0),
        Motivation(fatigue_effect=FATIGUE_EFFECT, tolerance_sd=TOLERANCE_SD),
    ),
    "competitive-runner": (
        "Ours. A runner of VDOT 60 between two seasons.",
        Physiology(vdot=60.0, resting_heart_rate=45.0, maximum_heart_rate=185.0),
        Habit(probability=0.5, median_trimp=28.0, log_sd=0.4, maximum_trimp=60.0),
        Motivation(
            reference_completion=0.30, fatigue_effect=FATIGUE_EFFECT, tolerance_sd=TOLERANCE_SD
        ),
    ),
}


def main() -> None:
    """Write the files."""
    folder = Path(str(resources.files("fitgym"))) / "data" / "individuals"
    for name, (source, physiology, habit, motivation) in RUNNERS.items():
        write(folder, name, source, physiology, habit, motivation)
    log = load_individual("marathon-runner")
    sessions = np.array([x for x in log.sessions_trimp if x > 0.0])
    # Three sessions in five days over the five years of the log.
    habit = Habit(
        probability=0.6,
        median_trimp=round(float(np.median(sessions)), 1),
        log_sd=round(float(np.log(sessions).std()), 2),
        maximum_trimp=round(float(sessions.max()), 1),
    )
    write(
        folder,
        "logged-runner",
        "Ours, with the sessions of the marathon log as habit. What least squares find in that log "
        "are responses from one session to the next, of the individual 'marathon-runner'; of a "
        "fitness that builds over weeks it says little (docs/calibration.md).",
        log.physiology,
        habit,
        Motivation(
            reference_completion=0.36, fatigue_effect=FATIGUE_EFFECT, tolerance_sd=TOLERANCE_SD
        ),
        log.sessions_trimp,
    )


def write(
    folder: Path,
    name: str,
    source: str,
    physiology: Physiology,
    habit: Habit,
    motivation: Motivation,
    sessions: tuple[float, ...] = (),
) -> None:
    """Write one individual."""
    base_level = round(habitual_base_level(habit), 1)
    stages = {
        stage: stage_at_habits(stage, physiology.vdot, habit, Response(), base_level)
        for stage in ("acquisition", "retention")
    }
    Individual(
        name=name,
        source=f"{source} {_COMMON}",
        physiology=physiology,
        habit=habit,
        motivation=motivation,
        sessions_trimp=sessions,
        **stages,
    ).to_file(folder / f"{name}.json")


if __name__ == "__main__":
    main()
