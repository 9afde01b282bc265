"""A day of the coach, as in figure 1 of the paper: read what is new, move on, answer, remember.

Everything is worked out before anything is written, and the diary is one file that is replaced at
once: a process that is killed at any moment leaves the diary of before or of after.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitgym.coach.advice import Advice, advise, observation_of
from fitgym.coach.constraints import Constraints
from fitgym.coach.diary import (
    DayEntry,
    Diary,
    absorb,
    advised_day,
    days_done,
    loads_before,
    morning_of,
    open_diary,
    profile_digest,
    read_diary,
    wait_on,
    with_free_days,
    with_gaps,
    write_diary,
)
from fitgym.coach.goals import Goal
from fitgym.coach.person import Coached, coached_of
from fitgym.coach.policies import Rating
from fitgym.coach.program import SeasonProgram
from fitgym.coach.tracking import Tracker
from fitgym.common.validation import require_integer
from fitgym.logs.history import History
from fitgym.profile import Profile

LONGEST_SEASON_DAYS = 365


@dataclass(frozen=True)
class Answer:
    """What the coach says on a day.

    Attributes:
        advice: What to do.
        diary: What is remembered, not yet written.
        notes: What else is worth saying.
    """

    advice: Advice
    diary: Diary
    notes: tuple[str, ...]


def answer(
    profile: Profile,
    diary: Diary | None,
    history: History | None,
    today: date,
    *,
    goal: Goal | None = None,
    constraints: Constraints | None = None,
    season_days: int = 90,
    policy: str = "belief",
    rating: Rating | None = None,
    progress: bool = False,
) -> Answer:
    """Return the coach's answer for a day; nothing is written.

    Args:
        profile: Who asks.
        diary: What is remembered; None at first.
        history: What was read; None for nothing new.
        today: The day.
        goal: What counts.
        constraints: What plans keep to.
        season_days: Length of a season, in [1, 365].
        policy: Who chooses, see ``fitgym.coach.policies``.
        rating: The saved agent, for ``"a3c"``.
        progress: Whether to show a bar on standard error while a season is planned.

    Raises:
        ValueError: If history, day, goal or constraints are impossible; the message says why.
    """
    require_integer("days", season_days, 1, LONGEST_SEASON_DAYS)
    goal, constraints = goal or Goal(), constraints or Constraints()
    coached = coached_of(profile)
    tracker = Tracker(coached.individual)
    digest = profile_digest(profile.to_dict())
    diary, notes = open_diary(diary, digest, coached, goal, season_days, today)
    if history is not None:
        diary, found = absorb(diary, history, coached.individual.physiology, today)
        notes += found
    day = advised_day(diary, today)
    if day < date.fromisoformat(diary.day):
        day = date.fromisoformat(diary.day)
    if day > today:
        notes.append("Today's session is done: this is for tomorrow.")
    diary = with_free_days(with_gaps(diary, day), constraints, day)
    diary = _reopened(diary, day, goal, season_days)
    if history is None and day > date.fromisoformat(diary.day):
        notes.append(f"No history was given: days since {diary.day} count as nothing done.")
    program = SeasonProgram(
        coached,
        morning_of(diary, coached, tracker, date.fromisoformat(diary.season_start)),
        diary.season_days,
        goal,
        constraints,
    ).solve(progress=progress)
    morning = morning_of(diary, coached, tracker, day)
    found_advice = advise(
        program,
        morning,
        loads_before(diary, coached, day),
        wait_on(diary, coached, constraints, program.hard_trimp, day),
        policy=policy,
        rating=rating,
        observed=_observed(diary, coached, tracker, program, day) if rating else None,
    )
    entry = replace(
        diary.days.get(day.isoformat(), DayEntry()),
        plan_trimp=found_advice.today.trimp,
        asked=True,
    )
    outlook = {one.date: one.trimp for one in found_advice.outlook[1:]}
    diary = replace(
        diary,
        day=day.isoformat(),
        days={**diary.days, day.isoformat(): entry},
        outlook=outlook,
        morning=morning,
    )
    return Answer(found_advice, diary, tuple(notes))


def run_day(path: str | os.PathLike[str], profile: Profile, **arguments: Any) -> Answer:
    """Return the answer for a day and write the diary; see ``answer`` for the arguments.

    Args:
        path: The diary's file, made if missing.
        profile: Who asks.
        **arguments: All of ``answer`` but profile and diary.
    """
    found = answer(profile, read_diary(path), **arguments)
    write_diary(found.diary, path)
    return found


def _reopened(diary: Diary, day: date, goal: Goal, season_days: int) -> Diary:
    """Return the diary with a season that holds the day, which may be tomorrow."""
    start = date.fromisoformat(diary.season_start)
    if (day - start).days < diary.season_days:
        return diary
    if goal.kind == "race":
        raise ValueError(f"goal: {day} is the day of the race: there is nothing left to plan")
    return replace(diary, season_start=day.isoformat(), season_days=season_days)


def _observed(
    diary: Diary, coached: Coached, tracker: Tracker, program: SeasonProgram, day: date
) -> NDArray[np.float32]:
    """Return what an agent observed on the days of the season before ``day``, (T, 6)."""
    start = date.fromisoformat(diary.season_start)
    rows: list[NDArray[np.float32]] = [np.zeros((0, 6), dtype=np.float32)]
    done = days_done(diary, coached.individual.physiology.vdot, day)
    first = (start - date.fromisoformat(diary.anchor)).days
    state = program.morning.state()
    belief = np.array([program.morning.belief])
    for one in done[first:]:
        rows.append(observation_of(program, state))
        state, belief = tracker.after(state, belief, [one])
    return np.concatenate(rows)
