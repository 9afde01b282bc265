"""A history day by day, as the model reads it: points, plans and how far they were done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from fitgym.logs.history import History
from fitgym.logs.training_log import LoggedSession
from fitgym.logs.workout import GRID_STEP_S, Workout
from fitgym.model.plans import plan_segments, session_course
from fitgym.model.session_points import points_per_minute, session_points
from fitgym.predictor.channels import sport_family
from fitgym.profile.efforts import (
    RARE_SHARE,
    of_raced_distance,
    race_chances,
    shown_vdots,
)
from fitgym.profile.plans import PushedPlans

Array = NDArray[np.float64]

# What a day was: nothing known of a plan and no session, a session of one's own, a plan begun, what
# may have been a race, and a plan not begun at all.
REST, HABIT, PLANNED, RACE, SKIPPED = range(5)

# Days before these say nothing of today: nine tenths of fitness are forgotten in a hundred days
# (Banister and Calvert 1976: 42 days to 1/e), and a year shows habits in every season (ours).
WINDOW_DAYS = 365
# Points of speeds are those of means over three minutes, so that errors of satellites even out.
_SMOOTHING_STEPS = 18
# A recording belongs to a session of its date if distances agree within this share (ours).
_SAME_DISTANCE = 0.1
# A plan counts as done when less than this share of its minutes is missing (ours).
_ALMOST = 0.01
# A session follows the plan of its day if its speed is the plan's within this share (ours).
_SAME_SPEED = 0.12
_EPOCH = date(1970, 1, 1)
_LARGEST_SESSION_TRIMP = 2000.0


@dataclass(frozen=True, eq=False)
class Days:
    """A history day by day, from its first day, or a year ago, to yesterday.

    Attributes:
        first: The first day.
        kind: (T,) what each day was, ``REST`` to ``SKIPPED``.
        points: (T,) points done.
        plan_trimp: (T,) points asked for; 0 where none or nothing is known.
        share: (T,) share of the plan done.
        minutes: (T,) minutes of the day's sessions.
        recording: (T,) index among ``workouts`` of the day's longest recorded run, -1 for none.
        workouts: Recorded runs of these days.
        race_day: (R,) day of each effort that may have been a race.
        race_log_vdot: (R,) logarithm of the VDOT that it showed.
        race_chance: (R,) chance that it was one.
        plans_known: Whether it is known of any day what was pushed.
    """

    first: date
    kind: NDArray[np.int64]
    points: Array
    plan_trimp: Array
    share: Array
    minutes: Array
    recording: NDArray[np.int64]
    workouts: tuple[Workout, ...]
    race_day: NDArray[np.int64]
    race_log_vdot: Array
    race_chance: Array
    plans_known: bool

    @property
    def count(self) -> int:
        """Number of days, T."""
        return int(self.kind.size)

    @property
    def dates(self) -> tuple[date, ...]:
        """The days, T of them."""
        return tuple(self.first + timedelta(days=day) for day in range(self.count))


def workout_points(workout: Workout, vdot: float) -> float:
    """Return the points of a recorded run, from its speed.

    Args:
        workout: The run.
        vdot: VDOT that sets the zones.
    """
    speed = 60.0 * workout.speed_m_s
    width = min(_SMOOTHING_STEPS, len(speed))
    padded = np.pad(speed, (width // 2, width - 1 - width // 2), mode="edge")
    smooth = np.lib.stride_tricks.sliding_window_view(padded, width).mean(axis=1)
    # Standing still counts nothing, whatever the mean around it.
    rate = np.where(speed > 0.0, points_per_minute(smooth, vdot), 0.0)
    return float(rate.sum() * GRID_STEP_S / 60.0)


def workout_date(workout: Workout) -> date:
    """Return the day of a workout whose ``day`` counts from 1970-01-01 in local time."""
    return _EPOCH + timedelta(days=int(workout.day))


def recorded_runs(history: History) -> tuple[Workout, ...]:
    """Return the recorded runs of a history."""
    return tuple(one for one in history.workouts if sport_family(one.sport) == "run")


def all_sessions(history: History) -> tuple[LoggedSession, ...]:
    """Return the sessions of a history, with recorded runs that no session stands for."""
    sessions = list(history.sessions)
    for workout in recorded_runs(history):
        if _session_of(workout, sessions) is None:
            minutes = len(workout) * GRID_STEP_S / 60.0
            distance = float(workout.speed_m_s.sum()) * GRID_STEP_S
            try:
                sessions.append(LoggedSession(workout_date(workout), distance, minutes))
            except ValueError:
                # Standing still or a fault of the satellites: no run.
                continue
    return tuple(sorted(sessions, key=lambda session: session.date))


def estimated_sessions(history: History) -> tuple[LoggedSession, ...]:
    """Return the sessions that a history tells of without distance or time, with estimates.

    What lacks follows from the other at the median speed of the others; where both lack, the
    session is as long as the others on average. Else these days would count as rest.
    """
    told = [one for one in all_sessions(history) if one.minutes > 0.0]
    if not told:
        return ()
    speed = float(np.median([one.distance_m / one.minutes for one in told]))
    usual_m = float(np.mean([one.distance_m for one in told]))
    known: list[tuple[date, float | None, float | None]] = [
        (one.date, one.distance_m, None) for one in history.sessions if not one.minutes > 0.0
    ]
    partial = [one.session for one in history.report.left_out if one.session is not None]
    known += [(one.date, one.distance_m, one.minutes) for one in partial]
    found = []
    taken = {one.date for one in told}
    for day, distance, minutes in known:
        metres = distance or (minutes * speed if minutes else usual_m)
        if day not in taken:
            found.append(LoggedSession(day, metres, metres / speed))
    return tuple(found)


def days_of(
    sessions: Sequence[LoggedSession],
    workouts: Sequence[Workout],
    *,
    today: date,
    vdot: float,
    plans: PushedPlans | None = None,
    window_days: int = WINDOW_DAYS,
) -> Days:
    """Return a history day by day.

    Args:
        sessions: The sessions, in order of time; those from ``today`` on are left out.
        workouts: Recorded runs, of which those of the sessions' days are used.
        today: The day after the last one.
        vdot: VDOT that sets the zones, and the paces of the plans.
        plans: What was pushed; None if nobody knows.
        window_days: How many days to go back at most.

    Raises:
        ValueError: If no session with a time is left.
    """
    used = [
        one for one in sessions if 0 < (today - one.date).days <= window_days and one.minutes > 0.0
    ]
    known = () if plans is None else tuple(day for day in plans.by_date if day < today)
    if not used:
        raise ValueError(
            f"no session with distance and time in the {window_days} days before {today}: give a "
            "history with newer sessions, or another day as today"
        )
    earliest = min([used[0].date, *known])
    first = max(earliest, today - timedelta(days=window_days))
    count = (today - first).days
    kind = np.zeros(count, dtype=np.int64)
    points, plan_trimp, share, minutes = np.zeros((4, count))
    recording = np.full(count, -1, dtype=np.int64)
    by_day: dict[int, list[int]] = {}
    for number, session in enumerate(used):
        by_day.setdefault((session.date - first).days, []).append(number)
    kept = [one for one in workouts if 0 <= (workout_date(one) - first).days < count]
    matched: dict[int, Workout] = {}
    for index, workout in enumerate(kept):
        day = (workout_date(workout) - first).days
        if (found := _session_of(workout, used)) is not None:
            matched[found] = workout
        if recording[day] < 0 or len(kept[recording[day]]) < len(workout):
            recording[day] = index
    for day in range(count):
        for number in by_day.get(day, ()):
            session = used[number]
            if number in matched:
                done = workout_points(matched[number], vdot)
            else:
                done = float(session_points(session.distance_m, session.minutes, vdot))
            points[day] += min(done, _LARGEST_SESSION_TRIMP - points[day])
            minutes[day] += session.minutes
            kind[day] = HABIT
    if plans is not None:
        for pushed, target in plans.by_date.items():
            day = (pushed - first).days
            if not 0 <= day < count or target <= 0.0:
                continue
            plan_trimp[day] = target
            if day not in by_day:
                kind[day] = SKIPPED
                continue
            kind[day] = PLANNED
            metres = sum(used[number].distance_m for number in by_day[day])
            share[day] = share_done(target, vdot, metres, minutes[day], points[day])
            points[day] = share[day] * target
    distance_m = np.array([one.distance_m for one in used])
    times = np.array([one.minutes for one in used])
    chances = race_chances(distance_m, times, float(count))
    shown = shown_vdots(distance_m, times)
    round_distance = of_raced_distance(distance_m)
    own = [number for day, numbers in by_day.items() for number in numbers if not plan_trimp[day]]
    rare = bool(own) and float(round_distance[own].mean()) < RARE_SHARE
    race_day, race_log_vdot, race_chance = [], [], []
    for day, numbers in by_day.items():
        best = max(numbers, key=lambda n: (chances[n], round_distance[n], np.nan_to_num(shown[n])))
        # A plan is carried out at its paces, so it is no race.
        if plan_trimp[day] > 0.0:
            continue
        if rare and round_distance[best]:
            kind[day] = RACE
        if chances[best] <= 0.0:
            continue
        race_day.append(day)
        race_log_vdot.append(float(np.log(shown[best])))
        race_chance.append(float(chances[best]))
        kind[day] = RACE
    return Days(
        first=first,
        kind=kind,
        points=points,
        plan_trimp=plan_trimp,
        share=share,
        minutes=minutes,
        recording=recording,
        workouts=tuple(kept),
        race_day=np.array(race_day, dtype=np.int64),
        race_log_vdot=np.array(race_log_vdot),
        race_chance=np.array(race_chance),
        plans_known=bool(known),
    )


def share_done(
    target_trimp: float, vdot: float, distance_m: float, minutes: float, points: float
) -> float:
    """Return the share of a plan's points that a session did.

    A session at the paces of the plan did what the plan asks for up to its minutes; another one
    counts by its points.

    Args:
        target_trimp: Points of the plan.
        vdot: VDOT that sets its paces.
        distance_m: Distance of the session.
        minutes: Its time.
        points: Its points.
    """
    course = session_course(plan_segments(target_trimp), vdot)
    ends = np.append(0.0, np.cumsum(course.duration_s) / 60.0)
    metres = np.append(0.0, np.cumsum(course.speed_m_s * course.duration_s))
    asked = float(np.interp(minutes, ends, metres))
    if minutes >= (1.0 - _ALMOST) * ends[-1] and distance_m >= (1.0 - _SAME_SPEED) * asked:
        return 1.0
    if abs(distance_m / asked - 1.0) <= _SAME_SPEED:
        share = float(np.interp(minutes, ends, np.append(0.0, np.cumsum(course.points))))
        return share / float(course.points.sum())
    return min(points / target_trimp, 1.0)


def _session_of(workout: Workout, sessions: Sequence[LoggedSession]) -> int | None:
    """Return the number of the session that a workout recorded, or None."""
    day, metres = workout_date(workout), float(workout.speed_m_s.sum()) * GRID_STEP_S
    best: tuple[float, int] | None = None
    for number, session in enumerate(sessions):
        if session.date == day:
            off = abs(metres / session.distance_m - 1.0)
            if off <= _SAME_DISTANCE and (best is None or off < best[0]):
                best = (off, number)
    return None if best is None else best[1]
