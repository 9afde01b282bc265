"""An answer as text for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from fitgym.coach.advice import Advice
from fitgym.coach.diary import Diary
from fitgym.coach.sessions import parts_of, step_text, title_of
from fitgym.common.tables import text_table

NOT_ADVICE = "From a research simulator; it is not medical advice."
_ROWS = 14


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
    lines = [head, *notes, "", title_of(today.plan, today.trimp, today.minutes)]
    lines += [f"  {step_text(step)}" for step in advice.steps]
    lines += ["", *advice.reasons, "", candidate_table(advice), ""]
    lines += [outlook_heading(advice), outlook_table(advice)]
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
        "return",
        "chance",
        "heart rate",
        "VDOT",
        "fatigue",
        "why not",
    ]
    best = max(one.worth for one in advice.candidates)
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
                f"{one.worth:.2f}" if one.worth == best else f"{one.worth - best:+.2f}",
                f"{100 * one.chance:.0f} %" if one.plan else "-",
                beats,
                f"{one.vdot:.2f}",
                f"{one.fatigue:.2f}",
                one.forbidden,
            ]
        )
    return heads, rows


def candidate_table(advice: Advice) -> str:
    """Return the table of today's plans."""
    heads, rows = candidate_cells(advice)
    explained = (
        f"Today's plans: return expected over the {advice.days_left} days left in {advice.unit} "
        "(of the best; the others beside it), chance of completion, mean heart rate with its 95 % "
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
    heads = ["day", "plan", "chance", "expected points", "VDOT", "acute:chronic"]
    rows = []
    for day in advice.outlook:
        plan = f"{day.plan}: {parts_of(day.trimp)}" if day.plan else "none"
        if not day.free:
            plan = "not free"
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
