"""Input shared by the actions of ``fitgym predictor``: usable recordings and torch's threads."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fitgym.common.validation import require_count

if TYPE_CHECKING:
    from fitgym.logs.workout import Workout

_MOST_NAMES = 10


def read_measured_recordings(folder: Path) -> list[Workout]:
    """Return the recordings in a folder that hold heart rate; name on stderr those that do not.

    Args:
        folder: ``workouts.csv`` and ``samples.csv`` as ``fitgym.logs.recordings`` describes them,
            or FIT, TCX and GPX files of one person, or a folder of these for each person.

    Raises:
        OSError: If a file is missing or unreadable.
        ValueError: If a file is malformed, or no workout holds heart rate.
    """
    from fitgym.logs.recordings import read_recordings

    tables = ("workouts.csv", "samples.csv", "samples.csv.gz")
    if folder.is_dir() and not any((folder / name).exists() for name in tables):
        return choose_measured(_read_files(folder), folder)
    return choose_measured(read_recordings(folder), folder)


def _read_files(folder: Path) -> list[Workout]:
    """Return the workouts in files as watches write them, each person's in a folder or all in one.

    Raises:
        OSError: If a file is unreadable.
        ValueError: If there are none.
    """
    from fitgym.logs.options import ReadingOptions
    from fitgym.logs.reading import read
    from fitgym.logs.sources import RECORDINGS

    names = [path.name.lower().removesuffix(".gz") for path in folder.iterdir() if path.is_file()]
    alone = any(name.endswith(RECORDINGS) for name in names)
    people = [folder] if alone else sorted(path for path in folder.iterdir() if path.is_dir())
    workouts: list[Workout] = []
    for person in people:
        found = read(person, options=ReadingOptions(sport="all")).workouts
        workouts += [
            replace(workout, user=person.name, identifier=f"{person.name}/{workout.identifier}")
            for workout in found
        ]
    if not workouts:
        raise ValueError(
            f"{folder} holds no recordings: it must hold workouts.csv and samples.csv "
            "(docs/predictor.md, 'The form of a folder'), FIT, TCX or GPX files of one person, or "
            "a folder of these for each person"
        )
    print(
        f"read {len(workouts)} recordings of {len(people)} "
        f"{'person' if len(people) == 1 else 'people'} from {folder}",
        file=sys.stderr,
    )
    return workouts


def choose_measured(workouts: list[Workout], folder: Path) -> list[Workout]:
    """Return the workouts that hold heart rate; name on stderr those that do not.

    Raises:
        ValueError: If no workout holds heart rate.
    """
    from fitgym.predictor.datasets import is_measured

    usable = [workout for workout in workouts if is_measured(workout)]
    if not usable:
        raise ValueError(
            f"none of the {len(workouts)} workouts in {folder} has measured heart rate"
        )
    tell_left_out(
        "without measured heart rate",
        (workout.identifier for workout in workouts if not is_measured(workout)),
        len(workouts),
    )
    tell_sports(usable)
    return usable


def tell_left_out(reason: str, names: Iterable[str], total: int) -> None:
    """Say on standard error how many workouts are left out, why, and which."""
    left_out = list(names)
    if left_out:
        shown = ", ".join(left_out[:_MOST_NAMES])
        more = f" and {len(left_out) - _MOST_NAMES} more" if len(left_out) > _MOST_NAMES else ""
        print(
            f"left out {len(left_out)} of {total} workouts {reason}: {shown}{more}", file=sys.stderr
        )


def tell_sports(workouts: Iterable[Workout]) -> None:
    """Say on standard error which sports the predictors do not know."""
    from fitgym.predictor.channels import sport_family

    others = Counter(
        workout.sport
        for workout in workouts
        if sport_family(workout.sport) == "other" and workout.sport != "other"
    )
    if others:
        counted = ", ".join(f"{sport} ({number})" for sport, number in sorted(others.items()))
        print(f"sports the predictors do not know: {counted}", file=sys.stderr)


def use_threads(threads: int) -> None:
    """Let torch compute with as many threads as ``--threads`` says."""
    require_count("--threads", threads, high=1024)
    from fitgym.predictor.threads import set_threads

    set_threads(threads)
