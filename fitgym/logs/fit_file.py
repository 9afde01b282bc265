"""Reader of FIT files, the format of most watches.

Decoded here and not by ``fitdecode``, which takes ten times as long; the tests hold both against
each other. Of a file that is cut off or damaged, what comes before is read, and a note says so.

Format: Flexible and Interoperable Data Transfer (FIT) Protocol and Profile, Garmin.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fitgym.logs.recorded import Points, Recorded, to_recorded

Array = NDArray[np.float64]

# Seconds from 1970 to 1989-12-31, where the clock of FIT begins; smaller times count from power-up.
FIT_EPOCH_S = 631_065_600
_FIRST_TIME = 0x10000000
_SEMICIRCLE_DEG = 180.0 / 2**31

# Base type -> numpy type, value that stands for not known.
_BASE_TYPES = {
    0x00: ("u1", 0xFF),
    0x01: ("i1", 0x7F),
    0x02: ("u1", 0xFF),
    0x83: ("i2", 0x7FFF),
    0x84: ("u2", 0xFFFF),
    0x85: ("i4", 0x7FFFFFFF),
    0x86: ("u4", 0xFFFFFFFF),
    0x88: ("f4", None),
    0x89: ("f8", None),
    0x0A: ("u1", 0x00),
    0x8B: ("u2", 0x0000),
    0x8C: ("u4", 0x00000000),
    0x0D: ("u1", 0xFF),
    0x8E: ("i8", 0x7FFFFFFFFFFFFFFF),
    0x8F: ("u8", 0xFFFFFFFFFFFFFFFF),
    0x90: ("u8", 0),
}
_STRING = 0x07

_FILE_ID, _SESSION, _RECORD, _EVENT, _ACTIVITY, _FIELD_DESCRIPTION = 0, 18, 20, 21, 34, 206
_WANTED = {_FILE_ID, _SESSION, _RECORD, _EVENT, _ACTIVITY, _FIELD_DESCRIPTION}
_TIMESTAMP = 253
_COMPRESSED_SPEED_DISTANCE = 8

# Field of a record -> column, scale and offset; the first that is known is taken.
_RECORD_FIELDS = {
    "heart_rate_bpm": ((3, 1.0, 0.0),),
    "cadence_rpm": ((4, 1.0, 0.0),),
    "distance_m": ((5, 100.0, 0.0),),
    "speed_m_s": ((73, 1000.0, 0.0), (6, 1000.0, 0.0)),
    "altitude_m": ((78, 5.0, 500.0), (2, 5.0, 500.0)),
    "power_w": ((7, 1.0, 0.0),),
    "latitude_deg": ((0, 1.0 / _SEMICIRCLE_DEG, 0.0),),
    "longitude_deg": ((1, 1.0 / _SEMICIRCLE_DEG, 0.0),),
}
# Names of developers' fields that are one of the columns.
_DEVELOPER_NAMES = {
    "heart_rate": "heart_rate_bpm",
    "heart rate": "heart_rate_bpm",
    "power": "power_w",
    "cadence": "cadence_rpm",
}
_SPORTS = {
    0: None,
    1: "run",
    2: "bike",
    3: "other",
    5: "swim",
    11: "walk",
    12: "ski",
    13: "ski",
    17: "hike",
    18: "other",
}
# Of sport 0, "generic": what the sub-sport says all the same.
_SUB_SPORTS = {1: "run_treadmill", 2: "run", 3: "run_trail", 4: "run", 45: "run_treadmill"}
_INDOOR = {1: "run_treadmill", 45: "run_treadmill", 58: "run_treadmill", 3: "run_trail"}
_RIDES_INDOORS = {5, 6, 58}
_FILE_TYPES = {1: "device", 2: "settings", 3: "sport", 5: "workout", 6: "course", 7: "schedules"}


@dataclass
class _Definition:
    """Which fields a message has."""

    number: int
    order: str
    size: int
    fields: list[tuple[int, int, int, int]]  # number, offset, size, base type
    developer: list[tuple[int, int, int, int]]  # number, offset, size, index of developer
    time_offset: int = -1


@dataclass
class _Batch:
    """Records of one definition: their bytes and places among all records."""

    definition: _Definition
    content: list[bytes] = field(default_factory=list)
    places: list[int] = field(default_factory=list)


@dataclass
class _Messages:
    """What was found in one FIT file of a chain."""

    batches: list[_Batch] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    sessions: list[dict[int, float]] = field(default_factory=list)
    stops: list[tuple[float, bool]] = field(default_factory=list)
    file_type: int | None = None
    offset_s: float | None = None
    developer: dict[tuple[int, int], tuple[str, int, float, float]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_fit(content: bytes, source: str, *, positions: bool = False) -> list[Recorded]:
    """Return the activities of a FIT file; one of several sports holds several.

    Args:
        content: The file, or several one after the other.
        source: How to call it.
        positions: Whether to keep latitude and longitude.

    Raises:
        ValueError: If nothing of an activity can be read.
    """
    files: list[_Messages] = []
    problems: list[str] = []
    start = 0
    while start < len(content):
        if len(content) - start < 12 or content[start + 8 : start + 12] != b".FIT":
            if start == 0:
                raise ValueError(f"{source}: is no FIT file: the mark .FIT is missing")
            problems.append(f"{len(content) - start} bytes after the end of the file")
            break
        messages, start = _parse(content, start)
        files.append(messages)
    many = len(files) > 1 or len(files[0].sessions) > 1 if files else False
    recorded: list[Recorded] = []
    for messages in files:
        try:
            recorded += _activities(messages, source, positions, len(recorded) + many)
        except ValueError as error:
            problems.append(str(error))
    if not recorded:
        raise ValueError(f"{source}: {'; '.join(problems) or 'holds no activity'}")
    return recorded


def _parse(content: bytes, start: int) -> tuple[_Messages, int]:
    """Return the messages of the file that begins at a place, and where it ends."""
    found = _Messages()
    header_size = content[start]
    if header_size not in (12, 14):
        found.notes.append(f"a header of {header_size} bytes")
        header_size = 12
    (size,) = struct.unpack_from("<I", content, start + 4)
    place, end = start + header_size, start + header_size + size
    whole = end + 2 <= len(content)
    if end > len(content) or size == 0:
        if size == 0:
            # A watch writes the size last: of a file that was never closed it is zero.
            found.notes.append("the file was not closed")
        end = min(end if size else len(content), len(content))
    if whole and size and _crc(content[start:end]) != struct.unpack_from("<H", content, end)[0]:
        found.notes.append("the checksum is wrong: read as far as it makes sense")
    definitions: dict[int, _Definition] = {}
    batches: dict[int, _Batch] = {}
    last_time = 0
    try:
        while place < end:
            head = content[place]
            place += 1
            if head & 0x80:
                local, compressed = (head >> 5) & 3, head & 31
            elif head & 0x40:
                definition, place = _definition(content, place, end, bool(head & 0x20))
                definitions[head & 15] = definition
                batches.pop(head & 15, None)
                continue
            else:
                local, compressed = head & 15, -1
            known = definitions.get(local)
            if known is None:
                raise ValueError("a message that nothing defines")
            if place + known.size > end:
                raise ValueError("a message that is cut off")
            message = content[place : place + known.size]
            place += known.size
            if known.time_offset >= 0:
                (stamp,) = struct.unpack_from(known.order + "I", message, known.time_offset)
                if stamp != 0xFFFFFFFF:
                    last_time = stamp
            elif compressed >= 0:
                last_time += (compressed - last_time) & 31
            if known.number == _RECORD:
                batch = batches.get(local)
                if batch is None:
                    batch = batches[local] = _Batch(known)
                    found.batches.append(batch)
                batch.content.append(message)
                batch.places.append(len(found.times))
                found.times.append(float(last_time) if last_time >= _FIRST_TIME else math.nan)
            elif known.number in _WANTED:
                _keep(found, known, message)
    except (ValueError, struct.error) as error:
        if not isinstance(error, ValueError):
            error = ValueError("a message that is cut off")
        found.notes.append(f"damaged or cut off ({error}): read up to there")
        place = end
    if not whole and not any("cut off" in note or "closed" in note for note in found.notes):
        found.notes.append("cut off: read up to there")
    return found, end + 2


def _definition(content: bytes, place: int, end: int, developers: bool) -> tuple[_Definition, int]:
    if place + 5 > end:
        raise ValueError("a definition that is cut off")
    order = ">" if content[place + 1] else "<"
    (number,) = struct.unpack_from(order + "H", content, place + 2)
    count = content[place + 4]
    place += 5
    fields, offset = [], 0
    time_offset = -1
    if place + 3 * count > end:
        raise ValueError("a definition that is cut off")
    for _ in range(count):
        name, size, base = content[place : place + 3]
        place += 3
        if name == _TIMESTAMP and size == 4:
            time_offset = offset
        fields.append((name, offset, size, base))
        offset += size
    developer = []
    if developers:
        if place >= end:
            raise ValueError("a definition that is cut off")
        count = content[place]
        place += 1
        if place + 3 * count > end:
            raise ValueError("a definition that is cut off")
        for _ in range(count):
            name, size, index = content[place : place + 3]
            place += 3
            developer.append((name, offset, size, index))
            offset += size
    return _Definition(number, order, offset, fields, developer, time_offset), place


def _keep(found: _Messages, definition: _Definition, message: bytes) -> None:
    """Keep what a message other than a record says."""
    values: dict[int, float] = {}
    texts: dict[int, str] = {}
    for name, offset, size, base in definition.fields:
        part = message[offset : offset + size]
        if base == _STRING:
            texts[name] = part.split(b"\0")[0].decode("utf-8", "replace")
        else:
            value = _number(part, base, definition.order)
            if value is not None:
                values[name] = value
    if definition.number == _FILE_ID:
        found.file_type = int(values[0]) if 0 in values else found.file_type
    elif definition.number == _SESSION:
        found.sessions.append(values)
    elif definition.number == _EVENT and values.get(0) == 0.0:
        if values.get(1) in (0.0, 1.0, 4.0, 8.0, 9.0) and _TIMESTAMP in values:
            found.stops.append((values[_TIMESTAMP], values[1] != 0.0))
    elif definition.number == _ACTIVITY and 5 in values and _TIMESTAMP in values:
        offset_s = values[5] - values[_TIMESTAMP]
        # Zones are whole quarters of an hour within 15 hours.
        rounded = 900.0 * round(offset_s / 900.0)
        if abs(rounded) <= 15 * 3600 and abs(offset_s - rounded) < 120:
            found.offset_s = rounded
    elif definition.number == _FIELD_DESCRIPTION and 0 in values and 1 in values:
        column = None
        if values.get(14) == _RECORD and 15 in values:
            column = next(
                (
                    name
                    for name, choices in _RECORD_FIELDS.items()
                    if any(choice[0] == values[15] for choice in choices)
                ),
                None,
            )
        column = column or _DEVELOPER_NAMES.get(texts.get(3, "").strip().lower())
        if column is not None and column not in ("latitude_deg", "longitude_deg", "distance_m"):
            found.developer[int(values[0]), int(values[1])] = (
                column,
                int(values.get(2, 0x02)),
                values.get(6, 1.0) or 1.0,
                values.get(7, 0.0),
            )


def _number(part: bytes, base: int, order: str) -> float | None:
    """Return the first number of a field, None where it is not known."""
    kind, invalid = _BASE_TYPES.get(base, ("", None))
    if not kind or len(part) < int(kind[1]):
        return None
    value = np.frombuffer(part, dtype=order + kind, count=1)[0]
    if invalid is not None and int(value) == invalid:
        return None
    return float(value) if math.isfinite(value) else None


def _activities(found: _Messages, source: str, positions: bool, first: int) -> list[Recorded]:
    """Return the activities of one FIT file, numbered from ``first``, 0 for no numbers."""
    count = len(found.times)
    if found.file_type not in (None, 4) and not (count and found.sessions):
        kind = _FILE_TYPES.get(found.file_type, f"type {found.file_type}")
        raise ValueError(f"holds no activity: it is a file of {kind}")
    times = np.array(found.times)
    columns = _columns(found, count)
    sessions = [session for session in found.sessions if 2 in session or _TIMESTAMP in session]
    if not sessions:
        sessions = [{}]
        found.notes.append("no summary: distance and time are those of the points")
    recorded = []
    for number, session in enumerate(sessions, start=first):
        name = f"{source} activity {number}" if first else source
        start = session.get(2, math.nan)
        elapsed = session.get(7, math.nan) / 1000.0
        inside = np.ones(count, dtype=bool)
        if len(sessions) > 1:
            stop = start + elapsed if math.isfinite(elapsed) else session.get(_TIMESTAMP, math.inf)
            inside = (times >= start - 1.0) & (times <= stop + 1.0)
        points = Points(
            source=name,
            sport=_sport(session),
            time_s=times[inside] + FIT_EPOCH_S,
            columns={key: values[inside] for key, values in columns.items()},
            offset_s=found.offset_s,
            told_start=start + FIT_EPOCH_S if start >= _FIRST_TIME else math.nan,
            told_distance_m=session.get(9, math.nan) / 100.0,
            told_moving_s=session.get(8, math.nan) / 1000.0,
            told_elapsed_s=elapsed,
            notes=list(found.notes),
        )
        if len(sessions) > 1 and "distance_m" in points.columns and points.time_s.size:
            values = points.columns["distance_m"]
            if np.isfinite(values).any():
                points.columns["distance_m"] = values - np.nanmin(values)
        if not math.isfinite(points.told_moving_s) and found.stops:
            points.told_moving_s = _timer(found.stops, times[inside])
        recorded.append(to_recorded(points, positions=positions))
    return recorded


def _columns(found: _Messages, count: int) -> dict[str, Array]:
    """Return the columns of all records, NaN where a record lacks a field."""
    columns: dict[str, Array] = {}

    def fill(name: str, places: NDArray[np.int64], values: Array) -> None:
        if name not in columns:
            columns[name] = np.full(count, np.nan)
        known = np.isfinite(values) & np.isnan(columns[name][places])
        columns[name][places[known]] = values[known]

    packed: list[tuple[NDArray[np.int64], NDArray[np.uint8]]] = []
    for batch in found.batches:
        definition = batch.definition
        raw = np.frombuffer(b"".join(batch.content), dtype=np.uint8)
        table = raw.reshape(len(batch.content), definition.size)
        places = np.array(batch.places)
        offsets = {name: (offset, size, base) for name, offset, size, base in definition.fields}
        for column, choices in _RECORD_FIELDS.items():
            for name, scale, offset in choices:
                if name in offsets:
                    values = _field(table, *offsets[name], definition.order)
                    if values is not None:
                        fill(column, places, values / scale - offset)
        if _COMPRESSED_SPEED_DISTANCE in offsets:
            offset, size, _ = offsets[_COMPRESSED_SPEED_DISTANCE]
            if size == 3:
                packed.append((places, table[:, offset : offset + 3]))
        for name, offset, size, index in definition.developer:
            if (told := found.developer.get((index, name))) is not None:
                column, base, scale, shift = told
                values = _field(table, offset, size, base, definition.order)
                if values is not None:
                    fill(column, places, values / scale - shift)
    if packed:
        _unpack(packed, fill)
    return columns


def _unpack(packed: list[tuple[NDArray[np.int64], NDArray[np.uint8]]], fill: object) -> None:
    """Add speed and distance that are packed into three bytes, the distance modulo 256 m."""
    places = np.concatenate([part[0] for part in packed])
    triples = np.concatenate([part[1] for part in packed])[np.argsort(places)].astype(np.int64)
    places = np.sort(places)
    known = (triples != 255).any(axis=1)
    triples, places = triples[known], places[known]
    speed = (triples[:, 0] | ((triples[:, 1] & 15) << 8)) / 100.0
    counter = (triples[:, 1] >> 4) | (triples[:, 2] << 4)
    if not counter.size:
        return
    steps = np.diff(counter, prepend=0) % 4096
    fill("speed_m_s", places, speed)  # type: ignore[operator]
    fill("distance_m", places, np.cumsum(steps) / 16.0)  # type: ignore[operator]


def _field(table: NDArray[np.uint8], offset: int, size: int, base: int, order: str) -> Array | None:
    """Return one field of all records of a definition, NaN where it is not known."""
    kind, invalid = _BASE_TYPES.get(base, ("", None))
    width = int(kind[1]) if kind else 0
    if not width or size < width:
        return None
    part = np.ascontiguousarray(table[:, offset : offset + width])
    values = part.view(order + kind).reshape(-1)
    numbers = values.astype(np.float64)
    if invalid is not None:
        numbers[values == np.array(invalid, dtype=kind)] = np.nan
    numbers[~np.isfinite(numbers)] = np.nan
    return numbers


def _timer(stops: Sequence[tuple[float, bool]], times: Array) -> float:
    """Return how long the timer ran, by its events, NaN where there is no point."""
    known = times[np.isfinite(times)]
    if not known.size:
        return math.nan
    last = float(known.max())
    paused, since = 0.0, None
    for moment, stopped in sorted(stops):
        if stopped and since is None:
            since = moment
        elif not stopped and since is not None:
            paused += max(0.0, min(moment, last) - since)
            since = None
    return float(last - known.min()) - paused


def _sport(session: dict[int, float]) -> str | None:
    """Return the sport of a session in the predictor's words, None where it is not told."""
    if 5 not in session:
        return None
    sport, sub_sport = int(session[5]), int(session.get(6, 0))
    if sport == 1:
        return _INDOOR.get(sub_sport, "run")
    if sport == 2:
        return "bike_indoor" if sub_sport in _RIDES_INDOORS else "bike"
    if sport == 0:
        return _SUB_SPORTS.get(sub_sport)
    return _SPORTS.get(sport, "other")


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (0xA001 if value & 1 else 0)
        table.append(value)
    return table


_CRC = _crc_table()


def _crc(content: bytes) -> int:
    """Return the checksum of FIT (CRC-16 with the polynomial 0xA001)."""
    value, table = 0, _CRC
    for byte in content:
        value = (value >> 8) ^ table[(value ^ byte) & 255]
    return value
