"""The profile of a person: an individual of version 1, how sure each number is, and today's state.

Everything a coach needs is in it, so no file of the history is read again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import Any

from fitgym.common.files import write_text
from fitgym.common.json_files import json_text, read_object
from fitgym.common.records import check_fields
from fitgym.common.validation import require_number
from fitgym.people.individual import Individual, StageParameters
from fitgym.profile.habits import WEEKDAYS, WeekdayHabit
from fitgym.profile.heart_check import HeartCheck, HeldOutWorkout

# Raised when the meaning of a profile's file changes.
FORMAT = 1
# Of a day: more than running a day and night through at the hardest pace.
_MOST_POINTS = 1e4
# What every profile estimates, and what the page and the coach look up.
_ESTIMATED = ("vdot", "resting_heart_rate", "maximum_heart_rate", "heart_rate_offset")


@dataclass(frozen=True)
class ProfileEstimate:
    """One number of the profile.

    Attributes:
        name: What it is, as in the code.
        label: In plain words.
        value: The estimate, the mean over what the history leaves possible.
        low: Lower end of the 95 % interval.
        high: Upper end.
        unit: Unit, may be empty.
        verdict: ``"identified"``, ``"partly identified"``, ``"borrowed"`` from the population,
            ``"given"``, or ``"state"`` for what changes from day to day.
        source: What it rests on.
    """

    name: str
    label: str
    value: float
    low: float
    high: float
    unit: str
    verdict: str
    source: str


@dataclass(frozen=True)
class TodaysState:
    """Where the person stands this morning.

    Attributes:
        date: The day, before its session.
        base_level: Points.
        fitness: Stock of the acquisition stage, points.
        fatigue: Likewise.
        vdot: Performance.
        motivation: Mean of what is believed of it.
        motivation_sd: Its standard deviation.
        days_since: Days since the last session, from 1.
        last_trimp: Points of the last session.
        last_plan_trimp: What its plan asked for; 0 for a session of one's own.
    """

    date: str
    base_level: float
    fitness: float
    fatigue: float
    vdot: float
    motivation: float
    motivation_sd: float
    days_since: int
    last_trimp: float
    last_plan_trimp: float


@dataclass(frozen=True)
class HistorySummary:
    """What was read.

    Attributes:
        sessions: Sessions with distance and time.
        recordings: Recorded runs.
        with_heart_rate: How many of them hold heart rate.
        used_sessions: Sessions in the days below.
        first: Date of the first session read.
        last: Date of the last.
        total_km: Distance of all sessions.
        median_pace_min_per_km: Median pace.
        races: How many efforts were taken for races.
        understood: Quantity and how it was read, from the readers.
        left_out: Reason and number of what was left out.
        rejected: Heart rates that were not believed.
        borrowed: What was borrowed from the population and why, in sentences.
    """

    sessions: int
    recordings: int
    with_heart_rate: int
    used_sessions: int
    first: str
    last: str
    total_km: float
    median_pace_min_per_km: float
    races: int
    understood: tuple[tuple[str, str], ...] = ()
    left_out: tuple[tuple[str, int], ...] = ()
    rejected: tuple[str, ...] = ()
    borrowed: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Profile:
    """What a history says of a person.

    Attributes:
        individual: An individual of version 1 whose season begins this morning.
        state: Today's state.
        estimates: Numbers with intervals and verdicts.
        summary: What was read.
        weekdays: Habits from Monday to Sunday.
        first_day: First of the days below.
        points: Points of each day up to yesterday.
        plans_trimp: What a plan asked for on each of them; 0 for none or unknown.
        start: Parameters of the acquisition stage with the state before the first day: replaying
            ``points`` from it leads to today's state.
        heart: Personal correction of the heart-rate predictor and its test; None without heart
            rate.
        given: What the person told.
    """

    individual: Individual
    state: TodaysState
    estimates: tuple[ProfileEstimate, ...]
    summary: HistorySummary
    weekdays: tuple[WeekdayHabit, ...]
    first_day: str
    points: tuple[float, ...]
    plans_trimp: tuple[float, ...]
    start: StageParameters
    heart: HeartCheck | None = None
    given: Mapping[str, Any] = field(default_factory=dict)

    def estimate(self, name: str) -> ProfileEstimate:
        """Return the estimate called ``name``.

        Raises:
            KeyError: If there is none.
        """
        for one in self.estimates:
            if one.name == name:
                return one
        raise KeyError(name)

    @property
    def today(self) -> date:
        """The day that the state is of."""
        return date.fromisoformat(self.state.date)

    @property
    def dates(self) -> tuple[date, ...]:
        """The days of ``points``."""
        first = date.fromisoformat(self.first_day)
        return tuple(first + timedelta(days=day) for day in range(len(self.points)))

    def to_dict(self) -> dict[str, Any]:
        """Return the profile as nested plain mappings, lists, numbers and strings."""
        heart = None
        if self.heart is not None:
            heart = {
                "correction": self.heart.correction,
                "workouts": self.heart.workouts,
                "held_out": [asdict(one) for one in self.heart.held_out],
            }
        return {
            "format": FORMAT,
            "individual": self.individual.to_dict(),
            "state": asdict(self.state),
            "estimates": [asdict(one) for one in self.estimates],
            "summary": asdict(self.summary),
            "weekdays": [asdict(one) for one in self.weekdays],
            "first_day": self.first_day,
            "points": [round(points, 3) for points in self.points],
            "plans_trimp": list(self.plans_trimp),
            "start": self.start.to_dict(),
            "heart": heart,
            "given": dict(self.given),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Profile:
        """Return the profile that ``to_dict`` gave.

        Raises:
            ValueError: If the content is not that of a profile.
        """
        if content.get("format") != FORMAT:
            raise ValueError(
                f"a profile must have format {FORMAT}, got {content.get('format')!r}: make it "
                "anew with fitgym profile"
            )
        try:
            heart = content["heart"]
            summary = dict(content["summary"])
            for name in ("understood", "left_out"):
                summary[name] = tuple(tuple(row) for row in summary[name])
            for name in ("rejected", "borrowed"):
                summary[name] = tuple(summary[name])
            found = cls(
                individual=Individual.from_dict(content["individual"], where="individual"),
                state=TodaysState(**content["state"]),
                estimates=tuple(ProfileEstimate(**one) for one in content["estimates"]),
                summary=HistorySummary(**summary),
                weekdays=tuple(WeekdayHabit(**one) for one in content["weekdays"]),
                first_day=content["first_day"],
                points=tuple(content["points"]),
                plans_trimp=tuple(content["plans_trimp"]),
                start=StageParameters.from_dict(content["start"], where="start"),
                heart=None if heart is None else _heart(heart),
                given=dict(content["given"]),
            )
            check_fields(found)
            date.fromisoformat(found.first_day)
            date.fromisoformat(found.state.date)
        except (KeyError, TypeError) as error:
            raise ValueError(f"this is no profile: {error}") from None
        missing = set(_ESTIMATED) - {one.name for one in found.estimates}
        if missing:
            raise ValueError(f"estimates must hold {', '.join(_ESTIMATED)}, got no {min(missing)}")
        if len(found.weekdays) not in (0, len(WEEKDAYS)):
            raise ValueError(f"weekdays must be none or seven, got {len(found.weekdays)}")
        days = (found.today - date.fromisoformat(found.first_day)).days
        if not len(found.points) == len(found.plans_trimp) == days >= 1:
            raise ValueError(
                f"points and plans_trimp must tell the {days} days from {found.first_day} to the "
                f"day before {found.state.date}, got {len(found.points)} and "
                f"{len(found.plans_trimp)}"
            )
        for name, values in (("points", found.points), ("plans_trimp", found.plans_trimp)):
            for number, value in enumerate(values):
                require_number(f"{name}[{number}]", value, 0.0, _MOST_POINTS)
        return found

    def to_file(self, path: str | os.PathLike[str]) -> None:
        """Write the profile to a JSON file, atomically."""
        write_text(path, json_text(self.to_dict(), indent=1) + "\n")


def read_profile(path: str | os.PathLike[str]) -> Profile:
    """Read a profile that ``Profile.to_file`` wrote.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it holds something else.
    """
    content = read_object(path)
    try:
        return Profile.from_dict(content)
    except ValueError as error:
        raise ValueError(f"{os.fspath(path)}: {error}") from None


def _heart(content: Mapping[str, Any]) -> HeartCheck:
    held_out = []
    for one in content["held_out"]:
        series = {name: tuple(one[name]) for name in ("measured_bpm", "forecast_bpm", "alone_bpm")}
        held_out.append(HeldOutWorkout(**{**one, **series}))
    return HeartCheck(
        json.loads(json.dumps(content["correction"])), int(content["workouts"]), tuple(held_out)
    )
