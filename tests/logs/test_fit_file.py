"""FIT files: against fitdecode on files of fit-tool, and bytes by hand for all else."""

from __future__ import annotations

import struct
from datetime import UTC, datetime

import numpy as np
import pytest
from fuzzing import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from fitgym.logs.fit_file import FIT_EPOCH_S, _crc, read_fit
from fitgym.logs.recorded import Recorded
from fitgym.logs.training_log import LoggedSession
from fitgym.logs.workout import Workout
from fitgym.logs.writing import fit_bytes

START = 1_000_000_000  # 2021-09-08T01:46:40Z in seconds of FIT
U8, U16, U32, S32, STRING = 0x02, 0x84, 0x86, 0x85, 0x07
SIZES = {U8: 1, U16: 2, U32: 4, S32: 4}
CODES = {U8: "B", U16: "H", U32: "I", S32: "i"}

Field = tuple[int, int]


def definition(local: int, number: int, fields: list[Field], developer: bytes = b"") -> bytes:
    head = struct.pack(
        "<BBBHB", 0x40 | (0x20 if developer else 0) | local, 0, 0, number, len(fields)
    )
    body = b"".join(bytes((name, SIZES.get(kind, 16), kind)) for name, kind in fields)
    return head + body + developer


def data(local: int, kinds: list[int], *values: int) -> bytes:
    codes = "<B" + "".join(CODES[kind] for kind in kinds)
    return struct.pack(codes, local, *values)


def whole(body: bytes) -> bytes:
    head = struct.pack("<BBHI4s", 14, 0x20, 2100, len(body), b".FIT")
    head += struct.pack("<H", _crc(head))
    return head + body + struct.pack("<H", _crc(head + body))


RECORD = [(253, U32), (5, U32), (3, U8), (6, U16)]
RECORD_KINDS = [kind for _, kind in RECORD]
SESSION = [(253, U32), (2, U32), (7, U32), (8, U32), (9, U32), (5, U8), (6, U8)]
SESSION_KINDS = [kind for _, kind in SESSION]


def records(number: int, start: int = START, beats: int = 150) -> bytes:
    return b"".join(
        data(1, RECORD_KINDS, start + step, 300 * step, beats, 3000) for step in range(number)
    )


def session(
    start: int, elapsed: int, moving: int, metres: int, sport: int = 1, sub: int = 0
) -> bytes:
    values = (start + elapsed, start, 1000 * elapsed, 1000 * moving, 100 * metres, sport, sub)
    return data(2, SESSION_KINDS, *values)


def activity_file(*parts: bytes) -> bytes:
    identity = definition(0, 0, [(0, U8)]) + data(0, [U8], 4)
    return whole(
        identity + definition(1, 20, RECORD) + definition(2, 18, SESSION) + b"".join(parts)
    )


def one(content: bytes, **options: bool) -> Recorded:
    (recorded,) = read_fit(content, "run.fit", **options)
    return recorded


def test_a_file_by_hand() -> None:
    local = definition(3, 34, [(253, U32), (5, U32)]) + data(3, [U32, U32], START, START + 7200)
    run = one(activity_file(records(100), session(START, 120, 99, 297), local))
    assert run.sport == "run"
    assert run.start == datetime.fromtimestamp(FIT_EPOCH_S + START, UTC)
    assert run.start.utcoffset().total_seconds() == 7200.0
    assert run.zone_told
    assert (run.distance_m, run.moving_s, run.elapsed_s) == (297.0, 99.0, 120.0)
    assert run.activity is not None
    assert run.activity.heart_rate_bpm.tolist() == [150.0] * 100
    assert run.activity.distance_m.tolist() == [3.0 * step for step in range(100)]
    assert run.activity.speed_m_s.tolist() == [3.0] * 100
    assert run.activity.latitude_deg is None
    assert run.notes == ()


def test_ours_agrees_with_fitdecode() -> None:
    fitdecode = pytest.importorskip("fitdecode")
    pytest.importorskip("fit_tool")
    generator = np.random.default_rng(1)
    steps = 200
    workout = Workout(
        identifier="x",
        user="me",
        sport="run",
        gender="unknown",
        day=19_000.5,
        time_s=10.0 * np.arange(steps),
        heart_rate_bpm=generator.uniform(100, 180, steps),
        valid=generator.random(steps) > 0.1,
        speed_m_s=generator.uniform(2, 4, steps),
        altitude_m=generator.uniform(0, 50, steps),
        has_altitude=True,
    )
    content = fit_bytes(workout, LoggedSession(datetime(2022, 1, 8).date(), 6000.0, 33.2))
    run = one(content)
    theirs: dict[str, list[float]] = {"heart_rate": [], "distance": [], "enhanced_altitude": []}
    summary = {}
    with fitdecode.FitReader(content) as reader:
        for message in reader:
            if isinstance(message, fitdecode.FitDataMessage) and message.name == "record":
                for name, values in theirs.items():
                    value = message.get_value(name, fallback=None)
                    values.append(np.nan if value is None else value)
            elif isinstance(message, fitdecode.FitDataMessage) and message.name == "session":
                summary = {field.name: field.value for field in message.fields}
    assert run.activity is not None
    for name, column in (
        ("heart_rate", run.activity.heart_rate_bpm),
        ("distance", run.activity.distance_m),
        ("enhanced_altitude", run.activity.altitude_m),
    ):
        np.testing.assert_allclose(column, theirs[name], atol=1e-9)
    assert run.distance_m == summary["total_distance"]
    assert run.moving_s == summary["total_timer_time"]
    assert run.sport == "run"


@pytest.mark.parametrize(
    ("sport", "sub_sport", "name"),
    [
        (1, 0, "run"),
        (1, 1, "run_treadmill"),
        (1, 3, "run_trail"),
        (2, 0, "bike"),
        (2, 6, "bike_indoor"),
        (11, 0, "walk"),
        (17, 0, "hike"),
        (5, 17, "swim"),
        (99, 0, "other"),
    ],
)
def test_sports(sport: int, sub_sport: int, name: str) -> None:
    assert (
        one(activity_file(records(20), session(START, 19, 19, 57, sport, sub_sport))).sport == name
    )


def test_a_truncated_file_is_read_up_to_there() -> None:
    content = activity_file(records(100), session(START, 99, 99, 297))
    run = one(content[:-400])
    assert run.activity is not None
    assert 50 < len(run.activity) < 100
    assert any("cut off" in note for note in run.notes)
    assert run.distance_m == run.activity.distance_m[-1]


def test_a_wrong_checksum_is_told_and_a_file_never_closed_is_read() -> None:
    content = bytearray(activity_file(records(100), session(START, 99, 99, 297)))
    content[-1] ^= 255
    assert any("checksum" in note for note in one(bytes(content)).notes)
    content[4:8] = b"\0\0\0\0"
    run = one(bytes(content))
    assert run.distance_m == 297.0
    assert any("not closed" in note for note in run.notes)


def test_chained_files_are_all_read() -> None:
    first = activity_file(records(50), session(START, 49, 49, 147))
    second = activity_file(records(60, START + 5000), session(START + 5000, 59, 59, 177))
    runs = read_fit(first + second, "two.fit")
    assert [run.distance_m for run in runs] == [147.0, 177.0]
    assert [run.source for run in runs] == ["two.fit activity 1", "two.fit activity 2"]


def test_the_sports_of_one_file_are_taken_apart() -> None:
    parts = (
        records(50),
        session(START, 49, 49, 147, sport=2),
        records(40, START + 60),
        session(START + 60, 39, 39, 117),
    )
    ride, run = read_fit(activity_file(*parts), "both.fit")
    assert (ride.sport, run.sport) == ("bike", "run")
    assert (len(ride.activity), len(run.activity)) == (50, 40)
    assert run.activity.distance_m[0] == 0.0
    assert ride.source == "both.fit activity 1"


def test_pauses_are_the_timers() -> None:
    stops = definition(3, 21, [(253, U32), (0, U8), (1, U8)])
    for moment, kind in ((START, 0), (START + 40, 4), (START + 100, 0)):
        stops += data(3, [U32, U8, U8], moment, 0, kind)
    run = one(activity_file(records(41), records(41, START + 100), stops))
    assert (run.elapsed_s, run.moving_s) == (140.0, 80.0)
    assert any("no summary" in note for note in run.notes)


def test_zero_and_impossible_heart_rates_are_not_measured() -> None:
    run = one(activity_file(records(10), records(10, START + 10, beats=0)))
    assert np.isnan(run.activity.heart_rate_bpm).tolist() == [False] * 10 + [True] * 10
    assert one(activity_file(records(10, beats=255))).activity.heart_rate_bpm is None


def test_developer_fields_stand_in_for_what_is_missing() -> None:
    description = definition(
        4, 206, [(0, U8), (1, U8), (2, U8), (3, STRING), (14, U16), (15, U8)]
    ) + struct.pack("<BBBB16sHB", 4, 0, 7, U16, b"Beats", 20, 3)
    fields = [(253, U32), (6, U16)]
    developer = definition(1, 20, fields, developer=bytes((1, 7, 2, 0)))
    points = b"".join(struct.pack("<BIHH", 1, START + step, 3000, 140 + step) for step in range(10))
    run = one(
        whole(definition(0, 0, [(0, U8)]) + data(0, [U8], 4) + description + developer + points)
    )
    assert run.activity.heart_rate_bpm.tolist() == [140.0 + step for step in range(10)]
    # Without a distance, the speed tells it.
    assert run.distance_m == pytest.approx(27.0)


def test_compressed_time_stamps() -> None:
    timed = definition(1, 20, RECORD) + data(1, RECORD_KINDS, START, 0, 150, 3000)
    short = definition(2, 20, [(3, U8), (5, U32)])
    points = b"".join(
        struct.pack("<BBI", 0x80 | (2 << 5) | ((START + step) & 31), 150, 300 * step)
        for step in range(1, 80)
    )
    run = one(whole(timed + short + points))
    assert run.activity.time_s.tolist() == list(range(80))
    assert run.distance_m == 237.0


def test_packed_speed_and_distance() -> None:
    packed = struct.pack("<BBBHB", 0x41, 0, 0, 20, 2) + bytes((253, 4, U32)) + bytes((8, 3, 0x0D))
    points = b""
    for step in range(200):
        speed, counter = 300, (16 * 3 * step) & 0xFFF
        triple = bytes((speed & 255, (speed >> 8) | ((counter & 15) << 4), counter >> 4))
        points += struct.pack("<BI", 1, START + step) + triple
    run = one(whole(packed + points))
    assert run.distance_m == pytest.approx(3.0 * 199)
    assert run.activity.speed_m_s.tolist() == [3.0] * 200


def test_big_endian_files() -> None:
    body = struct.pack(">BBBHB", 0x41, 0, 1, 20, 3) + bytes((253, 4, U32, 5, 4, U32, 3, 1, U8))
    for step in range(30):
        body += struct.pack(">BIIB", 1, START + step, 300 * step, 150)
    assert one(whole(body)).distance_m == 87.0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no activity"),
        (b"no FIT at all", "is no FIT file"),
        (whole(definition(0, 0, [(0, U8)]) + data(0, [U8], 6)), "it is a file of course"),
        (whole(definition(1, 20, RECORD)), "holds no point with a time"),
        (
            activity_file(data(1, RECORD_KINDS, 1000, 0, 150, 3000)),
            "holds no point with a time",
        ),
        (
            activity_file(
                data(1, RECORD_KINDS, 4_000_000_000, 0, 150, 3000),
                data(1, RECORD_KINDS, 4_000_000_001, 300, 150, 3000),
            ),
            "the date must be in",
        ),
    ],
)
def test_what_holds_no_activity_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        read_fit(content, "run.fit")
    assert str(caught.value).startswith("run.fit: ")


def test_a_clock_that_is_set_moves_nothing() -> None:
    old = records(20, START - 300_000_000)
    run = one(activity_file(old, records(100, START)))
    assert run.activity.time_s[-1] == 120 - 1
    assert run.start.year == 2021
    assert any("clock was set 1 time" in note for note in run.notes)
    back = one(activity_file(records(100, START + 3600), records(50, START + 100)))
    assert back.elapsed_s == 149.0


@settings(max_examples=examples(200), deadline=None)
@given(st.data())
def test_damage_is_read_or_refused(draw: st.DataObject) -> None:
    content = bytearray(activity_file(records(30), session(START, 29, 29, 87)))
    for _ in range(draw.draw(st.integers(1, 6))):
        content[draw.draw(st.integers(0, len(content) - 1))] = draw.draw(st.integers(0, 255))
    del content[draw.draw(st.integers(1, len(content))) :]
    try:
        read_fit(bytes(content), "run.fit")
    except ValueError as error:
        problem = str(error)
        assert problem.startswith("run.fit: ")
