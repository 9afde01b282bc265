"""Files, folders and archives of one person: each session once, and everything named."""

from __future__ import annotations

import gzip
import io
import math
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from fitgym.logs import (
    History,
    LoggedSession,
    ReadingOptions,
    Workout,
    read,
    read_activities,
    reading_table,
    sources,
)
from fitgym.logs.writing import csv_text, fit_bytes, gpx_text, start_of, tcx_text

pytest.importorskip("fit_tool", reason="comes with the extra watch")


def a_run(number: int, sport: str = "run", hour: float = 18.0) -> tuple[Workout, LoggedSession]:
    generator = np.random.default_rng(number)
    steps = 150 + 10 * (number % 5)
    workout = Workout(
        identifier=f"run {number}",
        user="me",
        sport=sport,
        gender="unknown",
        day=19_000.0 + 2 * number + hour / 24.0,
        time_s=10.0 * np.arange(steps),
        heart_rate_bpm=generator.uniform(100, 180, steps).round(),
        valid=np.ones(steps, dtype=bool),
        speed_m_s=generator.uniform(2.8, 3.2, steps).round(3),
        altitude_m=np.zeros(steps),
        has_altitude=False,
    )
    minutes = (10.0 * steps - 5.0) / 60.0
    metres = round(float(workout.speed_m_s.sum() * 10.0), 2)
    return workout, LoggedSession(start_of(workout).date(), metres, minutes)


RUNS = [a_run(number) for number in range(9)]
WRITERS: dict[str, Callable[[Workout, LoggedSession], bytes]] = {
    "fit": fit_bytes,
    "tcx": lambda workout, session: tcx_text(workout, session).encode(),
    "gpx": lambda workout, session: gpx_text(workout, session).encode(),
}


def files() -> dict[str, bytes]:
    """Return a recording of each run, the formats in turn."""
    return {
        f"activities/{number}.{suffix}": WRITERS[suffix](*run)
        for number, run in enumerate(RUNS)
        for suffix in [("fit", "tcx", "gpx")[number % 3]]
    }


def log_of(runs: list[tuple[Workout, LoggedSession]], shift: timedelta = timedelta(0)) -> bytes:
    rows = [(start_of(workout) + shift, workout.sport, session) for workout, session in runs]
    return csv_text(rows).encode()


def put(folder: Path, content: dict[str, bytes]) -> Path:
    for name, part in content.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(part)
    return folder


def zipped(content: dict[str, bytes], **options: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for name, part in content.items():
            archive.writestr(name, part)
    return file.getvalue()


def check(history: History, runs: list[tuple[Workout, LoggedSession]]) -> None:
    assert len(history.sessions) == len(history.workouts) == len(runs)
    for session, workout, (first, told) in zip(
        history.sessions, history.workouts, runs, strict=True
    ):
        assert session.date == told.date
        assert session.distance_m == pytest.approx(told.distance_m, abs=0.1)
        assert session.minutes == pytest.approx(told.minutes, abs=1 / 60)
        assert workout.day == pytest.approx(first.day, abs=1e-6)
        assert workout.sport == "run"
        np.testing.assert_array_equal(
            workout.heart_rate_bpm[: len(first)], first.heart_rate_bpm[: len(workout)]
        )
        np.testing.assert_allclose(
            workout.speed_m_s[: len(first)], first.speed_m_s[: len(workout)], atol=1e-3
        )


def test_a_folder_and_an_archive_read_the_same(tmp_path: Path) -> None:
    check(read(put(tmp_path / "folder", files())), RUNS)
    path = tmp_path / "export.zip"
    path.write_bytes(zipped(files()))
    check(read(path), RUNS)
    packed = {f"{name}.gz": gzip.compress(part) for name, part in files().items()}
    path.write_bytes(zipped({"Part1.zip": zipped(packed), "media/x.jpg": b"x"}))
    history = read(path)
    check(history, RUNS)
    assert [(item.source, item.reason) for item in history.report.left_out] == [
        (f"{path}:media/x.jpg", "no recording or log (.jpg)")
    ]


def test_a_file_of_each_format_and_its_name(tmp_path: Path) -> None:
    for suffix, write in WRITERS.items():
        for name in (f"run.{suffix}", f"run.{suffix.upper()}", f"run.{suffix}.gz", suffix):
            content = write(*RUNS[0])
            path = tmp_path / name
            path.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
            check(read(path), RUNS[:1])
            (activity,) = read_activities(path)
            assert activity.latitude_deg is None
    (activity,) = read_activities(tmp_path / "run.gpx", positions=True)
    assert activity.latitude_deg is not None


@pytest.mark.parametrize("hours", [0, 2, -8, 5.5])
def test_each_session_once_whatever_the_zone_of_the_log(hours: float, tmp_path: Path) -> None:
    content = {**files(), "activities.csv": log_of(RUNS, timedelta(hours=hours))}
    del content["activities/0.fit"], content["activities/3.fit"], content["activities/6.fit"]
    history = read(put(tmp_path, content))
    assert len(history.workouts) == 6
    assert len(history.sessions) == 9
    twice = [item for item in history.report.left_out if item.reason == "the same session twice"]
    assert len(twice) == 6
    assert "activities.csv row 3" in twice[0].source


@pytest.mark.parametrize("hours", [0, 2, -8])
def test_a_log_in_utc_or_on_the_wall_beside_recordings_with_local_time(
    hours: float, tmp_path: Path
) -> None:
    clock = [f"18:{second // 60:02d}:{second % 60:02d}" for second in range(0, 1800, 10)]
    points = "".join(
        f'<trkpt lat="{50 + step * 3e-4}" lon="1"><time>2024-05-{{day:02d}}T{time}+02:00</time>'
        "</trkpt>"
        for step, time in enumerate(clock)
    )
    content = {
        f"{day}.gpx": f"<gpx><trk><trkseg>{points.format(day=day)}</trkseg></trk></gpx>".encode()
        for day in range(1, 6)
    }
    history = read(put(tmp_path, content))
    rows = [
        (datetime(2024, 5, session.date.day, 18) + timedelta(hours=hours), "run", session)
        for session in history.sessions
    ]
    put(tmp_path, {"activities.csv": csv_text(rows).encode()})
    # Another service's log of the same, on another clock.
    other = [(start + timedelta(hours=1), sport, session) for start, sport, session in rows]
    put(tmp_path, {"other.csv": csv_text(other).encode()})
    again = read(tmp_path)
    assert len(again.sessions) == 5
    assert len(again.report.left_out) == 10
    only_logs = read(tmp_path / "activities.csv", tmp_path / "other.csv")
    assert len(only_logs.sessions) == 5


def test_two_runs_of_a_day_stay_two(tmp_path: Path) -> None:
    log = "Date,Distance (km),Time\n" + "".join(
        f"2024-05-{day:02d} {hour}:00:00,5.0,0:27:{day:02d}\n"
        for day in range(1, 9)
        for hour in ("07", "17")
    )
    put(tmp_path, {"a.csv": log.encode(), "b.csv": log.replace(":00:00", ":01:00").encode()})
    assert len(read(tmp_path / "a.csv").sessions) == 16
    assert len(read(tmp_path).sessions) == 16


def test_two_recordings_of_a_run_count_once(tmp_path: Path) -> None:
    workout, session = RUNS[0]
    content = {f"{suffix}.{suffix}": write(workout, session) for suffix, write in WRITERS.items()}
    history = read(put(tmp_path, content))
    check(history, RUNS[:1])
    assert history.workouts[0].identifier.endswith(".fit")
    assert len(history.report.left_out) == 2
    # The same way on the next day at another time is another run.
    again = put(tmp_path / "other", {"a.fit": WRITERS["fit"](*RUNS[0])})
    log = csv_text([(start_of(workout) + timedelta(hours=20), "run", session)])
    put(again, {"log.csv": log.encode()})
    assert len(read(again).sessions) == 2


def test_sports(tmp_path: Path) -> None:
    ride = a_run(20, sport="bike")
    put(tmp_path, {**files(), "ride.fit": fit_bytes(*ride), "ride.tcx": WRITERS["tcx"](*ride)})
    history = read(tmp_path)
    check(history, RUNS)
    assert {item.reason for item in history.report.left_out} == {"sport is bike"}
    assert len(read(tmp_path, options=ReadingOptions(sport="bike")).sessions) == 1
    assert len(read(tmp_path, options=ReadingOptions(sport="all")).sessions) == 10
    with pytest.raises(ValueError, match="nothing to read for sport 'swim': .*sport is run"):
        read(tmp_path, options=ReadingOptions(sport="swim"))


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    bad = {
        "broken.fit": b"no FIT",
        "empty.gpx": b"",
        "bad.gpx.gz": b"not gzip",
        "diary.csv": b"date,distance,time\n2024-01-01,5,37:00\n",
        "bikes.csv": b"Bike Name,Brand\nx,y\n",
        "cut.zip": zipped(files())[:-40],
        "notes.json": b"{}",
    }
    history = read(put(tmp_path, {**files(), **bad}))
    check(history, RUNS)
    named = {Path(item.source).name: item for item in history.report.left_out}
    assert set(named) == set(bad)
    assert "--distance-unit" in named["diary.csv"].detail
    assert named["notes.json"].reason == "no recording or log (.json)"
    for name, content in bad.items():
        if name != "notes.json":
            with pytest.raises((ValueError, OSError), match=name.removesuffix(".gz")):
                read(tmp_path / name)
        assert content is bad[name]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("x.xlsx", "save its table as CSV"),
        ("export.xml", "workout-routes"),
        ("x.jpg", "none of FIT.*export the recordings as FIT, TCX or GPX, or the log as CSV"),
        ("x.kml", "export the recordings as FIT"),
    ],
)
def test_other_files_are_refused_with_a_remedy(name: str, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"something")
    with pytest.raises(ValueError, match=message):
        read(tmp_path / name)


@pytest.mark.parametrize("suffix", ["fit", "tcx", "gpx", "txt"])
@pytest.mark.parametrize("kind", ["fit", "tcx", "gpx", "csv"])
def test_the_content_tells_what_a_file_is(suffix: str, kind: str, tmp_path: Path) -> None:
    content = log_of(RUNS[:1]) if kind == "csv" else WRITERS[kind](*RUNS[0])
    raw = content if isinstance(content, bytes) else content.encode()
    path = put(tmp_path, {f"run.{suffix}": raw}) / f"run.{suffix}"
    history = read(path)
    assert len(history.sessions) == 1
    odd = any("its name says" in note for note in history.report.notes)
    assert odd == (suffix != kind and (suffix, kind) != ("txt", "csv"))


@pytest.mark.parametrize("packed", [False, True])
def test_recordings_by_names_that_tell_nothing(packed: bool, tmp_path: Path) -> None:
    named = {
        f"{kind}.xml": WRITERS[kind](*RUNS[number]) for number, kind in enumerate(("tcx", "gpx"))
    }
    named |= {"12345": WRITERS["fit"](*RUNS[2]), "export.xml": b"<HealthData/>", "LICENSE": b"a, b"}
    raw = {name: text if isinstance(text, bytes) else text.encode() for name, text in named.items()}
    folder = put(tmp_path / "x", {"x.zip": zipped(raw)} if packed else raw)
    history = read(folder)
    assert len(history.sessions) == 3
    left = {
        item.source.replace(":", "/").rpartition("/")[2]: item.detail
        for item in history.report.left_out
    }
    assert set(left) == {"export.xml", "LICENSE"}
    assert "workout-routes" in left["export.xml"]


def test_an_empty_recording_is_named(tmp_path: Path) -> None:
    put(tmp_path, {"run.fit": b""})
    with pytest.raises(ValueError, match="is empty \\(0 bytes\\): copy or export it again"):
        read(tmp_path / "run.fit")


def test_the_way_home_in_a_car_is_no_run(tmp_path: Path) -> None:
    points = "".join(
        f'<trkpt lat="{47 + (3 * min(s, 900) + 15 * max(0, s - 900)) / 111195:.7f}" lon="8">'
        f"<time>2026-07-01T06:{s // 60:02d}:{s % 60:02d}Z</time></trkpt>"
        for s in range(1100)
    )
    content = f"<gpx><trk><type>running</type><trkseg>{points}</trkseg></trk></gpx>"
    put(tmp_path, {"run.gpx": content.encode(), "b.fit": WRITERS["fit"](*RUNS[0])})
    history = read(tmp_path)
    assert len(history.sessions) == 1
    assert [item.reason for item in history.report.left_out] == ["faster than any runner"]


def test_paths(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="paths must name"):
        read()
    with pytest.raises(ValueError, match="must not be empty"):
        read("")
    with pytest.raises(FileNotFoundError, match="no such file"):
        read(tmp_path / "nowhere.csv")
    with pytest.raises(ValueError, match="the folder is empty"):
        read(tmp_path)
    put(tmp_path, {"a.fit": WRITERS["fit"](*RUNS[0]), "b.csv": log_of(RUNS[1:2])})
    assert len(read(tmp_path / "a.fit", tmp_path / "b.csv").sessions) == 2


def test_zip_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.zip"
    path.write_bytes(zipped({"a.csv": b"0" * 20_000_000}))
    with pytest.raises(ValueError, match="a.csv: refused: it is packed .* a zip bomb"):
        read(path)
    monkeypatch.setattr(sources, "LARGEST_FILE_BYTES", 100_000)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"0" * 200_000))
    with pytest.raises(ValueError, match="refused: it has more than 0.1 MB unpacked"):
        read(tmp_path / "a.csv.gz")
    monkeypatch.setattr(sources, "LARGEST_ARCHIVE_BYTES", 1000)
    path.write_bytes(zipped({"a.csv": b"0" * 2000}))
    with pytest.raises(ValueError, match="refused: unpacked it has"):
        read(path)
    monkeypatch.setattr(sources, "MOST_MEMBERS", 1)
    path.write_bytes(zipped({"a.csv": b"0", "b.csv": b"0"}))
    with pytest.raises(ValueError, match="refused: 2 files in the archive"):
        read(path)


def test_a_size_that_lies_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "LARGEST_FILE_BYTES", 100_000)
    content = bytearray(zipped({"a.csv": b"0" * 200_000}))
    at = content.rindex(b"PK\x01\x02") + 24
    content[at : at + 4] = (10).to_bytes(4, "little")
    path = tmp_path / "lie.zip"
    path.write_bytes(bytes(content))
    with pytest.raises(ValueError, match=r"a\.csv|nothing to read"):
        read(path)


def test_nothing_is_written_and_paths_in_archives_lead_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "in" / "export.zip"
    path.parent.mkdir()
    content = {"../../outside.csv": log_of(RUNS), "/etc/x.csv": b"", "C:\\x.fit": b"y"}
    path.write_bytes(zipped(content))
    before = sorted(tmp_path.rglob("*"))
    assert len(read(path).sessions) == len(RUNS)
    assert sorted(tmp_path.rglob("*")) == before
    assert not (tmp_path.parent / "outside.csv").exists()


def test_encrypted_members_are_named(tmp_path: Path) -> None:
    content = bytearray(zipped({"a.fit": b"x", "b.csv": log_of(RUNS)}))
    at = content.index(b"PK\x01\x02")
    content[at + 8] |= 1
    path = tmp_path / "locked.zip"
    path.write_bytes(bytes(content))
    (item,) = read(path).report.left_out
    assert item.reason == "encrypted"


def test_the_table_tells_everything(tmp_path: Path) -> None:
    put(tmp_path, {**files(), "log.csv": log_of(RUNS), "x.pdf": b""})
    table = reading_table(read(tmp_path).report)
    for words in (
        "1 CSV, 3 FIT, 3 GPX, 3 TCX",
        "recordings      9, 9 with heart rate",
        "9 used, 10 row(s) or file(s) left out",
        "2022-01-08 to 2022-01-24",
        "min/km",
        "the same session twice: log.csv row 2",
        "6 recording(s) tell no local time",
    ):
        assert " ".join(words.split()) in " ".join(table.split())


def test_short_recordings_and_a_long_gap(tmp_path: Path) -> None:
    workout, session = RUNS[0]
    short = LoggedSession(session.date, 150.0, 0.8)
    late = "Date,km,minutes\n" + "".join(f"2026-0{m}-01,10,55\n" for m in range(1, 6))
    put(tmp_path, {"a.tcx": tcx_text(workout, short).encode(), "log.csv": late.encode()})
    put(tmp_path, {"b.tcx": tcx_text(*RUNS[1]).encode()})
    history = read(tmp_path)
    assert [item.reason for item in history.report.left_out] == ["too short to be a session"]
    assert any("more than three years after" in note for note in history.report.notes)
    with pytest.raises(ValueError, match="three years"):
        history.training_log("x")


def test_workouts_count_their_days_in_local_time(tmp_path: Path) -> None:
    points = "".join(
        f'<trkpt lat="{50 + step * 3e-5}" lon="1"><time>2024-05-01T23:50:{step:02d}-07:00</time>'
        "</trkpt>"
        for step in range(60)
    )
    points += '<trkpt lat="50.01" lon="1"><time>2024-05-01T23:55:00-07:00</time></trkpt>'
    (tmp_path / "late.gpx").write_text(f"<gpx><trk><trkseg>{points}</trkseg></trk></gpx>")
    history = read(tmp_path / "late.gpx")
    assert str(history.sessions[0].date) == "2024-05-01"
    midnight = (datetime(2024, 5, 1) - datetime(1970, 1, 1)).days
    assert history.workouts[0].day == pytest.approx(midnight + (23 + 50 / 60) / 24)
    assert not math.isnan(history.sessions[0].minutes)


def test_an_export_names_the_files_of_its_rows(tmp_path: Path) -> None:
    names = list(files())
    rows = ["Activity Date,Activity Type,Distance,Elapsed Time,Filename"]
    for name, (workout, session) in zip(names, RUNS, strict=True):
        # Edited by hand on the service: no value agrees with the recording's.
        day = start_of(workout).strftime("%Y-%m-%d 03:10:00")
        rows.append(
            f"{day},Run,{1.3 * session.distance_m / 1000:.2f},{90 * session.minutes:.0f},{name}.gz"
        )
    rows.append("2022-03-01 08:00:00,Run,5.00,1800,")
    rows.append(f"2022-03-05 08:00:00,Run,6.00,2100,{names[0]}.gz")
    content = {**files(), "activities.csv": "\n".join(rows).encode()}
    path = tmp_path / "export.zip"
    path.write_bytes(zipped(content))
    history = read(path, options=ReadingOptions(distance_unit="km"))
    assert len(history.sessions) == len(RUNS) + 2
    for session, (_, told) in zip(history.sessions[:9], RUNS, strict=True):
        assert session.distance_m == pytest.approx(told.distance_m, rel=0.01)
    twins = [one for one in history.report.left_out if one.reason == "the same session twice"]
    assert [one.source.rpartition(" ")[2] for one in twins] == [str(row) for row in range(2, 11)]
    assert all(name in one.detail for one, name in zip(twins, names, strict=True))


def recorded(start: datetime, metres: float, minutes: float, kind: str = "tcx") -> bytes:
    """Return a recording of an even run with a point every ten seconds."""
    seconds = range(0, int(60 * minutes) + 1, 10)
    points = [
        ((start + timedelta(seconds=s)).strftime("%Y-%m-%dT%H:%M:%SZ"), metres * s / seconds[-1])
        for s in seconds
    ]
    if kind == "gpx":
        track = "".join(
            f'<trkpt lat="{47 + way / 111195:.7f}" lon="8"><time>{time}</time></trkpt>'
            for time, way in points
        )
        return f"<gpx><trk><type>running</type><trkseg>{track}</trkseg></trk></gpx>".encode()
    track = "".join(
        f"<Trackpoint><Time>{time}</Time><DistanceMeters>{way:.1f}</DistanceMeters></Trackpoint>"
        for time, way in points
    )
    return (
        '<TrainingCenterDatabase><Activities><Activity Sport="Running"><Lap><Track>'
        f"{track}</Track></Lap></Activity></Activities></TrainingCenterDatabase>"
    ).encode()


NOON = datetime(2025, 3, 3, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("row", "rows"),
    [
        ("2025-03-03,8,45", 0),  # whole kilometres and minutes
        ("2025-03-03 12:00:30,9.3,45.2", 0),  # corrected on the service
        ("2025-03-03,8,40", 1),
        ("2025-03-03,10.5,45", 1),
        ("2025-03-03 18:07:00,8,45", 1),
    ],
)
def test_a_row_that_differs_from_the_recording_in_distance(
    row: str, rows: int, tmp_path: Path
) -> None:
    put(
        tmp_path,
        {"a.tcx": recorded(NOON, 8450.0, 45.3), "log.csv": f"Date,km,min\n{row}\n".encode()},
    )
    history = read(tmp_path)
    assert len(history.sessions) == 1 + rows
    assert len(history.report.left_out) == 1 - rows
    assert 8450.0 in [round(one.distance_m) for one in history.sessions]


@pytest.mark.parametrize(
    ("later", "metres", "sessions"), [(20, 9200.0, 1), (20, 4000.0, 2), (3600, 9200.0, 2)]
)
def test_two_devices_of_one_session_that_differ_in_distance(
    later: int, metres: float, sessions: int, tmp_path: Path
) -> None:
    second = recorded(NOON + timedelta(seconds=later), metres, 45.0, "gpx")
    put(tmp_path, {"a.tcx": recorded(NOON, 8450.0, 45.3), "b.gpx": second})
    assert len(read(tmp_path).sessions) == sessions
