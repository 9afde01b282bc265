"""Write the people of the paper benchmark's activities, from a folder of open recordings.

    python scripts/make_activity_people.py RECORDINGS

The 2024 version of Fang, Lee and Wang has a walker, a person of mixed sports and a runner. These
are three people of openly licensed recordings; what is not recorded
is version 1's usual. Points of a workout are its internal load (Banister 1991), from heart rate,
over what a point of running costs, so that they need neither pace nor sport.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np

from fitgym.adherence.fitrec2 import TOLERATED_PER_POINT
from fitgym.logs.recordings import read_recordings
from fitgym.logs.workout import GRID_STEP_S, Workout
from fitgym.model.daniels import vdot
from fitgym.model.internal_load import load_rates
from fitgym.people.individual import Habit, Individual, Motivation, Physiology
from fitgym.people.runners import (
    FATIGUE_EFFECT,
    TOLERANCE_SD,
    Response,
    habitual_base_level,
    stage_at_habits,
)

# A maximum below this was not reached in the recordings; the usual one is taken then.
_LEAST_MAXIMUM_BPM = 170.0
_USUAL_MAXIMUM_BPM = 180.0
_RESTING_BPM = 60.0
_STEPS_A_MINUTE = round(60.0 / GRID_STEP_S)
_LEAST_KM = 3.0


@dataclass(frozen=True)
class Recorded:
    """Whose recordings make an individual.

    Attributes:
        user: In the recordings.
        source: Where they come from.
        vdot: Where no run tells it.
    """

    user: str
    source: str
    vdot: float | None


PEOPLE = {
    "walker": Recorded("u005", "walks of one person (Fitbit, Zenodo 53894, CC BY 4.0)", 35.0),
    "walker-who-runs": Recorded(
        "u000", "walks and runs of one person (Fitbit, Zenodo 53894, CC BY 4.0)", 35.0
    ),
    "recorded-runner": Recorded("u031", "runs of one person (rikluost, MIT licence)", None),
}


def main() -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("recordings", type=Path, help="folder as docs/predictor.md describes it")
    workouts = read_recordings(parser.parse_args().recordings)
    folder = Path(str(resources.files("fitgym_benchmarks"))) / "paper" / "people"
    for name, recorded in PEOPLE.items():
        own = [one for one in workouts if one.user == recorded.user]
        individual(name, recorded, own).to_file(folder / f"{name}.json")


def individual(name: str, recorded: Recorded, workouts: list[Workout]) -> Individual:
    """Return the individual that recordings tell of."""
    physiology = Physiology(
        vdot=recorded.vdot or best_vdot(workouts),
        resting_heart_rate=_RESTING_BPM,
        maximum_heart_rate=maximum(workouts),
    )
    points = points_of_days(workouts, physiology)
    span = 1 + int(max(one.day for one in workouts)) - int(min(one.day for one in workouts))
    habit = Habit(
        probability=round(min(len(points) / span, 0.95), 2),
        median_trimp=round(float(np.median(points)), 1),
        log_sd=round(float(np.log(points).std()), 2),
        maximum_trimp=round(float(points.max()), 1),
    )
    base_level = round(habitual_base_level(habit), 1)
    stages = {
        stage: stage_at_habits(stage, physiology.vdot, habit, Response(), base_level)
        for stage in ("acquisition", "retention")
    }
    told = "told by the runs" if recorded.vdot is None else "ours, since nothing tells it"
    return Individual(
        name=name,
        source=f"{len(workouts)} {recorded.source} on {len(points)} of {span} days; points by "
        f"heart rate; VDOT is {told}; response and tolerance are version 1's usual.",
        physiology=physiology,
        habit=habit,
        motivation=Motivation(fatigue_effect=FATIGUE_EFFECT, tolerance_sd=TOLERANCE_SD),
        **stages,
    )


def best_vdot(workouts: list[Workout]) -> float:
    """Return the best VDOT of any run of at least three kilometres."""
    found = []
    for one in workouts:
        metres = float(one.speed_m_s.sum() * GRID_STEP_S)
        if one.sport == "run" and metres >= 1000.0 * _LEAST_KM:
            found.append(float(vdot(metres, len(one.speed_m_s) / _STEPS_A_MINUTE)))
    return round(max(found), 1)


def maximum(workouts: list[Workout]) -> float:
    """Return the highest mean heart rate of a minute, or the usual maximum if that is low."""
    kernel = np.full(_STEPS_A_MINUTE, 1.0 / _STEPS_A_MINUTE)
    highest = max(
        float(np.convolve(one.heart_rate_bpm, kernel, mode="valid").max())
        for one in workouts
        if one.valid.all()
    )
    return round(highest) if highest >= _LEAST_MAXIMUM_BPM else _USUAL_MAXIMUM_BPM


def points_of_days(workouts: list[Workout], physiology: Physiology) -> np.ndarray:
    """Return the points of every day with a workout."""
    days: dict[int, float] = defaultdict(float)
    for one in workouts:
        rates = load_rates(
            one.heart_rate_bpm[one.valid],
            physiology.resting_heart_rate,
            physiology.maximum_heart_rate,
            False,
        )
        # What was not measured counts as the mean of what was.
        minutes = len(one.heart_rate_bpm) / _STEPS_A_MINUTE
        days[int(one.day)] += float(rates.mean()) * minutes / TOLERATED_PER_POINT
    return np.array([max(points, 0.2) for points in days.values()])


if __name__ == "__main__":
    main()
