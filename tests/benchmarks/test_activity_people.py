"""People of the activities: what recordings tell of a habit, and where it leads."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from fitgym.logs.workout import Workout
from fitgym.people.individual import Physiology
from fitgym.people.runners import Response, stage_at_habits
from fitgym_benchmarks.paper.grid import ACTIVITIES, activity_person


@pytest.fixture(scope="module")
def script() -> ModuleType:
    path = Path(__file__).parents[2] / "scripts" / "make_activity_people.py"
    spec = importlib.util.spec_from_file_location("make_activity_people", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up.
    importlib.sys.modules[spec.name] = module  # type: ignore[attr-defined]
    spec.loader.exec_module(module)
    return module


def walk(day: float, minutes: int, bpm: float, speed: float = 1.5, sport: str = "walk") -> Workout:
    steps = 6 * minutes
    return Workout(
        identifier=f"w{day:g}",
        user="u",
        sport=sport,
        gender="unknown",
        day=day,
        time_s=10.0 * np.arange(steps),
        heart_rate_bpm=np.full(steps, bpm),
        valid=np.ones(steps, bool),
        speed_m_s=np.full(steps, speed),
        altitude_m=np.zeros(steps),
        has_altitude=False,
    )


def test_points_are_internal_load_of_a_day(script) -> None:
    heart = Physiology(vdot=35.0, resting_heart_rate=60.0, maximum_heart_rate=180.0)
    # Half of the reserve for an hour: 60 x 0.5 x 0.64 e^0.96, at 5.19 a point; two on one day.
    hour = 60 * 0.5 * 0.64 * math.exp(1.92 * 0.5) / 5.19
    found = script.points_of_days(
        [walk(0.1, 60, 120.0), walk(0.6, 60, 120.0), walk(3, 30, 120.0)], heart
    )
    assert found.tolist() == pytest.approx([2 * hour, hour / 2])


def test_a_habit_is_how_often_and_how_hard(script) -> None:
    workouts = [walk(day, 60, 120.0) for day in (0, 2, 4, 9)]
    person = script.individual("p", script.Recorded("u", "walks", 35.0), workouts)
    assert person.habit.probability == 0.4
    assert person.habit.median_trimp == pytest.approx(9.66, abs=0.05)
    # A walk does not show the maximum.
    assert person.physiology.maximum_heart_rate == 180.0
    fast = walk(1, 20, 184.0, speed=5000 / 1218, sport="run")
    runner = script.individual("p", script.Recorded("u", "runs", None), [fast, walk(5, 30, 100.0)])
    assert runner.physiology.maximum_heart_rate == 184.0
    # Daniels' tables: 5 km in 20:18 are a VDOT of 49; the run ends 18 seconds before.
    assert runner.physiology.vdot == pytest.approx(49.0, abs=0.2)


@pytest.mark.parametrize("name", ACTIVITIES)
@pytest.mark.parametrize("stage", ["acquisition", "retention"])
def test_who_ships_starts_where_the_habit_leads(name, stage) -> None:
    person = activity_person(name)
    base_level = person.acquisition.initial_base_level
    expected = stage_at_habits(stage, person.physiology.vdot, person.habit, Response(), base_level)
    assert person.stage(stage) == expected
