"""The training history of one person: what a reader returns for files, folders and archives."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from fitgym.logs.training_log import LoggedSession, TrainingLog
from fitgym.logs.workout import Workout


@dataclass(frozen=True)
class PartialSession:
    """A session of which only the day is sure: no rest day, though no row of a log.

    Attributes:
        date: The day.
        distance_m: Distance in metres, None where not known.
        minutes: Time in minutes, None where not known.
    """

    date: date
    distance_m: float | None = None
    minutes: float | None = None


@dataclass(frozen=True)
class LeftOut:
    """A row or file that was not used, and why.

    Attributes:
        source: File, and row or activity in it, for instance ``log.csv row 81``.
        reason: Why it was left out, in a few words that are the same for the same reason.
        detail: What it said, for instance the value that is out of range; may be empty.
        session: What is known of it, where it tells of a session all the same.
    """

    source: str
    reason: str
    detail: str = ""
    session: PartialSession | None = None


@dataclass(frozen=True)
class ReadingReport:
    """What was read, how it was understood, and what was left out.

    Attributes:
        understood: Quantity and how it was read, for instance ``("distance", "column 'Distance',
            read as miles: median pace 8:40 min/mile")``; in the order of the table.
        left_out: Rows and files that were not used.
        notes: Sentences that the person should read, for instance on a gap of 500 days.
    """

    understood: tuple[tuple[str, str], ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class History:
    """Sessions and recorded workouts of one person, in order of time.

    Attributes:
        sessions: Runs with distance and time, from logs and recordings, each session once.
        workouts: Recorded workouts on the 10-second grid, of the sport asked for; their ``day``
            counts from 1970-01-01 in local time.
        report: What was read.
    """

    sessions: tuple[LoggedSession, ...]
    workouts: tuple[Workout, ...] = ()
    report: ReadingReport = field(default_factory=ReadingReport)

    def training_log(self, name: str = "log") -> TrainingLog:
        """Return the sessions as a training log.

        Raises:
            ValueError: If there is no session.
        """
        return TrainingLog.of(self.sessions, name)
