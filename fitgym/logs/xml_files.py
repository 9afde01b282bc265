"""Readers of TCX and GPX files, with the extensions of the usual vendors.

By the standard library and not by ``tcxreader`` and ``gpxpy``: the first knows one activity a file
and no pauses, the second takes ten times as long; the tests hold them against each other. Of a file
that is cut off, what comes before is read. A file with a document type is refused, for
entities can make gigabytes of a kilobyte.
"""

from __future__ import annotations

import io
import math
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from datetime import datetime
from xml.parsers import expat

import numpy as np

from fitgym.logs.recorded import Points, Recorded, to_recorded
from fitgym.logs.words import fold, sport_of, words

# Local names of elements, lower case, and the column that they are; the unit is the column's.
_EXTENSIONS = {
    "hr": "heart_rate_bpm",
    "heartrate": "heart_rate_bpm",
    "heart_rate": "heart_rate_bpm",
    "heartratebpm": "heart_rate_bpm",
    "cad": "cadence_rpm",
    "cadence": "cadence_rpm",
    "runcadence": "cadence_rpm",
    "power": "power_w",
    "poweringwatts": "power_w",
    "watts": "power_w",
    "speed": "speed_m_s",
}
_TCX_POINT = {
    "AltitudeMeters": "altitude_m",
    "DistanceMeters": "distance_m",
    "LatitudeDegrees": "latitude_deg",
    "LongitudeDegrees": "longitude_deg",
}
# Numbers that an app writes for the sport.
_GPX_TYPES = {"1": "bike", "4": "hike", "9": "run", "10": "walk"}

# Ours: a longer time between two tracks of a file is no pause of one activity.
_LONGEST_PAUSE_S = 1800.0
# Ours: a longer time between two segments of a track is none either.
_LONGEST_BREAK_S = 12 * 3600.0

_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d(?:[.,]\d+)?)\s*(Z|[+-]\d\d:?\d\d)?", re.ASCII
)


def read_tcx(content: bytes, source: str, *, positions: bool = False) -> list[Recorded]:
    """Return the activities of a TCX file.

    Args:
        content: The file.
        source: How to call it.
        positions: Whether to keep latitude and longitude.

    Raises:
        ValueError: If nothing of an activity can be read.
    """
    root, notes = _parse(content, source)
    if _local(root) != "TrainingCenterDatabase":
        raise ValueError(f"{source}: is no TCX file: its root is <{_local(root)}>")
    activities = [element for element in root.iter() if _local(element) == "Activity"]
    points = [_tcx_points(element, source) for element in activities]
    if points and points[-1].time_s.size and any("cut off" in note for note in notes):
        # A lap tells its whole before its points, of which only some are there.
        points[-1].told_distance_m = points[-1].told_moving_s = math.nan
    return _all(points, source, notes, positions)


def read_gpx(content: bytes, source: str, *, positions: bool = False) -> list[Recorded]:
    """Return the activities of a GPX file, one a track; tracks that follow each other are one.

    Args:
        content: The file.
        source: How to call it.
        positions: Whether to keep latitude and longitude.

    Raises:
        ValueError: If nothing of an activity can be read.
    """
    root, notes = _parse(content, source)
    if _local(root) != "gpx":
        raise ValueError(f"{source}: is no GPX file: its root is <{_local(root)}>")
    tracks = [element for element in root if _local(element) == "trk"]
    if not tracks:
        raise ValueError(f"{source}: holds no track, only a route or places: give the recording")
    points = [part for element in tracks for part in _gpx_points(element, source)]
    return _all(_joined(points), source, notes, positions)


def _all(
    activities: list[Points], source: str, notes: list[str], positions: bool
) -> list[Recorded]:
    recorded, problems = [], []
    for number, points in enumerate(activities, start=1):
        if len(activities) > 1:
            points.source = f"{source} activity {number}"
        points.notes += notes
        try:
            recorded.append(to_recorded(points, positions=positions))
        except ValueError as error:
            problems.append(str(error))
    if not recorded:
        told = "; ".join(dict.fromkeys(problems)) or "holds no activity: give the recording"
        raise ValueError(f"{source}: {told}")
    return recorded


def _joined(tracks: list[Points]) -> list[Points]:
    """Return tracks, those that follow each other within a pause as segments of one activity."""
    joined: list[Points] = []
    for track in tracks:
        before = joined[-1] if joined else None
        if before is not None and before.sport == track.sport and _follows(before, track):
            names = set(before.columns) | set(track.columns)
            nothing, nothing_more = (np.full(t.time_s.size, np.nan) for t in (before, track))
            before.columns = {
                name: np.concatenate(
                    [before.columns.get(name, nothing), track.columns.get(name, nothing_more)]
                )
                for name in sorted(names)
            }
            assert before.segment is not None
            assert track.segment is not None
            last = float(before.segment[-1]) + 1.0
            before.segment = np.concatenate([before.segment, track.segment + last])
            before.time_s = np.concatenate([before.time_s, track.time_s])
        else:
            joined.append(track)
    return joined


def _follows(before: Points, after: Points) -> bool:
    if not (np.isfinite(before.time_s).any() and np.isfinite(after.time_s).any()):
        return False
    gap = float(np.nanmin(after.time_s) - np.nanmax(before.time_s))
    return 0.0 <= gap <= _LONGEST_PAUSE_S


def _tcx_points(activity: ElementTree.Element, source: str) -> Points:
    rows: list[dict[str, float]] = []
    timer, distance, told = 0.0, 0.0, math.nan
    segment = 0
    for lap in activity:
        if _local(lap) != "Lap":
            continue
        for part in lap:
            name = _local(part)
            if name == "TotalTimeSeconds":
                timer += max(0.0, _number(part.text))
            elif name == "DistanceMeters":
                distance += max(0.0, _number(part.text))
            elif name == "Track":
                for point in part:
                    if _local(point) == "Trackpoint":
                        rows.append(_tcx_point(point, segment))
                segment += 1
        if math.isnan(told):
            told = _unix_time(lap.get("StartTime"))[0]
    points = _points(rows, source, _named_sport(activity.get("Sport")))
    # Laps follow each other without a pause; only the timer tells of those.
    points.segment = None
    points.told_start = told
    points.told_distance_m = distance if distance > 0.0 else math.nan
    points.told_moving_s = timer if timer > 0.0 else math.nan
    if not rows:
        points.told_elapsed_s = points.told_moving_s
    return points


def _tcx_point(point: ElementTree.Element, segment: int) -> dict[str, float]:
    row = {"segment": float(segment)}
    for element in point.iter():
        tag = element.tag
        name = tag[tag.rfind("}") + 1 :] if isinstance(tag, str) else ""
        if name == "Time":
            row["time_s"], row["offset_s"] = _unix_time(element.text)
        elif name in _TCX_POINT:
            row[_TCX_POINT[name]] = _number(element.text)
        elif name == "HeartRateBpm":
            value = element.text if element.text and element.text.strip() else None
            children = [child.text for child in element]
            row["heart_rate_bpm"] = _number(value or (children[0] if children else None))
        elif (column := _EXTENSIONS.get(name.lower())) is not None and column not in row:
            row[column] = _number(element.text)
    return row


def _gpx_points(track: ElementTree.Element, source: str) -> Iterator[Points]:
    """Yield the points of a track; segments that begin a day later are another activity."""
    rows: list[dict[str, float]] = []
    told = {_local(element): (element.text or "").strip() for element in track}
    # Some apps write no type, but begin the name with the sport.
    first = (told.get("name") or "-").split()[0]
    kind = told.get("type") or (first if fold(first) in words().sports else None)
    sport = _GPX_TYPES.get(kind or "") or _named_sport(kind)
    segments = [element for element in track if _local(element) == "trkseg"]
    last = math.nan
    for segment, element in enumerate(segments):
        begun = len(rows)
        for point in element:
            if _local(point) != "trkpt":
                continue
            row = {
                "segment": float(segment),
                "latitude_deg": _number(point.get("lat")),
                "longitude_deg": _number(point.get("lon")),
            }
            for part in point.iter():
                tag = part.tag
                name = tag[tag.rfind("}") + 1 :].lower() if isinstance(tag, str) else ""
                if name == "time" and "time_s" not in row:
                    row["time_s"], row["offset_s"] = _unix_time(part.text)
                elif name == "ele":
                    row["altitude_m"] = _number(part.text)
                elif (column := _EXTENSIONS.get(name)) is not None:
                    value = _number(part.text)
                    if not math.isnan(value) or column not in row:
                        row[column] = value
            rows.append(row)
        times = [time for row in rows[begun:] if (time := row.get("time_s", math.nan)) > 0.0]
        if times and times[0] - last > _LONGEST_BREAK_S:
            yield _points(rows[:begun], source, sport)
            rows = rows[begun:]
        last = times[-1] if times else last
    if rows:
        yield _points(rows, source, sport)


def _points(rows: list[dict[str, float]], source: str, sport: str | None) -> Points:
    names = {name for row in rows for name in row}
    columns = {
        name: np.array([row.get(name, math.nan) for row in rows])
        for name in sorted(names - {"time_s", "offset_s"})
    }
    segment = columns.pop("segment", None)
    time_s = np.array([row.get("time_s", math.nan) for row in rows])
    offsets = {row["offset_s"] for row in rows if not math.isnan(row.get("offset_s", math.nan))}
    return Points(
        source,
        sport,
        time_s,
        columns,
        segment,
        offset_s=offsets.pop() if len(offsets) == 1 else None,
    )


def _named_sport(name: str | None) -> str | None:
    """Return the sport of a name, None where it is none; of ``Other`` nothing is known."""
    if not name or not name.strip():
        return None
    return sport_of(name.strip())


def _local(element: ElementTree.Element) -> str:
    tag = element.tag
    return tag[tag.rfind("}") + 1 :] if isinstance(tag, str) else ""


def _number(text: str | None) -> float:
    try:
        value = float(text) if text else math.nan
    except ValueError:
        try:
            value = float((text or "").strip().replace(",", "."))
        except ValueError:
            return math.nan
    return value if math.isfinite(value) else math.nan


def _unix_time(text: str | None) -> tuple[float, float]:
    """Return Unix time, and local time minus UTC where it is told; both NaN without a time.

    A time without a zone counts as UTC.
    """
    match = _TIME.search(text or "")
    if match is None:
        return math.nan, math.nan
    year, month, day, hour, minute = (int(part) for part in match.groups()[:5])
    seconds = float(match[6].replace(",", "."))
    try:
        days = datetime(year, month, day).toordinal() - _EPOCH_DAY
    except ValueError:
        return math.nan, math.nan
    total = 86_400.0 * days + 3600.0 * hour + 60.0 * minute + seconds
    zone = match[7]
    if zone is None or zone == "Z":
        return total, math.nan
    digits = zone[1:].replace(":", "")
    offset = 3600.0 * int(digits[:2]) + 60.0 * int(digits[2:])
    offset = -offset if zone[0] == "-" else offset
    # Zero is how many devices write UTC, whatever the clock on the wall.
    return total - offset, offset if offset else math.nan


_EPOCH_DAY = datetime(1970, 1, 1).toordinal()


def _parse(content: bytes, source: str) -> tuple[ElementTree.Element, list[str]]:
    """Return the root of an XML file, and what is wrong with it; of a broken one, the beginning."""
    content = content.lstrip(b" \t\r\n")
    best: tuple[int, ElementTree.Element, str] | None = None
    for attempt in _repairs(content):
        _refuse_document_type(attempt, source)
        root, size, problem = _tree(attempt)
        if root is not None and not problem:
            notes = [] if attempt is content else ["is no valid XML: read after repair"]
            return root, notes
        if root is not None and (best is None or size > best[0]):
            best = (size, root, problem)
    if best is None:
        raise ValueError(f"{source}: is no XML")
    return best[1], [f"damaged or cut off ({best[2]}): read up to there"]


def _repairs(content: bytes) -> Iterator[bytes]:
    yield content
    text = content.decode("utf-8", "replace")
    text = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", text)
    # Without their prefixes, names need no declared namespace.
    text = re.sub(r"<(/?)[\w.-]+:", r"<\1", text)
    text = re.sub(r"\s(?!xmlns)[\w.-]+:([\w.-]+\s*=)", r" \1", text)
    text = re.sub(r"\sxmlns:[\w.-]+\s*=\s*(?:\"[^\"]*\"|'[^']*')", "", text)
    text = re.sub(r"&(?![a-zA-Z]+;|#)", "&amp;", text)
    text = re.sub(r"^<\?xml[^>]*\?>", "", text)
    yield text.encode()


def _tree(content: bytes) -> tuple[ElementTree.Element | None, int, str]:
    """Return the root, the number of elements, and what the parser says of a broken file."""
    try:
        return ElementTree.fromstring(content), 0, ""
    except (LookupError, ValueError, ElementTree.ParseError):
        pass
    # Element by element, what comes before the fault is kept.
    root, size = None, 0
    try:
        for _, element in ElementTree.iterparse(io.BytesIO(content), events=("start",)):
            size += 1
            if root is None:
                root = element
    except ElementTree.ParseError as error:
        return root, size, str(error)
    except (LookupError, ValueError) as error:
        return None, 0, str(error)
    return root, size, ""


class _Begun(Exception):
    """The root of an XML file has begun, so that no document type can come."""


def _refuse_document_type(content: bytes, source: str) -> None:
    def refuse(*_: object) -> None:
        raise ValueError(
            f"{source}: has a document type (<!DOCTYPE ...>), which recordings have not and which "
            "can be used to fill the memory; it is not read"
        )

    def begin(*_: object) -> None:
        raise _Begun

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = begin
    try:
        parser.Parse(content, True)
    except (_Begun, LookupError, expat.ExpatError):
        pass
    except ValueError as error:
        if "document type" in str(error):
            raise
    if re.search(rb"<!(DOCTYPE|ENTITY)", content[:4096]):
        refuse()
