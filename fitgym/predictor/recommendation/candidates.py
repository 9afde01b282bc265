"""What is chosen from: recorded and planned workouts, and routes."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fitgym.common.validation import require_number
from fitgym.logs import read_activities, read_recordings, to_workout
from fitgym.logs.workout import GRID_STEP_S, MAXIMUM_SPEED_M_S
from fitgym.predictor.recommendation.routes import STEEPEST, Route, route_of, route_of_points
from fitgym.predictor.sessions import Session

Array = NDArray[np.float64]

# Suffixes of the recordings that are read in a folder; other files there are passed over.
ACTIVITY_SUFFIXES = (".fit", ".gpx", ".tcx")
PLAN_COLUMNS = ("workout", "sport", "minutes", "speed_km_h")
LONGEST_MINUTES = 24 * 60.0
EARTH_RADIUS_M = 6_371_000.0


@dataclass(frozen=True, eq=False)
class Candidate:
    """A workout that may be recommended.

    Attributes:
        name: What it is called.
        session: What is done in it.
    """

    name: str
    session: Session


def read_workouts(path: Path) -> list[Candidate]:
    """Return the workouts at a path; heart rates recorded in them, of whomever, are not used.

    Args:
        path: A folder of recordings (``workouts.csv`` and ``samples.csv``), a folder of activity
            files, one activity file, or a CSV file of planned workouts with the columns
            ``workout, sport, minutes, speed_km_h`` and, if need be, ``grade_percent``: a row per
            stretch, those of one workout one after the other.

    Raises:
        OSError: If it cannot be read.
        ValueError: If there is nothing to choose from or a file is malformed.
    """
    if path.is_dir() and (path / "workouts.csv").exists():
        workouts = read_recordings(path)
        return [Candidate(workout.identifier, Session.of(workout)) for workout in workouts]
    if path.suffix.lower() == ".csv":
        return _read_plans(path)
    candidates = []
    for file in _files(path):
        for activity in read_activities(file):
            workout = to_workout(activity)
            # Readers name an activity by its file, of which the folder is known.
            candidates.append(Candidate(Path(workout.identifier).name, Session.of(workout)))
    if not candidates:
        raise ValueError(f"{path} holds no workout")
    return candidates


def read_routes(path: Path) -> list[Route]:
    """Return the routes at a path.

    Args:
        path: A folder, or a file: GPX tracks and routes, with or without times, or recordings of
            the other kinds that ``fitgym.logs.read_activities`` reads.

    Raises:
        OSError: If it cannot be read.
        ValueError: If there is no route or a file is malformed.
        ImportError: If a GPX file is read without gpxpy.
    """
    routes: list[Route] = []
    for file in _files(path):
        if file.suffix.lower() == ".gpx":
            routes += read_gpx_routes(file)
        else:
            for route in map(route_of, read_activities(file)):
                routes.append(replace(route, name=Path(route.name).name))
    if not routes:
        raise ValueError(f"{path} holds no route")
    return routes


def read_gpx_routes(path: Path) -> Iterator[Route]:
    """Yield the tracks and routes of a GPX file, whether they have times or not.

    Raises:
        ImportError: If gpxpy is not installed.
        ValueError: If the file is malformed.
    """
    try:
        import gpxpy
        import gpxpy.gpx
    except ModuleNotFoundError as error:
        raise ImportError("gpxpy is not installed: pip install 'fitgym[watch]'") from error
    try:
        content = gpxpy.parse(path.read_bytes())
    except (gpxpy.gpx.GPXException, ValueError) as error:
        raise ValueError(f"{path} is not a readable GPX file: {error}") from error
    places = [
        *((p for part in track.segments for p in part.points) for track in content.tracks),
        *(iter(route.points) for route in content.routes),
    ]
    read = [
        np.array([(p.latitude, p.longitude, p.elevation) for p in points], dtype=np.float64)
        for points in places
    ]
    lines = [points for points in read if len(points) > 1]
    for number, points in enumerate(lines, start=1):
        name = path.stem if len(lines) == 1 else f"{path.stem} {number}"
        distance, heights = _distance_along(points[:, :2]), points[:, 2]
        known = ~np.isnan(heights)
        altitude = np.zeros(len(points))
        if known.any():
            altitude = np.interp(distance, distance[known], heights[known])
        yield route_of_points(name, distance, altitude, bool(known.any()))


def _distance_along(places: Array) -> Array:
    """Return the distance (P,) in metres along places (P, 2) in degrees, on a sphere."""
    latitude, longitude = np.radians(places).T
    half = np.sin(np.diff(latitude) / 2.0) ** 2
    half += np.cos(latitude[:-1]) * np.cos(latitude[1:]) * np.sin(np.diff(longitude) / 2.0) ** 2
    pieces = 2.0 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(half, 1.0)))
    return np.concatenate([[0.0], np.cumsum(pieces)])


def _files(path: Path) -> list[Path]:
    """Return the file itself, or the recordings in a folder, by name."""
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist")
    if path.is_file():
        return [path]
    found = sorted(file for file in path.iterdir() if file.suffix.lower() in ACTIVITY_SUFFIXES)
    if not found:
        raise ValueError(f"{path} holds no file that ends in {', '.join(ACTIVITY_SUFFIXES)}")
    return found


def _read_plans(path: Path) -> list[Candidate]:
    """Return the planned workouts in a CSV file, in the order they appear."""
    stretches: dict[str, list[tuple[int, float, float]]] = {}
    sports: dict[str, str] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        missing = [name for name in PLAN_COLUMNS if name not in (rows.fieldnames or ())]
        if missing:
            raise ValueError(f"{path} lacks the columns {', '.join(missing)}")
        for number, row in enumerate(rows, start=2):
            where = f"{path} row {number}"
            name, sport = (row["workout"] or "").strip(), (row["sport"] or "").strip()
            if not name or not sport:
                raise ValueError(f"{where}: workout and sport must not be empty")
            if sports.setdefault(name, sport) != sport:
                raise ValueError(
                    f"{where}: the sport of {name!r} must be {sports[name]!r} in all its rows, "
                    f"got {sport!r}"
                )
            minutes = _number(where, "minutes", row, GRID_STEP_S / 60.0, LONGEST_MINUTES)
            speed = _number(where, "speed_km_h", row, 0.0, 3.6 * MAXIMUM_SPEED_M_S) / 3.6
            grade = 0.0
            if row.get("grade_percent"):
                limit = 100.0 * STEEPEST
                grade = _number(where, "grade_percent", row, -limit, limit) / 100.0
            steps = max(round(60.0 * minutes / GRID_STEP_S), 1)
            stretches.setdefault(name, []).append((steps, speed, grade))
    if not stretches:
        raise ValueError(f"{path} lists no workout")
    return [Candidate(name, _plan(sports[name], parts)) for name, parts in stretches.items()]


def _plan(sport: str, parts: Sequence[tuple[int, float, float]]) -> Session:
    speed = np.concatenate([np.full(steps, speed) for steps, speed, _ in parts])
    climb = np.concatenate([np.full(steps, speed * grade) for steps, speed, grade in parts])
    altitude = np.concatenate([[0.0], np.cumsum(climb[1:]) * GRID_STEP_S])
    return Session(speed_m_s=speed, altitude_m=altitude, sport=sport)


def _number(where: str, name: str, row: dict[str, str], low: float, high: float) -> float:
    try:
        value = float(row[name] or "")
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise ValueError(
            f"{where}, column {name}: must be a number in [{low:g}, {high:g}], got {row[name]!r}"
        )
    return require_number(name, value)
