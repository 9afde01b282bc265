"""``fitgym coach``: today's plan and the weeks to come, day after day."""

from __future__ import annotations

import argparse
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

from fitgym.cli.arguments import input_path, output_file
from fitgym.cli.reading_arguments import add_reading_arguments, reading_options

if TYPE_CHECKING:
    from fitgym.coach.constraints import Constraints
    from fitgym.coach.loop import Answer
    from fitgym.coach.summary import DoneRow

_POLICIES = ("belief", "dp", "a3c", "coach")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments to its parser."""
    parser.description = (
        "Say what to do today and in the weeks to come: each plan's expected return, chance of "
        "completion, heart rate and form afterwards, and why. Give the new history every day; what "
        "was advised and done is remembered beside the profile. From a research simulator, not "
        "medical advice."
    )
    parser.add_argument("profile", type=input_path, help="what fitgym profile --out wrote")
    parser.add_argument(
        "--history",
        nargs="+",
        type=input_path,
        default=[],
        metavar="PATH",
        help="logs and recordings since the profile; what was read before may be in it again",
    )
    parser.add_argument(
        "--days", type=int, default=90, metavar="N", help="length of a season (default: 90)"
    )
    parser.add_argument(
        "--policy",
        default="belief",
        choices=_POLICIES,
        help="who chooses: the best on average over what motivation may be (default), at its mean "
        "(dp), a saved agent (a3c), a coach's rule (coach)",
    )
    parser.add_argument(
        "--goal",
        default="performance",
        metavar="GOAL",
        help="performance (default), performance@YYYY-MM-DD for a race, or health: minutes run",
    )
    parser.add_argument("--agent", type=input_path, metavar="FOLDER", help="agent of --policy a3c")
    parser.add_argument(
        "--today", type=_day, metavar="YYYY-MM-DD", help="the day (default: the clock's)"
    )
    parser.add_argument(
        "--diary",
        type=output_file,
        metavar="FILE.json",
        help="what is remembered (default: PROFILE.coach.json beside the profile)",
    )
    _add_constraints(parser)
    _add_outputs(parser)
    add_reading_arguments(parser)
    parser.set_defaults(run=run)


def _add_constraints(parser: argparse.ArgumentParser) -> None:
    from fitgym.coach.constraints import USUAL_ACWR, USUAL_HARD_GAP, USUAL_LEAST_CHANCE

    group = parser.add_argument_group(
        "constraints",
        "what every plan keeps to; three limits hold unless --hard-gap 0, --acwr none and "
        "--least-chance 0 lift them",
    )
    group.add_argument("--free", metavar="DAYS", help="days of the week with time: mon,wed,sat")
    group.add_argument("--busy", metavar="DATES", help="days without time: 2026-01-31,2026-02-01")
    group.add_argument(
        "--injured",
        metavar="FROM..TO",
        help="injured or ill, counted as not free: 2026-02-01..2026-02-14",
    )
    group.add_argument(
        "--hard-gap",
        type=int,
        default=USUAL_HARD_GAP,
        metavar="N",
        help="days between two hard days (default: %(default)s, no two in a row; 0 lifts it)",
    )
    group.add_argument(
        "--hard-points",
        type=float,
        metavar="POINTS",
        help="from where a day is hard (default: the base level, that of hard sessions of late)",
    )
    group.add_argument(
        "--acwr",
        type=_cap,
        default=USUAL_ACWR,
        metavar="RATIO",
        help="largest acute:chronic ratio (default: %(default)s; none lifts it)",
    )
    group.add_argument("--longest", type=float, metavar="MIN", help="longest session, minutes")
    group.add_argument(
        "--least-chance",
        type=float,
        default=USUAL_LEAST_CHANCE,
        metavar="SHARE",
        help="smallest chance of completion (default: %(default)s; 0 lifts it; see docs/coach.md)",
    )


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("output")
    group.add_argument("--json", action="store_true", help="print JSON")
    group.add_argument(
        "--page", type=output_file, metavar="FILE.html", help="write a page that needs no network"
    )
    group.add_argument(
        "--calendar",
        type=output_file,
        metavar="FILE.ics",
        help="write the weeks to come as iCalendar; importing it again updates the same events",
    )
    group.add_argument("--at", type=_time, metavar="HH:MM", help="when sessions begin")
    group.add_argument("--zone", metavar="NAME", help="time zone of --at, such as Europe/Berlin")
    group.add_argument(
        "--workout",
        type=output_file,
        metavar="FILE.fit",
        help="write today's session as a FIT workout with heart-rate ranges",
    )


def run(options: argparse.Namespace) -> None:
    """Read, answer, write and print."""
    from fitgym.coach.calendars import published_days
    from fitgym.coach.diary import read_diary, write_diary
    from fitgym.coach.goals import parse_goal
    from fitgym.coach.loop import answer
    from fitgym.coach.policies import agent_rating
    from fitgym.coach.summary import advice_text, done_rows
    from fitgym.common.json_files import json_text
    from fitgym.logs import read
    from fitgym.profile import read_profile

    today = options.today or datetime.now(UTC).astimezone().date()
    goal = parse_goal(options.goal, today)
    constraints = _constraints(options)
    _check_times(options)
    rating = agent_rating(options.agent) if options.policy == "a3c" else None
    profile = read_profile(options.profile)
    path = options.diary or _diary_beside(options.profile)
    history = read(*options.history, options=reading_options(options)) if options.history else None
    found = answer(
        profile,
        read_diary(path),
        history,
        today,
        goal=goal,
        constraints=constraints,
        season_days=options.days,
        policy=options.policy,
        rating=rating,
        progress=True,
    )
    done = done_rows(found.diary, date.fromisoformat(found.advice.date))
    written = _write(options, found, done)
    # Last, so that what is remembered was also told.
    diary = found.diary
    if options.calendar is not None:
        diary = replace(diary, published=published_days(found.advice, diary.published))
    write_diary(diary, path)
    if options.json:
        content = {
            "notes": list(found.notes),
            **found.advice.to_dict(),
            "done": [vars(row) for row in done],
        }
        print(json_text(content))
        return
    print(advice_text(found.advice, done, found.notes))
    if options.workout is not None and not found.advice.plan:
        print("no workout was written: there is no plan for the day")
    print("wrote " + ", ".join(str(one) for one in (path, *written)))


def _diary_beside(profile: Path) -> Path:
    """Return the path of the diary beside a profile.

    Raises:
        ValueError: If nothing can be written there: better known before the work than after it.
    """
    path = profile.with_name(f"{profile.stem}.coach.json")
    try:
        return output_file(str(path))
    except argparse.ArgumentTypeError as error:
        raise ValueError(f"the diary beside the profile {error}; name one with --diary") from None


def _constraints(options: argparse.Namespace) -> Constraints:
    from fitgym.coach.constraints import WEEKDAYS, Constraints, parse_injured, parse_weekdays

    try:
        return Constraints(
            free=parse_weekdays(options.free or ",".join(WEEKDAYS)),
            busy=tuple(day.strip() for day in options.busy.split(",")) if options.busy else (),
            injured=parse_injured(options.injured) if options.injured else (),
            hard_gap=options.hard_gap,
            hard_trimp=options.hard_points,
            acwr=options.acwr,
            longest_minutes=options.longest,
            least_chance=options.least_chance,
        )
    except ValueError as error:
        raise ValueError(f"constraints: {error}") from None


def _check_times(options: argparse.Namespace) -> None:
    if (options.at is None) != (options.zone is None):
        raise ValueError("--at and --zone belong together: --at 18:00 --zone Europe/Berlin")
    if options.zone is not None:
        from fitgym.coach.calendars import parse_zone

        parse_zone(options.zone)


def _write(options: argparse.Namespace, found: Answer, done: list[DoneRow]) -> list[Path]:
    """Write the files that are asked for, and return their paths."""
    from fitgym.coach.calendars import calendar_bytes, parse_zone
    from fitgym.coach.page import advice_page
    from fitgym.coach.workout_files import workout_bytes
    from fitgym.common.files import write_bytes, write_text

    contents: list[tuple[Path, bytes | str]] = []
    if options.page is not None:
        contents.append((options.page, advice_page(found.advice, done, found.notes)))
    if options.calendar is not None:
        zone = None if options.zone is None else parse_zone(options.zone)
        published = found.diary.published
        calendar = calendar_bytes(found.advice, at=options.at, zone=zone, published=published)
        contents.append((options.calendar, calendar))
    if options.workout is not None and found.advice.plan:
        contents.append((options.workout, workout_bytes(found.advice)))
    for path, content in contents:
        if isinstance(content, bytes):
            write_bytes(path, content)
        else:
            write_text(path, content)
    return [path for path, _ in contents]


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be a date such as 2026-01-31, got {text!r}"
        ) from None


def _cap(text: str) -> float | None:
    if text == "none":
        return None
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number or none, got {text!r}") from None


def _time(text: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a time such as 18:00, got {text!r}") from None
