"""Writers of recordings (FIT, TCX, GPX) and of a log as CSV, from workouts on the 10-second grid.

What is written reads back to the same session and heart rates, to rounding. Without positions of
their own, the points of a GPX file go due north in the middle of the Atlantic.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

import numpy as np

from fitgym.logs.endomondo import EARTH_RADIUS_KM
from fitgym.logs.training_log import LoggedSession
from fitgym.logs.words import sport_family
from fitgym.logs.workout import GRID_STEP_S, Workout

_TCX_SPORTS = {"run": "Running", "bike": "Biking"}
_FIT_SPORTS = {"run": 1, "bike": 2, "walk": 11, "hike": 17}
_CSV_SPORTS = {"run": "Running", "bike": "Cycling", "walk": "Walking", "hike": "Hiking"}
_LATITUDE, _LONGITUDE = 30.0, -40.0
_METRES_PER_DEGREE = 1000.0 * EARTH_RADIUS_KM * math.pi / 180.0


@dataclass(frozen=True)
class _Point:
    """A point of a recording; None where nothing was measured."""

    moment: datetime
    distance_m: float
    speed_m_s: float
    heart_rate_bpm: int | None
    altitude_m: float | None


def start_of(workout: Workout) -> datetime:
    """Return when a workout began, its days counted from 1970-01-01, as UTC to the second."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=round(86_400.0 * workout.day))


def tcx_text(workout: Workout, session: LoggedSession) -> str:
    """Return a workout as a TCX file.

    Args:
        workout: The course.
        session: Its distance and time.
    """
    start = _iso(start_of(workout))
    sport = _TCX_SPORTS.get(sport_family(workout.sport), "Other")
    points = "".join(
        f"<Trackpoint><Time>{_iso(point.moment)}</Time>"
        + (
            f"<AltitudeMeters>{point.altitude_m:.1f}</AltitudeMeters>"
            if point.altitude_m is not None
            else ""
        )
        + f"<DistanceMeters>{point.distance_m:.2f}</DistanceMeters>"
        + (
            f"<HeartRateBpm><Value>{point.heart_rate_bpm}</Value></HeartRateBpm>"
            if point.heart_rate_bpm is not None
            else ""
        )
        + f'<Extensions><TPX xmlns="http://www.garmin.com/xmlschemas/ActivityExtension/v2">'
        f"<Speed>{point.speed_m_s:.3f}</Speed></TPX></Extensions></Trackpoint>\n"
        for point in _points(workout, session)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<TrainingCenterDatabase xmlns="http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2">'
        f'\n<Activities><Activity Sport="{sport}"><Id>{start}</Id>\n<Lap StartTime="{start}">'
        f"<TotalTimeSeconds>{60.0 * session.minutes:.3f}</TotalTimeSeconds>"
        f"<DistanceMeters>{session.distance_m:.2f}</DistanceMeters><Calories>0</Calories>"
        "<Intensity>Active</Intensity><TriggerMethod>Manual</TriggerMethod>\n<Track>\n"
        f"{points}</Track></Lap></Activity></Activities></TrainingCenterDatabase>\n"
    )


def gpx_text(workout: Workout, session: LoggedSession) -> str:
    """Return a workout as a GPX file whose points go due north by its distance.

    Args:
        workout: The course.
        session: Its distance and time.
    """
    points = "".join(
        f'<trkpt lat="{_LATITUDE + point.distance_m / _METRES_PER_DEGREE:.8f}" lon="{_LONGITUDE}">'
        + (f"<ele>{point.altitude_m:.1f}</ele>" if point.altitude_m is not None else "")
        + f"<time>{_iso(point.moment)}</time><extensions><gpxtpx:TrackPointExtension>"
        + (
            f"<gpxtpx:hr>{point.heart_rate_bpm}</gpxtpx:hr>"
            if point.heart_rate_bpm is not None
            else ""
        )
        + f"<gpxtpx:speed>{point.speed_m_s:.3f}</gpxtpx:speed>"
        "</gpxtpx:TrackPointExtension></extensions></trkpt>\n"
        for point in _points(workout, session)
    )
    name = escape(workout.identifier)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<gpx version="1.1" creator="fitgym" xmlns="http://www.topografix.com/GPX/1/1" '
        'xmlns:gpxtpx="http://www.garmin.com/xmlschemas/TrackPointExtension/v2">\n'
        f"<trk><name>{name}</name><type>{_CSV_SPORTS.get(sport_family(workout.sport), 'Other')}"
        f"</type><trkseg>\n{points}</trkseg></trk></gpx>\n"
    )


def fit_bytes(workout: Workout, session: LoggedSession) -> bytes:
    """Return a workout as a FIT file.

    Args:
        workout: The course.
        session: Its distance and time.

    Raises:
        ImportError: If the ``watch`` extra is not installed.
    """
    from fit_tool.fit_file_builder import FitFileBuilder
    from fit_tool.profile.messages.activity_message import ActivityMessage
    from fit_tool.profile.messages.event_message import EventMessage
    from fit_tool.profile.messages.file_id_message import FileIdMessage
    from fit_tool.profile.messages.record_message import RecordMessage
    from fit_tool.profile.messages.session_message import SessionMessage
    from fit_tool.profile.profile_type import Event, EventType, FileType, Manufacturer, Sport

    start, points = _milliseconds(start_of(workout)), list(_points(workout, session))
    end, seconds = _milliseconds(points[-1].moment), 60.0 * session.minutes
    builder = FitFileBuilder(auto_define=True)
    identity = FileIdMessage()
    identity.type = FileType.ACTIVITY
    identity.manufacturer = Manufacturer.DEVELOPMENT.value
    identity.time_created = start
    builder.add(identity)
    for moment, kind in ((start, EventType.START), (end, EventType.STOP_ALL)):
        event = EventMessage()
        event.timestamp, event.event, event.event_type = moment, Event.TIMER, kind
        if kind is EventType.STOP_ALL:
            for point in points:
                record = RecordMessage()
                record.timestamp = _milliseconds(point.moment)
                record.distance, record.enhanced_speed = point.distance_m, point.speed_m_s
                record.speed = point.speed_m_s
                if point.heart_rate_bpm is not None:
                    record.heart_rate = point.heart_rate_bpm
                if point.altitude_m is not None:
                    record.enhanced_altitude = point.altitude_m
                builder.add(record)
        builder.add(event)
    summary = SessionMessage()
    summary.timestamp, summary.start_time = end, start
    summary.sport = Sport(_FIT_SPORTS.get(sport_family(workout.sport), 0))
    summary.total_elapsed_time = summary.total_timer_time = seconds
    summary.total_distance = session.distance_m
    builder.add(summary)
    activity = ActivityMessage()
    activity.timestamp, activity.num_sessions, activity.total_timer_time = end, 1, seconds
    activity.local_timestamp = end // 1000 - 631_065_600
    builder.add(activity)
    return bytes(builder.build().to_bytes())


def csv_text(rows: Iterable[tuple[datetime, str, LoggedSession]]) -> str:
    """Return sessions as a CSV log.

    Args:
        rows: Start, sport and session of each.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(("Activity Type", "Date", "Distance (km)", "Time (h:mm:ss)"))
    for start, sport, session in rows:
        hours, seconds = divmod(60.0 * session.minutes, 3600.0)
        minutes, seconds = divmod(seconds, 60.0)
        tenths = min(round(10.0 * seconds), 599)
        writer.writerow(
            (
                _CSV_SPORTS.get(sport_family(sport), sport),
                start.strftime("%Y-%m-%d %H:%M:%S"),
                f"{session.distance_m / 1000.0:.4f}",
                f"{hours:.0f}:{minutes:02.0f}:{tenths // 10:02d}.{tenths % 10}",
            )
        )
    return file.getvalue()


def _points(workout: Workout, session: LoggedSession) -> Iterator[_Point]:
    """Yield the points of a workout, on its grid and at its end."""
    start = start_of(workout)
    seconds = 60.0 * session.minutes
    last = len(workout) - 1
    times = [float(time) for time in workout.time_s if time < seconds]
    steps = np.diff([*times, max(seconds, times[-1])])
    covered = np.concatenate([[0.0], np.cumsum(workout.speed_m_s[: len(times)] * steps)])
    scale = session.distance_m / covered[-1] if covered[-1] > 0.0 else 1.0
    moments = list(enumerate(times))
    if seconds - times[-1] >= 1.0:
        moments.append((len(times), seconds))
    for index, time in moments:
        step = min(index, last)
        measured = bool(workout.valid[step]) and time == GRID_STEP_S * step
        yield _Point(
            moment=start + timedelta(seconds=round(time)),
            distance_m=float(scale * covered[index]),
            speed_m_s=float(workout.speed_m_s[step]),
            heart_rate_bpm=round(float(workout.heart_rate_bpm[step])) if measured else None,
            altitude_m=float(workout.altitude_m[step]) if workout.has_altitude else None,
        )


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _milliseconds(moment: datetime) -> int:
    return round(1000.0 * moment.timestamp())
