"""What the coach remembers between two days: plans given, sessions read, where the person stands.

It is one JSON file, replaced atomically. Stocks and belief always follow from the profile and the
days since, so reading the same history again changes nothing, and a session that arrives late is
replayed in its place.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from fitgym.coach.constraints import Constraints, wait_after
from fitgym.coach.goals import Goal
from fitgym.coach.person import Coached, Morning
from fitgym.coach.tracking import DayDone, Tracker, replay_days
from fitgym.common.files import write_text
from fitgym.common.json_files import json_text, read_object
from fitgym.common.records import check_fields
from fitgym.logs.history import History
from fitgym.logs.workout import GRID_STEP_S, Workout
from fitgym.model.internal_load import load_rates
from fitgym.model.session_points import session_points
from fitgym.people.individual import Physiology
from fitgym.profile.days import (
    all_sessions,
    recorded_runs,
    share_done,
    workout_date,
    workout_points,
)

# Raised when the meaning of a diary changes.
FORMAT = 2
# Ours: the profile is from too long ago to start from.
OLDEST_PROFILE_DAYS = 400
# Two readings of a session differ by less than this share of distance and time (ours).
_SAME_SESSION = 0.01
# Share of a recording that must hold heart rate for its load to count (ours).
_ENOUGH_HEART_RATE = 0.9
_SAME_RECORDING = 0.1


@dataclass(frozen=True)
class SessionRead:
    """A session that was read.

    Attributes:
        distance_m: Distance.
        minutes: Time.
        points: Its points.
        internal_load: Load by its heart rate; 0 where none was recorded.
    """

    distance_m: float
    minutes: float
    points: float
    internal_load: float = 0.0

    @property
    def digest(self) -> str:
        """What the session is recognised by."""
        text = f"{self.distance_m:.1f} m {self.minutes:.3f} min"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def same(self, other: SessionRead) -> bool:
        """Return whether two readings are of one session."""
        return all(
            abs(mine - theirs) <= _SAME_SESSION * max(mine, theirs)
            for mine, theirs in (
                (self.distance_m, other.distance_m),
                (self.minutes, other.minutes),
            )
        )

    def __str__(self) -> str:
        """Return distance and time as in a log."""
        return f"{self.distance_m / 1000.0:.2f} km in {self.minutes:.1f} min"


@dataclass(frozen=True)
class DayEntry:
    """A day since the profile.

    Attributes:
        plan_trimp: Points that were asked for; 0 for no plan.
        asked: Whether the coach was asked on that day, or only an earlier answer told its plan.
        sessions: What was done.
        free: Whether there was time for a session, as far as was told.
    """

    plan_trimp: float = 0.0
    asked: bool = False
    sessions: tuple[SessionRead, ...] = ()
    free: bool = True

    @property
    def points(self) -> float:
        """Points of all sessions."""
        return sum(session.points for session in self.sessions)


@dataclass(frozen=True)
class Diary:
    """What is remembered; see the module.

    Attributes:
        profile: Digest of the profile that it goes with.
        anchor: Day of the profile's state, ISO.
        season_start: First day of the season that is planned for.
        season_days: Days of the season.
        goal: What it is for.
        day: Day of the last answer, ISO; the anchor before the first.
        days: Entries by ISO date; a day without one was a rest day.
        outlook: Plans of the days after the last answer, points by ISO date.
        morning: Where the person stood on ``day``.
        vdot: VDOT that the paces of the plans are made for.
        grid_trimp: The plans that there are, points.
        published: Days that a calendar file had an event on, ISO.
    """

    profile: str
    anchor: str
    season_start: str
    season_days: int
    goal: Goal
    day: str
    days: Mapping[str, DayEntry] = field(default_factory=dict)
    outlook: Mapping[str, float] = field(default_factory=dict)
    morning: Morning | None = None
    vdot: float = 0.0
    grid_trimp: tuple[float, ...] = ()
    published: tuple[str, ...] = ()

    def entry(self, day: date) -> DayEntry:
        """Return what a day was; a rest day where nothing is known."""
        return self.days.get(day.isoformat(), DayEntry())

    def to_dict(self) -> dict[str, Any]:
        """Return the diary for a JSON file, which ``fitgym profile --plans`` reads, too."""
        morning = self.morning
        return {
            "format": FORMAT,
            "profile": self.profile,
            "anchor": self.anchor,
            "season": {
                "start": self.season_start,
                "days": self.season_days,
                "goal": asdict(self.goal),
            },
            "date": self.day,
            "state": None if morning is None else asdict(morning),
            "days": {
                day: {
                    "plan_trimp": entry.plan_trimp,
                    "asked": entry.asked,
                    "free": entry.free,
                    "sessions": [{"digest": one.digest, **asdict(one)} for one in entry.sessions],
                }
                for day, entry in sorted(self.days.items())
            },
            "outlook": dict(sorted(self.outlook.items())),
            "vdot": self.vdot,
            "grid_trimp": list(self.grid_trimp),
            "published": list(self.published),
            # What follows from the days, for ``fitgym.profile.plans.read_plans``.
            "plans": {
                day: entry.plan_trimp for day, entry in sorted(self.days.items()) if entry.asked
            },
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Diary:
        """Return the diary that ``to_dict`` gave.

        Raises:
            ValueError: If the content is not that of a diary.
        """
        if content.get("format") != FORMAT:
            raise ValueError(
                f"a coach's diary must have format {FORMAT}, got {content.get('format')!r}"
            )
        try:
            season, state = content["season"], content["state"]
            days = {}
            for day, entry in content["days"].items():
                date.fromisoformat(day)
                sessions = []
                for one in entry["sessions"]:
                    told = dict(one)
                    digest = told.pop("digest")
                    session = SessionRead(**told)
                    if session.digest != digest:
                        raise ValueError(f"a session of {day} was changed by hand")
                    sessions.append(session)
                days[day] = DayEntry(
                    entry["plan_trimp"], entry["asked"], tuple(sessions), entry["free"]
                )
            for day in (content["anchor"], season["start"], content["date"]):
                date.fromisoformat(day)
            found = cls(
                profile=content["profile"],
                anchor=content["anchor"],
                season_start=season["start"],
                season_days=season["days"],
                goal=Goal(**season["goal"]),
                day=content["date"],
                days=days,
                outlook=dict(content["outlook"]),
                morning=None if state is None else Morning.from_dict(state),
                vdot=content["vdot"],
                grid_trimp=tuple(content["grid_trimp"]),
                published=tuple(content["published"]),
            )
            check_fields(found)
            for day in (*found.outlook, *found.published):
                date.fromisoformat(day)
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"this is no coach's diary: {error!r}") from None
        return found


def profile_digest(content: Mapping[str, Any]) -> str:
    """Return what a profile is recognised by, from its content."""
    return hashlib.sha256(json_text(dict(content)).encode()).hexdigest()[:16]


def read_diary(path: str | os.PathLike[str]) -> Diary | None:
    """Return the diary in a file; None if there is no file.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it holds something else.
    """
    if not Path(path).exists():
        return None
    content = read_object(path)
    try:
        return Diary.from_dict(content)
    except ValueError as error:
        raise ValueError(
            f"{os.fspath(path)}: {error}; name another file with --diary to begin anew"
        ) from None


def write_diary(diary: Diary, path: str | os.PathLike[str]) -> None:
    """Write a diary, atomically; a file that says the same already is left alone."""
    text = json_text(diary.to_dict(), indent=1) + "\n"
    target = Path(path)
    if not target.exists() or target.read_text(encoding="utf-8") != text:
        write_text(target, text)


def open_diary(
    diary: Diary | None,
    profile: str,
    coached: Coached,
    goal: Goal,
    season_days: int,
    today: date,
) -> tuple[Diary, list[str]]:
    """Return the diary to go on with on a day, and what is worth saying.

    A new profile begins from its own day, with what is remembered since then; another goal, another
    length or the end of the season begins a new season today.

    Args:
        diary: The one so far; None for none.
        profile: Digest of the profile.
        coached: Who.
        goal: What is asked for.
        season_days: Length of a season; with a race it ends on the morning of the race.
        today: The day.

    Raises:
        ValueError: If the day lies before the last answer or the profile, or too far after it.
    """
    anchor = date.fromisoformat(coached.morning.date)
    if today < anchor:
        raise ValueError(
            f"today is {today}, and the profile is of {anchor}: make the profile as of an earlier "
            "day, or ask later"
        )
    if (today - anchor).days > OLDEST_PROFILE_DAYS:
        raise ValueError(
            f"the profile is of {anchor}, {(today - anchor).days} days ago; at most "
            f"{OLDEST_PROFILE_DAYS} are replayed: make it anew with fitgym profile"
        )
    notes: list[str] = []
    length = season_days
    if goal.kind == "race":
        length = (date.fromisoformat(goal.day) - today).days
    fresh = Diary(
        profile,
        anchor.isoformat(),
        today.isoformat(),
        length,
        goal,
        anchor.isoformat(),
        vdot=coached.individual.physiology.vdot,
        grid_trimp=coached.individual.plans_trimp,
    )
    if diary is None:
        return fresh, notes
    # After today's session the last answer was for tomorrow.
    answered = date.fromisoformat(diary.day) - timedelta(
        days=int(bool(diary.entry(today).sessions))
    )
    if today < answered:
        raise ValueError(
            f"today is {today}, and the diary is at {diary.day} already: the past is not advised"
        )
    going_on = diary
    if diary.profile != profile:
        notes.append(f"The profile is new: replayed from its day, {anchor}.")
        kept = {day: entry for day, entry in diary.days.items() if day >= anchor.isoformat()}
        going_on = replace(
            fresh,
            day=max(diary.day, anchor.isoformat()),
            days=kept,
            outlook=diary.outlook,
            published=diary.published,
        )
        return going_on, notes
    started = date.fromisoformat(diary.season_start)
    over = (today - started).days >= diary.season_days
    same_length = goal.kind == "race" or diary.season_days == season_days
    if over or diary.goal != goal or not same_length:
        if over:
            notes.append(f"The season of {diary.season_days} days is over; a new one begins.")
        else:
            notes.append(f"A new season of {length} days begins for the goal {goal}.")
        going_on = replace(diary, season_start=today.isoformat(), season_days=length, goal=goal)
    return going_on, notes


def absorb(
    diary: Diary, history: History, physiology: Physiology, today: date
) -> tuple[Diary, list[str]]:
    """Return the diary with the sessions of a history, and what is worth saying.

    Args:
        diary: The one so far.
        history: What was read; sessions before the diary's anchor are the profile's.
        physiology: VDOT of the zones, heart rates.
        today: The day; sessions after it are refused.

    Raises:
        ValueError: If a session lies in the future, or the history contradicts what was read
            before.
    """
    by_day: dict[date, list[SessionRead]] = {}
    late = [one for one in all_sessions(history) if one.date > today]
    if late:
        raise ValueError(
            f"the history has {len(late)} session(s) after today, {today}, the first on "
            f"{late[0].date}: nothing can be learnt from the future (--today tells another day)"
        )
    anchor = date.fromisoformat(diary.anchor)
    workouts = recorded_runs(history)
    older = 0
    for session in all_sessions(history):
        if session.minutes <= 0.0:
            continue
        if session.date < anchor:
            older += 1
            continue
        recording = _recording_of(workouts, session.date, session.distance_m)
        if recording is not None:
            points = workout_points(recording, physiology.vdot)
            load = _measured_load(recording, physiology)
        else:
            points = float(session_points(session.distance_m, session.minutes, physiology.vdot))
            load = 0.0
        by_day.setdefault(session.date, []).append(
            SessionRead(session.distance_m, session.minutes, min(points, 2000.0), load)
        )
    notes: list[str] = []
    days = dict(diary.days)
    new = 0
    for day, found in sorted(by_day.items()):
        entry = diary.entry(day)
        missing = [one for one in entry.sessions if not any(one.same(other) for other in found)]
        added = [one for one in found if not any(one.same(other) for other in entry.sessions)]
        if missing and len(by_day) + older > 1:
            raise ValueError(
                f"the history contradicts what was read before: {day} had {missing[0]}, and now "
                f"has {' and '.join(map(str, found))}. Give the history as it was, or begin anew "
                "with another file for --diary"
            )
        if not added:
            continue
        new += len(added)
        if day < date.fromisoformat(diary.day) - timedelta(days=1):
            notes.append(f"A session of {day} is new; the days since are replayed.")
        days[day.isoformat()] = replace(entry, sessions=(*entry.sessions, *added))
    if new:
        notes.insert(0, f"{new} new session(s) read.")
    elif by_day:
        notes.insert(0, "No session is new.")
    else:
        notes.insert(0, f"No session since the profile ({anchor}).")
    return replace(diary, days=days), notes


def advised_day(diary: Diary, today: date) -> date:
    """Return the day that an answer is for: today, or tomorrow after today's session."""
    done = bool(diary.entry(today).sessions)
    return today + timedelta(days=1) if done else today


def with_gaps(diary: Diary, day: date) -> Diary:
    """Return the diary in which days without an answer have the plans of the last outlook.

    They count where there was a session: nobody knows whether anybody looked at the others.
    """
    days = dict(diary.days)
    for text, points in diary.outlook.items():
        entry = diary.entry(date.fromisoformat(text))
        if text < day.isoformat() and entry.sessions and not entry.asked:
            days[text] = replace(entry, plan_trimp=points)
    return replace(diary, days=days)


def with_free_days(diary: Diary, constraints: Constraints, day: date) -> Diary:
    """Return the diary in which the days since the last answer are free or not as is told now."""
    days = dict(diary.days)
    last = date.fromisoformat(diary.day)
    for ahead in range((day - last).days + 1):
        then = last + timedelta(days=ahead)
        entry, free = diary.entry(then), constraints.is_free(then)
        if entry.free != free:
            days[then.isoformat()] = replace(entry, free=free)
    return replace(diary, days=days)


def days_done(diary: Diary, vdot: float, until: date) -> list[DayDone]:
    """Return what each day was from the anchor to the day before ``until``."""
    anchor = date.fromisoformat(diary.anchor)
    found = []
    for ahead in range((until - anchor).days):
        entry = diary.entry(anchor + timedelta(days=ahead))
        plan, done = entry.plan_trimp, entry.points
        load = 0.0
        if plan > 0.0 and entry.sessions:
            metres = sum(one.distance_m for one in entry.sessions)
            minutes = sum(one.minutes for one in entry.sessions)
            done = plan * share_done(plan, vdot, metres, minutes, done)
            # The load of several sessions is not that at which a plan was stopped.
            load = entry.sessions[0].internal_load if len(entry.sessions) == 1 else 0.0
        found.append(DayDone(plan, done, load, entry.free))
    return found


def morning_of(diary: Diary, coached: Coached, tracker: Tracker, day: date) -> Morning:
    """Return where the person stands in the morning of a day."""
    done = days_done(diary, coached.individual.physiology.vdot, day)
    return replay_days(tracker, coached.morning, done)


def loads_before(diary: Diary, coached: Coached, day: date) -> tuple[float, ...]:
    """Return the points really done on the days before a day, those of the profile first."""
    anchor = date.fromisoformat(diary.anchor)
    since = [
        diary.entry(anchor + timedelta(days=ahead)).points for ahead in range((day - anchor).days)
    ]
    return (*coached.loads, *since)


def wait_on(
    diary: Diary, coached: Coached, constraints: Constraints, hard_trimp: float, day: date
) -> int:
    """Return for how many days from a day on no hard plan may follow."""
    anchor = date.fromisoformat(diary.anchor)
    asked = [0.0] * len(coached.loads) + [
        diary.entry(anchor + timedelta(days=ahead)).plan_trimp
        for ahead in range((day - anchor).days)
    ]
    done = loads_before(diary, coached, day)
    return wait_after(constraints, hard_trimp, np.maximum(asked, done).tolist())


def _recording_of(workouts: Sequence[Workout], day: date, metres: float) -> Workout | None:
    for workout in workouts:
        if workout_date(workout) == day:
            run = float(workout.speed_m_s.sum()) * GRID_STEP_S
            if abs(run / metres - 1.0) <= _SAME_RECORDING:
                return workout
    return None


def _measured_load(workout: Workout, physiology: Physiology) -> float:
    """Return the internal load of a recording by its heart rate; 0 where too little is known."""
    if float(workout.valid.mean()) < _ENOUGH_HEART_RATE:
        return 0.0
    rates = load_rates(
        workout.heart_rate_bpm[workout.valid],
        physiology.resting_heart_rate,
        physiology.maximum_heart_rate,
        physiology.gender == "female",
    )
    return float(np.mean(rates)) * len(workout) * GRID_STEP_S / 60.0
