"""Readers of training logs, recorded workouts and activities, and the records they return.

``read_log`` gives a ``TrainingLog`` (one row per session), ``read_activities`` the raw points of
activities, ``read_recordings`` workouts that are on the 10-second grid already. ``to_workout`` and
``to_session`` lead from raw points to a workout and to a row of a log.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from fitgym.logs.activity import Activity
from fitgym.logs.convert import to_session, to_workout
from fitgym.logs.endomondo import read_endomondo_activities
from fitgym.logs.recordings import read_recordings, write_recordings
from fitgym.logs.training_log import (
    LoggedSession,
    TrainingLog,
    load_marathon_log,
    read_training_log,
)
from fitgym.logs.workout import Workout

__all__ = [
    "Activity",
    "LoggedSession",
    "TrainingLog",
    "Workout",
    "load_marathon_log",
    "read_activities",
    "read_log",
    "read_recordings",
    "read_training_log",
    "to_session",
    "to_workout",
    "write_recordings",
]

# The readers of each kind, by the file's suffix.
_LOG_READERS = {".csv": read_training_log, ".tsv": read_training_log, ".txt": read_training_log}
_ACTIVITY_READERS = {".json": read_endomondo_activities}


def read_log(path: str | os.PathLike[str]) -> TrainingLog:
    """Read a training log in the format that the file's suffix tells.

    Args:
        path: A ``.csv``, ``.tsv`` or ``.txt`` file (see ``read_training_log``).

    Raises:
        OSError: If the file cannot be read.
        ValueError: If the suffix is another or the file is malformed.
    """
    return _LOG_READERS[_suffix("log", path, _LOG_READERS)](path)


def read_activities(path: str | os.PathLike[str]) -> Iterator[Activity]:
    """Yield the activities in a file, read in the format that its suffix tells.

    Args:
        path: A ``.json`` file of Endomondo workouts (see ``fitgym.logs.endomondo``).

    Raises:
        OSError: If the file cannot be read.
        ValueError: If the suffix is another or the file is malformed.
    """
    return _ACTIVITY_READERS[_suffix("file of activities", path, _ACTIVITY_READERS)](path)


def _suffix(what: str, path: str | os.PathLike[str], readers: Mapping[str, object]) -> str:
    suffix = Path(path).suffix.lower()
    if suffix not in readers:
        raise ValueError(f"a {what} must end in {' or '.join(readers)}, got {os.fspath(path)!r}")
    return suffix
