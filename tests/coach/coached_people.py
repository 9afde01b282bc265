"""A person to coach, without any network: an individual whose table of heart rates ships."""

from __future__ import annotations

from datetime import date, timedelta

from fitgym.people.individual import Individual
from fitgym.planning.grid import GridSize
from fitgym.profile import Profile, ProfileEstimate, TodaysState
from fitgym.profile.profile import HistorySummary

TODAY = date(2026, 3, 2)
SMALL = GridSize(base_level=3, fitness=3, fatigue=4, motivation=7, shares=2, habits=2)


def profile_of(individual: Individual, points: tuple[float, ...]) -> Profile:
    """Return a profile as ``profile_from`` would make it of somebody who is just so."""
    stage = individual.acquisition
    trained = [i for i, done in enumerate(points) if done > 0.0]
    since = len(points) - trained[-1] if trained else 1
    return Profile(
        individual=individual,
        state=TodaysState(
            date=TODAY.isoformat(),
            base_level=stage.initial_base_level,
            fitness=stage.initial_fitness,
            fatigue=stage.initial_fatigue,
            vdot=individual.physiology.vdot,
            motivation=0.0,
            motivation_sd=0.2,
            days_since=since,
            last_trimp=points[trained[-1]] if trained else 0.0,
            last_plan_trimp=0.0,
        ),
        estimates=(
            ProfileEstimate("heart_rate_offset", "offset", 0.0, -8.0, 8.0, "bpm", "borrowed", ""),
            ProfileEstimate("vdot", "VDOT", 41.0, 39.0, 43.0, "ml/kg/min", "identified", ""),
            ProfileEstimate("resting_heart_rate", "resting", 60.0, 50.0, 70.0, "bpm", "given", ""),
            ProfileEstimate(
                "maximum_heart_rate", "maximum", 185.0, 175.0, 195.0, "bpm", "given", ""
            ),
        ),
        summary=HistorySummary(0, 0, 0, 0, "2026-01-01", "2026-03-01", 0.0, 5.0, 0),
        weekdays=(),
        first_day=(TODAY - timedelta(days=len(points))).isoformat(),
        points=points,
        plans_trimp=(0.0,) * len(points),
        start=stage,
    )
