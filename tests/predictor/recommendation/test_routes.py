"""Routes and candidates: geometry, pacing by effort, reading."""

from __future__ import annotations

import numpy as np
import pytest

from fitgym.predictor.exertion import session_cost
from fitgym.predictor.recommendation.candidates import read_gpx_routes, read_routes, read_workouts
from fitgym.predictor.recommendation.routes import Route, effort_speed, route_of_points

GPX = """<?xml version="1.0"?>
<gpx version="1.1" creator="test" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>
{points}
</trkseg></trk></gpx>"""


def test_even_pace_on_the_flat_takes_length_over_speed():
    route = Route("flat", np.array([0.0, 3000.0]), np.zeros(2))
    session = route.session("run", 3.0, "even")
    assert len(session) == 101
    assert session.speed_m_s == pytest.approx(3.0)
    assert route.climb_m == 0.0


def test_a_steady_slope_stays_one_after_smoothing():
    route = Route("slope", np.array([0.0, 1000.0]), np.array([0.0, 50.0]))
    distance, altitude = route.profile()
    assert altitude == pytest.approx(0.05 * distance)
    assert route.climb_m == pytest.approx(50.0)


@pytest.mark.parametrize("sport", ["run", "walk", "bike"])
@pytest.mark.parametrize("grade", [-0.03, 0.0, 0.02, 0.08])
def test_effort_pacing_costs_the_same_at_every_grade(sport, grade):
    flat = {"run": 3.0, "walk": 1.4, "bike": 6.0}[sport]
    (speed,) = effort_speed(sport, flat, np.array([grade]))
    wanted = session_cost(sport, np.array([flat]), np.zeros(1))
    found = session_cost(sport, np.array([speed]), np.array([speed * grade]))
    assert found == pytest.approx(wanted, rel=5e-3)
    assert (speed < flat) == (grade > 0.0) or grade == 0.0


def test_steep_descents_are_bounded():
    speeds = effort_speed("run", 3.0, np.array([-0.3]))
    assert speeds[0] == pytest.approx(3.0 * 1.25)
    assert effort_speed("bike", 6.0, np.array([-0.2]))[0] == pytest.approx(14.0)


def test_points_where_nobody_moves_on_are_left_out():
    route = route_of_points(
        "still", np.array([5.0, 5.0, 55.0, 55.0, 105.0]), np.array([9.0, 9.0, 8.0, 8.0, 7.0]), True
    )
    assert route.distance_m.tolist() == [0.0, 50.0, 100.0]
    assert route.altitude_m.tolist() == [0.0, -1.0, -2.0]


@pytest.mark.parametrize(
    ("distance", "message"),
    [([0.0], "two points"), ([0.0, 10.0, 5.0], "must rise"), ([0.0, 5.0], "length of route")],
)
def test_what_is_no_route_is_refused(distance, message):
    with pytest.raises(ValueError, match=message):
        Route("bad", np.array(distance), np.zeros(len(distance)))


def test_gpx_is_measured_along_the_sphere(tmp_path):
    gpxpy = pytest.importorskip("gpxpy")
    assert gpxpy
    # A degree of latitude is 111.19 km on a sphere of radius 6371 km.
    rows = [f'<trkpt lat="{50 + n * 0.001}" lon="8"><ele>{n}</ele></trkpt>' for n in range(11)]
    path = tmp_path / "north.gpx"
    path.write_text(GPX.format(points="\n".join(rows)), encoding="utf-8")
    (route,) = read_gpx_routes(path)
    assert route.name == "north"
    assert route.length_m == pytest.approx(0.01 * np.pi / 180.0 * 6_371_000.0, rel=1e-6)
    assert route.altitude_m.tolist() == pytest.approx(list(range(11)))
    assert [each.name for each in read_routes(tmp_path)] == ["north"]
    path.write_text("<gpx", encoding="utf-8")
    with pytest.raises(ValueError, match="not a readable GPX"):
        list(read_gpx_routes(path))


def test_plans_become_sessions_stretch_by_stretch(tmp_path):
    path = tmp_path / "plans.csv"
    path.write_text(
        "workout,sport,minutes,speed_km_h,grade_percent\n"
        "hill,run,1,10.8,\nhill,run,0.5,7.2,10\neasy,walk,2,5.4,\n",
        encoding="utf-8",
    )
    hill, easy = read_workouts(path)
    assert (hill.name, easy.name, easy.session.sport) == ("hill", "easy", "walk")
    assert hill.session.speed_m_s.tolist() == pytest.approx([3.0] * 6 + [2.0] * 3)
    assert hill.session.altitude_m.tolist() == pytest.approx([0.0] * 6 + [2.0, 4.0, 6.0])
    assert len(easy.session) == 12


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a,run,0,10", "column minutes"),
        ("a,run,5,x", "column speed_km_h"),
        ("a,,5,10", "must not be empty"),
        ("a,run,5,10\na,bike,5,10", "sport of 'a'"),
    ],
)
def test_a_malformed_plan_is_refused_by_row_and_column(tmp_path, row, message):
    path = tmp_path / "plans.csv"
    path.write_text(f"workout,sport,minutes,speed_km_h\n{row}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_workouts(path)


def test_a_folder_without_routes_says_so(tmp_path):
    with pytest.raises(ValueError, match="holds no file that ends in"):
        read_routes(tmp_path)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        read_routes(tmp_path / "nowhere")
