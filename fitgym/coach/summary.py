"""An answer as text for the terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from fitgym.coach.advice import OUTLOOK_DAYS, Advice
from fitgym.coach.constraints import WEEKDAYS
from fitgym.coach.diary import Diary
from fitgym.coach.sessions import plan_text, step_text, title_of
from fitgym.common.tables import text_table
from fitgym.model.daniels import MARATHON_M, race_time
from fitgym.profile.efforts import RACE_SHORTFALL

NOT_ADVICE = "From a research simulator; it is not medical advice."
_ROWS = 14
RACES_M = (
    ("5 km", 5000.0),
    ("10 km", 10_000.0),
    ("half marathon", 21_097.5),
    ("marathon", MARATHON_M),
)
# A normal number lies within so many standard deviations with probability 0.95.
_SPREADS = 1.96


@dataclass(frozen=True)
class DoneRow:
    """Planned against done on a day.

    Attributes:
        date: ISO.
        plan_trimp: Points asked for; 0 for none.
        done_trimp: Points done.
        minutes: Minutes run.
        asked: Whether the coach was asked that day.
    """

    date: str
    plan_trimp: float
    done_trimp: float
    minutes: float
    asked: bool


def done_rows(diary: Diary, until: date) -> list[DoneRow]:
    """Return the days before ``until`` with a plan or a session."""
    return [
        DoneRow(
            day,
            entry.plan_trimp,
            entry.points,
            sum(one.minutes for one in entry.sessions),
            entry.asked,
        )
        for day, entry in sorted(diary.days.items())
        if day < until.isoformat() and (entry.plan_trimp > 0.0 or entry.sessions)
    ]


def advice_text(advice: Advice, done: Sequence[DoneRow], notes: Sequence[str]) -> str:
    """Return an answer as text.

    Args:
        advice: The answer.
        done: Planned against done so far.
        notes: What else is worth saying.
    """
    today = advice.today
    head = f"{advice.name}, {date.fromisoformat(advice.date):%A %d %B %Y}"
    title = title_of(today.trimp, advice.speeds_m_s)
    if today.plan:
        title += f": {plan_text(today.plan, today.trimp)}"
    lines = [head, *notes, "", title]
    lines += [f"  {step_text(step)}" for step in advice.steps]
    lines += ["", *advice.reasons, "", candidate_table(advice), ""]
    lines += [outlook_heading(advice), limits_text(advice), outlook_table(advice)]
    if advice.race:
        lines += ["", race_text(advice)]
    if done:
        shown = list(done)[-_ROWS:]
        lines += ["", done_heading(done), done_table(shown)]
    lines += ["", NOT_ADVICE]
    return "\n".join(lines)


def candidate_cells(advice: Advice) -> tuple[list[str], list[list[str]]]:
    """Return heads and cells of the table of today's plans."""
    heads = [
        "plan",
        "points",
        "min",
        "VDOT on race day" if advice.race else "return",
        "chance",
        "heart rate",
        "VDOT",
        "fatigue",
        "why not",
    ]
    best = max(one.worth for one in advice.candidates if not one.forbidden)
    gaps = [abs(best - one.worth) for one in advice.candidates if one.worth != best]
    # As many digits as tell the closest from the best.
    least = 3 if advice.race else 2
    digits = next((d for d in (least, least + 1) if gaps and round(min(gaps), d) > 0.0), 4)
    rows = []
    for one in advice.candidates:
        beats = "-"
        if one.plan:
            beats = f"{one.heart_rate:.0f} ({one.heart_rate_low:.0f}-{one.heart_rate_high:.0f})"
        rows.append(
            [
                f"{'>' if one.plan == advice.plan else ' '} {one.plan or 'none'}",
                f"{one.trimp:.1f}",
                f"{one.minutes:.0f}",
                _worth(one.worth - best, digits, best, advice),
                f"{100 * one.chance:.0f} %" if one.plan else "-",
                beats,
                f"{one.vdot:.2f}",
                f"{one.fatigue:.2f}",
                one.forbidden,
            ]
        )
    return heads, rows


def _worth(behind: float, digits: int, best: float, advice: Advice) -> str:
    """Return what a plan is worth beside the best; of a race how far it falls short alone."""
    if behind:
        return f"{behind:+.{digits}f}"
    return "best" if advice.race else f"{best:.{digits}f}"


def worth_text(advice: Advice) -> str:
    """Return what the plans of today are compared by."""
    if advice.race:
        return (
            f"How much more or less VDOT is to be expected on {advice.race} than with the best "
            "that is allowed, if the best follows from tomorrow on"
        )
    return (
        f"Return expected over the {advice.days_left} days left in {advice.unit}: of the best that "
        "is allowed, and how far the others differ from it"
    )


def _days_text(kept: Mapping[str, Any]) -> list[str]:
    """Return which days and lengths of session are left, a part of a sentence each."""
    said = []
    if len(kept["free"]) < len(WEEKDAYS):
        said.append(f"plans on {', '.join(WEEKDAYS[day] for day in kept['free'])} alone")
    if kept["busy"]:
        said.append(f"none on {', '.join(kept['busy'])}")
    said += [f"none from {first} to {last} (injured)" for first, last in kept["injured"]]
    if kept["longest_minutes"] is not None:
        said.append(f"sessions of at most {kept['longest_minutes']:g} minutes")
    return said


def limits_text(advice: Advice) -> str:
    """Return which limits hold of days, lengths, chance, hard days and load, in a sentence."""
    kept = advice.constraints
    limits = []
    if kept["least_chance"] > 0.0:
        limits.append(f"at least {100 * kept['least_chance']:.0f} % chance of completion")
    if kept["hard_gap"]:
        limits.append(
            f"between two hard days ({advice.hard_trimp:.1f} points or more) at least "
            f"{kept['hard_gap']} that is not"
        )
    if kept["acwr"] is not None:
        limits.append(f"acute:chronic ratio at most {kept['acwr']:g} on days with a plan")
    usual = len(limits)
    limits += _days_text(kept)
    if usual == 3:
        return f"Limits: {'; '.join(limits)}."
    return (
        f"Limits: {'; '.join(limits) or 'none'}. Where one of the usual three is lifted, plans "
        "may be asked for that are hardly ever completed, or that raise the load suddenly."
    )


def race_rows(advice: Advice) -> list[tuple[str, str]]:
    """Return distances with the time to be expected on race day and its 95 % range."""
    rows = []
    spread = _SPREADS * advice.race_vdot_sd
    for name, metres in RACES_M:
        middle, slow, fast = (
            # Nobody always gives everything in a race.
            race_time(max(vdot * math.exp(-RACE_SHORTFALL), 12.0), metres)
            for vdot in (advice.race_vdot, advice.race_vdot - spread, advice.race_vdot + spread)
        )
        rows.append((name, f"{_clock(middle)} ({_clock(fast)} to {_clock(slow)})"))
    return rows


def race_heading(advice: Advice) -> str:
    """Return what is to be expected on race day, in a sentence."""
    spread = _SPREADS * advice.race_vdot_sd
    return (
        f"On race day, {advice.race}, a VDOT of {advice.race_vdot:.1f} is to be expected "
        f"({advice.race_vdot - spread:.1f} to {advice.race_vdot + spread:.1f}; this morning "
        f"{advice.vdot:.1f}). Its times, with the range that holds 95 in a hundred:"
    )


def race_text(advice: Advice) -> str:
    """Return what is to be expected on race day."""
    return race_heading(advice) + "\n" + text_table(["distance", "time"], race_rows(advice))


def _clock(minutes: float) -> str:
    """Return minutes as ``h:mm:ss``, or ``m:ss`` below an hour."""
    seconds = round(60.0 * minutes)
    hours, rest = divmod(seconds, 3600)
    if hours:
        return f"{hours}:{rest // 60:02d}:{rest % 60:02d}"
    return f"{rest // 60}:{rest % 60:02d}"


def candidate_table(advice: Advice) -> str:
    """Return the table of today's plans."""
    heads, rows = candidate_cells(advice)
    explained = (
        f"Today's plans. {worth_text(advice)}; chance of completion, mean heart rate with its 95 % "
        "range, VDOT and fatigue (in VDOT) next morning."
    )
    return explained + "\n" + text_table(heads, rows)


def outlook_heading(advice: Advice) -> str:
    """Return what the table of the weeks to come is."""
    race = f" Race on {advice.race}." if advice.race else ""
    return (
        f"The next {len(advice.outlook)} days if things go as expected; each day is decided anew "
        f"from what was done.{race}"
    )


def outlook_cells(advice: Advice) -> tuple[list[str], list[list[str]]]:
    """Return heads and cells of the weeks to come."""
    heads = ["day", "session", "chance", "expected points", "VDOT", "acute:chronic"]
    rows = []
    for day in advice.outlook[:OUTLOOK_DAYS]:
        plan = title_of(day.trimp, advice.speeds_m_s) if day.plan else "no plan"
        if not day.free:
            plan = "injured" if day.injured else "not free"
        rows.append(
            [
                f"{date.fromisoformat(day.date):%a %d %b}",
                plan + (" (hard)" if day.hard else ""),
                f"{100 * day.chance:.0f} %" if day.plan else "-",
                f"{day.expected_trimp:.1f}",
                f"{day.vdot:.2f}",
                f"{day.expected_ratio:.2f}",
            ]
        )
    if later := advice.outlook[OUTLOOK_DAYS:]:
        planned = sum(1 for day in later if day.plan)
        until = f"{date.fromisoformat(later[-1].date):%d %b}"
        rows.append(["later", f"{planned} plans until {until}: --page", "", "", "", ""])
    return heads, rows


def outlook_table(advice: Advice) -> str:
    """Return the table of the weeks to come."""
    heads, rows = outlook_cells(advice)
    return text_table(heads, rows, left=2)


def done_heading(done: Sequence[DoneRow]) -> str:
    """Return how plans and what was done compare, in a sentence."""
    planned = [one for one in done if one.plan_trimp > 0.0]
    begun = [one for one in planned if one.done_trimp > 0.0]
    asked = sum(one.plan_trimp for one in planned)
    met = sum(min(one.done_trimp, one.plan_trimp) for one in planned)
    if not planned:
        return "No plan so far; sessions of one's own:"
    return (
        f"Planned and done so far: {len(planned)} plan(s), {len(begun)} begun, "
        f"{100 * met / asked:.0f} % of their points done."
    )


def done_cells(done: Sequence[DoneRow]) -> tuple[list[str], list[list[str]]]:
    """Return heads and cells of planned against done."""
    rows = [
        [
            f"{date.fromisoformat(one.date):%a %d %b}",
            f"{one.plan_trimp:.1f}" if one.plan_trimp else "none",
            f"{one.done_trimp:.1f}" if one.done_trimp else "nothing",
            f"{one.minutes:.0f}" if one.minutes else "-",
        ]
        for one in done
    ]
    return ["day", "planned points", "done points", "min"], rows


def done_table(done: Sequence[DoneRow]) -> str:
    """Return planned against done as a table."""
    heads, rows = done_cells(done)
    return text_table(heads, rows)
