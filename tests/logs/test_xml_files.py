"""TCX and GPX files: against tcxreader and gpxpy, and what those lose."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np
import pytest
from fuzzing import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from fitgym.logs.recorded import Recorded
from fitgym.logs.training_log import LoggedSession
from fitgym.logs.workout import Workout
from fitgym.logs.writing import gpx_text, tcx_text
from fitgym.logs.xml_files import read_gpx, read_tcx

GARMIN = "http://www.garmin.com/xmlschemas/TrackPointExtension"


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(1_650_000_000 + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def gpx_point(step: int, extension: str = "", time: str | None = None) -> str:
    latitude = 48.0 + step * 3e-5
    when = moment(step) if time is None else time
    inside = f"<ele>500</ele><time>{when}</time>{extension}"
    return f'<trkpt lat="{latitude:.7f}" lon="11.5">{inside}</trkpt>'


def gpx(*segments: str, kind: str = "<type>running</type>") -> bytes:
    tracks = "".join(f"<trkseg>{segment}</trkseg>" for segment in segments)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><gpx version="1.1" '
        f'xmlns="http://www.topografix.com/GPX/1/1"><trk><name>a</name>{kind}{tracks}</trk></gpx>'
    ).encode()


def one(content: bytes, **options: bool) -> Recorded:
    (recorded,) = read_gpx(content, "run.gpx", **options)
    return recorded


def a_workout() -> tuple[Workout, LoggedSession]:
    generator = np.random.default_rng(2)
    workout = Workout(
        identifier="x",
        user="me",
        sport="run",
        gender="unknown",
        day=19_000.5,
        time_s=10.0 * np.arange(120),
        heart_rate_bpm=generator.uniform(100, 180, 120),
        valid=np.ones(120, dtype=bool),
        speed_m_s=generator.uniform(2, 4, 120),
        altitude_m=generator.uniform(0, 50, 120),
        has_altitude=True,
    )
    return workout, LoggedSession(datetime(2022, 1, 8).date(), 3600.0, 20.0)


@pytest.mark.parametrize(
    "extension",
    [
        f'<extensions><a:TrackPointExtension xmlns:a="{GARMIN}/v1"><a:hr>142</a:hr>'
        "<a:cad>85</a:cad></a:TrackPointExtension></extensions>",
        f'<extensions><ns3:TrackPointExtension xmlns:ns3="{GARMIN}/v2"><ns3:hr>142</ns3:hr>'
        "<ns3:cad>85</ns3:cad></ns3:TrackPointExtension></extensions>",
        '<extensions><gpxdata:hr xmlns:gpxdata="http://www.cluetrust.com/XML/GPXDATA/1/0">142'
        '</gpxdata:hr><gpxdata:cadence xmlns:gpxdata="http://www.cluetrust.com/XML/GPXDATA/1/0">'
        "85</gpxdata:cadence></extensions>",
        "<extensions><heartrate>142</heartrate><cadence>85</cadence></extensions>",
        "<extensions><hr>142</hr><cad>85</cad></extensions>",
        '<extensions><s:HeartRate xmlns:s="http://www.suunto.com">142</s:HeartRate>'
        '<s:Cadence xmlns:s="http://www.suunto.com">85</s:Cadence></extensions>',
        "<extensions><undeclared:hr>142</undeclared:hr><undeclared:cad>85</undeclared:cad></extensions>",
    ],
)
def test_heart_rates_of_every_vendor(extension: str) -> None:
    run = one(gpx("".join(gpx_point(step, extension) for step in range(30))))
    assert run.activity is not None
    assert run.activity.heart_rate_bpm.tolist() == [142.0] * 30
    assert run.activity.cadence_rpm.tolist() == [85.0] * 30
    assert run.sport == "run"
    assert run.activity.latitude_deg is None


def test_gpx_agrees_with_gpxpy() -> None:
    gpxpy = pytest.importorskip("gpxpy")
    workout, session = a_workout()
    content = gpx_text(workout, session)
    run = one(content.encode(), positions=True)
    track = gpxpy.parse(content).tracks[0]
    # gpxpy takes a slightly larger radius of the Earth.
    assert run.distance_m == pytest.approx(track.length_2d(), rel=2e-3)
    assert run.distance_m == pytest.approx(3600.0, abs=0.1)
    assert run.elapsed_s == track.get_duration() == 1200.0
    theirs = track.segments[0].points
    assert run.activity.latitude_deg.tolist() == [point.latitude for point in theirs]
    assert run.activity.altitude_m.tolist() == [point.elevation for point in theirs]
    hearts = [
        float(point.extensions[0][0].text) for point in theirs if len(point.extensions[0]) > 1
    ]
    measured = run.activity.heart_rate_bpm
    assert measured[~np.isnan(measured)].tolist() == hearts


def test_tcx_agrees_with_tcxreader(tmp_path) -> None:
    tcxreader = pytest.importorskip("tcxreader.tcxreader")
    workout, session = a_workout()
    path = tmp_path / "run.tcx"
    path.write_text(tcx_text(workout, session))
    (run,) = read_tcx(path.read_bytes(), "run.tcx")
    theirs = tcxreader.TCXReader().read(str(path), only_gps=False)
    assert run.distance_m == theirs.distance == 3600.0
    assert run.moving_s == 1200.0
    points = theirs.trackpoints
    assert run.activity.distance_m.tolist() == [point.distance for point in points]
    hearts = [point.hr_value for point in points if point.hr_value]
    measured = run.activity.heart_rate_bpm
    assert measured[~np.isnan(measured)].tolist() == hearts
    assert run.activity.speed_m_s.tolist() == [point.tpx_ext["Speed"] for point in points]
    assert (run.sport, theirs.activity_type) == ("run", "Running")


def test_pauses_of_a_gpx_file() -> None:
    first = "".join(gpx_point(step) for step in range(60))
    later = "".join(gpx_point(step, time=moment(step + 600)) for step in range(60, 120))
    apart = one(gpx(first, later))
    together = one(gpx(first + later))
    for run in (apart, together):
        assert run.elapsed_s == 719.0
        assert run.moving_s == pytest.approx(119.0, abs=2.0)
    plain = one(gpx("".join(gpx_point(step) for step in range(120))))
    assert apart.distance_m == pytest.approx(plain.distance_m, abs=4.0)


def test_tracks_that_follow_each_other_are_one_activity() -> None:
    one_lap, other = (
        "".join(gpx_point(step) for step in part) for part in (range(60), range(60, 120))
    )
    far = "".join(gpx_point(step, time=moment(step + 90_000)) for step in range(60))
    tracks = "".join(f"<trk><trkseg>{points}</trkseg></trk>" for points in (one_lap, other, far))
    runs = read_gpx(f"<gpx>{tracks}</gpx>".encode(), "laps.gpx")
    assert [len(run.activity) for run in runs] == [120, 60]
    assert [run.sport for run in runs] == [None, None]


def test_segments_a_day_apart_are_two_activities() -> None:
    first, pause, far = (
        "".join(gpx_point(step, time=moment(step + later)) for step in range(60))
        for later in (0, 4_000, 90_000)
    )
    runs = read_gpx(gpx(first, pause, far), "days.gpx")
    assert [len(run.activity) for run in runs] == [120, 60]
    assert [run.start.day for run in runs] == [15, 16]
    assert runs[1].distance_m == pytest.approx(one(gpx(far)).distance_m)


@pytest.mark.parametrize(
    ("kind", "sport"),
    [
        ("<type>running</type>", "run"),
        ("<type>9</type>", "run"),
        ("<type>cycling</type>", "bike"),
        ("<type>trail_running</type>", "run_trail"),
        ("<name>Walking 1/2/23 7:30 am</name>", "walk"),
        ("<name>Evening at the lake</name>", None),
        ("", None),
    ],
)
def test_sports_of_gpx_files(kind: str, sport: str | None) -> None:
    points = "".join(map(gpx_point, range(20)))
    content = f"<gpx><trk>{kind}<trkseg>{points}</trkseg></trk></gpx>".encode()
    assert one(content).sport == sport


def test_zero_heart_rate_and_none() -> None:
    points = "".join(
        gpx_point(step, f"<extensions><hr>{0 if step < 10 else 150}</hr></extensions>")
        for step in range(20)
    )
    assert np.isnan(one(gpx(points)).activity.heart_rate_bpm).tolist() == [True] * 10 + [False] * 10
    assert one(gpx("".join(map(gpx_point, range(20))))).activity.heart_rate_bpm is None


def test_clock_jumps() -> None:
    years = "".join(
        gpx_point(step, time=f"2005-01-01T00:00:0{step}Z" if step < 5 else None)
        for step in range(60)
    )
    run = one(gpx(years))
    assert (run.start.year, run.elapsed_s) == (2022, 59.0)
    assert any("clock was set" in note for note in run.notes)
    back = "".join(gpx_point(step, time=moment(step - 3600 * (step > 40))) for step in range(60))
    assert one(gpx(back)).elapsed_s == 59.0
    late = "".join(gpx_point(step, time=moment(step - 3 * (step == 30))) for step in range(60))
    assert len(one(gpx(late)).activity) == 59
    assert one(gpx(late)).elapsed_s == 59.0


def test_local_time_where_the_file_tells_it() -> None:
    def run(zone: str) -> Recorded:
        points = "".join(
            gpx_point(step, time=f"2022-04-15T23:30:{step:02d}{zone}") for step in range(30)
        )
        return one(gpx(points))

    assert (run("-08:00").zone_told, str(run("-08:00").start.date())) == (True, "2022-04-15")
    assert (run("Z").zone_told, run("").zone_told, run("+00:00").zone_told) == (False,) * 3
    assert run("").start == run("Z").start


def test_laps_of_a_tcx_file_and_a_distance_that_begins_anew() -> None:
    def lap(first: int, restart: bool) -> str:
        points = "".join(
            f"<Trackpoint><Time>{moment(step)}</Time><DistanceMeters>"
            f"{3.0 * (step - first if restart else step)}</DistanceMeters></Trackpoint>"
            for step in range(first, first + 60)
        )
        return (
            f'<Lap StartTime="{moment(first)}"><TotalTimeSeconds>50</TotalTimeSeconds>'
            f"<DistanceMeters>177</DistanceMeters><Track>{points}</Track></Lap>"
        )

    for restart in (True, False):
        laps = lap(0, restart) + lap(60, restart)
        content = (
            '<TrainingCenterDatabase><Activities><Activity Sport="Running">'
            f"{laps}</Activity></Activities></TrainingCenterDatabase>"
        )
        (run,) = read_tcx(content.encode(), "laps.tcx")
        assert (run.distance_m, run.moving_s, run.elapsed_s) == (354.0, 100.0, 119.0)
        assert (np.diff(run.activity.distance_m) >= 0.0).all()


def test_a_tcx_file_of_laps_only_and_one_of_two_activities() -> None:
    def activity(sport: str, start: int) -> str:
        return (
            f'<Activity Sport="{sport}"><Lap StartTime="{moment(start)}"><TotalTimeSeconds>1800'
            "</TotalTimeSeconds><DistanceMeters>5000</DistanceMeters></Lap></Activity>"
        )

    def read(*activities: str) -> list[Recorded]:
        inside = "".join(activities)
        return read_tcx(
            f"<TrainingCenterDatabase><Activities>{inside}</Activities></TrainingCenterDatabase>".encode(),
            "x.tcx",
        )

    (run,) = read(activity("Running", 0))
    assert (run.distance_m, run.moving_s, run.activity) == (5000.0, 1800.0, None)
    assert [run.sport for run in read(activity("Biking", 0), activity("Other", 9000))] == [
        "bike",
        "other",
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused(encoding: str) -> None:
    bomb = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><gpx><trk>&b;</trk></gpx>'
    for space in ("", " " * 10_000):
        content = f'<?xml version="1.0" encoding="{encoding}"?>{space}{bomb}'.encode(encoding)
        with pytest.raises(ValueError, match="run.gpx: has a document type"):
            read_gpx(content, "run.gpx")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no XML"),
        (b"<html></html>", "is no GPX file: its root is <html>"),
        (b"<gpx><rte/></gpx>", "no track, only a route"),
        (gpx(""), "holds no activity"),
        (gpx('<trkpt lat="1" lon="1"/>'), "no point with a time"),
        (gpx(gpx_point(0, time="1901-12-13T00:00:00Z")), "the date must be in"),
    ],
)
def test_what_holds_no_activity_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_gpx(content, "run.gpx")


def test_what_is_readable_of_broken_files_is_read() -> None:
    content = gpx("".join(gpx_point(step) for step in range(100)))
    run = one(content[:-3000])
    assert 50 < len(run.activity) < 100
    assert any("cut off" in note for note in run.notes)
    odd = content.replace(b"<name>a</name>", b"<name>\x01 R&D \xff</name>")
    assert len(one(b"\n " + odd).activity) == 100


@settings(max_examples=examples(100), deadline=None)
@given(st.data())
def test_damage_is_read_or_refused(draw: st.DataObject) -> None:
    content = bytearray(gpx("".join(gpx_point(step) for step in range(20))))
    for _ in range(draw.draw(st.integers(1, 6))):
        content[draw.draw(st.integers(0, len(content) - 1))] = draw.draw(st.integers(0, 255))
    try:
        run = one(bytes(content))
    except ValueError as error:
        problem = str(error)
        assert problem.startswith("run.gpx: ") or "unpack" in problem
        return
    assert math.isnan(run.distance_m) or run.distance_m >= 0.0


def track(speed_m_s: float = 3.0, steps: int = 600, **odd: float) -> bytes:
    """Return a track along a meridian, some of its points moved by so many metres to the north."""
    moved = {int(step.removeprefix("at_")): metres for step, metres in odd.items()}
    points = (
        f'<trkpt lat="{48.0 + (step * speed_m_s + moved.get(step, 0.0)) / 111_195:.7f}" lon="11.5">'
        f"<time>{moment(step)}</time></trkpt>"
        for step in range(steps)
    )
    return gpx("".join(points))


@pytest.mark.parametrize(
    "odd",
    [
        {"at_300": 55_000.0},
        {f"at_{step}": 220.0 for step in range(50, 600, 100)},
        {"at_0": -5e6},
        {f"at_{step}": -5e5 for step in range(5)},
        {"at_599": 900.0},
    ],
)
def test_positions_that_nobody_reaches_are_left_out(odd: dict[str, float]) -> None:
    plain, run = one(track()), one(track(**odd))
    assert run.distance_m == pytest.approx(plain.distance_m, abs=50.0)
    assert any("nobody reaches" in note for note in run.notes)
    assert not plain.notes


def test_a_place_that_lasts_is_a_new_one_and_the_way_to_it_does_not_count() -> None:
    run = one(track(**{f"at_{step}": 20_000.0 for step in range(300, 600)}))
    assert run.distance_m == pytest.approx(1794.0, abs=10.0)
    assert any("nobody reaches" in note for note in run.notes)


def test_a_lap_that_is_cut_off_counts_as_far_as_its_points() -> None:
    content = tcx_text(*a_workout()).encode()
    (whole,) = read_tcx(content, "run.tcx")
    (half,) = read_tcx(content[: len(content) // 2], "run.tcx")
    share = len(half.activity) / len(whole.activity)
    assert half.distance_m == pytest.approx(share * whole.distance_m, rel=0.15)
    assert half.moving_s == pytest.approx(share * whole.moving_s, rel=0.1)
    assert any("cut off" in note for note in half.notes)


def test_a_clock_that_was_not_set_is_an_error() -> None:
    content = track().replace(b"2022-04-15", b"1970-01-01")
    with pytest.raises(ValueError, match="the clock of the device was not set"):
        one(content)


def test_points_before_the_first_fix_have_no_position() -> None:
    whole = [gpx_point(step) for step in range(300)]
    nowhere = [
        point.split(' lat="')[0] + ' lat="0.0" lon="0.0">' + point.split(">", 1)[1]
        for point in whole[:5]
    ]
    expected, found = one(gpx("".join(whole[5:]))), one(gpx("".join([*nowhere, *whole[5:]])))
    assert found.distance_m == pytest.approx(expected.distance_m, rel=1e-3)
    # The time without a position belongs to the run.
    assert found.elapsed_s == expected.elapsed_s + 5.0
