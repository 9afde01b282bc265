"""Readers of training logs and recorded workouts, and the records they return.

``read`` takes files, folders and archives of one person (FIT, TCX, GPX, tables) and returns a
``History``: sessions, workouts, and the report of what was read. ``read_activities`` gives the raw
points of activities, ``read_recordings`` workouts that are on the 10-second grid already.
``to_workout`` and ``to_session`` lead from raw points to a workout and to a row of a log.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from fitgym.logs.activity import Activity
from fitgym.logs.convert import to_session, to_workout
from fitgym.logs.endomondo import read_endomondo_activities
from fitgym.logs.fit_file import read_fit
from fitgym.logs.history import History, LeftOut, PartialSession, ReadingReport
from fitgym.logs.options import ReadingOptions
from fitgym.logs.reading import load_marathon_log, read, reading_table
from fitgym.logs.recordings import read_recordings, write_recordings
from fitgym.logs.sources import RECORDINGS, Source, sources_of
from fitgym.logs.training_log import LoggedSession, TrainingLog
from fitgym.logs.workout import Workout
from fitgym.logs.xml_files import read_gpx, read_tcx

__all__ = [
    "Activity",
    "History",
    "LeftOut",
    "LoggedSession",
    "PartialSession",
    "ReadingOptions",
    "ReadingReport",
    "TrainingLog",
    "Workout",
    "load_marathon_log",
    "read",
    "read_activities",
    "read_recordings",
    "reading_table",
    "to_session",
    "to_workout",
    "write_recordings",
]

_RECORDING_READERS = {".fit": read_fit, ".tcx": read_tcx, ".gpx": read_gpx}


def read_activities(path: str | os.PathLike[str], *, positions: bool = False) -> Iterator[Activity]:
    """Yield the activities in a file, folder or archive as raw points.

    Args:
        path: A ``.json`` file of Endomondo workouts (see ``fitgym.logs.endomondo``), or recordings
            in FIT, TCX or GPX. Of a folder or archive, other files are passed over.
        positions: Whether to keep latitude and longitude.

    Raises:
        OSError: If a file cannot be read.
        ValueError: If a file is malformed, or of another kind.
    """
    if Path(path).suffix.lower() == ".json":
        yield from read_endomondo_activities(path)
        return
    for source in sources_of(Path(path)):
        if isinstance(source, Source) and source.kind in RECORDINGS:
            reader = _RECORDING_READERS[source.kind]
            for recorded in reader(source.read(), source.name, positions=positions):
                if recorded.activity is not None:
                    yield recorded.activity
